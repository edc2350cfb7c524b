"""What staff watch: parcels whose carrier brings bad or odd news, and cash that is late."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, record
from core.i18n import lazy as _
from shop import shipments
from shop.carriers.carrier import STAGE_WORDS, Stage
from shop.order_states import SellerOrderState
from shop.orders import Order, SellerOrder
from shop.shipments import NoSuchParcel, Shipment, ShipmentEvent

MOST_SHOWN = 100
describe({"parcel.looked": _("looked at a parcel with bad news")})
LOSABLE = frozenset({SellerOrderState.SHIPPED, SellerOrderState.RETURNING})


@dataclass(frozen=True, slots=True)
class Watched:
    """One parcel that somebody has to look at, with what its carrier said last."""

    shipment: Shipment
    part: SellerOrder
    order: Order
    last: ShipmentEvent | None

    @property
    def words(self) -> str:
        """Return the (English, marked) words of where it is."""
        return STAGE_WORDS[self.shipment.state]

    @property
    def may_be_lost(self) -> bool:
        """Say whether the order can be given up as lost."""
        return self.part.state in LOSABLE


def list_watched(session: Session) -> list[Watched]:
    """Return the parcels that wait for somebody's eyes, the oldest first."""
    rows = session.execute(
        select(Shipment, SellerOrder, Order)
        .join(SellerOrder, SellerOrder.id == Shipment.seller_order_id)
        .join(Order, Order.id == SellerOrder.order_id)
        .where(
            or_(
                Shipment.needs_look,
                (Shipment.state == Stage.PROBLEM) & SellerOrder.state.in_(list(LOSABLE)),
            )
        )
        .order_by(Shipment.id)
        .limit(MOST_SHOWN)
    ).all()
    events = shipments.list_events(session, [shipment.id for shipment, _part, _order in rows])
    return [
        Watched(shipment, part, order, events[shipment.id][-1] if events[shipment.id] else None)
        for shipment, part, order in rows
    ]


def get(session: Session, shipment_id: int) -> tuple[Shipment, SellerOrder, Order]:
    """Return a parcel with its part and order, or raise NoSuchParcel."""
    shipment = session.get(Shipment, shipment_id)
    if shipment is None:
        raise NoSuchParcel(_("There is no such parcel."))
    part = session.get_one(SellerOrder, shipment.seller_order_id)
    return shipment, part, session.get_one(Order, part.order_id)


def set_aside(session: Session, shipment_id: int, *, actor: Actor, now: datetime) -> None:
    """Say that somebody has looked: the parcel leaves the list until its carrier says more."""
    shipment, _part, order = get(session, shipment_id)
    if shipment.needs_look:
        shipment.needs_look = False
        record(session, actor, "parcel.looked", f"order:{order.code}", now=now)
        session.flush()
