"""`./manage bench`: prints ratios against floors of the same run and writes var/bench.json."""

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from time import monotonic

from benchmarks import reporting
from benchmarks.measuring import FULL, QUICK
from benchmarks.running import Run, measure
from core.settings import ROOT

KEPT = ROOT / "var" / "bench.json"
SIZES = (200, 10_000)
QUICK_SIZES = (200,)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, keep; 1 when a path could not be measured at all."""
    asked = _parser().parse_args(arguments)
    started = monotonic()
    run = Run(
        databases=_databases(asked.database, quick=asked.quick),
        sizes=asked.sizes or (QUICK_SIZES if asked.quick else SIZES),
        pace=QUICK if asked.quick else FULL,
        only=asked.only,
        profiled=asked.profile,
    )
    with tempfile.TemporaryDirectory(prefix="cho-phien-bench-") as folder:
        rows = list(measure(run, Path(folder)))
    took = round(monotonic() - started)
    print(reporting.table_of(rows))
    print(f"\n{len(rows)} rows in {took} s")
    if not asked.only and not asked.quick:
        reporting.keep(KEPT, (asdict(row) for row in rows), seconds=took)
        print(f"kept in {KEPT.relative_to(ROOT)}")
    failed = [row for row in rows if row.error is not None]
    for row in failed:
        print(f"{row.path} ({row.database}, {row.products:,}): {row.error}")
    return 1 if failed else 0


def _databases(asked: str, *, quick: bool) -> tuple[str, ...]:
    if asked == "both":
        return ("sqlite",) if quick else ("sqlite", "postgresql")
    return (asked,)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./manage bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, rough, not kept: a smoke test")
    parser.add_argument(
        "--database",
        choices=("both", "sqlite", "postgresql"),
        default="both",
        help="where to measure (default: both; with --quick: sqlite)",
    )
    parser.add_argument(
        "--sizes",
        type=lambda text: tuple(int(one) for one in text.split(",")),
        metavar="N,N",
        help="numbers of generated products (default: 200,10000)",
    )
    parser.add_argument(
        "--only", default="", metavar="WORD", help="only paths with this in their name; not kept"
    )
    parser.add_argument(
        "--profile", action="store_true", help="print where the time of our side goes"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
