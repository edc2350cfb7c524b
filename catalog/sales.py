"""Prices that change: the seller's own price, and a sale price for a while or for some pieces.

A sale is told with its beginning and end in Vietnam's time. Its pieces are counted by a
conditional UPDATE in the transaction of the order: the last one is sold once.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, ForeignKey, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts import audit
from accounts.audit import Actor
from catalog import alcohol, prices
from catalog.alcohol import NotToBePromoted
from catalog.products import Product
from catalog.variants import NoSuchVariant, Variant, price_at, refresh_list_price
from core.clock import VIETNAM
from core.db import Base, Database
from core.errors import Conflict, Invalid
from core.i18n import lazy as _
from core.money import Money

LONGEST = timedelta(days=90)
DEAREST = Money(1_000_000_000)
MOST_PIECES = 1_000_000
AT_ONCE = 500

audit.describe(
    {
        "price.changed": _("changed a price"),
        "sale.set": _("set a sale price"),
        "sale.stopped": _("ended a sale price"),
    }
)


class BadPrice(Invalid):
    """A price is a whole number of đồng above nothing."""


class BadSale(Invalid):
    """The terms of a sale cannot be right; `field` says which."""


class SaleRuns(Conflict):
    """There is one sale price at a time."""


class Sale(Base):
    """The terms of one sale, as they were set; what is counted stands on the variant."""

    __tablename__ = "sale"

    id: Mapped[int] = mapped_column(primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"), index=True)
    price: Mapped[Money]
    regular: Mapped[Money]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    cap: Mapped[int | None]
    set_at: Mapped[datetime]
    set_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


def get_of_producer(session: Session, variant_id: int, producer_id: int) -> tuple[Variant, Product]:
    """Return a producer's own variant with its product; another's does not exist here."""
    row = session.execute(
        select(Variant, Product)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.id == variant_id, Product.producer_id == producer_id)
    ).one_or_none()
    if row is None:
        raise NoSuchVariant(_("These goods are no longer here."))
    return row[0], row[1]


def list_of_producer(
    session: Session, producer_id: int, *, after: int, limit: int
) -> list[tuple[Variant, Product]]:
    """Return the producer's variants with their products, by id, beyond the id `after`."""
    rows = session.execute(
        select(Variant, Product)
        .join(Product, Product.id == Variant.product_id)
        .where(Product.producer_id == producer_id, Variant.id > after)
        .order_by(Variant.id)
        .limit(limit)
    )
    return [(variant, product) for variant, product in rows]


def list_sales(session: Session, variant_id: int, *, limit: int) -> list[Sale]:
    """Return the newest sales of a variant."""
    return list(
        session.scalars(
            select(Sale).where(Sale.variant_id == variant_id).order_by(Sale.id.desc()).limit(limit)
        )
    )


def change_price(
    session: Session, variant: Variant, price: Money | None, *, actor: Actor, now: datetime
) -> None:
    """Set the regular price (None: not for sale) as the seller's own, no longer a sample.

    A sale price that is no longer below it ends. Raises BadPrice. The same price again changes
    nothing.
    """
    if price is not None and not Money(0) < price <= DEAREST:
        raise BadPrice(_("Write a price of at least 1 ₫."), field="price")
    _lock(session, variant)
    before = variant.price
    if before == price and not variant.price_is_sample:
        return
    if variant.sale_price is not None and (price is None or price <= variant.sale_price):
        _clear(session, variant)
    variant.price, variant.price_is_sample = price, False
    session.flush()
    audit.record(
        session,
        actor,
        "price.changed",
        f"variant:{variant.id}",
        now=now,
        before=before.dong if before else None,
        price=price.dong if price else None,
    )
    _tell(session, variant, now=now)


