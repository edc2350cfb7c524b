"""How a part ends without being sent: no, changed mind, not paid in time, no answer in time.

Every way gives the goods back to the shelf exactly once and owes back what had been paid.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM, Actor
from catalog import stock
from catalog.stock import HoldState
from core.db import Database
from core.errors import Invalid
from core.i18n import lazy as _
from core.text import clean
from shop import moves, orders, promotions
from shop.moves import TooLate
from shop.order_states import Ended, SellerOrderState, Verb
from shop.orders import Order, SellerOrder
from shop.payments import payments, refunds
from shop.payments.payments import Payment, PaymentShare, PaymentState
from shop.payments.refunds import RefundReason

LONGEST_REASON = 200
AT_ONCE = 500
OPEN_TO_BUYER = frozenset({SellerOrderState.PENDING, SellerOrderState.TO_CONFIRM})


class NoReason(Invalid):
    """A producer says why it cannot send; the buyer reads it."""


def cancel(session: Session, order: Order, *, actor: Actor, now: datetime) -> int:
    """Call off, for the buyer, every part that nobody is preparing yet; return how many."""
    moves.lock(session, order.id)
    parts = [part for part in orders.list_parts(session, order.id) if part.state in OPEN_TO_BUYER]
    for part in parts:
        moves.move(
            session, part, Verb.CANCEL, actor=actor, now=now, ended=Ended.CANCELLED,
            hold_expires_at=None, confirm_by=None,
        )  # fmt: skip
    _let_go(session, parts, HoldState.RELEASED, PaymentState.CANCELLED, actor=actor, now=now)
    return len(parts)


def decline(
    session: Session,
    order: Order,
    part: SellerOrder,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
) -> bool:
    """Say no for the producer, with a reason the buyer will read, before the parcel has left."""
    why = clean(reason)[:LONGEST_REASON]
    if not why:
        raise NoReason(_("Say why; the buyer reads it."), field="reason")
    return _end(
        session, order.id, part, Verb.DECLINE, Ended.DECLINED, actor=actor, now=now, why=why
    )


def expire(session: Session, part: SellerOrder, *, now: datetime) -> bool:
    """End a part that was not paid while its goods were held; money that comes later revives it."""
    ran_out = SellerOrder.hold_expires_at <= now
    # A card that is being charged right now decides first; its own answer, or failure, comes.
    in_hand = (
        select(PaymentShare.id)
        .join(Payment, Payment.id == PaymentShare.payment_id)
        .where(
            PaymentShare.seller_order_id == SellerOrder.id,
            Payment.state == PaymentState.PROCESSING,
        )
        .exists()
    )
    return _end(
        session, part.order_id, part, Verb.EXPIRE, Ended.EXPIRED, actor=SYSTEM, now=now,
        only_if=(ran_out, ~in_hand), hold=HoldState.EXPIRED, payment=PaymentState.EXPIRED,
    )  # fmt: skip


def time_out(session: Session, part: SellerOrder, *, now: datetime) -> bool:
    """End a part to which the producer gave no answer in time."""
    too_late = SellerOrder.confirm_by <= now
    return _end(
        session, part.order_id, part, Verb.TIME_OUT, Ended.TIMED_OUT, actor=SYSTEM, now=now,
        only_if=(too_late,),
    )  # fmt: skip


def _end(
    session: Session,
    order_id: int,
    part: SellerOrder,
    verb: Verb,
    ended: Ended,
    *,
    actor: Actor,
    now: datetime,
    why: str | None = None,
    only_if: tuple[Any, ...] = (),
    hold: HoldState = HoldState.RELEASED,
    payment: PaymentState = PaymentState.CANCELLED,
) -> bool:
    moves.lock(session, order_id)
    moved = moves.move(
        session, part, verb, actor=actor, now=now, only_if=only_if,
        detail={"why": why} if why else None,
        ended=ended, ended_why=why, hold_expires_at=None, confirm_by=None,
    )  # fmt: skip
    if moved:
        _let_go(session, [part], hold, payment, actor=actor, now=now)
    return moved


def _let_go(
    session: Session,
    parts: list[SellerOrder],
    hold: HoldState,
    payment: PaymentState,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    if not parts:
        return
    # All parts at once: stock rows are then taken in ascending order across the whole order.
    part_ids = [part.id for part in parts]
    stock.release(session, orders.list_holds(session, part_ids), as_state=hold)
    payments.close(session, part_ids, as_state=payment)
    for part in parts:
        refunds.request_left(session, part, reason=RefundReason.CANCELLED, actor=actor, now=now)
    _owe_back_short_money(session, parts[0].order_id, as_state=payment, actor=actor, now=now)
    promotions.give_back(session, parts[0].order_id, part_ids, now=now)
    payments.write_status(session, parts[0].order_id)


def _owe_back_short_money(
    session: Session, order_id: int, *, as_state: PaymentState, actor: Actor, now: datetime
) -> None:
    """Owe back what came, too little, for a whole order that has ended now."""
    for payment in session.scalars(
        select(Payment).where(
            Payment.order_id == order_id,
            Payment.seller_order_id.is_(None),
            Payment.state == as_state,
            Payment.captured > Payment.refund_due + Payment.refunded,
        )
    ):
        refunds.request(
            session, payment, None, payment.net,
            reason=RefundReason.CANCELLED, actor=actor, now=now,
        )  # fmt: skip


def expire_due(database: Database, now: datetime) -> None:
    """End every part whose hold ran out unpaid; running twice, late or beside a payment is safe."""
    _sweep(database, SellerOrderState.PENDING, SellerOrder.hold_expires_at <= now, expire, now)


def time_out_due(database: Database, now: datetime) -> None:
    """End every part that waited too long for the producer's answer."""
    _sweep(database, SellerOrderState.TO_CONFIRM, SellerOrder.confirm_by <= now, time_out, now)


def _sweep(database: Database, state: SellerOrderState, due: Any, end: Any, now: datetime) -> None:
    with database.reading() as session:
        part_ids = list(
            session.scalars(
                select(SellerOrder.id)
                .where(SellerOrder.state == state, due)
                .order_by(SellerOrder.id)
                .limit(AT_ONCE)
            )
        )
    for part_id in part_ids:
        with database.transaction() as session:
            part = session.get_one(SellerOrder, part_id)
            try:
                end(session, part, now=now)
            except TooLate:
                # Paid, answered or cancelled since the list was read: someone was quicker.
                continue
