"""Proof, on the live data, that stock, money and orders agree: nothing is repaired, all is told.

Every check asks for the rows that break one rule and says each in one line. An empty answer means
that the rule holds.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from catalog.stock import OPEN, HoldState, Reservation, StockItem, StockMovement
from shop.carts import Cart, CartState
from shop.order_states import OrderState, Verb
from shop.order_states import SellerOrderState as State
from shop.orders import LineHold, Order, OrderEvent, OrderLine, SellerOrder
from shop.payments.payments import PREPAID, Payment, PaymentShare
from shop.payments.refunds import OPEN as REFUND_OPEN
from shop.payments.refunds import Refund, RefundReason, RefundState

HELD = (State.PENDING,)
COMMITTED = (State.TO_CONFIRM, State.PREPARING, State.READY)
# Money that went back after the parcel had left: the part goes on without it.
AFTER_SENDING = (
    RefundReason.RETURNED,
    RefundReason.LOST,
    RefundReason.DISPUTE,
    RefundReason.GOODWILL,
)
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
    wanted = OrderLine.quantity - OrderLine.quantity_cancelled
    return (
        select(OrderLine.id, wanted, total)
        .join(SellerOrder, SellerOrder.id == OrderLine.seller_order_id)
        .outerjoin(held, held.c.line_id == OrderLine.id)
        .where(
            SellerOrder.state.in_(list(parts)),
            total != wanted if expected else total != 0,
        )
    )


def _totals_add_up(session: Session) -> Iterator[str]:
    of_lines = (
        select(
            OrderLine.seller_order_id.label("part"),
            func.sum(
                OrderLine.unit_price * (OrderLine.quantity - OrderLine.quantity_cancelled)
            ).label("goods"),
            func.sum(OrderLine.discount_share - OrderLine.discount_cancelled).label("discount"),
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
                SellerOrder.discount_total != of_lines.c.discount,
                SellerOrder.total
                != SellerOrder.items_total
                - SellerOrder.discount_total
                + SellerOrder.shipping_fee
                - SellerOrder.shipping_discount,
            )
        )
    )
    for part_id, amount in rows:
        yield f"part {part_id}: its total {amount.dong} is not its lines and delivery together"
    shares = (
        select(PaymentShare.payment_id, func.sum(PaymentShare.amount).label("total"))
        .group_by(PaymentShare.payment_id)
        .subquery()
    )
    for payment_id in session.scalars(
        select(Payment.id)
        .outerjoin(shares, shares.c.payment_id == Payment.id)
        .where(or_(shares.c.total.is_(None), shares.c.total != Payment.amount))
    ):
        yield f"payment {payment_id}: its shares do not add up to what it asks for"


def _prepaid_is_paid(session: Session) -> Iterator[str]:
    """Compare what stays of the money of an order with what its living parts cost."""
    net = (
        select(
            Payment.order_id,
            func.sum(Payment.captured - Payment.refund_due - Payment.refunded).label("net"),
        )
        .where(Payment.method.in_([*PREPAID]))
        .group_by(Payment.order_id)
        .subquery()
    )
    gone_back = (
        select(Refund.seller_order_id, func.sum(Refund.amount).label("amount"))
        .where(Refund.reason.in_(AFTER_SENDING))
        .group_by(Refund.seller_order_id)
        .subquery()
    )
    owed = (
        select(
            SellerOrder.order_id,
            func.sum(SellerOrder.total - func.coalesce(gone_back.c.amount, 0)).label("owed"),
        )
        .outerjoin(gone_back, gone_back.c.seller_order_id == SellerOrder.id)
        .where(SellerOrder.state.not_in([State.PENDING, State.CANCELLED]))
        .group_by(SellerOrder.order_id)
        .subquery()
    )
    for code in session.scalars(
        select(Order.code)
        .join(owed, owed.c.order_id == Order.id)
        .outerjoin(net, net.c.order_id == Order.id)
        .where(Order.payment_method.in_([*PREPAID]), func.coalesce(net.c.net, 0) < owed.c.owed)
    ):
        yield f"order {code}: goes on, but its money has not arrived"


def _money_of_ended_parts_goes_back(session: Session) -> Iterator[str]:
    alive = select(PaymentShare.payment_id).join(
        SellerOrder, SellerOrder.id == PaymentShare.seller_order_id
    )
    for payment_id in session.scalars(
        select(Payment.id).where(
            Payment.id.not_in(alive.where(SellerOrder.state != State.CANCELLED)),
            Payment.captured != Payment.refunded + Payment.refund_due,
        )
    ):
        yield f"payment {payment_id}: all was cancelled, but its money is not owed back"


def _refunds_are_the_sums(session: Session) -> Iterator[str]:
    sums = (
        select(
            Refund.payment_id,
            func.sum(case((Refund.state.in_(list(REFUND_OPEN)), Refund.amount))).label("due"),
            func.sum(case((Refund.state == RefundState.SUCCEEDED, Refund.amount))).label("sent"),
        )
        .group_by(Refund.payment_id)
        .subquery()
    )
    for payment_id in session.scalars(
        select(Payment.id)
        .outerjoin(sums, sums.c.payment_id == Payment.id)
        .where(
            or_(
                Payment.refund_due != func.coalesce(sums.c.due, 0),
                Payment.refunded != func.coalesce(sums.c.sent, 0),
                Payment.refund_due + Payment.refunded > Payment.captured,
            )
        )
    ):
        yield f"payment {payment_id}: its refunds do not add up, or are more than came in"


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
    "refunds are what goes back": _refunds_are_the_sums,
    "one cart, one order": _one_cart_one_order,
    "history tells the state": _history_tells_the_state,
    "an order follows its parts": _order_follows_its_parts,
}
