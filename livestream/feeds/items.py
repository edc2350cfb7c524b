"""What a feed row is made of: one variant with its product, maker, stars and stock right now.

Read in pages by id, columns only, so that memory stays flat from ten variants to a million.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from catalog.certificates import Certificate, PaperKind, PaperState, stars_today
from catalog.places import AdminUnit
from catalog.producers import Producer, ProducerState
from catalog.products import OcopGroup, Product, ProductState
from catalog.stock import free_of_variants
from catalog.variants import Variant, price_now, until_now, was_now
from core.clock import vietnam_day
from core.money import Money

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One variant as the shop sells it at one moment, at `price`.

    `was` may be struck through beside it, and the sale it is beside runs `on_from` … `on_until`.
    """

    variant_id: int
    sku: str
    product_id: int
    slug: str
    product_name: str
    variant_name: str
    unit: str
    weight_g: int | None
    gtin: str | None
    price: Money | None
    price_is_sample: bool
    description: str | None
    group: OcopGroup | None
    motif: str
    producer: str | None
    producer_slug: str | None
    place: str | None
    stars: int | None
    food_paper_expired: bool
    siblings: int
    free: int
    was: Money | None = None
    on_from: datetime | None = None
    on_until: datetime | None = None
    abv_tenths: int | None = None
    picture: str | None = None
    picture_side: int | None = None


def of_product(session: Session, product_id: int, *, now: datetime) -> list[FeedItem]:
    """Return the items that one product gives once it is live, whatever it is now."""
    query = _query().where(Variant.product_id == product_id).order_by(Variant.position)
    rows = list(session.execute(query, {"now": now}))
    return list(_with_stock_and_stars(session, rows, now)) if rows else []


def each_item(
    session: Session, *, now: datetime, producer_id: int | None = None
) -> Iterator[FeedItem]:
    """Give every variant of every live product that is sold, in ascending id."""
    after = 0
    while rows := _page(session, after, producer_id, now):
        after = rows[-1].variant_id
        yield from _with_stock_and_stars(session, rows, now)


def _page(session: Session, after: int, producer_id: int | None, now: datetime) -> list[Row[Any]]:
    query = (
        _query()
        .where(
            Variant.id > after,
            Product.state == ProductState.LIVE,
            Producer.state == ProducerState.APPROVED,
        )
        .order_by(Variant.id)
        .limit(PAGE)
    )
    if producer_id is not None:
        query = query.where(Product.producer_id == producer_id)
    return list(session.execute(query, {"now": now}))


def _query() -> Select[Any]:
    siblings = (
        select(func.count())
        .where(Variant.product_id == Product.id, Variant.price.is_not(None))
        .correlate(Product)
        .scalar_subquery()
    )
    return (
        select(
            Variant.id.label("variant_id"),
            Variant.sku,
            Variant.product_id,
            Product.slug,
            Product.name.label("product_name"),
            Variant.name.label("variant_name"),
            Variant.unit,
            Variant.weight_g,
            Variant.gtin,
            price_now.label("price"),
            was_now.label("was"),
            Variant.sale_from.label("on_from"),
            until_now.label("on_until"),
            Variant.price_is_sample,
            Product.description,
            Product.group,
            Product.motif,
            Product.abv_tenths,
            Product.picture,
            Product.picture_side,
            Producer.name.label("producer"),
            Producer.slug.label("producer_slug"),
            AdminUnit.name.label("place"),
            siblings.label("siblings"),
        )
        .join(Product, Product.id == Variant.product_id)
        .join(Producer, Producer.id == Product.producer_id)
        .outerjoin(AdminUnit, AdminUnit.code == Product.commune_code)
        .where(Variant.price.is_not(None))
    )


def _with_stock_and_stars(
    session: Session, rows: list[Row[Any]], now: datetime
) -> Iterator[FeedItem]:
    today = vietnam_day(now)
    free = free_of_variants(session, [row.variant_id for row in rows], now=now)
    product_ids = {row.product_id for row in rows}
    stars = stars_today(session, product_ids, today)
    expired = _food_paper_expired(session, product_ids, today)
    for row in rows:
        yield FeedItem(
            **row._mapping,  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
            stars=stars.get(row.product_id),
            food_paper_expired=row.product_id in expired,
            free=free[row.variant_id],
        )


def _food_paper_expired(session: Session, product_ids: set[int], today: date) -> set[int]:
    """Return products whose newest food-safety paper has run out (feeds.md decision 1)."""
    rows = session.execute(
        select(Certificate.product_id)
        .where(
            Certificate.product_id.in_(product_ids),
            Certificate.kind == PaperKind.FOOD_SAFETY,
            Certificate.state == PaperState.IN_FORCE,
        )
        .group_by(Certificate.product_id)
        .having(func.max(Certificate.expires_on) <= today)
    )
    return set(rows.scalars())
