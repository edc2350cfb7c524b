"""Stock per variant and lot: counted by movements, held by reservations, never sold twice.

`on_hand` is the sum of movements, `reserved` the sum of reservations that are held or committed.
Both columns move only by conditional UPDATEs; the CHECK beneath is the last word.
"""

import enum
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import (
    CheckConstraint,
    CursorResult,
    ForeignKey,
    Index,
    Update,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog.arrivals import GoodsArrived
from catalog.lots import Lot, LotState
from core import events
from core.clock import vietnam_day
from core.db import Base, word
from core.errors import Conflict, Invalid
from core.i18n import lazy as _

PLANS = 3


class HoldState(enum.StrEnum):
    """A reservation ends exactly once: consumed, released or expired."""

    HELD = "held"
    COMMITTED = "committed"
    CONSUMED = "consumed"
    RELEASED = "released"
    EXPIRED = "expired"


OPEN = (HoldState.HELD, HoldState.COMMITTED)


class Why(enum.StrEnum):
    """Why stock moved."""

    RECEIVED = "received"
    LOSS = "loss"
    COUNTED = "counted"
    SHIPPED = "shipped"
    RETURNED = "returned"


class OutOfStock(Conflict):
    """Fewer are left than were asked for."""

    def __init__(self, variant_id: int, left: int) -> None:
        super().__init__(_("Only %(left)s left.", left=left))
        self.variant_id = variant_id
        self.left = left


class StockChangedMeanwhile(Conflict):
    """Someone sold or counted in between; the number on the screen is no longer true."""

    def __init__(self, expected: int, actual: int) -> None:
        said = _(
            "The screen said %(expected)s, but there are %(actual)s now. Count again.",
            expected=expected,
            actual=actual,
        )
        super().__init__(said)


class NotEnoughOnHand(Invalid):
    """More would be taken away than lies free on the shelf."""


class StockItem(Base):
    """What is on hand and reserved of one variant in one lot (or in none)."""

    __tablename__ = "stock_item"
    __table_args__ = (
        CheckConstraint("0 <= reserved AND reserved <= on_hand", name="never_oversold"),
        Index("uq_stock_item_variant_lot", "variant_id", "lot_id", unique=True),
        # NULL lots are all different to a unique index, so the lot-less row needs one of its own.
        Index(
            "uq_stock_item_no_lot",
            "variant_id",
            unique=True,
            sqlite_where=text("lot_id IS NULL"),
            postgresql_where=text("lot_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"), index=True)
    on_hand: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)


class StockMovement(Base):
    """One change of what is on hand; rows are added, never changed."""

    __tablename__ = "stock_movement"

    id: Mapped[int] = mapped_column(primary_key=True)
    stock_id: Mapped[int] = mapped_column(ForeignKey("stock_item.id"), index=True)
    delta: Mapped[int]
    why: Mapped[Why] = mapped_column(word(Why))
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    note: Mapped[str | None]
    is_sample: Mapped[bool] = mapped_column(default=False)


class Reservation(Base):
    """So many of one stock row, set aside for an order line or a live claim."""

    __tablename__ = "reservation"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="some"),
        Index("ix_reservation_expiry", "state", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    stock_id: Mapped[int] = mapped_column(ForeignKey("stock_item.id"), index=True)
    quantity: Mapped[int]
    state: Mapped[HoldState] = mapped_column(word(HoldState), default=HoldState.HELD)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many of a variant, from one lot if the buyer chose it."""

    variant_id: int
    quantity: int
    lot_id: int | None = None


def sellable_rows(today: date) -> Any:
    """Return the condition under which a stock row (outer-joined to its lot) may be sold."""
    return or_(
        StockItem.lot_id.is_(None),
        (Lot.state == LotState.ACTIVE) & or_(Lot.expires_on.is_(None), Lot.expires_on > today),
    )


def free_of_variants(
    session: Session, variant_ids: Iterable[int], *, now: datetime
) -> dict[int, int]:
    """Return how many of each variant can be sold right now; 0 for those without stock."""
    wanted = list(variant_ids)
    rows = session.execute(
        select(StockItem.variant_id, func.sum(StockItem.on_hand - StockItem.reserved))
        .outerjoin(Lot, Lot.id == StockItem.lot_id)
        .where(StockItem.variant_id.in_(wanted), sellable_rows(vietnam_day(now)))
        .group_by(StockItem.variant_id)
    )
    return {**dict.fromkeys(wanted, 0), **{variant: int(free) for variant, free in rows}}


def reserve(
    session: Session, wanted: list[Wanted], *, now: datetime, expires_at: datetime | None
) -> list[list[Reservation]]:
    """Set aside every wanted quantity, first-expiring lots first, or raise OutOfStock.

    What is held until `expires_at` is ended by a timer; without it, it is committed at once.
    Returns the reservations of each wanted line, in order. Stock rows are taken in ascending id,
    so that two carts with the same goods cannot wait for each other; the caller's transaction
    rolls back on OutOfStock and nothing is held.
    """
    missing = [line.quantity for line in wanted]
    taken: list[list[Reservation]] = [[] for _line in wanted]
    for _plan in range(PLANS):
        for stock_id, line_no, quantity in sorted(_plan_rows(session, wanted, missing, now)):
            if _take(session, stock_id, quantity):
                missing[line_no] -= quantity
                taken[line_no].append(
                    Reservation(
                        stock_id=stock_id,
                        quantity=quantity,
                        state=HoldState.COMMITTED if expires_at is None else HoldState.HELD,
                        created_at=now,
                        expires_at=expires_at,
                    )
                )
        if not any(missing):
            break
    for line, short in zip(wanted, missing, strict=True):
        if short:
            raise OutOfStock(line.variant_id, max(0, line.quantity - short))
    session.add_all(hold for holds in taken for hold in holds)
    session.flush()  # gives the reservations their ids
    return taken


def _plan_rows(
    session: Session, wanted: list[Wanted], missing: list[int], now: datetime
) -> list[tuple[int, int, int]]:
    """Return (stock row, line, quantity) from what is free at this moment.

    Every row that could serve is locked first, in ascending id: who finds one sold out and takes
    another must not come back to a lower row while somebody there waits for this one.
    """
    today = vietnam_day(now)
    found = session.execute(
        select(
            StockItem.id,
            StockItem.variant_id,
            StockItem.lot_id,
            StockItem.on_hand - StockItem.reserved,
            Lot.expires_on,
        )
        .outerjoin(Lot, Lot.id == StockItem.lot_id)
        .where(StockItem.variant_id.in_({line.variant_id for line in wanted}), sellable_rows(today))
        .order_by(StockItem.id)
        .with_for_update(key_share=True, of=StockItem)
    ).all()
    rows = sorted(found, key=lambda row: (row.expires_on or date.max, row.id))
    free = {row.id: int(row[3]) for row in rows}
    rows_of: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        rows_of[row.variant_id].append(row)
    plan = []
    # Who chose a lot comes first: others can be served from any.
    for line_no, line in sorted(enumerate(wanted), key=lambda one: one[1].lot_id is None):
        short = missing[line_no]
        for row in rows_of[line.variant_id]:
            if line.lot_id is not None and row.lot_id != line.lot_id:
                continue
            quantity = min(short, free[row.id])
            if quantity > 0:
                plan.append((row.id, line_no, quantity))
                free[row.id] -= quantity
                short -= quantity
    return plan


def _take(session: Session, stock_id: int, quantity: int) -> bool:
    """Reserve from one row if so many are free, in one statement."""
    free = StockItem.on_hand - StockItem.reserved
    taken = update(StockItem).values(reserved=StockItem.reserved + quantity)
    return _write(session, taken.where(StockItem.id == stock_id, free >= quantity)) == 1


def lock_rows(session: Session, variant_ids: Iterable[int]) -> None:
    """Let one transaction at a time move these goods; rows are locked in the order of carts."""
    session.execute(
        select(StockItem.id)
        .where(StockItem.variant_id.in_(list(variant_ids)))
        .order_by(StockItem.id)
        .with_for_update(key_share=True)
    )


def commit_holds(session: Session, reservation_ids: Iterable[int]) -> int:
    """Turn held reservations into committed ones, which no timer may end; return how many."""
    return _write(
        session,
        update(Reservation)
        .where(Reservation.id.in_(list(reservation_ids)), Reservation.state == HoldState.HELD)
        .values(state=HoldState.COMMITTED, expires_at=None),
    )


def release(
    session: Session, reservation_ids: Iterable[int], *, as_state: HoldState = HoldState.RELEASED
) -> int:
    """Give open reservations back to the shelf, each exactly once; return how many ended now."""
    ended = 0
    for reservation in _by_stock_row(session, reservation_ids):
        if _end(session, reservation.id, as_state):
            _give_back(session, reservation.stock_id, reservation.quantity)
            ended += 1
    return ended


def release_some(session: Session, reservation_ids: Iterable[int], quantity: int) -> int:
    """Give so many of open reservations back to the shelf and keep the rest; return how many."""
    left = quantity
    for reservation in _by_stock_row(session, reservation_ids):
        if reservation.quantity <= left:
            left -= reservation.quantity * release(session, [reservation.id])
        elif left:
            changed = _write(
                session,
                update(Reservation)
                .where(Reservation.id == reservation.id, Reservation.state.in_(OPEN))
                .where(Reservation.quantity > left)
                .values(quantity=Reservation.quantity - left),
            )
            session.expire(reservation)
            if changed == 1:
                _give_back(session, reservation.stock_id, left)
                left = 0
    return quantity - left


def _give_back(session: Session, stock_id: int, quantity: int) -> None:
    given_back = update(StockItem).values(reserved=StockItem.reserved - quantity)
    _write(session, given_back.where(StockItem.id == stock_id))


def consume(
    session: Session,
    reservation_ids: Iterable[int],
    *,
    now: datetime,
    actor_id: int | None,
    note: str,
) -> int:
    """Let reserved goods leave the house: on hand and reserved shrink together, once."""
    ended = 0
    for reservation in _by_stock_row(session, reservation_ids):
        if _end(session, reservation.id, HoldState.CONSUMED):
            _write(
                session,
                update(StockItem)
                .where(StockItem.id == reservation.stock_id)
                .values(
                    on_hand=StockItem.on_hand - reservation.quantity,
                    reserved=StockItem.reserved - reservation.quantity,
                ),
            )
            session.add(
                StockMovement(
                    stock_id=reservation.stock_id,
                    delta=-reservation.quantity,
                    why=Why.SHIPPED,
                    at=now,
                    actor_id=actor_id,
                    note=note,
                )
            )
            ended += 1
    return ended


def _by_stock_row(session: Session, reservation_ids: Iterable[int]) -> list[Reservation]:
    wanted = select(Reservation).where(Reservation.id.in_(list(reservation_ids)))
    return list(session.scalars(wanted.order_by(Reservation.stock_id, Reservation.id)))


def _end(session: Session, reservation_id: int, state: HoldState) -> bool:
    still_open = (Reservation.id == reservation_id) & Reservation.state.in_(OPEN)
    return _write(session, update(Reservation).where(still_open).values(state=state)) == 1


def item_for(session: Session, variant_id: int, lot_id: int | None) -> StockItem:
    """Return the stock row of a variant in a lot, making an empty one the first time."""
    lot_matches = StockItem.lot_id.is_(None) if lot_id is None else StockItem.lot_id == lot_id
    item = session.scalar(select(StockItem).where(StockItem.variant_id == variant_id, lot_matches))
    if item is None:
        item = StockItem(variant_id=variant_id, lot_id=lot_id, on_hand=0, reserved=0)
        session.add(item)
        session.flush()  # gives the row its id
    return item


def move(
    session: Session,
    item: StockItem,
    delta: int,
    *,
    why: Why,
    now: datetime,
    actor_id: int | None,
    note: str | None = None,
    is_sample: bool = False,
) -> None:
    """Add `delta` (negative: take away) to what is on hand, or raise NotEnoughOnHand."""
    changed = _write(
        session,
        update(StockItem)
        .where(StockItem.id == item.id, StockItem.on_hand + delta >= StockItem.reserved)
        .values(on_hand=StockItem.on_hand + delta),
    )
    if changed == 0:
        raise NotEnoughOnHand(
            _("So many cannot be taken away: the rest is reserved for orders."), field="delta"
        )
    session.add(
        StockMovement(
            stock_id=item.id,
            delta=delta,
            why=why,
            at=now,
            actor_id=actor_id,
            note=note,
            is_sample=is_sample,
        )
    )
    session.expire(item)
    if why is Why.RECEIVED and delta > 0:
        events.publish(session, GoodsArrived(item.variant_id, now))


def count(
    session: Session,
    item: StockItem,
    counted: int,
    *,
    expected_before: int,
    now: datetime,
    actor_id: int | None,
) -> None:
    """Set what is on hand to `counted`, if it still is what the screen showed; else refuse."""
    changed = _write(
        session,
        update(StockItem)
        .where(
            StockItem.id == item.id,
            StockItem.on_hand == expected_before,
            StockItem.reserved <= counted,
        )
        .values(on_hand=counted),
    )
    session.expire(item)
    if changed == 0:
        raise StockChangedMeanwhile(expected_before, item.on_hand)
    session.add(
        StockMovement(
            stock_id=item.id,
            delta=counted - expected_before,
            why=Why.COUNTED,
            at=now,
            actor_id=actor_id,
        )
    )


def _write(session: Session, statement: Update) -> int:
    """Change rows in one statement; return how many."""
    statement = statement.execution_options(synchronize_session=False)
    return cast("CursorResult[Any]", session.execute(statement)).rowcount
