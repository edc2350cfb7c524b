"""Return requests: asked by the buyer, answered by the producer within 48 hours, else by staff.

A request walks its own table, beside the order's states: a completed part stays completed. What is
paid back for a line is its price less its own share of the discount, never more than was paid.
"""

import enum
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor
from core.db import Base, word
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _
from core.money import ZERO, Money, total
from core.text import clean
from shop import cuts, messages, moves, orders
from shop.letters import Template
from shop.order_states import SellerOrderState, Verb
from shop.orders import Order, OrderLine, SellerOrder

TIME_TO_ANSWER = timedelta(hours=48)
TIME_TO_ASK = timedelta(days=7)
MOST_PHOTOS = 3
LONGEST_WORDS = 1_000
LONGEST_ACCOUNT = 200
PAGE = 20
RECEIVED = frozenset({SellerOrderState.DELIVERED, SellerOrderState.COMPLETED})


class ReturnState(enum.StrEnum):
    """Where a request stands; a closed one has no way out."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    RECEIVED = "received"
    REFUNDED = "refunded"
    CLOSED = "closed"


class ReturnReason(enum.StrEnum):
    """Why the buyer wants to return goods."""

    BROKEN = "broken"
    SPOILED = "spoiled"
    WRONG = "wrong"
    MISSING = "missing"
    NOT_AS_SHOWN = "not_as_shown"
    CHANGED_MIND = "changed_mind"


class Fate(enum.StrEnum):
    """What becomes of goods that came back; food is written off unless somebody says otherwise."""

    RESTOCK = "restock"
    WRITE_OFF = "write_off"


REASON_NAMES: dict[ReturnReason, object] = {
    ReturnReason.BROKEN: _("Broken or leaking"),
    ReturnReason.SPOILED: _("Spoiled or past its date"),
    ReturnReason.WRONG: _("Other goods than ordered"),
    ReturnReason.MISSING: _("Something was missing"),
    ReturnReason.NOT_AS_SHOWN: _("Not as it was shown"),
    ReturnReason.CHANGED_MIND: _("No longer wanted"),
}
# The buyer's own reason: carriage is not paid back for it.
NOBODY_S_FAULT = frozenset({ReturnReason.CHANGED_MIND})
_R = ReturnState
MOVES: dict[Verb, tuple[frozenset[ReturnState], ReturnState]] = {
    Verb.APPROVE_RETURN: (frozenset({_R.REQUESTED, _R.REJECTED}), _R.APPROVED),
    Verb.REJECT_RETURN: (frozenset({_R.REQUESTED}), _R.REJECTED),
    Verb.TAKE_BACK: (frozenset({_R.APPROVED}), _R.RECEIVED),
    Verb.REFUND_RETURN: (frozenset({_R.APPROVED, _R.RECEIVED}), _R.REFUNDED),
    Verb.WITHDRAW_RETURN: (frozenset({_R.REQUESTED, _R.REJECTED}), _R.CLOSED),
    Verb.CLOSE_RETURN: (frozenset({_R.REJECTED, _R.REFUNDED}), _R.CLOSED),
}
# What still claims its pieces: nobody may ask for them twice.
CLAIMING = frozenset({_R.REQUESTED, _R.APPROVED, _R.RECEIVED})


class NoSuchRequest(NotFound):
    """There is no such request, or it is not this person's to see: the same answer for both."""


class BadRequest(Invalid):
    """A request names a reason, goods that were received, and at most three photos."""


class TooLateToAsk(Conflict):
    """Goods that have not arrived cannot be returned, nor any after the time for claims."""


class RequestMovedOn(Conflict):
    """The request stands elsewhere now; look at it again."""


class ReturnRequest(Base):
    """One wish of a buyer to return goods of one part. `pay_to` is where the money shall go."""

    __tablename__ = "return_request"
    __table_args__ = (
        Index("ix_return_request_desk", "producer_id", "state", "id"),
        Index("ix_return_request_clock", "state", "answer_by"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("customer_order.id"), index=True)
    seller_order_id: Mapped[int] = mapped_column(ForeignKey("seller_order.id"), index=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"))
    state: Mapped[ReturnState] = mapped_column(word(ReturnState))
    reason: Mapped[ReturnReason] = mapped_column(word(ReturnReason))
    words: Mapped[str]
    photo_keys: Mapped[list[str]] = mapped_column(JSON)
    pay_to: Mapped[str | None]
    asked_at: Mapped[datetime]
    answer_by: Mapped[datetime]
    answer: Mapped[str | None]
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    goods_back: Mapped[bool] = mapped_column(default=True)
    appealed_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]
    amount: Mapped[Money] = mapped_column(default=ZERO)
    shipping: Mapped[Money] = mapped_column(default=ZERO)


class ReturnLine(Base):
    """So many pieces of one line of the order; `fate` is known once they are back."""

    __tablename__ = "return_line"
    __table_args__ = (
        UniqueConstraint("request_id", "line_id"),
        CheckConstraint("quantity > 0", name="some"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("return_request.id"))
    line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), index=True)
    quantity: Mapped[int]
    amount: Mapped[Money] = mapped_column(default=ZERO)
    fate: Mapped[Fate | None] = mapped_column(word(Fate))


