"""EPCIS documents of others: read within bounds, judged, and kept under the lots they are about.

Nothing is ever edited by an import: an event that is here already stays as it is, one that its
sender declares wrong is kept with the declaration beside it.
"""

import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeVar

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog.lots import Lot
from catalog.variants import Variant
from core import events as news
from core.errors import Invalid
from core.i18n import lazy as _
from core.text import nfc
from traceability import epcis_rules, epcs, event_hash, events
from traceability.diary import FAST_CLOCK
from traceability.edges import LotEdge
from traceability.epcis_values import Fault
from traceability.events import EventKind, Told, TraceEvent
from traceability.keeping import LotsLinked
from traceability.serials import Serial
from traceability.trace_codes import TraceCode

LARGEST = 10 * 1024 * 1024
DEEPEST = 40
MOST_EVENTS = 20_000
AT_ONCE = 500
T = TypeVar("T")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_OWN_CODE = re.compile(r"/t/([0-9A-Za-z]+)(?:[/?#]|$)")
_GS1 = re.compile(r"/01/(\d{14})/(10|21)/([^/]+)", re.ASCII)
_EPCS = ("epcList", "childEPCs", "outputEPCList")
_QUANTITIES = ("quantityList", "childQuantityList", "outputQuantityList")
_WENT_IN = ("inputEPCList", "inputQuantityList")


class BadDocument(Invalid):
    """This is no EPCIS document: each fault with the path to it and the reason."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(_("This is not a right EPCIS document."))
        self.faults = list(faults)


@dataclass(slots=True)
class Report:
    """What became of a document's events; `strange` names what is about no lot of this shop."""

    recorded: int = 0
    known: int = 0
    strange: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Named:
    """An identifier in an event, with the path to it and how much of it is told."""

    path: str
    ident: str
    quantity: Decimal | None = None
    unit: str | None = None


def read(data: bytes) -> dict[str, Any]:
    """Return the EPCIS document that `data` is, its text in NFC; raises BadDocument.

    Of a name that stands twice in one object the last counts: official examples have such.
    """
    if len(data) > LARGEST:
        raise BadDocument([Fault("$", _("The file is too large: at most 10 MB."))])
    try:
        text = data.decode("utf-8-sig")
        if _depth(text) > DEEPEST:
            raise BadDocument([Fault("$", _("It is nested too deeply."))])
        document = json.loads(
            text,
            parse_constant=_no_number,
            parse_float=_finite,
        )
        document = _plain(document)
    except (ValueError, RecursionError) as error:
        raise BadDocument([Fault("$", _("This is not JSON: %(why)s", why=str(error)))]) from error
    faults = epcis_rules.find_faults(document)
    if not faults and len(event_hash.events_of(document)) > MOST_EVENTS:
        faults = [Fault("$", _("There are too many events in one file."))]
    if faults:
        raise BadDocument(faults)
    found: dict[str, Any] = document
    return found


def _depth(text: str) -> int:
    deepest = depth = 0
    for letter in re.findall(r"[\[\]{}]", _STRING.sub("", text)):
        depth += 1 if letter in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number")
    return number


