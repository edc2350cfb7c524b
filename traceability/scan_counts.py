"""How often codes are scanned: a number a day, and a province where the visitor names one.

Counted only when the page asks for it after it is seen, never when it is fetched. That one visitor
counts once a day is known by a hash under a salt of the day; both are forgotten within two days,
and addresses and devices are never written down.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, cast

from sqlalchemy import CursorResult, ForeignKey, Index, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from catalog.lots import Lot
from catalog.places import AdminUnit, Level
from catalog.products import Product
from catalog.variants import Variant
from core.clock import vietnam_day
from core.db import Base, Database
from traceability import pins, scan_flags
from traceability.serials import Serial
from traceability.trace_codes import TraceCode

NOT_NAMED = ""
DAYS_KEPT = 2
SALT_BYTES = 32


class ScanDaily(Base):
    """How many visitors scanned one code on one day in Vietnam, in one province if it was named."""

    __tablename__ = "scan_daily"
    __table_args__ = (Index("ix_scan_daily_product", "product_id", "day"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    province_code: Mapped[str] = mapped_column(primary_key=True, default=NOT_NAMED)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    n: Mapped[int]


class ScanSeen(Base):
    """That somebody scanned this code today already; nobody can tell who, and soon it is gone."""

    __tablename__ = "scan_seen"

    code: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(primary_key=True)
    province_code: Mapped[str] = mapped_column(default=NOT_NAMED)


class ScanSalt(Base):
    """The secret of one day, without which no hash of that day can be made again."""

    __tablename__ = "scan_salt"

    day: Mapped[date] = mapped_column(primary_key=True)
    salt: Mapped[str]


@dataclass(frozen=True, slots=True)
class Subject:
    """What was scanned: its code, whose product it is of, and the serial if it is one package."""

    code: str
    product_id: int
    serial: Serial | None = None


def find_subject(session: Session, code: str) -> Subject | None:
    """Return what a public code or serial names, or None."""
    product_id = session.scalar(select(TraceCode.product_id).where(TraceCode.code == code))
    if product_id is not None:
        return Subject(code, product_id)
    row = session.execute(
        select(Serial, Variant.product_id)
        .join(Lot, Lot.id == Serial.lot_id)
        .join(Variant, Variant.id == Lot.variant_id)
        .where(Serial.serial == code)
    ).one_or_none()
    return Subject(code, row.product_id, row.Serial) if row else None


def find_province(session: Session, code: str) -> str | None:
    """Return the code of a province in force, or None for anything else."""
    return session.scalar(
        select(AdminUnit.code).where(
            AdminUnit.code == code,
            AdminUnit.level == Level.PROVINCE,
            AdminUnit.valid_to.is_(None),
        )
    )


def count(
    session: Session,
    subject: Subject,
    *,
    address: str,
    agent: str,
    province: str | None = None,
    now: datetime,
) -> bool:
    """Count a visitor once a day for each code; say whether this one was new.

    Who names a `province` (its code) later on the same day is moved there, once. `address` and
    `agent` are hashed under the salt of the day and forgotten.
    """
    day = vietnam_day(now)
    mark = _mark(session, day, address, agent)
    named = (province and find_province(session, province)) or NOT_NAMED
    seen = (ScanSeen.code, ScanSeen.day, ScanSeen.mark)
    row = {"code": subject.code, "day": day, "mark": mark, "province_code": named}
    is_new = _insert_once(session, ScanSeen, row, seen)
    if is_new:
        _add(session, subject, day, named, 1)
    elif named and _name_later(session, subject.code, day, mark, named):
        _add(session, subject, day, NOT_NAMED, -1)
        _add(session, subject, day, named, 1)
    else:
        return False
    if subject.serial is not None:
        _raise_flags(session, subject.serial, day, now=now)
    return is_new


def _mark(session: Session, day: date, address: str, agent: str) -> str:
    row = {"day": day, "salt": secrets.token_hex(SALT_BYTES)}
    _insert_once(session, ScanSalt, row, (ScanSalt.day,))
    salt = session.scalars(select(ScanSalt.salt).where(ScanSalt.day == day)).one()
    seen = f"{address}\n{agent}".encode("utf-8", "replace")
    return hmac.new(bytes.fromhex(salt), seen, sha256).hexdigest()[:32]


def _insert_once(
    session: Session,
    table: type[Base],
    row: dict[str, object],
    key: tuple[InstrumentedAttribute[Any], ...],
) -> bool:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    # What comes back was written; a count of rows is not told for every kind of insert.
    written = session.execute(
        insert(table).values(row).on_conflict_do_nothing(index_elements=list(key)).returning(*key)
    )
    return written.first() is not None


def _name_later(session: Session, code: str, day: date, mark: str, province: str) -> bool:
    done = session.execute(
        update(ScanSeen)
        .where(
            ScanSeen.code == code,
            ScanSeen.day == day,
            ScanSeen.mark == mark,
            ScanSeen.province_code == NOT_NAMED,
        )
        .values(province_code=province)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", done).rowcount == 1


def _add(session: Session, subject: Subject, day: date, province: str, more: int) -> None:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(
        insert(ScanDaily)
        .values(
            code=subject.code,
            day=day,
            province_code=province,
            product_id=subject.product_id,
            n=max(more, 0),
        )
        .on_conflict_do_update(
            index_elements=[ScanDaily.code, ScanDaily.day, ScanDaily.province_code],
            set_={"n": ScanDaily.n + more},
        )
    )


def _raise_flags(session: Session, serial: Serial, day: date, *, now: datetime) -> None:
    rows = session.execute(
        select(ScanDaily.province_code, ScanDaily.day, ScanDaily.n).where(
            ScanDaily.code == serial.serial, ScanDaily.day >= day - timedelta(days=1)
        )
    ).all()
    scan_flags.look_at(
        session,
        serial,
        visitors=sum(row.n for row in rows),
        provinces={row.province_code for row in rows if row.n and row.day == day} - {NOT_NAMED},
        now=now,
    )


def total(session: Session, code: str) -> int:
    """Return how many visitors a code had so far, each counted once a day."""
    return session.scalar(select(func.sum(ScanDaily.n)).where(ScanDaily.code == code)) or 0


def by_day(session: Session, producer_id: int, *, since: date) -> dict[date, int]:
    """Return the scans of a producer's codes on each day from `since` on that had any."""
    rows = session.execute(
        select(ScanDaily.day, func.sum(ScanDaily.n))
        .join(Product, Product.id == ScanDaily.product_id)
        .where(Product.producer_id == producer_id, ScanDaily.day >= since)
        .group_by(ScanDaily.day)
    )
    return {day: int(n) for day, n in rows if n}


