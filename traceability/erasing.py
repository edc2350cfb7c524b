"""Erasing a person's name from the book: the words go, every proof goes on holding."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, record
from accounts.users import User
from core.errors import NotFound
from core.i18n import lazy as _
from core.text import fold
from traceability import events, keeping
from traceability.diary import Step
from traceability.events import Commitment, TraceEvent

describe({"book.erase_name": _("erased a name from the lot diaries")})

MOST_SHOWN = 100


class NobodyOfThatName(NotFound):
    """This person has written nothing that still bears a name."""


@dataclass(frozen=True, slots=True)
class Writer:
    """A person whose name stands in the book, and in how many lines."""

    user_id: int
    name: str
    lines: int


def list_writers(session: Session, *, sought: str = "") -> list[Writer]:
    """Return people whose names stand in diaries, by name; `sought` is a part of it."""
    rows = session.execute(
        select(Step.entered_by, User.name, func.count())
        .join(User, User.id == Step.entered_by)
        .where(Step.entered_by_name != "")
        .group_by(Step.entered_by, User.name)
        .order_by(User.name, Step.entered_by)
    )
    found = [Writer(user_id or 0, name, lines) for user_id, name, lines in rows]
    return [one for one in found if fold(sought) in fold(one.name)][:MOST_SHOWN]


def erase_name(session: Session, user_id: int, *, actor: Actor, now: datetime) -> int:
    """Erase a person's name from every line they wrote; return how many lines bore it.

    The lines stay, with what was done, where and when; who wrote them is told by nobody any more.
    In the same lots the name goes as well where others wrote that this person did something.
    The log keeps a commitment without its salt, from which no name can be found. Raises
    NobodyOfThatName.
    """
    written = session.scalars(
        update(Step)
        .where(Step.entered_by == user_id, Step.entered_by_name != "")
        .values(entered_by_name="")
        .returning(Step.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not written:
        raise NobodyOfThatName(_("No line of a diary bears this person’s name."))
    session.expire_all()
    of_named = (
        select(TraceEvent.id)
        .join(Commitment, Commitment.event_id == TraceEvent.id)
        .where(
            Commitment.field == keeping.DOER,
            Commitment.value == session.get_one(User, user_id).name,
            TraceEvent.lot_id.in_(select(Step.lot_id).where(Step.entered_by == user_id)),
        )
    )
    events.erase(session, session.scalars(of_named).all(), [keeping.DOER])
    of_person = select(TraceEvent.id).where(TraceEvent.entered_by == user_id)
    events.erase(session, session.scalars(of_person).all(), ["entered_by"])
    record(session, actor, "book.erase_name", f"user:{user_id}", now=now, lines=len(written))
    return len(written)
