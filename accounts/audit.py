"""Who did what, when, and in whose name. Rows are added, never changed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, and_, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base
from core.web.paging import read_cursor, write_cursor


class Act(Base):
    """One act of a person; `on_behalf_of` names the organisation when a helper acted for it.

    `scope` names whose affair it was ('producer:12'), so that it stands in that desk's list.
    """

    __tablename__ = "act"
    __table_args__ = (Index("ix_act_scope", "scope", "at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    actor_name: Mapped[str]
    on_behalf_of: Mapped[str | None]
    scope: Mapped[str | None]
    verb: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class Actor:
    """Who acts in this call: a person, perhaps in a producer's name, or the system itself."""

    def __init__(
        self,
        user_id: int | None,
        name: str,
        *,
        on_behalf_of: str | None = None,
        scope: str | None = None,
    ) -> None:
        self.user_id = user_id
        self.name = name
        self.on_behalf_of = on_behalf_of
        self.scope = scope


SYSTEM = Actor(None, "hệ thống")

# What each verb is called on a page; every noun adds the words of its own acts.
_words: dict[str, object] = {}


def describe(words: Mapping[str, object]) -> None:
    """Say how acts are called on pages: verb → lazy sentence piece such as "gave a grant"."""
    _words.update(words)


def words_for(verb: str) -> str:
    """Return what `verb` is called on a page."""
    return str(_words.get(verb, verb.replace(".", " ").replace("_", " ")))


def list_acts(
    session: Session,
    *,
    scope: str | None = None,
    subject: str | None = None,
    actor_id: int | None = None,
    verbs: Sequence[str] = (),
    before: tuple[datetime, int] | None = None,
    limit: int,
) -> Sequence[Act]:
    """Return acts, the newest first, older than the mark `before` (moment, id)."""
    found = select(Act).order_by(Act.at.desc(), Act.id.desc()).limit(limit)
    if scope is not None:
        found = found.where(Act.scope == scope)
    if subject is not None:
        found = found.where(Act.subject == subject)
    if actor_id is not None:
        found = found.where(Act.actor_id == actor_id)
    if verbs:
        found = found.where(Act.verb.in_(verbs))
    if before is not None:
        moment, last_id = before
        found = found.where(or_(Act.at < moment, and_(Act.at == moment, Act.id < last_id)))
    return session.scalars(found).all()


def write_mark(act: Act) -> str:
    """Return the cursor of the page that begins after `act`."""
    return write_cursor([act.at.isoformat(), act.id])


def read_mark(text: str | None) -> tuple[datetime, int] | None:
    """Return the mark of a cursor; None for anything that is not one (first page)."""
    mark = read_cursor(text, (str, int))
    if mark is None:
        return None
    try:
        moment = datetime.fromisoformat(str(mark[0]))
        return (moment.astimezone(UTC), int(mark[1] or 0)) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def record(
    session: Session, actor: Actor, verb: str, subject: str, *, now: datetime, **detail: object
) -> None:
    """Write down that `actor` did `verb` to `subject` ('order:17'), with what a reader needs."""
    session.add(
        Act(
            at=now,
            actor_id=actor.user_id,
            actor_name=actor.name,
            on_behalf_of=actor.on_behalf_of,
            scope=actor.scope,
            verb=verb,
            subject=subject,
            detail=detail,
        )
    )