def _plain(value: Any) -> Any:
    """Return the value with its text in NFC; what no database keeps is refused."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError("a text holds what is no letter")
        return nfc(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {_plain(key): _plain(one) for key, one in value.items()}
    return value


def keep(
    session: Session, document: Mapping[str, Any], *, base: str, actor: Actor, now: datetime
) -> Report:
    """Write down a document's events, each under every lot of ours it is about.

    The same document again changes nothing. `base` is the address our codes stand under. Raises
    BadDocument when an event has not happened yet; nothing is kept then.
    """
    told = list(event_hash.events_of(document))
    _refuse_future(told, now=now)
    subjects = [list(_named(event, place, _EPCS, _QUANTITIES)) for place, event in enumerate(told)]
    inputs = [
        list(_named(event, place, _WENT_IN[:1], _WENT_IN[1:])) for place, event in enumerate(told)
    ]
    bases = {base, *_bases(session)}
    lots = _find_lots(session, bases, (one.ident for row in (*subjects, *inputs) for one in row))
    report = Report()
    fresh: list[tuple[Told, Sequence[_Named]]] = []
    declared: list[Told] = []
    for event, about, went_in in zip(told, subjects, inputs, strict=True):
        body = _body(event, document, base)
        ours = list(dict.fromkeys(lots[one.ident] for one in about if one.ident in lots))
        report.strange += [
            Fault(one.path, _("No lot of this shop has this code: %(code)s", code=one.ident))
            for one in about
            if one.ident not in lots and (not ours or _base_of(one.ident, bases))
        ]
        for lot_id in ours:
            one = Told(body, _uid(body, base, lot_id), lot_id)
            if "errorDeclaration" in body:
                declared.append(one)
            else:
                fresh.append((one, went_in))
    known = _known(session, base, [one for one, _inputs in fresh] + declared)
    new = [(one, went_in) for one, went_in in _once(fresh) if one.uid not in known]
    rows = events.record_all(
        session, [one for one, _inputs in new], kind=EventKind.IMPORTED, base=base, actor=actor,
        now=now,
    )  # fmt: skip
    for row, (_one, into_it) in zip(rows, new, strict=True):
        edges = _edges(row, into_it, lots)
        session.add_all(edges)
        session.flush()
        if edges and row.lot_id is not None:
            into = tuple(edge.input_lot_id for edge in edges)
            news.publish(session, LotsLinked(row.lot_id, into, base, actor, now))
    declarations = [one for one in {one.uid: one for one in declared}.values()
                    if one.uid not in known]  # fmt: skip
    for one in declarations:
        wrong = _first(session, events.ident_of(one.body, base), one.lot_id)
        events.record(
            session, one.body, kind=EventKind.DECLARATION, base=base, uid=one.uid,
            lot_id=one.lot_id, corrects=wrong, actor=actor, now=now,
        )  # fmt: skip
    report.recorded = len(new) + len(declarations)
    report.known = len(fresh) + len(declared) - report.recorded
    return report


def _refuse_future(told: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    late = [
        Fault(f"$.epcisBody.eventList[{place}].eventTime", _("This time has not come yet."))
        for place, event in enumerate(told)
        if datetime.fromisoformat(event["eventTime"].upper()) > now + FAST_CLOCK
    ]
    if late:
        raise BadDocument(late)


def _named(
    event: Mapping[str, Any], place: int, lists: Sequence[str], quantities: Sequence[str]
) -> Iterable[_Named]:
    path = f"$.epcisBody.eventList[{place}]"
    for name in lists:
        for number, ident in enumerate(_listed(event, name)):
            if isinstance(ident, str):
                yield _Named(f"{path}.{name}[{number}]", ident)
    for name in quantities:
        for number, one in enumerate(_listed(event, name)):
            if isinstance(one, Mapping) and isinstance(one.get("epcClass"), str):
                amount = one.get("quantity")
                yield _Named(
                    f"{path}.{name}[{number}].epcClass",
                    one["epcClass"],
                    round(Decimal(str(amount)), 3) if isinstance(amount, int | float) else None,
                    one.get("uom"),
                )


def _listed(event: Mapping[str, Any], name: str) -> list[Any]:
    """Return a list of the event; types of event that are not the standard's may have anything."""
    value = event.get(name)
    return value if isinstance(value, list) else []


def about(event: Mapping[str, Any]) -> list[str]:
    """Return the identifiers of what an event is about."""
    return [one.ident for one in _named(event, 0, _EPCS, _QUANTITIES)]


def find_lots(session: Session, idents: Iterable[str], *, base: str = "") -> dict[str, int]:
    """Return the lot of every identifier that is ours, under whichever address it was printed."""
    bases = _bases(session) | ({base} if base else set())
    return _find_lots(session, bases, idents)


def _bases(session: Session) -> set[str]:
    return set(session.scalars(select(TraceEvent.base).distinct()))


def _find_lots(session: Session, bases: Collection[str], idents: Iterable[str]) -> dict[str, int]:
    """Return the lot of every identifier that is ours: by our codes, by GTIN and lot, by serial.

    `bases` are all addresses that the shop ever printed codes under.
    """
    codes: dict[str, list[str]] = {}
    numbered: dict[tuple[str, str], list[str]] = {}
    for ident in dict.fromkeys(idents):
        kind, key = _key_of(ident, bases)
        if kind == "code":
            codes.setdefault(key[0], []).append(ident)
        elif kind == "lot":
            numbered.setdefault(key, []).append(ident)
    found: dict[str, int] = {}
    for part in _parts(codes):
        for code, lot_id in (
            *session.execute(
                select(TraceCode.code, TraceCode.lot_id).where(
                    TraceCode.code.in_(part), TraceCode.lot_id.is_not(None)
                )
            ),
            *session.execute(select(Serial.serial, Serial.lot_id).where(Serial.serial.in_(part))),
        ):
            found.update(dict.fromkeys(codes[code], lot_id))
    for pairs in _parts(numbered):
        rows = session.execute(
            select(Variant.gtin, Lot.code, Lot.id)
            .join(Lot, Lot.variant_id == Variant.id)
            .where(tuple_(Variant.gtin, Lot.code).in_(pairs))
        )
        for gtin, code, lot_id in rows:
            found.update(dict.fromkeys(numbered[gtin or "", code], lot_id))
    return found


