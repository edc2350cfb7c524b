"""What the shop asks of a carrier, and the words both understand. Grams, centimetres, đồng."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from core.errors import Invalid
from core.i18n import mark
from core.money import ZERO, Money


class Stage(enum.StrEnum):
    """Where a parcel is, in the words sellers know."""

    CREATED = "created"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    WAITING_REDELIVERY = "waiting_redelivery"
    DELIVERED = "delivered"
    RETURNING = "returning"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    PROBLEM = "problem"


ENDED = frozenset({Stage.DELIVERED, Stage.RETURNED, Stage.CANCELLED})
STAGE_WORDS = {
    Stage.CREATED: mark("Waiting to be fetched"),
    Stage.PICKED_UP: mark("Fetched"),
    Stage.IN_TRANSIT: mark("Waiting to be brought"),
    Stage.OUT_FOR_DELIVERY: mark("Being brought"),
    Stage.WAITING_REDELIVERY: mark("Waiting to be brought again"),
    Stage.DELIVERED: mark("Brought"),
    Stage.RETURNING: mark("Going back"),
    Stage.RETURNED: mark("Gone back"),
    Stage.CANCELLED: mark("Carriage called off"),
    Stage.PROBLEM: mark("Something went wrong"),
}


class CarrierRefused(Invalid):
    """The carrier said no; the message is for the person who asked."""


@dataclass(frozen=True, slots=True)
class To:
    """Where a parcel goes: codes of today's units, '' while not chosen, and their names."""

    province_code: str
    commune_code: str
    province: str = ""
    commune: str = ""
    street: str = ""
    name: str = ""
    phone: str = ""

    @property
    def is_whole(self) -> bool:
        """Say whether province and commune are both known."""
        return bool(self.province_code and self.commune_code)


@dataclass(frozen=True, slots=True)
class Thing:
    """One line of what lies in a parcel."""

    name: str
    quantity: int
    price: Money
    weight_g: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """One parcel as a carrier is told of it; `code` is ours and stays the same on every try."""

    code: str
    to: To
    weight_g: int
    value: Money
    cod: Money = ZERO
    note: str = ""
    things: tuple[Thing, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """A parcel the carrier has taken on."""

    waybill: str
    fee: Money | None


@dataclass(frozen=True, slots=True)
class TrackingEvent:
    """One thing a carrier says of one parcel; `stage` is None for a word we do not know."""

    carrier_code: str
    our_ref: str
    raw_status: str
    stage: Stage | None
    at: datetime | None
    kind: str = ""
    reason: str = ""
    cod: Money | None = None
    fee: Money | None = None
    weight_g: int | None = None
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return what two tellings of the same thing have in common."""
        moment = self.at.isoformat() if self.at else ""
        return f"{self.carrier_code}|{self.kind}|{self.raw_status}|{moment}"


class Carrier(Protocol):
    """What every carrier that speaks by itself can do; NoAnswer when it does not answer."""

    def quote(self, parcel: Parcel, *, seconds: float = 3.0) -> Money:
        """Return the carrier's own fee, or raise CarrierRefused."""

    def create(self, parcel: Parcel) -> Made:
        """Let the carrier take the parcel on; the same code again gives the same waybill."""

    def cancel(self, waybill: str) -> None:
        """Call the carriage off, or raise CarrierRefused; twice is harmless."""

    def label(self, waybill: str) -> str:
        """Return the address of the carrier's printable label."""

    def track(self, waybill: str) -> TrackingEvent:
        """Return where the parcel is now, as the carrier itself says."""

    def verify_webhook(
        self, headers: Mapping[str, str], query: Mapping[str, str], raw: bytes
    ) -> list[TrackingEvent]:
        """Return what a call says of which parcels, or raise CarrierRefused when it is no call."""
