"""Checkpoints: the log's size and root, signed by a job that first proves it only grew.

The last one is kept twice, in the database and in the storage: a log that was cut or rewritten
does not fit the other copy, and nothing is signed any more.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import tasks
from core.db import Base, Database
from core.settings import Settings
from core.storage import NoSuchFile, Storage
from core.tasks import Hopeless, Work
from traceability import log, log_keys, merkle, notes
from traceability.notes import Checkpoint

SIGN = "log.sign"
STORED = "log/checkpoint"


class SignedCheckpoint(Base):
    """One checkpoint as it was signed; sizes only grow."""

    __tablename__ = "log_checkpoint"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    note: Mapped[str]
    signed_at: Mapped[datetime]


class LogWasChanged(Exception):  # noqa: N818 - what happened to the log
    """The log is not the one that was signed before: someone has to look, nothing is signed."""


def latest(session: Session) -> SignedCheckpoint | None:
    """Return the newest checkpoint, or None while nothing was signed."""
    return session.scalar(select(SignedCheckpoint).order_by(SignedCheckpoint.size.desc()).limit(1))


def covering(session: Session, position: int) -> SignedCheckpoint | None:
    """Return the newest checkpoint if the entry at `position` is in it, else None."""
    newest = latest(session)
    return newest if newest is not None and newest.size > position else None


def sign(
    session: Session, stored: str | None, settings: Settings, *, now: datetime
) -> SignedCheckpoint | None:
    """Sign the log as it stands if it grew since the last checkpoint, and return the new one.

    `stored` is the copy that the storage keeps of the last checkpoint.

    Raises LogWasChanged, and signs nothing, when the log does not begin with what was signed last,
    here or in the storage.
    """
    keys = log_keys.verifiers(settings)
    origin = log_keys.origin_of(settings)
    said = log.head(session)
    for note in _earlier(session, stored):
        before = notes.read_checkpoint(note, keys, origin=origin)
        _refuse_changed(session, before, said)
    newest = latest(session)
    if said.size == 0 or (newest is not None and newest.size == said.size):
        return None
    text = Checkpoint(origin, said.size, said.root).text
    note = notes.sign(text, origin, log_keys.signing_key(settings))
    signed = SignedCheckpoint(size=said.size, note=note, signed_at=now)
    session.add(signed)
    session.flush()
    return signed


def _earlier(session: Session, stored: str | None) -> list[str]:
    newest = latest(session)
    return [note for note in (newest.note if newest else None, stored) if note is not None]


def _refuse_changed(session: Session, before: Checkpoint, said: log.Head) -> None:
    if before.size > said.size:
        raise LogWasChanged(f"{before.size} entries were signed, there are {said.size}")
    if before.size == 0:
        return
    proof = log.consistency_proof(session, before.size, said.size)
    if not merkle.verify_consistency(before.size, said.size, before.root, said.root, proof):
        raise LogWasChanged(f"the first {before.size} entries are not those that were signed")


def ask_to_sign(database: Database, now: datetime) -> None:
    """Leave the task that signs, when the log has grown (runs by the clock)."""
    with database.transaction() as session:
        newest = latest(session)
        if log.head(session).size > (newest.size if newest else 0):
            tasks.enqueue(session, SIGN, {}, now=now, key=f"{SIGN}:{now:%Y%m%d%H%M}")


def run(work: Work) -> None:
    """Sign in the background; a changed log stops here and stands among the failed tasks."""
    stored = find_stored(work.storage)
    with work.database.transaction() as session:
        try:
            signed = sign(session, stored, work.settings, now=work.clock())
        except LogWasChanged as error:
            raise Hopeless(str(error)) from error
        note = signed.note if signed else None
    if note is not None:
        # After the commit: a copy in the storage never says more than the database does.
        work.storage.put(STORED, note.encode(), "text/plain; charset=utf-8")


def find_stored(storage: Storage) -> str | None:
    """Return the storage's copy of the last checkpoint, None before the first."""
    try:
        return storage.read(STORED).decode()
    except NoSuchFile:
        return None
