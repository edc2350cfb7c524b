"""`./manage bench --pages`: what a phone sees of home, list, product and scan page.

Starts the real server on a database of its own with the demo village, looks at each page with
Lighthouse (its default phone: slow 4G, processor four times slower) and compares with the budgets.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic, sleep
from urllib.request import urlopen

from sqlalchemy import select

from benchmarks import lighthouse, reporting
from benchmarks.lighthouse import CannotRun, Seen
from benchmarks.shops import SECRET, open_shop
from catalog.lots import Lot, LotState
from catalog.products import Product
from catalog.variants import Variant
from core.db import Database
from core.settings import ROOT
from tests.postgres import free_port
from traceability.trace_codes import CodeKind, TraceCode
from wsgi import load_tables

KEPT = ROOT / "var" / "bench-pages.json"
PROGRAMS = Path(sys.executable).parent
LONGEST_START = 60
KB = 1_024
HEAD = (
    "page", "perf", "a11y", "best", "seo", "LCP", "TBT", "CLS", "KB", "html", "css", "js",
    "fonts", "images", "requests", "lazy KB", "lazy", "over budget",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Budget:
    """What a first visit may weigh and take."""

    kilobytes: int
    requests: int
    lcp_ms: int
    tbt_ms: int
    cls: float = 0.02

    def exceeded(self, seen: Seen) -> list[str]:
        """Return what is over the budget."""
        checks = {
            f"{seen.bytes / KB:.0f} > {self.kilobytes} KB": seen.bytes > self.kilobytes * KB,
            f"{seen.requests} > {self.requests} requests": seen.requests > self.requests,
            f"LCP > {self.lcp_ms / 1_000:.1f} s": seen.lcp_ms > self.lcp_ms,
            f"TBT > {self.tbt_ms} ms": seen.tbt_ms > self.tbt_ms,
            f"CLS > {self.cls}": seen.cls > self.cls,
        }
        return [fault for fault, is_over in checks.items() if is_over]


BUDGETS = {
    "home": Budget(150, 20, 2_000, 50),
    "list": Budget(150, 20, 2_000, 50),
    "product": Budget(150, 18, 2_000, 50),
    "scan": Budget(70, 12, 1_500, 0),
}


def main(arguments: list[str] | None = None) -> int:
    """Look, print, keep; 1 when Lighthouse cannot run here. Budgets are told, not enforced."""
    asked = _parser().parse_args(arguments)
    started = monotonic()
    try:
        lighthouse.command()
        lighthouse.chrome()
        with tempfile.TemporaryDirectory(prefix="cho-phien-pages-") as folder:
            seen = list(_look(Path(folder), asked.runs, asked.only))
    except CannotRun as reason:
        print(reason)
        return 1
    over = {one.page: BUDGETS[one.page].exceeded(one) for one in seen}
    print(reporting.table(HEAD, (_line(one, over[one.page]) for one in seen)))
    for one in seen:
        if one.missed:
            print(f"{one.page}: not passed: {', '.join(one.missed)}")
    took = round(monotonic() - started)
    print(f"\nMedians of {asked.runs} runs, {took} s")
    if not asked.only:
        rows = [{**asdict(one), "over_budget": over[one.page]} for one in seen]
        reporting.keep(KEPT, rows, lighthouse=lighthouse.VERSION, seconds=took)
        print(f"kept in {KEPT.relative_to(ROOT)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./manage bench --pages", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="of each page (default 5)")
    parser.add_argument(
        "--only", default="", choices=("", *BUDGETS), help="only this page; not kept"
    )
    return parser


def _look(folder: Path, runs: int, only: str) -> Iterator[Seen]:
    def told(text: str) -> None:
        print(text, file=sys.stderr)

    with serving(folder) as (address, database_url):
        for name, path in addresses(database_url).items():
            if only in {"", name}:
                yield lighthouse.look(name, f"{address}{path}", runs=runs, folder=folder, told=told)


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, str]]:
    """Serve the demo village as `./manage run` does; give the address and the database's."""
    port = free_port()
    database_url = f"sqlite:///{folder / 'shop.db'}"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": database_url,
        "SECRET_KEY": SECRET,
        "STORAGE_DIR": str(folder / "storage"),
        "LOG_LEVEL": "WARNING",
    }

    with open_shop(database_url, 0, folder):
        pass  # filled; who serves it is another process
    words = folder / "server.log"
    with words.open("w") as log:
        server = subprocess.Popen(
            [str(PROGRAMS / "gunicorn"), "wsgi:create_app()"],
            cwd=ROOT,
            env=environment,
            stderr=log,
        )
    try:
        if not _answers(f"http://127.0.0.1:{port}/healthz", server):
            raise CannotRun(f"the server did not start: {words.read_text()[-2_000:]}")
        yield f"http://127.0.0.1:{port}", database_url
    finally:
        server.terminate()
        server.wait(timeout=30)


def _answers(address: str, server: "subprocess.Popen[bytes]") -> bool:
    until = monotonic() + LONGEST_START
    while monotonic() < until and server.poll() is None:
        try:
            with urlopen(address, timeout=2):  # noqa: S310 - our own server
                return True
        except OSError:
            sleep(0.2)
    return False


def addresses(database_url: str) -> dict[str, str]:
    """Return the pages to look at: of sample goods with a barcode and a lot on sale."""
    load_tables()
    database = Database(database_url)
    with database.reading() as session:
        slug, code = session.execute(
            select(Product.slug, TraceCode.code)
            .join(Variant, Variant.product_id == Product.id)
            .join(Lot, Lot.variant_id == Variant.id)
            .join(TraceCode, TraceCode.lot_id == Lot.id)
            .where(
                Variant.gtin.is_not(None),
                Lot.state == LotState.ACTIVE,
                TraceCode.kind == CodeKind.LOT,
            )
            .order_by(Lot.id)
            .limit(1)
        ).one()
    database.close()
    return {
        "home": "/",
        "list": "/san-pham",
        "product": f"/san-pham/{slug}",
        "scan": f"/truy-xuat/{code}",
    }


def _line(seen: Seen, over: list[str]) -> tuple[str, ...]:
    scores = (f"{seen.scores[name] * 100:.0f}" for name in lighthouse.SCORES)
    weights = (seen.by_kind[kind] for kind in ("html", "css", "js", "fonts", "images"))
    return (
        seen.page,
        *scores,
        f"{seen.lcp_ms / 1_000:.2f} s",
        f"{seen.tbt_ms:.0f} ms",
        f"{seen.cls:.3f}",
        f"{seen.bytes / KB:.0f}",
        *(f"{weight / KB:.1f}" for weight in weights),
        str(seen.requests),
        f"{seen.by_kind[lighthouse.LAZY] / KB:.0f}",
        str(seen.lazy_requests),
        "; ".join(over) or "no",
    )


if __name__ == "__main__":
    sys.exit(main())
