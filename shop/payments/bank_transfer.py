"""Paying by bank transfer: a VietQR to the producer's own account, and the money that arrives.

The shop never holds the money. The producer, or a helper on its behalf, looks at its own account
and says what came in; a transfer is known by the memo of its payment.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from accounts import audit
from accounts.audit import Actor
from catalog import stock
from catalog.stock import OutOfStock, Wanted
from core.errors import Invalid
from core.i18n import lazy as _
from core.text import clean
from shop import orders
from shop.orders import Ended, LineHold, Order, SellerOrder, SellerOrderState, Verb
from shop.payments import payments, vietqr
from shop.payments.payments import Payment, PaymentMethod

audit.describe(
    {
        "payment.confirmed": _("saw the money arrive"),
        "payment.paid_back": _("paid money back"),
    }
)

COUNTDOWN = timedelta(minutes=30)
HOLD = timedelta(hours=2)
TIME_TO_CONFIRM = timedelta(hours=24)
LONGEST_NOTE = 200


class NoEvidence(Invalid):
    """Money is not taken as arrived without a word on how it was seen."""


class NotATransfer(Invalid):
    """This payment is not made by bank transfer."""


def qr_text(payment: Payment) -> str:
    """Return the VietQR of a transfer: the producer's account, the amount and the memo."""
    if payment.bank_bin is None or payment.bank_account is None:
        raise NotATransfer
    return vietqr.build(
        payment.bank_bin, payment.bank_account, amount=payment.amount, memo=payment.memo
    )


def confirm_by_hand(
    session: Session,
    order: Order,
    part: SellerOrder,
    *,
    evidence: str,
    actor: Actor,
    now: datetime,
) -> bool:
    """Take the part's transfer as arrived in full, on the word of who looked at the account.

    The part then waits for the producer's yes. Money for a part that had expired revives it if its
    goods can be held once more; else, and for a part that was cancelled, it is owed back.
    Returns False when the money had been taken as arrived before; nothing changes then.
    """
    note = clean(evidence)[:LONGEST_NOTE]
    if not note:
        raise NoEvidence(_("Write how the money was seen."), field="evidence")
    orders.lock(session, order.id)
    payment = payments.list_of_parts(session, [part.id])[part.id]
    if payment.method is not PaymentMethod.BANK_TRANSFER:
        raise NotATransfer(_("This order is paid on delivery."))
    if not payments.capture(session, payment, evidence=note, now=now):
        return False
    audit.record(
        session,
        actor,
        "payment.confirmed",
        f"order:{order.code}",
        now=now,
        order=order.code,
        amount=str(payment.amount),
        evidence=note,
    )
    if part.state is SellerOrderState.PENDING:
        stock.commit_holds(session, orders.list_holds(session, [part.id]))
        orders.move(
            session,
            part,
            Verb.PAY,
            actor=actor,
            now=now,
            detail={"evidence": note},
            hold_expires_at=None,
            confirm_by=now + TIME_TO_CONFIRM,
        )
    elif part.ended is Ended.EXPIRED and _hold_again(session, part, now=now):
        orders.move(
            session,
            part,
            Verb.REVIVE,
            actor=actor,
            now=now,
            detail={"evidence": note},
            ended=None,
            confirm_by=now + TIME_TO_CONFIRM,
        )
    else:
        payments.close(session, [part.id], as_state=payments.PaymentState.CANCELLED)
        orders.note(
            session,
            part,
            Verb.LATE_MONEY,
            actor=actor,
            now=now,
            before=part.state,
            detail={"evidence": note, "refund_due": payment.amount.dong},
        )
    return True


def _hold_again(session: Session, part: SellerOrder, *, now: datetime) -> bool:
    """Reserve the part's goods once more, for good; hold nothing at all if any are missing."""
    lines = orders.list_lines(session, [part.id])
    wanted = [Wanted(line.variant_id, line.quantity, line.lot_id) for line in lines]
    try:
        with session.begin_nested():
            taken = stock.reserve(session, wanted, now=now, expires_at=None)
    except OutOfStock:
        return False
    held = [(line, hold) for line, holds in zip(lines, taken, strict=True) for hold in holds]
    session.add_all(LineHold(reservation_id=hold.id, line_id=line.id) for line, hold in held)
    stock.commit_holds(session, [hold.id for _line, hold in held])
    return True


def pay_back(
    session: Session,
    order: Order,
    part: SellerOrder,
    *,
    reference: str,
    actor: Actor,
    now: datetime,
) -> bool:
    """Note that the producer sent back what it owed, under the bank's reference; once."""
    note = clean(reference)[:LONGEST_NOTE]
    if not note:
        raise NoEvidence(_("Write the bank's reference of the money sent back."), field="reference")
    orders.lock(session, order.id)
    payment = payments.list_of_parts(session, [part.id])[part.id]
    due = payment.refund_due.dong
    if not payments.pay_back(session, payment, reference=note):
        return False
    detail = {"reference": note, "amount": due}
    audit.record(session, actor, "payment.paid_back", f"order:{order.code}", now=now, **detail)
    orders.note(
        session, part, Verb.PAY_BACK, actor=actor, now=now, before=part.state, detail=detail
    )
    return True
