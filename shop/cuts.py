"""Taking goods out of an order before the parcel leaves: a line made smaller, or dropped.

What the buyer owes shrinks by exactly those pieces with their own share of the discount; what was
paid for them goes back. Carriage stays as it was agreed, and nothing is ever added.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog import stock
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _
from core.money import ZERO, Money
from core.text import clean
from shop import moves, orders
from shop.moves import TooLate
from shop.order_states import SellerOrderState, Verb
from shop.orders import LineHold, Order, OrderLine, SellerOrder
from shop.payments import payments, refunds
from shop.payments.payments import Payment, PaymentShare, PaymentState
from shop.payments.refunds import RefundReason
from shop.shares import part_of

LONGEST_REASON = 200
BEFORE_IT_LEAVES = frozenset({SellerOrderState.TO_CONFIRM, SellerOrderState.PREPARING})


class NoSuchLine(NotFound):
    """There is no such line in this part of the order."""


class BadCut(Invalid):
    """A cut leaves fewer pieces than there were, and says why."""


class NothingLeft(Conflict):
    """The last piece cannot be cut: then the whole order is declined."""


def cut(
    session: Session,
    order: Order,
    part: SellerOrder,
    line_id: int,
    *,
    keep: int,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Money:
    """Leave only `keep` pieces of a line, for a reason the buyer reads; return what they saved.

    Afterwards the pieces are back on the shelf and the part's amounts add up without them; cash
    due at the door is smaller by that much, money that was paid is owed back. Raises NoSuchLine,
    BadCut, NothingLeft or TooLate, and then nothing changed.
    """
    why = clean(reason)[:LONGEST_REASON]
    if not why:
        raise BadCut(_("Say why; the buyer reads it."), field="cut_reason")
    moves.lock(session, order.id)
    if part.state not in BEFORE_IT_LEAVES:
        raise TooLate(_("Goods can only be taken out before the parcel is closed."))
    lines = orders.list_lines(session, [part.id])
    line = next((one for one in lines if one.id == line_id), None)
    if line is None:
        raise NoSuchLine
    if not 0 <= keep < line.wanted:
        raise BadCut(
            _("Write how many are sent, fewer than %(wanted)s.", wanted=line.wanted),
            field="keep",
        )
    if keep == 0 and not any(one.wanted for one in lines if one.id != line.id):
        raise NothingLeft(_("Nothing would be left. Decline the order instead."))
    gone = line.wanted - keep
    goods, discount = line.unit_price * gone, discount_of(line, gone)
    saved = goods - discount
    if part.total - saved <= ZERO:
        raise NothingLeft(_("Nothing would be left to pay. Decline the order instead."))
    _shrink_line(session, line, gone, discount)
    _shrink_part(session, part, goods, discount)
    _give_back(session, line, gone)
    if not _ask_less(session, part, saved):
        refunds.request_of_part(
            session, part, saved, reason=RefundReason.CUT, actor=actor, now=now,
            lines={line.id: saved},
        )  # fmt: skip
    moves.note(
        session, part, Verb.CUT, actor=actor, now=now, before=part.state,
        detail={"line": line.id, "name": line.product_name, "pieces": gone,
                "amount": saved.dong, "why": why},
    )  # fmt: skip
    payments.write_status(session, order.id)
    return saved


def discount_of(line: OrderLine, pieces: int) -> Money:
    """Return the share of the line's discount that so many more pieces take with them.

    Whatever the steps, all pieces together take exactly all of it.
    """
    before = line.quantity_cancelled + line.quantity_returned
    return part_of(line.discount_share, before + pieces, line.quantity) - part_of(
        line.discount_share, before, line.quantity
    )


def _shrink_line(session: Session, line: OrderLine, gone: int, discount: Money) -> None:
    changed = session.scalar(
        update(OrderLine)
        .where(OrderLine.id == line.id, OrderLine.quantity_cancelled == line.quantity_cancelled)
        .values(
            quantity_cancelled=OrderLine.quantity_cancelled + gone,
            discount_cancelled=OrderLine.discount_cancelled + discount,
        )
        .returning(OrderLine.id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        raise TooLate(_("This order has moved on meanwhile. Look at it again."))
    session.refresh(line)


def _shrink_part(session: Session, part: SellerOrder, goods: Money, discount: Money) -> None:
    changed = session.scalar(
        update(SellerOrder)
        .where(SellerOrder.id == part.id, SellerOrder.state == part.state)
        .values(
            items_total=SellerOrder.items_total - goods,
            discount_total=SellerOrder.discount_total - discount,
            total=SellerOrder.total - (goods - discount),
        )
        .returning(SellerOrder.id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        raise TooLate(_("This order has moved on meanwhile. Look at it again."))
    session.refresh(part)


def _give_back(session: Session, line: OrderLine, gone: int) -> None:
    holds = session.scalars(select(LineHold.reservation_id).where(LineHold.line_id == line.id))
    stock.release_some(session, list(holds), gone)


def _ask_less(session: Session, part: SellerOrder, saved: Money) -> bool:
    """Make cash due at the door smaller; False when the part was paid before."""
    payment_id = session.scalar(
        update(Payment)
        .where(Payment.seller_order_id == part.id, Payment.state == PaymentState.DUE)
        .values(amount=Payment.amount - saved)
        .returning(Payment.id)
        .execution_options(synchronize_session=False)
    )
    if payment_id is None:
        return False
    session.execute(
        update(PaymentShare)
        .where(PaymentShare.payment_id == payment_id, PaymentShare.seller_order_id == part.id)
        .values(amount=PaymentShare.amount - saved)
        .execution_options(synchronize_session=False)
    )
    session.refresh(session.get_one(Payment, payment_id))
    return True
