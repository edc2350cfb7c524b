"""What a recall of a lot would reach, told as plain facts: for the command line and machines."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from catalog.lots import Lot
from shop import recalls
from traceability import recall_scope
from traceability.recall_scope import LotLine


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
