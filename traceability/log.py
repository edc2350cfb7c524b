"""The transparency log: entries are only ever added, and anybody can check that none was changed.

Entry n is a line of text; its leaf hash stands in a Merkle tree (RFC 6962) whose completed nodes
are kept, so that adding costs one chain of hashes and a proof a few rows, however long the log is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import CursorResult, LargeBinary, insert, select, tuple_, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base
from core.errors import Conflict, NotFound
from core.i18n import lazy as _
from traceability import merkle
from traceability.merkle import HASH_BYTES, Frontier, Subtree

ONE_HEAD = 1
ROWS_AT_ONCE = 1_000
T = TypeVar("T")


class NoSuchEntry(NotFound):
    """The log is not so long."""


class LogMovedMeanwhile(Conflict):
    """Someone else added an entry in between; nothing was added here."""


class LogEntry(Base):
    """One entry: `position` counts from 0 without gaps, `entry` is exactly what was hashed."""

    __tablename__ = "log_entry"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    entry: Mapped[str]
    added_at: Mapped[datetime]


class LogNode(Base):
    """The root of a completed subtree of 2**level leaves; level 0 stands in the entries."""

    __tablename__ = "log_node"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class LogHead(Base):
    """The one row that everything added passes through: how long the log is, and its frontier."""

    __tablename__ = "log_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int]
    frontier: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True, slots=True)
class Head:
    """How many entries the log has, and their root."""

    size: int
    root: bytes


def head(session: Session) -> Head:
    """Return the log's size and root as they are now; an empty log has the root of nothing."""
    row = session.get(LogHead, ONE_HEAD, populate_existing=True)
    if row is None:
        return Head(0, merkle.EMPTY_ROOT)
    return Head(row.size, merkle.root_of(_frontier(row.frontier)))


def append(session: Session, entries: Sequence[str], *, now: datetime) -> int:
    """Add entries at the end, in this transaction; return the position of the first.

    Writers follow one another: the head is locked, then moved by one conditional statement.
    """
    row = _locked_head(session)
    first, frontier = row.size, _frontier(row.frontier)
    leaves: list[dict[str, Any]] = []
    nodes: list[dict[str, Any]] = []
    for position, entry in enumerate(entries, start=first):
        leaf = merkle.leaf_hash(entry.encode())
        frontier, completed = merkle.grow(frontier, position, leaf)
        leaves.append({"position": position, "leaf": leaf, "entry": entry, "added_at": now})
        nodes += [{"level": one[0], "number": one[1], "hash": one[2]} for one in completed[1:]]
    moved = session.execute(
        update(LogHead)
        .where(LogHead.id == ONE_HEAD, LogHead.size == first)
        .values(size=first + len(leaves), frontier=b"".join(frontier))
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", moved).rowcount != 1:
        raise LogMovedMeanwhile(_("Someone else was writing. Try again."))
    session.expire(row)
    for start in range(0, len(leaves), ROWS_AT_ONCE):
        session.execute(insert(LogEntry), leaves[start : start + ROWS_AT_ONCE])
    for start in range(0, len(nodes), ROWS_AT_ONCE):
        session.execute(insert(LogNode), nodes[start : start + ROWS_AT_ONCE])
    return first


def _locked_head(session: Session) -> LogHead:
    wanted = select(LogHead).where(LogHead.id == ONE_HEAD).with_for_update()
    row = session.scalar(wanted.execution_options(populate_existing=True))
    if row is None:
        row = LogHead(id=ONE_HEAD, size=0, frontier=b"")
        session.add(row)
        session.flush()  # a second first writer fails here on the one key there is
    return row


def _frontier(kept: bytes) -> Frontier:
    return tuple(kept[start : start + HASH_BYTES] for start in range(0, len(kept), HASH_BYTES))


def get_entry(session: Session, position: int) -> LogEntry:
    """Return the entry at `position`, or raise NoSuchEntry."""
    row = session.get(LogEntry, position)
    if row is None:
        raise NoSuchEntry(_("The log has no such entry yet."))
    return row


def stream_entries(session: Session, *, start: int = 0) -> Iterator[LogEntry]:
    """Give every entry from `start` on in order, a thousand at a time."""
    while True:
        rows = session.scalars(
            select(LogEntry)
            .where(LogEntry.position >= start)
            .order_by(LogEntry.position)
            .limit(ROWS_AT_ONCE)
        ).all()
        yield from rows
        if len(rows) < ROWS_AT_ONCE:
            return
        start = rows[-1].position + 1
        session.expunge_all()


def root_at(session: Session, size: int) -> bytes:
    """Return the root the log had when it was `size` long; NoSuchEntry if it never was."""
    _refuse_longer(session, size)
    return _with_nodes(session, lambda subtree: merkle.root(subtree, size))


def inclusion_proof(session: Session, position: int, size: int) -> list[bytes]:
    """Return the path from the entry at `position` to the root of the first `size` entries."""
    _refuse_longer(session, size)
    if not 0 <= position < size:
        raise NoSuchEntry(_("The log has no such entry yet."))
    return _with_nodes(session, lambda subtree: merkle.inclusion_proof(subtree, position, size))


def consistency_proof(session: Session, old: int, new: int) -> list[bytes]:
    """Return the proof that the first `new` entries begin with the first `old`."""
    _refuse_longer(session, new)
    if not 0 < old <= new:
        raise NoSuchEntry(_("The log was never so short."))
    return _with_nodes(session, lambda subtree: merkle.consistency_proof(subtree, old, new))


def _refuse_longer(session: Session, size: int) -> None:
    if not 0 <= size <= head(session).size:
        raise NoSuchEntry(_("The log has no such entry yet."))


def _with_nodes(session: Session, compute: Callable[[Subtree], T]) -> T:
    """Run `compute` twice: first to learn which nodes it wants, then with them, read at once."""
    wanted: set[tuple[int, int]] = set()

    def learn(level: int, number: int) -> bytes:
        wanted.add((level, number))
        return bytes(HASH_BYTES)

    compute(learn)
    leaves = [number for level, number in wanted if level == 0]
    higher = [one for one in wanted if one[0]]
    nodes: dict[tuple[int, int], bytes] = {}
    if leaves:
        for position, leaf in session.execute(
            select(LogEntry.position, LogEntry.leaf).where(LogEntry.position.in_(leaves))
        ):
            nodes[0, position] = leaf
    if higher:
        for level, number, node in session.execute(
            select(LogNode.level, LogNode.number, LogNode.hash).where(
                tuple_(LogNode.level, LogNode.number).in_(higher)
            )
        ):
            nodes[level, number] = node
    return compute(lambda level, number: nodes[level, number])


def find_faults(session: Session) -> Iterator[str]:
    """Read the whole log and name every entry, node or head that is not what it was when added."""
    size, frontier = 0, cast("Frontier", ())
    for row in stream_entries(session):
        if row.position != size:
            yield f"log entry {size}: is missing"
            return
        leaf = merkle.leaf_hash(row.entry.encode())
        if leaf != row.leaf:
            yield f"log entry {row.position}: its text is not the one that was added"
        frontier, _nodes = merkle.grow(frontier, size, row.leaf)
        size += 1
    said = head(session)
    if said.size != size:
        yield f"log: the head says {said.size} entries, there are {size}"
    elif said.root != merkle.root_of(frontier):
        yield "log: the root of the entries is not the one of the head"
