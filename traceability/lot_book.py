"""A producer's book of lots: opening a lot puts its goods on the shelf and gives it its code."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, record
from catalog import lots, stock
from catalog.lots import BadLotDates, Lot
from catalog.products import Product
from catalog.variants import Variant
from core.clock import vietnam_day
from core.errors import Invalid, NotFound
from core.i18n import lazy as _
from traceability import trace_codes
from traceability.diary import Step

describe(
    {
        "lot.open": _("opened a lot"),
        "lot.write_days": _("wrote the days of a lot"),
    }
)

LOTS_A_PAGE = 30
DOUBLE_TAP = timedelta(minutes=1)


class NoSuchLot(NotFound):
    """There is no such lot, or it is another producer's."""


class NoSuchGoods(Invalid):
    """The producer does not make these goods."""


@dataclass(frozen=True, slots=True)
class Line:
    """One lot as the book lists it."""

    lot: Lot
    product: Product
    variant: Variant
    steps: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A lot with what it is of."""

    lot: Lot
    product: Product
    variant: Variant


def list_lots(
    session: Session, producer_id: int, *, before_id: int | None = None
) -> tuple[list[Line], int | None]:
    """Return a page of the producer's lots, newest first, and the mark of the next page, if any."""
    steps = (
        select(func.count(Step.id)).where(Step.lot_id == Lot.id).correlate(Lot).scalar_subquery()
    )
    wanted = (
        select(Lot, Product, Variant, steps)
        .join(Variant, Variant.id == Lot.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(Product.producer_id == producer_id)
        .order_by(Lot.id.desc())
        .limit(LOTS_A_PAGE + 1)
    )
    if before_id is not None:
        wanted = wanted.where(Lot.id < before_id)
    lines = [Line(*row) for row in session.execute(wanted)]
    following = lines[LOTS_A_PAGE - 1].lot.id if len(lines) > LOTS_A_PAGE else None
    return lines[:LOTS_A_PAGE], following


def list_goods(session: Session, producer_id: int) -> list[tuple[Variant, Product]]:
    """Return what the producer can open a lot of, by name."""
    rows = session.execute(
        select(Variant, Product)
        .join(Product, Product.id == Variant.product_id)
        .where(Product.producer_id == producer_id)
        .order_by(Product.name_lower, Variant.position, Variant.id)
    )
    return [(variant, product) for variant, product in rows]


def get_lot(session: Session, lot_id: int, producer_id: int) -> Opened:
    """Return a lot of this producer, or raise NoSuchLot."""
    row = session.execute(
        select(Lot, Product, Variant)
        .join(Variant, Variant.id == Lot.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(Lot.id == lot_id, Product.producer_id == producer_id)
    ).one_or_none()
    if row is None:
        raise NoSuchLot
    return Opened(*row)


def open_lot(
    session: Session,
    producer_id: int,
    *,
    variant_id: int | None,
    code: str,
    produced_on: date | None,
    expires_on: date | None,
    quantity: int,
    actor: Actor,
    now: datetime,
    is_sample: bool = False,
) -> Lot:
    """Open a lot of the producer's goods: in the book, on the shelf and with its public code.

    An empty `code` gets the next free one; the same form sent again within a minute gives the lot
    of the first time, so that a double tap never doubles the stock. Raises NoSuchGoods and what
    `lots.open_lot` raises; nothing is kept then.
    """
    variant = session.scalar(
        select(Variant)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.id == variant_id, Product.producer_id == producer_id)
    )
    if variant is None:
        raise NoSuchGoods(_("Choose what this lot is of."), field="variant_id")
    if not code:
        twin = _just_opened(session, variant.id, produced_on, expires_on, quantity, now=now)
        if twin is not None:
            return twin
    made_on = produced_on or vietnam_day(now)
    lot = lots.open_lot(
        session,
        variant.id,
        code=code or lots.suggest_code(session, variant.id, variant.sku, made_on=made_on),
        produced_on=produced_on,
        expires_on=expires_on,
        quantity=quantity,
        now=now,
        is_sample=is_sample,
    )
    item = stock.item_for(session, variant.id, lot.id)
    stock.move(
        session,
        item,
        quantity,
        why=stock.Why.RECEIVED,
        now=now,
        actor_id=actor.user_id,
        note=lot.code,
        is_sample=is_sample,
    )
    trace_codes.ensure_lot_code(session, lot, now=now)
    record(session, actor, "lot.open", f"lot:{lot.id}", now=now, code=lot.code, quantity=quantity)
    return lot


def write_days(
    session: Session,
    lot: Lot,
    *,
    produced_on: date | None,
    expires_on: date | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Write the days that the lot still lacks; a day that stands, and may be printed, stays.

    Raises BadLotDates.
    """
    made, until = lot.produced_on or produced_on, lot.expires_on or expires_on
    if made and until and until < made:
        message = _("The expiry date lies before the day of making.")
        raise BadLotDates(message, field="expires_on" if lot.expires_on is None else "produced_on")
    changed = session.scalar(
        update(Lot)
        .where(Lot.id == lot.id)
        .values(
            produced_on=func.coalesce(Lot.produced_on, produced_on),
            expires_on=func.coalesce(Lot.expires_on, expires_on),
        )
        .where(Lot.produced_on.is_(None) | Lot.expires_on.is_(None))
        .returning(Lot.id)
    )
    if changed is not None:
        record(session, actor, "lot.write_days", f"lot:{lot.id}", now=now, code=lot.code)


def _just_opened(
    session: Session,
    variant_id: int,
    produced_on: date | None,
    expires_on: date | None,
    quantity: int,
    *,
    now: datetime,
) -> Lot | None:
    return session.scalar(
        select(Lot)
        .where(
            Lot.variant_id == variant_id,
            Lot.produced_on.is_not_distinct_from(produced_on),
            Lot.expires_on.is_not_distinct_from(expires_on),
            Lot.quantity == quantity,
            Lot.created_at > now - DOUBLE_TAP,
        )
        .order_by(Lot.id.desc())
        .limit(1)
    )
