"""Speaking with carriers about real parcels: asked after commit, heard, and asked again.

GHN signs nothing. A call counts only at the secret address of a connection, about a parcel of its
producer, and only for what GHN itself answers when it is asked about that parcel.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog import places
from core import inbox
from core.db import Database
from core.i18n import lazy as _
from core.inbox import Outcome
from core.settings import Settings
from core.tasks import Hopeless, Work, enqueue
from shop import carrier_fees, connections, deliveries, moves, orders, shipments
from shop.carriers import ghn
from shop.carriers.carrier import (
    ENDED,
    CarrierRefused,
    Parcel,
    Stage,
    Thing,
    To,
    TrackingEvent,
)
from shop.carriers.ghn_client import Ghn
from shop.connections import Connection
from shop.delivery import ASSUMED_WEIGHT_G
from shop.orders import Order, SellerOrder
from shop.shipments import LONGEST_SAID, MOVED, REFUSED, NoSuchParcel, Shipment
from shop.webhooks import Call, Forged, NoSuchAddress, Reply

TRACK = "carriers.track"
GHN = Actor(None, "GHN")
# A parcel of which nothing was heard so long is asked about: calls may get lost.
SILENT = timedelta(hours=12)
MOST_ASKED = 200


class NotYetTaken(Exception):  # noqa: N818 - what the task waits for
    """The carrier has not answered yet whether it takes the parcel on."""


def parcel_of(session: Session, shipment: Shipment) -> Parcel:
    """Return a parcel as its carrier is told of it: to whom, what lies in it, what to collect."""
    part = session.get_one(SellerOrder, shipment.seller_order_id)
    order = session.get_one(Order, part.order_id)
    names = places.place_names(session, [order.province_code, order.commune_code])
    lines = [line for line in orders.list_lines(session, [part.id]) if line.wanted]
    return Parcel(
        code=shipment.code,
        to=To(
            province_code=order.province_code,
            commune_code=order.commune_code,
            province=names.get(order.province_code, ""),
            commune=names.get(order.commune_code, ""),
            street=order.street,
            name=order.buyer_name,
            phone=order.buyer_phone,
        ),
        weight_g=shipment.weight_g,
        value=part.items_total - part.discount_total,
        cod=shipment.cod,
        note=order.note or "",
        things=tuple(
            Thing(
                f"{line.product_name} {line.variant_name}".strip(),
                line.wanted,
                line.unit_price,
                line.weight_g or ASSUMED_WEIGHT_G,
            )
            for line in lines
        ),
    )


def create(work: Work) -> None:
    """Let the carrier take a parcel on. Its refusal is written down for the producer to mend."""
    with work.database.reading() as session:
        shipment = session.get_one(Shipment, work.payload["shipment_id"])
        account = carrier_fees.account_of(session, shipment.producer_id, work.settings)
        parcel = parcel_of(session, shipment)
    if shipment.waybill is not None or not shipment.is_under_way:
        return
    if shipment.cancel_asked and work.attempt == 1:
        _end(work, shipment.id, why=None)
        return
    if account is None:
        _end(work, shipment.id, why=str(_("GHN is not connected. Connect it, then call again.")))
        return
    try:
        made = account.create(parcel)
    except CarrierRefused as refusal:
        _end(work, shipment.id, why=str(refusal.message))
        return
    with work.finishing() as session:
        kept = _locked(session, shipment.id)
        kept.waybill, kept.fee = made.waybill, made.fee


def cancel(work: Work) -> None:
    """Call the carrier off. If it will not be, the producer reads why and the parcel goes on."""
    with work.database.reading() as session:
        shipment = session.get_one(Shipment, work.payload["shipment_id"])
        account = carrier_fees.account_of(session, shipment.producer_id, work.settings)
    if not shipment.is_under_way:
        return
    if shipment.waybill is None:
        raise NotYetTaken
    if account is None:
        raise Hopeless("GHN is not connected any more")
    try:
        account.cancel(shipment.waybill)
    except CarrierRefused as refusal:
        with work.finishing() as session:
            kept = _locked(session, shipment.id)
            kept.refused, kept.needs_look = str(refusal.message)[:LONGEST_SAID], True
        return
    _end(work, shipment.id, why=None)


def _end(work: Work, shipment_id: int, *, why: str | None) -> None:
    with work.finishing() as session:
        kept = _locked(session, shipment_id)
        if kept.is_under_way:
            kept.state, kept.refused = Stage.CANCELLED, (why or "")[:LONGEST_SAID] or None


def _locked(session: Session, shipment_id: int) -> Shipment:
    """Return a parcel as it is now that nobody else moves its order."""
    order_id = session.scalars(
        select(SellerOrder.order_id)
        .join(Shipment, Shipment.seller_order_id == SellerOrder.id)
        .where(Shipment.id == shipment_id)
    ).one()
    moves.lock(session, order_id)
    return session.get_one(Shipment, shipment_id)


def label_address(session: Session, part_id: int, settings: Settings) -> tuple[Ghn, str]:
    """Return whom to ask, after this transaction, for the label of which waybill."""
    shipment = shipments.find_current(session, part_id)
    if shipment is None or not shipment.is_ghn or shipment.waybill is None:
        raise NoSuchParcel(_("GHN has no parcel of this order yet."))
    account = carrier_fees.account_of(session, shipment.producer_id, settings)
    if account is None:
        raise NoSuchParcel(_("GHN is not connected. Connect it, then call again."))
    return account, shipment.waybill


def hear_ghn(call: Call) -> Reply:
    """Answer a call of GHN: 4xx is dropped by it, 503 comes again, 200 is done.

    Raises NoSuchAddress, Forged for nonsense or another shop, NoAnswer while GHN itself does not
    say where the parcel is.
    """
    with call.database.reading() as session:
        connection = connections.find_by_token(session, ghn.CARRIER, call.token)
        if connection is None:
            raise NoSuchAddress
        fields = connections.credentials(connection, call.secrets)
        shipment = None
        token, shop_id = ghn.credentials_of(fields)
        account = Ghn(call.settings.GHN_API_BASE, token, shop_id)
        told = _told(account, call)
        if connection.producer_id is not None:
            shipment = shipments.find_told_of(session, connection.producer_id, told)
        heard = inbox.is_known(session, ghn.CARRIER, told.key, scope=connection.scope)
    if heard:
        return Reply()
    if shipment is None:
        _keep_foreign(call, connection, told)
        return Reply()
    try:
        truth = account.track(told.carrier_code, seconds=3.0)
    except CarrierRefused:
        raise Forged from None
    with call.database.transaction() as session:
        event = inbox.take(
            session,
            ghn.CARRIER,
            told.key,
            headers=call.headers,
            body=call.body,
            now=call.now,
            scope=connection.scope,
        )
        if event is not None:
            connections.see(session, session.get_one(Connection, connection.id), now=call.now)
            fits = follow(session, shipment.id, told, truth, now=call.now)
            outcome = Outcome.DONE if fits else Outcome.NEEDS_A_LOOK
            inbox.close(session, event, outcome)
    return Reply()


def _told(account: Ghn, call: Call) -> TrackingEvent:
    try:
        [told] = account.verify_webhook(call.headers, call.query, call.body)
    except CarrierRefused:
        raise Forged from None
    return told


def _keep_foreign(call: Call, connection: Connection, told: TrackingEvent) -> None:
    with call.database.transaction() as session:
        event = inbox.take(
            session,
            ghn.CARRIER,
            told.key,
            headers=call.headers,
            body=call.body,
            now=call.now,
            scope=connection.scope,
        )
        if event is not None:
            inbox.close(session, event, Outcome.FOREIGN, "no parcel of this shop")


def follow(
    session: Session,
    shipment_id: int,
    told: TrackingEvent,
    truth: TrackingEvent,
    *,
    now: datetime,
) -> bool:
    """Write down what was said of a parcel and propose its move to its part of the order.

    False means a person has to look; the parcel then stands in the staff's list.
    """
    shipment = _locked(session, shipment_id)
    event = shipments.take_down(session, shipment, told, truth, now=now)
    if event is None:
        return True
    if "IsPartialReturn" in told.more:
        # Some goods were kept and some come back: only people can sort that out.
        shipment.needs_look = True
    if event.outcome != MOVED:
        return True
    part = session.get_one(SellerOrder, shipment.seller_order_id)
    order = session.get_one(Order, part.order_id)
    why = told.reason or str(_("GHN: %(word)s", word=told.raw_status))
    fits = deliveries.propose(session, order, part, shipment.state, why=why, actor=GHN, now=now)
    if not fits:
        event.outcome, shipment.needs_look = REFUSED, True
        session.flush()
    return fits


def ask_about_silent(database: Database, now: datetime) -> None:
    """Ask the carrier about parcels it has said nothing of for half a day."""
    with database.transaction() as session:
        silent = session.scalars(
            select(Shipment.id)
            .where(
                Shipment.carrier == ghn.CARRIER,
                Shipment.waybill.is_not(None),
                Shipment.state.not_in(list(ENDED)),
                Shipment.created_at < now - SILENT,
                (Shipment.told_at.is_(None)) | (Shipment.told_at < now - SILENT),
            )
            .order_by(Shipment.id)
            .limit(MOST_ASKED)
        )
        hour = now.strftime("%Y%m%d%H")
        for shipment_id in silent:
            key = f"track:{shipment_id}:{hour}"
            enqueue(session, TRACK, {"shipment_id": shipment_id}, now=now, key=key)


def track(work: Work) -> None:
    """Ask the carrier where one parcel is and let it be there."""
    with work.database.reading() as session:
        shipment = session.get_one(Shipment, work.payload["shipment_id"])
        account = carrier_fees.account_of(session, shipment.producer_id, work.settings)
    if account is None or shipment.waybill is None or not shipment.is_under_way:
        return
    try:
        truth = account.track(shipment.waybill)
    except CarrierRefused:
        return
    with work.finishing() as session:
        follow(session, shipment.id, truth, truth, now=work.clock())
