"""Serials: one unguessable number for one package of a lot, counted from when its label sticks.

Serials made at once are one run, numbered in the order they are printed in. Whether one is watched
or blocked is said by a person; nothing here decides it by itself.
"""

import enum
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, ForeignKey, Index, func, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import SYSTEM, Actor, describe, record
from catalog.lots import Lot
from core.codes import is_well_formed, new_code, normalise
from core.db import Base, word
from core.errors import Invalid, NotFound
from core.i18n import lazy as _
from traceability.codes import TRACE_CODE

MOST_AT_ONCE = 100_000
ROWS_A_STATEMENT = 1_000

describe(
    {
        "serial.make": _("made labels with serials"),
        "serial.activate": _("noted that labels stick on goods"),
        "serial.sold": _("noted that packages are sold"),
        "serial.watch": _("put a label under watch"),
        "serial.block": _("blocked a label"),
        "serial.release": _("cleared a label"),
    }
)


class TooManySerials(Invalid):
    """More labels than a sheet printer sees in a year, or none at all."""


class WrongRange(Invalid):
    """The numbers do not name labels of this run."""


class NotSerials(Invalid):
    """What was scanned or typed holds no serial of this lot."""


class NoSuchRun(NotFound):
    """This lot has no such run of labels."""


class NoSuchSerial(NotFound):
    """This producer has no label of that number."""


class SerialState(enum.StrEnum):
    """What a person has said of one label."""

    NORMAL = "normal"
    WATCH = "watch"
    BLOCKED = "blocked"


# From which states a person may lead a label where, and what the act is called.
_MOVES = {
    SerialState.WATCH: ("serial.watch", (SerialState.NORMAL, SerialState.BLOCKED)),
    SerialState.BLOCKED: ("serial.block", (SerialState.NORMAL, SerialState.WATCH)),
    SerialState.NORMAL: ("serial.release", (SerialState.WATCH, SerialState.BLOCKED)),
}


class SerialRun(Base):
    """Serials that were made at once, for one roll or stack of labels."""

    __tablename__ = "serial_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    count: Mapped[int]
    with_pins: Mapped[bool] = mapped_column(default=False)
    made_at: Mapped[datetime]
    made_by_name: Mapped[str]


class Serial(Base):
    """One serial of one lot, unguessable; activated when its label is stuck on the goods.

    `position` counts from 1 within its run. `checked_at` and `checks` tell of right scratch codes.
    """

    __tablename__ = "serial"
    __table_args__ = (Index("ix_serial_run", "run_id", "position"),)

    serial: Mapped[str] = mapped_column(primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("serial_run.id"))
    position: Mapped[int] = mapped_column(default=0)
    state: Mapped[SerialState] = mapped_column(word(SerialState), default=SerialState.NORMAL)
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    sold_at: Mapped[datetime | None]
    pin_mac: Mapped[str | None]
    checked_at: Mapped[datetime | None]
    checks: Mapped[int] = mapped_column(default=0)
    is_sample: Mapped[bool] = mapped_column(default=False)


def find(session: Session, serial: str) -> Serial | None:
    """Return the serial, written as it is printed, or None."""
    return session.get(Serial, serial)


def list_of_lot(session: Session, lot_id: int, *, limit: int = 100) -> list[Serial]:
    """Return the first serials of a lot, in the order of their letters."""
    return list(
        session.scalars(
            select(Serial).where(Serial.lot_id == lot_id).order_by(Serial.serial).limit(limit)
        )
    )


def list_runs(session: Session, lot_id: int) -> list[SerialRun]:
    """Return the runs of labels of a lot, newest first."""
    return list(
        session.scalars(
            select(SerialRun).where(SerialRun.lot_id == lot_id).order_by(SerialRun.id.desc())
        )
    )


def get_run(session: Session, lot_id: int, run_id: int) -> SerialRun:
    """Return a run of this lot, or raise NoSuchRun."""
    run = session.get(SerialRun, run_id)
    if run is None or run.lot_id != lot_id:
        raise NoSuchRun(_("This lot has no such run of labels."))
    return run


def list_of_run(session: Session, run_id: int) -> list[str]:
    """Return the serials of a run in the order they are printed in."""
    return list(
        session.scalars(
            select(Serial.serial).where(Serial.run_id == run_id).order_by(Serial.position)
        )
    )


