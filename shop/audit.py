"""Proof, on the live data, that stock, money and orders agree: nothing is repaired, all is told.

Every check asks for the rows that break one rule and says each in one line. An empty answer means
that the rule holds.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from catalog.stock import OPEN, HoldState, Reservation, StockItem, StockMovement
from core.money import ZERO
from shop.carts import Cart, CartState
from shop.orders import LineHold, Order, OrderEvent, OrderLine, OrderState, SellerOrder, Verb
from shop.orders import SellerOrderState as State
from shop.payments.payments import Payment, PaymentMethod, PaymentState

HELD = (State.PENDING,)
COMMITTED = (State.TO_CONFIRM, State.PREPARING, State.READY)
GONE = (State.SHIPPED, State.DELIVERED, State.DELIVERY_FAILED, State.RETURNING, State.COMPLETED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule with the thing that breaks it."""

    rule: str
    what: str


def find_faults(session: Session) -> list[Finding]:
    """Return every fault of the whole shop; none means that stock, money and orders are right."""
    return [Finding(rule, what) for rule, check in CHECKS.items() for what in check(session)]


def _never_oversold(session: Session) -> Iterator[str]:
    wrong = or_(StockItem.reserved < 0, StockItem.reserved > StockItem.on_hand)
    for item in session.scalars(select(StockItem).where(wrong)):
        yield f"stock {item.id}: {item.reserved} reserved of {item.on_hand} on hand"


def _reserved_is_the_sum_of_holds(session: Session) -> Iterator[str]:
    held = (
        select(Reservation.stock_id, func.sum(Reservation.quantity).label("held"))
        .where(Reservation.state.in_(OPEN))
        .group_by(Reservation.stock_id)
        .subquery()
    )
    total = func.coalesce(held.c.held, 0)
    rows = session.execute(
        select(StockItem.id, StockItem.reserved, total)
        .outerjoin(held, held.c.stock_id == StockItem.id)
        .where(StockItem.reserved != total)
    )
    for stock_id, reserved, sum_of_holds in rows:
        yield f"stock {stock_id}: {reserved} reserved, but holds add up to {sum_of_holds}"


def _on_hand_is_the_sum_of_movements(session: Session) -> Iterator[str]:
    moved = (
        select(StockMovement.stock_id, func.sum(StockMovement.delta).label("moved"))
        .group_by(StockMovement.stock_id)
        .subquery()
    )
    total = func.coalesce(moved.c.moved, 0)
    rows = session.execute(
        select(StockItem.id, StockItem.on_hand, total)
        .outerjoin(moved, moved.c.stock_id == StockItem.id)
        .where(StockItem.on_hand != total)
    )
    for stock_id, on_hand, sum_of_moves in rows:
        yield f"stock {stock_id}: {on_hand} on hand, but movements add up to {sum_of_moves}"


def _holds_fit_the_states(session: Session) -> Iterator[str]:
    for states, hold in (
        (HELD, HoldState.HELD),
        (COMMITTED, HoldState.COMMITTED),
        (GONE, HoldState.CONSUMED),
    ):
        for line_id, wanted, held in session.execute(_held_of_lines(states, (hold,))):
            yield f"line {line_id}: {wanted} ordered, but {held} {hold}"
    alive = (*OPEN, HoldState.CONSUMED)
    for line_id, _wanted, held in session.execute(
        _held_of_lines((State.CANCELLED,), alive, expected=False)
    ):
        yield f"line {line_id}: cancelled, but {held} are still held or gone"


def _held_of_lines(
    parts: Iterable[State], holds: Iterable[HoldState], *, expected: bool = True
) -> Select[int, int, int]:
    """Return the lines of parts in these states whose holds in those states do not fit."""
    held = (
        select(LineHold.line_id, func.sum(Reservation.quantity).label("held"))
        .join(Reservation, Reservation.id == LineHold.reservation_id)
        .where(Reservation.state.in_(list(holds)))
        .group_by(LineHold.line_id)
        .subquery()
    )
    total = func.coalesce(held.c.held, 0)
    return (
        select(OrderLine.id, OrderLine.quantity, total)
        .join(SellerOrder, SellerOrder.id == OrderLine.seller_order_id)
        .outerjoin(held, held.c.line_id == OrderLine.id)
        .where(
            SellerOrder.state.in_(list(parts)),
            total != OrderLine.quantity if expected else total != 0,
        )
    )


