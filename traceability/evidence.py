"""What proves a lot's record: its events, their log entries and the signed checkpoint over them.

Read with the diary in one question, so that a scan page can say «not changed» only when it is so.
Nothing here is believed that could not be believed by a stranger: an event is its hash, the hash
stands in the entry, the entry leads to the root that was signed, and the diary's lines say what the
events say.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from traceability import epcis, events, keeping, log, merkle, notes
from traceability.checkpoints import SignedCheckpoint
from traceability.diary import Step, StepKind
from traceability.epcis import Goods
from traceability.events import Commitment, EventKind, TraceEvent
from traceability.log import LogEntry
from traceability.notes import BadNote, Verifier

# Between the parts of a commitment and between commitments, in the one column they come in.
_PART, _RECORD = "\x1f", "\x1e"
MANY = 8_192


@dataclass(frozen=True, slots=True)
class Witness:
    """One event with what bears it out: its entry in the log, what was committed to, its line."""

    id: int
    kind: EventKind
    base: str
    body: str
    event_hash: str
    corrects: int | None
    recorded_at: datetime
    position: int
    entry: str | None
    leaf: bytes | None
    words: Mapping[str, tuple[str, str]]
    step: Step | None

    @property
    def event(self) -> dict[str, Any]:
        """Return the event as EPCIS says it; nothing when somebody broke its text."""
        try:
            said = json.loads(self.body)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    @property
    def inputs(self) -> list[str]:
        """Return the addresses of what went in, as the event names them."""
        body = self.event
        listed = [one.get("epcClass") for one in body.get("inputQuantityList", [])]
        return [*listed, *body.get("ocop:madeFrom", [])]

    @property
    def faults(self) -> list[str]:
        """Return what does not fit together here; nothing when all of it does."""
        found = list(_faults_of_event(self))
        if self.step is not None and not found:
            found += _faults_of_step(self.step, self.event, self.words)
        return found


@dataclass(frozen=True, slots=True)
class Record:
    """All that is kept of a lot's events, with the newest checkpoint of the log.

    `lines` is how many lines its diary has: each is borne out by an event.
    """

    witnesses: Sequence[Witness] = ()
    lines: int = 0
    note: str | None = None
    signed_at: datetime | None = None

    @property
    def steps(self) -> list[Step]:
        """Return the diary in the order things happened."""
        found = [one.step for one in self.witnesses if one.step is not None]
        return sorted(found, key=lambda step: (step.happened_at, step.id))

    @property
    def doers(self) -> dict[int, str]:
        """Return who did what a line says, by line, where somebody else wrote it down."""
        return {
            one.step.id: one.words[keeping.DOER][1]
            for one in self.witnesses
            if one.step is not None and keeping.DOER in one.words
        }

    @property
    def corrected(self) -> frozenset[int]:
        """Return the lines of the diary that were declared wrong."""
        wrong = {one.corrects for one in self.witnesses if one.kind is EventKind.DECLARATION}
        return frozenset(
            one.step.id for one in self.witnesses if one.step is not None and one.id in wrong
        )


NOTHING = Record()


@dataclass(frozen=True, slots=True)
class Judged:
    """What could be proven of a lot just now.

    `covered` of its `count` events stand in the log before `signed_at`; the others wait for the
    next checkpoint. `faults` name what is not as it was; with one of them nothing is vouched for.
    """

    count: int
    covered: int
    signed_at: datetime | None
    faults: Sequence[str]

    @property
    def intact(self) -> bool:
        """Say whether every event was proven, unchanged, up to a signed checkpoint."""
        return bool(self.count) and self.covered == self.count and not self.faults


def read(session: Session, lot_id: int) -> Record:
    """Return the events of a lot in the order they were written, in one question."""
    rows = session.execute(_ROWS, {"lot": lot_id}).all()
    if not rows:
        return NOTHING
    witnesses = [_witness(row) for row in rows]
    return Record(witnesses, rows[0].lines, rows[0].note, rows[0].signed_at)


def read_all(session: Session) -> Iterator[Witness]:
    """Give every event of the book, a thousand at a time."""
    last = 0
    while True:
        rows = session.execute(_ALL, {"last": last}).all()
        yield from (_witness(row) for row in rows)
        if len(rows) < log.ROWS_AT_ONCE:
            return
        last = rows[-1].id
        session.expunge_all()


_words = (
    select(
        func.aggregate_strings(
            Commitment.field.concat(_PART)
            .concat(Commitment.salt)
            .concat(_PART)
            .concat(Commitment.value),
            _RECORD,
        )
    )
    .where(Commitment.event_id == TraceEvent.id)
    .correlate(TraceEvent)
    .scalar_subquery()
)
_newest = select(SignedCheckpoint).order_by(SignedCheckpoint.size.desc()).limit(1)
_EVENTS = (
    select(
        TraceEvent.id,
        TraceEvent.kind,
        TraceEvent.base,
        TraceEvent.body,
        TraceEvent.event_hash,
        TraceEvent.corrects,
        TraceEvent.recorded_at,
        TraceEvent.log_position.label("position"),
        LogEntry.entry,
        LogEntry.leaf,
        _words.label("words"),
        Step,
    )
    .outerjoin(LogEntry, LogEntry.position == TraceEvent.log_position)
    .outerjoin(Step, Step.id == TraceEvent.step_id)
    .order_by(TraceEvent.id)
)
_ROWS = _EVENTS.add_columns(
    _newest.with_only_columns(SignedCheckpoint.note).scalar_subquery().label("note"),
    _newest.with_only_columns(SignedCheckpoint.signed_at).scalar_subquery().label("signed_at"),
    select(func.count(Step.id))
    .where(Step.lot_id == bindparam("lot"))
    .correlate(None)
    .scalar_subquery()
    .label("lines"),
).where(TraceEvent.lot_id == bindparam("lot"))
_ALL = _EVENTS.where(TraceEvent.id > bindparam("last")).limit(log.ROWS_AT_ONCE)


def _witness(row: Any) -> Witness:
    words = {}
    for record in (row.words or "").split(_RECORD):
        field, _part, rest = record.partition(_PART)
        salt, _part, value = rest.partition(_PART)
        if field:
            words[field] = (salt, value)
    return Witness(
        row.id,
        row.kind,
        row.base,
        row.body,
        row.event_hash,
        row.corrects,
        row.recorded_at,
        row.position,
        row.entry,
        row.leaf,
        words,
        row.Step,
    )


def judge(
    session: Session, record: Record, verifiers: Sequence[Verifier], *, origin: str
) -> Judged:
    """Return what can be proven of a lot: at most one question more, none for what was proven."""
    count = len(record.witnesses)
    faults = [fault for one in record.witnesses for fault in one.faults]
    if record.lines != sum(one.step is not None for one in record.witnesses):
        faults.append("a line of the diary has no event")
    if record.note is None:
        return Judged(count, 0, None, faults)
    try:
        checkpoint = notes.read_checkpoint(record.note, verifiers, origin=origin)
    except BadNote as error:
        return Judged(count, 0, None, [*faults, f"checkpoint: {error.message}"])
    covered = [one for one in record.witnesses if one.position < checkpoint.size]
    unproven = {
        (one.position, one.leaf): one
        for one in covered
        if one.leaf is not None and (one.position, one.leaf, record.note) not in _proven
    }
    if unproven:
        paths = log.find_inclusion_proofs(
            session, [position for position, _leaf in unproven], checkpoint.size
        )
        for (position, leaf), path in zip(unproven, paths, strict=True):
            if path is not None and merkle.verify_inclusion(
                leaf, position, checkpoint.size, path, checkpoint.root
            ):
                _proven.add((position, leaf, record.note))
            else:
                faults.append(f"log entry {position}: is not the one that was signed")
    return Judged(count, len(covered), record.signed_at, faults)


class _Proven:
    """Remembers what was proven once: that this leaf stands there under this checkpoint.

    A proof is never untrue later, so nothing in here has to be forgotten but for room.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[int, bytes, str], None] = {}

    def __contains__(self, fact: object) -> bool:
        return fact in self._kept

    def add(self, fact: tuple[int, bytes, str]) -> None:
        if len(self._kept) >= MANY:
            self._kept.clear()
        self._kept[fact] = None


