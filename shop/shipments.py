"""Parcels on their way: who carries one, under which waybill, where it is and what was said of it.

The carrier's log stands apart from the order's: it keeps every word, also those nobody knows. A
parcel may skip stages but never leaves its last one.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from core.db import Base, word
from core.errors import Conflict, NotFound
from core.i18n import lazy as _
from core.money import ZERO, Money
from core.tasks import enqueue
from shop.carriers import ghn, manual
from shop.carriers.carrier import ENDED, Stage, TrackingEvent
from shop.delivery import CARRIED
from shop.moves import PartMoved, TooLate
from shop.order_states import SellerOrderState, Verb
from shop.orders import Order, SellerOrder
from shop.payments import payments
from shop.payments.payments import PaymentState

CREATE, CANCEL = "carriers.create", "carriers.cancel"
LONGEST_SAID = 300
# What a hand-written parcel does when its part of the order moves.
AS_THE_PART_MOVES = {
    Verb.SHIP: Stage.PICKED_UP,
    Verb.FAIL_DELIVERY: Stage.WAITING_REDELIVERY,
    Verb.REDELIVER: Stage.OUT_FOR_DELIVERY,
    Verb.DELIVER: Stage.DELIVERED,
    Verb.SEND_BACK: Stage.RETURNING,
    Verb.RECEIVE_BACK: Stage.RETURNED,
    Verb.LOSE: Stage.PROBLEM,
}

describe(
    {
        "parcel.waybill": _("wrote down a waybill"),
        "parcel.order": _("asked a carrier to fetch a parcel"),
        "parcel.cancel": _("called a carrier off"),
    }
)


class NoSuchParcel(NotFound):
    """There is no such parcel, or it is another's."""


class WaybillTaken(Conflict):
    """The waybill stands on another parcel of this producer."""


class AlreadyOrdered(Conflict):
    """A carrier is on its way to fetch this parcel."""


class Shipment(Base):
    """One parcel of one part of an order; `code` is what the carrier knows it by on every try.

    `cod` is what the carrier collects at the door, `fee` what it takes from the producer,
    `told_at` the carrier's time of its last word, `refused` why it did not take the parcel on, and
    `needs_look` that its word does not fit the order, or is bad news: a person has to look.
    """

    __tablename__ = "shipment"
    __table_args__ = (
        UniqueConstraint("carrier", "producer_id", "waybill"),
        Index("ix_shipment_state", "state", "id"),
        CheckConstraint("cod >= 0 AND (fee IS NULL OR fee >= 0)", name="not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_order_id: Mapped[int] = mapped_column(ForeignKey("seller_order.id"), index=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), index=True)
    code: Mapped[str] = mapped_column(unique=True)
    carrier: Mapped[str]
    carrier_name: Mapped[str]
    waybill: Mapped[str | None] = mapped_column(index=True)
    state: Mapped[Stage] = mapped_column(word(Stage), default=Stage.CREATED)
    cod: Mapped[Money] = mapped_column(default=ZERO)
    fee: Mapped[Money | None]
    weight_g: Mapped[int]
    created_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    refused: Mapped[str | None]
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    needs_look: Mapped[bool] = mapped_column(default=False, index=True)
    claim: Mapped[str | None]

    @property
    def is_ghn(self) -> bool:
        """Say whether GHN carries it and speaks for itself."""
        return self.carrier == ghn.CARRIER

    @property
    def is_under_way(self) -> bool:
        """Say whether it may still go somewhere."""
        return self.state not in ENDED


class ShipmentEvent(Base):
    """One thing that was said of a parcel, once; `outcome` tells what came of it."""

    __tablename__ = "shipment_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"), index=True)
    key: Mapped[str] = mapped_column(unique=True)
    said: Mapped[str]
    stage: Mapped[str | None]
    at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    outcome: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


# What came of an event.
MOVED, UNKNOWN, OVER, OLDER, SAME = "moved", "unknown", "over", "older", "same"
REFUSED = "refused"


def list_of_parts(session: Session, part_ids: Collection[int]) -> dict[int, list[Shipment]]:
    """Return the parcels of each part, the oldest first."""
    found: dict[int, list[Shipment]] = defaultdict(list)
    for shipment in session.scalars(
        select(Shipment).where(Shipment.seller_order_id.in_(part_ids)).order_by(Shipment.id)
    ):
        found[shipment.seller_order_id].append(shipment)
    return found


