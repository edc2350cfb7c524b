"""Who did what, when, and in whose name. Rows are added, never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base


class Act(Base):
    """One act of a person; `on_behalf_of` names the organisation when a helper acted for it."""

    __tablename__ = "act"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    actor_name: Mapped[str]
    on_behalf_of: Mapped[str | None]
    verb: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class Actor:
    """Who acts in this call: a person, perhaps in a producer's name, or the system itself."""

    def __init__(self, user_id: int | None, name: str, *, on_behalf_of: str | None = None) -> None:
        self.user_id = user_id
        self.name = name
        self.on_behalf_of = on_behalf_of


SYSTEM = Actor(None, "hệ thống")


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
            verb=verb,
            subject=subject,
            detail=detail,
        )
    )
