"""What a recall would reach, told before anything is done: lots, packages, what lies on shelves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.lots import Lot
from catalog.products import Product
from catalog.stock import StockItem
from catalog.variants import Variant
from core.db import in_batches
from traceability import reach
from traceability.cartons import CartonItem
from traceability.reach import Way
from traceability.serials import Serial
from traceability.trace_codes import TraceCode


@dataclass(frozen=True, slots=True)
class LotLine:
    """One lot, so many steps away; `code` is its public code, if it was given one."""

    lot: Lot
    product: Product
    variant: Variant
    code: str | None
    steps: int
    serials: int
    on_hand: int
    reserved: int

    @property
    def name(self) -> str:
        """Return what the lot is of."""
        return f"{self.product.name} {self.variant.name}".strip()

    @property
    def made(self) -> int:
        """Return how many pieces the lot was opened with, 0 where nobody wrote it down."""
        return self.lot.quantity or 0


@dataclass(frozen=True, slots=True)
class Scope:
    """What was made of a lot, itself included, and what it was made of, nearest first."""

    made: list[LotLine]
    made_from: list[LotLine]
    cartons: list[str]

    @property
    def serials(self) -> int:
        """Return how many packages have a serial of these lots."""
        return sum(line.serials for line in self.made)

    @property
    def on_hand(self) -> int:
        """Return how many pieces lie on shelves."""
        return sum(line.on_hand for line in self.made)

    @property
    def reserved(self) -> int:
        """Return how many of these pieces are set aside for orders and claims."""
        return sum(line.reserved for line in self.made)


def of_lot(session: Session, lot_id: int) -> Scope:
    """Return what stopping this lot would reach; nothing is changed."""
    made = reach.closure(session, lot_id, Way.DOWN)
    return Scope(lines_of(session, made), made_from(session, lot_id), cartons_of(session, made))


def made_from(session: Session, lot_id: int) -> list[LotLine]:
    """Return what a lot was made of, nearest first, itself left out."""
    sources = reach.closure(session, lot_id, Way.UP)
    sources.pop(lot_id)
    return lines_of(session, sources)


def lines_of(session: Session, steps: Mapping[int, int]) -> list[LotLine]:
    """Return a line for each lot, by its steps away and then by its age."""
    lines = []
    for some in in_batches(steps):
        serials = dict(_count_serials(session, some))
        shelves = {
            lot_id: (on_hand, reserved)
            for lot_id, on_hand, reserved in session.execute(
                select(StockItem.lot_id, func.sum(StockItem.on_hand), func.sum(StockItem.reserved))
                .where(StockItem.lot_id.in_(some))
                .group_by(StockItem.lot_id)
            )
        }
        rows = session.execute(
            select(Lot, Product, Variant, TraceCode.code)
            .join(Variant, Variant.id == Lot.variant_id)
            .join(Product, Product.id == Variant.product_id)
            .outerjoin(TraceCode, TraceCode.lot_id == Lot.id)
            .where(Lot.id.in_(some))
        )
        for lot, product, variant, code in rows:
            on_hand, reserved = shelves.get(lot.id, (0, 0))
            lines.append(
                LotLine(
                    lot,
                    product,
                    variant,
                    code,
                    steps[lot.id],
                    serials.get(lot.id, 0),
                    int(on_hand),
                    int(reserved),
                )
            )
    return sorted(lines, key=lambda line: (line.steps, line.lot.id))


def cartons_of(session: Session, lot_ids: Iterable[int]) -> list[str]:
    """Return the numbers of the cartons in which something of these lots lies."""
    found: set[str] = set()
    for some in in_batches(lot_ids):
        found.update(session.scalars(select(CartonItem.sscc).where(CartonItem.lot_id.in_(some))))
    return sorted(found)


def _count_serials(session: Session, lot_ids: list[int]) -> list[tuple[int, int]]:
    rows = session.execute(
        select(Serial.lot_id, func.count())
        .where(Serial.lot_id.in_(lot_ids))
        .group_by(Serial.lot_id)
    )
    return [(row[0], row[1]) for row in rows]
