"""Payments: one row for each part of an order; a transfer goes to the producer's own account."""

import enum
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, word
from core.money import ZERO, Money


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
    """What one SellerOrder owes and how; `memo` is what the bank transfer must carry.

    `refund_due` is what the producer still has to send back to the buyer, `refunded` what it sent.
    """

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("refund_due >= 0 AND refunded >= 0", name="refund_not_negative"),
        CheckConstraint("refund_due + refunded <= captured", name="refund_within_captured"),
    )

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
    refund_due: Mapped[Money] = mapped_column(default=ZERO)
    refunded: Mapped[Money] = mapped_column(default=ZERO)
    refund_reference: Mapped[str | None]


def list_of_parts(session: Session, part_ids: Collection[int]) -> dict[int, Payment]:
    """Return the payment of each part."""
    rows = session.scalars(
        select(Payment).where(Payment.seller_order_id.in_(part_ids)).order_by(Payment.id)
    )
    return {payment.seller_order_id: payment for payment in rows}


def capture(session: Session, payment: Payment, *, evidence: str, now: datetime) -> bool:
    """Take a transfer as arrived in full, once; return False when it had been taken already."""
    taken = session.scalar(
        update(Payment)
        .where(
            Payment.id == payment.id,
            Payment.method == PaymentMethod.BANK_TRANSFER,
            Payment.state != PaymentState.SUCCEEDED,
        )
        .values(
            state=PaymentState.SUCCEEDED,
            captured=Payment.amount,
            captured_at=now,
            evidence=evidence,
        )
        .returning(Payment.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(payment)
    return taken is not None


def collect(session: Session, part_id: int, *, now: datetime) -> None:
    """Take the cash of a delivered part as collected; a part paid otherwise is left alone."""
    session.execute(
        update(Payment)
        .where(Payment.seller_order_id == part_id, Payment.state == PaymentState.DUE)
        .values(state=PaymentState.COLLECTED, captured=Payment.amount, captured_at=now)
    )


def close(session: Session, part_ids: Collection[int], *, as_state: PaymentState) -> None:
    """End what was still to be paid of cancelled parts; what had been paid is owed back."""
    session.execute(
        update(Payment)
        .where(
            Payment.seller_order_id.in_(part_ids),
            Payment.state.in_([PaymentState.AWAITING, PaymentState.DUE]),
        )
        .values(state=as_state)
    )
    session.execute(
        update(Payment)
        .where(Payment.seller_order_id.in_(part_ids), Payment.state == PaymentState.SUCCEEDED)
        .values(refund_due=Payment.captured - Payment.refunded)
    )


def pay_back(session: Session, payment: Payment, *, reference: str) -> bool:
    """Note that all that was due was sent back under the bank's `reference`; False if none was."""
    paid = session.scalar(
        update(Payment)
        .where(Payment.id == payment.id, Payment.refund_due > ZERO)
        .values(
            refunded=Payment.refunded + Payment.refund_due,
            refund_due=ZERO,
            refund_reference=reference,
        )
        .returning(Payment.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(payment)
    return paid is not None
