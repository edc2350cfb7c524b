"""What is odd about the scans of one label: told to a person, never a verdict by itself."""

import enum
from datetime import date, datetime

from sqlalchemy import ForeignKey, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor
from catalog.duties import Duty
from catalog.lots import Lot
from catalog.products import Product
from catalog.variants import Variant
from core.clock import vietnam_day
from core.db import Base, word
from core.i18n import lazy as _
from core.i18n import mark
from traceability.serials import NoSuchSerial, Serial, SerialState, move

MANY_VISITORS = 20
MOST_SHOWN = 200


class Oddity(enum.StrEnum):
    """What may mean that a label was copied, or that a note was forgotten."""

    MANY_VISITORS = "many_visitors"
    TWO_PROVINCES = "two_provinces"
    AFTER_SALE = "after_sale"
    BEFORE_ACTIVATION = "before_activation"


ODDITY_NAMES = {
    Oddity.MANY_VISITORS: _("scanned by many within two days"),
    Oddity.TWO_PROVINCES: _("named in two provinces on one day"),
    Oddity.AFTER_SALE: _("scanned after it was sold"),
    Oddity.BEFORE_ACTIVATION: _("scanned before it was activated"),
}


class SerialFlag(Base):
    """One oddity of one label; `settled_at` is empty while nobody has looked at it."""

    __tablename__ = "serial_flag"

    serial: Mapped[str] = mapped_column(ForeignKey("serial.serial"), primary_key=True)
    oddity: Mapped[Oddity] = mapped_column(word(Oddity), primary_key=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    times: Mapped[int]
    settled_at: Mapped[datetime | None]


def look_at(
    session: Session, serial: Serial, *, visitors: int, provinces: set[str], now: datetime
) -> None:
    """Note what is odd about a scan that was just counted; a settled oddity is open again."""
    day = vietnam_day(now)
    found = {
        Oddity.MANY_VISITORS: visitors >= MANY_VISITORS,
        Oddity.TWO_PROVINCES: len(provinces) > 1,
        Oddity.AFTER_SALE: serial.sold_at is not None and vietnam_day(serial.sold_at) < day,
        Oddity.BEFORE_ACTIVATION: serial.activated_at is None,
    }
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    for oddity in (oddity for oddity, is_so in found.items() if is_so):
        session.execute(
            insert(SerialFlag)
            .values(serial=serial.serial, oddity=oddity, first_day=day, last_day=day, times=1)
            .on_conflict_do_update(
                index_elements=[SerialFlag.serial, SerialFlag.oddity],
                set_={"last_day": day, "times": SerialFlag.times + 1, "settled_at": None},
            )
        )


def list_open(
    session: Session, producer_id: int | None = None
) -> list[tuple[Serial, Lot, Product, list[SerialFlag]]]:
    """Return labels that wait for a person's word or are watched or blocked, the newest first."""
    wanted = (
        select(SerialFlag, Serial, Lot, Product)
        .join(Serial, Serial.serial == SerialFlag.serial)
        .join(Lot, Lot.id == Serial.lot_id)
        .join(Variant, Variant.id == Lot.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(SerialFlag.settled_at.is_(None) | (Serial.state != SerialState.NORMAL))
        .order_by(SerialFlag.last_day.desc(), SerialFlag.serial, SerialFlag.oddity)
        .limit(MOST_SHOWN)
    )
    if producer_id is not None:
        wanted = wanted.where(Product.producer_id == producer_id)
    found: dict[str, tuple[Serial, Lot, Product, list[SerialFlag]]] = {}
    for flag, serial, lot, product in session.execute(wanted):
        found.setdefault(serial.serial, (serial, lot, product, []))[3].append(flag)
    return list(found.values())


def settle(
    session: Session,
    serial: str,
    to: SerialState,
    *,
    producer_id: int,
    actor: Actor,
    now: datetime,
) -> None:
    """Let a person decide on a label of this producer; what was odd about it is settled.

    Raises NoSuchSerial.
    """
    owned = session.scalar(
        select(Serial.serial)
        .join(Lot, Lot.id == Serial.lot_id)
        .join(Variant, Variant.id == Lot.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(Serial.serial == serial, Product.producer_id == producer_id)
    )
    if owned is None:
        raise NoSuchSerial(_("There is no label of this number."))
    move(session, serial, to, actor=actor, now=now)
    session.execute(
        update(SerialFlag)
        .where(SerialFlag.serial == serial, SerialFlag.settled_at.is_(None))
        .values(settled_at=now)
        .execution_options(synchronize_session=False)
    )


def tell_duties(session: Session, producer_id: int) -> list[Duty]:
    """Return that labels with odd scans wait for the producer's word, if any do."""
    count = session.scalar(
        select(func.count(SerialFlag.serial.distinct()))
        .join(Serial, Serial.serial == SerialFlag.serial)
        .join(Lot, Lot.id == Serial.lot_id)
        .join(Variant, Variant.id == Lot.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(SerialFlag.settled_at.is_(None), Product.producer_id == producer_id)
    )
    if not count:
        return []
    sentence = mark("%(count)s labels with odd scans to look at")
    return [Duty("desk_scans.index", (), "canh-bao", sentence, count)]
