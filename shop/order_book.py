"""Every order of the shop, for staff: searched, filtered by what is stored, page by page."""

import enum
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import Session

from accounts import audit
from accounts.audit import Act
from accounts.phones import show_phone
from catalog.lots import Lot
from catalog.picking import Pick
from catalog.places import AdminUnit
from catalog.producers import Producer
from catalog.stock import OPEN, HoldState, Reservation, StockItem
from core.clock import VIETNAM
from core.db import Database
from core.i18n import show_moment
from core.text import fold
from shop import order_search, orders
from shop.order_states import OrderState, PaymentStatus, SellerOrderState
from shop.order_words import (
    CSV_HEAD,
    METHODS,
    ORDER_STATES,
    PART_STATES,
    PAYMENT_STATUSES,
    SOURCES,
)
from shop.orders import LineHold, NoSuchOrder, Order, OrderEvent, OrderLine, SellerOrder
from shop.payments import refunds
from shop.payments.payments import Payment, PaymentMethod
from shop.payments.refunds import Refund
from shop.shipments import Shipment

PAGE = 40
ROWS_AT_ONCE = 200
ACTS_SHOWN = 100
MOST_COMMUNES = 400
# The producer has had the time to send the money back.
REFUND_WITHIN = timedelta(days=3)


class Need(enum.StrEnum):
    """What an order waits for among staff; the values stand in the address."""

    REFUND = "hoan-tien"
    DISPUTE = "tranh-chap"
    ANSWER = "chua-tra-loi"


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked of an order; all that is given must hold, of one and the same part.

    `producer` is (part of) a name, `commune` the code of where the producer is at home.
    """

    query: str = ""
    state: OrderState | None = None
    payment: PaymentStatus | None = None
    part: SellerOrderState | None = None
    method: PaymentMethod | None = None
    producer: str = ""
    commune: str = ""
    lot: str = ""
    since: date | None = None
    until: date | None = None
    need: Need | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One order in the book."""

    order: Order
    parts: list[SellerOrder]


@dataclass(frozen=True, slots=True)
class File:
    """Everything there is on one order."""

    order: Order
    parts: list[SellerOrder]
    lines: dict[int, list[OrderLine]]
    lots: dict[int, list[Pick]]
    payments: list[Payment]
    refunds: list[Refund]
    parcels: list[Shipment]
    events: list[OrderEvent]
    acts: list[Act]


def list_page(
    session: Session, filters: Filters, *, before: int | None = None, now: datetime
) -> tuple[list[Entry], int | None]:
    """Return a page of the orders that fit, the newest first, and where the next page begins."""
    found = _matching(filters, now=now)
    if before is not None:
        found = found.where(Order.id < before)
    rows = session.scalars(found.limit(PAGE + 1)).all()
    shown = rows[:PAGE]
    parts = _parts_of(session, [order.id for order in shown])
    entries = [Entry(order, parts[order.id]) for order in shown]
    return entries, shown[-1].id if len(rows) > PAGE else None


def list_communes(session: Session) -> list[AdminUnit]:
    """Return the communes that have producers, in Vietnamese order."""
    sell = select(Producer.commune_code).where(Producer.commune_code.is_not(None))
    return list(
        session.scalars(
            select(AdminUnit)
            .where(AdminUnit.code.in_(sell))
            .order_by(AdminUnit.sort_key)
            .limit(MOST_COMMUNES)
        )
    )


def count_needing(session: Session, need: Need, *, now: datetime, most: int) -> int:
    """Return how many orders wait for this, counting no further than `most`."""
    found = _matching(Filters(need=need), now=now).with_only_columns(Order.id).limit(most)
    return len(session.scalars(found).all())


def get(session: Session, code: str) -> File:
    """Return everything on the order of this code, or raise NoSuchOrder."""
    order = orders.find_by_code(session, code)
    if order is None:
        raise NoSuchOrder
    parts = orders.list_parts(session, order.id)
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    for line in orders.list_lines(session, [part.id for part in parts]):
        lines[line.seller_order_id].append(line)
    of_order: dict[str, Any] = {"order_id": order.id}
    parcels = select(Shipment).where(Shipment.seller_order_id.in_([part.id for part in parts]))
    return File(
        order=order,
        parts=parts,
        lines=lines,
        lots=orders.lots_of_lines(session, [line.id for some in lines.values() for line in some]),
        payments=_rows(session, select(Payment).filter_by(**of_order).order_by(Payment.id)),
        refunds=_rows(session, select(Refund).filter_by(**of_order).order_by(Refund.id)),
        parcels=_rows(session, parcels.order_by(Shipment.id)),
        events=_rows(session, select(OrderEvent).filter_by(**of_order).order_by(OrderEvent.id)),
        acts=list(audit.list_acts(session, subject=f"order:{order.code}", limit=ACTS_SHOWN)),
    )


def _rows(session: Session, question: Any) -> list[Any]:
    return list(session.scalars(question))


