"""The list of goods: filters that combine, several orders, pages by cursor. Depth costs nothing.

An order that mixes kinds of rows (badge or none, price or none) is walked in two stretches, each
along its own index; a page asks the second stretch only when the first ran out.
"""

import enum
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    bindparam,
    literal,
    not_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased

from catalog import search
from catalog.alcohol import never_promoted
from catalog.certificates import Certificate, gives_badge, is_best_badge
from catalog.lots import Lot
from catalog.places import AdminUnit
from catalog.producers import Producer
from catalog.products import OcopGroup, Product, seen_by_buyers
from catalog.stock import StockItem, sellable_rows
from catalog.variants import Variant, price_now
from core.clock import vietnam_day
from core.db import TODAY, ask
from core.money import Money
from core.web.paging import read_cursor, write_cursor

PER_PAGE = 24
_SHAPE = (str, int, int, int)
_Commune = aliased(AdminUnit)
_Province = aliased(AdminUnit)
_Badge = aliased(Certificate)


class Order(enum.StrEnum):
    """How a list is sorted; RELEVANT is what a search gets when nothing else is asked for."""

    NEW = "moi"
    CHEAP_FIRST = "gia-tang"
    DEAR_FIRST = "gia-giam"
    STARS = "sao"
    RELEVANT = "hop"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a visitor wants to see; None and False leave a thing open.

    `promoted` leaves out what may only be shown to who looks for it.
    """

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
    promoted: bool = False


class Found(NamedTuple):
    """One row of a list before its prices and stars are known, and where it stands in the order."""

    id: int
    slug: str
    name: str
    look: str
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
class _Shape:
    """What makes two lists one question: which filters are on, not what they ask for."""

    order: Order
    asked: frozenset[str]
    words: int
    stretch: int
    goes_on: bool


def find_page(
    session: Session, filters: Filters, *, after: str | None, now: datetime, limit: int = PER_PAGE
) -> tuple[list[Found], str | None]:
    """Return one page, to be shown as cards, and the cursor of the next page if there is one.

    `after` is a cursor of the same order; anything else gives the first page. Asks the database
    once, or twice where one stretch of the order ends on this page.
    """
    typed = search.typed_words(filters.query)
    asked = _asked(filters)
    alone = filters.order is Order.NEW or (filters.order is Order.RELEVANT and not typed)
    stretches = 1 if alone else 2
    first, value, last_id = _position(after, filters.order, stretches)
    values = {
        **asked,
        **search.compared(typed),
        "today": vietnam_day(now),
        "now": now,
        "value": value,
        "last_id": last_id,
    }
    found: list[Found] = []
    for number in range(first, stretches):
        goes_on = number == first and last_id != 0
        shape = _Shape(filters.order, frozenset(asked), len(typed), number, goes_on)
        values["most"] = limit + 1 - len(found)
        found += map(Found._make, ask(session, _question(shape), values))
        if len(found) > limit:
            break
    page = found[:limit]
    more = len(found) > limit
    return page, _mark(filters.order, page[-1]) if more else None


def _asked(filters: Filters) -> dict[str, Any]:
    """Return the value of each filter that is on, as the database compares it."""
    wanted = {
        "commune": filters.commune,
        "province": filters.province,
        "village": filters.village_id,
        "producer": filters.producer_id,
        "group": filters.group,
        "stars": filters.stars,
        "price_from": None if filters.price_from is None else Money(filters.price_from),
        "price_to": None if filters.price_to is None else Money(filters.price_to),
        "in_stock": filters.in_stock or None,
        "months": None if filters.month is None else 1 << (filters.month - 1),
        "but_not": filters.but_not,
        "promoted": filters.promoted or None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _position(after: str | None, order: Order, stretches: int) -> tuple[int, int, int]:
    """Return (stretch, sort value, id) of the last row seen; zeros for the first page."""
    mark = read_cursor(after, _SHAPE)
    if mark is None or None in mark or mark[0] != order or mark[1] not in range(stretches):
        return 0, 0, 0
    _order, stretch, value, last_id = mark
    return int(stretch or 0), int(value or 0), int(last_id or 0)


def _mark(order: Order, last: Found) -> str:
    return write_cursor([order.value, last.stretch, last.sort_value, last.id])


@lru_cache(maxsize=256)
def _question(shape: _Shape) -> Select[*tuple[Any, ...]]:
    """Return the question for a page of this shape; building one takes longer than asking it."""
    column = _sorted_by(shape)
    down = shape.order is not Order.CHEAP_FIRST
    badged = _is_badged(shape)
    # The same number: said of the certificate, whose index then gives the rows in order.
    newest: Any = _Badge.product_id if badged else Product.id
    # Words give ids in order; looked up by state, they would have to be read whole and sorted.
    in_order = shape.words > 0 and column is None
    query = (
        select(
            Product.id,
            Product.slug,
            Product.name,
            Product.look,
            Product.group,
            Product.place_text,
            Product.is_sample,
            Product.is_synthetic,
            Producer.name,
            _Commune.name,
            _Province.name,
            literal(0) if column is None else column,
            literal(shape.stretch),
        )
        .select_from(Product)
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .outerjoin(_Commune, _Commune.code == Product.commune_code)
        .outerjoin(_Province, _Province.code == Product.province_code)
        .where(seen_by_buyers(look_up_state=not in_order), *_stretch(shape), *_conditions(shape))
        .limit(bindparam("most", type_=Integer))
    )
    if badged:
        stars = bindparam("stars", type_=Integer) if "stars" in shape.asked else None
        query = query.join(_Badge, _Badge.product_id == Product.id)
        query = query.where(is_best_badge(_Badge, stars))
    if shape.goes_on:
        query = query.where(_beyond(column, newest, down=down))
    if column is None:
        return query.order_by(newest.desc())
    if down:
        return query.order_by(column.desc(), newest.desc())
    return query.order_by(column, newest)


def _sorted_by(shape: _Shape) -> ColumnElement[Any] | None:
    """Return what comes before the newest in this stretch, if anything does."""
    if shape.stretch == 0 and shape.order in {Order.CHEAP_FIRST, Order.DEAR_FIRST}:
        return type_coerce(Product.list_price, BigInteger)
    if shape.stretch == 0 and shape.order is Order.STARS:
        return type_coerce(_Badge.stars, Integer)
    return None


def _is_badged(shape: _Shape) -> bool:
    """Say whether every row of this shape has a badge today."""
    return "stars" in shape.asked or (shape.order is Order.STARS and shape.stretch == 0)


def _stretch(shape: _Shape) -> list[ColumnElement[bool]]:
    """Return what tells this stretch of an order from the other one."""
    first = shape.stretch == 0
    if shape.order in {Order.CHEAP_FIRST, Order.DEAR_FIRST}:
        priced = Product.list_price.is_not(None)
        return [priced if first else not_(priced)]
    if shape.order is Order.STARS and not first:
        badge = select(Certificate.id).where(
            Certificate.product_id == Product.id, gives_badge(Certificate)
        )
        return [not_(badge.correlate(Product).exists())]
    if shape.order is Order.RELEVANT and shape.words:
        as_written = search.matches_as_written(Product.id, shape.words)
        if first:
            return [as_written]
        return [search.matches(Product.id, shape.words), not_(as_written)]
    return []


def _beyond(
    column: ColumnElement[Any] | None, newest: ColumnElement[int], *, down: bool
) -> ColumnElement[bool]:
    # Said to be wide: whatever a cursor claims must be a number the database can compare.
    last = bindparam("last_id", type_=BigInteger)
    if column is None:
        return newest < last
    here, there = tuple_(column, newest), tuple_(bindparam("value", type_=BigInteger), last)
    return here < there if down else here > there


def _conditions(shape: _Shape) -> list[ColumnElement[bool]]:
    plain = {
        "commune": Product.commune_code,
        "province": Product.province_code,
        "village": Product.village_id,
        "producer": Product.producer_id,
        "group": Product.group,
    }
    conditions: list[ColumnElement[bool]] = [
        column == bindparam(name) for name, column in plain.items() if name in shape.asked
    ]
    if shape.words and shape.order is not Order.RELEVANT:  # the stretches of that order say it
        conditions.append(search.matches(Product.id, shape.words))
    if "months" in shape.asked:
        conditions.append(
            Product.season_months.bitwise_and(bindparam("months", type_=Integer)) != 0
        )
    if "but_not" in shape.asked:
        conditions.append(Product.id != bindparam("but_not"))
    if "promoted" in shape.asked:
        conditions.append(not_(never_promoted()))
    if shape.asked & {"in_stock", "price_from", "price_to"}:
        conditions.append(_some_variant(shape.asked))
    if "price_to" in shape.asked:
        # Already said by the variant; said again so that the index of list prices can help.
        conditions.append(Product.list_price <= bindparam("price_to"))
    return conditions


def _some_variant(asked: frozenset[str]) -> ColumnElement[bool]:
    """Return the condition that one variant fits price and stock together, not one each."""
    variant = select(Variant.id).where(Variant.product_id == Product.id, Variant.price.is_not(None))
    if "price_from" in asked:
        variant = variant.where(price_now >= bindparam("price_from"))
    if "price_to" in asked:
        variant = variant.where(price_now <= bindparam("price_to"))
    if "in_stock" in asked:
        variant = (
            variant.join(StockItem, StockItem.variant_id == Variant.id)
            .outerjoin(Lot, Lot.id == StockItem.lot_id)
            .where(StockItem.on_hand > StockItem.reserved, sellable_rows(TODAY))
        )
    return variant.correlate(Product).exists()
