"""A buyer's own orders: the list of an account, and how an order of before comes into it."""

import enum
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, record
from accounts.users import User
from core.i18n import lazy as _
from shop.lookup import NoMatch
from shop.order_states import OrderState
from shop.orders import Order, OrderLine, SellerOrder

PAGE = 20

describe({"order.claim": _("took an order into the account")})


class Heap(enum.StrEnum):
    """What a list of one's orders can be narrowed to; the values stand in the address."""

    UNPAID = "cho-thanh-toan"
    UNDER_WAY = "dang-xu-ly"
    DONE = "xong"
    CANCELLED = "da-huy"


STATES: dict[Heap, frozenset[OrderState]] = {
    Heap.UNPAID: frozenset({OrderState.PENDING_PAYMENT}),
    Heap.UNDER_WAY: frozenset({OrderState.PLACED}),
    Heap.DONE: frozenset({OrderState.CLOSED}),
    Heap.CANCELLED: frozenset({OrderState.CANCELLED, OrderState.EXPIRED}),
}


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """One order in the list: its parts with their states, and the goods of the first of them."""

    order: Order
    parts: list[SellerOrder]
    goods: list[str]


def heap_of(text: str | None) -> Heap | None:
    """Return the heap an address names, None for all orders."""
    return Heap(text) if text in set(Heap) else None


def list_page(
    session: Session, user_id: int, *, heap: Heap | None = None, before: int | None = None
) -> tuple[list[OwnOrder], int | None]:
    """Return one page of a person's orders, the newest first, and the mark of the next page."""
    wanted = select(Order).where(Order.user_id == user_id)
    if heap is not None:
        wanted = wanted.where(Order.state.in_(STATES[heap]))
    if before is not None:
        wanted = wanted.where(Order.id < before)
    found = session.scalars(wanted.order_by(Order.id.desc()).limit(PAGE + 1)).all()
    shown = found[:PAGE]
    parts: dict[int, list[SellerOrder]] = defaultdict(list)
    ids = [order.id for order in shown]
    for part in session.scalars(
        select(SellerOrder).where(SellerOrder.order_id.in_(ids)).order_by(SellerOrder.id)
    ):
        parts[part.order_id].append(part)
    goods = _goods(session, [part for own in parts.values() for part in own])
    page = [OwnOrder(order, parts[order.id], goods[order.id]) for order in shown]
    return page, shown[-1].id if len(found) > PAGE else None


def _goods(session: Session, parts: list[SellerOrder]) -> dict[int, list[str]]:
    order_of = {part.id: part.order_id for part in parts}
    goods: dict[int, list[str]] = defaultdict(list)
    rows = session.execute(
        select(OrderLine.seller_order_id, OrderLine.product_name, OrderLine.variant_name)
        .where(OrderLine.seller_order_id.in_(order_of))
        .order_by(OrderLine.id)
    )
    for part_id, product, variant in rows:
        goods[order_of[part_id]].append(f"{product} {variant}".strip())
    return goods


def claim(session: Session, order: Order, *, actor: Actor, now: datetime) -> None:
    """Take an order that was placed without an account into the account of `actor`.

    The caller made sure that it is this person's. One's own order changes nothing; another
    account's order is not found (NoMatch).
    """
    taken = session.scalar(
        update(Order)
        .where(Order.id == order.id, Order.user_id.is_(None))
        .values(user_id=actor.user_id)
        .returning(Order.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(order)
    if order.user_id != actor.user_id:
        raise NoMatch(_("No order has this code and these last four digits."))
    if taken is not None:
        record(session, actor, "order.claim", f"order:{order.code}", now=now)


def count_under_phone(session: Session, user: User) -> int:
    """Return how many orders without an account were placed with the person's proved phone."""
    return session.scalar(select(func.count()).select_from(_under_phone(user).subquery())) or 0


def claim_under_phone(session: Session, user: User, *, actor: Actor, now: datetime) -> int:
    """Take all of those orders into the account; return how many. An unproved phone gives none."""
    found = session.scalars(_under_phone(user).with_for_update(key_share=True)).all()
    for order in found:
        claim(session, order, actor=actor, now=now)
    return len(found)


def _under_phone(user: User) -> Select[Order]:
    # Whoever registers can type any number; only one that was called is believed.
    phone = user.phone if user.phone_proved_at is not None else None
    return select(Order).where(Order.user_id.is_(None), Order.buyer_phone == (phone or ""))
