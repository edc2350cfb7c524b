"""A helper's grant: the community digital team acts for a commune's producers, in the open."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, delete, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts import audit
from accounts.audit import Actor
from accounts.users import Role, User
from catalog.places import AdminUnit, Level
from catalog.producers import Producer
from core.db import Base
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.i18n import lazy as _

audit.describe(
    {
        "grant.given": _("let a helper act in a commune"),
        "grant.ended": _("ended a helper's grant"),
        "helper.refused": _("ended a helper's acting for this producer"),
        "helper.welcomed": _("let a helper act for this producer again"),
    }
)


class NotAHelper(Invalid):
    """Grants are given to helpers of a community digital team only."""


class NoSuchCommune(Invalid):
    """There is no commune under this code."""


class NoSuchGrant(NotFound):
    """There is no such grant."""


class GrantEnded(Conflict):
    """The grant has ended already."""


class NotHelping(NotFound):
    """This helper does not act for this producer."""


class OnlyOwnPeople(Forbidden):
    """Who may help a producer is for its own people to say, or for the helper who leaves."""


class Grant(Base):
    """A helper may act for the producers of one commune, from `given_at` until `ended_at`."""

    __tablename__ = "helper_grant"
    __table_args__ = (
        # One grant in force for a helper and commune, however often the button is pressed.
        Index(
            "uq_helper_grant_active",
            "helper_id",
            "commune_code",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    helper_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    commune_code: Mapped[str] = mapped_column(ForeignKey("admin_unit.code"), index=True)
    given_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    given_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


class Refused(Base):
    """A producer that ended a helper's acting for it; the rest of the grant stands."""

    __tablename__ = "helper_refused"

    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), primary_key=True)
    helper_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    at: Mapped[datetime]


def covers(session: Session, helper_id: int, producer: Producer) -> bool:
    """Say whether this helper may act for `producer` at this moment."""
    if producer.commune_code is None:
        return False
    granted = session.scalar(
        select(Grant.id).where(
            Grant.helper_id == helper_id,
            Grant.commune_code == producer.commune_code,
            Grant.ended_at.is_(None),
        )
    )
    return granted is not None and session.get(Refused, (producer.id, helper_id)) is None


def get(session: Session, grant_id: int) -> Grant:
    """Return the grant. Raises NoSuchGrant."""
    grant = session.get(Grant, grant_id)
    if grant is None:
        raise NoSuchGrant
    return grant


def list_active(
    session: Session, *, helper_id: int | None = None, commune_code: str | None = None
) -> Sequence[tuple[Grant, User, AdminUnit]]:
    """Return the grants in force with their helper and commune, by commune and helper's name."""
    found = (
        select(Grant, User, AdminUnit)
        .join(User, User.id == Grant.helper_id)
        .join(AdminUnit, AdminUnit.code == Grant.commune_code)
        .where(Grant.ended_at.is_(None))
        .order_by(AdminUnit.sort_key, User.name, Grant.id)
    )
    if helper_id is not None:
        found = found.where(Grant.helper_id == helper_id)
    if commune_code is not None:
        found = found.where(Grant.commune_code == commune_code)
    return [(grant, helper, commune) for grant, helper, commune in session.execute(found)]


def list_helpers(session: Session, producer: Producer) -> Sequence[User]:
    """Return the helpers who may act for this producer now, by name."""
    refused = select(Refused.helper_id).where(Refused.producer_id == producer.id)
    return session.scalars(
        select(User)
        .join(Grant, Grant.helper_id == User.id)
        .where(
            Grant.commune_code == producer.commune_code,
            Grant.ended_at.is_(None),
            User.id.not_in(refused),
            User.disabled_at.is_(None),
            User.role == Role.HELPER,
        )
        .order_by(User.name, User.id)
    ).all()


def list_refused(session: Session, producer: Producer) -> Sequence[User]:
    """Return the helpers this producer has refused and whose grant still reaches it, by name."""
    return session.scalars(
        select(User)
        .join(Refused, Refused.helper_id == User.id)
        .join(Grant, Grant.helper_id == User.id)
        .where(
            Refused.producer_id == producer.id,
            Grant.commune_code == producer.commune_code,
            Grant.ended_at.is_(None),
        )
        .order_by(User.name, User.id)
    ).all()


