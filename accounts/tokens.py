"""One-time links: set or reset a password. The link's secret is stored as a hash only."""

import enum
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ForeignKey, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.users import User
from core.db import Base, word
from core.errors import NotFound
from core.i18n import lazy as _


class Purpose(enum.StrEnum):
    """What a link is for."""

    SET_PASSWORD = "set_password"  # noqa: S105 - a word, no password
    RESET_PASSWORD = "reset_password"  # noqa: S105


LASTS = {Purpose.SET_PASSWORD: timedelta(days=7), Purpose.RESET_PASSWORD: timedelta(minutes=30)}


class LinkUsedUp(NotFound):
    """The link was never ours, was used before, or has run out: the same answer for all."""


class OneTimeToken(Base):
    """A link that works once, for one purpose, until it expires."""

    __tablename__ = "one_time_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    purpose: Mapped[Purpose] = mapped_column(word(Purpose))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


def get_user(session: Session, token: str, *, now: datetime) -> User:
    """Return whose link this is while it can still be used. Raises LinkUsedUp."""
    user = session.scalar(
        select(User)
        .join(OneTimeToken, OneTimeToken.user_id == User.id)
        .where(
            OneTimeToken.token_hash == _hash(token),
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > now,
            User.disabled_at.is_(None),
        )
    )
    if user is None:
        raise LinkUsedUp(_USED_UP)
    return user


def issue(session: Session, user: User, purpose: Purpose, *, now: datetime) -> str:
    """Return the secret of a new link for `user`; older links for the same purpose stop working."""
    session.execute(
        delete(OneTimeToken).where(
            OneTimeToken.user_id == user.id,
            OneTimeToken.purpose == purpose,
            OneTimeToken.used_at.is_(None),
        )
    )
    token = secrets.token_urlsafe(32)
    session.add(
        OneTimeToken(
            token_hash=_hash(token),
            user_id=user.id,
            purpose=purpose,
            expires_at=now + LASTS[purpose],
        )
    )
    session.flush()
    return token


def use_up(session: Session, token: str, *, now: datetime) -> User:
    """Use the link, which can be done once, and return whose it was. Raises LinkUsedUp."""
    user = get_user(session, token, now=now)
    used = session.scalar(
        update(OneTimeToken)
        .where(OneTimeToken.token_hash == _hash(token), OneTimeToken.used_at.is_(None))
        .values(used_at=now)
        .returning(OneTimeToken.id)
    )
    if used is None:
        raise LinkUsedUp(_USED_UP)
    return user


def end_all(session: Session, user_id: int) -> None:
    """Make every link of this person that was not used yet worthless."""
    session.execute(
        delete(OneTimeToken).where(OneTimeToken.user_id == user_id, OneTimeToken.used_at.is_(None))
    )


def forget_old(session: Session, *, now: datetime) -> None:
    """Delete links that have run out."""
    session.execute(delete(OneTimeToken).where(OneTimeToken.expires_at <= now))


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()


_USED_UP = _("This link has been used or has run out. Ask for a new one.")
