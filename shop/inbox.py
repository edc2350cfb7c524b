"""A producer's orders as its desk lists them: by state, newest first, page by page."""

import enum
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.duties import Duty
from core.i18n import mark
from core.money import Money, total
from shop import orders
from shop.order_states import SellerOrderState
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
class Card:
    """One order in the list; its refunds are known on its own page."""

    order: Order
    part: SellerOrder
    payment: Payment
    lines: list[OrderLine]
    refunds: list[Refund] = field(default_factory=list)

    @property
    def refund_due(self) -> Money:
        """Return what is still to be sent back to the buyer."""
        return total(one.amount for one in self.refunds if one.state is not RefundState.SUCCEEDED)


@dataclass(frozen=True, slots=True)
class InboxPage:
    """One page of one heap, with the number of orders in every heap."""

    tab: Tab
    counts: dict[Tab, int]
    cards: list[Card]
    next_before: int | None


def tab_of(text: str | None, counts: Mapping[Tab, int]) -> Tab:
    """Return the heap the address names; the first with something in it when it names none."""
    try:
        return Tab(text or "")
    except ValueError:
        return next((tab for tab in Tab if counts[tab]), Tab.TO_CONFIRM)


def list_page(
    session: Session, producer_id: int, wanted: str | None, *, before: int | None = None
) -> InboxPage:
    """Return one page of the wanted heap of a producer's orders, written before part `before`."""
    counts = count_tabs(session, producer_id)
    tab = tab_of(wanted, counts)
    earlier = SellerOrder.id < before if before is not None else SellerOrder.id.is_not(None)
    rows = session.execute(
        select(SellerOrder, Order)
        .join(Order, Order.id == SellerOrder.order_id)
        .where(SellerOrder.producer_id == producer_id, SellerOrder.state.in_(STATES[tab]), earlier)
        .order_by(SellerOrder.id.desc())
        .limit(PAGE + 1)
    ).all()
    shown = rows[:PAGE]
    return InboxPage(
        tab,
        counts,
        _cards(session, [(part, order) for part, order in shown]),
        shown[-1][0].id if len(rows) > PAGE else None,
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
    return [Card(order, part, paid[part.id], lines[part.id]) for part, order in rows]


def list_events(session: Session, part_id: int) -> list[OrderEvent]:
    """Return what happened to a part, in order."""
    return list(
        session.scalars(
            select(OrderEvent).where(OrderEvent.seller_order_id == part_id).order_by(OrderEvent.id)
        )
    )
