"""Payments: what is asked of a buyer, how, and what has arrived.

As an intermediary every part has payments of its own, to its producer's account; one operator
(`SELLING_MODE=direct`) asks one payment for the whole order, except for cash at the door. Paying
again, or in another way, adds a row: the newest one of a part is the current one.
"""

import enum
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, word
from core.money import ZERO, Money
from shop.order_states import PaymentStatus, SellerOrderState
from shop.orders import Order, SellerOrder


class PaymentMethod(enum.StrEnum):
    """How a buyer pays."""

    COD = "cod"
    BANK_TRANSFER = "bank_transfer"
    STRIPE = "stripe"
    VNPAY = "vnpay"


class PaymentState(enum.StrEnum):
    """Where a payment stands.

    Cash: due → collected → remitted. Transfer: awaiting → partial → succeeded. Card and wallet:
    created → open → processing → succeeded, or failed. Unpaid ones end expired or cancelled.
    """

    CREATED = "created"
    OPEN = "open"
    PROCESSING = "processing"
    AWAITING = "awaiting"
    PARTIAL = "partial"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DUE = "due"
    COLLECTED = "collected"
    REMITTED = "remitted"


class Custody(enum.StrEnum):
    """Who holds money that has arrived."""

    PRODUCER = "producer"
    OPERATOR = "operator"
    CARRIER = "carrier"


THROUGH_PROVIDER = frozenset({PaymentMethod.STRIPE, PaymentMethod.VNPAY})
PREPAID = frozenset({PaymentMethod.BANK_TRANSFER, *THROUGH_PROVIDER})
# Nothing (more) has come yet, and it still may.
UNPAID = frozenset(
    {
        PaymentState.CREATED,
        PaymentState.OPEN,
        PaymentState.PROCESSING,
        PaymentState.AWAITING,
        PaymentState.PARTIAL,
        PaymentState.FAILED,
    }
)
UNCOLLECTED = (PaymentMethod.COD, PaymentState.FAILED)


class Payment(Base):
    """One way and amount to pay; `memo` is what a bank transfer, or a provider, must carry.

    `seller_order_id` is empty for a payment of the whole order. `captured` is all that arrived,
    `refund_due` what is to be sent back of it and `refunded` what was: the sums of its refunds.
    """

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("method", "provider_ref"),
        CheckConstraint("amount > 0 AND captured >= 0", name="amount_positive"),
        CheckConstraint("refund_due >= 0 AND refunded >= 0", name="refund_not_negative"),
        CheckConstraint("refund_due + refunded <= captured", name="refund_within_captured"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("customer_order.id"), index=True)
    seller_order_id: Mapped[int | None] = mapped_column(ForeignKey("seller_order.id"), index=True)
    method: Mapped[PaymentMethod] = mapped_column(word(PaymentMethod))
    state: Mapped[PaymentState] = mapped_column(word(PaymentState), index=True)
    amount: Mapped[Money]
    captured: Mapped[Money] = mapped_column(default=ZERO)
    custody: Mapped[Custody | None] = mapped_column(word(Custody))
    attempt: Mapped[int] = mapped_column(default=1)
    memo: Mapped[str | None] = mapped_column(unique=True)
    bank_bin: Mapped[str | None]
    bank_account: Mapped[str | None]
    bank_holder: Mapped[str | None]
    provider_ref: Mapped[str | None]
    provider_payment_ref: Mapped[str | None] = mapped_column(index=True)
    pay_url: Mapped[str | None]
    # How often a provider's page was opened for it, and when last.
    openings: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime | None]
    # The dispute about it that is decided: older news of it must not stop the order again.
    dispute_closed: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    captured_at: Mapped[datetime | None]
    evidence: Mapped[str | None]
    claimed_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    claimed_note: Mapped[str | None]
    refund_due: Mapped[Money] = mapped_column(default=ZERO)
    refunded: Mapped[Money] = mapped_column(default=ZERO)

    @property
    def net(self) -> Money:
        """Return what arrived and is not to be sent back."""
        return self.captured - self.refund_due - self.refunded

    @property
    def missing(self) -> Money:
        """Return what has still to come, zero when all is there."""
        return max(ZERO, self.amount - self.net)


class PaymentShare(Base):
    """How much of a payment is meant for which part; the shares of a payment are its amount."""

    __tablename__ = "payment_share"
    __table_args__ = (
        UniqueConstraint("payment_id", "seller_order_id"),
        CheckConstraint("amount >= 0", name="not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"))
    seller_order_id: Mapped[int] = mapped_column(ForeignKey("seller_order.id"), index=True)
    amount: Mapped[Money]


def list_of_parts(session: Session, part_ids: Collection[int]) -> dict[int, Payment]:
    """Return the current payment of each part; parts paid together have the same one."""
    rows = session.execute(
        select(PaymentShare.seller_order_id, Payment)
        .join(Payment, Payment.id == PaymentShare.payment_id)
        .where(PaymentShare.seller_order_id.in_(part_ids))
        .order_by(Payment.id)
    )
    return {part_id: payment for part_id, payment in rows}  # noqa: C416 - the last one wins


def list_all_of_order(session: Session, order_id: int) -> list[Payment]:
    """Return every payment ever asked for an order, the oldest first."""
    return list(
        session.scalars(select(Payment).where(Payment.order_id == order_id).order_by(Payment.id))
    )


