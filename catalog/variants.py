"""Variants: one size or kind of a product, with its price. At most three options make one."""

from collections.abc import Iterable

from sqlalchemy import CheckConstraint, ForeignKey, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog.products import Product
from core.db import Base
from core.errors import NotFound
from core.i18n import lazy as _
from core.money import Money
from core.text import clean


class NoSuchVariant(NotFound):
    """No variant has this number."""


class Variant(Base):
    """What is put in a cart. `gtin` is 14 digits or nothing: the shop never invents one."""

    __tablename__ = "variant"
    __table_args__ = (CheckConstraint("price IS NULL OR price > 0", name="price_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    sku: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(default="")
    unit: Mapped[str]
    weight_g: Mapped[int | None]
    price: Mapped[Money | None]
    price_is_sample: Mapped[bool] = mapped_column(default=False)
    gtin: Mapped[str | None] = mapped_column(unique=True)
    position: Mapped[int] = mapped_column(default=0)


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
    refresh_list_price(session, product.id)
    return variant


def change_price(session: Session, variant: Variant, price: Money | None) -> None:
    """Set the price (None: not for sale) as the seller's own, no longer a sample."""
    variant.price, variant.price_is_sample = price, False
    session.flush()
    refresh_list_price(session, variant.product_id)


def refresh_list_price(session: Session, product_id: int) -> None:
    """Make the product's list price its lowest variant price, as lists and sorting show it."""
    lowest = (
        select(func.min(Variant.price)).where(Variant.product_id == product_id).scalar_subquery()
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
