"""Building a feed from scratch, and a csv writer fed from one cursor of the same columns."""

import csv
from collections.abc import Iterable, Iterator
from itertools import repeat

from sqlalchemy import select

from benchmarks.measuring import Path, Side
from benchmarks.shops import Shop
from catalog.places import AdminUnit
from catalog.producers import Producer, ProducerState
from catalog.products import Product, ProductState
from catalog.variants import Variant
from core.clock import utc_now
from livestream.feeds import meta
from livestream.feeds.building import write_files
from livestream.feeds.jobs import surroundings

BATCH = 1_000
COLUMNS = (
    Variant.sku,
    Variant.product_id,
    Product.slug,
    Product.name,
    Variant.name,
    Variant.unit,
    Variant.weight_g,
    Variant.gtin,
    Variant.price,
    Variant.price_is_sample,
    Product.description,
    Product.group,
    Product.motif,
    Producer.name,
    Producer.slug,
    AdminUnit.name,
)


class NothingWritten(Exception):  # noqa: N818 - what happened
    """The feed left every item out, so there is nothing to measure."""


def paths(shop: Shop) -> Iterator[Path]:
    """Give the build of Meta's file: CSV, its gzip twin, checksum and report."""
    yield Path(
        "feed from scratch",
        "rows/s",
        "csv.writer fed from one SELECT of the same goods; no gzip, no checks, no checksum",
        0.30,
        Side(_again, lambda _job: build(shop)),
        Side(_again, lambda _job: _write_bare(shop)),
        around=shop.app.test_request_context,
    )


def _again(_seconds: float) -> Iterable[None]:
    return repeat(None)


def build(shop: Shop) -> int:
    """Build the whole shop's file and return how many items were looked at."""
    around = surroundings(shop.settings, now=utc_now())
    with shop.database.reading() as session:
        built = write_files(session, shop.folder / "feeds", "meta", around=around)
    if built.report.rows == 0:
        raise NothingWritten(dict(built.report.by_rule))
    return built.report.rows + built.report.left_out


def _write_bare(shop: Shop) -> int:
    empty = [""] * (len(meta.COLUMNS) - len(COLUMNS))
    written = 0
    with (
        shop.database.reading() as session,
        (shop.folder / "bare.csv").open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(meta.COLUMNS)
        rows = session.execute(
            select(*COLUMNS)
            .join(Product, Product.id == Variant.product_id)
            .join(Producer, Producer.id == Product.producer_id)
            .outerjoin(AdminUnit, AdminUnit.code == Product.commune_code)
            .where(
                Variant.price.is_not(None),
                Product.state == ProductState.LIVE,
                Producer.state == ProducerState.APPROVED,
            )
            .order_by(Variant.id),
            execution_options={"yield_per": BATCH},
        )
        for row in rows:
            writer.writerow([*row, *empty])
            written += 1
    return written
