"""A producer's orders as its desk lists them: by state, newest first, page by page."""

import enum
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from catalog.duties import Duty
from catalog.picking import Pick
from core.i18n import mark
from core.money import Money, total
from shop import order_search, orders
from shop.order_states import SellerOrderState, Verb
from shop.orders import Order, OrderEvent, OrderLine, SellerOrder
from shop.payments import payments, refunds
from shop.payments.payments import Payment
from shop.payments.refunds import Refund, RefundState

PAGE = 20
_S = SellerOrderState


class Tab(enum.StrEnum):
    """The heaps a producer works through; their values stand in the address."""

    TO_CONFIRM = "cho-xac-nhan"
    PENDING = "cho-thanh-toan"
    PREPARING = "dang-chuan-bi"
    READY = "cho-lay"
    SHIPPED = "dang-giao"
    DONE = "da-giao"
    CANCELLED = "da-huy"


STATES: dict[Tab, frozenset[SellerOrderState]] = {
    Tab.TO_CONFIRM: frozenset({_S.TO_CONFIRM}),
    Tab.PENDING: frozenset({_S.PENDING}),
    Tab.PREPARING: frozenset({_S.PREPARING}),
    Tab.READY: frozenset({_S.READY}),
    Tab.SHIPPED: frozenset({_S.SHIPPED, _S.DELIVERY_FAILED, _S.RETURNING}),
    Tab.DONE: frozenset({_S.DELIVERED, _S.COMPLETED}),
    Tab.CANCELLED: frozenset({_S.CANCELLED, _S.RETURNED}),
}


DUTIES = (
    (Tab.TO_CONFIRM, "chuong", mark("%(count)s orders wait for an answer")),
    (Tab.PENDING, "tien", mark("%(count)s orders wait for the buyer's money")),
    (Tab.PREPARING, "don", mark("%(count)s orders to pack")),
    (Tab.READY, "xe", mark("%(count)s orders to send")),
)


@dataclass(frozen=True, slots=True)
class History:
    """What became of a buyer's parcels in this shop: taken in at the door, or gone back."""

    received: int = 0
    returned: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """One order in the list; its refunds are known on its own page."""

    order: Order
    part: SellerOrder
    payment: Payment
    lines: list[OrderLine]
    lots: dict[int, list[Pick]]
    history: History
    refunds: list[Refund] = field(default_factory=list)

    @property
    def refund_due(self) -> Money:
        """Return what is still to be sent back to the buyer."""
        return total(one.amount for one in self.refunds if one.state is not RefundState.SUCCEEDED)


@dataclass(frozen=True, slots=True)
class InboxPage:
    """One page of one heap, or of what was searched in all heaps, with the size of every heap."""

    tab: Tab
    counts: dict[Tab, int]
    cards: list[Card]
    next_before: int | None
    query: str = ""


def tab_of(text: str | None, counts: Mapping[Tab, int]) -> Tab:
    """Return the heap the address names; the first with something in it when it names none."""
    try:
        return Tab(text or "")
    except ValueError:
        return next((tab for tab in Tab if counts[tab]), Tab.TO_CONFIRM)


def list_page(
    session: Session,
    producer_id: int,
    wanted: str | None,
    *,
    query: str = "",
    before: int | None = None,
) -> InboxPage:
    """Return one page of a producer's orders written before part `before`, the newest first.

    Of the wanted heap, or, when something is searched (`order_search.meant_by`), of all heaps.
    """
    counts = count_tabs(session, producer_id)
    tab = tab_of(wanted, counts)
    meant = order_search.meant_by(query)
    found = _parts(producer_id).where(
        SellerOrder.state.in_(STATES[tab]) if meant is None else meant
    )
    if before is not None:
        found = found.where(SellerOrder.id < before)
    rows = session.execute(found.limit(PAGE + 1)).all()
    shown = rows[:PAGE]
    return InboxPage(
        tab,
        counts,
        _cards(session, [(part, order) for part, order in shown]),
        shown[-1][0].id if len(rows) > PAGE else None,
        query if meant is not None else "",
    )


