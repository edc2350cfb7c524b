"""From a stopped lot to its buyers: who has goods of it, who was told, who was called.

Every line of an order keeps the lots it was served from, also after the parcel has left.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Select, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from catalog.duties import Duty
from catalog.lots import Lot
from catalog.stock import OPEN, HoldState, Reservation, StockItem
from core import tasks
from core.db import Base, in_batches
from core.errors import NotFound
from core.i18n import lazy as _
from core.i18n import mark, speaking
from core.mail import queue_mail
from core.tasks import Work
from shop import links, recall_letters
from shop.orders import LineHold, Order, OrderLine, SellerOrder
from shop.recall_letters import Bought
from traceability import recall_cases
from traceability.recall_cases import Case, CaseKind, CaseLot
from traceability.recalls import LotsStopped

KIND = "recall.tell"
AT_ONCE = 200
MOST_CASES = 20
# An order that was being written in the same moment is told by the second look.
LOOK_AGAIN = timedelta(minutes=10)
SERVED = (*OPEN, HoldState.CONSUMED)

describe(
    {
        "recall.called": _("called a buyer about a recall"),
        "recall.not_called": _("took back that a buyer was called"),
    }
)


class NoSuchBuyer(NotFound):
    """This part of an order has nothing of the recalled lots, or is another producer's."""


class RecallCall(Base):
    """A buyer was called about a recall; the row goes when that was a slip."""

    __tablename__ = "recall_call"

    case_id: Mapped[int] = mapped_column(ForeignKey("recall_case.id"), primary_key=True)
    part_id: Mapped[int] = mapped_column(ForeignKey("seller_order.id"), primary_key=True)
    called_at: Mapped[datetime]
    called_by_name: Mapped[str]


@dataclass(slots=True)
class Buyer:
    """One part of an order with what it got of the recalled lots."""

    order: Order
    part: SellerOrder
    call: RecallCall | None
    goods: list[Bought] = field(default_factory=list)

    @property
    def has_goods(self) -> bool:
        """Say whether any of it has left the house; the rest still waits there."""
        return any(one.left for one in self.goods)


@dataclass(frozen=True, slots=True)
class Touched:
    """How many orders and pieces stopping some lots would touch."""

    orders: list[str]
    pieces_out: int
    pieces_waiting: int


def touched(session: Session, lot_ids: Iterable[int], *, producer_id: int | None = None) -> Touched:
    """Return which orders have goods of these lots, of one producer's parts or of all."""
    codes: set[str] = set()
    out = waiting = 0
    for some in in_batches(lot_ids):
        wanted = (
            _served(Order.code, Reservation.state, func.sum(Reservation.quantity))
            .where(StockItem.lot_id.in_(some))
            .group_by(Order.code, Reservation.state)
        )
        if producer_id is not None:
            wanted = wanted.where(SellerOrder.producer_id == producer_id)
        for code, state, quantity in session.execute(wanted):
            codes.add(code)
            out += int(quantity) if state is HoldState.CONSUMED else 0
            waiting += int(quantity) if state is not HoldState.CONSUMED else 0
    return Touched(sorted(codes), out, waiting)


def sent_of_lots(session: Session, lot_ids: Iterable[int]) -> dict[int, int]:
    """Return how many pieces of each of these lots have left for buyers; none: not named."""
    sent: dict[int, int] = {}
    for some in in_batches(lot_ids):
        rows = session.execute(
            _served(StockItem.lot_id, func.sum(Reservation.quantity))
            .where(StockItem.lot_id.in_(some), Reservation.state == HoldState.CONSUMED)
            .group_by(StockItem.lot_id)
        )
        sent |= {lot_id: int(quantity) for lot_id, quantity in rows}
    return sent