def make(
    session: Session,
    lot: Lot,
    count: int,
    *,
    now: datetime,
    actor: Actor = SYSTEM,
    activated: bool = False,
    is_sample: bool = False,
) -> list[str]:
    """Return `count` new serials of the lot, waiting to be stuck on unless `activated`.

    They are one run, in the order returned. Raises TooManySerials. Fifty random bits each: one
    that exists already is not met in practice, and the primary key would refuse the whole batch.
    """
    if not 0 < count <= MOST_AT_ONCE:
        raise TooManySerials(
            _("Between 1 and %(most)s labels at once.", most=MOST_AT_ONCE), field="count"
        )
    made: set[str] = set()
    while len(made) < count:
        made.add(new_code(TRACE_CODE))
    codes = sorted(made)
    run = SerialRun(lot_id=lot.id, count=count, made_at=now, made_by_name=actor.name)
    session.add(run)
    session.flush()  # gives the run its id
    rows = [
        {
            "serial": code,
            "lot_id": lot.id,
            "run_id": run.id,
            "position": position,
            "created_at": now,
            "activated_at": now if activated else None,
            "is_sample": is_sample,
        }
        for position, code in enumerate(codes, start=1)
    ]
    for start in range(0, count, ROWS_A_STATEMENT):
        session.execute(insert(Serial), rows[start : start + ROWS_A_STATEMENT])
    record(session, actor, "serial.make", f"lot:{lot.id}", now=now, lot=lot.code, count=count)
    return codes


def activate(session: Session, serials: Iterable[str], *, now: datetime) -> int:
    """Note that these labels stick on goods now; return how many did not before."""
    wanted = sorted(set(serials))
    return sum(
        _note(session, Serial.serial.in_(some), "activated_at", now)
        for some in _batches(wanted, ROWS_A_STATEMENT)
    )


def activate_range(
    session: Session, run: SerialRun, *, first: int, last: int, actor: Actor, now: datetime
) -> int:
    """Note that labels `first` to `last` of a run stick on goods; return how many did not before.

    Raises WrongRange.
    """
    _refuse_range(run, first, last)
    within = (Serial.run_id == run.id) & Serial.position.between(first, last)
    changed = _note(session, within, "activated_at", now)
    _tell(session, "serial.activate", run.lot_id, changed, actor=actor, now=now)
    return changed


def activate_typed(session: Session, lot: Lot, typed: str, *, actor: Actor, now: datetime) -> int:
    """Note that the scanned labels stick on goods; return how many did not before.

    `typed` holds addresses or serials, one a line or apart by spaces. Raises NotSerials.
    """
    changed = _note(session, _typed(session, lot, typed), "activated_at", now)
    _tell(session, "serial.activate", lot.id, changed, actor=actor, now=now)
    return changed


def mark_sold(session: Session, lot: Lot, typed: str, *, actor: Actor, now: datetime) -> int:
    """Note that the scanned packages are sold; return how many were not before.

    A scan on a later day is told to the producer from then on. Raises NotSerials.
    """
    changed = _note(session, _typed(session, lot, typed), "sold_at", now)
    _tell(session, "serial.sold", lot.id, changed, actor=actor, now=now)
    return changed


def _typed(session: Session, lot: Lot, typed: str) -> ColumnElement[bool]:
    codes = {
        code
        for piece in typed.split()
        if is_well_formed(TRACE_CODE, code := normalise(TRACE_CODE, _last_part(piece)))
    }
    known = set(
        session.scalars(
            select(Serial.serial).where(Serial.lot_id == lot.id, Serial.serial.in_(codes))
        )
    )
    if not known or len(codes) > ROWS_A_STATEMENT:
        raise NotSerials(
            _("Scan or type at least one label of this lot, at most 1,000."), field="serials"
        )
    return Serial.serial.in_(known)


def _last_part(piece: str) -> str:
    return piece.partition("?")[0].rstrip("/").rpartition("/")[2]


def _refuse_range(run: SerialRun, first: int, last: int) -> None:
    if not 1 <= first <= last <= run.count:
        raise WrongRange(_("This run has the labels 1 to %(last)s.", last=run.count), field="first")


def _batches(codes: Sequence[str], size: int) -> list[Sequence[str]]:
    return [codes[start : start + size] for start in range(0, len(codes), size)]


def _note(session: Session, which: ColumnElement[bool], column: str, now: datetime) -> int:
    changed = session.execute(
        update(Serial)
        .where(which, getattr(Serial, column).is_(None))
        .values({column: now})
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", changed).rowcount


def _tell(
    session: Session, verb: str, lot_id: int, count: int, *, actor: Actor, now: datetime
) -> None:
    if count:
        record(session, actor, verb, f"lot:{lot_id}", now=now, count=count)


def move(
    session: Session, serial: str, to: SerialState, *, actor: Actor, now: datetime, why: str = ""
) -> bool:
    """Let a person put a label under watch, block or clear it; say whether anything changed."""
    verb, before = _MOVES[to]
    changed = session.execute(
        update(Serial)
        .where(Serial.serial == serial, Serial.state.in_(before))
        .values(state=to)
        .execution_options(synchronize_session=False)
    )
    if not cast("CursorResult[Any]", changed).rowcount:
        return False
    session.expire_all()
    record(session, actor, verb, f"serial:{serial}", now=now, serial=serial, why=why)
    return True


def activated_in_runs(session: Session, lot_id: int) -> dict[int, int]:
    """Return how many labels of each run of a lot stick on goods."""
    rows = session.execute(
        select(Serial.run_id, func.count())
        .where(Serial.lot_id == lot_id, Serial.activated_at.is_not(None))
        .group_by(Serial.run_id)
    )
    return {run_id: count for run_id, count in rows if run_id is not None}
