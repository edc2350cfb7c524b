"""A helper's grant: the community digital team acts for a commune's producers, in the open."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts import audit
from accounts.audit import Actor
from accounts.users import Role, User
from catalog.places import AdminUnit, Level
from catalog.producers import Producer
from core.db import Base
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _


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
        raise NotAHelper(
            _("Grants are for helpers of a community digital team."), field="helper"
        )
    commune = session.get(AdminUnit, commune_code)
    if commune is None or commune.level is not Level.COMMUNE:
        raise NoSuchCommune(_("There is no commune with this code."), field="commune_code")
    standing = session.scalar(
        select(Grant)
        .where(
            Grant.helper_id == helper.id,
            Grant.commune_code == commune_code,
            Grant.ended_at.is_(None),
        )
        .with_for_update()
    )
    if standing is not None:
        return standing
    grant = Grant(
        helper_id=helper.id, commune_code=commune_code, given_by=actor.user_id, given_at=now
    )
    session.add(grant)
    session.flush()
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
    """End one helper's acting for this producer, for good; other producers keep that helper."""
    if not covers(session, helper_id, producer):
        raise NotHelping
    helper = session.get_one(User, helper_id)
    session.add(Refused(producer_id=producer.id, helper_id=helper_id, at=now))
    session.flush()
    audit.record(
        session,
        actor,
        "helper.refused",
        f"producer:{producer.slug}",
        now=now,
        helper=helper.name,
    )