def list_producers(session: Session, helper_id: int) -> Sequence[Producer]:
    """Return the producers this helper may act for now, by name."""
    refused = select(Refused.producer_id).where(Refused.helper_id == helper_id)
    return session.scalars(
        select(Producer)
        .join(Grant, Grant.commune_code == Producer.commune_code)
        .where(
            Grant.helper_id == helper_id,
            Grant.ended_at.is_(None),
            Producer.id.not_in(refused),
        )
        .order_by(Producer.name_folded, Producer.id)
    ).all()


def give(
    session: Session, helper: User, commune_code: str, *, actor: Actor, now: datetime
) -> Grant:
    """Let `helper` act for the producers of a commune; a grant already in force is returned."""
    if helper.role is not Role.HELPER:
        raise NotAHelper(_("Grants are for helpers of a community digital team."), field="helper")
    commune = session.get(AdminUnit, commune_code)
    if commune is None or commune.level is not Level.COMMUNE:
        raise NoSuchCommune(_("There is no commune with this code."), field="commune_code")
    grant = Grant(
        helper_id=helper.id, commune_code=commune_code, given_by=actor.user_id, given_at=now
    )
    try:
        with session.begin_nested():
            session.add(grant)
    except IntegrityError:
        return session.scalars(
            select(Grant).where(
                Grant.helper_id == helper.id,
                Grant.commune_code == commune_code,
                Grant.ended_at.is_(None),
            )
        ).one()
    audit.record(
        session,
        actor,
        "grant.given",
        f"user:{helper.id}",
        now=now,
        helper=helper.name,
        commune=commune.name,
    )
    return grant


def end(session: Session, grant: Grant, *, actor: Actor, now: datetime) -> None:
    """End a grant: from the next request on its helper has no desk in that commune."""
    ended = session.scalar(
        update(Grant)
        .where(Grant.id == grant.id, Grant.ended_at.is_(None))
        .values(ended_at=now, ended_by=actor.user_id)
        .returning(Grant.id)
    )
    if ended is None:
        raise GrantEnded(_("This grant has ended already."))
    helper = session.get_one(User, grant.helper_id)
    commune = session.get_one(AdminUnit, grant.commune_code)
    audit.record(
        session,
        actor,
        "grant.ended",
        f"user:{helper.id}",
        now=now,
        helper=helper.name,
        commune=commune.name,
    )


def refuse(
    session: Session, producer: Producer, helper_id: int, *, actor: Actor, now: datetime
) -> None:
    """End one helper's acting for this producer until it is welcomed again; others keep it."""
    if actor.on_behalf_of is not None and actor.user_id != helper_id:
        raise OnlyOwnPeople(_ONLY_OWN)
    if not covers(session, helper_id, producer):
        raise NotHelping
    helper = session.get_one(User, helper_id)
    try:
        with session.begin_nested():
            session.add(Refused(producer_id=producer.id, helper_id=helper_id, at=now))
    except IntegrityError:
        return
    audit.record(
        session,
        actor,
        "helper.refused",
        f"producer:{producer.slug}",
        now=now,
        helper=helper.name,
    )


def welcome(
    session: Session, producer: Producer, helper_id: int, *, actor: Actor, now: datetime
) -> None:
    """Let a helper that was refused act for this producer again, as far as its grant reaches."""
    if actor.on_behalf_of is not None:
        raise OnlyOwnPeople(_ONLY_OWN)
    welcomed = session.scalar(
        delete(Refused)
        .where(Refused.producer_id == producer.id, Refused.helper_id == helper_id)
        .returning(Refused.helper_id)
    )
    if welcomed is None:
        raise NotHelping
    helper = session.get_one(User, helper_id)
    audit.record(
        session,
        actor,
        "helper.welcomed",
        f"producer:{producer.slug}",
        now=now,
        helper=helper.name,
    )


_ONLY_OWN = _("Who may help is for the producer's own people to say.")