def list_codes(session: Session, producer_id: int, tab: Tab, *, most: int) -> list[str]:
    """Return the codes of the orders in a heap, the newest first."""
    found = _parts(producer_id).where(SellerOrder.state.in_(STATES[tab])).limit(most)
    return list(session.scalars(found.with_only_columns(Order.code)))


def _parts(producer_id: int) -> Select[SellerOrder, Order]:
    return (
        select(SellerOrder, Order)
        .join(Order, Order.id == SellerOrder.order_id)
        .where(SellerOrder.producer_id == producer_id)
        .order_by(SellerOrder.id.desc())
    )


def get_card(session: Session, code: str, producer_id: int) -> Card:
    """Return this producer's part of an order; another's does not exist here (NoSuchOrder)."""
    order, part = orders.get_part(session, code, producer_id)
    [card] = _cards(session, [(part, order)])
    return replace(card, refunds=refunds.of_parts(session, [part.id])[part.id])


def count_tabs(session: Session, producer_id: int) -> dict[Tab, int]:
    """Return how many orders lie in every heap."""
    found = dict(
        session.execute(
            select(SellerOrder.state, func.count())
            .where(SellerOrder.producer_id == producer_id)
            .group_by(SellerOrder.state)
        ).all()
    )
    return {tab: sum(found.get(state, 0) for state in STATES[tab]) for tab in Tab}


def tell_duties(session: Session, producer_id: int) -> list[Duty]:
    """Return the orders that wait for this producer, those with a clock first."""
    counts = count_tabs(session, producer_id)
    return [
        Duty("desk_orders.inbox", (("muc", tab.value),), icon, sentence, counts[tab])
        for tab, icon, sentence in DUTIES
        if counts[tab]
    ]


def _cards(session: Session, rows: Collection[tuple[SellerOrder, Order]]) -> list[Card]:
    part_ids = [part.id for part, _order in rows]
    paid = payments.list_of_parts(session, part_ids)
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    for line in orders.list_lines(session, part_ids):
        lines[line.seller_order_id].append(line)
    lots = orders.lots_of_lines(session, [line.id for some in lines.values() for line in some])
    known = histories(session, {order.buyer_phone for _part, order in rows})
    return [
        Card(order, part, paid[part.id], lines[part.id], lots, known[order.buyer_phone])
        for part, order in rows
    ]


def histories(session: Session, phones: Collection[str]) -> dict[str, History]:
    """Return what became of the parcels sent to each of these phones, in the whole shop.

    Numbers only, for a desk that has an order of that phone before it. Parcels the carrier lost
    are nobody's refusal and do not count.
    """
    lost = (
        select(OrderEvent.id)
        .where(
            OrderEvent.order_id == SellerOrder.order_id,
            OrderEvent.seller_order_id == SellerOrder.id,
            OrderEvent.verb == Verb.LOSE,
        )
        .exists()
    )
    counts = {phone: [0, 0] for phone in phones}
    for phone, state, number in session.execute(
        select(Order.buyer_phone, SellerOrder.state, func.count())
        .join(SellerOrder, SellerOrder.order_id == Order.id)
        .where(
            Order.buyer_phone.in_(phones),
            SellerOrder.state.in_([_S.DELIVERED, _S.COMPLETED, _S.RETURNED]),
            ~((SellerOrder.state == _S.RETURNED) & lost),
        )
        .group_by(Order.buyer_phone, SellerOrder.state)
    ):
        counts[phone][state is _S.RETURNED] += number
    return {phone: History(*numbers) for phone, numbers in counts.items()}


def list_events(session: Session, part_id: int) -> list[OrderEvent]:
    """Return what happened to a part, in order."""
    return list(
        session.scalars(
            select(OrderEvent).where(OrderEvent.seller_order_id == part_id).order_by(OrderEvent.id)
        )
    )
