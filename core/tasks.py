"""The outbox: work that leaves the process or can wait is a row of the transaction that wants it.

The table is the truth; what runs it (the embedded worker, or Dramatiq over a queue) is
replaceable. A task whose transaction rolled back never existed.
"""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, word


class TaskState(enum.StrEnum):
    """Where a task stands; dead waits for a person."""

    DUE = "due"
    DONE = "done"
    DEAD = "dead"


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
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


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
    if key is not None and session.scalar(select(Task.id).where(Task.key == key)) is not None:
        return
    session.add(Task(kind=kind, payload=payload, key=key, run_at=run_at or now, created_at=now))
