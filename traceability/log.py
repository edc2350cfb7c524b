"""The transparency log: entries are only ever added, and anybody can check that none was changed.

Entry n is a line of text; its leaf hash stands in a Merkle tree (RFC 6962). Of the completed nodes
every fourth level is kept, one row for sixteen below it, so that adding costs little more than the
entries and a proof a few rows, however long the log is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar, cast

from sqlalchemy import (
    CursorResult,
    LargeBinary,
    Table,
    bindparam,
    insert,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base
from core.errors import Conflict, NotFound
from core.i18n import lazy as _
from traceability import merkle
from traceability.merkle import HASH_BYTES, Frontier, Subtree

ONE_HEAD = 1
ROWS_AT_ONCE = 1_000
KEPT_LEVELS = 4
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
    """The root of a completed subtree of 2**level leaves; level 0 stands in the entries.

    Levels in between are computed from the kept ones beneath them.
    """

    __tablename__ = "log_node"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


# Rows, not objects: only so is adding and reading all of it as quick as hashing it.
_entry = cast("Table", LogEntry.__table__)
_node = cast("Table", LogNode.__table__)


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
    first = row.size
    leaves = [sha256(b"\x00" + entry.encode()).digest() for entry in entries]
    frontier, nodes = merkle.grow(_frontier(row.frontier), first, leaves, every=KEPT_LEVELS)
    moved = session.execute(
        update(LogHead)
        .where(LogHead.id == ONE_HEAD, LogHead.size == first)
        .values(size=first + len(leaves), frontier=b"".join(frontier))
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", moved).rowcount != 1:
        raise LogMovedMeanwhile(_("Someone else was writing. Try again."))
    session.expire(row)
    rows = [
        {"position": position, "leaf": leaf, "entry": entry, "added_at": now}
        for position, (leaf, entry) in enumerate(zip(leaves, entries, strict=True), start=first)
    ]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        session.execute(insert(_entry), rows[start : start + ROWS_AT_ONCE])
    if nodes:
        session.execute(
            insert(_node),
            [{"level": level, "number": number, "hash": node} for level, number, node in nodes],
        )
    return first


def wait_for_turn(session: Session) -> None:
    """Wait until nobody else is adding to the log; from now on others wait for this transaction."""
    _locked_head(session)


def _locked_head(session: Session) -> LogHead:
    wanted = select(LogHead).where(LogHead.id == ONE_HEAD).with_for_update()
    wanted = wanted.execution_options(populate_existing=True)
    row = session.scalar(wanted)
    if row is None:
        insert_one = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        first = insert_one.insert(LogHead).values(id=ONE_HEAD, size=0, frontier=b"")
        # A second first writer waits here for the first, then finds its row.
        session.execute(first.on_conflict_do_nothing())
        row = session.scalars(wanted).one()
    return row


def _frontier(kept: bytes) -> Frontier:
    return tuple(kept[start : start + HASH_BYTES] for start in range(0, len(kept), HASH_BYTES))


def get_entry(session: Session, position: int) -> LogEntry:
    """Return the entry at `position`, or raise NoSuchEntry."""
    row = session.get(LogEntry, position)
    if row is None:
        raise NoSuchEntry(_("The log has no such entry yet."))
    return row


def root_at(session: Session, size: int) -> bytes:
    """Return the root the log had when it was `size` long; NoSuchEntry if it never was."""
    _refuse_longer(session, size)
    return _with_nodes(session, lambda subtree: merkle.root(subtree, size))


def inclusion_proof(session: Session, position: int, size: int) -> list[bytes]:
    """Return the path from the entry at `position` to the root of the first `size` entries."""
    return inclusion_proofs(session, [position], size)[0]


def inclusion_proofs(session: Session, positions: Sequence[int], size: int) -> list[list[bytes]]:
    """Return the path of each of these entries, in as few questions as for one."""
    _refuse_longer(session, size)
    if not all(0 <= position < size for position in positions):
        raise NoSuchEntry(_("The log has no such entry yet."))
    return _with_nodes(
        session,
        lambda subtree: [merkle.inclusion_proof(subtree, one, size) for one in positions],
    )


def consistency_proof(session: Session, old: int, new: int) -> list[bytes]:
    """Return the proof that the first `new` entries begin with the first `old`."""
    _refuse_longer(session, new)
    if not 0 < old <= new:
        raise NoSuchEntry(_("The log was never so short."))
    return _with_nodes(session, lambda subtree: merkle.consistency_proof(subtree, old, new))


def _refuse_longer(session: Session, size: int) -> None:
    if not 0 <= size <= head(session).size:
        raise NoSuchEntry(_("The log has no such entry yet."))


def find_inclusion_proofs(
    session: Session, positions: Sequence[int], size: int
) -> list[list[bytes] | None]:
    """Return the path of each entry as `inclusion_proofs` does, in one question.

    The log must once have been `size` long; None where rows that it had then are missing.
    """
    subtree = _read(
        session,
        lambda learn: [merkle.inclusion_proof(learn, one, size) for one in positions],
    )
    return [_path_or_none(subtree, position, size) for position in positions]


def _path_or_none(subtree: Subtree, position: int, size: int) -> list[bytes] | None:
    try:
        return merkle.inclusion_proof(subtree, position, size)
    except KeyError:
        return None


def _with_nodes(session: Session, compute: Callable[[Subtree], T]) -> T:
    return compute(_read(session, compute))


def _read(session: Session, compute: Callable[[Subtree], object]) -> Subtree:
    """Run `compute` to learn which nodes it wants; return them, read at once."""
    wanted: set[tuple[int, int]] = set()

    def learn(level: int, number: int) -> bytes:
        wanted.update(_kept_under(level, number))
        return bytes(HASH_BYTES)

    compute(learn)
    nodes: dict[tuple[int, int], bytes] = {}
    if wanted:
        leaves = select(literal(0).label("level"), _entry.c.position, _entry.c.leaf).where(
            _entry.c.position.in_([number for level, number in wanted if level == 0])
        )
        higher = select(_node.c.level, _node.c.number, _node.c.hash).where(
            tuple_(_node.c.level, _node.c.number).in_([one for one in wanted if one[0]])
        )
        for level, number, node in session.execute(leaves.union_all(higher)):
            nodes[level, number] = node

    def subtree(level: int, number: int) -> bytes:
        row = [nodes[one] for one in _kept_under(level, number)]
        while len(row) > 1:
            row = merkle.level_above(row)
        return row[0]

    return subtree


def _kept_under(level: int, number: int) -> list[tuple[int, int]]:
    """Return the kept nodes that a node is computed from: itself, if it is kept."""
    up = level % KEPT_LEVELS
    return [(level - up, one) for one in range(number << up, (number + 1) << up)]


def find_faults(session: Session) -> Iterator[str]:
    """Read the whole log and name every entry, node or head that is not what it was when added."""
    size, frontier = 0, cast("Frontier", ())
    for rows in _chunks(session):
        # Positions are unique and in order: first and last tell whether one is missing.
        if (rows[0][0], rows[-1][0]) != (size, size + len(rows) - 1):
            missing = next(place for place, row in enumerate(rows, size) if row[0] != place)
            yield f"log entry {missing}: is missing"
            return
        leaves = [sha256(b"\x00" + entry.encode()).digest() for _at, _leaf, entry in rows]
        kept = [row[1] for row in rows]
        if leaves != kept:
            for place, (leaf, said) in enumerate(zip(leaves, kept, strict=True), start=size):
                if leaf != said:
                    yield f"log entry {place}: its text is not the one that was added"
        frontier, nodes = merkle.grow(frontier, size, kept, every=KEPT_LEVELS)
        yield from _wrong_nodes(session, nodes)
        size += len(rows)
    said_head = head(session)
    if said_head.size != size:
        yield f"log: the head says {said_head.size} entries, there are {size}"
    elif said_head.root != merkle.root_of(frontier):
        yield "log: the root of the entries is not the one of the head"


def _chunks(session: Session) -> Iterator[Sequence[Any]]:
    start = 0
    while True:
        rows = session.execute(_CHUNK, {"start": start}).all()
        if rows:
            yield rows
        if len(rows) < CHUNK:
            return
        start = rows[-1].position + 1


CHUNK = 2_048
_CHUNK = (
    select(_entry.c.position, _entry.c.leaf, _entry.c.entry)
    .where(_entry.c.position >= bindparam("start"))
    .order_by(_entry.c.position)
    .limit(CHUNK)
)


def _wrong_nodes(session: Session, nodes: Sequence[tuple[int, int, bytes]]) -> Iterator[str]:
    for level, group in groupby(nodes, key=itemgetter(0)):
        made = list(group)
        bounds = {"level": level, "first": made[0][1], "last": made[-1][1]}
        kept = {row.number: row.hash for row in session.execute(_NODES, bounds)}
        for _level, number, node in made:
            if kept.get(number) != node:
                yield f"log node {level}/{number}: is not what its entries make it"


_NODES = select(_node.c.number, _node.c.hash).where(
    _node.c.level == bindparam("level"),
    _node.c.number.between(bindparam("first"), bindparam("last")),
)
