"""Files to take away: the pattern to fill in, all goods as they stand, a sheet with its faults."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import editing, stock_desk
from catalog.goods_sheets.columns import COLUMNS
from catalog.goods_sheets.reading import ReadSheet
from catalog.goods_sheets.runs import GoodsImportRow
from catalog.products import Product, ProductState
from catalog.variants import Variant
from catalog.wording import GROUP_NAMES
from core.i18n import speaking

FAULTS = "Lỗi"
AT_ONCE = 200
_KEEPS = {"day": "ngày", "month": "tháng", "year": "năm"}


def headings() -> list[str]:
    """Return the headings of our own files, which are Vietnamese in every language."""
    return [column.heading for column in COLUMNS.values()]


def pattern() -> Iterator[list[str]]:
    """Give the rows of the file to fill in: headings and one example."""
    yield headings()
    yield [column.example for column in COLUMNS.values()]


def goods_rows(session: Session, producer_id: int) -> Iterator[list[str]]:
    """Give all goods of a producer, a row each kind, those put away left out.

    Read in again they change nothing. A few goods are held in memory at a time.
    """
    yield headings()
    after = 0
    while True:
        products = session.scalars(
            select(Product)
            .where(
                Product.producer_id == producer_id,
                Product.id > after,
                Product.state != ProductState.WITHDRAWN,
            )
            .order_by(Product.id)
            .limit(AT_ONCE)
        ).all()
        if not products:
            return
        after = products[-1].id
        yield from _rows_of(session, products)
        session.expunge_all()


def _rows_of(session: Session, products: Sequence[Product]) -> Iterator[list[str]]:
    kinds: dict[int, list[Variant]] = {}
    for variant in session.scalars(
        select(Variant)
        .where(Variant.product_id.in_([product.id for product in products]))
        .order_by(Variant.product_id, Variant.position, Variant.id)
    ):
        kinds.setdefault(variant.product_id, []).append(variant)
    free = stock_desk.on_hand_of(session, [one.id for found in kinds.values() for one in found])
    for product in products:
        for variant in kinds.get(product.id, []):
            yield _row(product, variant, free.get(variant.id, 0))


def _row(product: Product, variant: Variant, on_hand: int) -> list[str]:
    values = editing.values_with(product, variant)
    with speaking("vi"):
        group = str(GROUP_NAMES[product.group]) if product.group else ""
    keeps = f"{product.keeps_for} {_KEEPS[product.keeps_unit]}" if product.keeps_unit else ""
    said: Mapping[str, str] = {
        **values,
        "sku": variant.sku,
        "kind": variant.name,
        "group": group,
        "keeps": keeps,
        "stock": str(on_hand),
        "pictures": "",
    }
    return [said.get(name, "") for name in COLUMNS]


def with_faults(sheet: ReadSheet, rows: Iterable[GoodsImportRow]) -> Iterator[list[str]]:
    """Give the sheet as it was sent, only the rows with something to say, that said at the end."""
    told = {row.number: row for row in rows}
    yield [*sheet.headings, FAULTS]
    width = len(sheet.headings)
    for row in sheet.rows:
        if row.number in told:
            cells = [*row.cells[:width], *[""] * (width - len(row.cells))]
            yield [*cells, "; ".join(_fault(*one) for one in told[row.number].told)]


def _fault(column: str, words: str) -> str:
    known = COLUMNS.get(column)
    return f"{known.heading}: {words}" if known else words
