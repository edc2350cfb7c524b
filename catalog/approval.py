"""Who may sell here: staff approve and suspend producers, always with a reason on record."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from accounts import audit
from accounts.audit import Actor
from catalog import producers
from catalog.producers import Producer, ProducerState
from core.errors import Conflict, Invalid
from core.i18n import lazy as _
from core.text import clean, fold

LONGEST_REASON = 500

audit.describe(
    {
        "producer.approved": _("approved the producer"),
        "producer.suspended": _("suspended the producer"),
    }
)


class NoReason(Invalid):
    """A producer is not suspended without a reason that it can read."""


class AlreadySo(Conflict):
    """The producer is in that state already."""


def search(
    session: Session, text: str, *, state: ProducerState | None, after_id: int, limit: int
) -> Sequence[Producer]:
    """Return producers by id whose name holds `text`, in `state` if one is named."""
    found = select(Producer).where(Producer.id > after_id).order_by(Producer.id).limit(limit)
    wanted = fold(clean(text))
    if wanted:
        found = found.where(Producer.name_folded.contains(wanted, autoescape=True))
    if state is not None:
        found = found.where(Producer.state == state)
    return session.scalars(found).all()


def count_by_state(session: Session) -> dict[ProducerState, int]:
    """Return how many producers there are in each state."""
    rows = session.execute(select(Producer.state, func.count()).group_by(Producer.state))
    return dict(rows.all())


def approve(session: Session, producer: Producer, *, actor: Actor, now: datetime) -> None:
    """Let a producer sell; the act is on record."""
    _lock(session, producer, unlike=ProducerState.APPROVED)
    producers.approve(session, producer)
    audit.record(
        session,
        actor,
        "producer.approved",
        f"producer:{producer.slug}",
        now=now,
        name=producer.name,
    )


def suspend(
    session: Session, producer: Producer, *, reason: str, actor: Actor, now: datetime
) -> None:
    """Take a producer off the market for a reason; its orders and codes live on."""
    said = clean(reason)
    if not 0 < len(said) <= LONGEST_REASON:
        raise NoReason(
            _("Write the reason in 1 to %(longest)s letters.", longest=LONGEST_REASON),
            field="reason",
        )
    _lock(session, producer, unlike=ProducerState.SUSPENDED)
    producers.suspend(session, producer)
    audit.record(
        session,
        actor,
        "producer.suspended",
        f"producer:{producer.slug}",
        now=now,
        name=producer.name,
        reason=said,
    )


def _lock(session: Session, producer: Producer, *, unlike: ProducerState) -> None:
    session.refresh(producer, ["state"], with_for_update=True)
    if producer.state is unlike:
        raise AlreadySo(_("The producer is in this state already."))
