"""SSCC: a carton or parcel under a number of GS1's, with the lots and packages inside it."""

import re
from datetime import datetime

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from catalog.gtin import has_check_digit
from catalog.lots import Lot
from catalog.producers import Producer
from catalog.products import Product
from catalog.variants import Variant
from core.codes import is_well_formed, normalise
from core.db import Base
from core.errors import Conflict, Invalid
from core.i18n import lazy as _
from traceability.codes import TRACE_CODE
from traceability.serials import Serial

SSCC_DIGITS = 18
MOST_INSIDE = 500
MOST_SHOWN = 100

describe({"carton.pack": _("packed a carton")})


class WrongSscc(Invalid):
    """The number is no SSCC."""


class SsccTaken(Conflict):
    """A number is used for one carton only."""


class NothingInside(Invalid):
    """What was typed names no lot and no label of this producer, or too many."""


class Carton(Base):
    """One carton, its number never used again."""

    __tablename__ = "carton"

    sscc: Mapped[str] = mapped_column(primary_key=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), index=True)
    packed_at: Mapped[datetime]
    packed_by_name: Mapped[str]


class CartonItem(Base):
    """One lot, or one package of a lot, inside a carton."""

    __tablename__ = "carton_item"
    __table_args__ = (Index("ix_carton_item_carton", "sscc"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sscc: Mapped[str] = mapped_column(ForeignKey("carton.sscc"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    serial: Mapped[str | None] = mapped_column(ForeignKey("serial.serial"))


def find(session: Session, sscc: str) -> tuple[Carton, Producer] | None:
    """Return a carton with its producer, or None."""
    row = session.execute(
        select(Carton, Producer)
        .join(Producer, Producer.id == Carton.producer_id)
        .where(Carton.sscc == sscc)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def list_inside(session: Session, sscc: str) -> list[tuple[CartonItem, Lot, Product]]:
    """Return what lies in a carton, lot by lot."""
    rows = session.execute(
        select(CartonItem, Lot, Product)
        .join(Lot, Lot.id == CartonItem.lot_id)
        .join(Variant, Variant.id == Lot.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(CartonItem.sscc == sscc)
        .order_by(Product.name, Lot.code, CartonItem.serial)
        .limit(MOST_INSIDE)
    )
    return [(item, lot, product) for item, lot, product in rows]


def list_of_producer(session: Session, producer_id: int) -> list[Carton]:
    """Return a producer's newest cartons."""
    return list(
        session.scalars(
            select(Carton)
            .where(Carton.producer_id == producer_id)
            .order_by(Carton.packed_at.desc(), Carton.sscc)
            .limit(MOST_SHOWN)
        )
    )


def pack(
    session: Session, producer_id: int, *, sscc: str, inside: str, actor: Actor, now: datetime
) -> Carton:
    """Write down what lies in a carton: codes of lots, or labels that were scanned into it.

    Raises WrongSscc, SsccTaken or NothingInside.
    """
    number = re.sub(r"\s", "", sscc)
    if len(number) != SSCC_DIGITS or not has_check_digit(number) or not number.strip("0"):
        raise WrongSscc(_("An SSCC has 18 digits and a right check digit."), field="sscc")
    items = _read(session, producer_id, inside)
    carton = Carton(sscc=number, producer_id=producer_id, packed_at=now, packed_by_name=actor.name)
    try:
        with session.begin_nested():
            session.add(carton)
    except IntegrityError as error:
        raise SsccTaken(_("This number is another carton's already."), field="sscc") from error
    session.add_all(
        CartonItem(sscc=number, lot_id=lot_id, serial=serial) for lot_id, serial in items
    )
    record(session, actor, "carton.pack", f"carton:{number}", now=now, sscc=number)
    session.flush()
    return carton


def _read(session: Session, producer_id: int, typed: str) -> list[tuple[int, str | None]]:
    pieces = {piece.partition("?")[0].rstrip("/").rpartition("/")[2] for piece in typed.split()}
    codes = {
        code for piece in pieces if is_well_formed(TRACE_CODE, code := normalise(TRACE_CODE, piece))
    }
    own = (
        select(Lot.id)
        .join(Variant, Variant.id == Lot.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(Product.producer_id == producer_id)
    )
    packages = session.execute(
        select(Serial.lot_id, Serial.serial).where(Serial.serial.in_(codes), Serial.lot_id.in_(own))
    ).all()
    whole = session.execute(
        select(Lot.id, Lot.code).where(
            Lot.code.in_({piece.upper() for piece in pieces}), Lot.id.in_(own)
        )
    ).all()
    found: list[tuple[int, str | None]] = [(lot_id, serial) for lot_id, serial in packages]
    found += [(lot_id, None) for lot_id, _code in whole]
    known = {serial for _lot, serial in packages} | {code for _lot, code in whole}
    strange = [
        piece
        for piece in sorted(pieces)
        if piece.upper() not in known and normalise(TRACE_CODE, piece) not in known
    ]
    if strange:
        raise NothingInside(
            _("“%(code)s” is no lot and no label of this producer.", code=strange[0][:40]),
            field="inside",
        )
    if not 0 < len(found) <= MOST_INSIDE:
        raise NothingInside(_("Scan or type 1 to 500 lots or labels."), field="inside")
    return found
