"""Paying by bank transfer: a VietQR to the account of who sells, and a person's word on what came.

As an intermediary the shop never holds the money: the producer, or a helper on its behalf, looks at
its own account and says what came in. One operator needs more than one person's word for much.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from accounts import audit
from accounts.audit import Actor
from core.errors import Conflict, Invalid
from core.i18n import lazy as _
from core.money import ZERO, Money
from core.text import clean
from shop import moves
from shop.orders import Order, SellerOrder
from shop.payments import payments, receipts, refunds, vietqr
from shop.payments.payments import Custody, Payment, PaymentMethod
from shop.payments.receipts import Receipt

audit.describe(
    {
        "payment.confirmed": _("saw the money arrive"),
        "payment.claimed": _("saw much money arrive and asks for a second look"),
    }
)

COUNTDOWN = timedelta(minutes=30)
LONGEST_NOTE = 200
# Above this the operator's money is taken as arrived on two persons' word (decision 2).
ONE_WORD_IS_ENOUGH = Money(2_000_000)


class NoEvidence(Invalid):
    """Money is not taken as arrived without a word on how it was seen."""


class NotATransfer(Invalid):
    """This payment is not made by bank transfer."""


class SecondWordNeeded(Conflict):
    """So much money needs a second person who saw it arrive."""


def qr_text(payment: Payment) -> str:
    """Return the VietQR of what a transfer still lacks: account, amount and memo."""
    if payment.bank_bin is None or payment.bank_account is None or payment.missing == ZERO:
        raise NotATransfer
    return vietqr.build(
        payment.bank_bin, payment.bank_account, amount=payment.missing, memo=payment.memo
    )


def confirm_by_hand(
    session: Session,
    order: Order,
    part: SellerOrder,
    *,
    evidence: str,
    actor: Actor,
    now: datetime,
) -> Receipt | None:
    """Take what the part's transfer still lacks as arrived on its producer's own account.

    Returns None when nothing was lacking: it had been taken as arrived before.
    """
    note = _noted(evidence)
    moves.lock(session, order.id)
    payment = payments.list_of_parts(session, [part.id])[part.id]
    if payment.method is not PaymentMethod.BANK_TRANSFER:
        raise NotATransfer(_("This order is not paid by bank transfer."))
    if payment.seller_order_id is None:
        raise NotATransfer(_("The operator of the shop receives the money of this order."))
    return _take(session, order, payment, note, custody=Custody.PRODUCER, actor=actor, now=now)


def confirm_for_operator(
    session: Session,
    order: Order,
    payment: Payment,
    *,
    evidence: str,
    actor: Actor,
    now: datetime,
) -> Receipt | None:
    """Take what a transfer to the operator still lacks as arrived, without a bank row.

    Above 2,000,000 ₫ the first person's word is only kept; a second person's lets the order go on.
    Returns None when nothing was lacking, or while the second word is awaited.
    """
    note = _noted(evidence)
    moves.lock(session, order.id)
    session.refresh(payment)
    if payment.method is not PaymentMethod.BANK_TRANSFER or payment.seller_order_id is not None:
        raise NotATransfer(_("The producer receives the money of this order."))
    if payment.missing > ONE_WORD_IS_ENOUGH and payment.captured == ZERO:
        if payment.claimed_by is None:
            payment.claimed_by, payment.claimed_note = actor.user_id, note
            audit.record(
                session, actor, "payment.claimed", f"order:{order.code}", now=now,
                order=order.code, amount=str(payment.missing), evidence=note,
            )  # fmt: skip
            return None
        if payment.claimed_by == actor.user_id:
            raise SecondWordNeeded(_("Someone else has to look at the account as well."))
        note = f"{payment.claimed_note}; {note}"
    return _take(session, order, payment, note, custody=Custody.OPERATOR, actor=actor, now=now)


def _noted(evidence: str) -> str:
    note = clean(evidence)[:LONGEST_NOTE]
    if not note:
        raise NoEvidence(_("Write how the money was seen."), field="evidence")
    return note


def _take(
    session: Session,
    order: Order,
    payment: Payment,
    note: str,
    *,
    custody: Custody,
    actor: Actor,
    now: datetime,
) -> Receipt | None:
    missing = payment.amount - payment.captured
    if missing <= ZERO:
        return None
    audit.record(
        session, actor, "payment.confirmed", f"order:{order.code}", now=now,
        order=order.code, amount=str(missing), evidence=note,
    )  # fmt: skip
    return receipts.receive(
        session, payment, missing, evidence=note, custody=custody, actor=actor, now=now
    )


def pay_back(
    session: Session,
    order: Order,
    part: SellerOrder,
    *,
    reference: str,
    actor: Actor,
    now: datetime,
) -> bool:
    """Note that the producer sent back all it owed for a part, under the bank's reference; once."""
    moves.lock(session, order.id)
    sent = [
        refunds.settle(session, one, reference=reference, actor=actor, now=now)
        for one in refunds.due_of(session, part)
    ]
    return any(sent)