_proven = _Proven()


@lru_cache(maxsize=MANY)
def _hash_of(body: str, base: str) -> str:
    try:
        return events.ident_of(json.loads(body), base)
    except (ValueError, LookupError, TypeError, AttributeError):
        return "not an event any more"


def _faults_of_event(one: Witness) -> Iterator[str]:
    name = f"trace event {one.id}"
    if _hash_of(one.body, one.base) != one.event_hash:
        yield f"{name}: its words are not those of its hash"
        return
    if one.entry is None:
        yield f"{name}: its log entry {one.position} is missing"
        return
    if merkle.leaf_hash(one.entry.encode()) != one.leaf:
        yield f"log entry {one.position}: its text is not the one that was added"
        return
    said = json.loads(one.entry)
    if said["event"] != one.event_hash:
        yield f"{name}: its hash is not the one in log entry {one.position}"
    if said.get("declared") != one.event.get("errorDeclaration"):
        yield f"{name}: what it declares is not what log entry {one.position} says"
    promised = said.get("private", {})
    for field, (salt, value) in one.words.items():
        if promised.get(field) != events.commitment(salt, field, value):
            yield f"{name}: «{field}» is not what was committed to"


def _faults_of_step(
    step: Step, body: Mapping[str, Any], words: Mapping[str, tuple[str, str]]
) -> Iterator[str]:
    """Name what the diary says otherwise than its event: readers are shown the diary."""
    name = f"step {step.id}"
    if step.kind is not _kind_of(body):
        yield f"{name}: its kind is not that of its event"
    if epcis.written_time(step.happened_at, step.zone_offset) != body["eventTime"]:
        yield f"{name}: its time is not that of its event"
    goods = Goods("", step.quantity, step.unit).element
    [told] = body.get("outputQuantityList") or body.get("quantityList") or [{}]
    same = all(goods.get(name) == told.get(name) for name in ("quantity", "uom"))
    if not same or ("uom" not in goods and step.unit != body.get("ocop:unit")):
        yield f"{name}: its quantity is not that of its event"
    # Who did it is read from nowhere else.
    kept = {field: value for field, (_salt, value) in words.items() if field != keeping.DOER}
    shown = keeping.private_words(step)
    for field in sorted(kept.keys() | shown.keys()):
        if kept.get(field) != shown.get(field):
            yield f"{name}: «{field}» is not what was committed to"


def _kind_of(body: Mapping[str, Any]) -> StepKind | None:
    said = body.get("ocop:step")
    return StepKind(said) if said in set(StepKind) else None