@dataclass(frozen=True, slots=True)
class Piece:
    """One line of a request beside the line of the order it takes from."""

    asked: ReturnLine
    line: OrderLine


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with everything its pages show."""

    request: ReturnRequest
    order: Order
    part: SellerOrder
    pieces: list[Piece]

    @property
    def worth(self) -> Money:
        """Return what the goods asked for cost, less their share of the discount."""
        return total(worth_of(piece.line, piece.asked.quantity) for piece in self.pieces)


def worth_of(line: OrderLine, pieces: int) -> Money:
    """Return what so many more returned pieces give back: their price less their discount."""
    return line.unit_price * pieces - cuts.discount_of(line, pieces)


def open_until(part: SellerOrder) -> datetime | None:
    """Return until when goods of this part may be asked back; None before they arrive."""
    if part.state not in RECEIVED or part.delivered_at is None:
        return None
    return part.claim_until or part.delivered_at + TIME_TO_ASK


def returnable(session: Session, lines: Sequence[OrderLine]) -> dict[int, int]:
    """Return how many pieces of each line nobody has asked back yet."""
    claimed = session.execute(
        select(ReturnLine.line_id, func.sum(ReturnLine.quantity))
        .join(ReturnRequest, ReturnRequest.id == ReturnLine.request_id)
        .where(
            ReturnLine.line_id.in_([line.id for line in lines]),
            ReturnRequest.state.in_(list(CLAIMING)),
        )
        .group_by(ReturnLine.line_id)
    )
    taken = {line_id: int(pieces) for line_id, pieces in claimed}
    return {
        line.id: max(0, line.wanted - line.quantity_returned - taken.get(line.id, 0))
        for line in lines
    }


def get(session: Session, request_id: int, *, producer_id: int | None = None) -> Asked:
    """Return a request, of this producer where one is named, or raise NoSuchRequest."""
    request = session.get(ReturnRequest, request_id)
    if request is None or producer_id not in {None, request.producer_id}:
        raise NoSuchRequest
    return _whole(session, [request])[0]


def get_of_order(session: Session, order: Order, request_id: int) -> Asked:
    """Return a request of this very order, or raise NoSuchRequest."""
    asked = get(session, request_id)
    if asked.request.order_id != order.id:
        raise NoSuchRequest
    return asked


def of_order(session: Session, order_id: int) -> dict[int, list[Asked]]:
    """Return the requests of an order by part, the oldest first."""
    found: dict[int, list[Asked]] = defaultdict(list)
    for asked in _whole(
        session,
        session.scalars(
            select(ReturnRequest)
            .where(ReturnRequest.order_id == order_id)
            .order_by(ReturnRequest.id)
        ).all(),
    ):
        found[asked.part.id].append(asked)
    return found


def list_of_producer(
    session: Session, producer_id: int, *, before: int | None = None
) -> tuple[list[Asked], int | None]:
    """Return a producer's requests, the latest first, and where the next page begins."""
    return _page(session, ReturnRequest.producer_id == producer_id, before=before)


def list_for_staff(
    session: Session, *, before: int | None = None, now: datetime
) -> tuple[list[Asked], int | None]:
    """Return what staff decide: unanswered for 48 hours, or refused and asked about again."""
    return _page(session, _for_staff(now), before=before)


def count_waiting(session: Session, producer_id: int) -> dict[ReturnState, int]:
    """Return how many requests of a producer wait for its answer, and how many for their goods."""
    rows = session.execute(
        select(ReturnRequest.state, func.count())
        .where(
            ReturnRequest.producer_id == producer_id,
            ReturnRequest.state.in_([ReturnState.REQUESTED, ReturnState.APPROVED]),
        )
        .group_by(ReturnRequest.state)
    )
    return dict(rows.all())


