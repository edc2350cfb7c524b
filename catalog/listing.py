"""The list of goods: filters that combine, several orders, pages by cursor. Depth costs nothing.

An order that mixes kinds of rows (badge or none, price or none) is walked in two stretches, each
along its own index; a page asks the second stretch only when the first ran out.
"""

import enum
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    literal,
    not_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased

from catalog import search
from catalog.certificates import best_stars
from catalog.lots import Lot
from catalog.places import AdminUnit
from catalog.producers import Producer
from catalog.products import OcopGroup, Product, seen_by_buyers
from catalog.stock import StockItem, sellable_rows
from catalog.variants import Variant
from core.clock import vietnam_day
from core.money import Money
from core.web.paging import read_cursor, write_cursor

PER_PAGE = 24
_SHAPE = (str, int, int, int)
_Commune = aliased(AdminUnit)
_Province = aliased(AdminUnit)


class Order(enum.StrEnum):
    """How a list is sorted; RELEVANT is what a search gets when nothing else is asked for."""

    NEW = "moi"
    CHEAP_FIRST = "gia-tang"
    DEAR_FIRST = "gia-giam"
    STARS = "sao"
    RELEVANT = "hop"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a visitor wants to see; None and False leave a thing open."""

    query: str = ""
    commune: str | None = None
    province: str | None = None
    village_id: int | None = None
    producer_id: int | None = None
    group: OcopGroup | None = None
    stars: int | None = None
    price_from: int | None = None
    price_to: int | None = None
    in_stock: bool = False
    month: int | None = None
    order: Order = Order.NEW
    but_not: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One row of a list before its prices and stars are known, and where it stands in the order."""

    id: int
    slug: str
    name: str
    motif: str
    group: OcopGroup | None
    place_text: str | None
    is_sample: bool
    is_synthetic: bool
    producer: str | None
    commune: str | None
    province: str | None
    sort_value: int
    stretch: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Rows of one kind in one order; `column` None sorts by the newest alone."""

    condition: ColumnElement[bool] | None
    column: ColumnElement[Any] | None = None
    down: bool = True


def find_page(
    session: Session, filters: Filters, *, after: str | None, now: datetime, limit: int = PER_PAGE
) -> tuple[list[Found], str | None]:
    """Return one page, to be shown as cards, and the cursor of the next page if there is one.

    `after` is a cursor of the same order; anything else gives the first page. Asks the database
    once, or twice where one stretch of the order ends on this page.
    """
    today = vietnam_day(now)
    stretches = _stretches(filters, today)
    first, value, last_id = _position(after, filters.order, len(stretches))
    found: list[Found] = []
    for number in range(first, len(stretches)):
        query = _walk(filters, stretches[number], number, today)
        if number == first and last_id:
            query = query.where(_beyond(stretches[number], value, last_id))
        rows = session.execute(query.limit(limit + 1 - len(found)))
        found += [Found(*row) for row in rows]
        if len(found) > limit:
            break
    page = found[:limit]
    more = len(found) > limit
    return page, _mark(filters.order, page[-1]) if more else None


def _stretches(filters: Filters, today: date) -> list[_Stretch]:
    priced = Product.list_price.is_not(None)
    if filters.order in {Order.CHEAP_FIRST, Order.DEAR_FIRST}:
        down = filters.order is Order.DEAR_FIRST
        price = type_coerce(Product.list_price, BigInteger)
        return [_Stretch(priced, price, down), _Stretch(not_(priced))]
    if filters.order is Order.STARS:
        best = best_stars(today).subquery("best")
        badged = select(best.c.product_id)
        return [
            _Stretch(Product.id == best.c.product_id, best.c.stars),
            _Stretch(Product.id.not_in(badged)),
        ]
    typed = search.typed_words(filters.query)
    if filters.order is Order.RELEVANT and typed:
        as_written = search.matches_as_written(Product.id, typed)
        rest = search.matches(Product.id, typed) & not_(as_written)
        return [_Stretch(as_written), _Stretch(rest)]
    return [_Stretch(None)]


def _position(after: str | None, order: Order, stretches: int) -> tuple[int, int, int]:
    """Return (stretch, sort value, id) of the last row seen; zeros for the first page."""
    mark = read_cursor(after, _SHAPE)
    if mark is None or None in mark or mark[0] != order or mark[1] not in range(stretches):
        return 0, 0, 0
    _order, stretch, value, last_id = mark
    return int(stretch or 0), int(value or 0), int(last_id or 0)


def _mark(order: Order, last: Found) -> str:
    return write_cursor([order.value, last.stretch, last.sort_value, last.id])


def _walk(
    filters: Filters, stretch: _Stretch, number: int, today: date
) -> Select[*tuple[Any, ...]]:
    column, newest = stretch.column, Product.id.desc()
    query = (
        select(
            Product.id,
            Product.slug,
            Product.name,
            Product.motif,
            Product.group,
            Product.place_text,
            Product.is_sample,
            Product.is_synthetic,
            Producer.name,
            _Commune.name,
            _Province.name,
            literal(0) if column is None else column,
            literal(number),
        )
        .select_from(Product)
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .outerjoin(_Commune, _Commune.code == Product.commune_code)
        .outerjoin(_Province, _Province.code == Product.province_code)
        .where(seen_by_buyers(), *_conditions(filters, today))
    )
    if stretch.condition is not None:
        query = query.where(stretch.condition)
    if column is None:
        return query.order_by(newest)
    if stretch.down:
        return query.order_by(column.desc(), newest)
    return query.order_by(column, Product.id)


def _beyond(stretch: _Stretch, value: int, last_id: int) -> ColumnElement[bool]:
    # Said to be wide: whatever a cursor claims must be a number the database can compare.
    last = literal(last_id, BigInteger)
    if stretch.column is None:
        return Product.id < last
    here, there = tuple_(stretch.column, Product.id), tuple_(literal(value, BigInteger), last)
    return here < there if stretch.down else here > there


def _conditions(filters: Filters, today: date) -> list[ColumnElement[bool]]:
    plain = (
        (Product.commune_code, filters.commune),
        (Product.province_code, filters.province),
        (Product.village_id, filters.village_id),
        (Product.producer_id, filters.producer_id),
        (Product.group, filters.group),
    )
    conditions: list[ColumnElement[bool]] = [
        column == wanted for column, wanted in plain if wanted is not None
    ]
    typed = search.typed_words(filters.query)
    if typed and filters.order is not Order.RELEVANT:  # the stretches of that order say it
        conditions.append(search.matches(Product.id, typed))
    if filters.stars is not None:
        best = best_stars(today).subquery("badge")
        conditions.append(
            Product.id.in_(select(best.c.product_id).where(best.c.stars == filters.stars))
        )
    if filters.month is not None:
        conditions.append(Product.season_months.bitwise_and(1 << (filters.month - 1)) != 0)
    if filters.but_not is not None:
        conditions.append(Product.id != filters.but_not)
    if filters.in_stock or filters.price_from is not None or filters.price_to is not None:
        conditions.append(_some_variant(filters, today))
    if filters.price_to is not None:
        # Already said by the variant; said again so that the index of list prices can help.
        conditions.append(Product.list_price <= Money(filters.price_to))
    return conditions


def _some_variant(filters: Filters, today: date) -> ColumnElement[bool]:
    """Return the condition that one variant fits price and stock together, not one each."""
    variant = select(Variant.id).where(Variant.product_id == Product.id, Variant.price.is_not(None))
    if filters.price_from is not None:
        variant = variant.where(Variant.price >= Money(filters.price_from))
    if filters.price_to is not None:
        variant = variant.where(Variant.price <= Money(filters.price_to))
    if filters.in_stock:
        variant = (
            variant.join(StockItem, StockItem.variant_id == Variant.id)
            .outerjoin(Lot, Lot.id == StockItem.lot_id)
            .where(StockItem.on_hand > StockItem.reserved, sellable_rows(today))
        )
    return variant.correlate(Product).exists()
