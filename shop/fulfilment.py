"""From the producer's yes to the buyer's door: accept, pack, ship, deliver."""

from datetime import datetime

from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog import stock
from shop import orders
from shop.orders import Order, SellerOrder, Verb
from shop.payments import payments


def accept(
    session: Session,
    order: Order,
    part: SellerOrder,
    *,
    called_buyer: bool,
    actor: Actor,
    now: datetime,
) -> bool:
    """Promise the goods; `called_buyer` says that the producer rang the buyer first."""
    orders.lock(session, order.id)
    return orders.move(
        session,
        part,
        Verb.ACCEPT,
        actor=actor,
        now=now,
        detail={"called": called_buyer},
        called_buyer=called_buyer,
        confirm_by=None,
    )


def pack(session: Session, order: Order, part: SellerOrder, *, actor: Actor, now: datetime) -> bool:
    """Say that the parcel stands ready."""
    orders.lock(session, order.id)
    return orders.move(session, part, Verb.PACK, actor=actor, now=now)


def ship(session: Session, order: Order, part: SellerOrder, *, actor: Actor, now: datetime) -> bool:
    """Let the parcel leave: its goods are off the shelf from now on."""
    orders.lock(session, order.id)
    moved = orders.move(session, part, Verb.SHIP, actor=actor, now=now)
    if moved:
        stock.consume(
            session,
            orders.list_holds(session, [part.id]),
            now=now,
            actor_id=actor.user_id,
            note=order.code,
        )
    return moved


def deliver(
    session: Session, order: Order, part: SellerOrder, *, actor: Actor, now: datetime
) -> bool:
    """Say that the buyer has the goods; cash due on delivery is collected with them."""
    orders.lock(session, order.id)
    moved = orders.move(session, part, Verb.DELIVER, actor=actor, now=now)
    if moved:
        payments.collect(session, part.id, now=now)
    return moved
