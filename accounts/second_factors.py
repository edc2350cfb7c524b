"""The second factor: six digits from an app (RFC 6238), and codes on paper for a lost phone.

The app's secret is kept sealed, recovery codes as hashes. A code works once: the step it belongs
to is written down, and no earlier or equal one passes again.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

import pyotp
from sqlalchemy import ForeignKey, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts import audit
from accounts.audit import Actor
from accounts.users import User
from core import sealing
from core.db import Base
from core.errors import Conflict, Invalid
from core.i18n import lazy as _

ISSUER = "Chợ Phiên"
STEP_SECONDS = 30
# A phone's clock may be one step off.
STEPS_AROUND = (0, -1, 1)
RECOVERY_CODES = 8
RECOVERY_BYTES = 5
_SPACES = str.maketrans("", "", " -\u00a0")

audit.describe(
    {
        "second.on": _("switched the log-in code on"),
        "second.off": _("switched the log-in code off"),
        "second.codes": _("made new recovery codes"),
        "second.recovered": _("logged in with a recovery code"),
    }
)


class WrongCode(Invalid):
    """The six digits are not those of this moment, or were used already."""


class NothingBegun(Conflict):
    """There is no secret to confirm, or the code is on already."""


class SecondFactor(Base):
    """The secret that one person's app shares with the shop; it counts once confirmed."""

    __tablename__ = "second_factor"

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    sealed: Mapped[str]
    begun_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(default=0)


class RecoveryCode(Base):
    """One code on paper. Used ones stay, so that nobody wonders why one does not work."""

    __tablename__ = "recovery_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
    used_at: Mapped[datetime | None]


def is_on(session: Session, user_id: int) -> bool:
    """Say whether this person logs in with a code besides the password."""
    row = session.get(SecondFactor, user_id)
    return row is not None and row.confirmed_at is not None


def count_unused(session: Session, user_id: int) -> int:
    """Return how many recovery codes are left."""
    found = select(func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    return session.scalar(found) or 0


def find_begun(session: Session, user: User, *, keys: Sequence[str]) -> str | None:
    """Return the secret that waits to be confirmed, to be shown to its person alone."""
    row = session.get(SecondFactor, user.id)
    if row is None or row.confirmed_at is not None:
        return None
    return sealing.unseal(row.sealed, keys)


def address_of(secret: str, user: User) -> str:
    """Return the otpauth address that authenticator apps read from a QR code."""
    name = user.email or user.phone or user.name
    return pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=name, issuer_name=ISSUER)


def set_up(session: Session, user: User, *, keys: Sequence[str], now: datetime) -> None:
    """Make a new secret that counts once `confirm` has seen a code of it. Raises NothingBegun."""
    row = session.get(SecondFactor, user.id)
    if row is not None and row.confirmed_at is not None:
        raise NothingBegun(_("The log-in code is on already."))
    if row is None:
        row = SecondFactor(user_id=user.id)
        session.add(row)
    row.sealed, row.begun_at = sealing.seal(pyotp.random_base32(), keys), now
    session.flush()


def confirm(
    session: Session, user: User, code: str, *, keys: Sequence[str], now: datetime
) -> list[str]:
    """Switch the code on and return the recovery codes, which are shown this once.

    Raises NothingBegun or WrongCode.
    """
    secret = find_begun(session, user, keys=keys)
    if secret is None:
        raise NothingBegun(_("Begin again: there is no code to confirm."))
    step = _step_of(secret, code, now)
    if step is None:
        raise _wrong()
    session.execute(
        update(SecondFactor)
        .where(SecondFactor.user_id == user.id)
        .values(confirmed_at=now, last_step=step)
    )
    audit.record(session, Actor(user.id, user.name), "second.on", f"user:{user.id}", now=now)
    return _new_codes(session, user.id)


def passes(session: Session, user: User, code: str, *, keys: Sequence[str], now: datetime) -> bool:
    """Say whether `code` is right for this person now, and use it up."""
    row = session.get(SecondFactor, user.id)
    if row is None or row.confirmed_at is None:
        return False
    step = _step_of(sealing.unseal(row.sealed, keys), code, now)
    if step is None:
        return _use_recovery(session, user, code, now=now)
    taken = session.scalar(
        update(SecondFactor)
        .where(SecondFactor.user_id == user.id, SecondFactor.last_step < step)
        .values(last_step=step)
        .returning(SecondFactor.user_id)
        .execution_options(synchronize_session=False)
    )
    return taken is not None


def renew_codes(
    session: Session, user: User, code: str, *, keys: Sequence[str], now: datetime
) -> list[str]:
    """Give new recovery codes in place of all older ones, for a right code. Raises WrongCode."""
    if not passes(session, user, code, keys=keys, now=now):
        raise _wrong()
    audit.record(session, Actor(user.id, user.name), "second.codes", f"user:{user.id}", now=now)
    return _new_codes(session, user.id)


def switch_off(session: Session, user: User, *, actor: Actor, now: datetime) -> None:
    """Let this person log in by the password alone again; the act is on record."""
    gone = session.scalar(
        delete(SecondFactor).where(SecondFactor.user_id == user.id).returning(SecondFactor.user_id)
    )
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    if gone is not None:
        audit.record(session, actor, "second.off", f"user:{user.id}", now=now, name=user.name)


def _new_codes(session: Session, user_id: int) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [secrets.token_hex(RECOVERY_BYTES) for _number in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user_id, code_hash=_hash(user_id, c)) for c in codes)
    session.flush()
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _use_recovery(session: Session, user: User, code: str, *, now: datetime) -> bool:
    used = session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash == _hash(user.id, _plain(code).lower()),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    if used is None:
        return False
    audit.record(session, Actor(user.id, user.name), "second.recovered", f"user:{user.id}", now=now)
    return True


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the step to which these six digits belong, near `now`; None for any other text."""
    typed, counter = _plain(code), pyotp.TOTP(secret, interval=STEP_SECONDS)
    here = int(now.timestamp()) // STEP_SECONDS
    for near in STEPS_AROUND:
        expected = counter.generate_otp(here + near)
        if secrets.compare_digest(expected.encode(), typed.encode("utf-8", "replace")):
            return here + near
    return None


def _plain(code: str) -> str:
    return code[:40].strip().translate(_SPACES)


def _hash(user_id: int, code: str) -> str:
    return sha256(f"{user_id}:{code}".encode("utf-8", "replace")).hexdigest()


def _wrong() -> WrongCode:
    return WrongCode(
        _("This code is not right, or was used already. Wait for the next one."), field="code"
    )
