"""Goods from a spreadsheet: looked through and written, beside the bare insert of the same rows."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import count

from sqlalchemy import insert, select

from accounts.audit import Actor
from benchmarks.measuring import Path, Side
from benchmarks.shops import Shop
from catalog.goods_sheets import writing
from catalog.goods_sheets.lines import GoodsLine, read_line
from catalog.producers import Producer
from catalog.products import Product, ProductState
from catalog.variants import Variant
from core.clock import utc_now
from core.money import Money

AT_ONCE = 20
CLERK = Actor(None, "bench")
COLUMNS = ("sku", "name", "price", "unit", "weight_g", "description")
_numbers = count(1)


def paths(shop: Shop) -> Iterator[Path]:
    """Give the look through a sheet of new goods, and the writing of it."""
    floor = f"bare insert of product and variant, {AT_ONCE} rows a transaction"
    bare = Side(_batches, partial(_bare, shop))
    for name, run in (("looked through", _look), ("written", _write)):
        yield Path(
            f"sheet of goods, {name}",
            "rows/s",
            floor,
            0.33,
            Side(_batches, partial(run, shop)),
            bare,
            timed=False,
        )


def _batches(_seconds: float) -> Iterable[list[GoodsLine]]:
    while True:
        yield [_line(next(_numbers)) for _ in range(AT_ONCE)]


def _line(number: int) -> GoodsLine:
    cells = (f"BT-{number}", f"Mật ong rừng số {number}", "165000", "chai", "500", "Ngọt. " * 20)
    return read_line(number, cells, COLUMNS)


def _look(shop: Shop, batch: list[GoodsLine]) -> int:
    with shop.database.reading() as session:
        producer = session.scalars(select(Producer).limit(1)).one()
        return len(writing.foresee(session, producer, batch))


def _write(shop: Shop, batch: list[GoodsLine]) -> int:
    with shop.database.transaction() as session:
        producer = session.scalars(select(Producer).limit(1)).one()
        for line in batch:
            with session.begin_nested():
                writing.put(session, producer, line, actor=CLERK, now=utc_now())
    return len(batch)


def _bare(shop: Shop, batch: list[GoodsLine]) -> int:
    now = utc_now()
    with shop.database.transaction() as session:
        producer_id = session.scalars(select(Producer.id).limit(1)).one()
        for line in batch:
            code = f"{line.sku}-{next(_numbers)}"
            product_id = session.scalar(
                insert(Product)
                .values(
                    slug=code.lower(),
                    name=line.name,
                    name_lower=line.name.lower(),
                    state=ProductState.DRAFT,
                    producer_id=producer_id,
                    motif="mat-ong",
                    description=line.values["description"],
                    created_at=now,
                    updated_at=now,
                )
                .returning(Product.id)
            )
            session.execute(
                insert(Variant).values(
                    product_id=product_id, sku=code, unit="chai", price=Money(165_000)
                )
            )
    return len(batch)
