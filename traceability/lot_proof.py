"""Whether the row of a lot says what its events say: its days, and whether it may be sold.

A lot that is quietly freed, or made to keep longer, betrays itself here.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from catalog.lots import Lot, LotState
from core.db import in_batches
from traceability import imports, told_lots
from traceability.events import EventKind, TraceEvent
from traceability.trace_codes import TraceCode

# What the last event of a stop or its end says → the state that the lot then has.
_STATES = {
    "recalled": LotState.RECALLED,
    "non_sellable_other": LotState.HELD,
    "sellable_accessible": LotState.ACTIVE,
}
_DAYS = {"ocop:producedOn": "produced_on", "ocop:expiresOn": "expires_on"}
AT_ONCE = 500


class Said(NamedTuple):
    """One event of a lot."""

    id: int
    kind: EventKind
    event: Mapping[str, Any]


def faults_of(session: Session, lot: Lot, told: Sequence[Said]) -> list[str]:
    """Name what the lot's row says otherwise than its events, in the order they were written.

    Asks a question only where the state differs: its event may still be waiting to be written.
    """
    found = [f"lot {lot.id}: {name} is not the day its event says" for name in _days(lot, told)]
    stops = [str(one.event.get("disposition")) for one in told if one.kind is EventKind.RECALL]
    said = _STATES.get(stops[-1] if stops else "sellable_accessible")
    if said is not lot.state and not told_lots.count_waiting(session, [lot.id]):
        found.append(f"lot {lot.id}: it is {lot.state.value}, its last event says otherwise")
    return found


def _days(lot: Lot, told: Iterable[Said]) -> list[str]:
    wrong = []
    for one in told:
        master = one.event.get("ilmd", {}) if one.kind is EventKind.STEP else {}
        for key, name in _DAYS.items():
            day = getattr(lot, name)
            if key in master and master[key] != (day.isoformat() if day else None):
                wrong.append(name)
    return list(dict.fromkeys(wrong))


def find_faults(session: Session) -> Iterator[str]:
    """Name every lot whose row does not fit its events, and every event under a wrong lot."""
    has_events = exists().where(TraceEvent.lot_id == Lot.id)
    wanted = select(Lot.id).where(or_(Lot.state != LotState.ACTIVE, has_events))
    for lot_ids in in_batches(session.scalars(wanted).all(), AT_ONCE):
        told = _told(session, lot_ids)
        for lot in session.scalars(select(Lot).where(Lot.id.in_(lot_ids)).order_by(Lot.id)):
            yield from faults_of(session, lot, told[lot.id])
        yield from _strangers(session, lot_ids, told)
        session.expunge_all()


def _told(session: Session, lot_ids: Sequence[int]) -> defaultdict[int, list[Said]]:
    told: defaultdict[int, list[Said]] = defaultdict(list)
    rows = session.execute(
        select(TraceEvent.lot_id, TraceEvent.id, TraceEvent.kind, TraceEvent.body)
        .where(TraceEvent.lot_id.in_(lot_ids))
        .order_by(TraceEvent.id)
    )
    for lot_id, event_id, kind, body in rows:
        try:
            event = json.loads(body)
        except ValueError:
            # Its own check names it.
            continue
        if lot_id is not None and isinstance(event, dict):
            told[lot_id].append(Said(event_id, kind, event))
    return told


def _strangers(
    session: Session, lot_ids: Sequence[int], told: Mapping[int, Sequence[Said]]
) -> Iterator[str]:
    """Name events that stand under a lot which they are not about."""
    names: defaultdict[int, set[str]] = defaultdict(set)
    for lot_id, code, public in session.execute(
        select(Lot.id, Lot.code, TraceCode.code)
        .outerjoin(TraceCode, TraceCode.lot_id == Lot.id)
        .where(Lot.id.in_(lot_ids))
    ):
        names[lot_id] |= {code, public or code}
    unsure = [
        (one.id, lot_id, idents)
        for lot_id, events in told.items()
        for one in events
        if (idents := imports.about(one.event))
        and not any(names[lot_id].intersection(ident.split("/")) for ident in idents)
    ]
    if unsure:
        found = imports.find_lots(session, [ident for _id, _lot, some in unsure for ident in some])
        for event_id, lot_id, idents in unsure:
            if lot_id not in {found.get(ident) for ident in idents}:
                yield f"trace event {event_id}: is not about lot {lot_id}, under which it stands"