def find_current(session: Session, part_id: int) -> Shipment | None:
    """Return the newest parcel of a part that was not called off."""
    return session.scalar(
        select(Shipment)
        .where(Shipment.seller_order_id == part_id, Shipment.state != Stage.CANCELLED)
        .order_by(Shipment.id.desc())
        .limit(1)
    )


def find_told_of(session: Session, producer_id: int, event: TrackingEvent) -> Shipment | None:
    """Return the parcel of this producer that an event of GHN is about."""
    mine = (Shipment.producer_id == producer_id) & (Shipment.carrier == ghn.CARRIER)
    by_waybill = session.scalar(
        select(Shipment).where(mine, Shipment.waybill == event.carrier_code)
    )
    if by_waybill is not None or not event.our_ref:
        return by_waybill
    # GHN may speak of a parcel before its answer to «create» has reached us.
    return session.scalar(
        select(Shipment).where(mine, Shipment.code == event.our_ref, Shipment.waybill.is_(None))
    )


def list_events(session: Session, shipment_ids: Collection[int]) -> dict[int, list[ShipmentEvent]]:
    """Return what was said of each parcel, as it came in."""
    found: dict[int, list[ShipmentEvent]] = defaultdict(list)
    for event in session.scalars(
        select(ShipmentEvent)
        .where(ShipmentEvent.shipment_id.in_(shipment_ids))
        .order_by(ShipmentEvent.id)
    ):
        found[event.shipment_id].append(event)
    return found


def write_waybill(
    session: Session,
    order: Order,
    part: SellerOrder,
    *,
    waybill: str,
    carrier_name: str,
    actor: Actor,
    now: datetime,
) -> Shipment:
    """Write down what the post printed: on the part's parcel, or on a new one of its own.

    The caller holds the order's lock. An empty waybill may be filled in later. Raises BadWaybill,
    or WaybillTaken when it stands on another parcel.
    """
    number, name = manual.read_waybill(waybill), manual.read_carrier_name(carrier_name)
    _refuse_taken(session, part, number)
    parcel = find_current(session, part.id)
    if parcel is None or parcel.is_ghn:
        parcel = _new(session, order, part, carrier=manual.CARRIER, now=now)
        if part.state in {SellerOrderState.SHIPPED, SellerOrderState.DELIVERY_FAILED}:
            parcel.state = Stage.PICKED_UP
        session.add(parcel)
    parcel.waybill, parcel.carrier_name = number or parcel.waybill, name or parcel.carrier_name
    session.flush()
    if number:
        record(session, actor, "parcel.waybill", f"order:{order.code}", now=now, waybill=number)
    return parcel


def _refuse_taken(session: Session, part: SellerOrder, number: str | None) -> None:
    code = number and session.scalar(
        select(Order.code)
        .join(SellerOrder, SellerOrder.order_id == Order.id)
        .join(Shipment, Shipment.seller_order_id == SellerOrder.id)
        .where(
            Shipment.producer_id == part.producer_id,
            Shipment.waybill == number,
            Shipment.seller_order_id != part.id,
        )
        .limit(1)
    )
    if code:
        raise WaybillTaken(_("This waybill stands on order %(code)s already.", code=code))


def _new(
    session: Session, order: Order, part: SellerOrder, *, carrier: str, now: datetime
) -> Shipment:
    count = session.scalar(
        select(func.count()).where(Shipment.code.like(f"{order.code}-{part.id}-%"))
    )
    payment = payments.list_of_parts(session, [part.id])[part.id]
    return Shipment(
        seller_order_id=part.id,
        producer_id=part.producer_id,
        code=f"{order.code}-{part.id}-{(count or 0) + 1}",
        carrier=carrier,
        carrier_name="GHN" if carrier == ghn.CARRIER else part.delivery_name,
        cod=payment.amount if payment.state is PaymentState.DUE else ZERO,
        weight_g=part.weight_g,
        created_at=now,
    )


def order_ghn(
    session: Session,
    order: Order,
    part: SellerOrder,
    *,
    weight_g: int | None = None,
    actor: Actor,
    now: datetime,
) -> Shipment:
    """Ask GHN, after this transaction, to fetch a packed parcel; the caller holds the lock.

    Raises TooLate unless the parcel stands ready, AlreadyOrdered while one is under way.
    """
    if part.state is not SellerOrderState.READY:
        raise TooLate(_("Call GHN when the parcel stands ready."))
    current = find_current(session, part.id)
    if current is not None and current.is_ghn:
        raise AlreadyOrdered(_("GHN has been asked to fetch this parcel."))
    parcel = _new(session, order, part, carrier=ghn.CARRIER, now=now)
    parcel.weight_g = weight_g or parcel.weight_g
    session.add(parcel)
    session.flush()  # gives the parcel its id
    enqueue(session, CREATE, {"shipment_id": parcel.id}, now=now, key=f"create:{parcel.code}")
    record(session, actor, "parcel.order", f"order:{order.code}", now=now, parcel=parcel.code)
    return parcel


