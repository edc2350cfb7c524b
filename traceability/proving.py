"""The proof of the whole book: every event, line, mixing, log entry and checkpoint is as it was.

Nothing is repaired; what is not as it was is named, the log first, row by row.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from traceability import evidence, log, lot_proof, merkle, notes
from traceability.checkpoints import SignedCheckpoint
from traceability.diary import Step
from traceability.edges import LotEdge
from traceability.events import TraceEvent
from traceability.log import LogEntry
from traceability.notes import BadNote, Checkpoint, Verifier


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule with the thing that breaks it."""

    rule: str
    what: str


def find_faults(session: Session) -> list[Finding]:
    """Return every fault of the book and its log; none means that nothing was changed."""
    return [Finding(rule, what) for rule, check in CHECKS.items() for what in check(session)]


def find_event_faults(session: Session) -> Iterator[str]:
    """Name every event and line whose words, hash, log entry or commitment do not fit."""
    for witness in evidence.read_all(session):
        yield from witness.faults


def _every_line_has_an_event(session: Session) -> Iterator[str]:
    missing = (
        select(Step.id)
        .outerjoin(TraceEvent, TraceEvent.step_id == Step.id)
        .where(TraceEvent.id.is_(None))
        .order_by(Step.id)
    )
    for step_id in session.scalars(missing):
        yield f"step {step_id}: no event bears it out"


def _every_entry_has_an_event(session: Session) -> Iterator[str]:
    missing = (
        select(LogEntry.position)
        .outerjoin(TraceEvent, TraceEvent.log_position == LogEntry.position)
        .where(TraceEvent.id.is_(None))
        .order_by(LogEntry.position)
    )
    for position in session.scalars(missing):
        yield f"log entry {position}: its event is missing"


def _every_mixing_is_told(session: Session) -> Iterator[str]:
    """Compare what went in with what the events say: recalls follow these rows."""
    told = select(LotEdge.event_id, func.count().label("inputs")).group_by(LotEdge.event_id)
    kept = {row.event_id: row.inputs for row in session.execute(told)}
    for witness in evidence.read_all(session):
        count = kept.pop(witness.id, 0)
        if witness.step is not None and count != len(witness.inputs):
            yield f"trace event {witness.id}: names {len(witness.inputs)} inputs, {count} are kept"
    for event_id in sorted(kept):
        yield f"trace event {event_id}: has inputs but is missing"


def _checkpoints_fit(session: Session) -> Iterator[str]:
    for signed in session.scalars(select(SignedCheckpoint).order_by(SignedCheckpoint.size)):
        try:
            said = notes.read_unsigned(signed.note)
        except BadNote as error:
            yield f"checkpoint {signed.size}: {error.message}"
            continue
        yield from _compare(session, said, f"checkpoint {signed.size}")


def find_signature_faults(
    session: Session, stored: str | None, verifiers: Sequence[Verifier], *, origin: str
) -> Iterator[str]:
    """Name every checkpoint that none of our keys signed; `stored` is the storage's copy."""
    signed = session.scalars(select(SignedCheckpoint).order_by(SignedCheckpoint.size))
    copies = [(f"checkpoint {one.size}", one.note) for one in signed]
    if stored is not None:
        copies.append(("checkpoint in the storage", stored))
    for name, note in copies:
        try:
            said = notes.read_checkpoint(note, verifiers, origin=origin)
        except BadNote as error:
            yield f"{name}: {error.message}"
            continue
        if note is stored:
            yield from _compare(session, said, name)


def _compare(session: Session, said: Checkpoint, name: str) -> Iterator[str]:
    if said.size > log.head(session).size:
        yield f"{name}: {said.size} entries were signed, there are fewer"
    elif said.size and _root_at(session, said.size) != said.root:
        yield f"{name}: the first {said.size} entries are not those that were signed"


def _root_at(session: Session, size: int) -> bytes:
    try:
        return log.root_at(session, size)
    except KeyError:
        # Rows are missing, which the log's own check names.
        return merkle.EMPTY_ROOT


CHECKS: dict[str, Callable[[Session], Iterator[str]]] = {
    "the log only grows": log.find_faults,
    "every log entry has its event": _every_entry_has_an_event,
    "every event is what was written down": find_event_faults,
    "every line of a diary has an event": _every_line_has_an_event,
    "every mixing is told": _every_mixing_is_told,
    "every lot is what its events say": lot_proof.find_faults,
    "the log is the one that was signed": _checkpoints_fit,
}