def ask(
    session: Session,
    order: Order,
    part_id: int,
    *,
    reason: ReturnReason,
    words: str,
    pieces: Mapping[int, int],
    photo_keys: Sequence[str],
    pay_to: str,
    actor: Actor,
    now: datetime,
) -> ReturnRequest:
    """Ask, for the buyer, to return so many `pieces` (line id → number) of a delivered part.

    Afterwards the producer has 48 hours to answer. Raises NoSuchRequest, TooLateToAsk, or
    BadRequest naming the field; then nothing changed.
    """
    moves.lock(session, order.id)
    part = next((one for one in orders.list_parts(session, order.id) if one.id == part_id), None)
    if part is None:
        raise NoSuchRequest
    until = open_until(part)
    if until is None:
        raise TooLateToAsk(_("A return can be asked for once the goods have arrived."))
    if now >= until:
        raise TooLateToAsk(_("The time to ask for a return is over. Call the producer."))
    lines = orders.list_lines(session, [part.id])
    wanted = _checked_pieces(session, lines, pieces)
    said = clean(words)
    if not 0 < len(said) <= LONGEST_WORDS:
        raise BadRequest(_("Say in a few words what is wrong."), field="words")
    if len(photo_keys) > MOST_PHOTOS:
        raise BadRequest(_("At most 3 photos."), field="photos")
    request = ReturnRequest(
        order_id=order.id,
        seller_order_id=part.id,
        producer_id=part.producer_id,
        state=ReturnState.REQUESTED,
        reason=reason,
        words=said,
        photo_keys=list(photo_keys),
        pay_to=clean(pay_to)[:LONGEST_ACCOUNT] or None,
        asked_at=now,
        answer_by=now + TIME_TO_ANSWER,
    )
    session.add(request)
    session.flush()  # gives the request its id
    session.add_all(
        ReturnLine(request_id=request.id, line_id=line_id, quantity=count)
        for line_id, count in wanted.items()
    )
    session.flush()
    moves.note(
        session, part, Verb.ASK_RETURN, actor=actor, now=now, before=part.state,
        detail={"request": request.id, "why": str(REASON_NAMES[reason])},
    )  # fmt: skip
    messages.ask(session, part.id, Template.RETURN_ASKED, key=str(request.id), now=now, words=said)
    return request


def move(
    session: Session,
    asked: Asked,
    verb: Verb,
    *,
    actor: Actor,
    now: datetime,
    only_from: Collection[ReturnState] | None = None,
    detail: dict[str, Any] | None = None,
    **values: Any,
) -> bool:
    """Make one move of the table, with its event; False when the request stands there already.

    The caller holds the order's lock. `only_from` narrows the table: a producer does not overrule.
    """
    from_states, to_state = MOVES[verb]
    request = asked.request
    if request.state is to_state:
        return False
    allowed = from_states & frozenset(only_from or from_states)
    moved = session.scalar(
        update(ReturnRequest)
        .where(ReturnRequest.id == request.id, ReturnRequest.state.in_(list(allowed)))
        .values(state=to_state, **values)
        .returning(ReturnRequest.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(request)
    if moved is None:
        raise RequestMovedOn(_("This request has moved on meanwhile. Look at it again."))
    moves.note(
        session, asked.part, verb, actor=actor, now=now, before=asked.part.state,
        detail={"request": request.id, **(detail or {})},
    )  # fmt: skip
    return True


def _checked_pieces(
    session: Session, lines: Sequence[OrderLine], pieces: Mapping[int, int]
) -> dict[int, int]:
    left = returnable(session, lines)
    wanted = {line_id: count for line_id, count in pieces.items() if count}
    if not wanted:
        raise BadRequest(_("Choose what is to be returned."), field="pieces")
    for line_id, count in wanted.items():
        if line_id not in left:
            raise NoSuchRequest
        if not 0 < count <= left[line_id]:
            raise BadRequest(
                _("At most %(left)s of it can be returned.", left=left[line_id]), field="pieces"
            )
    return wanted


def _for_staff(now: datetime) -> Any:
    unanswered = (ReturnRequest.state == ReturnState.REQUESTED) & (ReturnRequest.answer_by <= now)
    appealed = (ReturnRequest.state == ReturnState.REJECTED) & (
        ReturnRequest.appealed_at.is_not(None)
    )
    return unanswered | appealed


def _page(session: Session, where: Any, *, before: int | None) -> tuple[list[Asked], int | None]:
    question = select(ReturnRequest).where(where)
    if before is not None:
        question = question.where(ReturnRequest.id < before)
    rows = session.scalars(question.order_by(ReturnRequest.id.desc()).limit(PAGE + 1)).all()
    shown = rows[:PAGE]
    return _whole(session, shown), shown[-1].id if len(rows) > PAGE else None


def _whole(session: Session, requests: Sequence[ReturnRequest]) -> list[Asked]:
    """Return the requests with order, part and lines, in as many questions for one as for many."""
    if not requests:
        return []
    pieces: dict[int, list[Piece]] = defaultdict(list)
    for asked, line in session.execute(
        select(ReturnLine, OrderLine)
        .join(OrderLine, OrderLine.id == ReturnLine.line_id)
        .where(ReturnLine.request_id.in_([one.id for one in requests]))
        .order_by(ReturnLine.id)
    ):
        pieces[asked.request_id].append(Piece(asked, line))
    whole = {
        part.id: (order, part)
        for order, part in session.execute(
            select(Order, SellerOrder)
            .join(SellerOrder, SellerOrder.order_id == Order.id)
            .where(SellerOrder.id.in_([one.seller_order_id for one in requests]))
        )
    }
    return [Asked(one, *whole[one.seller_order_id], pieces[one.id]) for one in requests]
