"""What a printed QR says: a GS1 Digital Link where the goods have a GTIN, else our own address."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.lots import Lot
from catalog.variants import Variant
from traceability import gs1
from traceability.serials import Serial
from traceability.trace_codes import TraceCode


@dataclass(frozen=True, slots=True)
class Named:
    """What a code names, as far as an address needs to know."""

    code: str
    gtin: str | None = None
    lot: str | None = None
    serial: str | None = None


def find_named(session: Session, code: str) -> Named | None:
    """Return what a public code or a serial names, or None if nobody ever had it."""
    row = session.execute(
        select(Variant.gtin, Lot.code)
        .select_from(TraceCode)
        .outerjoin(Lot, Lot.id == TraceCode.lot_id)
        .outerjoin(Variant, Variant.id == Lot.variant_id)
        .where(TraceCode.code == code)
    ).one_or_none()
    if row is not None:
        return Named(code, row.gtin, row.code)
    row = session.execute(
        select(Variant.gtin, Lot.code)
        .select_from(Serial)
        .join(Lot, Lot.id == Serial.lot_id)
        .join(Variant, Variant.id == Lot.variant_id)
        .where(Serial.serial == code)
    ).one_or_none()
    return Named(code, row.gtin, row.code, code) if row is not None else None


def printed(base: str, named: Named) -> str:
    """Return the address below `base` that the printed QR of this thing says, for ever."""
    if named.gtin is None:
        return f"{base}/t/{named.code}"
    return gs1.build(base, named.gtin, lot=named.lot, serial=named.serial)
