"""What a recall of a lot would reach, told as plain facts: for the command line and machines."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.lots import Lot
from core.codes import is_well_formed, normalise
from core.errors import Invalid, NotFound
from core.i18n import lazy as _
from shop import recalls
from traceability import recall_scope
from traceability.codes import TRACE_CODE
from traceability.recall_scope import LotLine
from traceability.trace_codes import TraceCode

MOST_NAMED = 10


class NoSuchLot(NotFound):
    """No lot has this public code or number."""


class SeveralLots(Invalid):
    """Several lots have this number; their public codes tell them apart."""


def find_lot(session: Session, typed: str) -> Lot:
    """Return the lot of a public code, or the only one of that number."""
    code = normalise(TRACE_CODE, typed.rstrip("/").rpartition("/")[2])
    if is_well_formed(TRACE_CODE, code):
        named = session.scalar(
            select(Lot).join(TraceCode, TraceCode.lot_id == Lot.id).where(TraceCode.code == code)
        )
        if named is not None:
            return named
    found = session.execute(
        select(Lot, TraceCode.code)
        .outerjoin(TraceCode, TraceCode.lot_id == Lot.id)
        .where(Lot.code == typed.strip().upper())
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


def tell(session: Session, lot: Lot) -> dict[str, Any]:
    """Return what stopping the lot reaches: lots both ways, totals and orders."""
    scope = recall_scope.of_lot(session, lot.id)
    touched = recalls.touched(session, [line.lot.id for line in scope.made])
    return {
        "lot": lot.code,
        "totals": {
            "lots": len(scope.made),
            "serials": scope.serials,
            "cartons": len(scope.cartons),
            "on_hand": scope.on_hand,
            "reserved": scope.reserved,
            "orders": len(touched.orders),
            "pieces_sent": touched.pieces_out,
            "pieces_waiting": touched.pieces_waiting,
        },
        "lots": [_line(one) for one in scope.made],
        "made_from": [_line(one) for one in scope.made_from],
        "cartons": scope.cartons,
        "orders": touched.orders,
    }


def in_words(told: dict[str, Any]) -> Iterator[str]:
    """Give what `tell` returned in lines for a terminal."""
    for name, count in told["totals"].items():
        yield f"{name}: {count}"
    for one in told["lots"]:
        yield f"  {'  ' * one['steps']}{one['lot']} {one['name']} ({one['state']})"
    if told["made_from"]:
        yield "made from: " + ", ".join(one["lot"] for one in told["made_from"])
    if told.get("case"):
        yield f"{told['kind']} {told['case']} was opened"
    else:
        yield "nothing was changed"


def _line(one: LotLine) -> dict[str, Any]:
    return {
        "lot": one.lot.code,
        "code": one.code,
        "name": one.name,
        "state": one.lot.state.value,
        "steps": one.steps,
        "serials": one.serials,
        "on_hand": one.on_hand,
        "reserved": one.reserved,
    }
