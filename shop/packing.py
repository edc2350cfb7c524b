"""Packing: from which lots a parcel's goods are taken, proposed by date, decided by hand.

Every line holds goods of certain lots from the moment it was ordered. The packer sees them, takes
another lot if that is the one in hand, and says that the parcel is ready; the lines keep the lots
that were held then.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, record
from catalog import picking
from catalog.lots import Lot
from catalog.picking import Need, Pick
from catalog.stock import OPEN, OutOfStock, Reservation
from core.errors import Invalid
from core.i18n import lazy as _
from shop import moves, orders
from shop.moves import TooLate
from shop.order_states import SellerOrderState
from shop.orders import LineHold, Order, OrderLine, SellerOrder
from traceability import scanned

describe({"order.change_lot": _("took goods of another lot")})

PACKABLE = frozenset({SellerOrderState.PREPARING, SellerOrderState.READY})


class WrongLot(Invalid):
    """The lot in hand is none of these goods, may not be sold, or has not so many free."""


@dataclass(frozen=True, slots=True)
class PackLine:
    """One line on the packer's page: what it holds, and what its dates would have it take."""

    line: OrderLine
    held: list[Pick]
    stopped: frozenset[str]
    proposed: list[Pick]

    @property
    def by_lots(self) -> bool:
        """Say whether these goods are kept by lots at all."""
        return any(pick.code for pick in (*self.held, *self.proposed))

    @property
    def short(self) -> int:
        """Return how many pieces no lot that may be sold can give now."""
        return self.line.wanted - sum(pick.quantity for pick in self.proposed)

    @property
    def better(self) -> bool:
        """Say whether another choice of lots is due: an earlier one is free, or one was stopped."""
        return not self.short and _amounts(self.held) != _amounts(self.proposed)


@dataclass(frozen=True, slots=True)
class InHand:
    """What the packer holds for one line: so many of the lot that was typed or scanned."""

    line_id: int
    code: str
    quantity: int | None = None


def list_lines(session: Session, part: SellerOrder, *, now: datetime) -> list[PackLine]:
    """Return what is to be packed, line by line, with the lots to take."""
    lines = [line for line in orders.list_lines(session, [part.id]) if line.wanted]
    needs = _needs(session, lines)
    held = orders.lots_of_lines(session, [line.id for line in lines])
    proposed = picking.propose(session, needs, now=now)
    shelves = picking.list_shelves(session, {line.variant_id for line in lines}, now=now)
    sellable = {pick.stock_id for shelf in shelves.values() for pick in shelf}
    return [
        PackLine(
            line,
            held[line.id],
            frozenset(p.code for p in held[line.id] if p.code and p.stock_id not in sellable),
            picks,
        )
        for line, picks in zip(lines, proposed, strict=True)
    ]


def take_in_hand(
    session: Session,
    order: Order,
    part: SellerOrder,
    taken: Sequence[InHand],
    *,
    actor: Actor,
    now: datetime,
) -> list[str]:
    """Let the lines hold goods of the lots in hand from now on; return the lots' codes.

    Without a quantity the whole line comes from that lot. Raises WrongLot naming the field, and
    TooLate once the parcel has left; nothing changes then.
    """
    moves.lock(session, order.id)
    _refuse_unless_packable(part)
    lines = {line.id: line for line in orders.list_lines(session, [part.id]) if line.wanted}
    held = orders.lots_of_lines(session, lines)
    shelves = picking.list_shelves(session, {line.variant_id for line in lines.values()}, now=now)
    wanted: dict[int, Counter[int]] = {}
    codes = []
    for one in taken:
        line = lines.get(one.line_id)
        if line is None:
            raise TooLate(_("This order has moved on meanwhile. Look at it again."))
        code = scanned.lot_code_of(session, one.code)
        row = next((row for row in shelves[line.variant_id] if row.code == code), None)
        if row is None:
            raise WrongLot(_why_not(session, line, code), field=f"lot-{line.id}")
        quantity = line.wanted if one.quantity is None else one.quantity
        if not 0 < quantity <= line.wanted:
            raise WrongLot(
                _("Write a number from 1 to %(most)s.", most=line.wanted), field=f"so-{line.id}"
            )
        rows = wanted.setdefault(line.id, _amounts(held[line.id]))
        _put_first(rows, row.stock_id, quantity)
        codes.append(code)
    _exchange(session, order, [lines[number] for number in wanted], wanted, actor=actor, now=now)
    return codes


