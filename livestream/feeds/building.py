"""Building a feed file: streamed, written aside, guarded, then put in place as one.

A channel replaces its catalogue by what it fetches, so a half file or an empty one would delete
a shop. The last good file stays until a better one is complete.
"""

import csv
import gzip
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy.orm import Session

from core.errors import Conflict
from core.i18n import lazy as _
from core.i18n import mark
from livestream.feeds import meta
from livestream.feeds.items import each_item
from livestream.feeds.meta import Surroundings
from livestream.feeds.problems import Problem, Severity

# A build with fewer than this share of the last good file's rows is not put in place (rule 20).
SMALLEST_SHARE = 0.5
MOST_PROBLEMS_KEPT = 500
GZIP_LEVEL = 6


class SuspiciousBuild(Conflict):
    """The new file has no rows, or far fewer than the last good one, which was kept."""


NOT_HTTPS = Problem(
    10,
    Severity.WARNING,
    "",
    "link",
    "PROPERTY_VALUE_NON_HTTPS",
    mark("Channels take https addresses only: put the shop behind https before registering."),
)


@dataclass
class Report:
    """What one build did: rows written, items left out, items warned, and why."""

    channel: str
    built_at: str
    rows: int = 0
    left_out: int = 0
    warned: int = 0
    sha256: str = ""
    size: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    problems: list[dict[str, object]] = field(default_factory=list)

    def add(self, problems: list[Problem], *, written: bool) -> None:
        """Count one item."""
        self.rows += written
        self.left_out += not written
        self.warned += written and bool(problems)
        for problem in problems:
            self.by_rule[f"{problem.severity.value}:{problem.rule}:{problem.field}"] += 1
            if len(self.problems) < MOST_PROBLEMS_KEPT:
                self.problems.append(problem.to_json())

    def tell_of_the_file(self, problem: Problem) -> None:
        """Note what is wrong with the whole file, not with an item."""
        self.by_rule[f"{problem.severity.value}:{problem.rule}:{problem.field}"] += 1
        self.problems.append(problem.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return the report as the manifest and the feed row keep it."""
        return {**vars(self), "by_rule": dict(self.by_rule)}


@dataclass(frozen=True, slots=True)
class Built:
    """A complete file and its gzip twin, still beside their place."""

    file: Path
    twin: Path
    report: Report


def write_files(
    session: Session,
    folder: Path,
    name: str,
    *,
    around: Surroundings,
    producer_id: int | None = None,
    last_rows: int = 0,
) -> Built:
    """Write `name`.csv and its .gz twin into `folder` in one pass and put both in place.

    Raises SuspiciousBuild, leaving what was there, when the channel would lose its catalogue.
    Readers see the old file or the new one, never a part. Ids are unique in the whole run,
    whatever their case (rule 1).
    """
    folder.mkdir(parents=True, exist_ok=True)
    report = Report("meta", around.now.isoformat())
    file, twin = folder / f"{name}.csv", folder / f"{name}.csv.gz"
    digest = hashlib.sha256()
    with _aside(file) as raw, _aside(twin) as packed_raw:
        packed = gzip.GzipFile(fileobj=packed_raw, mode="wb", compresslevel=GZIP_LEVEL, mtime=0)
        tee = _Tee(raw, packed, digest)
        writer = csv.DictWriter(tee, meta.COLUMNS, lineterminator="\r\n")
        writer.writeheader()
        if not around.public_url.startswith("https://"):
            report.tell_of_the_file(NOT_HTTPS)
        for row in _rows(session, around, producer_id, report):
            writer.writerow(row)
        packed.close()
        guard(report, last_rows)
    report.sha256 = digest.hexdigest()
    report.size = file.stat().st_size
    return Built(file, twin, report)


def write_manifest(folder: Path, built: list[Built]) -> Path:
    """Write manifest.json beside the files: each report under its channel."""
    path = folder / "manifest.json"
    content = {one.report.channel: {"file": one.file.name, **one.report.to_json()} for one in built}
    with _aside(path) as raw:
        raw.write(json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8"))
    return path


def guard(report: Report, last_rows: int) -> None:
    """Refuse a build that would empty the channel's catalogue; the old file stays."""
    if report.rows == 0 and last_rows == 0:
        return
    if report.rows == 0 or report.rows < last_rows * SMALLEST_SHARE:
        raise SuspiciousBuild(
            _(
                "Only %(rows)s items instead of %(before)s: the last good file was kept.",
                rows=report.rows,
                before=last_rows,
            )
        )


def _rows(
    session: Session, around: Surroundings, producer_id: int | None, report: Report
) -> Iterator[meta.Row]:
    seen: set[str] = set()
    for item in each_item(session, now=around.now, producer_id=producer_id):
        row, problems = meta.row(item, around)
        key = item.sku.lower()
        if row is not None and key in seen:
            problems = [*problems, meta.twice(item)]
            row = None
        seen.add(key)
        report.add(problems, written=row is not None)
        if row is not None:
            yield row


class _Tee:
    """Writes each line to the file, its twin and the digest, so that all three agree."""

    def __init__(self, raw: IO[bytes], packed: gzip.GzipFile, digest: Any) -> None:
        self._raw = raw
        self._packed = packed
        self._digest = digest

    def write(self, text: str) -> int:
        line = text.encode("utf-8")
        self._raw.write(line)
        self._packed.write(line)
        self._digest.update(line)
        return len(text)


@contextmanager
def _aside(path: Path) -> Iterator[IO[bytes]]:
    """Write beside `path`, reach the disk, then take its place; on failure leave nothing."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb", buffering=1 << 16) as raw:
            yield raw
            raw.flush()
            os.fsync(raw.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
