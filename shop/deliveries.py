"""When a parcel does not arrive: tried again, sent back, taken back or lost; goods and money exact.

A carrier's word proposes a move of the part; the table of the part's moves decides.
"""

import enum
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog import stock
from catalog.products import OcopGroup, Product
from catalog.stock import StockItem, Why
from core.errors import Invalid, Refusal
from core.i18n import lazy as _
from core.money import ZERO
from core.text import clean
from shop import fulfilment, moves, orders, shipments
from shop.carriers.carrier import Stage
from shop.order_states import SellerOrderState, Verb
from shop.orders import Order, OrderLine, SellerOrder
from shop.payments import payments, refunds
from shop.payments.refunds import RefundReason

LONGEST_WHY = 300
# Food that was on the road is not sold again unless somebody looked at it and says so.
NOT_SOLD_AGAIN = frozenset({OcopGroup.FOOD, OcopGroup.BEVERAGE, OcopGroup.HERBAL})


class Back(enum.StrEnum):
    """What becomes of goods that came back."""

    RESTOCK = "restock"
    WRITE_OFF = "write_off"


class NoReason(Invalid):
    """The other side has to know why."""


class UnknownLine(Invalid):
    """Every line that comes back needs a decision, and no other."""


def fail_delivery(
    session: Session,
    order: Order,
    part: SellerOrder,
    *,
    why: str,
    actor: Actor,
    now: datetime,
) -> bool:
    """Say that the parcel could not be handed over; attempts are counted. Raises NoReason."""
    told = _why(why)
    moves.lock(session, order.id)
    return moves.move(
        session,
        part,
        Verb.FAIL_DELIVERY,
        actor=actor,
        now=now,
        detail={"why": told},
        failed_attempts=SellerOrder.failed_attempts + 1,
    )


def redeliver(
    session: Session, order: Order, part: SellerOrder, *, actor: Actor, now: datetime
) -> bool:
    """Take the parcel to its buyer once more."""
    moves.lock(session, order.id)
    return moves.move(session, part, Verb.REDELIVER, actor=actor, now=now)


def send_back(
    session: Session,
    order: Order,
    part: SellerOrder,
    *,
    why: str,
    actor: Actor,
    now: datetime,
) -> bool:
    """Give up bringing it: the parcel goes back to its producer. Raises NoReason."""
    told = _why(why)
    moves.lock(session, order.id)
    return moves.move(session, part, Verb.SEND_BACK, actor=actor, now=now, detail={"why": told})


def _why(text: str) -> str:
    told = clean(text)[:LONGEST_WHY]
    if not told:
        raise NoReason(_("Say why; the buyer reads it."), field="why")
    return told


def default_back(session: Session, lines: list[OrderLine]) -> dict[int, Back]:
    """Return what is proposed for each line: food is written off, the rest goes on the shelf."""
    groups = {line.product_id: session.get_one(Product, line.product_id).group for line in lines}
    return {
        line.id: Back.WRITE_OFF if groups[line.product_id] in NOT_SOLD_AGAIN else Back.RESTOCK
        for line in lines
        if line.wanted
    }


def receive_back(
    session: Session,
    order: Order,
    part: SellerOrder,
    *,
    back: Mapping[int, Back],
    own_fault: bool = False,
    actor: Actor,
    now: datetime,
) -> bool:
    """Take the parcel back: each line is on the shelf again or written off, the money settled.

    Cash that was due is due no more. Of what was paid before, the goods are owed back, and the
    delivery fee too where it was the producer's own fault. Raises UnknownLine unless `back` says
    something of every line that was sent, and of no other.
    """
    moves.lock(session, order.id)
    lines = [line for line in orders.list_lines(session, [part.id]) if line.wanted]
    if set(back) != {line.id for line in lines}:
        raise UnknownLine(_("Say of every line whether it can be sold again."), field="back")
    moved = moves.move(
        session,
        part,
        Verb.RECEIVE_BACK,
        actor=actor,
        now=now,
        detail={"back": {str(line_id): word for line_id, word in back.items()}},
    )
    if not moved:
        return False
    _take_in(session, order, lines, back, actor=actor, now=now)
    payments.end_due(session, part.id)
    _owe_back(
        session,
        part,
        lines,
        with_fee=own_fault,
        reason=RefundReason.RETURNED,
        actor=actor,
        now=now,
    )
    return True


