"""Lines of diaries from before there was a log: each is made an event, once, by the worker."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog.lots import Lot
from core import tasks
from core.db import Database
from core.tasks import Work
from traceability import epcis, events, keeping
from traceability.diary import Step
from traceability.events import EventKind, TraceEvent

TAKE_IN = "log.older_lines"
AT_ONCE = 200
_LEFT_OUT = ~exists().where(TraceEvent.step_id == Step.id)


def ask(database: Database, now: datetime) -> None:
    """Leave the task when there are such lines (runs by the clock)."""
    with database.transaction() as session:
        if session.scalar(select(Step.id).where(_LEFT_OUT).limit(1)) is not None:
            tasks.enqueue(session, TAKE_IN, {}, now=now, key=f"{TAKE_IN}:{now:%Y%m%d%H}")


def run(work: Work) -> None:
    """Take every line in, some hundred in one transaction, the oldest first."""
    while True:
        with work.database.transaction() as session:
            taken = take_in(session, base=work.settings.PUBLIC_URL, now=work.clock())
        if not taken:
            return


def take_in(session: Session, *, base: str, now: datetime) -> int:
    """Make the oldest lines without an event into events that were recorded now; how many."""
    steps = session.execute(
        select(Step, Lot)
        .join(Lot, Lot.id == Step.lot_id)
        .where(_LEFT_OUT)
        .order_by(Step.id)
        .limit(AT_ONCE)
    ).all()
    for step, lot in steps:
        events.record(
            session,
            epcis.event_of(step, keeping.about(session, lot, base, now=now)),
            kind=EventKind.STEP,
            base=base,
            uid=str(uuid4()),
            lot_id=lot.id,
            step_id=step.id,
            private=keeping.private_words(step),
            actor=Actor(step.entered_by, step.entered_by_name, on_behalf_of=step.on_behalf_of),
            now=now,
        )
    return len(steps)
