"""What runs by the clock: one row per schedule; of many workers one runs it, late or twice is safe.

A schedule's function is given (database, now) and opens its own transactions.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Database

Function = Callable[[Database, datetime], None]
LEASE = timedelta(minutes=15)
SOON = timedelta(minutes=1)


class Schedule(Base):
    """When a function runs next, and until when one worker is busy with it."""

    __tablename__ = "schedule"

    name: Mapped[str] = mapped_column(primary_key=True)
    next_run_at: Mapped[datetime]
    busy_until: Mapped[datetime | None]
    last_run_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


def list_schedules(session: Session) -> list[Schedule]:
    """Return every schedule by name."""
    return list(session.scalars(select(Schedule).order_by(Schedule.name)))


def list_due(session: Session, *, now: datetime) -> list[str]:
    """Return the names of schedules whose time has come and which nobody is running."""
    return list(session.scalars(select(Schedule.name).where(_due(now)).order_by(Schedule.name)))


def plan(session: Session, names: list[str], *, now: datetime) -> None:
    """Give every new schedule its row, due at once; rows that exist are left as they are."""
    if not names:
        return
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    rows = [{"name": name, "next_run_at": now} for name in sorted(names)]
    session.execute(insert(Schedule).values(rows).on_conflict_do_nothing())


def take(session: Session, name: str, *, now: datetime) -> datetime | None:
    """Take the schedule for this run and return the mark of it, or None if another was quicker."""
    return session.scalar(
        update(Schedule)
        .where(Schedule.name == name, _due(now))
        .values(busy_until=now + LEASE)
        .returning(Schedule.busy_until)
    )


def end(
    session: Session,
    name: str,
    mark: datetime,
    *,
    now: datetime,
    every: timedelta,
    error: str | None = None,
) -> None:
    """Set the next run: `every` from now, or soon after a failure."""
    pause = every if error is None else min(every, SOON)
    session.execute(
        update(Schedule)
        .where(Schedule.name == name, Schedule.busy_until == mark)
        .values(next_run_at=now + pause, busy_until=None, last_run_at=now, last_error=error)
    )


def _due(now: datetime) -> ColumnElement[bool]:
    idle = or_(Schedule.busy_until.is_(None), Schedule.busy_until <= now)
    return (Schedule.next_run_at <= now) & idle
