"""The moves of an order's parts: each a row of the table, a line of history, a piece of news.

Locks are taken in one order everywhere: order, its parts, then stock rows.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM, Actor, describe, record
from core import events
from core.errors import Conflict
from core.i18n import lazy as _
from shop.order_states import (
    MOVES,
    TERMINAL,
    TOLD_AT_THE_DESK,
    UNPAID_OR_ENDED,
    Ended,
    OrderState,
    SellerOrderState,
    Verb,
)
from shop.orders import Order, OrderEvent, SellerOrder

describe(
    {
        "order.accept": _("accepted an order"),
        "order.decline": _("declined an order"),
        "order.cancel": _("cancelled an order"),
        "order.pack": _("packed an order"),
        "order.ship": _("sent an order"),
        "order.fail_delivery": _("could not hand an order over"),
        "order.redeliver": _("took an order to its buyer again"),
        "order.send_back": _("let an order come back"),
        "order.receive_back": _("took an order back"),
        "order.lose": _("gave an order up as lost"),
        "order.deliver": _("handed an order over"),
        "order.complete": _("closed an order"),
        "order.cut": _("took goods out of an order"),
        "order.freeze": _("stopped an order because of a dispute"),
        "order.unfreeze": _("let a stopped order go on"),
    }
)


# While a bank disputes the money, nothing leaves the house and nothing is closed.
STOPPED_BY_DISPUTE = frozenset(
    {
        Verb.ACCEPT,
        Verb.DECLINE,
        Verb.CANCEL,
        Verb.TIME_OUT,
        Verb.PACK,
        Verb.SHIP,
        Verb.COMPLETE,
    }
)


class TooLate(Conflict):
    """The part has moved on; what was asked fits an earlier moment."""


class Disputed(TooLate):
    """The buyer's bank disputes the money: the order stands still until that is decided."""


@dataclass(frozen=True, slots=True)
class PartMoved:
    """Something happened to a part of an order; `before` and `after` are equal for a mere note."""

    order_id: int
    part_id: int
    verb: Verb
    before: SellerOrderState | None
    after: SellerOrderState
    now: datetime


def lock(session: Session, order_id: int) -> None:
    """Let one transaction at a time move the parts of an order; what was read before is re-read.

    SQLite writers are alone anyway. The row lock only keeps two movers of PostgreSQL from judging
    the whole order by halves of it; each move still checks and changes in one statement.
    """
    session.execute(select(Order.id).where(Order.id == order_id).with_for_update(key_share=True))
    session.expire_all()


def move(
    session: Session,
    part: SellerOrder,
    verb: Verb,
    *,
    actor: Actor,
    now: datetime,
    only_if: tuple[Any, ...] = (),
    detail: dict[str, Any] | None = None,
    **values: Any,
) -> bool:
    """Make one move of the table, with its event; the caller holds the order's lock.

    Returns False when the part already stands where the move leads: repeating is harmless.
    Raises TooLate when the table, or `only_if` beside it, does not allow it now.
    """
    from_states, to_state = MOVES[verb]
    before = part.state
    if before == to_state and verb is not Verb.REVIVE:
        return False
    if before not in from_states:
        raise TooLate(_("This order has moved on meanwhile. Look at it again."))
    if verb in STOPPED_BY_DISPUTE and session.get_one(Order, part.order_id).frozen:
        raise Disputed(_("The buyer's bank disputes this payment. Do not send anything yet."))
    changed = session.execute(
        update(SellerOrder)
        .where(SellerOrder.id == part.id, SellerOrder.state == before, *only_if)
        .values(state=to_state, **values)
        .execution_options(synchronize_session=False)
    )
    session.refresh(part)
    if cast("CursorResult[Any]", changed).rowcount == 0:
        raise TooLate(_("This order has moved on meanwhile. Look at it again."))
    _write_down(session, part, verb, actor=actor, now=now, before=before, detail=detail)
    _settle(session, part.order_id, now=now)
    events.publish(session, PartMoved(part.order_id, part.id, verb, before, part.state, now))
    return True


def note(
    session: Session,
    part: SellerOrder,
    verb: Verb,
    *,
    actor: Actor,
    now: datetime,
    before: SellerOrderState | None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write down what happened to a part, with who did it, and tell who listens."""
    _write_down(session, part, verb, actor=actor, now=now, before=before, detail=detail)
    events.publish(session, PartMoved(part.order_id, part.id, verb, before, part.state, now))


def _write_down(
    session: Session,
    part: SellerOrder,
    verb: Verb,
    *,
    actor: Actor,
    now: datetime,
    before: SellerOrderState | None,
    detail: dict[str, Any] | None,
) -> None:
    session.add(
        OrderEvent(
            order_id=part.order_id,
            seller_order_id=part.id,
            at=now,
            verb=verb,
            from_state=before,
            to_state=part.state,
            actor_id=actor.user_id,
            actor_name=actor.name,
            on_behalf_of=actor.on_behalf_of,
            detail=detail or {},
        )
    )
    if actor.user_id is not None and verb in TOLD_AT_THE_DESK:
        code = session.get_one(Order, part.order_id).code
        record(session, actor, f"order.{verb}", f"order:{code}", now=now, order=code)


def _settle(session: Session, order_id: int, *, now: datetime) -> None:
    """Make the whole order's state follow from its parts; nothing else writes it."""
    order = session.get_one(Order, order_id)
    parts = session.execute(
        select(SellerOrder.state, SellerOrder.ended).where(SellerOrder.order_id == order_id)
    ).all()
    before = order.state
    after = _state_of(before, {part.state for part in parts}, {part.ended for part in parts})
    if after == before:
        return
    session.execute(
        update(Order)
        .where(Order.id == order_id, Order.state == before)
        .values(state=after)
        .execution_options(synchronize_session=False)
    )
    session.refresh(order)
    session.add(
        OrderEvent(
            order_id=order_id,
            at=now,
            verb=Verb.SETTLE,
            from_state=before,
            to_state=after,
            actor_name=SYSTEM.name,
            detail={},
        )
    )


def _state_of(
    before: OrderState, states: set[SellerOrderState], ended: set[Ended | None]
) -> OrderState:
    if states == {SellerOrderState.CANCELLED}:
        if before is not OrderState.PENDING_PAYMENT:
            return before if before is not OrderState.PLACED else OrderState.CANCELLED
        return OrderState.EXPIRED if ended == {Ended.EXPIRED} else OrderState.CANCELLED
    if states <= TERMINAL:
        return OrderState.CLOSED
    return before if states <= UNPAID_OR_ENDED else OrderState.PLACED
