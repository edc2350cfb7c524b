"""Proof that orders are right: one for each cart, each move of the table, each with who made it."""

from collections.abc import Callable, Iterator

from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from shop.carts import Cart, CartState
from shop.order_states import MOVES, TERMINAL, OrderState, Verb
from shop.order_states import SellerOrderState as State
from shop.orders import Order, OrderEvent, OrderLine, SellerOrder


def _one_cart_one_order(session: Session) -> Iterator[str]:
    """I10: a cart is ordered once, and no order is without its cart."""
    for cart_id, number in session.execute(
        select(Order.cart_id, func.count()).group_by(Order.cart_id).having(func.count() > 1)
    ):
        yield f"cart {cart_id}: became {number} orders"
    for cart_id in session.scalars(
        select(Cart.id)
        .outerjoin(Order, Order.cart_id == Cart.id)
        .where(
            or_(
                and_(Cart.state == CartState.ORDERED, Order.id.is_(None)),
                and_(Cart.state == CartState.OPEN, Order.id.is_not(None)),
            )
        )
    ):
        yield f"cart {cart_id}: its state and its order disagree"


def _moves_are_in_the_table(session: Session) -> Iterator[str]:
    """I12: every change of a part is a move of the table, made by somebody, after the one before.

    What had ended stays ended (I13): the only way out of the table's ends is late money.
    """
    allowed = [
        (verb.value, before.value, after.value)
        for verb, (from_states, after) in MOVES.items()
        for before in from_states
    ]
    moved = OrderEvent.from_state != OrderEvent.to_state
    told = tuple_(OrderEvent.verb, OrderEvent.from_state, OrderEvent.to_state)
    of_parts = OrderEvent.seller_order_id.is_not(None)
    for event_id, part_id, verb in session.execute(
        select(OrderEvent.id, OrderEvent.seller_order_id, OrderEvent.verb)
        .where(of_parts, or_(moved & told.not_in(allowed), OrderEvent.actor_name == ""))
        .order_by(OrderEvent.id)
    ):
        yield f"event {event_id}: {verb} of part {part_id} is no move, or nobody made it"
    steps = (
        select(
            OrderEvent.id,
            OrderEvent.seller_order_id.label("part"),
            OrderEvent.from_state,
            func.lag(OrderEvent.to_state)
            .over(partition_by=OrderEvent.seller_order_id, order_by=OrderEvent.id)
            .label("before"),
        )
        .where(of_parts)
        .subquery()
    )
    for event_id, part_id in session.execute(
        select(steps.c.id, steps.c.part)
        .where(steps.c.from_state.is_distinct_from(steps.c.before))
        .order_by(steps.c.id)
    ):
        yield f"event {event_id}: part {part_id} did not stand where it moved from"


def _paid_or_ran_out(session: Session) -> Iterator[str]:
    """I17: a part was paid in time or ran out unpaid; both is only a revival by late money."""
    other = aliased(OrderEvent)
    for part_id in session.scalars(
        select(OrderEvent.seller_order_id)
        .join(other, other.seller_order_id == OrderEvent.seller_order_id)
        .where(OrderEvent.verb == Verb.PAY, other.verb == Verb.EXPIRE)
        .order_by(OrderEvent.seller_order_id)
    ):
        yield f"part {part_id}: was paid and ran out"
    for part_id in session.scalars(
        select(SellerOrder.id)
        .where(
            or_(
                (SellerOrder.state == State.CANCELLED) & SellerOrder.ended.is_(None),
                (SellerOrder.state != State.CANCELLED) & SellerOrder.ended.is_not(None),
            )
        )
        .order_by(SellerOrder.id)
    ):
        yield f"part {part_id}: its state and why it ended disagree"


