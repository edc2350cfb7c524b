"""Log-ins: one row each, under the hash of an opaque cookie, so that every one can be ended."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ForeignKey, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.second_factors import SecondFactor
from accounts.users import Role, User
from core import events
from core.db import Base
from core.errors import NotFound
from core.text import clean

SEEN_EVERY = timedelta(minutes=1)
PROOF_LASTS = timedelta(minutes=10)
LONGEST_DEVICE = 200


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a log-in lasts: unused, in all, and how many devices at once."""

    idle: timedelta
    whole: timedelta
    devices: int


# A household's phone lies in a field between two uses; a staff member's screen stands in an office.
_FIELD = Lifetime(timedelta(hours=12), timedelta(days=7), 5)
LIFETIMES = {
    Role.BUYER: Lifetime(timedelta(days=14), timedelta(days=90), 10),
    Role.PRODUCER: _FIELD,
    Role.HELPER: _FIELD,
    Role.STAFF: Lifetime(timedelta(minutes=30), timedelta(hours=12), 2),
}
LONGEST = max(lifetime.whole for lifetime in LIFETIMES.values())


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person behind this request, read from the log-in's row, never from the browser."""

    user_id: int
    name: str
    role: Role
    session_id: int
    proved_at: datetime | None = None
    has_code: bool = False

    # What Flask-Login asks of a user.
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """Return the account's id as text."""
        return str(self.user_id)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """News: this person has just logged in."""

    user_id: int
    at: datetime


class NoSuchDevice(NotFound):
    """That log-in has ended already, or is somebody else's."""


class LoginSession(Base):
    """One device that is logged in. The cookie's value itself is stored nowhere."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    device: Mapped[str]
    started_at: Mapped[datetime]
    proved_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]


def find_signed_in(
    session: Session, token: str, *, now: datetime
) -> tuple[SignedIn, datetime] | None:
    """Return who the cookie `token` stands for and when they were last seen; None if it ended."""
    row = session.execute(
        select(LoginSession, User, SecondFactor.confirmed_at)
        .join(User, User.id == LoginSession.user_id)
        .outerjoin(SecondFactor, SecondFactor.user_id == User.id)
        .where(
            LoginSession.token_hash == _hash(token),
            LoginSession.ends_at > now,
            User.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    login, user, code_since = row
    if login.last_seen_at + LIFETIMES[user.role].idle <= now:
        return None
    person = SignedIn(
        user.id, user.name, user.role, login.id, login.proved_at, code_since is not None
    )
    return person, login.last_seen_at


def list_devices(session: Session, user_id: int, *, now: datetime) -> Sequence[LoginSession]:
    """Return the devices on which this person is logged in, the one used last first."""
    user = session.get_one(User, user_id)
    return session.scalars(
        select(LoginSession)
        .where(
            LoginSession.user_id == user_id,
            LoginSession.ends_at > now,
            LoginSession.last_seen_at > now - LIFETIMES[user.role].idle,
        )
        .order_by(LoginSession.last_seen_at.desc(), LoginSession.id.desc())
    ).all()


def start(
    session: Session, user: User, *, device: str, now: datetime, instead_of: str | None = None
) -> str:
    """Log `user` in on one more device and return the cookie's value, which nobody else knows.

    `instead_of` is the value the browser carried before: that log-in ends, so that a value planted
    by a stranger never becomes a logged-in one. The oldest devices beyond the role's number end.
    """
    lifetime = LIFETIMES[user.role]
    if instead_of:
        session.execute(delete(LoginSession).where(LoginSession.token_hash == _hash(instead_of)))
    token = secrets.token_urlsafe(32)
    session.add(
        LoginSession(
            token_hash=_hash(token),
            user_id=user.id,
            device=clean(device)[:LONGEST_DEVICE],
            started_at=now,
            proved_at=now,
            last_seen_at=now,
            ends_at=now + lifetime.whole,
        )
    )
    session.flush()
    _end_beyond(session, user, lifetime, now=now)
    events.publish(session, LoggedIn(user.id, now))
    return token


def _end_beyond(session: Session, user: User, lifetime: Lifetime, *, now: datetime) -> None:
    kept = [device.id for device in list_devices(session, user.id, now=now)][: lifetime.devices]
    session.execute(
        delete(LoginSession).where(LoginSession.user_id == user.id, LoginSession.id.not_in(kept))
    )


def renew(session: Session, session_id: int, *, now: datetime) -> str:
    """Give a log-in whose person has just proved itself again a new cookie value, and return it."""
    token = secrets.token_urlsafe(32)
    renewed = session.scalar(
        update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.ends_at > now)
        .values(token_hash=_hash(token), proved_at=now, last_seen_at=now)
        .returning(LoginSession.id)
    )
    if renewed is None:
        raise NoSuchDevice
    return token


def see(session: Session, session_id: int, *, now: datetime) -> None:
    """Note that a device was used; at most once a minute, whoever asks at the same moment."""
    session.execute(
        update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.last_seen_at <= now - SEEN_EVERY)
        .values(last_seen_at=now)
    )


def end(session: Session, session_id: int, *, user_id: int) -> None:
    """End one log-in of this person; somebody else's is not there for them."""
    ended = session.scalar(
        delete(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.user_id == user_id)
        .returning(LoginSession.id)
    )
    if ended is None:
        raise NoSuchDevice


def end_all(session: Session, user_id: int, *, but: int | None = None) -> None:
    """End every log-in of this person, except the one `but`."""
    ended = delete(LoginSession).where(LoginSession.user_id == user_id)
    if but is not None:
        ended = ended.where(LoginSession.id != but)
    session.execute(ended)


def forget_ended(session: Session, *, now: datetime) -> None:
    """Delete the rows of log-ins that are over."""
    session.execute(delete(LoginSession).where(LoginSession.ends_at <= now))


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