def _take_in(
    session: Session,
    order: Order,
    lines: list[OrderLine],
    back: Mapping[int, Back],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Move every piece from the road to the shelf it left from, and off again if written off."""
    taken = orders.lots_of_lines(session, [line.id for line in lines])
    pieces = sorted(
        (pick.stock_id, line.id, pick.quantity) for line in lines for pick in taken[line.id]
    )
    for stock_id, line_id, quantity in pieces:
        item = session.get_one(StockItem, stock_id)
        by = {"now": now, "actor_id": actor.user_id, "note": order.code}
        stock.move(session, item, quantity, why=Why.RETURNED, **by)  # type: ignore[arg-type]
        if back[line_id] is Back.WRITE_OFF:
            stock.move(session, item, -quantity, why=Why.LOSS, **by)  # type: ignore[arg-type]
    for line in lines:
        line.quantity_returned = line.wanted
    session.flush()


def _owe_back(
    session: Session,
    part: SellerOrder,
    lines: list[OrderLine],
    *,
    with_fee: bool,
    reason: RefundReason,
    actor: Actor,
    now: datetime,
) -> None:
    """Owe back what was paid for the goods, and for carriage `with_fee`; no more than is left."""
    left = refunds.left_of(session, part)
    goods = part.items_total - part.discount_total
    fee = part.shipping_fee - part.shipping_discount if with_fee else ZERO
    amount = min(left, goods + fee)
    if amount <= ZERO:
        return
    refunds.request_of_part(
        session,
        part,
        amount,
        reason=reason,
        actor=actor,
        now=now,
        lines={line.id: line.amount - line.discount for line in lines},
        shipping=max(ZERO, min(fee, amount - goods)),
    )


def lose(
    session: Session,
    order: Order,
    part: SellerOrder,
    *,
    claim: str,
    actor: Actor,
    now: datetime,
) -> bool:
    """Give a parcel up as lost: written off, all that was paid owed back, the claim noted.

    For staff. The goods left the shelf when they were sent, so nothing moves there. Raises
    NoReason without a word on the claim against the carrier.
    """
    told = _why(claim)
    moves.lock(session, order.id)
    moved = moves.move(
        session,
        part,
        Verb.LOSE,
        actor=actor,
        now=now,
        detail={"why": told, "worth": part.items_total.dong},
    )
    if not moved:
        return False
    parcel = shipments.find_current(session, part.id)
    if parcel is not None:
        parcel.claim = told
    payments.end_due(session, part.id)
    _owe_back(
        session,
        part,
        [line for line in orders.list_lines(session, [part.id]) if line.wanted],
        with_fee=True,
        reason=RefundReason.LOST,
        actor=actor,
        now=now,
    )
    return True


_S = SellerOrderState
# What must be done, from where a part stands, so that it stands where its parcel is said to be.
# Carriers skip words, so a proposal may be several verbs; an empty one: it stands there already.
PROPOSALS: dict[Stage, dict[SellerOrderState, tuple[Verb, ...]]] = {
    Stage.PICKED_UP: {_S.READY: (Verb.SHIP,), _S.SHIPPED: ()},
    Stage.IN_TRANSIT: {_S.READY: (Verb.SHIP,), _S.SHIPPED: (), _S.DELIVERY_FAILED: ()},
    Stage.OUT_FOR_DELIVERY: {
        _S.READY: (Verb.SHIP,),
        _S.SHIPPED: (),
        _S.DELIVERY_FAILED: (Verb.REDELIVER,),
    },
    Stage.WAITING_REDELIVERY: {
        _S.READY: (Verb.SHIP, Verb.FAIL_DELIVERY),
        _S.SHIPPED: (Verb.FAIL_DELIVERY,),
        _S.DELIVERY_FAILED: (),
    },
    Stage.DELIVERED: {
        _S.READY: (Verb.SHIP, Verb.DELIVER),
        _S.SHIPPED: (Verb.DELIVER,),
        _S.DELIVERY_FAILED: (Verb.REDELIVER, Verb.DELIVER),
        _S.DELIVERED: (),
        _S.COMPLETED: (),
    },
    Stage.RETURNING: {
        _S.READY: (Verb.SHIP, Verb.FAIL_DELIVERY, Verb.SEND_BACK),
        _S.SHIPPED: (Verb.FAIL_DELIVERY, Verb.SEND_BACK),
        _S.DELIVERY_FAILED: (Verb.SEND_BACK,),
        _S.RETURNING: (),
        _S.RETURNED: (),
    },
}
# The producer has the parcel in hand only when it says so: the goods need its eyes.
PROPOSALS[Stage.RETURNED] = PROPOSALS[Stage.RETURNING]


def propose(
    session: Session,
    order: Order,
    part: SellerOrder,
    stage: Stage,
    *,
    why: str,
    actor: Actor,
    now: datetime,
) -> bool:
    """Bring a part to where its parcel is said to be, if its table allows; else change nothing.

    The caller holds the order's lock. False means a person has to look: the carrier says what
    does not fit this order, or the goods may not leave.
    """
    if stage not in PROPOSALS:
        return stage in {Stage.CREATED, Stage.CANCELLED}
    verbs = PROPOSALS[stage].get(part.state)
    if verbs is None:
        return False
    try:
        with session.begin_nested():
            for verb in verbs:
                _do(session, order, part, verb, why=why, actor=actor, now=now)
    except Refusal:
        session.refresh(part)
        return False
    return True


def _do(
    session: Session,
    order: Order,
    part: SellerOrder,
    verb: Verb,
    *,
    why: str,
    actor: Actor,
    now: datetime,
) -> None:
    if verb is Verb.SHIP:
        fulfilment.ship(session, order, part, actor=actor, now=now)
    elif verb is Verb.DELIVER:
        fulfilment.deliver(session, order, part, actor=actor, now=now)
    elif verb is Verb.REDELIVER:
        redeliver(session, order, part, actor=actor, now=now)
    elif verb is Verb.FAIL_DELIVERY:
        fail_delivery(session, order, part, why=why, actor=actor, now=now)
    else:
        send_back(session, order, part, why=why, actor=actor, now=now)
