"""What lies in a producer's store, and how it got there: for the desk, lot by lot."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, record
from accounts.users import User
from catalog import stock
from catalog.lots import Lot, LotState
from catalog.products import Product, ProductState
from catalog.stock import StockItem, StockMovement, Why
from catalog.variants import Variant
from core.errors import Invalid, NotFound
from core.i18n import lazy as _
from core.text import clean

MOST_AT_ONCE = 1_000_000
LONGEST_NOTE = 200

describe(
    {
        "stock.received": _("wrote down goods that came in"),
        "stock.lost": _("wrote down goods that were lost"),
        "stock.counted": _("counted the store"),
    }
)


class NoSuchShelf(NotFound):
    """These goods have no such lot in the store."""


class BadCount(Invalid):
    """Stock is a whole number of pieces."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What lies there of one variant in one lot, or in none."""

    item_id: int | None
    lot_id: int | None
    lot_code: str | None
    lot_state: LotState | None
    expires_on: date | None
    on_hand: int
    reserved: int

    @property
    def free(self) -> int:
        """Return what is promised to nobody."""
        return self.on_hand - self.reserved

    def is_sold(self, today: date) -> bool:
        """Say whether the lot may be sold on this day."""
        if self.lot_state not in {None, LotState.ACTIVE}:
            return False
        return self.expires_on is None or self.expires_on > today


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the history, with what was there after it."""

    at: datetime
    delta: int
    after: int
    why: Why
    lot_code: str | None
    who: str | None
    note: str | None
    is_sample: bool


@dataclass(frozen=True, slots=True)
class Goods:
    """One variant with what there is of it."""

    variant: Variant
    product: Product
    on_hand: int
    free: int


def list_goods(session: Session, producer_id: int, *, after: int, limit: int) -> list[Goods]:
    """Return the producer's variants by id with what lies there, those off the shelf left out."""
    rows = session.execute(
        select(Variant, Product)
        .join(Product, Product.id == Variant.product_id)
        .where(
            Product.producer_id == producer_id,
            Variant.id > after,
            Product.state != ProductState.WITHDRAWN,
        )
        .order_by(Variant.id)
        .limit(limit)
    ).all()
    ids = [variant.id for variant, _product in rows]
    hands: dict[int, tuple[int, int]] = {}
    for variant_id, on_hand, reserved in session.execute(
        select(StockItem.variant_id, StockItem.on_hand, StockItem.reserved).where(
            StockItem.variant_id.in_(ids)
        )
    ):
        before = hands.get(variant_id, (0, 0))
        hands[variant_id] = (before[0] + on_hand, before[1] + on_hand - reserved)
    return [Goods(variant, product, *hands.get(variant.id, (0, 0))) for variant, product in rows]


def on_hand_of(session: Session, variant_ids: Collection[int]) -> dict[int, int]:
    """Return how many pieces lie there of each variant, promised ones counted; in one question."""
    rows = session.execute(
        select(StockItem.variant_id, func.sum(StockItem.on_hand))
        .where(StockItem.variant_id.in_(variant_ids))
        .group_by(StockItem.variant_id)
    )
    return {variant_id: int(pieces) for variant_id, pieces in rows}


def list_shelves(session: Session, variant_id: int) -> list[Shelf]:
    """Return every lot of the variant and what lies there of it; first what is in no lot."""
    rows = session.execute(
        select(StockItem, Lot.id, Lot.code, Lot.state, Lot.expires_on)
        .outerjoin(Lot, Lot.id == StockItem.lot_id)
        .where(StockItem.variant_id == variant_id)
        .order_by(StockItem.lot_id.is_not(None), Lot.expires_on, StockItem.id)
    )
    shelves = [
        Shelf(item.id, lot_id, code, state, expires_on, item.on_hand, item.reserved)
        for item, lot_id, code, state, expires_on in rows
    ]
    if all(shelf.lot_id is not None for shelf in shelves):
        shelves.insert(0, Shelf(None, None, None, None, None, 0, 0))
    return shelves


