"""The outbox: work that leaves the process or can wait is a row of the transaction that wants it.

The table is the truth; what runs it (the embedded worker, or Dramatiq over a queue) is
replaceable. A task whose transaction rolled back never existed. Who runs a task holds a lease on
it: a killed worker's task is free again when the lease has run out.
"""

import enum
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ColumnElement, Index, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import utc_now
from core.db import Base, Database, word
from core.errors import Conflict, NotFound
from core.i18n import lazy
from core.settings import Settings
from core.storage import Storage

LEASE = timedelta(seconds=60)
PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=4),
    timedelta(hours=24),
)
MOST_ATTEMPTS = len(PAUSES) + 1
KEPT = timedelta(days=30)
LONGEST_ERROR = 500


class TaskState(enum.StrEnum):
    """Where a task stands; dead waits for a person."""

    DUE = "due"
    DONE = "done"
    DEAD = "dead"


class NoSuchTask(NotFound):
    """No task has this number."""


class NotDead(Conflict):
    """Only a task that gave up can be started again."""


class Hopeless(Exception):  # noqa: N818 - what a handler says of its task
    """Raised by a handler: trying again cannot help, a person must look."""


class Overtaken(Exception):  # noqa: N818
    """This worker was too slow: its lease ran out and the task is another's now, or finished."""


