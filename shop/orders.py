"""Orders: the buyer's wish, split by producer from the first moment; states move by named verbs.

commerce.md §4.2–4.3 and its decision 1: an Order holds buyer, address and money; each SellerOrder
holds the lines of one producer and lives by itself.
"""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word
from core.money import Money


class OrderState(enum.StrEnum):
    """Where the whole order stands."""

    PENDING_PAYMENT = "pending_payment"
    PLACED = "placed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class SellerOrderState(enum.StrEnum):
    """Where one producer's part stands (the producer's screen)."""

    PENDING = "pending"
    TO_CONFIRM = "to_confirm"
    PREPARING = "preparing"
    READY = "ready"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    DELIVERY_FAILED = "delivery_failed"
    RETURNING = "returning"
    RETURNED = "returned"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Order(Base):
    """One buyer, one address, one cart: `cart_id` is unique, so a cart is ordered once."""

    __tablename__ = "customer_order"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    token_hash: Mapped[str]
    cart_id: Mapped[int] = mapped_column(ForeignKey("cart.id"), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    state: Mapped[OrderState] = mapped_column(word(OrderState))
    payment_method: Mapped[str]
    buyer_name: Mapped[str]
    buyer_phone: Mapped[str] = mapped_column(index=True)
    buyer_email: Mapped[str | None]
    province_code: Mapped[str]
    commune_code: Mapped[str]
    street: Mapped[str]
    address_text: Mapped[str]
    note: Mapped[str | None]
    total: Mapped[Money]
    language: Mapped[str] = mapped_column(default="vi")
    placed_at: Mapped[datetime]


class SellerOrder(Base):
    """One producer's part: its lines, its delivery, its own hold and its own clock."""

    __tablename__ = "seller_order"
    __table_args__ = (
        UniqueConstraint("order_id", "producer_id"),
        Index("ix_seller_order_desk", "producer_id", "state", "id"),
        Index("ix_seller_order_clock", "state", "hold_expires_at"),
        CheckConstraint("total >= 0 AND shipping_fee >= 0", name="not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("customer_order.id"))
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"))
    producer_name: Mapped[str]
    state: Mapped[SellerOrderState] = mapped_column(word(SellerOrderState))
    delivery_name: Mapped[str]
    items_total: Mapped[Money]
    shipping_fee: Mapped[Money]
    total: Mapped[Money]
    hold_expires_at: Mapped[datetime | None]
    confirm_by: Mapped[datetime | None]
    called_buyer: Mapped[bool] = mapped_column(default=False)


class OrderLine(Base):
    """Keeps the name, price, place and stars of the day: later edits never rewrite a receipt."""

    __tablename__ = "order_line"
    __table_args__ = (CheckConstraint("quantity > 0 AND unit_price > 0", name="some"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_order_id: Mapped[int] = mapped_column(ForeignKey("seller_order.id"), index=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    product_name: Mapped[str]
    variant_name: Mapped[str]
    unit: Mapped[str]
    unit_price: Mapped[Money]
    quantity: Mapped[int]
    place: Mapped[str | None]
    stars: Mapped[int | None]


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
