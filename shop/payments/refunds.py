"""Refunds: money that is to go back, from the moment it is owed until its reference is known.

The shop never sends money of a producer: as an intermediary a refund is a duty on the producer's
desk. Only what a provider (card, wallet) holds is sent back by the shop, through the outbox.
"""

import enum
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from core.db import Base, word
from core.errors import Conflict, Invalid
from core.i18n import lazy as _
from core.money import ZERO, Money
from core.tasks import enqueue
from core.text import clean
from shop import moves
from shop.order_states import Verb
from shop.orders import Order, SellerOrder
from shop.payments import payments
from shop.payments.payments import THROUGH_PROVIDER, Payment, PaymentShare, PaymentState

describe({"payment.paid_back": _("paid money back")})

SEND = "payments.refund"
LONGEST_REFERENCE = 200


class RefundState(enum.StrEnum):
    """A failed refund is tried again in the same row, under the same key."""

    REQUESTED = "requested"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


OPEN = (RefundState.REQUESTED, RefundState.PENDING, RefundState.FAILED)


class RefundReason(enum.StrEnum):
    """Why money goes back."""

    CANCELLED = "cancelled"
    LATE = "late"
    SURPLUS = "surplus"
    CUT = "cut"
    RETURNED = "returned"
    LOST = "lost"
    DISPUTE = "dispute"
    GOODWILL = "goodwill"


class MoreThanPaid(Conflict):
    """Never more goes back than came in: of a payment, of a part and of an order."""


class NoReference(Invalid):
    """Money sent back is known by the bank's reference."""


