"""EPCIS 2.0: what a line of the diary says as an event, and a lot's events as one document.

The what are lots by their printed addresses, the where is the producer by its own address, the when
has milliseconds and its zone. Names of people and free text are not said here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from traceability.diary import Step, StepKind
from traceability.events import TraceEvent, namespaces, prefixes

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
# Units as people write them → codes of UN/CEFACT; others are told in words.
UNITS = {
    "kg": ("KGM", Decimal(1)),
    "g": ("GRM", Decimal(1)),
    "gam": ("GRM", Decimal(1)),
    "gram": ("GRM", Decimal(1)),
    "yến": ("KGM", Decimal(10)),
    "tạ": ("KGM", Decimal(100)),
    "tấn": ("TNE", Decimal(1)),
    "lít": ("LTR", Decimal(1)),
    "l": ("LTR", Decimal(1)),
    "ml": ("MLT", Decimal(1)),
    "m": ("MTR", Decimal(1)),
    "m2": ("MTK", Decimal(1)),
    "sào": ("MTK", Decimal(360)),
    "ha": ("HAR", Decimal(1)),
    **dict.fromkeys(
        ("cái", "chiếc", "gói", "hộp", "chai", "lọ", "hũ", "túi", "bao", "thùng", "cuộn", "bộ",
         "con", "quả", "bó", "tấm", "cây", "cặp", "xâu", "khay"),
        ("H87", Decimal(1)),
    ),
}  # fmt: skip
_STEPS: dict[StepKind, tuple[str, str, str]] = {
    # kind → action, business step, disposition
    StepKind.SOWING: ("ADD", "commissioning", "in_progress"),
    StepKind.CARE: ("OBSERVE", "other", "in_progress"),
    StepKind.HARVEST: ("ADD", "commissioning", "in_progress"),
    StepKind.INTAKE: ("OBSERVE", "receiving", "in_progress"),
    StepKind.PROCESSING: ("", "commissioning", "in_progress"),
    StepKind.TESTING: ("OBSERVE", "inspecting", "conformant"),
    StepKind.PACKING: ("OBSERVE", "packing", "sellable_accessible"),
    StepKind.DISPATCH: ("OBSERVE", "shipping", "in_transit"),
}


@dataclass(frozen=True, slots=True)
class Goods:
    """So much of a lot, named by the address its label carries."""

    address: str
    quantity: Decimal | None = None
    unit: str | None = None

    @property
    def element(self) -> dict[str, Any]:
        """Return it as EPCIS says a quantity; without a number it is just the lot."""
        said: dict[str, Any] = {"epcClass": self.address}
        if self.quantity is None:
            return said
        code, factor = UNITS.get((self.unit or "").casefold(), ("", Decimal(1)))
        said["quantity"] = _number(self.quantity * factor)
        return {**said, "uom": code} if code else said


@dataclass(frozen=True, slots=True)
class About:
    """What an event is about: the lot, where, and the master data its first event carries."""

    lot: str
    place: str
    name: str
    produced_on: date | None = None
    expires_on: date | None = None


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def event_of(
    step: Step, about: About, *, inputs: Sequence[Goods] = (), supplier: str | None = None
) -> dict[str, Any]:
    """Return the EPCIS event of one line of the diary.

    `inputs` are the lots that went into a making or packing step; `supplier` names where material
    came from (one step back).
    """
    action, business_step, disposition = _STEPS[step.kind]
    said: dict[str, Any] = {
        "type": "TransformationEvent" if step.kind is StepKind.PROCESSING else "ObjectEvent",
        "eventTime": written_time(step.happened_at, step.zone_offset),
        "eventTimeZoneOffset": step.zone_offset,
        "bizStep": business_step,
        "disposition": disposition,
        "readPoint": {"id": about.place},
        "bizLocation": {"id": about.place},
        "ocop:step": step.kind.value,
    }
    goods = Goods(about.lot, step.quantity, step.unit).element
    if step.unit and "uom" not in goods:
        said["ocop:unit"] = step.unit
    if said["type"] == "TransformationEvent":
        said["outputQuantityList"] = [goods]
        if inputs:
            said["inputQuantityList"] = [one.element for one in inputs]
        else:
            # The standard asks for a name of the making when only one side of it is known.
            said["transformationID"] = f"{about.lot}#{step.happened_at:%y%m%d%H%M%S}"
        return {**said, "ilmd": _master_data(about)}
    said |= {"action": action, "quantityList": [goods]}
    if action == "ADD":
        said["ilmd"] = _master_data(about)
    if inputs:
        said["ocop:madeFrom"] = [one.address for one in inputs]
    if step.kind is StepKind.INTAKE and supplier:
        said["sourceList"] = [{"type": "owning_party", "source": supplier}]
    return said


def _master_data(about: About) -> dict[str, Any]:
    days = {"ocop:producedOn": about.produced_on, "ocop:expiresOn": about.expires_on}
    return {
        "ocop:name": about.name,
        **{name: day.isoformat() for name, day in days.items() if day is not None},
    }


def recall_of(about: About, *, now: datetime) -> dict[str, Any]:
    """Return the event that a lot is held back because it is recalled."""
    return {
        **_watched(about, "holding", "recalled", now=now),
        "persistentDisposition": {"set": ["recalled"]},
    }


def hold_of(about: About, *, now: datetime, was_recalled: bool = False) -> dict[str, Any]:
    """Return the event that a lot is held back while it is looked into, a recall being over."""
    said = _watched(about, "holding", "non_sellable_other", now=now)
    return {**said, "persistentDisposition": {"unset": ["recalled"]}} if was_recalled else said


def release_of(about: About, *, now: datetime, was_recalled: bool) -> dict[str, Any]:
    """Return the event that a lot which was held back may be sold again."""
    said = _watched(about, "inspecting", "sellable_accessible", now=now)
    return {**said, "persistentDisposition": {"unset": ["recalled"]}} if was_recalled else said


def _watched(
    about: About, business_step: str, disposition: str, *, now: datetime
) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventTime": written_time(now, "+07:00"),
        "eventTimeZoneOffset": "+07:00",
        "action": "OBSERVE",
        "bizStep": business_step,
        "disposition": disposition,
        "readPoint": {"id": about.place},
        "quantityList": [{"epcClass": about.lot}],
    }


def declared_wrong(
    event: dict[str, Any], *, reason: str, corrective: Iterable[str], now: datetime
) -> dict[str, Any]:
    """Return the same event with the declaration that it was wrong, and what is right instead."""
    declaration: dict[str, Any] = {"declarationTime": written_time(now, "+07:00"), "reason": reason}
    ids = list(corrective)
    if ids:
        declaration["correctiveEventIDs"] = ids
    return {**event, "errorDeclaration": declaration}


def written_time(moment: datetime, zone_offset: str) -> str:
    """Return the moment to the millisecond, as a clock of that zone shows it."""
    sign = -1 if zone_offset.startswith("-") else 1
    hours, minutes = zone_offset[1:].split(":")
    zone = timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{zone_offset}"


def document(events: Iterable[TraceEvent], *, base: str, now: datetime) -> dict[str, Any]:
    """Return events as one EPCIS document, each with its hash for an id."""
    return {
        "@context": [CONTEXT, namespaces(base)],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": written_time(now, "+07:00"),
        "epcisBody": {"eventList": [_told_below(one, base) for one in events]},
    }


def _told_below(event: TraceEvent, base: str) -> dict[str, Any]:
    """Return an event with the prefixes of its own day where they are not the document's."""
    said = event.event
    needed = prefixes(said, event.base)
    own = {name: needed[name] for name in needed if needed[name] != namespaces(base).get(name)}
    if own:
        return {**said, "@context": [own]}
    return {name: value for name, value in said.items() if name != "@context"}
