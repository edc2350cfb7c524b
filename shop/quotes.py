"""A quote: what lies in a cart, at today's prices and stock, one parcel for each producer."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from catalog.lots import Lot
from catalog.places import AdminUnit
from catalog.producers import Producer, ProducerState
from catalog.products import Product, ProductState
from catalog.variants import Variant
from core.money import Money, total
from shop import delivery
from shop.carts import MOST_OF_ONE, Cart, CartLine, free_of_pieces
from shop.delivery import DeliveryMethod


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One line of a cart as it stands today; `price` is None when it cannot be bought any more."""

    variant_id: int
    lot_id: int | None
    lot_code: str | None
    product_id: int
    slug: str
    product_name: str
    variant_name: str
    unit: str
    motif: str
    place: str | None
    quantity: int
    free: int
    seen_price: Money
    price: Money | None

    @property
    def name(self) -> str:
        """Name the product with its size."""
        return f"{self.product_name} {self.variant_name}".strip()

    @property
    def amount(self) -> Money:
        """Return what the line costs today."""
        return (self.price or self.seen_price) * self.quantity

    @property
    def most(self) -> int:
        """Return how many of it one cart may hold now."""
        return max(1, min(self.free, MOST_OF_ONE))

    @property
    def is_dearer(self) -> bool:
        """Say whether it costs more than when the buyer saw it."""
        return self.price is not None and self.price > self.seen_price

    @property
    def is_cheaper(self) -> bool:
        """Say whether it costs less than when the buyer saw it."""
        return self.price is not None and self.price < self.seen_price

    @property
    def is_short(self) -> bool:
        """Say whether fewer are left than the buyer wants."""
        return self.price is not None and self.free < self.quantity


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one producer sends, and the ways it can send it."""

    producer_id: int
    slug: str
    name: str
    place: str | None
    account: tuple[str | None, str | None, str | None]
    is_demo: bool
    lines: list[QuoteLine]
    methods: list[DeliveryMethod]

    @property
    def takes_transfers(self) -> bool:
        """Say whether the producer has a bank account to be paid on."""
        return all(self.account)

    @property
    def items_total(self) -> Money:
        """Return what the goods cost, without carriage; unbuyable lines count nothing."""
        return total(line.amount for line in self.lines if line.price is not None)

    def method(self, chosen: str | None) -> DeliveryMethod | None:
        """Return the way with this id, the first way when none was chosen, None for a wrong id."""
        if not chosen:
            return self.methods[0]
        return next((way for way in self.methods if str(way.id) == chosen), None)


@dataclass(frozen=True, slots=True)
class Quote:
    """The whole cart, re-priced."""

    parcels: list[Parcel]

    @property
    def lines(self) -> list[QuoteLine]:
        """Return every line of every parcel."""
        return [line for parcel in self.parcels for line in parcel.lines]

    @property
    def count(self) -> int:
        """Return how many pieces lie in the cart."""
        return sum(line.quantity for line in self.lines)

    @property
    def gone(self) -> list[QuoteLine]:
        """Return the lines that cannot be bought any more."""
        return [line for line in self.lines if line.price is None]

    @property
    def short(self) -> list[QuoteLine]:
        """Return the lines of which fewer are left than wanted."""
        return [line for line in self.lines if line.is_short]

    @property
    def dearer(self) -> list[QuoteLine]:
        """Return the lines that cost more than the buyer saw."""
        return [line for line in self.lines if line.is_dearer]

    @property
    def cheaper(self) -> list[QuoteLine]:
        """Return the lines that cost less than the buyer saw."""
        return [line for line in self.lines if line.is_cheaper]

    @property
    def takes_transfers(self) -> bool:
        """Say whether every producer in the cart can be paid by bank transfer."""
        return all(parcel.takes_transfers for parcel in self.parcels)

    @property
    def prices(self) -> str:
        """Return a digest of what is dearer now: agreeing to it agrees to nothing else."""
        if not self.dearer:
            return ""
        return _digest(f"{line.variant_id}:{line.price}" for line in self.dearer)

    @property
    def goods(self) -> str:
        """Return a digest of what lies in the cart: a page shows these goods and no others."""
        return _digest(f"{line.variant_id}:{line.lot_id}:{line.quantity}" for line in self.lines)

    def total_with(self, chosen: dict[str, str]) -> Money:
        """Return goods and carriage together, with the ways `chosen` for the producers' slugs."""
        return total(
            parcel.items_total
            + (parcel.method(chosen.get(parcel.slug)) or parcel.methods[0]).fee_for(
                parcel.items_total
            )
            for parcel in self.parcels
        )


def _digest(facts: Iterable[str]) -> str:
    return sha256(",".join(facts).encode()).hexdigest()[:16]


def quote(session: Session, cart: Cart | None, *, now: datetime) -> Quote:
    """Return the cart as it would be bought right now, in as many queries for 1 line as for 300."""
    if cart is None:
        return Quote([])
    seller_commune, goods_commune = aliased(AdminUnit), aliased(AdminUnit)
    rows = session.execute(
        select(CartLine, Variant, Product, Producer, Lot.code)
        .add_columns(seller_commune.name, goods_commune.name)
        .join(Variant, Variant.id == CartLine.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .join(Producer, Producer.id == Product.producer_id)
        .outerjoin(Lot, Lot.id == CartLine.lot_id)
        .outerjoin(seller_commune, seller_commune.code == Producer.commune_code)
        .outerjoin(goods_commune, goods_commune.code == Product.commune_code)
        .where(CartLine.cart_id == cart.id)
        .order_by(CartLine.id)
    ).all()
    free = free_of_pieces(session, [(row[0].variant_id, row[0].lot_id) for row in rows], now=now)
    lines: dict[int, list[QuoteLine]] = defaultdict(list)
    sellers: dict[int, tuple[Producer, str | None]] = {}
    for line, variant, product, producer, lot_code, seller_place, goods_place in rows:
        on_sale = (product.state, producer.state) == (ProductState.LIVE, ProducerState.APPROVED)
        lines[producer.id].append(
            QuoteLine(
                variant_id=variant.id,
                lot_id=line.lot_id,
                lot_code=lot_code,
                product_id=product.id,
                slug=product.slug,
                product_name=product.name,
                variant_name=variant.name,
                unit=variant.unit,
                motif=product.motif,
                place=goods_place or product.place_text,
                quantity=line.quantity,
                free=free[line.variant_id, line.lot_id],
                seen_price=line.seen_price,
                price=variant.price if on_sale else None,
            )
        )
        sellers[producer.id] = (producer, seller_place or producer.place_text)
    methods = delivery.list_of_producers(session, list(sellers)) if sellers else {}
    return Quote(
        [
            Parcel(
                producer_id=producer.id,
                slug=producer.slug,
                name=producer.name,
                place=place,
                account=(producer.bank_bin, producer.bank_account, producer.bank_holder),
                is_demo=producer.is_demo,
                lines=lines[producer.id],
                methods=methods[producer.id],
            )
            for producer, place in sellers.values()
        ]
    )
