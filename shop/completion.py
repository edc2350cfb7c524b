"""How a delivered part ends well: the buyer says so, or the time for complaints runs out.

The producer's account hears of it as of every move, in the same transaction.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM, Actor
from catalog.lots import Lot
from catalog.products import Product
from catalog.stock import Reservation, StockItem
from core.db import Database
from core.errors import Conflict
from core.i18n import lazy as _
from shop import moves
from shop.moves import PartMoved, TooLate
from shop.order_states import SellerOrderState, Verb
from shop.orders import LineHold, Order, OrderLine, SellerOrder

FRESH, DRY = timedelta(hours=48), timedelta(days=7)
# What keeps no longer than this is fresh: a complaint about it can only be judged at once.
FRESH_KEEPS = timedelta(days=21)
# Drawings of goods that are sold fresh, for goods whose lots name no dates.
FRESH_MOTIFS = frozenset(
    {
        *("rau", "bap-cai", "ca-chua", "cu", "mang", "nam"),
        *("buoi", "cam", "chuoi", "dua", "nho", "trai-cay", "hoa"),
        *("ca", "hai-san", "thit", "lon", "ga", "trung", "sua"),
        *("nem", "gio-cha", "dau-phu", "banh-chung"),
    }
)
AT_ONCE = 500


class Frozen(Conflict):
    """A dispute stops this order: it is not closed before that is settled."""


def complete(
    session: Session, order: Order, part: SellerOrder, *, actor: Actor, now: datetime
) -> bool:
    """Close a delivered part for good; False when it was closed before.

    Raises TooLate when it is not delivered, Frozen while a dispute stops the order.
    """
    moves.lock(session, order.id)
    if order.frozen:
        raise Frozen(_("This order is stopped until the dispute is settled."))
    return moves.move(session, part, Verb.COMPLETE, actor=actor, now=now)


def open_claim_window(session: Session, news: PartMoved) -> None:
    """Give a part that was just delivered the time in which something may be claimed."""
    if news.verb is not Verb.DELIVER:
        return
    session.execute(
        update(SellerOrder)
        .where(SellerOrder.id == news.part_id)
        .values(claim_until=news.now + claim_window(session, news.part_id))
        .execution_options(synchronize_session=False)
    )
    session.refresh(session.get_one(SellerOrder, news.part_id), ["claim_until"])


def claim_window(session: Session, part_id: int) -> timedelta:
    """Return how long a part may be complained about: of several goods the longest counts."""
    rows = session.execute(
        select(OrderLine.id, Product.motif, Lot.produced_on, Lot.expires_on)
        .join(Product, Product.id == OrderLine.product_id)
        .outerjoin(LineHold, LineHold.line_id == OrderLine.id)
        .outerjoin(Reservation, Reservation.id == LineHold.reservation_id)
        .outerjoin(StockItem, StockItem.id == Reservation.stock_id)
        .outerjoin(Lot, Lot.id == StockItem.lot_id)
        .where(OrderLine.seller_order_id == part_id)
    ).all()
    return FRESH if rows and all(_is_fresh(row) for row in rows) else DRY


def _is_fresh(row: Any) -> bool:
    if row.produced_on is not None and row.expires_on is not None:
        return bool(row.expires_on - row.produced_on <= FRESH_KEEPS)
    return row.motif in FRESH_MOTIFS


def complete_due(database: Database, now: datetime) -> None:
    """Close every delivered part whose time for claims is over; twice or late is safe."""
    for part_id in _due(database, now):
        with database.transaction() as session:
            part = session.get_one(SellerOrder, part_id)
            order = session.get_one(Order, part.order_id)
            try:
                complete(session, order, part, actor=SYSTEM, now=now)
            except (TooLate, Frozen):
                # Moved or stopped by a dispute since the list was read.
                continue


def _due(database: Database, now: datetime) -> Collection[int]:
    over = or_(
        SellerOrder.claim_until <= now,
        and_(SellerOrder.claim_until.is_(None), SellerOrder.delivered_at <= now - DRY),
    )
    with database.reading() as session:
        return session.scalars(
            select(SellerOrder.id)
            .join(Order, Order.id == SellerOrder.order_id)
            .where(SellerOrder.state == SellerOrderState.DELIVERED, over, ~Order.frozen)
            .order_by(SellerOrder.id)
            .limit(AT_ONCE)
        ).all()