def call_off(session: Session, parcel: Shipment, *, now: datetime) -> bool:
    """Ask the carrier, after this transaction, to leave the parcel; once, and only while it can.

    A parcel the carrier was only asked for, and never took on, is called off at once.
    """
    if not parcel.is_ghn or not parcel.is_under_way or parcel.cancel_asked:
        return False
    parcel.cancel_asked = True
    if parcel.refused is not None and parcel.waybill is None:
        parcel.state = Stage.CANCELLED
    else:
        enqueue(session, CANCEL, {"shipment_id": parcel.id}, now=now, key=f"cancel:{parcel.code}")
    session.flush()
    return True


def take_down(
    session: Session,
    parcel: Shipment,
    told: TrackingEvent,
    truth: TrackingEvent,
    *,
    now: datetime,
) -> ShipmentEvent | None:
    """Keep what a carrier said and let the parcel be where it `truth`-fully is; None: said before.

    The caller holds the order's lock. `told` is the message, `truth` what the carrier answered
    when asked, for messages come late, twice and in any order.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    outcome = _outcome(parcel, truth)
    event_id = session.scalar(
        insert(ShipmentEvent)
        .values(
            shipment_id=parcel.id,
            key=f"{parcel.id}|{told.key}",
            said=told.raw_status,
            stage=told.stage,
            at=told.at,
            received_at=now,
            outcome=outcome,
            detail=_detail(told, truth),
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(ShipmentEvent.id)
    )
    if event_id is None:
        return None
    _update(session, parcel, truth, moves=outcome == MOVED)
    return session.get_one(ShipmentEvent, event_id)


def _outcome(parcel: Shipment, truth: TrackingEvent) -> str:
    if truth.stage is None:
        return UNKNOWN
    if parcel.state in ENDED:
        return OVER
    if truth.at is not None and parcel.told_at is not None and truth.at < parcel.told_at:
        return OLDER
    return SAME if truth.stage is parcel.state else MOVED


def _detail(told: TrackingEvent, truth: TrackingEvent) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "kind": told.kind,
        "reason": told.reason,
        "asked": truth.raw_status,
        "cod": told.cod.dong if told.cod else None,
        "fee": told.fee.dong if told.fee else None,
        "weight_g": told.weight_g,
        **told.more,
    }
    return {name: value for name, value in facts.items() if value}


def _update(session: Session, parcel: Shipment, truth: TrackingEvent, *, moves: bool) -> None:
    if moves and truth.stage is not None:
        parcel.state = truth.stage
    if truth.at is not None and (parcel.told_at is None or truth.at > parcel.told_at):
        parcel.told_at = truth.at
    parcel.fee = parcel.fee if truth.fee is None else truth.fee
    parcel.waybill = parcel.waybill or truth.carrier_code or None
    session.flush()


def on_move(session: Session, news: PartMoved) -> None:
    """Let a hand-written parcel follow its part; call GHN off when there is nothing to fetch."""
    gone = news.after is SellerOrderState.CANCELLED and news.before is not news.after
    if not (gone or news.verb is Verb.CUT or news.verb in AS_THE_PART_MOVES):
        return
    parcel = find_current(session, news.part_id)
    if parcel is None and news.verb is Verb.SHIP:
        parcel = _first(session, news)
    if parcel is None or not parcel.is_under_way:
        return
    if parcel.is_ghn:
        # What GHN collects was told with the parcel: fewer goods need a new one.
        if gone or (news.verb is Verb.CUT and parcel.state is Stage.CREATED):
            call_off(session, parcel, now=news.now)
    elif gone:
        parcel.state = Stage.CANCELLED
    elif news.verb is not Verb.CUT:
        parcel.state = AS_THE_PART_MOVES[news.verb]
    session.flush()


def _first(session: Session, news: PartMoved) -> Shipment | None:
    """Open the parcel of goods that leave by post; its waybill may be written down later."""
    part = session.get_one(SellerOrder, news.part_id)
    if part.delivery_kind not in CARRIED:
        return None
    order = session.get_one(Order, news.order_id)
    parcel = _new(session, order, part, carrier=manual.CARRIER, now=news.now)
    session.add(parcel)
    return parcel