def by_province(session: Session, producer_id: int, *, since: date) -> list[tuple[str | None, int]]:
    """Return scans by the name of the province, most first; None where nobody named one."""
    n = func.sum(ScanDaily.n)
    rows = session.execute(
        select(AdminUnit.name, n)
        .select_from(ScanDaily)
        .join(Product, Product.id == ScanDaily.product_id)
        .outerjoin(AdminUnit, AdminUnit.code == ScanDaily.province_code)
        .where(Product.producer_id == producer_id, ScanDaily.day >= since)
        .group_by(AdminUnit.code, AdminUnit.name)
        .order_by(n.desc())
    )
    return [(name, int(times)) for name, times in rows if times]


def by_product(session: Session, producer_id: int, *, since: date) -> list[tuple[str, int]]:
    """Return scans by product, most first."""
    n = func.sum(ScanDaily.n)
    rows = session.execute(
        select(Product.name, n)
        .select_from(ScanDaily)
        .join(Product, Product.id == ScanDaily.product_id)
        .where(Product.producer_id == producer_id, ScanDaily.day >= since)
        .group_by(Product.id, Product.name)
        .order_by(n.desc())
    )
    return [(name, int(times)) for name, times in rows if times]


def forget_old(database: Database, now: datetime) -> None:
    """Forget the salts and marks of all days but today and yesterday, and old tries of codes."""
    oldest = vietnam_day(now) - timedelta(days=DAYS_KEPT - 1)
    with database.transaction() as session:
        session.execute(delete(ScanSeen).where(ScanSeen.day < oldest))
        session.execute(delete(ScanSalt).where(ScanSalt.day < oldest))
        pins.forget_old(session, now=now)