class Refund(Base):
    """So much of one payment that goes back to the buyer; `lines` says for what, line by line."""

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_refund_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("customer_order.id"), index=True)
    seller_order_id: Mapped[int | None] = mapped_column(ForeignKey("seller_order.id"), index=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"), index=True)
    amount: Mapped[Money]
    shipping: Mapped[Money] = mapped_column(default=ZERO)
    lines: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    reason: Mapped[RefundReason] = mapped_column(word(RefundReason))
    state: Mapped[RefundState] = mapped_column(word(RefundState), default=RefundState.REQUESTED)
    requested_at: Mapped[datetime]
    requested_by: Mapped[str]
    provider_ref: Mapped[str | None] = mapped_column(unique=True)
    # Of which arrived money a provider sends it back, and when it was first told to.
    money_number: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    reference: Mapped[str | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    failure: Mapped[str | None]


def of_parts(session: Session, part_ids: Collection[int]) -> dict[int, list[Refund]]:
    """Return the refunds of each part, the oldest first."""
    found: dict[int, list[Refund]] = defaultdict(list)
    for refund in session.scalars(
        select(Refund).where(Refund.seller_order_id.in_(part_ids)).order_by(Refund.id)
    ):
        if refund.seller_order_id is not None:
            found[refund.seller_order_id].append(refund)
    return found


def due_of(session: Session, part: SellerOrder) -> list[Refund]:
    """Return the refunds of a part that have not gone out, the oldest first."""
    return [refund for refund in of_parts(session, [part.id])[part.id] if refund.state in OPEN]


def left_of(session: Session, part: SellerOrder) -> Money:
    """Return what was captured for a part and is not yet refunded or owed back.

    Of a payment for the whole order a part can have its own share, once all of it has come.
    """
    alone = session.scalar(
        select(func.sum(Payment.captured)).where(Payment.seller_order_id == part.id)
    )
    shared = session.scalar(
        select(func.sum(PaymentShare.amount))
        .join(Payment, Payment.id == PaymentShare.payment_id)
        .where(
            PaymentShare.seller_order_id == part.id,
            Payment.seller_order_id.is_(None),
            Payment.state == PaymentState.SUCCEEDED,
        )
    )
    gone = session.scalar(select(func.sum(Refund.amount)).where(Refund.seller_order_id == part.id))
    return (alone or ZERO) + (shared or ZERO) - (gone or ZERO)


def request(
    session: Session,
    payment: Payment,
    part: SellerOrder | None,
    amount: Money,
    *,
    reason: RefundReason,
    actor: Actor,
    now: datetime,
    lines: Mapping[int, Money] | None = None,
    shipping: Money = ZERO,
) -> Refund:
    """Owe `amount` of a payment back to the buyer; the caller holds the order's lock.

    `part` is empty only for money that belongs to no part (a surplus, or short money, of a payment
    for the whole order). A provider's money is sent back by a task after this transaction; any
    other waits for the bank's reference (`settle`). Raises MoreThanPaid and changes nothing when
    the payment, or the part, has not so much left.
    """
    session.flush()
    taken = session.scalar(
        update(Payment)
        .where(
            Payment.id == payment.id,
            Payment.captured - Payment.refund_due - Payment.refunded >= amount.dong,
        )
        .values(refund_due=Payment.refund_due + amount)
        .returning(Payment.id)
        .execution_options(synchronize_session=False)
    )
    if taken is None or (part is not None and left_of(session, part) < amount):
        raise MoreThanPaid(_("So much was not paid. Look at the order again."))
    session.refresh(payment)
    refund = Refund(
        order_id=payment.order_id,
        seller_order_id=part.id if part else None,
        payment_id=payment.id,
        amount=amount,
        shipping=shipping,
        lines={str(line_id): money.dong for line_id, money in (lines or {}).items()},
        reason=reason,
        requested_at=now,
        requested_by=actor.name,
    )
    session.add(refund)
    session.flush()  # gives the refund its id
    if payment.method in THROUGH_PROVIDER:
        enqueue(session, SEND, {"refund_id": refund.id}, now=now, key=f"refund:{refund.id}")
    if part is not None:
        moves.note(
            session, part, Verb.OWE_BACK, actor=actor, now=now, before=part.state,
            detail={"amount": amount.dong, "reason": reason},
        )  # fmt: skip
    payments.write_status(session, payment.order_id)
    return refund


def request_left(
    session: Session, part: SellerOrder, *, reason: RefundReason, actor: Actor, now: datetime
) -> Money:
    """Owe back all that is left of what was paid for a part, payment by payment; return it all."""
    asked = left = left_of(session, part)
    for payment in _payments_for(session, part):
        amount = min(left, payment.net)
        if amount > ZERO:
            request(session, payment, part, amount, reason=reason, actor=actor, now=now)
            left -= amount
    return asked - left


def _payments_for(session: Session, part: SellerOrder) -> list[Payment]:
    return list(
        session.scalars(
            select(Payment)
            .join(PaymentShare, PaymentShare.payment_id == Payment.id)
            .where(PaymentShare.seller_order_id == part.id)
            .order_by(Payment.id.desc())
        )
    )


def request_of_part(
    session: Session,
    part: SellerOrder,
    amount: Money,
    *,
    reason: RefundReason,
    actor: Actor,
    now: datetime,
    lines: Mapping[int, Money] | None = None,
    shipping: Money = ZERO,
) -> list[Refund]:
    """Owe back `amount` of what was paid for a part, from the newest payment that has it.

    Raises MoreThanPaid and changes nothing when not so much is left.
    """
    if left_of(session, part) < amount:
        raise MoreThanPaid(_("So much was not paid. Look at the order again."))
    made: list[Refund] = []
    left = amount
    for payment in _payments_for(session, part):
        piece = min(left, payment.net)
        if piece > ZERO:
            first = not made
            made.append(
                request(
                    session, payment, part, piece, reason=reason, actor=actor, now=now,
                    lines=lines if first else None, shipping=shipping if first else ZERO,
                )
            )  # fmt: skip
            left -= piece
    return made


def start(session: Session, refund: Refund, *, provider_ref: str) -> bool:
    """Write down that the provider has the refund in hand; False if it was further already."""
    return _move(
        session,
        refund,
        (RefundState.REQUESTED, RefundState.FAILED),
        state=RefundState.PENDING,
        provider_ref=provider_ref,
        failure=None,
    )


def settle(
    session: Session, refund: Refund, *, reference: str, actor: Actor, now: datetime
) -> bool:
    """Take the money as sent back, under the bank's or the provider's reference; once.

    The caller holds the order's lock. Raises NoReference for an empty one.
    """
    note = clean(reference)[:LONGEST_REFERENCE]
    if not note:
        raise NoReference(
            _("Write the bank's reference of the money sent back."), field="reference"
        )
    if not _move(
        session,
        refund,
        OPEN,
        state=RefundState.SUCCEEDED,
        reference=note,
        settled_at=now,
        settled_by=actor.name,
        failure=None,
    ):
        return False
    session.execute(
        update(Payment)
        .where(Payment.id == refund.payment_id)
        .values(
            refund_due=Payment.refund_due - refund.amount,
            refunded=Payment.refunded + refund.amount,
        )
        .execution_options(synchronize_session=False)
    )
    session.refresh(session.get_one(Payment, refund.payment_id))
    detail = {"reference": note, "amount": refund.amount.dong, "refund": refund.id}
    order = session.get_one(Order, refund.order_id)
    record(session, actor, "payment.paid_back", f"order:{order.code}", now=now, **detail)
    if refund.seller_order_id is not None:
        part = session.get_one(SellerOrder, refund.seller_order_id)
        moves.note(
            session, part, Verb.PAY_BACK, actor=actor, now=now, before=part.state, detail=detail
        )
    payments.write_status(session, refund.order_id)
    return True


def fail(session: Session, refund: Refund, *, failure: str) -> bool:
    """Write down that the provider could not send it; it stays owed, and staff see why."""
    return _move(
        session,
        refund,
        (RefundState.REQUESTED, RefundState.PENDING),
        state=RefundState.FAILED,
        failure=failure[:LONGEST_REFERENCE],
    )


def _move(
    session: Session, refund: Refund, from_states: Collection[RefundState], **values: Any
) -> bool:
    moved = session.scalar(
        update(Refund)
        .where(Refund.id == refund.id, Refund.state.in_(list(from_states)))
        .values(**values)
        .returning(Refund.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(refund)
    return moved is not None
