"""Scratch codes: the number under the coat of a label, known to whoever opens it first.

Kept as a keyed hash alone. The key follows from SECRET_KEY: codes printed under an older key are
right while that key stands in SECRET_KEY_FALLBACKS.
"""

import hmac
import secrets as randomness
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import bindparam, case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from core.db import Base
from core.errors import Conflict, Invalid, Throttled
from core.i18n import lazy as _
from traceability.serials import Serial, SerialRun

PIN_DIGITS = 6
TRIES = 5
WINDOW = timedelta(hours=1)
LOCK = timedelta(hours=24)

describe({"pin.make": _("made scratch codes for labels")})


class WrongPin(Invalid):
    """The scratch code is not the one under the coat of this label."""


class NoPin(Conflict):
    """This label was printed without a scratch code, or does not stick on goods yet."""


class PinLocked(Throttled):
    """Too many wrong scratch codes for one label: none is looked at for a day."""


class PinsInUse(Conflict):
    """Labels of this run stick on goods already: their scratch codes stay as they are."""


class PinTry(Base):
    """How often a scratch code was tried for one label, until when it counts."""

    __tablename__ = "pin_try"

    serial: Mapped[str] = mapped_column(primary_key=True)
    tries: Mapped[int]
    ends_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a right scratch code tells: when the first right one came, and how many so far."""

    first_at: datetime
    times: int


def give(
    session: Session, run: SerialRun, secret: str, *, actor: Actor, now: datetime
) -> list[tuple[str, str]]:
    """Return each serial of a run with its new scratch code, which nobody can read again.

    Codes given before are void. Raises PinsInUse once a label of the run sticks on goods.
    """
    rows = session.execute(
        select(Serial.serial, Serial.activated_at)
        .where(Serial.run_id == run.id)
        .order_by(Serial.position)
    ).all()
    if any(row.activated_at for row in rows):
        raise PinsInUse(_("Labels of this run stick on goods already."))
    given = [(row.serial, _new_pin()) for row in rows]
    session.connection().execute(
        update(Serial.__table__)  # type: ignore[arg-type]
        .where(Serial.__table__.c.serial == bindparam("code"))
        .values(pin_mac=bindparam("mac")),
        [{"code": serial, "mac": _mac(secret, serial, pin)} for serial, pin in given],
    )
    run.with_pins = True
    record(session, actor, "pin.make", f"lot:{run.lot_id}", now=now, count=len(given))
    return given


def _new_pin() -> str:
    return f"{randomness.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"


def _mac(secret: str, serial: str, pin: str) -> str:
    pepper = hmac.new(secret.encode(), b"scratch codes 1", sha256).digest()
    return hmac.new(pepper, f"{serial}\n{pin}".encode(), sha256).hexdigest()


def start_check(session: Session, serial: str, *, now: datetime) -> None:
    """Count one try for a label before its code is looked at; raises PinLocked.

    In a transaction of its own, because a thousand tries at once must not all be the first. The
    fifth in an hour is the last: then none is looked at for a day.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    over = PinTry.ends_at <= now
    statement = (
        insert(PinTry)
        .values(serial=serial, tries=1, ends_at=now + WINDOW)
        .on_conflict_do_update(
            index_elements=[PinTry.serial],
            set_={
                "tries": case((over, 1), else_=PinTry.tries + 1),
                "ends_at": case(
                    (over, now + WINDOW),
                    (PinTry.tries + 1 == TRIES, now + LOCK),
                    else_=PinTry.ends_at,
                ),
            },
        )
        .returning(PinTry)
    )
    tried = session.scalars(statement, execution_options={"populate_existing": True}).one()
    if tried.tries > TRIES:
        wait = max(1, int((tried.ends_at - now).total_seconds()))
        raise PinLocked(
            _("Too many wrong codes. This label can be checked again in %(hours)s hours.",
              hours=-(-wait // 3600)),
            retry_after=wait,
        )  # fmt: skip


def check(
    session: Session, serial: Serial, pin: str, *, secrets: Sequence[str], now: datetime
) -> Checked:
    """Note a right scratch code and tell of the first one; its tries are forgotten.

    Raises NoPin or WrongPin.
    """
    if serial.pin_mac is None:
        raise NoPin(_("This label has no scratch code."))
    if serial.activated_at is None:
        raise NoPin(_("This label is not activated yet."))
    typed = "".join(pin.split())
    matching = [
        hmac.compare_digest(_mac(secret, serial.serial, typed), serial.pin_mac)
        for secret in secrets
    ]
    if not any(matching):
        raise WrongPin(_("This is not the code of this label."), field="pin")
    row = session.execute(
        update(Serial)
        .where(Serial.serial == serial.serial)
        .values(checks=Serial.checks + 1, checked_at=func.coalesce(Serial.checked_at, now))
        .returning(Serial.checked_at, Serial.checks)
        .execution_options(synchronize_session=False)
    ).one()
    session.execute(delete(PinTry).where(PinTry.serial == serial.serial))
    return Checked(row.checked_at, row.checks)


def forget_old(session: Session, *, now: datetime) -> None:
    """Forget tries that no longer count."""
    session.execute(delete(PinTry).where(PinTry.ends_at <= now))