class Task(Base):
    """One piece of work: kind names the handler in wsgi.py, payload is what it needs to know."""

    __tablename__ = "task"
    __table_args__ = (Index("ix_task_due", "state", "run_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    key: Mapped[str | None] = mapped_column(unique=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[TaskState] = mapped_column(word(TaskState), default=TaskState.DUE)
    run_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    handed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


@dataclass(slots=True)
class Work:
    """One attempt at a task, as its handler sees it.

    The outside call comes first; what it changes here is then written inside `finishing()`.
    A handler that returns without it is marked done. Every attempt at one task has the same
    `task_id`, so whoever is called outside can be told that it is the same wish again.
    """

    task_id: int
    kind: str
    payload: dict[str, Any]
    attempt: int
    database: Database
    settings: Settings
    storage: Storage
    clock: Callable[[], datetime] = utc_now
    finished: bool = field(default=False, init=False)

    @contextmanager
    def finishing(self) -> Iterator[Session]:
        """Open the transaction in which the effect and the completion are kept together.

        Raises Overtaken, and keeps nothing, when the task is no longer this worker's.
        """
        with self.database.transaction() as session:
            _complete(session, self, now=self.clock())
            yield session
        self.finished = True


def get_task(session: Session, task_id: int) -> Task:
    """Return the task, or raise NoSuchTask."""
    task = session.get(Task, task_id)
    if task is None:
        raise NoSuchTask(lazy("There is no such piece of work."))
    return task


def list_tasks(session: Session, state: TaskState, *, limit: int = 100) -> list[Task]:
    """Return tasks of one state, the newest first."""
    newest = select(Task).where(Task.state == state).order_by(Task.id.desc()).limit(limit)
    return list(session.scalars(newest))


def count_waiting(session: Session, *, now: datetime) -> dict[str, int]:
    """Return how many tasks are due by now, how many wait for later, how many are dead."""
    due_now = (Task.state == TaskState.DUE) & (Task.run_at <= now)
    later = (Task.state == TaskState.DUE) & (Task.run_at > now)
    row = session.execute(
        select(
            func.count().filter(due_now),
            func.count().filter(later),
            func.count().filter(Task.state == TaskState.DEAD),
        ).where(Task.state != TaskState.DONE)
    ).one()
    return {"due": row[0], "later": row[1], "dead": row[2]}


def any_due(session: Session, *, now: datetime) -> bool:
    """Say, without locking anything, whether `claim` would find something."""
    return session.scalar(select(Task.id).where(_free(now), _not_handed(now)).limit(1)) is not None


def enqueue(
    session: Session,
    kind: str,
    payload: dict[str, Any],
    *,
    now: datetime,
    run_at: datetime | None = None,
    key: str | None = None,
) -> None:
    """Leave a task that runs after this transaction is kept, at `run_at` or at once.

    With a `key`, a second task of the same key is not added: asking twice is harmless.
    """
    task = {"kind": kind, "payload": payload, "key": key, "created_at": now}
    task["run_at"] = run_at or now
    if key is None:
        session.add(Task(**task))
        return
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(Task).values(**task).on_conflict_do_nothing(index_elements=["key"]))


def claim(
    session: Session, *, now: datetime, lease: timedelta = LEASE, task_id: int | None = None
) -> Task | None:
    """Take one due task (or this one) until `now + lease`, or return None if there is none.

    Two workers never get the same task: who loses the race gets another one or None.
    """
    wanted = [_free(now)]
    wanted.append(_not_handed(now) if task_id is None else Task.id == task_id)
    first = select(Task.id).where(*wanted).order_by(Task.run_at, Task.id).limit(1)
    first_free = first.with_for_update(skip_locked=True).cte("first_free")
    return session.scalar(
        update(Task)
        .where(Task.id.in_(select(first_free.c.id)), *wanted)
        .values(lease_until=now + lease, handed_until=None, attempts=Task.attempts + 1)
        .returning(Task)
        .execution_options(synchronize_session=False)
    )


def hand_over(session: Session, *, now: datetime, until: datetime, limit: int = 100) -> list[int]:
    """Mark due tasks as lying in the queue until then, and return their numbers."""
    due = select(Task.id).where(_free(now), _not_handed(now)).order_by(Task.run_at, Task.id)
    free = due.limit(limit).with_for_update(skip_locked=True).cte("free")
    return sorted(
        session.scalars(
            update(Task)
            .where(Task.id.in_(select(free.c.id)), _free(now), _not_handed(now))
            .values(handed_until=until)
            .returning(Task.id)
            .execution_options(synchronize_session=False)
        )
    )


def take_back(session: Session, task_ids: Iterable[int]) -> None:
    """Unmark tasks that could not be put into the queue: they are due as before."""
    session.execute(update(Task).where(Task.id.in_(task_ids)).values(handed_until=None))


def renew(session: Session, work: Work, *, until: datetime) -> None:
    """Keep a running task until then, if it is still this worker's."""
    session.execute(update(Task).where(_still_mine(work)).values(lease_until=until))


def finish(session: Session, work: Work, *, now: datetime) -> None:
    """Mark the task done, or raise Overtaken when it is no longer this worker's."""
    _complete(session, work, now=now)


def fail(session: Session, work: Work, error: Exception, *, now: datetime) -> TaskState:
    """Put the task back for a later try, or give it up; return where it stands now."""
    hopeless = isinstance(error, Hopeless) or work.attempt >= MOST_ATTEMPTS
    state = TaskState.DEAD if hopeless else TaskState.DUE
    reason = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
    session.execute(
        update(Task)
        .where(_still_mine(work))
        .values(
            state=state,
            run_at=now if hopeless else now + _pause(work.attempt),
            lease_until=None,
            last_error=reason.replace("\x00", ""),
            finished_at=now if hopeless else None,
        )
    )
    return state


def replay(session: Session, task_id: int, *, now: datetime) -> None:
    """Start a dead task again from its first try, or raise NotDead."""
    started = session.scalar(
        update(Task)
        .where(Task.id == task_id, Task.state == TaskState.DEAD)
        .values(state=TaskState.DUE, run_at=now, attempts=0, lease_until=None, finished_at=None)
        .returning(Task.id)
    )
    if started is None:
        get_task(session, task_id)
        raise NotDead(lazy("This work has not given up; it needs no second start."))


def forget_finished(database: Database, now: datetime) -> None:
    """Delete tasks done 30 days ago: their payloads name people."""
    with database.transaction() as session:
        old = (Task.state == TaskState.DONE) & (Task.finished_at < now - KEPT)
        session.execute(delete(Task).where(old))


def _free(now: datetime) -> ColumnElement[bool]:
    unleased = or_(Task.lease_until.is_(None), Task.lease_until <= now)
    return (Task.state == TaskState.DUE) & (Task.run_at <= now) & unleased


def _not_handed(now: datetime) -> ColumnElement[bool]:
    return or_(Task.handed_until.is_(None), Task.handed_until <= now)


def _still_mine(work: Work) -> ColumnElement[bool]:
    # The number of the attempt tells two holders apart: a second claim has counted it up.
    mine = (Task.id == work.task_id) & (Task.attempts == work.attempt)
    return mine & (Task.state == TaskState.DUE)


def _complete(session: Session, work: Work, *, now: datetime) -> None:
    done = session.scalar(
        update(Task)
        .where(_still_mine(work))
        .values(state=TaskState.DONE, finished_at=now, lease_until=None, last_error=None)
        .returning(Task.id)
    )
    if done is None:
        raise Overtaken(work.task_id)


def _pause(attempt: int) -> timedelta:
    # Spread, so that a hundred mails refused together do not come back together.
    return PAUSES[attempt - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret
