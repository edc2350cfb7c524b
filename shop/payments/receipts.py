"""Money that arrives: the one door for a bank row, a person's word, a card and a wallet.

Whether the same money was told before is the caller's business (a unique bank row, an inbox event);
here every call is new money, and every đồng ends as paid or as owed back.
"""

import enum
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog import stock
from catalog.stock import OutOfStock, Wanted
from core.money import ZERO, Money, total
from shop import moves, orders
from shop.order_states import Ended, SellerOrderState, Verb
from shop.orders import LineHold, SellerOrder
from shop.payments import payments, refunds
from shop.payments.payments import Custody, Payment, PaymentState
from shop.payments.refunds import RefundReason

TIME_TO_CONFIRM = timedelta(hours=24)


class Receipt(enum.StrEnum):
    """What became of money that arrived."""

    PAID = "paid"
    OVER = "over"
    SHORT = "short"
    REVIVED = "revived"
    OWED_BACK = "owed_back"


def receive(
    session: Session,
    payment: Payment,
    amount: Money,
    *,
    evidence: str,
    custody: Custody,
    actor: Actor,
    now: datetime,
) -> Receipt:
    """Add `amount` to what arrived for a payment and let its parts go on if that covers them.

    Covered parts wait for their producer's yes, with their goods committed; what comes beyond is
    owed back. Parts that had expired are revived if all their goods can be held once more; else,
    and for parts that ended otherwise, the money is owed back. Too little is kept and waits.
    """
    if amount <= ZERO:
        raise ValueError(f"money that arrives is more than nothing, not {amount!r}")
    moves.lock(session, payment.order_id)
    _add(session, payment, amount, evidence=evidence, custody=custody, now=now)
    parts = payments.list_paid_parts(session, payment)
    waiting = [part for part in parts if part.state is SellerOrderState.PENDING]
    expired = [part for part in parts if part.ended is Ended.EXPIRED]
    went_on = any(part.state is not SellerOrderState.CANCELLED for part in parts)
    told = {"evidence": evidence, "amount": amount.dong, "payment": payment.id}
    if waiting:
        receipt = _pay(session, payment, waiting, told=told, actor=actor, now=now)
    elif expired and not went_on:
        receipt = _pay_late(session, payment, expired, amount, told=told, actor=actor, now=now)
    else:
        receipt = _owe_back(
            session, payment, parts, amount, went_on=went_on, told=told, actor=actor, now=now
        )
    payments.write_status(session, payment.order_id)
    return receipt


def _add(
    session: Session,
    payment: Payment,
    amount: Money,
    *,
    evidence: str,
    custody: Custody,
    now: datetime,
) -> None:
    session.flush()
    session.execute(
        update(Payment)
        .where(Payment.id == payment.id)
        .values(
            captured=Payment.captured + amount,
            captured_at=now,
            evidence=evidence,
            custody=custody,
        )
        .execution_options(synchronize_session=False)
    )
    session.refresh(payment)


def _set_state(session: Session, payment: Payment, state: PaymentState) -> None:
    payment.state = state
    session.flush()


def _pay(
    session: Session,
    payment: Payment,
    parts: list[SellerOrder],
    *,
    told: dict[str, object],
    actor: Actor,
    now: datetime,
) -> Receipt:
    owed, net = total(part.total for part in parts), payments.net_of(session, payment)
    if net < owed:
        _set_state(session, payment, PaymentState.PARTIAL)
        for part in parts:
            moves.note(
                session, part, Verb.RECEIVE_MONEY, actor=actor, now=now, before=part.state,
                detail={**told, "missing": (owed - net).dong},
            )  # fmt: skip
        return Receipt.SHORT
    _set_state(session, payment, PaymentState.SUCCEEDED)
    stock.commit_holds(session, orders.list_holds(session, [part.id for part in parts]))
    for part in parts:
        moves.move(
            session, part, Verb.PAY, actor=actor, now=now, detail=dict(told),
            hold_expires_at=None, confirm_by=now + TIME_TO_CONFIRM,
        )  # fmt: skip
    _end_others(session, payment)
    return _refund_surplus(session, payment, parts, net - owed, Receipt.PAID, actor, now)


def _pay_late(
    session: Session,
    payment: Payment,
    parts: list[SellerOrder],
    amount: Money,
    *,
    told: dict[str, object],
    actor: Actor,
    now: datetime,
) -> Receipt:
    owed, net = total(part.total for part in parts), payments.net_of(session, payment)
    if net < owed or not _hold_again(session, parts, now=now):
        return _owe_back(
            session, payment, parts, amount, went_on=False, told=told, actor=actor, now=now
        )
    _set_state(session, payment, PaymentState.SUCCEEDED)
    for part in parts:
        moves.move(
            session, part, Verb.REVIVE, actor=actor, now=now, detail=dict(told),
            ended=None, confirm_by=now + TIME_TO_CONFIRM,
        )  # fmt: skip
    _end_others(session, payment)
    return _refund_surplus(session, payment, parts, net - owed, Receipt.REVIVED, actor, now)


def _owe_back(
    session: Session,
    payment: Payment,
    parts: list[SellerOrder],
    amount: Money,
    *,
    went_on: bool,
    told: dict[str, object],
    actor: Actor,
    now: datetime,
) -> Receipt:
    part = parts[0] if payment.seller_order_id is not None else None
    for one in parts:
        moves.note(
            session, one, Verb.LATE_MONEY, actor=actor, now=now, before=one.state,
            detail={**told, "refund_due": amount.dong},
        )  # fmt: skip
    refunds.request(
        session, payment, part, amount, actor=actor, now=now,
        reason=RefundReason.SURPLUS if went_on else RefundReason.LATE,
    )  # fmt: skip
    return Receipt.OVER if went_on else Receipt.OWED_BACK


def _refund_surplus(
    session: Session,
    payment: Payment,
    parts: list[SellerOrder],
    surplus: Money,
    else_: Receipt,
    actor: Actor,
    now: datetime,
) -> Receipt:
    if surplus <= ZERO:
        return else_
    part = parts[0] if payment.seller_order_id is not None else None
    refunds.request(
        session, payment, part, surplus, reason=RefundReason.SURPLUS, actor=actor, now=now
    )
    return Receipt.OVER if else_ is Receipt.PAID else else_


def _end_others(session: Session, payment: Payment) -> None:
    """Let no other way to pay the same stay open: what still comes there is owed back."""
    for other in payments.list_all_of_order(session, payment.order_id):
        same = other.seller_order_id == payment.seller_order_id
        if same and other.id != payment.id and other.state in payments.UNPAID:
            other.state = PaymentState.CANCELLED
    session.flush()


def _hold_again(session: Session, parts: list[SellerOrder], *, now: datetime) -> bool:
    """Reserve the parts' goods once more, for good; hold nothing at all if any are missing."""
    lines = [
        line for line in orders.list_lines(session, [part.id for part in parts]) if line.wanted
    ]
    wanted = [Wanted(line.variant_id, line.wanted, line.lot_id) for line in lines]
    try:
        with session.begin_nested():
            taken = stock.reserve(session, wanted, now=now, expires_at=None)
    except OutOfStock:
        return False
    held = [(line, hold) for line, holds in zip(lines, taken, strict=True) for hold in holds]
    session.add_all(LineHold(reservation_id=hold.id, line_id=line.id) for line, hold in held)
    return True
