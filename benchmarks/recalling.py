"""How far a lot reaches, and how soon all of it is off sale: ten thousand lots with circles."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import repeat
from uuid import uuid4

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM
from benchmarks.measuring import Path, Side
from benchmarks.shops import PUBLIC_URL, Shop
from catalog.lots import Lot, LotState
from catalog.variants import Variant
from core.clock import utc_now
from core.db import in_batches
from traceability import events, reach, recall_cases, recalls
from traceability.edges import LotEdge
from traceability.events import EventKind
from traceability.reach import Way
from traceability.recall_cases import CaseKind

LOTS = 10_000
JUMPS = (1, 13, 101)
CODE = "DO-"
_BARE = text(
    "WITH RECURSIVE reached(lot_id) AS (SELECT CAST(:lot AS INTEGER) UNION"
    " SELECT output_lot_id FROM lot_edge JOIN reached ON input_lot_id = lot_id)"
    " SELECT lot_id FROM reached"
)


def paths(shop: Shop) -> Iterator[Path]:
    """Give the closure of a recall, against one recursive question that knows no corrections."""
    start: list[int] = []
    yield Path(
        f"recall reach, {LOTS:,} lots",
        "lots/s",
        "one recursive SELECT of the same lots: no steps counted, no corrected lines left out",
        None,
        Side(_again, partial(_reach, shop, start)),
        Side(_again, partial(_bare, shop, start)),
        around=partial(_mesh, shop, start),
    )
    yield Path(
        f"recall stop, {LOTS:,} lots",
        "lots/s",
        "that SELECT and the bare UPDATEs of the same lots: no case, nothing to be told",
        None,
        Side(_again, partial(_stop, shop, start)),
        Side(_again, partial(_bare_stop, shop, start)),
        around=partial(_mesh, shop, start),
    )


def _stop(shop: Shop, start: list[int], _job: None) -> int:
    """Take every lot off sale; undone, so that it can be done again."""
    with shop.database.transaction() as session:
        lot = session.get_one(Lot, start[0])
        case = recalls.stop(
            session,
            lot,
            CaseKind.HOLD,
            reason=CODE,
            base=PUBLIC_URL,
            actor=SYSTEM,
            now=utc_now(),
        )
        covered = len(recall_cases.lots_of(session, case.id))
        session.rollback()
    return covered


def _bare_stop(shop: Shop, start: list[int], _job: None) -> int:
    with shop.database.transaction() as session:
        reached = list(session.scalars(_BARE, {"lot": start[0]}))
        for some in in_batches(reached):
            session.execute(update(Lot).where(Lot.id.in_(some)).values(state=LotState.HELD))
        session.rollback()
    return len(reached)


def _again(_seconds: float) -> Iterable[None]:
    return repeat(None)


def _reach(shop: Shop, start: list[int], _job: None) -> int:
    with shop.database.reading() as session:
        return len(reach.closure(session, start[0], Way.DOWN))


def _bare(shop: Shop, start: list[int], _job: None) -> int:
    with shop.database.reading() as session:
        return len(session.execute(_BARE, {"lot": start[0]}).all())


@contextmanager
def _mesh(shop: Shop, start: list[int]) -> Iterator[None]:
    """Put the lots and their edges there, and take them away again."""
    with shop.database.transaction() as session:
        lot_ids = _lots(session)
        _edges(session, lot_ids)
    start[:] = lot_ids[:1]
    yield
    with shop.database.transaction() as session:
        for some in in_batches(lot_ids):
            session.execute(delete(LotEdge).where(LotEdge.input_lot_id.in_(some)))
        for some in in_batches(lot_ids):
            session.execute(delete(Lot).where(Lot.id.in_(some)))


def _lots(session: Session) -> list[int]:
    variant_id = session.scalars(select(Variant.id).limit(1)).one()
    now = utc_now()
    rows = [
        {"variant_id": variant_id, "code": f"{CODE}{number}", "created_at": now}
        for number in range(LOTS)
    ]
    session.execute(insert(Lot), rows)
    return list(session.scalars(select(Lot.id).where(Lot.code.startswith(CODE)).order_by(Lot.id)))


def _edges(session: Session, lot_ids: list[int]) -> None:
    body = {"type": "ObjectEvent", "eventTime": "2026-11-25T12:00:00.000+07:00"}
    told = events.record(
        session,
        body,
        kind=EventKind.STEP,
        base=PUBLIC_URL,
        uid=str(uuid4()),
        lot_id=None,
        actor=SYSTEM,
        now=utc_now(),
    )
    rows = [
        {
            "input_lot_id": lot_id,
            "output_lot_id": lot_ids[(number + jump) % LOTS],
            "event_id": told.id,
        }
        for number, lot_id in enumerate(lot_ids)
        for jump in JUMPS
    ]
    session.execute(insert(LotEdge), rows)
