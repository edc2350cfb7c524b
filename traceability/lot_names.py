"""Which lot people mean who type a code, an address of a label, or the number on the package."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.lots import Lot
from core.codes import is_well_formed, normalise
from core.errors import Invalid, NotFound
from core.i18n import lazy as _
from traceability import imports
from traceability.codes import TRACE_CODE
from traceability.serials import Serial
from traceability.trace_codes import TraceCode

MOST_NAMED = 10


class NoSuchLot(NotFound):
    """No lot has this public code or number."""


class SeveralLots(Invalid):
    """Several lots have this number; their public codes tell them apart."""


def find_lot(session: Session, typed: str, *, base: str) -> Lot:
    """Return the lot of a public code, a serial or an address, or the only one of that number.

    `base` is the address our codes stand under. Raises NoSuchLot or SeveralLots.
    """
    typed = typed.strip().rstrip("/")
    lot_id = _of_code(session, normalise(TRACE_CODE, typed.rpartition("/")[2]))
    if lot_id is None and "/" in typed:
        lot_id = imports.find_lots(session, [typed], base=base).get(typed)
    if lot_id is not None:
        return session.get_one(Lot, lot_id)
    found = session.execute(
        select(Lot, TraceCode.code)
        .outerjoin(TraceCode, TraceCode.lot_id == Lot.id)
        .where(Lot.code == typed.upper())
        .order_by(Lot.id)
        .limit(MOST_NAMED)
    ).all()
    if not found:
        raise NoSuchLot(_("There is no lot %(code)s.", code=typed), field="lot")
    if len(found) > 1:
        codes = ", ".join(public or f"#{lot.id}" for lot, public in found)
        raise SeveralLots(
            _("Several lots have this number. Use the public code: %(codes)s", codes=codes),
            field="lot",
        )
    return found[0][0]


def _of_code(session: Session, code: str) -> int | None:
    if not is_well_formed(TRACE_CODE, code):
        return None
    of_lot = session.scalar(select(TraceCode.lot_id).where(TraceCode.code == code))
    return of_lot or session.scalar(select(Serial.lot_id).where(Serial.serial == code))