def rows_of_csv(
    database: Database, filters: Filters, *, now: datetime
) -> Iterator[list[tuple[str, ...]]]:
    """Give a head and one row for each part of the orders that fit, some hundreds at a time.

    Each lot of rows is read in a session of its own: a long file holds neither memory nor a lock.
    """
    yield [tuple(str(word) for word in CSV_HEAD)]
    before: int | None = None
    while True:
        with database.reading() as session:
            found = _matching(filters, now=now)
            if before is not None:
                found = found.where(Order.id < before)
            some = session.scalars(found.limit(ROWS_AT_ONCE)).all()
            if not some:
                return
            before = some[-1].id
            parts = _parts_of(session, [order.id for order in some])
            waybills = _waybills(session, [one.id for order in some for one in parts[order.id]])
            rows = [
                _csv_row(order, part, waybills.get(part.id, ""))
                for order in some
                for part in parts[order.id]
            ]
        yield rows


def _csv_row(order: Order, part: SellerOrder, waybill: str) -> tuple[str, ...]:
    money = (
        part.items_total,
        part.discount_total,
        part.shipping_fee,
        part.shipping_discount,
        part.total,
    )
    return (
        order.code,
        show_moment(order.placed_at),
        str(ORDER_STATES[order.state]),
        str(PAYMENT_STATUSES[order.payment_status]),
        str(METHODS[PaymentMethod(order.payment_method)]),
        part.producer_name,
        str(PART_STATES[part.state]),
        order.buyer_name,
        show_phone(order.buyer_phone),
        order.address_text,
        *(str(amount.dong) for amount in money),
        waybill,
        str(SOURCES[order.source]),
    )


def _waybills(session: Session, part_ids: Collection[int]) -> dict[int, str]:
    rows = session.execute(
        select(Shipment.seller_order_id, Shipment.waybill)
        .where(Shipment.seller_order_id.in_(part_ids), Shipment.waybill.is_not(None))
        .order_by(Shipment.id)
    )
    return {part_id: waybill or "" for part_id, waybill in rows}


def _parts_of(session: Session, order_ids: Collection[int]) -> dict[int, list[SellerOrder]]:
    parts: dict[int, list[SellerOrder]] = defaultdict(list)
    for part in session.scalars(
        select(SellerOrder).where(SellerOrder.order_id.in_(order_ids)).order_by(SellerOrder.id)
    ):
        parts[part.order_id].append(part)
    return parts


def _matching(filters: Filters, *, now: datetime) -> Select[Order]:
    found = select(Order).order_by(Order.id.desc())
    meant = order_search.meant_by(filters.query)
    if meant is not None:
        found = found.where(meant)
    for column, wanted in (
        (Order.state, filters.state),
        (Order.payment_status, filters.payment),
        (Order.payment_method, filters.method),
    ):
        if wanted is not None:
            found = found.where(column == wanted)
    if filters.since is not None:
        found = found.where(Order.placed_at >= _midnight(filters.since))
    if filters.until is not None:
        found = found.where(Order.placed_at < _midnight(filters.until + timedelta(days=1)))
    if filters.need is Need.DISPUTE:
        found = found.where(Order.frozen)
    elif filters.need is Need.REFUND:
        found = found.where(Order.id.in_(_refunds_overdue(now)))
    elif filters.need is Need.ANSWER:
        found = found.where(Order.id.in_(_UNANSWERED))
    of_parts = _of_parts(filters)
    if of_parts:
        found = found.where(
            select(SellerOrder.id).where(SellerOrder.order_id == Order.id, *of_parts).exists()
        )
    return found


_UNANSWERED = select(SellerOrder.order_id).where(
    SellerOrder.state == SellerOrderState.TO_CONFIRM, SellerOrder.reminders > 0
)


def _refunds_overdue(now: datetime) -> Any:
    return select(Refund.order_id).where(
        Refund.state.in_(refunds.OPEN), Refund.requested_at < now - REFUND_WITHIN
    )


def _of_parts(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.part is not None:
        found.append(SellerOrder.state == filters.part)
    of_producer: list[ColumnElement[bool]] = []
    if filters.producer:
        of_producer.append(Producer.name_folded.contains(fold(filters.producer), autoescape=True))
    if filters.commune:
        of_producer.append(Producer.commune_code == filters.commune)
    if of_producer:
        found.append(SellerOrder.producer_id.in_(select(Producer.id).where(and_(*of_producer))))
    if filters.lot:
        found.append(SellerOrder.id.in_(_parts_with_lot(filters.lot.strip().upper())))
    return found


def _parts_with_lot(code: str) -> Any:
    """Return the question for parts that hold, or were sent with, goods of a lot of this code."""
    return (
        select(OrderLine.seller_order_id)
        .join(LineHold, LineHold.line_id == OrderLine.id)
        .join(Reservation, Reservation.id == LineHold.reservation_id)
        .join(StockItem, StockItem.id == Reservation.stock_id)
        .join(Lot, Lot.id == StockItem.lot_id)
        .where(Lot.code == code, Reservation.state.in_([*OPEN, HoldState.CONSUMED]))
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), VIETNAM)
