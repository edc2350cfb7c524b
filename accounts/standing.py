"""What an account is in this house: its role, and whether it is open."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from accounts import audit, passwords, sessions, throttle, tokens
from accounts.audit import Actor
from accounts.passwords import SHORTEST, PasswordHash
from accounts.users import Role, User
from core.db import Database
from core.errors import Conflict, Forbidden
from core.i18n import lazy as _

audit.describe(
    {
        "user.closed": _("closed an account"),
        "user.reopened": _("opened an account again"),
        "user.role_changed": _("changed the role of an account"),
    }
)


class AlreadyClosed(Conflict):
    """The account is closed already."""


class NotClosed(Conflict):
    """The account is open."""


class ClosesItself(Forbidden):
    """Nobody closes the account they are working with."""


def close(session: Session, user: User, *, actor: Actor, now: datetime, reason: str) -> None:
    """Close an account: every log-in of it ends with this, at once."""
    if user.id == actor.user_id:
        raise ClosesItself(_("Nobody closes the account they are working with."))
    closed = session.scalar(
        update(User)
        .where(User.id == user.id, User.disabled_at.is_(None))
        .values(disabled_at=now)
        .returning(User.id)
    )
    if closed is None:
        raise AlreadyClosed(_("This account is closed already."))
    sessions.end_all(session, user.id)
    audit.record(
        session, actor, "user.closed", f"user:{user.id}", now=now, name=user.name, reason=reason
    )


def reopen(session: Session, user: User, *, actor: Actor, now: datetime) -> None:
    """Open a closed account again; its person logs in anew."""
    opened = session.scalar(
        update(User)
        .where(User.id == user.id, User.disabled_at.is_not(None))
        .values(disabled_at=None)
        .returning(User.id)
    )
    if opened is None:
        raise NotClosed(_("This account is open."))
    audit.record(session, actor, "user.reopened", f"user:{user.id}", now=now, name=user.name)


def change_role(session: Session, user: User, role: Role, *, actor: Actor, now: datetime) -> None:
    """Give `user` another role; every log-in ends, and a password too short for the role goes."""
    if user.role is role:
        return
    before = user.role
    if SHORTEST[role] > SHORTEST[before]:
        user.password_hash = None
    user.role = role
    session.flush()
    sessions.end_all(session, user.id)
    audit.record(
        session,
        actor,
        "user.role_changed",
        f"user:{user.id}",
        now=now,
        name=user.name,
        before=before.value,
        after=role.value,
    )


def begin_selling(
    session: Session, user: User, password_hash: PasswordHash, *, now: datetime, keep: int
) -> None:
    """Make a buyer a producer's person, with a password long enough; other log-ins end."""
    if user.role is not Role.BUYER:
        return
    passwords.change(session, user, password_hash, now=now, keep=keep)
    user.role = Role.PRODUCER
    session.flush()
    audit.record(
        session,
        Actor(user.id, user.name),
        "user.role_changed",
        f"user:{user.id}",
        now=now,
        name=user.name,
        before=Role.BUYER.value,
        after=Role.PRODUCER.value,
    )


def forget_ended(database: Database, now: datetime) -> None:
    """Delete log-ins, links and counters that are over; runs by the clock."""
    with database.transaction() as session:
        sessions.forget_ended(session, now=now)
        tokens.forget_old(session, now=now)
        throttle.forget_old(session, now=now)
