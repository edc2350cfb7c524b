"""What people write into a producer's account: money paid to it or by it, and corrections.

One name is enough to pay out what the shop owes. More than that, and every correction, waits for
a second person: nobody changes an account alone.
"""

import enum
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts import audit
from accounts.audit import Actor
from catalog.producers import Producer
from core.db import Base, word
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _
from core.money import ZERO, Money
from core.text import clean
from shop import ledger
from shop.ledger import Kind

LONGEST_NOTE = 200
DEAREST = Money(100_000_000_000)

audit.describe(
    {
        "payout.written": _("wrote a payment into a producer's account"),
        "payout.proposed": _("asked for a second name on a producer's account"),
        "payout.confirmed": _("gave the second name on a producer's account"),
        "payout.dropped": _("dropped what waited for a second name"),
    }
)


class PayoutKind(enum.StrEnum):
    """Money that went to the producer, money that came from it, or a correction either way."""

    PAID = "paid"
    RECEIVED = "received"
    ADJUSTMENT = "adjustment"


class PayoutState(enum.StrEnum):
    """Only what is written stands in the ledger."""

    WAITING = "waiting"
    WRITTEN = "written"
    DROPPED = "dropped"


class NoSuchPayout(NotFound):
    """There is nothing of this number."""


class BadAmount(Invalid):
    """An amount is a whole number of đồng; only a correction may be below nothing."""


class NoNote(Invalid):
    """Money is known by its bank reference, a correction by its reason."""


class SameName(Conflict):
    """The second name is another person's."""


class DoneAlready(Conflict):
    """Someone has confirmed or dropped it meanwhile."""


class Payout(Base):
    """One such act. `amount` is signed as the ledger has it: a payout is below nothing."""

    __tablename__ = "payout"
    __table_args__ = (CheckConstraint("amount <> 0", name="some"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), index=True)
    kind: Mapped[PayoutKind] = mapped_column(word(PayoutKind))
    state: Mapped[PayoutState] = mapped_column(word(PayoutState), index=True)
    amount: Mapped[Money]
    note: Mapped[str]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    by_name: Mapped[str]
    at: Mapped[datetime]
    second_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    second_name: Mapped[str | None]
    ended_at: Mapped[datetime | None]


def get(session: Session, payout_id: int) -> Payout:
    """Return it, or raise NoSuchPayout."""
    payout = session.get(Payout, payout_id)
    if payout is None:
        raise NoSuchPayout(_("There is nothing of this number."))
    return payout


def list_of(session: Session, producer_id: int, *, limit: int) -> Sequence[Payout]:
    """Return what was written for a producer or waits, the newest first."""
    return session.scalars(
        select(Payout)
        .where(Payout.producer_id == producer_id)
        .order_by(Payout.id.desc())
        .limit(limit)
    ).all()


def list_waiting(session: Session) -> list[tuple[Payout, Producer]]:
    """Return all that waits for a second name, the oldest first."""
    rows = session.execute(
        select(Payout, Producer)
        .join(Producer, Producer.id == Payout.producer_id)
        .where(Payout.state == PayoutState.WAITING)
        .order_by(Payout.id)
    )
    return [(payout, producer) for payout, producer in rows]


def write(
    session: Session,
    producer: Producer,
    kind: PayoutKind,
    amount: Money,
    *,
    note: str,
    actor: Actor,
    now: datetime,
) -> Payout:
    """Write down money that went or came, or a correction; return it, written or waiting.

    `amount` is above nothing, except for a correction in the shop's favour. A payment stays within
    what is owed; what goes beyond it, and every correction, waits for a second name. Raises
    BadAmount or NoNote.
    """
    if not amount or (kind is not PayoutKind.ADJUSTMENT and amount < ZERO) or amount > DEAREST:
        raise BadAmount(_("Write an amount in đồng, for example 250000."), field="amount")
    said = clean(note)[:LONGEST_NOTE]
    if not said:
        raise NoNote(_("Write the bank's reference, or why."), field="note")
    _lock(session, producer.id)
    balance = ledger.balance_of(session, producer.id)
    alone = {
        PayoutKind.PAID: amount <= balance,
        PayoutKind.RECEIVED: amount <= -balance,
        PayoutKind.ADJUSTMENT: False,
    }[kind]
    payout = Payout(
        producer_id=producer.id,
        kind=kind,
        state=PayoutState.WRITTEN if alone else PayoutState.WAITING,
        amount=-amount if kind is PayoutKind.PAID else amount,
        note=said,
        by_id=actor.user_id,
        by_name=actor.name,
        at=now,
    )
    session.add(payout)
    session.flush()  # gives it its id
    subject = f"producer:{producer.slug}"
    detail = {"amount": payout.amount.dong, "note": said, "kind": kind.value}
    if alone:
        audit.record(session, actor, "payout.written", subject, now=now, **detail)
        _post(session, payout, now=now)
    else:
        audit.record(session, actor, "payout.proposed", subject, now=now, **detail)
    return payout


def confirm(session: Session, payout: Payout, *, actor: Actor, now: datetime) -> None:
    """Give the second name; it stands in the ledger from now on. Raises SameName, DoneAlready."""
    if actor.user_id is None or actor.user_id == payout.by_id:
        raise SameName(_("The second name must be another person's."))
    _end(session, payout, PayoutState.WRITTEN, actor=actor, now=now)
    audit.record(
        session,
        actor,
        "payout.confirmed",
        f"producer:{_slug(session, payout)}",
        now=now,
        amount=payout.amount.dong,
    )
    _post(session, payout, now=now)


def drop(session: Session, payout: Payout, *, actor: Actor, now: datetime) -> None:
    """Let what waits never be written; the one who asked may drop it, too."""
    _end(session, payout, PayoutState.DROPPED, actor=actor, now=now)
    audit.record(
        session,
        actor,
        "payout.dropped",
        f"producer:{_slug(session, payout)}",
        now=now,
        amount=payout.amount.dong,
    )


def _end(
    session: Session, payout: Payout, state: PayoutState, *, actor: Actor, now: datetime
) -> None:
    ended = session.scalar(
        update(Payout)
        .where(Payout.id == payout.id, Payout.state == PayoutState.WAITING)
        .values(state=state, second_id=actor.user_id, second_name=actor.name, ended_at=now)
        .returning(Payout.id)
        .execution_options(synchronize_session=False)
    )
    if ended is None:
        raise DoneAlready(_("Someone has done this meanwhile. Look again."))
    session.refresh(payout)


def _post(session: Session, payout: Payout, *, now: datetime) -> None:
    is_adjustment = payout.kind is PayoutKind.ADJUSTMENT
    ledger.write(
        session,
        payout.producer_id,
        Kind.ADJUSTMENT if is_adjustment else Kind.PAYOUT,
        payout.amount,
        source=f"payout:{payout.id}",
        note=payout.note,
        now=now,
    )


def _lock(session: Session, producer_id: int) -> None:
    """Let one person at a time pay from an account: two see not the same money."""
    session.execute(
        select(Producer.id).where(Producer.id == producer_id).with_for_update(key_share=True)
    )


def _slug(session: Session, payout: Payout) -> str:
    return session.get_one(Producer, payout.producer_id).slug