def list_changes(session: Session, variant_id: int, *, limit: int) -> list[Change]:
    """Return the newest changes of what lies there, each with what there was in its lot after."""
    rows = session.execute(
        select(StockMovement, StockItem, Lot.code, User.name)
        .join(StockItem, StockItem.id == StockMovement.stock_id)
        .outerjoin(Lot, Lot.id == StockItem.lot_id)
        .outerjoin(User, User.id == StockMovement.actor_id)
        .where(StockItem.variant_id == variant_id)
        .order_by(StockMovement.id.desc())
        .limit(limit)
    )
    left: dict[int, int] = {}
    changes = []
    for movement, item, code, who in rows:
        after = left.get(item.id, item.on_hand)
        left[item.id] = after - movement.delta
        changes.append(
            Change(movement.at, movement.delta, after, movement.why, code, who, movement.note,
                   movement.is_sample)
        )  # fmt: skip
    return changes


def receive(
    session: Session, variant: Variant, lot_id: int | None, typed: str, note: str, *,
    actor: Actor, now: datetime,
) -> int:  # fmt: skip
    """Add so many to what lies there; return how many. Raises BadCount."""
    return _move(
        session, variant, lot_id, typed, note, Why.RECEIVED, "stock.received", actor=actor, now=now
    )


def lose(
    session: Session, variant: Variant, lot_id: int | None, typed: str, note: str, *,
    actor: Actor, now: datetime,
) -> int:  # fmt: skip
    """Take so many away that broke, spoiled or were eaten; return how many.

    Raises BadCount, or NotEnoughOnHand where the rest is promised.
    """
    return _move(
        session, variant, lot_id, typed, note, Why.LOSS, "stock.lost", actor=actor, now=now
    )


def count(
    session: Session, variant: Variant, lot_id: int | None, typed: str, *,
    expected_before: int, actor: Actor, now: datetime,
) -> None:  # fmt: skip
    """Say how many lie there by hand; raises BadCount, StockChangedMeanwhile."""
    counted = _whole(typed, "counted", least=0)
    item = _item(session, variant, lot_id)
    stock.count(
        session, item, counted, expected_before=expected_before, now=now, actor_id=actor.user_id
    )
    _record(session, "stock.counted", variant, lot_id, counted, actor=actor, now=now)


def _move(
    session: Session, variant: Variant, lot_id: int | None, typed: str, note: str, why: Why,
    verb: str, *, actor: Actor, now: datetime,
) -> int:  # fmt: skip
    pieces = _whole(typed, "pieces", least=1)
    words = clean(note)
    if len(words) > LONGEST_NOTE:
        raise BadCount(_("Write at most %(most)s letters.", most=LONGEST_NOTE), field="note")
    item = _item(session, variant, lot_id)
    delta = pieces if why is Why.RECEIVED else -pieces
    stock.move(session, item, delta, why=why, now=now, actor_id=actor.user_id, note=words or None)
    _record(session, verb, variant, lot_id, pieces, actor=actor, now=now)
    return pieces


def _item(session: Session, variant: Variant, lot_id: int | None) -> StockItem:
    if lot_id is not None:
        lot = session.get(Lot, lot_id)
        if lot is None or lot.variant_id != variant.id:
            raise NoSuchShelf(_("There is no such lot of these goods."))
    return stock.item_for(session, variant.id, lot_id)


def _whole(typed: str, field: str, *, least: int) -> int:
    digits = clean(typed).lstrip("+-−").replace(".", "").strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):  # noqa: PLR2004
        raise BadCount(_("Write how many pieces as a number, for example 20."), field=field)
    if not least <= int(digits) <= MOST_AT_ONCE:
        raise BadCount(
            _("Write a whole number from %(least)s to %(most)s.", least=least, most=MOST_AT_ONCE),
            field=field,
        )
    return int(digits)


def _record(
    session: Session, verb: str, variant: Variant, lot_id: int | None, pieces: int, *,
    actor: Actor, now: datetime,
) -> None:  # fmt: skip
    subject = f"variant:{variant.id}"
    record(session, actor, verb, subject, now=now, pieces=pieces, lot=lot_id, sku=variant.sku)
