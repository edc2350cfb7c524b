"""Serials: one unguessable number for one package of a lot, counted from when its label sticks."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, ForeignKey, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog.lots import Lot
from core.codes import new_code
from core.db import Base
from core.errors import Invalid
from core.i18n import lazy as _
from traceability.codes import TRACE_CODE

MOST_AT_ONCE = 100_000
ROWS_A_STATEMENT = 1_000


class TooManySerials(Invalid):
    """More labels than a sheet printer sees in a year, or none at all."""


class Serial(Base):
    """One serial of one lot, unguessable; activated when its label is stuck on the goods."""

    __tablename__ = "serial"

    serial: Mapped[str] = mapped_column(primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    is_sample: Mapped[bool] = mapped_column(default=False)


def find(session: Session, serial: str) -> Serial | None:
    """Return the serial, written as it is printed, or None."""
    return session.get(Serial, serial)


def list_of_lot(session: Session, lot_id: int, *, limit: int = 100) -> list[Serial]:
    """Return the first serials of a lot, in the order of their letters."""
    return list(
        session.scalars(
            select(Serial).where(Serial.lot_id == lot_id).order_by(Serial.serial).limit(limit)
        )
    )


def make(
    session: Session,
    lot: Lot,
    count: int,
    *,
    now: datetime,
    activated: bool = False,
    is_sample: bool = False,
) -> list[str]:
    """Return `count` new serials of the lot, waiting to be stuck on unless `activated`.

    Raises TooManySerials. Fifty random bits each: one that exists already is not met in practice,
    and the primary key would refuse it together with the whole batch.
    """
    if not 0 < count <= MOST_AT_ONCE:
        raise TooManySerials(
            _("Between 1 and %(most)s labels at once.", most=MOST_AT_ONCE), field="count"
        )
    made: set[str] = set()
    while len(made) < count:
        made.add(new_code(TRACE_CODE))
    codes = sorted(made)
    for start in range(0, count, ROWS_A_STATEMENT):
        session.execute(
            insert(Serial),
            [
                {
                    "serial": code,
                    "lot_id": lot.id,
                    "created_at": now,
                    "activated_at": now if activated else None,
                    "is_sample": is_sample,
                }
                for code in codes[start : start + ROWS_A_STATEMENT]
            ],
        )
    return codes


def activate(session: Session, serials: Iterable[str], *, now: datetime) -> int:
    """Note that these labels stick on goods now; return how many did not before."""
    wanted = sorted(set(serials))
    activated = 0
    for start in range(0, len(wanted), ROWS_A_STATEMENT):
        changed = session.execute(
            update(Serial)
            .where(
                Serial.serial.in_(wanted[start : start + ROWS_A_STATEMENT]),
                Serial.activated_at.is_(None),
            )
            .values(activated_at=now)
            .execution_options(synchronize_session=False)
        )
        activated += cast("CursorResult[Any]", changed).rowcount
    return activated
