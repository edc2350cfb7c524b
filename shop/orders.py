"""Orders: the buyer's wish, split by producer from the first moment.

An Order holds buyer, address and money; each SellerOrder holds the lines of one producer and lives
by itself. Its states are moved by the verbs of `shop.moves` and by nothing else.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog.lots import Lot
from catalog.picking import Pick, pick_of
from catalog.stock import OPEN, HoldState, Reservation, StockItem
from core.db import Base, word
from core.errors import NotFound
from core.money import ZERO, Money
from core.text import fold
from shop.order_states import Ended, OrderState, PaymentStatus, SellerOrderState, Source


class NoSuchOrder(NotFound):
    """There is no such order, or it is not this person's to see: the same answer for both."""


def _fold_name(row: Any) -> str:
    """Return the buyer's name as it is searched, from the row that is being written."""
    return fold(str(row.get_current_parameters()["buyer_name"]))


class Order(Base):
    """One buyer, one address, one cart: `cart_id` is unique, so a cart is ordered once.

    `total` and `discount_total` are what was agreed on placing; what is owed now is the sum of the
    parts. `adult` says that the buyer stated to be of age; `frozen` that a dispute stops it.
    """

    __tablename__ = "customer_order"
    __table_args__ = (
        Index("ix_customer_order_state", "state", "id"),
        Index("ix_customer_order_payment", "payment_status", "id"),
        Index("ix_customer_order_placed", "placed_at"),
        CheckConstraint("total >= 0 AND discount_total >= 0", name="not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    token_hash: Mapped[str]
    cart_id: Mapped[int] = mapped_column(ForeignKey("cart.id"), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    state: Mapped[OrderState] = mapped_column(word(OrderState))
    payment_status: Mapped[PaymentStatus] = mapped_column(
        word(PaymentStatus), default=PaymentStatus.AWAITING
    )
    payment_method: Mapped[str]
    buyer_name: Mapped[str]
    buyer_folded: Mapped[str] = mapped_column(default=_fold_name)
    buyer_phone: Mapped[str] = mapped_column(index=True)
    buyer_email: Mapped[str | None]
    province_code: Mapped[str]
    commune_code: Mapped[str]
    street: Mapped[str]
    address_text: Mapped[str]
    note: Mapped[str | None]
    discount_total: Mapped[Money] = mapped_column(default=ZERO)
    total: Mapped[Money]
    source: Mapped[Source] = mapped_column(word(Source), default=Source.WEB)
    adult: Mapped[bool] = mapped_column(default=False)
    frozen: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(default="vi")
    placed_at: Mapped[datetime]


class SellerOrder(Base):
    """One producer's part: its lines, its delivery, its own hold and its own clock.

    The amounts are what is owed now: cutting a line before the parcel leaves makes them smaller.
    """

    __tablename__ = "seller_order"
    __table_args__ = (
        UniqueConstraint("order_id", "producer_id"),
        Index("ix_seller_order_desk", "producer_id", "state", "id"),
        Index("ix_seller_order_clock", "state", "hold_expires_at"),
        Index("ix_seller_order_confirm", "state", "confirm_by"),
        Index("ix_seller_order_claim", "state", "claim_until"),
        CheckConstraint(
            "total >= 0 AND shipping_fee >= 0 AND discount_total >= 0 AND shipping_discount >= 0",
            name="not_negative",
        ),
        CheckConstraint(
            "total = items_total - discount_total + shipping_fee - shipping_discount",
            name="adds_up",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("customer_order.id"))
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"))
    producer_name: Mapped[str]
    state: Mapped[SellerOrderState] = mapped_column(word(SellerOrderState))
    delivery_method_id: Mapped[int | None] = mapped_column(ForeignKey("delivery_method.id"))
    delivery_kind: Mapped[str | None]
    delivery_name: Mapped[str]
    weight_g: Mapped[int] = mapped_column(default=0)
    items_total: Mapped[Money]
    discount_total: Mapped[Money] = mapped_column(default=ZERO)
    shipping_fee: Mapped[Money]
    shipping_discount: Mapped[Money] = mapped_column(default=ZERO)
    total: Mapped[Money]
    hold_expires_at: Mapped[datetime | None]
    confirm_by: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    claim_until: Mapped[datetime | None]
    failed_attempts: Mapped[int] = mapped_column(default=0)
    reminders: Mapped[int] = mapped_column(default=0)
    called_buyer: Mapped[bool] = mapped_column(default=False)
    internal_note: Mapped[str | None]
    ended: Mapped[Ended | None] = mapped_column(word(Ended))
    ended_why: Mapped[str | None]


class OrderLine(Base):
    """Keeps the name, price, place and stars of the day: later edits never rewrite a receipt.

    `discount_share` is the line's frozen part of the order's discount; cutting pieces gives back
    their own part of it (`discount_cancelled`) and computes nothing anew. `commission_bp` is the
    rate of the day in basis points, `sale_id` the sale at whose price it went.
    """

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND unit_price > 0", name="some"),
        CheckConstraint("0 <= quantity_cancelled AND quantity_cancelled <= quantity", name="cut"),
        CheckConstraint(
            "0 <= quantity_returned AND quantity_returned <= quantity - quantity_cancelled",
            name="returned",
        ),
        CheckConstraint(
            "0 <= discount_cancelled AND discount_cancelled <= discount_share",
            name="discount",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_order_id: Mapped[int] = mapped_column(ForeignKey("seller_order.id"), index=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    product_name: Mapped[str]
    variant_name: Mapped[str]
    unit: Mapped[str]
    weight_g: Mapped[int | None]
    list_price: Mapped[Money | None]
    unit_price: Mapped[Money]
    quantity: Mapped[int]
    quantity_cancelled: Mapped[int] = mapped_column(default=0)
    quantity_returned: Mapped[int] = mapped_column(default=0)
    discount_share: Mapped[Money] = mapped_column(default=ZERO)
    discount_cancelled: Mapped[Money] = mapped_column(default=ZERO)
    commission_bp: Mapped[int] = mapped_column(default=0)
    sale_id: Mapped[int | None] = mapped_column(ForeignKey("sale.id"), index=True)
    set_name: Mapped[str | None]
    place: Mapped[str | None]
    stars: Mapped[int | None]

    @property
    def wanted(self) -> int:
        """Return how many are (still) to be sent."""
        return self.quantity - self.quantity_cancelled

    @property
    def amount(self) -> Money:
        """Return what the pieces still wanted cost, before any discount."""
        return self.unit_price * self.wanted

    @property
    def discount(self) -> Money:
        """Return the discount on the pieces still wanted."""
        return self.discount_share - self.discount_cancelled


class LineHold(Base):
    """Which reservation holds goods for which line; a line may be held from several lots."""

    __tablename__ = "line_hold"

    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservation.id"), primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), index=True)


class OrderEvent(Base):
    """One move of one part of an order, with who made it; added in the same transaction."""

    __tablename__ = "order_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("customer_order.id"), index=True)
    seller_order_id: Mapped[int | None] = mapped_column(ForeignKey("seller_order.id"))
    at: Mapped[datetime]
    verb: Mapped[str]
    from_state: Mapped[str | None]
    to_state: Mapped[str | None]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    actor_name: Mapped[str]
    on_behalf_of: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


def find_by_cart(session: Session, cart_id: int) -> Order | None:
    """Return the order this cart became, if it did."""
    return session.scalar(select(Order).where(Order.cart_id == cart_id))


def find_by_code(session: Session, code: str) -> Order | None:
    """Return the order under its public code, which opens nothing by itself."""
    return session.scalar(select(Order).where(Order.code == code))


def list_parts(session: Session, order_id: int) -> list[SellerOrder]:
    """Return the parts of an order, in the order they were written."""
    return list(
        session.scalars(
            select(SellerOrder).where(SellerOrder.order_id == order_id).order_by(SellerOrder.id)
        )
    )


def get_part(session: Session, code: str, producer_id: int) -> tuple[Order, SellerOrder]:
    """Return this producer's part of an order; another's does not exist here (NoSuchOrder)."""
    row = session.execute(
        select(Order, SellerOrder)
        .join(SellerOrder, SellerOrder.order_id == Order.id)
        .where(Order.code == code, SellerOrder.producer_id == producer_id)
    ).one_or_none()
    if row is None:
        raise NoSuchOrder
    return row[0], row[1]


def list_lines(session: Session, part_ids: Collection[int]) -> list[OrderLine]:
    """Return the lines of these parts, in the order they were written."""
    return list(
        session.scalars(
            select(OrderLine).where(OrderLine.seller_order_id.in_(part_ids)).order_by(OrderLine.id)
        )
    )


def list_holds(session: Session, part_ids: Collection[int]) -> list[int]:
    """Return the reservations that were ever made for the lines of these parts."""
    return list(
        session.scalars(
            select(LineHold.reservation_id)
            .join(OrderLine, OrderLine.id == LineHold.line_id)
            .where(OrderLine.seller_order_id.in_(part_ids))
        )
    )


def lots_of_lines(session: Session, line_ids: Collection[int]) -> dict[int, list[Pick]]:
    """Return from which lots every line's goods are or were taken, the first to expire first.

    A line keeps its lots after the parcel has left; goods kept without lots have no code.
    """
    rows = session.execute(
        select(LineHold.line_id, Reservation.quantity, StockItem, Lot)
        .join(Reservation, Reservation.id == LineHold.reservation_id)
        .join(StockItem, StockItem.id == Reservation.stock_id)
        .outerjoin(Lot, Lot.id == StockItem.lot_id)
        .where(LineHold.line_id.in_(line_ids), Reservation.state.in_([*OPEN, HoldState.CONSUMED]))
        .order_by(Lot.expires_on.is_(None), Lot.expires_on, StockItem.id)
    )
    found: dict[int, dict[int, Pick]] = {line_id: {} for line_id in line_ids}
    for line_id, quantity, item, lot in rows:
        before = found[line_id].get(item.id)
        found[line_id][item.id] = pick_of(item, lot, quantity + (before.quantity if before else 0))
    return {line_id: list(picks.values()) for line_id, picks in found.items()}