def _clocks_run_where_they_should(session: Session) -> Iterator[str]:
    """I13: what waits for money or an answer has a clock, so that it ends one day."""
    for part_id in session.scalars(
        select(SellerOrder.id)
        .where(
            or_(
                (SellerOrder.state == State.PENDING) & SellerOrder.hold_expires_at.is_(None),
                (SellerOrder.state == State.TO_CONFIRM) & SellerOrder.confirm_by.is_(None),
                SellerOrder.state.in_(TERMINAL)
                & or_(
                    SellerOrder.hold_expires_at.is_not(None), SellerOrder.confirm_by.is_not(None)
                ),
            )
        )
        .order_by(SellerOrder.id)
    ):
        yield f"part {part_id}: waits without a clock, or ended with one running"


def _history_tells_the_state(session: Session) -> Iterator[str]:
    """I12: the history of a part, and of an order, ends where it stands."""
    for name, column, only, states in (
        ("part", OrderEvent.seller_order_id, OrderEvent.seller_order_id.is_not(None), SellerOrder),
        ("order", OrderEvent.order_id, OrderEvent.verb == Verb.SETTLE, Order),
    ):
        last = (
            select(column.label("thing"), func.max(OrderEvent.id).label("id"))
            .where(only)
            .group_by(column)
            .subquery()
        )
        for thing, told in session.execute(
            select(states.id, OrderEvent.to_state)
            .join(last, last.c.thing == states.id)
            .join(OrderEvent, OrderEvent.id == last.c.id)
            .where(OrderEvent.to_state != states.state)
        ):
            yield f"{name} {thing}: its history ends in {told}, it does not"
    for part_id in session.scalars(
        select(SellerOrder.id)
        .outerjoin(OrderEvent, OrderEvent.seller_order_id == SellerOrder.id)
        .where(OrderEvent.id.is_(None))
    ):
        yield f"part {part_id}: has no history"


def _order_follows_its_parts(session: Session) -> Iterator[str]:
    """I8: an order is as far as its parts are, and no order is without parts."""
    started = select(SellerOrder.order_id).where(
        SellerOrder.state.not_in([State.PENDING, State.CANCELLED])
    )
    alive = select(SellerOrder.order_id).where(SellerOrder.state != State.CANCELLED)
    running = select(SellerOrder.order_id).where(SellerOrder.state.not_in(TERMINAL))
    ended = Order.state.in_([OrderState.CANCELLED, OrderState.EXPIRED])
    closed = Order.state == OrderState.CLOSED
    for code in session.scalars(
        select(Order.code)
        .where(
            or_(
                and_(Order.id.in_(started), Order.state == OrderState.PENDING_PAYMENT),
                and_(Order.id.in_(alive), ended),
                and_(Order.id.not_in(alive), ~ended),
                and_(Order.id.in_(running), Order.state == OrderState.CLOSED),
                and_(Order.id.in_(alive), Order.id.not_in(running), ~closed),
            )
        )
        .order_by(Order.id)
    ):
        yield f"order {code}: its state does not follow from its parts"


def _parts_hold_their_lines(session: Session) -> Iterator[str]:
    """I16: every part has lines, and each line what was true on its day, whatever changed since."""
    lines = select(OrderLine.seller_order_id)
    for part_id in session.scalars(
        select(SellerOrder.id)
        .where(or_(SellerOrder.id.not_in(lines), SellerOrder.producer_name == ""))
        .order_by(SellerOrder.id)
    ):
        yield f"part {part_id}: has no lines, or no name of its producer"
    for line_id in session.scalars(
        select(OrderLine.id)
        .where(or_(OrderLine.product_name == "", OrderLine.unit == ""))
        .order_by(OrderLine.id)
    ):
        yield f"line {line_id}: does not say what was bought"


CHECKS: dict[str, Callable[[Session], Iterator[str]]] = {
    "one cart, one order": _one_cart_one_order,
    "every move is in the table": _moves_are_in_the_table,
    "paid in time, or ran out": _paid_or_ran_out,
    "what waits has a clock": _clocks_run_where_they_should,
    "history tells the state": _history_tells_the_state,
    "an order follows its parts": _order_follows_its_parts,
    "parts hold their lines": _parts_hold_their_lines,
}