def set_sale(
    session: Session,
    variant: Variant,
    *,
    price: Money,
    starts_at: datetime | None,
    ends_at: datetime,
    cap: int | None,
    actor: Actor,
    now: datetime,
) -> Sale:
    """Sell the variant at `price` from `starts_at` (None: from now) until `ends_at`.

    With a `cap` the first so many pieces only. Raises BadSale, NotToBePromoted for strong drink, or
    SaleRuns while another one is set. What may be struck through is looked up now, from the month
    before it begins.
    """
    _lock(session, variant)
    if variant.sale_price is not None and variant.sale_until and variant.sale_until > now:
        raise SaleRuns(_("A sale price is set already. End it first."))
    if alcohol.never_promoted_among(session, [variant.product_id]):
        raise NotToBePromoted(
            _("Drink of 15 percent or more, or of undeclared strength, has no sale price.")
        )
    starts_at = max(starts_at or now, now)
    regular = _checked(variant, price, starts_at, ends_at, cap)
    sale = Sale(
        variant_id=variant.id,
        price=price,
        regular=regular,
        starts_at=starts_at,
        ends_at=ends_at,
        cap=cap,
        set_at=now,
        set_by=actor.user_id,
    )
    session.add(sale)
    session.flush()  # gives the sale its id
    variant.sale_id, variant.sale_price = sale.id, price
    variant.sale_from, variant.sale_until = starts_at, ends_at
    variant.sale_cap, variant.sale_sold = cap, 0
    _look_back(session, variant)
    audit.record(
        session,
        actor,
        "sale.set",
        f"variant:{variant.id}",
        now=now,
        price=price.dong,
        until=ends_at.isoformat(),
        pieces=cap,
    )
    _tell(session, variant, now=now)
    return sale


def _checked(
    variant: Variant, price: Money, starts_at: datetime, ends_at: datetime, cap: int | None
) -> Money:
    """Return the regular price the sale is below, or raise BadSale."""
    if variant.price is None or variant.price_is_sample:
        raise BadSale(_("Set the regular price first."), field="price")
    if not Money(0) < price < variant.price:
        raise BadSale(
            _("The sale price must be below the regular one, %(price)s.", price=variant.price),
            field="sale_price",
        )
    if ends_at <= starts_at:
        raise BadSale(_("The end must come after the beginning."), field="until")
    if ends_at - starts_at > LONGEST:
        raise BadSale(_("A sale lasts %(days)s days at most.", days=LONGEST.days), field="until")
    if cap is not None and not 0 < cap <= MOST_PIECES:
        raise BadSale(_("Write how many pieces as a number, for example 20."), field="cap")
    return variant.price


def stop_sale(session: Session, variant: Variant, *, actor: Actor, now: datetime) -> bool:
    """Ask the regular price again from now on; False where no sale price was set."""
    _lock(session, variant)
    if variant.sale_price is None:
        return False
    sold = variant.sale_sold
    _clear(session, variant)
    audit.record(session, actor, "sale.stopped", f"variant:{variant.id}", now=now, sold=sold)
    _tell(session, variant, now=now)
    return True


def take(session: Session, wanted: Mapping[int, int], *, now: datetime) -> int | None:
    """Count so many pieces of each sale (by its id) as sold, all of them or the first refusal.

    Returns the id of a sale that has fewer left or has ended, and None when all were counted; the
    caller's transaction is rolled back on a refusal.
    """
    for variant_id, sale_id in _variants_of(session, wanted):
        quantity = wanted[sale_id]
        counted = (
            update(Variant)
            .where(Variant.id == variant_id, Variant.sale_id == sale_id)
            .where(Variant.sale_price.is_not(None))
            .where(Variant.sale_from <= now, Variant.sale_until > now)
            .where(
                or_(Variant.sale_cap.is_(None), Variant.sale_sold + quantity <= Variant.sale_cap)
            )
            .values(sale_sold=Variant.sale_sold + quantity)
        )
        if _write(session, counted) == 0:
            return sale_id
    return None


def give_back(session: Session, sold: Mapping[int, int]) -> None:
    """Let pieces of orders that ended be sold at their sale's price again, while it lasts."""
    _add(session, {sale_id: -quantity for sale_id, quantity in sold.items()})


def take_again(session: Session, wanted: Mapping[int, int]) -> None:
    """Count pieces of an order that goes on after all: honoured, even if no piece is left."""
    _add(session, wanted)