def list_paid_parts(session: Session, payment: Payment) -> list[SellerOrder]:
    """Return the parts a payment is for."""
    return list(
        session.scalars(
            select(SellerOrder)
            .join(PaymentShare, PaymentShare.seller_order_id == SellerOrder.id)
            .where(PaymentShare.payment_id == payment.id)
            .order_by(SellerOrder.id)
        )
    )


def net_of(session: Session, payment: Payment) -> Money:
    """Return what arrived, and stays, for the same thing as `payment`: its part, or its order."""
    same = (
        Payment.seller_order_id.is_(None)
        if payment.seller_order_id is None
        else Payment.seller_order_id == payment.seller_order_id
    )
    net: Any = session.scalar(
        select(func.sum(Payment.captured - Payment.refund_due - Payment.refunded)).where(
            Payment.order_id == payment.order_id, same
        )
    )
    # Arithmetic in a question gives a plain number of đồng.
    return Money(int(net or 0))


def collect(session: Session, part_id: int, *, custody: Custody, now: datetime) -> None:
    """Take the cash of a delivered part as collected; a part paid otherwise is left alone."""
    taken = session.scalar(
        update(Payment)
        .where(Payment.seller_order_id == part_id, Payment.state == PaymentState.DUE)
        .values(
            state=PaymentState.COLLECTED,
            captured=Payment.amount,
            captured_at=now,
            custody=custody,
        )
        .returning(Payment.order_id)
        .execution_options(synchronize_session=False)
    )
    if taken is not None:
        _forget_read(session, [part_id])
        write_status(session, taken)


def remit(session: Session, payment: Payment, *, to: Custody) -> bool:
    """Take cash a carrier collected as handed over `to` its owner; False if that was known."""
    handed = session.scalar(
        update(Payment)
        .where(
            Payment.id == payment.id,
            Payment.state == PaymentState.COLLECTED,
            Payment.custody == Custody.CARRIER,
        )
        .values(state=PaymentState.REMITTED, custody=to)
        .returning(Payment.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(payment)
    return handed is not None


def end_due(session: Session, part_id: int) -> None:
    """Let cash that was due for a part be due no more: its parcel came back, or never arrived."""
    ended = session.scalar(
        update(Payment)
        .where(Payment.seller_order_id == part_id, Payment.state == PaymentState.DUE)
        .values(state=PaymentState.FAILED)
        .returning(Payment.order_id)
        .execution_options(synchronize_session=False)
    )
    if ended is not None:
        _forget_read(session, [part_id])
        write_status(session, ended)


def close(session: Session, part_ids: Collection[int], *, as_state: PaymentState) -> None:
    """End what was still to be paid for these parts and for no other that goes on.

    A payment of the whole order ends with the last of its parts.
    """
    alive = (
        select(PaymentShare.payment_id)
        .join(SellerOrder, SellerOrder.id == PaymentShare.seller_order_id)
        .where(SellerOrder.state != SellerOrderState.CANCELLED)
    )
    mine = select(PaymentShare.payment_id).where(PaymentShare.seller_order_id.in_(part_ids))
    session.execute(
        update(Payment)
        .where(
            Payment.id.in_(mine),
            Payment.id.not_in(alive),
            Payment.state.in_([*UNPAID, PaymentState.DUE]),
        )
        .values(state=as_state)
        .execution_options(synchronize_session=False)
    )
    _forget_read(session, part_ids)


def _forget_read(session: Session, part_ids: Collection[int]) -> None:
    for payment in list_of_parts(session, part_ids).values():
        session.refresh(payment)


def write_status(session: Session, order_id: int) -> None:
    """Make the order's stored payment status follow from its payments; nothing else writes it."""
    session.flush()
    rows = session.execute(
        select(
            Payment.state, Payment.method, Payment.captured, Payment.refund_due, Payment.refunded
        ).where(Payment.order_id == order_id)
    ).all()
    session.execute(
        update(Order)
        .where(Order.id == order_id)
        .values(payment_status=status_of(rows))
        .execution_options(synchronize_session=False)
    )
    order = session.get(Order, order_id)
    if order is not None:
        session.refresh(order, ["payment_status"])


def status_of(rows: Iterable[Any]) -> PaymentStatus:
    """Return what the payments of one order say: rows with state, method and the three sums."""
    rows = list(rows)
    # Cash that was not collected is not tried again, unlike a card.
    states = {row.state for row in rows if (row.method, row.state) != UNCOLLECTED}
    captured = sum(row.captured.dong for row in rows)
    due = sum(row.refund_due.dong for row in rows)
    refunded = sum(row.refunded.dong for row in rows)
    return _status(states, captured, due, refunded)


def _status(states: set[PaymentState], captured: int, due: int, refunded: int) -> PaymentStatus:
    waiting = bool(states & UNPAID)
    if due:
        return PaymentStatus.OVERPAID
    if captured and refunded:
        all_sent_back = refunded == captured
        return PaymentStatus.REFUNDED if all_sent_back else PaymentStatus.PARTIALLY_REFUNDED
    if PaymentState.DUE in states:
        return PaymentStatus.COD_DUE
    if not captured:
        return PaymentStatus.AWAITING if waiting else PaymentStatus.NONE
    if waiting:
        return PaymentStatus.PARTIALLY_PAID
    by_cash = states & {PaymentState.COLLECTED, PaymentState.REMITTED}
    return PaymentStatus.COD_COLLECTED if by_cash else PaymentStatus.PAID
