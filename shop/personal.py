"""What the shop holds of a buyer, and how it forgets: at their wish, or when years are over.

An order stays with its goods, amounts, days, province and commune; name, phone, e-mail, street and
notes go. It is then nobody's order.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from accounts.own_data import GONE, StillNeeded
from catalog import places
from core.db import Database
from core.i18n import lazy as _
from shop.addresses import Address
from shop.carts import Cart, CartLine
from shop.complaints import Complaint, ComplaintState, ComplaintWord, Side
from shop.later import LaterLine, owner_of
from shop.order_states import OrderState
from shop.orders import Order, OrderEvent, OrderLine, SellerOrder
from shop.returns import ReturnRequest
from shop.reviews import Review
from shop.saved import SavedGoods

# The law wants contracts kept three years; accounts are asked after for five.
ORDERS_KEPT = timedelta(days=5 * 366)
COMPLAINTS_KEPT = timedelta(days=3 * 366)
AT_ONCE = 2_000
CLOSED_LINK = "gone"
UNDER_WAY = frozenset({OrderState.PENDING_PAYMENT, OrderState.PLACED})


def tell(session: Session, user_id: int) -> dict[str, Any]:
    """Return the orders, addresses, saved goods, reviews and complaints of a person."""
    own = session.scalars(select(Order).where(Order.user_id == user_id).order_by(Order.id)).all()
    reviews = session.scalars(
        select(Review)
        .join(OrderLine, OrderLine.id == Review.line_id)
        .join(SellerOrder, SellerOrder.id == OrderLine.seller_order_id)
        .join(Order, Order.id == SellerOrder.order_id)
        .where(Order.user_id == user_id)
    ).all()
    return {
        "orders": [_told(session, order) for order in own],
        "addresses": [
            {"name": one.name, "phone": one.phone, "street": one.street, "ward": one.commune_code}
            for one in session.scalars(select(Address).where(Address.user_id == user_id))
        ],
        "saved_goods": list(
            session.scalars(select(SavedGoods.product_id).where(SavedGoods.user_id == user_id))
        ),
        "reviews": [{"stars": one.stars, "words": one.words} for one in reviews],
        "complaints": [
            {
                "code": one.code,
                "filed": one.filed_at.isoformat(),
                "words": list(
                    session.scalars(
                        select(ComplaintWord.words)
                        .where(ComplaintWord.complaint_id == one.id)
                        .order_by(ComplaintWord.id)
                    )
                ),
            }
            for one in session.scalars(select(Complaint).where(Complaint.user_id == user_id))
        ],
    }


def _told(session: Session, order: Order) -> dict[str, Any]:
    lines = session.scalars(
        select(OrderLine)
        .join(SellerOrder, SellerOrder.id == OrderLine.seller_order_id)
        .where(SellerOrder.order_id == order.id)
        .order_by(OrderLine.id)
    )
    return {
        "code": order.code,
        "placed": order.placed_at.isoformat(),
        "state": order.state.value,
        "name": order.buyer_name,
        "phone": order.buyer_phone,
        "email": order.buyer_email,
        "address": order.address_text,
        "note": order.note,
        "total": order.total.dong,
        "goods": [{"name": one.product_name, "quantity": one.quantity} for one in lines],
    }


def erase(session: Session, user_id: int, now: datetime) -> None:  # noqa: ARG001 - every eraser's shape
    """Forget a buyer; raises StillNeeded while an order or a complaint of theirs is under way."""
    under_way = session.scalar(
        select(Order.code).where(Order.user_id == user_id, Order.state.in_(UNDER_WAY)).limit(1)
    )
    if under_way is not None:
        raise StillNeeded(
            _("Order %(code)s is under way: the account can go once it is closed.", code=under_way)
        )
    open_complaint = session.scalar(
        select(Complaint.code)
        .where(Complaint.user_id == user_id, Complaint.state != ComplaintState.CLOSED)
        .limit(1)
    )
    if open_complaint is not None:
        raise StillNeeded(
            _("Complaint %(code)s is not settled: the account can go once it is closed.",
              code=open_complaint)
        )  # fmt: skip
    forget_buyers(session, session.scalars(select(Order).where(Order.user_id == user_id)).all())
    _forget_complaints(session, session.scalars(
        select(Complaint.id).where(Complaint.user_id == user_id)
    ).all())  # fmt: skip
    carts = select(Cart.id).where(Cart.user_id == user_id)
    session.execute(delete(CartLine).where(CartLine.cart_id.in_(carts.scalar_subquery())))
    session.execute(update(Cart).where(Cart.user_id == user_id).values(user_id=None))
    session.execute(delete(LaterLine).where(LaterLine.owner == owner_of(user_id, None)))
    session.execute(delete(SavedGoods).where(SavedGoods.user_id == user_id))
    session.execute(delete(Address).where(Address.user_id == user_id))


def forget_buyers(session: Session, found: Sequence[Order]) -> None:
    """Take the buyers' names, phones, streets and words out of these orders; the orders stay."""
    buyers = {order.user_id for order in found}
    for order in found:
        order.user_id, order.buyer_email, order.note = None, None, None
        order.buyer_name, order.buyer_folded, order.buyer_phone = GONE, "", ""
        order.street = GONE
        order.address_text = places.place_name(session, order.commune_code, order.province_code)
        # A link that was sent opens nothing any more.
        order.token_hash = CLOSED_LINK
    session.flush()
    ids = [order.id for order in found]
    parts = select(SellerOrder.id).where(SellerOrder.order_id.in_(ids))
    lines = select(OrderLine.id).where(OrderLine.seller_order_id.in_(parts))
    for statement in (
        update(OrderEvent)
        .where(OrderEvent.order_id.in_(ids), OrderEvent.actor_id.in_(buyers))
        .values(actor_name=GONE, actor_id=None),
        update(ReturnRequest)
        .where(ReturnRequest.order_id.in_(ids))
        .values(words=GONE, pay_to=None, photo_keys=[]),
        update(Review).where(Review.line_id.in_(lines)).values(author=GONE, photo_keys=[]),
    ):
        session.execute(statement.execution_options(synchronize_session=False))


def forget_old(database: Database, now: datetime) -> None:
    """Forget the buyers of orders, and who complained, when the years of keeping are over."""
    with database.transaction() as session:
        old = session.scalars(
            select(Order)
            .where(
                Order.placed_at < now - ORDERS_KEPT,
                Order.buyer_name != GONE,
                Order.state.not_in(UNDER_WAY),
            )
            .limit(AT_ONCE)
        ).all()
        forget_buyers(session, old)
        closed = select(Complaint.id).where(
            Complaint.closed_at < now - COMPLAINTS_KEPT, Complaint.name != GONE
        )
        _forget_complaints(session, session.scalars(closed.limit(AT_ONCE)).all())


def _forget_complaints(session: Session, ids: Sequence[int]) -> None:
    gone: dict[str, Any] = {
        "name": GONE,
        "phone": None,
        "email": None,
        "user_id": None,
        "photo_keys": [],
    }
    session.execute(
        update(Complaint)
        .where(Complaint.id.in_(ids))
        .values(**gone)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(ComplaintWord)
        .where(ComplaintWord.complaint_id.in_(ids), ComplaintWord.side == Side.ASKER)
        .values(name=GONE, words=GONE)
        .execution_options(synchronize_session=False)
    )