def _totals_add_up(session: Session) -> Iterator[str]:
    of_lines = (
        select(
            OrderLine.seller_order_id.label("part"),
            func.sum(OrderLine.unit_price * OrderLine.quantity).label("goods"),
        )
        .group_by(OrderLine.seller_order_id)
        .subquery()
    )
    rows = session.execute(
        select(SellerOrder.id, SellerOrder.total)
        .outerjoin(of_lines, of_lines.c.part == SellerOrder.id)
        .where(
            or_(
                of_lines.c.goods.is_(None),
                SellerOrder.items_total != of_lines.c.goods,
                SellerOrder.total != SellerOrder.items_total + SellerOrder.shipping_fee,
            )
        )
    )
    for part_id, amount in rows:
        yield f"part {part_id}: its total {amount.dong} is not its lines and delivery together"
    of_parts = (
        select(SellerOrder.order_id, func.sum(SellerOrder.total).label("total"))
        .group_by(SellerOrder.order_id)
        .subquery()
    )
    for code in session.scalars(
        select(Order.code)
        .outerjoin(of_parts, of_parts.c.order_id == Order.id)
        .where(or_(of_parts.c.total.is_(None), Order.total != of_parts.c.total))
    ):
        yield f"order {code}: its total is not its parts together"
    for payment_id in session.scalars(
        select(Payment.id)
        .join(SellerOrder, SellerOrder.id == Payment.seller_order_id)
        .where(Payment.amount != SellerOrder.total)
    ):
        yield f"payment {payment_id}: asks for another amount than its part costs"


def _prepaid_is_paid(session: Session) -> Iterator[str]:
    waiting = SellerOrder.state.in_([State.PENDING, State.CANCELLED])
    for part_id in session.scalars(
        select(SellerOrder.id)
        .join(Payment, Payment.seller_order_id == SellerOrder.id)
        .where(
            Payment.method == PaymentMethod.BANK_TRANSFER,
            ~waiting,
            or_(
                Payment.state != PaymentState.SUCCEEDED,
                Payment.captured - Payment.refunded < Payment.amount,
            ),
        )
    ):
        yield f"part {part_id}: goes on, but its transfer has not arrived"


def _money_of_ended_parts_goes_back(session: Session) -> Iterator[str]:
    for part_id in session.scalars(
        select(SellerOrder.id)
        .join(Payment, Payment.seller_order_id == SellerOrder.id)
        .where(
            SellerOrder.state == State.CANCELLED,
            Payment.captured != Payment.refunded + Payment.refund_due,
        )
    ):
        yield f"part {part_id}: cancelled, but its money is neither sent back nor owed back"
    for part_id in session.scalars(
        select(SellerOrder.id)
        .join(Payment, Payment.seller_order_id == SellerOrder.id)
        .where(SellerOrder.state != State.CANCELLED, Payment.refund_due > ZERO)
    ):
        yield f"part {part_id}: goes on, but its money is owed back"


def _one_cart_one_order(session: Session) -> Iterator[str]:
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


def _history_tells_the_state(session: Session) -> Iterator[str]:
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
    started = select(SellerOrder.order_id).where(
        SellerOrder.state.not_in([State.PENDING, State.CANCELLED])
    )
    alive = select(SellerOrder.order_id).where(SellerOrder.state != State.CANCELLED)
    ended = Order.state.in_([OrderState.CANCELLED, OrderState.EXPIRED])
    for code in session.scalars(
        select(Order.code).where(
            or_(
                and_(Order.id.in_(started), Order.state == OrderState.PENDING_PAYMENT),
                and_(Order.id.in_(alive), ended),
                and_(Order.id.not_in(alive), ~ended),
            )
        )
    ):
        yield f"order {code}: its state does not follow from its parts"


CHECKS: dict[str, Callable[[Session], Iterator[str]]] = {
    "nothing is sold twice": _never_oversold,
    "reserved is the sum of holds": _reserved_is_the_sum_of_holds,
    "on hand is the sum of movements": _on_hand_is_the_sum_of_movements,
    "holds fit the states": _holds_fit_the_states,
    "totals add up": _totals_add_up,
    "what was to be paid first is paid": _prepaid_is_paid,
    "money of ended parts goes back": _money_of_ended_parts_goes_back,
    "one cart, one order": _one_cart_one_order,
    "history tells the state": _history_tells_the_state,
    "an order follows its parts": _order_follows_its_parts,
}
