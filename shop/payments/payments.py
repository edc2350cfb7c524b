"""Payments: one row per wish to be paid. In intermediary mode each producer's transfer is its own."""

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word
from core.money import Money


class PaymentMethod(enum.StrEnum):
    """How a buyer pays."""

    COD = "cod"
    BANK_TRANSFER = "bank_transfer"


class PaymentState(enum.StrEnum):
    """COD: due → collected. Transfer: awaiting → succeeded or expired."""

    DUE = "due"
    COLLECTED = "collected"
    AWAITING = "awaiting"
    SUCCEEDED = "succeeded"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Payment(Base):
    """What one SellerOrder owes and how; `memo` is what the bank transfer must carry."""

    __tablename__ = "payment"
    __table_args__ = (CheckConstraint("amount > 0", name="amount_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("customer_order.id"), index=True)
    seller_order_id: Mapped[int] = mapped_column(ForeignKey("seller_order.id"), index=True)
    method: Mapped[PaymentMethod] = mapped_column(word(PaymentMethod))
    state: Mapped[PaymentState] = mapped_column(word(PaymentState))
    amount: Mapped[Money]
    captured: Mapped[Money]
    memo: Mapped[str | None] = mapped_column(unique=True)
    bank_bin: Mapped[str | None]
    bank_account: Mapped[str | None]
    bank_holder: Mapped[str | None]
    created_at: Mapped[datetime]
    captured_at: Mapped[datetime | None]
    evidence: Mapped[str | None]