def take_proposed(
    session: Session, order: Order, part: SellerOrder, *, actor: Actor, now: datetime
) -> None:
    """Let every line hold goods of the lots that expire first.

    A line that the lots which may be sold cannot cover is left as it is. Raises TooLate.
    """
    moves.lock(session, order.id)
    _refuse_unless_packable(part)
    better = {
        one.line.id: (one.line, _amounts(one.proposed))
        for one in list_lines(session, part, now=now)
        if one.better
    }
    _exchange(
        session,
        order,
        [line for line, _rows in better.values()],
        {number: rows for number, (_line, rows) in better.items()},
        actor=actor,
        now=now,
    )


def lots_told(session: Session, part: SellerOrder) -> dict[str, int]:
    """Return how many of which lot the parcel holds, as its history tells it."""
    line_ids = [line.id for line in orders.list_lines(session, [part.id])]
    told: Counter[str] = Counter()
    for picks in orders.lots_of_lines(session, line_ids).values():
        told.update({pick.code: pick.quantity for pick in picks if pick.code})
    return dict(told)


def _needs(session: Session, lines: Sequence[OrderLine]) -> list[Need]:
    holds: dict[int, list[int]] = {line.id: [] for line in lines}
    for line_id, reservation_id in session.execute(
        select(LineHold.line_id, LineHold.reservation_id)
        .join(Reservation, Reservation.id == LineHold.reservation_id)
        .where(LineHold.line_id.in_(holds), Reservation.state.in_(OPEN))
        .order_by(LineHold.reservation_id)
    ):
        holds[line_id].append(reservation_id)
    return [Need(line.variant_id, tuple(holds[line.id]), line.lot_id) for line in lines]


def _exchange(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    wanted: Mapping[int, Counter[int]],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    held = orders.lots_of_lines(session, [line.id for line in lines])
    changed = [line for line in lines if _amounts(held[line.id]) != wanted[line.id]]
    if not changed:
        return
    needs = _needs(session, changed)
    rows = [dict(wanted[line.id]) for line in changed]
    try:
        made = picking.exchange(session, needs, rows, now=now)
    except OutOfStock as refusal:
        field = next(line.id for line in changed if line.variant_id == refusal.variant_id)
        raise WrongLot(
            _("Only %(left)s of this lot are free.", left=refusal.left), field=f"lot-{field}"
        ) from refusal
    session.add_all(
        LineHold(reservation_id=hold.id, line_id=line.id)
        for line, holds in zip(changed, made, strict=True)
        for hold in holds
    )
    session.flush()
    record(session, actor, "order.change_lot", f"order:{order.code}", now=now, order=order.code)


def _refuse_unless_packable(part: SellerOrder) -> None:
    if part.state not in PACKABLE:
        raise TooLate(_("This order has moved on meanwhile. Look at it again."))


def _amounts(picks: Sequence[Pick]) -> Counter[int]:
    amounts: Counter[int] = Counter()
    for pick in picks:
        amounts[pick.stock_id] += pick.quantity
    return amounts


def _put_first(rows: Counter[int], stock_id: int, quantity: int) -> None:
    """Let at least `quantity` lie in this row, taken from the others, the fullest first."""
    for row in sorted((row for row in rows if row != stock_id), key=lambda row: -rows[row]):
        given = min(rows[row], max(0, quantity - rows[stock_id]))
        rows[row] -= given
        rows[stock_id] += given
    for row in [row for row, left in rows.items() if left == 0]:
        del rows[row]


def _why_not(session: Session, line: OrderLine, code: str) -> object:
    known = session.scalar(
        select(Lot.id).where(Lot.variant_id == line.variant_id, Lot.code == code)
    )
    if known is None:
        return _("There is no lot %(code)s of these goods.", code=code)
    return _("Lot %(code)s was stopped or has expired. Take another one.", code=code)
