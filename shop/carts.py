"""Carts: a guest's lives under an opaque cookie, a person's under the account."""

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word
from core.money import Money


class CartState(enum.StrEnum):
    """An ordered cart is closed for ever: one cart, one order."""

    OPEN = "open"
    ORDERED = "ordered"


class Cart(Base):
    """One basket of one visitor; only the hash of the cookie's value is kept."""

    __tablename__ = "cart"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    state: Mapped[CartState] = mapped_column(word(CartState), default=CartState.OPEN)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CartLine(Base):
    """So many of a variant, at the price that was seen when it was put in."""

    __tablename__ = "cart_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="some"),
        Index("ix_cart_line_cart", "cart_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cart_id: Mapped[int] = mapped_column(ForeignKey("cart.id"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    quantity: Mapped[int]
    seen_price: Mapped[Money]
    added_at: Mapped[datetime]