def _add(session: Session, deltas: Mapping[int, int]) -> None:
    for variant_id, sale_id in _variants_of(session, deltas):
        _write(
            session,
            update(Variant)
            .where(Variant.id == variant_id, Variant.sale_id == sale_id)
            .values(sale_sold=Variant.sale_sold + deltas[sale_id]),
        )


def _variants_of(session: Session, sale_ids: Iterable[int]) -> list[tuple[int, int]]:
    """Return (variant, sale) in the order in which every transaction locks them."""
    rows = session.execute(
        select(Sale.variant_id, Sale.id)
        .where(Sale.id.in_(list(sale_ids)))
        .order_by(Sale.variant_id, Sale.id)
    )
    return [(variant_id, sale_id) for variant_id, sale_id in rows]


def follow_the_clock(database: Database, now: datetime) -> None:
    """Show every sale that begins, ends or is used up in lists; twice or late is safe."""
    after = 0
    while True:
        with database.transaction() as session:
            variants = list(
                session.scalars(
                    select(Variant)
                    .where(Variant.sale_price.is_not(None), Variant.id > after)
                    .order_by(Variant.id)
                    .limit(AT_ONCE)
                )
            )
            known = prices.last_points(session, [variant.id for variant in variants])
            # Declared strong since the sale was set: the law allows it no sales promotion.
            strong = alcohol.never_promoted_among(
                session, {variant.product_id for variant in variants}
            )
            for variant in variants:
                point = known.get(variant.id)
                ended = variant.sale_until is not None and variant.sale_until <= now
                if variant.product_id in strong:
                    _clear(session, variant)
                    _tell(session, variant, now=now)
                elif ended or point is None or point.price != price_at(variant, now):
                    _follow(session, variant, now=now)
        if len(variants) < AT_ONCE:
            return
        after = variants[-1].id


def _follow(session: Session, variant: Variant, *, now: datetime) -> None:
    _lock(session, variant)
    at = now
    if variant.sale_until is not None and variant.sale_until <= now:
        at = variant.sale_until
        _clear(session, variant)
    _tell(session, variant, now=now, at=at)


def _tell(session: Session, variant: Variant, *, now: datetime, at: datetime | None = None) -> None:
    """Keep history and lists right after anything about the price has changed."""
    price = price_at(variant, now)
    last = prices.last_points(session, [variant.id]).get(variant.id)
    if last is None or last.price != price:
        is_sale = price is not None and price != variant.price
        moment = max(at or now, last.at) if last else at or now
        prices.note(session, variant.id, price, at=moment, is_sale=is_sale)
    _look_back(session, variant)
    refresh_list_price(session, variant.product_id, now=now)


def _look_back(session: Session, variant: Variant) -> None:
    """Find what may be struck through beside the sale, from what is known of the month before.

    Looked for again until it begins: the regular price may be lowered, the goods taken down.
    """
    if variant.sale_price is None or variant.sale_from is None:
        return
    live_since = session.scalar(select(Product.live_since).where(Product.id == variant.product_id))
    was = prices.truly_sold_at(session, variant.id, before=variant.sale_from, live_since=live_since)
    variant.sale_was = was if was is not None and was > variant.sale_price else None
    session.flush()


def _lock(session: Session, variant: Variant) -> None:
    """Read the variant as it is now and keep others from changing its price meanwhile."""
    session.flush()
    session.refresh(variant, with_for_update={"key_share": True})


def _clear(session: Session, variant: Variant) -> None:
    variant.sale_price = variant.sale_was = variant.sale_from = variant.sale_until = None
    variant.sale_cap = None
    session.flush()


def _write(session: Session, statement: Any) -> int:
    statement = statement.execution_options(synchronize_session=False)
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def vietnam_moment(day: str, *, end: bool = False) -> datetime | None:
    """Read a day or moment as a form sends it (2026-11-25 or 2026-11-25T20:30), in Vietnam.

    A bare day means its first moment, or the first one after it for an `end`. None for nonsense.
    """
    try:
        moment = datetime.fromisoformat(day.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=VIETNAM)
        if end and "T" not in day:
            moment += timedelta(days=1)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
