"""EPCIS events of lots: written once, never edited, each with its hash in the log.

What names a person or is free text is not in the event but committed to beside it, so that it can
be erased one day while every proof goes on holding.
"""

import enum
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ForeignKey, Index, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor
from catalog.lots import Lot
from catalog.variants import Variant
from core.db import Base, word
from traceability import log
from traceability.event_hash import event_hash, namespaces_of

SALT_BYTES = 16
VOCABULARY = "voc/"


class EventKind(enum.StrEnum):
    """What a row of the book of events is."""

    STEP = "step"
    DECLARATION = "declaration"
    RECALL = "recall"
    IMPORTED = "imported"


class TraceEvent(Base):
    """One EPCIS event as canonical JSON, public fields only; rows are added, never changed.

    `base` is the address its own identifiers and prefix stand under, as it was on that day.
    `uid` is given by whoever wrote it, so that the same line sent twice is one event. An event of
    kind DECLARATION says that `corrects` was wrong; its hash is the same as that of the wrong one.
    """

    __tablename__ = "trace_event"
    __table_args__ = (Index("ix_trace_event_lot", "lot_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(unique=True)
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    step_id: Mapped[int | None] = mapped_column(ForeignKey("step.id"), unique=True)
    kind: Mapped[EventKind] = mapped_column(word(EventKind))
    base: Mapped[str]
    body: Mapped[str]
    event_hash: Mapped[str] = mapped_column(index=True)
    corrects: Mapped[int | None] = mapped_column(ForeignKey("trace_event.id"), index=True)
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
    log_position: Mapped[int] = mapped_column(unique=True)

    @property
    def event(self) -> dict[str, Any]:
        """Return the event as EPCIS says it; its id is its hash unless it came with another."""
        return {"eventID": self.event_hash, **json.loads(self.body)}


class Commitment(Base):
    """What was committed to beside an event: the salt and the words, until they are erased."""

    __tablename__ = "trace_commitment"

    event_id: Mapped[int] = mapped_column(ForeignKey("trace_event.id"), primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    salt: Mapped[str]
    value: Mapped[str]


def list_of_lot(session: Session, lot_id: int) -> list[TraceEvent]:
    """Return a lot's events in the order they were written down."""
    return list(
        session.scalars(
            select(TraceEvent).where(TraceEvent.lot_id == lot_id).order_by(TraceEvent.id)
        )
    )


def list_of_product(session: Session, product_id: int, *, limit: int) -> list[TraceEvent]:
    """Return the newest events of all lots of a product, in the order they were written down."""
    rows = session.scalars(
        select(TraceEvent)
        .join(Lot, Lot.id == TraceEvent.lot_id)
        .join(Variant, Variant.id == Lot.variant_id)
        .where(Variant.product_id == product_id)
        .order_by(TraceEvent.id.desc())
        .limit(limit)
    )
    return list(rows)[::-1]


def find_by_uid(session: Session, uid: str) -> TraceEvent | None:
    """Return the event that was sent under this uid, if it arrived."""
    return session.scalar(select(TraceEvent).where(TraceEvent.uid == uid))


def find_by_hash(session: Session, ident: str) -> TraceEvent | None:
    """Return the first event with this hash id."""
    return session.scalar(
        select(TraceEvent).where(TraceEvent.event_hash == ident).order_by(TraceEvent.id).limit(1)
    )


def of_steps(session: Session, step_ids: Iterable[int]) -> dict[int, TraceEvent]:
    """Return the event of each line of a diary."""
    rows = session.scalars(select(TraceEvent).where(TraceEvent.step_id.in_(list(step_ids))))
    return {row.step_id: row for row in rows if row.step_id is not None}


@dataclass(frozen=True, slots=True)
class Told:
    """One event to be written down: its body, whose lot it is of, and the sender's name for it."""

    body: Mapping[str, Any]
    uid: str
    lot_id: int | None
    step_id: int | None = None
    private: Mapping[str, str] | None = None


def record(
    session: Session,
    body: Mapping[str, Any],
    *,
    kind: EventKind,
    base: str,
    uid: str,
    lot_id: int | None,
    step_id: int | None = None,
    corrects: TraceEvent | None = None,
    private: Mapping[str, str] | None = None,
    actor: Actor,
    now: datetime,
) -> TraceEvent:
    """Write an event down and put its hash into the log, in this transaction.

    `private` are the words that stay outside the event: each is committed to with a salt of its
    own. The caller has checked that `uid` is new.
    """
    told = Told(body, uid, lot_id, step_id, private)
    return record_all(
        session, [told], kind=kind, base=base, corrects=corrects, actor=actor, now=now
    )[0]


def record_all(
    session: Session,
    told: Sequence[Told],
    *,
    kind: EventKind,
    base: str,
    corrects: TraceEvent | None = None,
    actor: Actor,
    now: datetime,
) -> list[TraceEvent]:
    """Write many events down as `record` does one; the log grows once for all of them."""
    salted = [
        {
            field: (secrets.token_hex(SALT_BYTES), value)
            for field, value in (one.private or {}).items()
            if value
        }
        for one in told
    ]
    idents = [ident_of(one.body, base) for one in told]
    entries = [
        entry_of(
            ident,
            {field: commitment(salt, field, value) for field, (salt, value) in words.items()},
            one.body.get("errorDeclaration") if kind is EventKind.DECLARATION else None,
        )
        for one, ident, words in zip(told, idents, salted, strict=True)
    ]
    position = log.append(session, entries, now=now)
    rows = [
        TraceEvent(
            uid=one.uid,
            lot_id=one.lot_id,
            step_id=one.step_id,
            kind=kind,
            base=base,
            body=canonical(one.body),
            event_hash=ident,
            corrects=corrects.id if corrects else None,
            entered_by=actor.user_id,
            recorded_at=now,
            log_position=position + number,
        )
        for number, (one, ident) in enumerate(zip(told, idents, strict=True))
    ]
    session.add_all(rows)
    session.flush()  # gives the events their ids
    session.add_all(
        Commitment(event_id=row.id, field=field, salt=salt, value=value)
        for row, words in zip(rows, salted, strict=True)
        for field, (salt, value) in words.items()
    )
    return rows


def entry_of(
    ident: str, commitments: Mapping[str, str], declared: Mapping[str, Any] | None = None
) -> str:
    """Return the text of a log entry: the event's id, what was committed to, what was declared."""
    entry: dict[str, Any] = {"event": ident}
    if commitments:
        entry["private"] = dict(commitments)
    if declared:
        entry["declared"] = dict(declared)
    return canonical(entry)


def canonical(value: Mapping[str, Any]) -> str:
    """Return JSON that is always written the same: keys in order, no spaces, letters kept."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def commitment(salt: str, field: str, value: str) -> str:
    """Return the commitment to a word: nobody can tell the word from it without the salt."""
    return sha256(f"{salt}\n{field}\n{value}".encode()).hexdigest()


def namespaces(base: str) -> dict[str, str]:
    """Return the prefixes our events are written with."""
    return {"ocop": f"{base}/{VOCABULARY}"}


def ident_of(body: Mapping[str, Any], base: str) -> str:
    """Return the hash id of an event as it is kept below `base`."""
    return event_hash(body, prefixes(body, base))


def prefixes(event: Mapping[str, Any], base: str) -> dict[str, str]:
    """Return every prefix an event is written with: ours, and those it brings along."""
    return {**namespaces(base), **namespaces_of(event)}


def erase(session: Session, event_ids: Sequence[int], fields: Sequence[str]) -> int:
    """Forget what was committed to: salt and words go, the log and its proofs stay; how many."""
    erased = session.scalars(
        delete(Commitment)
        .where(Commitment.event_id.in_(event_ids), Commitment.field.in_(fields))
        .returning(Commitment.event_id)
    )
    return len(erased.all())
