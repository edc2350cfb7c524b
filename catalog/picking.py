"""Which lots goods are taken from: the first to expire is proposed, the packer has the last word.

Holds move between the stock rows of one variant exactly: what one row gives free another row
takes, in conditional UPDATEs of ascending id, or nothing changes at all.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Update, select, update
from sqlalchemy.orm import Session

from catalog.lots import Lot
from catalog.stock import OPEN, OutOfStock, Reservation, StockItem, sellable_rows
from core.clock import vietnam_day
from core.errors import Conflict
from core.i18n import lazy as _


class HoldsMoved(Conflict):
    """The goods set aside were changed by someone else in the same moment."""


@dataclass(frozen=True, slots=True)
class Need:
    """Goods to be taken for one line: the reservations that hold them, the lot its buyer chose."""

    variant_id: int
    holds: tuple[int, ...]
    lot_id: int | None = None


@dataclass(frozen=True, slots=True)
class Pick:
    """So many from one stock row; `code` is None for goods that are kept without lots."""

    stock_id: int
    lot_id: int | None
    code: str | None
    expires_on: date | None
    quantity: int


def list_shelves(
    session: Session, variant_ids: Collection[int], *, now: datetime
) -> dict[int, list[Pick]]:
    """Return what lies free and may be sold of each variant, the first to expire first.

    Rows with nothing free stand in the list too, with quantity 0.
    """
    rows = session.execute(
        select(StockItem, Lot)
        .outerjoin(Lot, Lot.id == StockItem.lot_id)
        .where(StockItem.variant_id.in_(variant_ids), sellable_rows(vietnam_day(now)))
        .order_by(Lot.expires_on.is_(None), Lot.expires_on, StockItem.id)
        .execution_options(populate_existing=True)
    )
    shelves: dict[int, list[Pick]] = {variant_id: [] for variant_id in variant_ids}
    for item, lot in rows:
        shelves[item.variant_id].append(pick_of(item, lot, item.on_hand - item.reserved))
    return shelves


def pick_of(item: StockItem, lot: Lot | None, quantity: int) -> Pick:
    """Return so many of a stock row, with what its lot is called."""
    if lot is None:
        return Pick(item.id, None, None, None, quantity)
    return Pick(item.id, lot.id, lot.code, lot.expires_on, quantity)


def propose(session: Session, needs: Sequence[Need], *, now: datetime) -> list[list[Pick]]:
    """Return from which lots to take each need: the chosen lot, then the first to expire.

    What the needs hold already counts as free for them. A need that its sellable lots cannot
    cover gets less than it holds.
    """
    holds = _open_holds(session, needs)
    shelves = list_shelves(session, {need.variant_id for need in needs}, now=now)
    free = Counter({one.stock_id: one.quantity for shelf in shelves.values() for one in shelf})
    for held in holds:
        for hold in held:
            free[hold.stock_id] += hold.quantity
    proposed: list[list[Pick]] = [[] for _need in needs]
    # Who chose a lot comes first: others can be served from any.
    for number, need in sorted(enumerate(needs), key=lambda one: one[1].lot_id is None):
        short = sum(hold.quantity for hold in holds[number])
        shelf = shelves[need.variant_id]
        for row in sorted(shelf, key=lambda one: need.lot_id is None or one.lot_id != need.lot_id):
            taken = min(short, free[row.stock_id])
            if taken:
                proposed[number].append(
                    Pick(row.stock_id, row.lot_id, row.code, row.expires_on, taken)
                )
                free[row.stock_id] -= taken
                short -= taken
    return proposed


def exchange(
    session: Session, needs: Sequence[Need], wanted: Sequence[dict[int, int]], *, now: datetime
) -> list[list[Reservation]]:
    """Let the holds of every need lie in the wanted stock rows ({row: quantity}) from now on.

    Returns the reservations that had to be made anew because a hold was split, per need. Quantities
    stay what they were: ValueError if a need is wanted in another amount than it holds. Raises
    OutOfStock if a wanted row has not so many free or may not be sold, HoldsMoved if the holds
    changed meanwhile; the caller's transaction then rolls back.
    """
    holds = _open_holds(session, needs)
    change: Counter[int] = Counter()
    for held, rows in zip(holds, wanted, strict=True):
        if sum(hold.quantity for hold in held) != sum(rows.values()) or min(rows.values()) < 1:
            message = f"a need is wanted as {rows}, another amount than it holds"
            raise ValueError(message)
        change.update(rows)
        for hold in held:
            change[hold.stock_id] -= hold.quantity
    _move_rows(session, change, now=now)
    made = [_repoint(session, held, dict(rows)) for held, rows in zip(holds, wanted, strict=True)]
    session.add_all(hold for new in made for hold in new)
    session.flush()  # gives the reservations their ids
    return made


def _open_holds(session: Session, needs: Sequence[Need]) -> list[list[Reservation]]:
    number_of = {hold: number for number, need in enumerate(needs) for hold in need.holds}
    found: list[list[Reservation]] = [[] for _need in needs]
    for hold in session.scalars(
        select(Reservation)
        .where(Reservation.id.in_(number_of), Reservation.state.in_(OPEN))
        .order_by(Reservation.id)
        .execution_options(populate_existing=True)
    ):
        found[number_of[hold.id]].append(hold)
    return found


def _move_rows(session: Session, change: Counter[int], *, now: datetime) -> None:
    """Reserve more or less of every row, in ascending id; a row that may not be sold takes none."""
    may_be_sold = (
        select(StockItem.id)
        .outerjoin(Lot, Lot.id == StockItem.lot_id)
        .where(sellable_rows(vietnam_day(now)))
    )
    for stock_id, more in sorted(change.items()):
        if more == 0:
            continue
        moved = update(StockItem).where(StockItem.id == stock_id)
        if more > 0:
            moved = moved.where(
                StockItem.on_hand - StockItem.reserved >= more, StockItem.id.in_(may_be_sold)
            )
        if _write(session, moved.values(reserved=StockItem.reserved + more)) == 0:
            item = session.get_one(StockItem, stock_id, populate_existing=True)
            raise OutOfStock(item.variant_id, item.on_hand - item.reserved)


def _repoint(
    session: Session, held: Sequence[Reservation], missing: dict[int, int]
) -> list[Reservation]:
    """Point holds to the rows that miss them, splitting where one hold serves two rows."""
    stays: dict[int, int] = {}
    for hold in held:
        stays[hold.id] = min(hold.quantity, missing.get(hold.stock_id, 0))
        missing[hold.stock_id] = missing.get(hold.stock_id, 0) - stays[hold.id]
    short = [[row, quantity] for row, quantity in sorted(missing.items()) if quantity]
    made = []
    for hold in held:
        before = (hold.stock_id, hold.quantity)
        row, quantity = before[0], stays[hold.id]
        leaving = hold.quantity - quantity
        while leaving:
            target = short[0]
            part = min(leaving, target[1])
            leaving -= part
            target[1] -= part
            if quantity == 0:
                row, quantity = target[0], part
            else:
                made.append(_split_off(hold, target[0], part))
            if target[1] == 0:
                short.pop(0)
        if (row, quantity) != before:
            _rewrite(session, hold, row, quantity)
    return made


def _split_off(hold: Reservation, stock_id: int, quantity: int) -> Reservation:
    return Reservation(
        stock_id=stock_id,
        quantity=quantity,
        state=hold.state,
        created_at=hold.created_at,
        expires_at=hold.expires_at,
    )


def _rewrite(session: Session, hold: Reservation, stock_id: int, quantity: int) -> None:
    as_read = (
        Reservation.id == hold.id,
        Reservation.state == hold.state,
        Reservation.stock_id == hold.stock_id,
        Reservation.quantity == hold.quantity,
    )
    moved = update(Reservation).where(*as_read).values(stock_id=stock_id, quantity=quantity)
    if _write(session, moved) == 0:
        raise HoldsMoved(_("The goods were moved by someone else just now. Look again."))
    session.expire(hold)


def _write(session: Session, statement: Update) -> int:
    statement = statement.execution_options(synchronize_session=False)
    return cast("CursorResult[Any]", session.execute(statement)).rowcount
