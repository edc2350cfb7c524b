"""The nightly proof: what the audit said, kept, and staff told when it found something."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.users import Role, User
from core.db import Base, Database
from core.i18n import lazy as _
from core.i18n import show_moment
from core.mail import queue_mail
from shop.audit import Finding

Check = Callable[[Session], Iterable[Finding]]
MOST_TOLD = 50
KEPT = timedelta(days=90)


class Proof(Base):
    """One run of every check: how many faults there were, and the first of them in words."""

    __tablename__ = "proof"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    faults: Mapped[int]
    told: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


def find_last(session: Session) -> Proof | None:
    """Return the newest proof, None before the first night."""
    return session.scalar(select(Proof).order_by(Proof.id.desc()).limit(1))


def list_last(session: Session, *, limit: int) -> Sequence[Proof]:
    """Return the newest proofs, the newest first."""
    return session.scalars(select(Proof).order_by(Proof.id.desc()).limit(limit)).all()


def ask(database: Database, checks: Iterable[Check]) -> list[Finding]:
    """Return what every check finds, all of them looking at one and the same moment."""
    with database.snapshot() as session:
        return [fault for check in checks for fault in check(session)]


def prove(database: Database, checks: Iterable[Check], *, now: datetime) -> Proof:
    """Run every check, keep what it said, and write to staff when something is wrong."""
    found = ask(database, checks)
    told = [{"rule": fault.rule, "what": fault.what} for fault in found[:MOST_TOLD]]
    with database.transaction() as session:
        proof = Proof(at=now, faults=len(found), told=told)
        session.add(proof)
        session.flush()  # gives the proof its id
        session.execute(delete(Proof).where(Proof.at < now - KEPT))
        if found:
            _alarm(session, proof, now=now)
    return proof


def _alarm(session: Session, proof: Proof, *, now: datetime) -> None:
    lines = "\n".join(f"- {fault['rule']}: {fault['what']}" for fault in proof.told)
    for user in session.scalars(
        select(User).where(
            User.role == Role.STAFF, User.disabled_at.is_(None), User.email.is_not(None)
        )
    ):
        queue_mail(
            session,
            to=str(user.email),
            subject=str(_("Stock, money and orders do not agree: %(count)s", count=proof.faults)),
            body=str(
                _("Checked at %(moment)s. Nothing was repaired.", moment=show_moment(proof.at))
            )
            + f"\n\n{lines}\n",
            key=f"proof:{proof.id}:{user.id}",
            now=now,
        )
