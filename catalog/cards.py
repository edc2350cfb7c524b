"""Cards: what a list shows of each product today: place, lowest price, stock, badge."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from catalog.certificates import stars_today
from catalog.listing import Found
from catalog.lots import Lot
from catalog.places import known_place
from catalog.products import OcopGroup
from catalog.stock import StockItem, sellable_rows
from catalog.variants import Variant, price_now, until_now, was_now
from core.clock import vietnam_day
from core.db import TODAY, ask
from core.money import ZERO, Money


class Card(NamedTuple):
    """One product as a list shows it; `price` None means that nobody sells it yet."""

    id: int
    slug: str
    name: str
    look: str
    group: OcopGroup | None
    place: str
    producer: str | None
    price: Money | None
    was: Money | None
    unit: str
    several: bool
    price_is_sample: bool
    in_stock: bool
    stars: int | None
    is_sample: bool
    is_synthetic: bool


class Offer(NamedTuple):
    """One variant of a product at today's price, and how many of it can be sold now (`free`).

    `was` is the price to strike through beside a sale price, `until` when that one ends.
    """

    product_id: int
    id: int
    sku: str
    name: str
    unit: str
    price: Money | None
    price_is_sample: bool
    gtin: str | None
    was: Money | None
    until: datetime | None
    free: int


def cards_of(session: Session, found: Iterable[Found], *, now: datetime) -> list[Card]:
    """Return the cards of the rows, in order, with today's prices, stock and badges."""
    rows = list(found)
    ids = [row.id for row in rows]
    offers = offers_of(session, ids, now=now)
    stars = stars_today(session, ids, vietnam_day(now))
    return [card_of(row, offers[row.id], stars.get(row.id)) for row in rows]


def offers_of(
    session: Session, product_ids: Iterable[int], *, now: datetime
) -> dict[int, list[Offer]]:
    """Return the variants of each product with what can be sold of them now, in one question."""
    offers: dict[int, list[Offer]] = {product_id: [] for product_id in product_ids}
    if not offers:
        return offers
    rows = ask(session, _OFFERS, {"products": list(offers), "today": vietnam_day(now), "now": now})
    for offer in map(Offer._make, rows):
        offers[offer.product_id].append(offer)
    return offers


_free = (
    select(func.coalesce(func.sum(StockItem.on_hand - StockItem.reserved), 0))
    .outerjoin(Lot, Lot.id == StockItem.lot_id)
    .where(StockItem.variant_id == Variant.id, sellable_rows(TODAY))
    .correlate(Variant)
    .scalar_subquery()
)
_OFFERS = (
    select(
        Variant.product_id,
        Variant.id,
        Variant.sku,
        Variant.name,
        Variant.unit,
        price_now,
        Variant.price_is_sample,
        Variant.gtin,
        was_now,
        until_now,
        _free,
    )
    .where(Variant.product_id.in_(bindparam("products", expanding=True)))
    .order_by(Variant.product_id, Variant.position, Variant.id)
)


def card_of(row: Found, offers: list[Offer], stars: int | None) -> Card:
    """Return the card of one row: the lowest price speaks for the product."""
    sold = [offer for offer in offers if offer.price is not None]
    lowest = min(sold, key=lambda offer: offer.price or ZERO, default=None)
    return Card(
        id=row.id,
        slug=row.slug,
        name=row.name,
        look=row.look,
        group=row.group,
        place=known_place(row.commune, row.province, row.place_text),
        producer=row.producer,
        price=lowest.price if lowest else None,
        was=lowest.was if lowest else None,
        unit=lowest.unit if lowest else "",
        several=len({offer.price for offer in sold}) > 1,
        price_is_sample=bool(lowest and lowest.price_is_sample),
        in_stock=any(offer.free > 0 for offer in sold),
        stars=stars,
        is_sample=row.is_sample,
        is_synthetic=row.is_synthetic,
    )
