"""What a producer could sell in a show: one line for each variant that has a price."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import alcohol
from catalog.producers import Producer, ProducerState
from catalog.products import Product, ProductState
from catalog.variants import Variant
from core.money import Money


@dataclass(frozen=True, slots=True)
class Goods:
    """One line of the planning form."""

    variant_id: int
    name: str
    unit: str
    price: Money


def for_sale(session: Session, variant_ids: Iterable[int]) -> set[int]:
    """Return which of these the shop sells now; a show sells nothing that the shop took down."""
    return set(
        session.scalars(
            select(Variant.id)
            .join(Product, Product.id == Variant.product_id)
            .join(Producer, Producer.id == Product.producer_id)
            .where(
                Variant.id.in_(list(variant_ids)),
                Product.state == ProductState.LIVE,
                Producer.state == ProducerState.APPROVED,
            )
        )
    )


def list_goods(session: Session, producer_id: int, *, limit: int = 60) -> list[Goods]:
    """Return the producer's sellable variants by name, without strong drink: a show advertises."""
    rows = session.execute(
        select(Variant.id, Product.name, Variant.name, Variant.unit, Variant.price)
        .join(Product, Product.id == Variant.product_id)
        .where(
            Product.producer_id == producer_id,
            Product.state == ProductState.LIVE,
            Variant.price.is_not(None),
            ~alcohol.never_promoted(),
        )
        .order_by(Product.name_lower, Variant.position, Variant.id)
        .limit(limit)
    )
    return [
        Goods(variant_id, f"{name} {option}".strip(), unit, price)
        for variant_id, name, option, unit, price in rows
        if price is not None
    ]
