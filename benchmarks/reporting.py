"""Prints the table of a run and keeps it as JSON."""

import json
import os
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.measuring import Row
from core.clock import utc_now

HEAD = ("path", "database", "products", "ours", "floor", "", "ratio", "target", "met", "p50", "p99")


def number(value: float) -> str:
    """Write a figure with three digits that matter."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    """Return lines of columns as wide as their widest word; figures stand at the right."""
    rows = [head, *lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if _is_figure(cell) else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def _is_figure(cell: str) -> bool:
    return cell[:1].isdigit()


def table_of(rows: list[Row]) -> str:
    """Return the table of a run, and one line on each floor beneath it."""
    lines = [_line(row) for row in rows]
    floors = {row.path: row.floor_is for row in rows if row.error is None}
    return "\n".join(
        [
            table(HEAD, lines),
            "",
            "Floors, measured in turns with the paths in this same run:",
            *(f"  {path}: {floor}" for path, floor in floors.items()),
        ]
    )


def _line(row: Row) -> tuple[str, ...]:
    start = (row.path, row.database, f"{row.products:,}")
    if row.error is not None:
        return (*start, "", "", "", "", row.target, "failed", "", "")
    return (
        *start,
        number(row.product),
        number(row.floor),
        row.unit,
        f"{row.ratio:.0%}",
        row.target,
        {True: "yes", False: "no", None: "–"}[row.met],
        _milliseconds(row.p50_ms),
        _milliseconds(row.p99_ms),
    )


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{number(value)} ms"


def keep(path: Path, rows: Iterable[Mapping[str, object]], **more: object) -> None:
    """Write the run as JSON: when, on what kind of machine, and every row."""
    content = {
        "measured_at": utc_now().isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        **more,
        "rows": list(rows),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
