"""Money that arrived through a gateway, each by its own number there: counted once, for ever.

A gateway tells of the same money many times and in many ways (two events, a page that reads back,
a nightly question). Whoever adds the row first counts it.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, word
from core.money import ZERO, Money
from shop.payments.payments import Payment, PaymentMethod
from shop.payments.refunds import Refund, RefundState


class ProviderMoney(Base):
    """So much that arrived for a payment under the gateway's `number`."""

    __tablename__ = "provider_money"
    __table_args__ = (UniqueConstraint("method", "number", "payment_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"), index=True)
    method: Mapped[PaymentMethod] = mapped_column(word(PaymentMethod))
    number: Mapped[str] = mapped_column(index=True)
    amount: Mapped[Money]
    arrived_at: Mapped[datetime]


def count_once(
    session: Session, payment: Payment, number: str, amount: Money, *, now: datetime
) -> bool:
    """Write the money down; False when it was written down before and must not count again."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row_id = session.scalar(
        insert(ProviderMoney)
        .values(
            payment_id=payment.id,
            method=payment.method,
            number=number,
            amount=amount,
            arrived_at=now,
        )
        .on_conflict_do_nothing(index_elements=["method", "number", "payment_id"])
        .returning(ProviderMoney.id)
    )
    return row_id is not None


def find_payment(session: Session, method: PaymentMethod, number: str | None) -> Payment | None:
    """Return the payment that money of this number arrived for."""
    if not number:
        return None
    return session.scalar(
        select(Payment)
        .join(ProviderMoney, ProviderMoney.payment_id == Payment.id)
        .where(ProviderMoney.method == method, ProviderMoney.number == number)
        .limit(1)
    )


def list_of(session: Session, payment: Payment) -> Sequence[ProviderMoney]:
    """Return what arrived for a payment, the oldest first."""
    return session.scalars(
        select(ProviderMoney)
        .where(ProviderMoney.payment_id == payment.id)
        .order_by(ProviderMoney.id)
    ).all()


def with_room_for(session: Session, payment: Payment, refund: Refund) -> ProviderMoney | None:
    """Return the newest money of the payment from which this refund can go back."""
    for money in reversed(list_of(session, payment)):
        gone = session.scalar(
            select(func.sum(Refund.amount)).where(
                Refund.payment_id == payment.id,
                Refund.id != refund.id,
                Refund.money_number == money.number,
                Refund.state != RefundState.FAILED,
            )
        )
        if money.amount - (gone or ZERO) >= refund.amount:
            return money
    return None
