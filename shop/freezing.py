"""Orders that stand still while a buyer's bank disputes their money."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from accounts.audit import Actor
from shop import moves, orders
from shop.order_states import SellerOrderState, Verb
from shop.orders import Order, SellerOrder

TIME_TO_CONFIRM = timedelta(hours=24)


def freeze(session: Session, order: Order, *, why: str, actor: Actor, now: datetime) -> bool:
    """Stop an order: nothing of it is packed, sent or closed. False when it stood still already."""
    return _turn(session, order, Verb.FREEZE, to=True, detail={"why": why}, actor=actor, now=now)


def unfreeze(session: Session, order: Order, *, actor: Actor, now: datetime) -> bool:
    """Let a stopped order go on; False when it was not stopped."""
    if not _turn(session, order, Verb.UNFREEZE, to=False, detail=None, actor=actor, now=now):
        return False
    # Its producer could not answer meanwhile.
    session.execute(
        update(SellerOrder)
        .where(SellerOrder.order_id == order.id, SellerOrder.state == SellerOrderState.TO_CONFIRM)
        .values(confirm_by=now + TIME_TO_CONFIRM)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    return True


def _turn(
    session: Session,
    order: Order,
    verb: Verb,
    *,
    to: bool,
    detail: dict[str, Any] | None,
    actor: Actor,
    now: datetime,
) -> bool:
    moves.lock(session, order.id)
    turned = session.scalar(
        update(Order)
        .where(Order.id == order.id, Order.frozen.is_(not to))
        .values(frozen=to)
        .returning(Order.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(order)
    if turned is None:
        return False
    for part in orders.list_parts(session, order.id):
        moves.note(session, part, verb, actor=actor, now=now, before=part.state, detail=detail)
    return True
