"""Variants: one size or kind of a product, with its price. At most three options make one.

A variant may have one sale price at a time, with a beginning, an end and perhaps a number of
pieces. Its terms stand on the variant, so that lists know today's price without asking again.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    bindparam,
    case,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog import prices
from catalog.products import Product
from core.db import Base, UtcDateTime
from core.errors import NotFound
from core.i18n import lazy as _
from core.money import Money
from core.text import clean


class NoSuchVariant(NotFound):
    """No variant has this number."""


class Variant(Base):
    """What is put in a cart. `gtin` is 14 digits or nothing: the shop never invents one.

    `price` is the regular one; `price_at` says what is asked now. `sale_was` is the price that may
    be struck through beside the sale's, `sale_sold` how many pieces of `sale_cap` went at it.
    `option_values` answers the product's `option_names`, in their order.
    """

    __tablename__ = "variant"
    __table_args__ = (
        CheckConstraint("price IS NULL OR price > 0", name="price_positive"),
        CheckConstraint(
            "sale_price IS NULL OR (sale_price > 0 AND sale_price < price"
            " AND sale_id IS NOT NULL AND sale_from < sale_until)",
            name="sale_whole",
        ),
        CheckConstraint("sale_sold >= 0", name="sale_sold_counts"),
        Index(
            "ix_variant_sale",
            "sale_until",
            sqlite_where=text("sale_price IS NOT NULL"),
            postgresql_where=text("sale_price IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    sku: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(default="")
    unit: Mapped[str]
    weight_g: Mapped[int | None]
    price: Mapped[Money | None]
    price_is_sample: Mapped[bool] = mapped_column(default=False)
    sale_id: Mapped[int | None]
    sale_price: Mapped[Money | None]
    sale_was: Mapped[Money | None]
    sale_from: Mapped[datetime | None]
    sale_until: Mapped[datetime | None]
    sale_cap: Mapped[int | None]
    sale_sold: Mapped[int] = mapped_column(default=0)
    gtin: Mapped[str | None] = mapped_column(unique=True)
    option_values: Mapped[list[str]] = mapped_column(JSON, default=list)
    length_cm: Mapped[int | None]
    width_cm: Mapped[int | None]
    height_cm: Mapped[int | None]
    position: Mapped[int] = mapped_column(default=0)


# The moment for which a price is asked, in questions that are built once.
NOW: Any = bindparam("now", type_=UtcDateTime())
_on_sale = (
    Variant.sale_price.is_not(None)
    & (Variant.sale_from <= NOW)
    & (Variant.sale_until > NOW)
    & (Variant.sale_cap.is_(None) | (Variant.sale_sold < Variant.sale_cap))
)
price_now: Any = case((_on_sale, Variant.sale_price), else_=Variant.price)
was_now: Any = case((_on_sale, Variant.sale_was), else_=None)
until_now: Any = case((_on_sale, Variant.sale_until), else_=None)


def is_on_sale(variant: Variant, now: datetime, *, quantity: int = 1) -> bool:
    """Say whether so many pieces of it go at the sale price now."""
    if variant.sale_price is None or variant.sale_from is None or variant.sale_until is None:
        return False
    left = variant.sale_cap is None or variant.sale_sold + quantity <= variant.sale_cap
    return left and variant.sale_from <= now < variant.sale_until


def price_at(variant: Variant, now: datetime, *, quantity: int = 1) -> Money | None:
    """Return what one of so many pieces costs now; None means not for sale."""
    return variant.sale_price if is_on_sale(variant, now, quantity=quantity) else variant.price


def struck_price_at(variant: Variant, now: datetime, *, quantity: int = 1) -> Money | None:
    """Return the price to strike through beside today's: one the goods were truly sold at."""
    return variant.sale_was if is_on_sale(variant, now, quantity=quantity) else None


def pieces_left(variant: Variant, now: datetime) -> int | None:
    """Return how many pieces a running sale has left; None without a sale or without a limit."""
    if variant.sale_cap is None or not variant.sale_from or not variant.sale_until:
        return None
    if not variant.sale_from <= now < variant.sale_until:
        return None
    return max(0, variant.sale_cap - variant.sale_sold)


def get(session: Session, variant_id: int) -> Variant:
    """Return the variant, or raise NoSuchVariant."""
    variant = session.get(Variant, variant_id)
    if variant is None:
        raise NoSuchVariant(_("These goods are no longer here."))
    return variant


def list_of(session: Session, product_ids: Iterable[int]) -> list[Variant]:
    """Return the variants of the given products, in the order they are shown."""
    return list(
        session.scalars(
            select(Variant)
            .where(Variant.product_id.in_(list(product_ids)))
            .order_by(Variant.product_id, Variant.position, Variant.id)
        )
    )


def add(
    session: Session,
    product: Product,
    *,
    sku: str,
    unit: str,
    price: Money | None,
    now: datetime,
    name: str = "",
    weight_g: int | None = None,
    gtin: str | None = None,
    price_is_sample: bool = False,
) -> Variant:
    """Give the product one more size or kind; lists show the product at its lowest price."""
    position = session.scalar(
        select(func.count()).select_from(Variant).where(Variant.product_id == product.id)
    )
    variant = Variant(
        product_id=product.id,
        sku=sku,
        name=clean(name),
        unit=clean(unit),
        weight_g=weight_g,
        price=price,
        price_is_sample=price_is_sample,
        gtin=gtin,
        position=position or 0,
    )
    session.add(variant)
    session.flush()  # gives the variant its id
    if not price_is_sample:
        prices.note(session, variant.id, price, at=now)
    refresh_list_price(session, product.id, now=now)
    return variant


def refresh_list_price(session: Session, product_id: int, *, now: datetime) -> None:
    """Make the product's list price its lowest price now, as lists and sorting show it."""
    lowest = (
        select(func.min(price_now))
        .where(Variant.product_id == product_id)
        .params(now=now)
        .scalar_subquery()
    )
    session.execute(
        update(Product)
        .where(Product.id == product_id)
        .values(list_price=lowest)
        .execution_options(synchronize_session=False)
    )
    product = session.get(Product, product_id)
    if product is not None:
        session.refresh(product, ["list_price"])
