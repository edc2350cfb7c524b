"""Where a printed address leads: to the scan page of the finest level that the book knows.

Unknown parts are walked up (21 → 10 → 01), and what was not found is told to the page.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.certificates import Certificate, PaperState
from catalog.lots import Lot
from catalog.products import Product
from catalog.variants import Variant
from traceability import known_gtins, trace_codes
from traceability.serials import Serial
from traceability.trace_codes import TraceCode


@dataclass(frozen=True, slots=True)
class Level:
    """One level the book knows: its public code ('' before it has one) and its address parts."""

    code: str
    lot: str | None = None
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a link leads to. `levels` go from the product down; `typed` was not found beneath.

    `gtin` is the number in the address, None for our own codes.
    """

    product: Product
    lot: Lot | None
    levels: list[Level]
    typed: str | None = None
    gtin: str | None = None

    @property
    def finest(self) -> Level:
        """Return the finest known level."""
        return self.levels[-1]

    @property
    def has_codes(self) -> bool:
        """Say whether every level has its public code; if not, ask for `give_codes`."""
        return all(level.code for level in self.levels)


def resolve(
    session: Session, gtin: str, *, lot: str | None = None, serial: str | None = None
) -> Resolved | None:
    """Return where the link leads, or None if the book knows no goods of this GTIN."""
    goods = known_gtins.find_goods(session, gtin)
    if goods is None:
        return None
    variant_id, product = goods
    levels = [Level(trace_codes.find_product_code(session, product.id) or "")]
    known_lot, known_serial = _below(session, variant_id, lot, serial)
    if known_lot is not None:
        code = trace_codes.find_lot_code(session, known_lot.id) or ""
        levels.append(Level(code, known_lot.code))
    if known_lot is not None and known_serial is not None:
        levels.append(Level(known_serial.serial, known_lot.code, known_serial.serial))
    typed = None
    if lot is not None and known_lot is None:
        typed = lot
    elif serial is not None and known_serial is None:
        typed = serial
    return Resolved(product, known_lot, levels, typed, gtin)


def resolve_code(session: Session, code: str) -> Resolved | None:
    """Return where our own printed code leads, or None if nobody ever had it."""
    named = trace_codes.find_code(session, code)
    serial = session.get(Serial, code) if named is None else None
    lot_id = named.lot_id if named else serial.lot_id if serial else None
    if named is None and lot_id is None:
        return None
    lot = session.get_one(Lot, lot_id) if lot_id is not None else None
    product = session.scalars(
        select(Product).where(Product.id == named.product_id)
        if named
        else select(Product)
        .join(Variant, Variant.product_id == Product.id)
        .where(Variant.id == (lot.variant_id if lot else None))
    ).one()
    levels = [Level(trace_codes.find_product_code(session, product.id) or "")]
    if lot is not None:
        levels.append(Level(trace_codes.find_lot_code(session, lot.id) or "", lot.code))
    if serial is not None and lot is not None:
        levels.append(Level(serial.serial, lot.code, serial.serial))
    return Resolved(product, lot, levels)


def find_paper(session: Session, code: str, paper_id: int) -> Certificate | None:
    """Return a paper of the goods that a public code or serial is about, or None."""
    of_code = select(TraceCode.product_id).where(TraceCode.code == code)
    of_serial = (
        select(Variant.product_id)
        .join(Lot, Lot.variant_id == Variant.id)
        .join(Serial, Serial.lot_id == Lot.id)
        .where(Serial.serial == code)
    )
    return session.scalar(
        select(Certificate).where(
            Certificate.id == paper_id,
            Certificate.state == PaperState.IN_FORCE,
            Certificate.product_id.in_(of_code) | Certificate.product_id.in_(of_serial),
        )
    )


def give_codes(session: Session, found: Resolved, *, now: datetime) -> None:
    """Give the product and the lot their public codes, which a first scan may find missing."""
    trace_codes.ensure_product_code(session, found.product.id, now=now)
    if found.lot is not None:
        trace_codes.ensure_lot_code(session, found.lot, now=now)


def _below(
    session: Session, variant_id: int, lot: str | None, serial: str | None
) -> tuple[Lot | None, Serial | None]:
    """Return the lot and serial of these goods; a serial alone brings its lot with it."""
    known_serial = session.get(Serial, serial) if serial else None
    wanted = select(Lot).where(Lot.variant_id == variant_id)
    if lot is not None:
        wanted = wanted.where(Lot.code == lot)
    elif known_serial is not None:
        wanted = wanted.where(Lot.id == known_serial.lot_id)
    else:
        return None, None
    known_lot = session.scalar(wanted)
    if known_serial is not None and (known_lot is None or known_serial.lot_id != known_lot.id):
        known_serial = None
    return known_lot, known_serial
