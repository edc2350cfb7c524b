"""What a person has agreed to: each thing apart, with the version, the moment and the network.

Rows are added; taking a consent back is a moment in the row, so that both can be shown later.
"""

import enum
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts import policies
from accounts.users import User
from core.clock import vietnam_day
from core.db import Base, word
from core.errors import Invalid
from core.i18n import lazy as _


class Matter(enum.StrEnum):
    """What can be agreed to. Only the first two are needed for an account."""

    TERMS = "terms"
    PRIVACY = "privacy"
    NEWS = "news"


NEEDED = (Matter.TERMS, Matter.PRIVACY)
MATTER_NAMES: dict[Matter, object] = {
    Matter.TERMS: _("Terms of use"),
    Matter.PRIVACY: _("Privacy policy"),
    Matter.NEWS: _("News and offers by mail"),
}
_POLICY = {
    Matter.TERMS: policies.TERMS,
    Matter.PRIVACY: policies.PRIVACY,
    Matter.NEWS: policies.PRIVACY,
}


class NotAgreed(Invalid):
    """An account needs a yes to the terms and a yes to the privacy policy."""


class Consent(Base):
    """One yes of one person. `network` is a keyed hash of where it was given from."""

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_user", "user_id", "matter"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    matter: Mapped[Matter] = mapped_column(word(Matter))
    version: Mapped[str]
    network: Mapped[str]
    given_at: Mapped[datetime]
    taken_back_at: Mapped[datetime | None]


def list_of(session: Session, user_id: int) -> Sequence[Consent]:
    """Return every consent of a person, those taken back too, the newest first."""
    return session.scalars(
        select(Consent).where(Consent.user_id == user_id).order_by(Consent.id.desc())
    ).all()


def stands(session: Session, user_id: int, matter: Matter) -> bool:
    """Say whether this person's yes to `matter` stands."""
    return any(c.matter is matter and c.taken_back_at is None for c in list_of(session, user_id))


def check(given: Iterable[str]) -> list[Matter]:
    """Return what was ticked, or raise NotAgreed for the first needed one that was not."""
    names = set(given)
    ticked = [matter for matter in Matter if matter in names]
    for matter in NEEDED:
        if matter not in ticked:
            raise NotAgreed(
                _("Tick this box after reading: an account needs it."), field=matter.value
            )
    return ticked


def give(
    session: Session, user: User, matters: Iterable[Matter], *, network: str, now: datetime
) -> None:
    """Write down this person's yes to each of `matters`, in the version in force today."""
    for matter in matters:
        version = policies.current(_POLICY[matter], vietnam_day(now)).isoformat()
        session.add(
            Consent(user_id=user.id, matter=matter, version=version, network=network, given_at=now)
        )
    session.flush()


def take_back(session: Session, user: User, matter: Matter, *, now: datetime) -> None:
    """End this person's yes to `matter`; without one nothing changes."""
    session.execute(
        update(Consent)
        .where(
            Consent.user_id == user.id, Consent.matter == matter, Consent.taken_back_at.is_(None)
        )
        .values(taken_back_at=now)
    )
