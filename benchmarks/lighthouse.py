"""Lighthouse, installed once into var/ at one version: how a weak phone sees a page."""

import json
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from core.settings import ROOT

VERSION = "12.8.2"
FOLDER = ROOT / "var" / "lighthouse"
CHROME_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
SCORES = ("performance", "accessibility", "best-practices", "seo")
KINDS = {
    "Document": "html",
    "Stylesheet": "css",
    "Script": "js",
    "Font": "fonts",
    "Image": "images",
}
OTHER, LAZY = "other", "lazy"
LONGEST_RUN = 180


class CannotRun(Exception):  # noqa: N818 - the sentence says what is missing
    """Something Lighthouse needs is not on this machine."""


@dataclass(slots=True)
class Seen:
    """What runs saw of one page: medians, in bytes on the wire.

    `bytes` and `requests` leave out the pictures that are marked to wait for scrolling; Lighthouse
    asks for many of them all the same, and they stand beside as lazy.
    """

    page: str
    address: str
    runs: int
    scores: dict[str, float] = field(default_factory=dict)
    lcp_ms: float = 0.0
    fcp_ms: float = 0.0
    tbt_ms: float = 0.0
    cls: float = 0.0
    bytes: int = 0
    requests: int = 0
    lazy_requests: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    all_lcp_ms: list[float] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


def command() -> list[str]:
    """Return how to start Lighthouse, installing it the first time, or raise CannotRun."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise CannotRun("npm is not installed: Lighthouse cannot run (Debian: apt-get install npm)")
    program = FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js"
    manifest = FOLDER / "node_modules" / "lighthouse" / "package.json"
    if not manifest.exists() or json.loads(manifest.read_text())["version"] != VERSION:
        done = subprocess.run(
            [npm, "install", "--silent", "--no-fund", "--no-audit", "--no-save",
             "--prefix", str(FOLDER), f"lighthouse@{VERSION}"],
            env={**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"},
            check=False,
        )  # fmt: skip
        if done.returncode != 0 or not program.exists():
            raise CannotRun(f"npm could not install lighthouse@{VERSION}")
    return [node, str(program)]


def chrome() -> str:
    """Return the browser the tests drive too, or raise CannotRun."""
    found = (
        os.environ.get("CHROME_PATH")
        or shutil.which("chromium")
        or shutil.which("google-chrome")
        or shutil.which("chromium-browser")
    )
    if found is None:
        raise CannotRun("Chromium is not installed: set CHROME_PATH or apt-get install chromium")
    return found


def look(name: str, address: str, *, runs: int, folder: Path, told: Callable[[str], None]) -> Seen:
    """Look at a page so many times, as on a slow phone, and return the medians."""
    program, browser = command(), chrome()
    reports = []
    for number in range(runs):
        told(f"  {name}, {number + 1} of {runs} …")
        reports.append(_report(program, browser, address, folder / "report.json"))
    return _medians(name, address, reports)


def _report(program: list[str], browser: str, address: str, path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [*program, address, "--quiet", "--output=json", f"--output-path={path}",
         f"--chrome-flags={' '.join(CHROME_FLAGS)}"],
        env={**os.environ, "CHROME_PATH": browser},
        check=False,
        capture_output=True,
        text=True,
        timeout=LONGEST_RUN,
    )  # fmt: skip
    if done.returncode != 0:
        raise CannotRun(f"Lighthouse failed at {address}: {done.stderr.strip()[-500:]}")
    report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if "runtimeError" in report:
        raise CannotRun(f"Lighthouse failed at {address}: {report['runtimeError']['message']}")
    return report


def _medians(name: str, address: str, reports: list[dict[str, Any]]) -> Seen:
    def middle(audit: str) -> float:
        return median(float(report["audits"][audit]["numericValue"]) for report in reports)

    lazy = _lazy_pictures(address)
    requests = [_requests(report, lazy) for report in reports]
    kinds: dict[str, list[int]] = defaultdict(list)
    for one in requests:
        for kind in (*KINDS.values(), OTHER, LAZY):
            kinds[kind].append(sum(size for its, size in one if its == kind))
    return Seen(
        page=name,
        address=address,
        runs=len(reports),
        scores={
            score: median(float(report["categories"][score]["score"] or 0) for report in reports)
            for score in SCORES
        },
        lcp_ms=middle("largest-contentful-paint"),
        fcp_ms=middle("first-contentful-paint"),
        tbt_ms=middle("total-blocking-time"),
        cls=middle("cumulative-layout-shift"),
        bytes=int(median(sum(size for kind, size in one if kind != LAZY) for one in requests)),
        requests=int(median(sum(kind != LAZY for kind, _size in one) for one in requests)),
        lazy_requests=int(median(sum(kind == LAZY for kind, _size in one) for one in requests)),
        by_kind={kind: int(median(sizes)) for kind, sizes in kinds.items()},
        all_lcp_ms=[
            round(report["audits"]["largest-contentful-paint"]["numericValue"])
            for report in reports
        ],
        missed=sorted({fault for report in reports for fault in _faults(report)}),
    )


def _requests(report: dict[str, Any], lazy: set[str]) -> list[tuple[str, int]]:
    """Return (kind, bytes on the wire) of every request but those for `data:` addresses."""
    found = []
    for item in report["audits"]["network-requests"]["details"]["items"]:
        address = urlsplit(item["url"])
        if address.scheme in {"http", "https"}:
            kind = KINDS.get(item.get("resourceType", ""), OTHER)
            size = int(item.get("transferSize") or 0)
            found.append((LAZY if address.path in lazy else kind, size))
    return found


class _Pictures(HTMLParser):
    """Finds the pictures a page leaves for later: those of `loading="lazy"`, in every size."""

    def __init__(self) -> None:
        super().__init__()
        self.lazy: set[str] = set()
        self._sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember the sources of a picture until its img says whether it can wait."""
        given = {name: value or "" for name, value in attrs}
        if tag == "picture":
            self._sources = []
        elif tag == "source":
            self._sources += _files(given.get("srcset", ""))
        elif tag == "img":
            if given.get("loading") == "lazy":
                files = [*self._sources, given.get("src", ""), *_files(given.get("srcset", ""))]
                self.lazy.update(urlsplit(file).path for file in files)
            self._sources = []


def _files(srcset: str) -> list[str]:
    return [one.split()[0] for one in srcset.split(",") if one.strip()]


def _lazy_pictures(address: str) -> set[str]:
    pictures = _Pictures()
    with urlopen(address, timeout=30) as answer:  # noqa: S310 - our own server
        pictures.feed(answer.read().decode("utf-8"))
    return pictures.lazy


def _faults(report: dict[str, Any]) -> list[str]:
    """Return the audits beside performance that did not pass."""
    counted = {
        reference["id"]
        for score in SCORES[1:]
        for reference in report["categories"][score]["auditRefs"]
        if reference["weight"]
    }
    return [
        name
        for name, audit in report["audits"].items()
        if name in counted and audit.get("score") is not None and audit["score"] < 1
    ]
