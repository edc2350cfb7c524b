"""Proof that the shelf is right: what lies there, what is set aside and what has left."""

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from catalog.stock import OPEN, HoldState, Reservation, StockItem, StockMovement, Why
from shop.order_states import SellerOrderState as State
from shop.orders import LineHold, OrderLine, SellerOrder

HELD = (State.PENDING,)
COMMITTED = (State.TO_CONFIRM, State.PREPARING, State.READY)
GONE = (
    State.SHIPPED,
    State.DELIVERED,
    State.DELIVERY_FAILED,
    State.RETURNING,
    State.RETURNED,
    State.COMPLETED,
)


def _never_oversold(session: Session) -> Iterator[str]:
    """I1: what is set aside lies on the shelf."""
    wrong = or_(StockItem.reserved < 0, StockItem.reserved > StockItem.on_hand)
    for item in session.scalars(select(StockItem).where(wrong).order_by(StockItem.id)):
        yield f"stock {item.id}: {item.reserved} reserved of {item.on_hand} on hand"


def _reserved_is_the_sum_of_holds(session: Session) -> Iterator[str]:
    """I2: what is set aside is the sum of what it is set aside for."""
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
        .order_by(StockItem.id)
    )
    for stock_id, reserved, sum_of_holds in rows:
        yield f"stock {stock_id}: {reserved} reserved, but holds add up to {sum_of_holds}"


def _on_hand_is_the_sum_of_movements(session: Session) -> Iterator[str]:
    """I3: what lies on the shelf is what came less what went."""
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
        .order_by(StockItem.id)
    )
    for stock_id, on_hand, sum_of_moves in rows:
        yield f"stock {stock_id}: {on_hand} on hand, but movements add up to {sum_of_moves}"


def _holds_fit_the_states(session: Session) -> Iterator[str]:
    """I4: goods are held, committed or gone as their part is, and free when it was cancelled."""
    for states, hold in (
        (HELD, HoldState.HELD),
        (COMMITTED, HoldState.COMMITTED),
        (GONE, HoldState.CONSUMED),
    ):
        for line_id, wanted, held in session.execute(_held_of_lines(states, (hold,))):
            yield f"line {line_id}: {wanted} ordered, but {held} {hold}"
    for line_id, _wanted, gone in session.execute(
        _held_of_lines((*HELD, *COMMITTED), (HoldState.CONSUMED,), expected=False)
    ):
        yield f"line {line_id}: not sent yet, but {gone} have left the shelf"
    for line_id, _wanted, held in session.execute(_held_of_lines(GONE, OPEN, expected=False)):
        yield f"line {line_id}: sent, but {held} are still set aside"
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
        .order_by(OrderLine.id)
    )


def _what_left_was_set_aside(session: Session) -> Iterator[str]:
    """I4: every piece that left for a buyer ended a reservation, and every ended one left."""
    consumed = (
        select(Reservation.stock_id, func.sum(Reservation.quantity).label("pieces"))
        .where(Reservation.state == HoldState.CONSUMED)
        .group_by(Reservation.stock_id)
        .subquery()
    )
    shipped = (
        select(StockMovement.stock_id, func.sum(StockMovement.delta).label("pieces"))
        .where(StockMovement.why == Why.SHIPPED)
        .group_by(StockMovement.stock_id)
        .subquery()
    )
    set_aside = func.coalesce(consumed.c.pieces, 0)
    left = func.coalesce(shipped.c.pieces, 0)
    for stock_id, pieces, moved in session.execute(
        select(StockItem.id, set_aside, left)
        .outerjoin(consumed, consumed.c.stock_id == StockItem.id)
        .outerjoin(shipped, shipped.c.stock_id == StockItem.id)
        .where(set_aside + left != 0)
        .order_by(StockItem.id)
    ):
        yield f"stock {stock_id}: {pieces} were set aside and left, but {-moved} went out"


def _only_what_was_sent_comes_back(session: Session) -> Iterator[str]:
    """I14: nothing is sent beyond what is wanted, nothing comes back beyond what was sent."""
    for line_id in session.scalars(
        select(OrderLine.id)
        .join(SellerOrder, SellerOrder.id == OrderLine.seller_order_id)
        .where(
            or_(
                OrderLine.quantity_cancelled > OrderLine.quantity,
                OrderLine.quantity_returned > OrderLine.quantity - OrderLine.quantity_cancelled,
                (OrderLine.quantity_returned > 0) & SellerOrder.state.not_in(GONE),
            )
        )
        .order_by(OrderLine.id)
    ):
        yield f"line {line_id}: more came back than was sent, or more was taken out than ordered"


CHECKS: dict[str, Callable[[Session], Iterator[str]]] = {
    "nothing is sold twice": _never_oversold,
    "reserved is the sum of holds": _reserved_is_the_sum_of_holds,
    "on hand is the sum of movements": _on_hand_is_the_sum_of_movements,
    "holds fit the states": _holds_fit_the_states,
    "what left was set aside": _what_left_was_set_aside,
    "only what was sent comes back": _only_what_was_sent_comes_back,
}
