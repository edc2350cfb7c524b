"""From the producer's yes to the buyer's door: accept, pack, ship, deliver."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog import stock
from catalog.lots import Lot
from catalog.stock import OPEN, Reservation, StockItem
from core.clock import vietnam_day
from core.errors import Conflict
from core.i18n import lazy as _
from shop import moves, orders, packing
from shop.delivery import CARRIED
from shop.order_states import Verb
from shop.orders import Order, SellerOrder
from shop.payments import payments
from shop.payments.payments import Custody


class NotToBeSent(Conflict):
    """The goods set aside are of a lot that was recalled, held or has expired since."""


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
    moves.lock(session, order.id)
    return moves.move(
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
    """Say that the parcel stands ready, with goods of the lots its lines hold now.

    Raises NotToBeSent when one of these lots may not leave any more.
    """
    moves.lock(session, order.id)
    _refuse_stopped_lots(session, part, now=now)
    lots = packing.lots_told(session, part)
    return moves.move(session, part, Verb.PACK, actor=actor, now=now, detail={"lots": lots})


def ship(session: Session, order: Order, part: SellerOrder, *, actor: Actor, now: datetime) -> bool:
    """Let the parcel leave: its goods are off the shelf from now on; NotToBeSent as for `pack`."""
    moves.lock(session, order.id)
    _refuse_stopped_lots(session, part, now=now)
    moved = moves.move(session, part, Verb.SHIP, actor=actor, now=now, shipped_at=now)
    if moved:
        stock.consume(
            session,
            orders.list_holds(session, [part.id]),
            now=now,
            actor_id=actor.user_id,
            note=order.code,
        )
    return moved


def _refuse_stopped_lots(session: Session, part: SellerOrder, *, now: datetime) -> None:
    """Keep back what was ordered before its lot was recalled: a buyer is not sent bad goods."""
    code = session.scalar(
        select(Lot.code)
        .join(StockItem, StockItem.lot_id == Lot.id)
        .join(Reservation, Reservation.stock_id == StockItem.id)
        .where(
            Reservation.id.in_(orders.list_holds(session, [part.id])),
            Reservation.state.in_(OPEN),
            ~stock.sellable_rows(vietnam_day(now)),
        )
        .limit(1)
    )
    if code is not None:
        raise NotToBeSent(
            _(
                "Lot %(code)s was stopped or has expired: do not send it. "
                "Pack goods of another lot, or decline the order and tell the buyer why.",
                code=code,
            )
        )


def deliver(
    session: Session, order: Order, part: SellerOrder, *, actor: Actor, now: datetime
) -> bool:
    """Say that the buyer has the goods; cash due on delivery is collected with them.

    Whoever brought them holds the cash: the carrier until it hands it over, else the producer.
    """
    moves.lock(session, order.id)
    moved = moves.move(session, part, Verb.DELIVER, actor=actor, now=now, delivered_at=now)
    if moved:
        by_carrier = part.delivery_kind in CARRIED
        custody = Custody.CARRIER if by_carrier else Custody.PRODUCER
        payments.collect(session, part.id, custody=custody, now=now)
    return moved