def ordered_goods(session: Session, case: Case, *, producer_id: int) -> dict[str, list[str]]:
    """Return what was ordered of the case's lots: goods by name, each with its lots' codes."""
    rows = session.execute(
        _of_case(case, OrderLine.product_name, OrderLine.variant_name, Lot.code)
        .join(Lot, Lot.id == StockItem.lot_id)
        .where(SellerOrder.producer_id == producer_id)
        .distinct()
        .order_by(OrderLine.product_name, OrderLine.variant_name, Lot.code)
    )
    goods: dict[str, list[str]] = {}
    for product, variant, code in rows:
        goods.setdefault(f"{product} {variant}".strip(), []).append(code)
    return goods


def list_buyers(
    session: Session,
    case: Case,
    *,
    producer_id: int | None = None,
    after_id: int = 0,
    limit: int | None = None,
) -> list[Buyer]:
    """Return the parts of orders with goods of the case's lots, by their age, after a part's id."""
    part_ids = (
        _of_case(case, SellerOrder.id)
        .where(SellerOrder.id > after_id)
        .distinct()
        .order_by(SellerOrder.id)
        .limit(limit)
    )
    if producer_id is not None:
        part_ids = part_ids.where(SellerOrder.producer_id == producer_id)
    return _with_goods(session, case, list(session.scalars(part_ids)))


def get_buyer(session: Session, case: Case, part_id: int, *, producer_id: int) -> Buyer:
    """Return one of these parts, or raise NoSuchBuyer."""
    found = _of_case(case, SellerOrder.id).where(
        SellerOrder.id == part_id, SellerOrder.producer_id == producer_id
    )
    if session.scalar(found.limit(1)) is None:
        raise NoSuchBuyer
    return _with_goods(session, case, [part_id])[0]


@dataclass(frozen=True, slots=True)
class Progress:
    """How many parts of orders there are, and of how many the buyer was called."""

    buyers: int
    called: int


def progress(session: Session, case: Case, *, producer_id: int | None = None) -> Progress:
    """Return how far the calls of a case have come."""
    parts = _of_case(case, SellerOrder.id).distinct()
    if producer_id is not None:
        parts = parts.where(SellerOrder.producer_id == producer_id)
    found = parts.subquery()
    counted = session.execute(
        select(func.count(), func.count(RecallCall.part_id))
        .select_from(found)
        .outerjoin(RecallCall, (RecallCall.part_id == found.c.id) & (RecallCall.case_id == case.id))
    ).one()
    return Progress(counted[0], counted[1])


def note_call(
    session: Session, case: Case, buyer: Buyer, *, called: bool, actor: Actor, now: datetime
) -> None:
    """Tick that a buyer was called, or take the tick back; the same again changes nothing."""
    if called is (buyer.call is not None):
        return
    if called:
        session.add(
            RecallCall(
                case_id=case.id, part_id=buyer.part.id, called_at=now, called_by_name=actor.name
            )
        )
    else:
        session.execute(
            delete(RecallCall).where(
                RecallCall.case_id == case.id, RecallCall.part_id == buyer.part.id
            )
        )
    record(
        session,
        actor,
        "recall.called" if called else "recall.not_called",
        f"order:{buyer.order.code}",
        now=now,
        order=buyer.order.code,
    )


def tell_duties(session: Session, producer_id: int) -> list[Duty]:
    """Return what a recall asks of this producer: buyers to call, an end to agree to."""
    found = []
    for one in recall_cases.list_cases(session, producer_id=producer_id, limit=MOST_CASES):
        if not one.case.stands or one.case.kind is not CaseKind.RECALL:
            continue
        far = progress(session, one.case, producer_id=producer_id)
        if far.buyers > far.called:
            place = (("case_id", str(one.case.id)),)
            left = far.buyers - far.called
            sentence = mark("%(count)s buyers to call about a recall")
            found.append(Duty("desk_recalls.show", place, "goi", sentence, left))
    asked = recall_cases.count_asked(session, producer_id)
    if asked:
        sentence = mark("%(count)s recalls wait for a second person to agree to their end")
        found.append(Duty("desk_recalls.index", (), "canh-bao", sentence, asked))
    return found


