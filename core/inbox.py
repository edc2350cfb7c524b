"""What the outside tells us: every signed event is kept once, raw, with the effect it had.

A provider repeats, reorders and delays what it says. The row and its effect are one transaction:
whoever says the same again finds the row and changes nothing.
"""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy import JSON, LargeBinary, UniqueConstraint, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, word

LONGEST_ID = 200
LONGEST_WHY = 500
# They prove who called; kept, they would open the door to whoever reads the table.
UNKEPT = frozenset({"authorization", "cookie", "proxy-authorization", "secure-token", "token"})


class Outcome(enum.StrEnum):
    """What came of an event."""

    TAKEN = "taken"
    DONE = "done"
    FOREIGN = "foreign"
    NEEDS_A_LOOK = "needs_a_look"


class InboxEvent(Base):
    """One event of one provider; `scope` names the connection whose numbers these are.

    Two connections of one provider may count alike, and neither may use up the other's numbers.
    """

    __tablename__ = "inbox_event"
    __table_args__ = (UniqueConstraint("provider", "scope", "event_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str]
    scope: Mapped[str]
    event_id: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(index=True)
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    outcome: Mapped[Outcome] = mapped_column(word(Outcome))
    why: Mapped[str | None]


def list_newest(
    session: Session, *, provider: str | None = None, before_id: int | None = None, limit: int
) -> Sequence[InboxEvent]:
    """Return what came in, the newest first."""
    found = select(InboxEvent).order_by(InboxEvent.id.desc()).limit(limit)
    if provider is not None:
        found = found.where(InboxEvent.provider == provider)
    if before_id is not None:
        found = found.where(InboxEvent.id < before_id)
    return session.scalars(found).all()


def is_known(session: Session, provider: str, event_id: str, *, scope: str = "") -> bool:
    """Say whether an event was kept before: whoever has to ask first need not ask again."""
    kept = select(InboxEvent.id).where(
        InboxEvent.provider == provider,
        InboxEvent.scope == scope,
        InboxEvent.event_id == event_id[:LONGEST_ID],
    )
    return session.scalar(kept) is not None


def digest(body: bytes) -> str:
    """Return a number for an event that has none of its own: the same words are the same event."""
    return f"sha256:{sha256(body).hexdigest()}"


def take(
    session: Session,
    provider: str,
    event_id: str,
    *,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    scope: str = "",
) -> InboxEvent | None:
    """Keep an event whose sender has proved itself; None when it was kept before.

    Of many that bring the same event at once one gets the row, when the others have waited for its
    transaction. The effect belongs into the same transaction, then `close` says what came of it.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row_id = session.scalar(
        insert(InboxEvent)
        .values(
            provider=provider,
            scope=scope,
            event_id=event_id[:LONGEST_ID],
            received_at=now,
            headers={k: v for k, v in headers.items() if k.lower() not in UNKEPT},
            body=body,
            outcome=Outcome.TAKEN,
        )
        .on_conflict_do_nothing(index_elements=["provider", "scope", "event_id"])
        .returning(InboxEvent.id)
    )
    return None if row_id is None else session.get_one(InboxEvent, row_id)


def close(session: Session, event: InboxEvent, outcome: Outcome, why: str | None = None) -> None:
    """Say what came of the event, and in one line why when nothing did."""
    session.execute(
        update(InboxEvent)
        .where(InboxEvent.id == event.id)
        .values(outcome=outcome, why=why[:LONGEST_WHY] if why else None)
        .execution_options(synchronize_session=False)
    )
    session.refresh(event)
