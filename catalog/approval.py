"""Who may sell here: staff approve and suspend producers, always with a reason on record."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from accounts import audit
from accounts.audit import Actor
from catalog import members, producers
from catalog.producers import Producer, ProducerState
from core import mail
from core.errors import Conflict, Invalid
from core.i18n import lazy as _
from core.text import clean, fold

LONGEST_REASON = 500

audit.describe(
    {
        "producer.approved": _("approved the producer"),
        "producer.suspended": _("suspended the producer"),
        "producer.lifted": _("let the producer sell again"),
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


def find_reason(session: Session, producer: Producer) -> str | None:
    """Return why a suspended producer was suspended, as its people may read; else None."""
    if producer.state is not ProducerState.SUSPENDED:
        return None
    acts = audit.list_acts(
        session, subject=f"producer:{producer.slug}", verbs=["producer.suspended"], limit=1
    )
    return str(acts[0].detail.get("reason", "")) if acts else None


def approve(session: Session, producer: Producer, *, actor: Actor, now: datetime) -> None:
    """Let a producer that waits sell; the act is on record, its people are written to."""
    _lock(session, producer, only={ProducerState.PENDING})
    producers.approve(session, producer)
    audit.record(
        session,
        actor,
        "producer.approved",
        f"producer:{producer.slug}",
        now=now,
        name=producer.name,
    )
    write_to(
        session,
        producer,
        subject=_("%(producer)s may sell now", producer=producer.name),
        body=_(
            "The staff have approved %(producer)s. Goods that are ready are shown to buyers from "
            "now on; every order is told by e-mail and stands at the desk.",
            producer=producer.name,
        ),
        now=now,
    )


def suspend(
    session: Session, producer: Producer, *, reason: str, actor: Actor, now: datetime
) -> None:
    """Take a producer off the market for a reason; its orders and codes live on."""
    said = clean_reason(reason)
    _lock(session, producer, only={ProducerState.PENDING, ProducerState.APPROVED})
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
    write_to(
        session,
        producer,
        subject=_("%(producer)s is suspended", producer=producer.name),
        body=_(
            "From now on buyers do not see the goods of %(producer)s. The reason:\n\n%(reason)s\n\n"
            "Orders that stand are still to be served. Whoever thinks this is wrong answers by "
            "calling us or by a complaint in the shop.",
            producer=producer.name,
            reason=said,
        ),
        now=now,
    )


def lift(session: Session, producer: Producer, *, reason: str, actor: Actor, now: datetime) -> None:
    """Let a suspended producer sell again, for a reason; its people are written to."""
    said = clean_reason(reason)
    _lock(session, producer, only={ProducerState.SUSPENDED})
    producers.approve(session, producer)
    audit.record(
        session,
        actor,
        "producer.lifted",
        f"producer:{producer.slug}",
        now=now,
        name=producer.name,
        reason=said,
    )
    write_to(
        session,
        producer,
        subject=_("%(producer)s may sell again", producer=producer.name),
        body=_(
            "The suspension of %(producer)s has ended; buyers see its goods again. The staff "
            "wrote:\n\n%(reason)s",
            producer=producer.name,
            reason=said,
        ),
        now=now,
    )


def clean_reason(reason: str) -> str:
    """Return a reason as it is kept, or raise NoReason."""
    said = clean(reason)
    if not 0 < len(said) <= LONGEST_REASON:
        raise NoReason(
            _("Write the reason in 1 to %(longest)s letters.", longest=LONGEST_REASON),
            field="reason",
        )
    return said


def write_to(
    session: Session, producer: Producer, *, subject: object, body: object, now: datetime
) -> None:
    """Leave a letter to each of the producer's people who has an e-mail address."""
    for person in members.list_of_producer(session, producer.id):
        if person.email:
            mail.queue_mail(session, to=person.email, subject=str(subject), body=str(body), now=now)


def _lock(session: Session, producer: Producer, *, only: set[ProducerState]) -> None:
    session.refresh(producer, ["state"], with_for_update=True)
    if producer.state not in only:
        raise AlreadySo(_("The producer is in this state already."))