def on_stopped(session: Session, news: LotsStopped) -> None:
    """Ask for the letters to the buyers of recalled lots, now and once more a little later."""
    if news.kind is not CaseKind.RECALL:
        return
    for pause in (timedelta(0), LOOK_AGAIN):
        moment = news.now + pause
        key = f"{KIND}:{news.case_id}:{moment:%Y%m%d%H%M%S%f}"
        tasks.enqueue(
            session, KIND, {"case_id": news.case_id}, now=news.now, run_at=moment, key=key
        )


def tell_buyers(work: Work) -> None:
    """Write one letter for each order with goods of the case's lots; no order gets two."""
    case_id, after = int(work.payload["case_id"]), 0
    while True:
        with work.database.transaction() as session:
            case = session.get_one(Case, case_id)
            if not case.stands:
                return
            order_ids = list(
                session.scalars(
                    _of_case(case, Order.id)
                    .where(Order.id > after, Order.buyer_email.is_not(None))
                    .distinct()
                    .order_by(Order.id)
                    .limit(AT_ONCE)
                )
            )
            for order_id in order_ids:
                _tell(session, work, case, order_id)
        if len(order_ids) < AT_ONCE:
            return
        after = order_ids[-1]


def _tell(session: Session, work: Work, case: Case, order_id: int) -> None:
    parts = _of_case(case, SellerOrder.id).where(Order.id == order_id).distinct()
    buyers = _with_goods(session, case, list(session.scalars(parts)))
    order = buyers[0].order
    base = work.settings.PUBLIC_URL + ("/en" if order.language == "en" else "")
    mark = links.order_mark(work.settings.SECRET_KEY, order.cart_id)
    with speaking(order.language):
        letter = recall_letters.letter(
            order,
            [one.part.producer_name for one in buyers],
            [goods for one in buyers for goods in one.goods],
            reason=case.reason,
            link=f"{base}/don-hang/{order.code}?t={mark}",
            phone=work.settings.SUPPORT_PHONE,
        )
        queue_mail(
            session,
            to=order.buyer_email or "",
            subject=letter.subject,
            body=letter.body,
            key=f"recall:{case.id}:{order.id}",
            now=work.clock(),
        )


def _with_goods(session: Session, case: Case, part_ids: list[int]) -> list[Buyer]:
    buyers: dict[int, Buyer] = {}
    for some in in_batches(part_ids):
        rows = session.execute(
            _of_case(
                case,
                Order,
                SellerOrder,
                RecallCall,
                OrderLine.product_name,
                OrderLine.variant_name,
                OrderLine.unit,
                Lot.code,
                Reservation.state,
                Reservation.quantity,
            )
            .join(Lot, Lot.id == StockItem.lot_id)
            .outerjoin(
                RecallCall,
                (RecallCall.part_id == SellerOrder.id) & (RecallCall.case_id == case.id),
            )
            .where(SellerOrder.id.in_(some))
            .order_by(SellerOrder.id, OrderLine.id, Lot.id)
        )
        for order, part, call, product, variant, unit, lot, state, quantity in rows:
            buyer = buyers.setdefault(part.id, Buyer(order, part, call))
            name = f"{product} {variant}".strip()
            buyer.goods.append(Bought(name, lot, quantity, unit, state is HoldState.CONSUMED))
    return list(buyers.values())


def _of_case(case: Case, *wanted: Any) -> Select[Any]:
    covered = select(CaseLot.lot_id).where(CaseLot.case_id == case.id)
    return _served(*wanted).where(StockItem.lot_id.in_(covered))


def _served(*wanted: Any) -> Select[Any]:
    """Return the question for order lines and the lots that serve or served them."""
    return (
        select(*wanted)
        .select_from(StockItem)
        .join(Reservation, Reservation.stock_id == StockItem.id)
        .join(LineHold, LineHold.reservation_id == Reservation.id)
        .join(OrderLine, OrderLine.id == LineHold.line_id)
        .join(SellerOrder, SellerOrder.id == OrderLine.seller_order_id)
        .join(Order, Order.id == SellerOrder.order_id)
        .where(Reservation.state.in_(SERVED))
    )
