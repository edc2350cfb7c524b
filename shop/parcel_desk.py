"""What an order's page at the desk says of its parcels: where they are, what can be done next."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.duties import Duty
from core.clock import utc_now
from core.i18n import mark
from shop import connections, deliveries, orders, remittances, shipments
from shop.carriers import ghn
from shop.carriers.carrier import STAGE_WORDS, Stage
from shop.deliveries import Back
from shop.delivery import DeliveryKind
from shop.inbox import Tab
from shop.order_states import SellerOrderState
from shop.orders import SellerOrder
from shop.shipments import Shipment, ShipmentEvent

_S = SellerOrderState


@dataclass(frozen=True, slots=True)
class ParcelDesk:
    """The parcels of one part, the newest first, with everything carriers said of them.

    `back` proposes what becomes of each line of a parcel that comes back.
    """

    parcels: list[Shipment]
    events: dict[int, list[ShipmentEvent]]
    kind: str | None
    has_ghn: bool
    back: dict[int, Back]

    @property
    def current(self) -> Shipment | None:
        """Return the parcel that is under way or has arrived."""
        return next((one for one in self.parcels if one.state is not Stage.CANCELLED), None)

    @property
    def by_post(self) -> bool:
        """Say whether somebody else carries it, under a waybill people write down."""
        return self.kind in {DeliveryKind.POST, DeliveryKind.GHN}

    @property
    def may_call_ghn(self) -> bool:
        """Say whether GHN can be asked to fetch the parcel."""
        current = self.current
        return self.has_ghn and self.by_post and (current is None or not current.is_ghn)

    def words(self, stage: str) -> str:
        """Return the (English, marked) words of a stage."""
        return STAGE_WORDS[Stage(stage)]


DUTIES = (
    (_S.DELIVERY_FAILED, mark("%(count)s parcels were not handed over")),
    (_S.RETURNING, mark("%(count)s parcels come back")),
)


def tell_duties(session: Session, producer_id: int) -> list[Duty]:
    """Return the parcels that wait for this producer, and the cash a carrier holds too long."""
    found = dict(
        session.execute(
            select(SellerOrder.state, func.count())
            .where(
                SellerOrder.producer_id == producer_id,
                SellerOrder.state.in_([state for state, _sentence in DUTIES]),
            )
            .group_by(SellerOrder.state)
        ).all()
    )
    road = (("muc", Tab.SHIPPED.value),)
    duties = [
        Duty("desk_orders.inbox", road, "xe", sentence, found[state])
        for state, sentence in DUTIES
        if state in found
    ]
    late = remittances.list_out(session, producer_id, now=utc_now(), only_late=True)
    if late:
        sentence = mark("cash of %(count)s orders has not come for 14 days")
        duties.append(Duty("desk_cod.index", (), "tien", sentence, len(late)))
    return duties


def read(session: Session, part: SellerOrder) -> ParcelDesk:
    """Return what the desk shows of a part's parcels."""
    parcels = shipments.list_of_parts(session, [part.id])[part.id][::-1]
    asks = part.state in {_S.PREPARING, _S.READY}
    return ParcelDesk(
        parcels=parcels,
        events=shipments.list_events(session, [one.id for one in parcels]) if parcels else {},
        kind=part.delivery_kind,
        has_ghn=asks and connections.find_open(session, part.producer_id, ghn.CARRIER) is not None,
        back=deliveries.default_back(session, orders.list_lines(session, [part.id]))
        if part.state is _S.RETURNING
        else {},
    )
