"""Who belongs to a producer and may run its desk."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts import audit
from accounts.audit import Actor
from accounts.sessions import SignedIn
from accounts.users import Role, User
from catalog import grants
from catalog.producers import Producer
from core.db import Base
from core.errors import NotFound
from core.i18n import lazy as _

audit.describe({"member.added": _("added a person of this producer")})


class NoSuchDesk(NotFound):
    """There is no such producer, or this person may not act for it: the same answer for both."""


class Member(Base):
    """One person of one producer."""

    __tablename__ = "producer_member"

    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        ForeignKey("user_account.id"), primary_key=True, index=True
    )
    since: Mapped[datetime]


def get_place_at_desk(
    session: Session, slug: str, person: SignedIn | None
) -> tuple[Producer, bool]:
    """Return the producer and whether `person` acts on its behalf rather than as one of it.

    Asked anew for every request: a grant that has ended closes the desk at once. Raises NoSuchDesk.
    """
    producer = session.scalar(select(Producer).where(Producer.slug == slug))
    if producer is None or person is None:
        raise NoSuchDesk
    if is_member(session, producer, person.user_id):
        return producer, False
    if person.role is Role.STAFF or (
        person.role is Role.HELPER and grants.covers(session, person.user_id, producer)
    ):
        return producer, True
    raise NoSuchDesk


def is_member(session: Session, producer: Producer, user_id: int) -> bool:
    """Say whether this person is one of the producer's own."""
    return session.get(Member, (producer.id, user_id)) is not None


def list_of_producer(session: Session, producer_id: int) -> Sequence[User]:
    """Return the people of a producer, the longest-standing first."""
    return session.scalars(
        select(User)
        .join(Member, Member.user_id == User.id)
        .where(Member.producer_id == producer_id)
        .order_by(Member.since, User.id)
    ).all()


def list_own_producers(session: Session, user_id: int) -> Sequence[Producer]:
    """Return the producers this person belongs to, by name."""
    return session.scalars(
        select(Producer)
        .join(Member, Member.producer_id == Producer.id)
        .where(Member.user_id == user_id)
        .order_by(Producer.name_folded, Producer.id)
    ).all()


def add(session: Session, producer: Producer, user: User, *, actor: Actor, now: datetime) -> None:
    """Make `user` one of the producer's people; adding one again changes nothing."""
    if is_member(session, producer, user.id):
        return
    try:
        with session.begin_nested():
            session.add(Member(producer_id=producer.id, user_id=user.id, since=now))
    except IntegrityError:
        return
    audit.record(
        session, actor, "member.added", f"producer:{producer.slug}", now=now, name=user.name
    )
