"""What becomes of a return request: yes or no, goods back, money back, closed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM, Actor, describe, record
from catalog import stock
from catalog.duties import Duty
from catalog.products import OcopGroup, Product
from catalog.stock import Reservation, StockItem
from core.db import Database
from core.errors import Conflict
from core.i18n import lazy as _
from core.i18n import mark
from core.money import ZERO, Money, total
from core.text import clean
from shop import messages, moves, orders, returns
from shop.letters import Template
from shop.moves import PartMoved
from shop.order_states import Verb
from shop.orders import LineHold, OrderLine
from shop.payments import refunds
from shop.payments.refunds import Refund, RefundReason
from shop.returns import (
    LONGEST_WORDS,
    NOBODY_S_FAULT,
    Asked,
    BadRequest,
    Fate,
    RequestMovedOn,
    ReturnRequest,
    ReturnState,
    worth_of,
)

describe(
    {
        "return.approve": _("agreed to a return"),
        "return.reject": _("refused a return"),
        "return.take_back": _("took returned goods"),
        "return.overrule": _("decided about a return"),
    }
)

CLOSED_AFTER = timedelta(days=7)
AT_ONCE = 500
EDIBLE = frozenset({OcopGroup.FOOD, OcopGroup.BEVERAGE, OcopGroup.HERBAL})


class NotRejected(Conflict):
    """Only a refusal can be asked about again."""


def approve(
    session: Session,
    asked: Asked,
    *,
    goods_back: bool,
    words: str = "",
    by_staff: bool = False,
    actor: Actor,
    now: datetime,
) -> bool:
    """Agree: the goods come back first, or (`goods_back` False) the money goes back at once.

    Staff may overrule a refusal; a producer cannot. Raises RequestMovedOn, or MoreThanPaid.
    """
    moves.lock(session, asked.order.id)
    said = clean(words)[:LONGEST_WORDS] or None
    moved = returns.move(
        session, asked, Verb.APPROVE_RETURN, actor=actor, now=now,
        only_from=None if by_staff else {ReturnState.REQUESTED},
        detail={"why": said} if said else None,
        answer=said, answered_by=actor.name, answered_at=now, goods_back=goods_back,
        appealed_at=None,
    )  # fmt: skip
    if not moved:
        return False
    _tell(session, asked, agreed=True, words=said, now=now)
    verb = "return.overrule" if by_staff else "return.approve"
    record(session, actor, verb, f"order:{asked.order.code}", now=now, order=asked.order.code)
    if not goods_back:
        refund(session, asked, actor=actor, now=now)
    return True


def reject(
    session: Session,
    asked: Asked,
    *,
    words: str,
    by_staff: bool = False,
    actor: Actor,
    now: datetime,
) -> bool:
    """Say no, in words the buyer reads; the buyer may ask the shop's staff to look at it.

    What staff refuse, after an appeal too, is closed: there is nobody further to ask.
    """
    moves.lock(session, asked.order.id)
    said = clean(words)[:LONGEST_WORDS]
    if not said:
        raise BadRequest(_("Say why; the buyer reads it."), field="answer")
    facts: dict[str, Any] = {
        "answer": said,
        "answered_by": actor.name,
        "answered_at": now,
        "appealed_at": None,
    }
    detail = {"why": said}
    if by_staff and asked.request.state is ReturnState.REJECTED:
        moved = returns.move(
            session, asked, Verb.CLOSE_RETURN, actor=actor, now=now, detail=detail, **facts
        )
    else:
        moved = returns.move(
            session, asked, Verb.REJECT_RETURN, actor=actor, now=now, detail=detail, **facts
        )
        if moved and by_staff:
            returns.move(session, asked, Verb.CLOSE_RETURN, actor=actor, now=now)
    if moved:
        _tell(session, asked, agreed=False, words=said, now=now)
        verb = "return.overrule" if by_staff else "return.reject"
        record(session, actor, verb, f"order:{asked.order.code}", now=now, order=asked.order.code)
    return moved


def appeal(session: Session, asked: Asked, *, actor: Actor, now: datetime) -> bool:
    """Ask the shop's staff, for the buyer, to look at a refusal; asking twice changes nothing."""
    moves.lock(session, asked.order.id)
    if asked.request.state is not ReturnState.REJECTED:
        raise NotRejected(_("Only a refusal can be looked at again."))
    appealed = session.scalar(
        update(ReturnRequest)
        .where(
            ReturnRequest.id == asked.request.id,
            ReturnRequest.state == ReturnState.REJECTED,
            ReturnRequest.appealed_at.is_(None),
        )
        .values(appealed_at=now)
        .returning(ReturnRequest.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(asked.request)
    if appealed is not None:
        moves.note(
            session, asked.part, Verb.APPEAL_RETURN, actor=actor, now=now, before=asked.part.state,
            detail={"request": asked.request.id},
        )  # fmt: skip
    return appealed is not None


def withdraw(session: Session, asked: Asked, *, actor: Actor, now: datetime) -> bool:
    """Take the request back, for the buyer, before anybody agreed to it."""
    moves.lock(session, asked.order.id)
    return returns.move(session, asked, Verb.WITHDRAW_RETURN, actor=actor, now=now)


def usual_fate(product: Product) -> Fate:
    """Return what becomes of returned goods unless somebody says otherwise: food is not resold."""
    return Fate.WRITE_OFF if product.group in EDIBLE or product.group is None else Fate.RESTOCK


def usual_fates(session: Session, asked: Asked) -> dict[int, Fate]:
    """Return the usual fate of each line asked back, by line id."""
    ids = [piece.line.product_id for piece in asked.pieces]
    goods = {one.id: one for one in session.scalars(select(Product).where(Product.id.in_(ids)))}
    return {piece.line.id: usual_fate(goods[piece.line.product_id]) for piece in asked.pieces}


def take_back(
    session: Session, asked: Asked, *, fates: Mapping[int, Fate], actor: Actor, now: datetime
) -> bool:
    """Say that the goods are back, and the money goes back too.

    `fates` (line id → fate) says what is put on the shelf again; what it does not name follows
    `usual_fate`. Written-off goods had left the books when they were sent.
    """
    moves.lock(session, asked.order.id)
    if not returns.move(session, asked, Verb.TAKE_BACK, actor=actor, now=now, received_at=now):
        return False
    usual = usual_fates(session, asked)
    for piece in sorted(asked.pieces, key=lambda one: one.line.variant_id):
        fate = fates.get(piece.line.id, usual[piece.line.id])
        piece.asked.fate = fate
        if fate is Fate.RESTOCK:
            stock.move(
                session, _shelf(session, piece.line), piece.asked.quantity,
                why=stock.Why.RETURNED, now=now, actor_id=actor.user_id, note=asked.order.code,
            )  # fmt: skip
    session.flush()
    code = asked.order.code
    record(session, actor, "return.take_back", f"order:{code}", now=now, order=code)
    refund(session, asked, actor=actor, now=now)
    return True


def refund(session: Session, asked: Asked, *, actor: Actor, now: datetime) -> Money:
    """Owe back what the pieces cost and return it; the caller holds the order's lock.

    Carriage goes back too when all of the part does and the buyer is not the reason. Raises
    MoreThanPaid.
    """
    session.flush()
    amounts: dict[int, Money] = {}
    for piece in asked.pieces:
        session.refresh(piece.line)
        amounts[piece.line.id] = worth_of(piece.line, piece.asked.quantity)
        piece.asked.amount = amounts[piece.line.id]
        _count_returned(session, piece.line, piece.asked.quantity)
    shipping = _carriage(session, asked)
    amount = total(amounts.values()) + shipping
    returns.move(
        session, asked, Verb.REFUND_RETURN, actor=actor, now=now,
        detail={"amount": amount.dong}, amount=amount, shipping=shipping, refunded_at=now,
    )  # fmt: skip
    if amount:
        refunds.request_of_part(
            session, asked.part, amount, reason=RefundReason.RETURNED, actor=actor, now=now,
            lines=amounts, shipping=shipping,
        )  # fmt: skip
    return amount


def on_paid_back(session: Session, news: PartMoved) -> None:
    """Close the requests of a part once none of its money is still to be sent back."""
    if news.verb is not Verb.PAY_BACK:
        return
    still_owed = [
        one
        for one in refunds.of_parts(session, [news.part_id])[news.part_id]
        if one.reason is RefundReason.RETURNED and one.state in refunds.OPEN
    ]
    if still_owed:
        return
    for asked in returns.of_order(session, news.order_id)[news.part_id]:
        if asked.request.state is ReturnState.REFUNDED:
            returns.move(session, asked, Verb.CLOSE_RETURN, actor=SYSTEM, now=news.now)


def close_due(database: Database, now: datetime) -> None:
    """Close refusals nobody asked about for a week; twice or late is safe."""
    with database.reading() as session:
        old = session.scalars(
            select(ReturnRequest.id)
            .where(
                ReturnRequest.state == ReturnState.REJECTED,
                ReturnRequest.appealed_at.is_(None),
                ReturnRequest.answered_at <= now - CLOSED_AFTER,
            )
            .limit(AT_ONCE)
        ).all()
    for request_id in old:
        with database.transaction() as session:
            asked = returns.get(session, request_id)
            moves.lock(session, asked.order.id)
            try:
                if asked.request.appealed_at is None:
                    returns.move(session, asked, Verb.CLOSE_RETURN, actor=SYSTEM, now=now)
            except RequestMovedOn:
                continue


def tell_duties(session: Session, producer_id: int) -> list[Duty]:
    """Return the requests that wait for this producer's answer or for their goods."""
    counts = returns.count_waiting(session, producer_id)
    sentences = (
        (ReturnState.REQUESTED, mark("%(count)s buyers ask to return goods")),
        (ReturnState.APPROVED, mark("%(count)s returns on their way back")),
    )
    return [
        Duty("desk_returns.index", (), "lam-lai", sentence, counts[state])
        for state, sentence in sentences
        if counts.get(state)
    ]


def _tell(
    session: Session, asked: Asked, *, agreed: bool, words: str | None, now: datetime
) -> None:
    request = asked.request
    messages.ask(
        session, asked.part.id, Template.RETURN_ANSWERED, key=f"{request.id}:{agreed}", now=now,
        words=words, agreed=agreed,
    )  # fmt: skip


def _count_returned(session: Session, line: OrderLine, pieces: int) -> None:
    """Count pieces as given back; the CHECK beneath never lets more back than were sent."""
    session.execute(
        update(OrderLine)
        .where(OrderLine.id == line.id)
        .values(quantity_returned=OrderLine.quantity_returned + pieces)
        .execution_options(synchronize_session=False)
    )
    session.refresh(line)


def _carriage(session: Session, asked: Asked) -> Money:
    if asked.request.reason in NOBODY_S_FAULT:
        return ZERO
    lines = orders.list_lines(session, [asked.part.id])
    if any(line.quantity_returned < line.wanted for line in lines):
        return ZERO
    before = session.scalars(
        select(Refund.shipping).where(Refund.seller_order_id == asked.part.id)
    ).all()
    paid = asked.part.shipping_fee - asked.part.shipping_discount
    return max(ZERO, paid - total(before))


def _shelf(session: Session, line: OrderLine) -> StockItem:
    """Return the stock row the line was sent from: of several lots the first."""
    item = session.scalar(
        select(StockItem)
        .join(Reservation, Reservation.stock_id == StockItem.id)
        .join(LineHold, LineHold.reservation_id == Reservation.id)
        .where(LineHold.line_id == line.id, Reservation.state == stock.HoldState.CONSUMED)
        .order_by(Reservation.id)
        .limit(1)
    )
    return item or stock.item_for(session, line.variant_id, line.lot_id)
