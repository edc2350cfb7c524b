"""Comments as they came: kept raw, unique per platform, so that a re-delivery changes nothing."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, word
from core.text import clean

LONGEST_KEPT = 2_000
LONGEST_NAME = 80


class Lane(enum.StrEnum):
    """Who decides on a comment: the rules, a person, or nobody."""

    AUTO = "auto"
    REVIEW = "review"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One comment as a source hands it over. `created_at` is the platform's own time."""

    platform: str
    external_id: str
    external_user: str | None
    user_name: str
    text: str
    author: str
    created_at: datetime
    received_at: datetime


class Comment(Base):
    """One comment of one show."""

    __tablename__ = "live_comment"
    __table_args__ = (
        UniqueConstraint("platform", "external_id"),
        Index("ix_live_comment_lane", "show_id", "lane", "handled_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    show_id: Mapped[int] = mapped_column(ForeignKey("live_show.id"))
    platform: Mapped[str]
    external_id: Mapped[str]
    external_user: Mapped[str | None]
    user_name: Mapped[str]
    text: Mapped[str]
    created_at: Mapped[datetime]
    received_at: Mapped[datetime]
    intent: Mapped[str] = mapped_column(default="other")
    lane: Mapped[Lane] = mapped_column(word(Lane), default=Lane.IGNORE)
    parsed: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    outcome: Mapped[str] = mapped_column(default="")
    handled_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


def keep(
    session: Session,
    show_id: int,
    arrival: Arrival,
    *,
    intent: str,
    lane: Lane,
    parsed: dict[str, Any],
    outcome: str,
) -> Comment | None:
    """Write the comment down with how it was read, or return None when it was already here."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    return session.scalar(
        insert(Comment)
        .values(
            show_id=show_id,
            platform=arrival.platform,
            external_id=arrival.external_id,
            external_user=arrival.external_user,
            user_name=clean(arrival.user_name)[:LONGEST_NAME],
            text=_storable(arrival.text),
            created_at=arrival.created_at,
            received_at=arrival.received_at,
            intent=intent,
            lane=lane,
            parsed=parsed,
            outcome=outcome,
        )
        .on_conflict_do_nothing(index_elements=["platform", "external_id"])
        .returning(Comment)
    )


def _storable(text: str) -> str:
    """Return what a database can keep of any text a platform sends (U+0000, lone surrogates)."""
    whole = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return clean(whole)[:LONGEST_KEPT]


def mark_edited(
    session: Session, platform: str, external_id: str, text: str, *, now: datetime
) -> bool:
    """Keep the new wording beside the outcome of the old: an edit never orders, a person looks."""
    changed = session.execute(
        update(Comment)
        .where(Comment.platform == platform, Comment.external_id == external_id)
        .values(text=_storable(text), edited_at=now, lane=Lane.REVIEW, handled_at=None)
        .returning(Comment.id)
        .execution_options(synchronize_session=False)
    )
    return changed.first() is not None


def mark_removed(session: Session, platform: str, external_id: str, *, now: datetime) -> bool:
    """Note that the platform no longer shows the comment; what it claimed stands."""
    changed = session.execute(
        update(Comment)
        .where(Comment.platform == platform, Comment.external_id == external_id)
        .values(removed_at=now)
        .returning(Comment.id)
        .execution_options(synchronize_session=False)
    )
    return changed.first() is not None


def list_waiting(session: Session, show_id: int, *, limit: int = 12) -> list[Comment]:
    """Return the oldest comments that wait for a person."""
    query = select(Comment).where(*_waiting(show_id)).order_by(Comment.id).limit(limit)
    return list(session.scalars(query))


def count_waiting(session: Session, show_id: int) -> int:
    """Return how many comments wait for a person."""
    query = select(func.count()).select_from(Comment).where(*_waiting(show_id))
    return session.scalar(query) or 0


def _waiting(show_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Comment.show_id == show_id,
        Comment.lane == Lane.REVIEW,
        Comment.handled_at.is_(None),
    )


def take_in_hand(session: Session, comment_id: int, show_id: int, *, now: datetime) -> bool:
    """Mark a waiting comment as handled; of two operators one gets True."""
    changed = session.execute(
        update(Comment)
        .where(Comment.id == comment_id, Comment.show_id == show_id, Comment.handled_at.is_(None))
        .values(handled_at=now)
        .returning(Comment.id)
        .execution_options(synchronize_session=False)
    )
    return changed.first() is not None