def _parts(keys: Iterable[T]) -> Iterator[list[T]]:
    """Give keys as many at once as one statement may name."""
    ordered = list(keys)
    for start in range(0, len(ordered), AT_ONCE):
        yield ordered[start : start + AT_ONCE]


def _key_of(ident: str, bases: Collection[str]) -> tuple[str, tuple[str, str]]:
    base = _base_of(ident, bases)
    if base is not None:
        own = _OWN_CODE.match(ident, len(base))
        if own:
            return "code", (own[1].upper(), "")
        # A host without a dot is no GS1 address to the standard, but it is our own.
        ident = epcs.CANONICAL + ident.removeprefix(base)
    link = _GS1.fullmatch((epcs.normalise(ident) or "").removeprefix(epcs.CANONICAL))
    if link is None:
        return "", ("", "")
    gtin, kind, value = link.groups()
    return ("lot", (gtin, value)) if kind == "10" else ("code", (value, ""))


def _base_of(ident: str, bases: Collection[str]) -> str | None:
    return next((base for base in bases if ident.startswith(f"{base}/")), None)


def _body(event: Mapping[str, Any], document: Mapping[str, Any], base: str) -> dict[str, Any]:
    """Return the event as it is kept: with the prefixes it is written with, its hash for an id."""
    shared = {**event_hash.namespaces_of(document), **event_hash.namespaces_of(event)}
    ours = events.namespaces(base)
    own = {name: space for name, space in shared.items() if ours.get(name) != space}
    body = {name: value for name, value in event.items() if name not in {"@context", "recordTime"}}
    if str(body.get("eventID", "")).startswith("ni:"):
        del body["eventID"]
    return {**body, "@context": [own]} if own else body


def _uid(body: Mapping[str, Any], base: str, lot_id: int) -> str:
    said = body.get("errorDeclaration")
    mark = f":{sha256(events.canonical(said).encode()).hexdigest()[:16]}" if said else ""
    return f"import:{events.ident_of(body, base)}:{lot_id}{mark}"


def _once(fresh: Iterable[tuple[Told, Sequence[_Named]]]) -> list[tuple[Told, Sequence[_Named]]]:
    return list({told.uid: (told, went_in) for told, went_in in fresh}.values())


def _known(session: Session, base: str, told: Sequence[Told]) -> set[str]:
    """Return the uids of what is here already, imported before or written here by ourselves."""
    by_event: dict[tuple[str, int | None, bool], list[str]] = {}
    for one in told:
        key = (events.ident_of(one.body, base), one.lot_id, "errorDeclaration" in one.body)
        by_event.setdefault(key, []).append(one.uid)
    known: set[str] = set()
    for part in _parts({key[0] for key in by_event}):
        for ident, lot_id, kind in session.execute(
            select(TraceEvent.event_hash, TraceEvent.lot_id, TraceEvent.kind).where(
                TraceEvent.event_hash.in_(part)
            )
        ):
            known.update(by_event.get((ident, lot_id, kind is EventKind.DECLARATION), []))
    return known


def _first(session: Session, ident: str, lot_id: int | None) -> TraceEvent | None:
    return session.scalar(
        select(TraceEvent)
        .where(
            TraceEvent.event_hash == ident,
            TraceEvent.lot_id == lot_id,
            TraceEvent.kind != EventKind.DECLARATION,
        )
        .order_by(TraceEvent.id)
        .limit(1)
    )


def _edges(row: TraceEvent, went_in: Sequence[_Named], lots: Mapping[str, int]) -> list[LotEdge]:
    """Return what went into this lot, each lot once: a recall follows it."""
    kept: dict[int, _Named] = {}
    for one in went_in:
        lot_id = lots.get(one.ident)
        if lot_id is not None and lot_id != row.lot_id:
            kept.setdefault(lot_id, one)
    return [
        LotEdge(
            input_lot_id=lot_id,
            output_lot_id=row.lot_id,
            event_id=row.id,
            quantity=one.quantity,
            unit=one.unit,
        )
        for lot_id, one in kept.items()
    ]
