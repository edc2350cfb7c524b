"""Gift sets «giỏ quà»: goods of one or several producers sold together, and always as their parts.

A set has no stock and no seller of its own: each part is held, sent and paid for like any goods.
Made by a producer of its own goods, or by staff of anyone's; a lower price needs their yes.
"""

import enum
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from catalog import alcohol, stock
from catalog.producers import Producer, ProducerState
from catalog.products import Product, ProductState
from catalog.slugs import free_slug
from catalog.variants import Variant, price_at
from core.db import Base, word
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _
from core.money import ZERO, Money, total
from core.text import clean
from shop.carts import MOST_OF_ONE

describe(
    {
        "set.make": _("made a gift set"),
        "set.publish": _("offered a gift set"),
        "set.end": _("ended a gift set"),
    }
)

MOST_ITEMS = 12
LONGEST_NAME = 100
LONGEST_STORY = 2_000
SHOWN = 60
_COUNT = re.compile("[0-9]{1,3}", re.ASCII)


class SetState(enum.StrEnum):
    """Only a live set is seen and bought."""

    DRAFT = "draft"
    LIVE = "live"
    ENDED = "ended"


class NoSuchSet(NotFound):
    """There is no such set, or it is not this desk's: the same answer for both."""


class BadSet(Invalid):
    """A set has a name, at least two pieces, and no price above its parts."""


class SetMovedOn(Conflict):
    """The set stands elsewhere now; look at it again."""


class SetSoldOut(Conflict):
    """One of its parts is not there as often as wanted, so the set is not either."""


class GiftSet(Base):
    """One set. `price` None means the parts together; `agreed` that their producers said yes."""

    __tablename__ = "gift_set"
    __table_args__ = (
        Index("ix_gift_set_state", "state", "id"),
        CheckConstraint("price IS NULL OR price > 0", name="price_positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    story: Mapped[str]
    producer_id: Mapped[int | None] = mapped_column(ForeignKey("producer.id"), index=True)
    price: Mapped[Money | None]
    agreed: Mapped[bool] = mapped_column(default=False)
    state: Mapped[SetState] = mapped_column(word(SetState), default=SetState.DRAFT)
    is_sample: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class GiftSetItem(Base):
    """So many of one variant in a set."""

    __tablename__ = "gift_set_item"
    __table_args__ = (
        UniqueConstraint("set_id", "variant_id"),
        CheckConstraint("quantity > 0", name="some"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    set_id: Mapped[int] = mapped_column(ForeignKey("gift_set.id"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"), index=True)
    quantity: Mapped[int]


@dataclass(frozen=True, slots=True)
class SetPart:
    """One part of a set as a page shows it; `price` None when it is not for sale now."""

    variant_id: int
    quantity: int
    slug: str
    name: str
    unit: str
    look: str
    producer: str
    price: Money | None
    price_is_sample: bool
    free: int


@dataclass(frozen=True, slots=True)
class WholeSet:
    """A set with its parts, its price today and how often it can be bought."""

    gift: GiftSet
    parts: list[SetPart]

    @property
    def sum(self) -> Money:
        """Return what the parts cost one by one."""
        return total((part.price or ZERO) * part.quantity for part in self.parts)

    @property
    def price(self) -> Money:
        """Return what the set costs: never more than its parts."""
        return self.sum if self.gift.price is None else min(self.gift.price, self.sum)

    @property
    def saved(self) -> Money:
        """Return what the set costs less than its parts."""
        return self.sum - self.price

    @property
    def left(self) -> int:
        """Return how often it can be bought: as often as its scarcest part."""
        if not self.parts or any(part.price is None for part in self.parts):
            return 0
        return min(min(part.free, MOST_OF_ONE) // part.quantity for part in self.parts)

    @property
    def is_sample(self) -> bool:
        """Say whether anything about its price is made up."""
        return self.gift.is_sample or any(part.price_is_sample for part in self.parts)


def get_live(session: Session, slug: str, *, now: datetime) -> WholeSet:
    """Return the live set at this address, or raise NoSuchSet."""
    gift = session.scalar(
        select(GiftSet).where(GiftSet.slug == slug, GiftSet.state == SetState.LIVE)
    )
    if gift is None:
        raise NoSuchSet(_("There is no gift set at this address."))
    return _whole(session, [gift], now=now)[0]


def list_live(session: Session, *, now: datetime) -> list[WholeSet]:
    """Return the live sets, the newest first; those that can be bought now come first."""
    found = session.scalars(
        select(GiftSet)
        .where(GiftSet.state == SetState.LIVE)
        .order_by(GiftSet.id.desc())
        .limit(SHOWN)
    ).all()
    return sorted(_whole(session, found, now=now), key=lambda one: one.left == 0)


def list_of_desk(session: Session, producer_id: int | None, *, now: datetime) -> list[WholeSet]:
    """Return the sets of a producer (None: of the staff), the newest first."""
    whose = (
        GiftSet.producer_id.is_(None) if producer_id is None else GiftSet.producer_id == producer_id
    )
    found = session.scalars(
        select(GiftSet).where(whose).order_by(GiftSet.id.desc()).limit(SHOWN)
    ).all()
    return _whole(session, found, now=now)


def get_of_desk(session: Session, set_id: int, producer_id: int | None) -> GiftSet:
    """Return a set of this desk (None: of the staff), or raise NoSuchSet."""
    gift = session.get(GiftSet, set_id)
    if gift is None or gift.producer_id != producer_id:
        raise NoSuchSet
    return gift


def list_goods(session: Session, producer_id: int, *, now: datetime) -> list[SetPart]:
    """Return the goods a producer can make sets of: what it sells, by name."""
    rows = session.execute(
        select(Variant, Product, Producer)
        .join(Product, Product.id == Variant.product_id)
        .join(Producer, Producer.id == Product.producer_id)
        .where(Producer.id == producer_id, Product.state == ProductState.LIVE)
        .where(Variant.price.is_not(None))
        .order_by(Product.name_lower, Variant.position, Variant.id)
    ).all()
    free = stock.free_of_variants(session, [row[0].id for row in rows], now=now)
    return [
        _part(variant, product, producer, quantity=1, free=free[variant.id], now=now)
        for variant, product, producer in rows
    ]


def read_items(session: Session, typed: str) -> dict[int, int]:
    """Return variant → pieces of lines «SKU number»; raises BadSet for a line that is none."""
    items: dict[int, int] = {}
    for row in filter(None, map(str.strip, typed.splitlines()[: MOST_ITEMS + 1])):
        sku, _space, count = row.rpartition(" ")
        variant_id = session.scalar(select(Variant.id).where(Variant.sku == sku.strip()))
        if variant_id is None or not _COUNT.fullmatch(count):
            raise BadSet(_("Not understood: %(row)s. Write «SKU number».", row=row), field="items")
        items[variant_id] = items.get(variant_id, 0) + int(count)
    return items


def make(
    session: Session,
    *,
    name: str,
    story: str,
    items: Mapping[int, int],
    price: Money | None,
    producer_id: int | None,
    agreed: bool,
    actor: Actor,
    now: datetime,
    is_sample: bool = False,
) -> GiftSet:
    """Write a draft of a set: `items` says how many of which variant.

    A producer's set holds its own goods alone. Raises BadSet naming the field.
    """
    called, said = clean(name), clean(story)[:LONGEST_STORY]
    if not 0 < len(called) <= LONGEST_NAME:
        raise BadSet(_("Give the set a name of at most 100 letters."), field="name")
    _check_items(session, items, producer_id)
    if price is not None:
        _check_price(session, items, price, agreed or producer_id is not None, now=now)
    gift = GiftSet(
        slug=free_slug(session, "gift_set", GiftSet.slug, called),
        name=called,
        story=said,
        producer_id=producer_id,
        price=price,
        agreed=agreed or producer_id is not None,
        is_sample=is_sample,
        created_at=now,
    )
    session.add(gift)
    session.flush()  # gives the set its id
    session.add_all(
        GiftSetItem(set_id=gift.id, variant_id=variant_id, quantity=count)
        for variant_id, count in items.items()
    )
    session.flush()
    record(session, actor, "set.make", f"set:{gift.slug}", now=now, name=called)
    return gift


def publish(session: Session, gift: GiftSet, *, actor: Actor, now: datetime) -> bool:
    """Offer the set to buyers; False when it is offered already."""
    return _move(session, gift, SetState.LIVE, {SetState.DRAFT, SetState.ENDED}, actor, now)


def end(session: Session, gift: GiftSet, *, actor: Actor, now: datetime) -> bool:
    """Offer the set no more; carts that hold it keep its parts at their own prices."""
    return _move(session, gift, SetState.ENDED, {SetState.LIVE}, actor, now)


def strong_among(session: Session, variant_ids: Collection[int]) -> set[int]:
    """Return which of these variants are strong drink, which no promotion may hold."""
    owners = dict(
        session.execute(
            select(Variant.id, Variant.product_id).where(Variant.id.in_(list(variant_ids)))
        ).all()
    )
    strong = alcohol.never_promoted_among(session, set(owners.values()))
    return {variant_id for variant_id, product_id in owners.items() if product_id in strong}


def _move(
    session: Session,
    gift: GiftSet,
    to: SetState,
    before: set[SetState],
    actor: Actor,
    now: datetime,
) -> bool:
    if gift.state is to:
        return False
    moved = session.scalar(
        update(GiftSet)
        .where(GiftSet.id == gift.id, GiftSet.state.in_(before))
        .values(state=to)
        .returning(GiftSet.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(gift)
    if moved is None:
        raise SetMovedOn(_("This set has moved on meanwhile. Look at it again."))
    if to is SetState.LIVE:
        record(session, actor, "set.publish", f"set:{gift.slug}", now=now, name=gift.name)
    else:
        record(session, actor, "set.end", f"set:{gift.slug}", now=now, name=gift.name)
    return True


def _check_items(session: Session, items: Mapping[int, int], producer_id: int | None) -> None:
    if not items or len(items) > MOST_ITEMS or sum(items.values()) < 2:  # noqa: PLR2004 - a pair
        raise BadSet(_("A set holds at least 2 pieces of at most 12 kinds."), field="items")
    if any(not 0 < count <= MOST_OF_ONE for count in items.values()):
        raise BadSet(_("Of each at least 1 and at most 50."), field="items")
    owners = session.execute(
        select(Variant.id, Product.producer_id)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.id.in_(items), Product.producer_id.is_not(None))
    ).all()
    if len(owners) < len(items):
        raise BadSet(_("Some of these goods do not exist or have no seller."), field="items")
    if producer_id is not None and {owner for _variant, owner in owners} != {producer_id}:
        raise BadSet(_("A producer's set holds its own goods."), field="items")


def _check_price(
    session: Session, items: Mapping[int, int], price: Money, agreed: object, *, now: datetime
) -> None:
    prices = {
        variant.id: price_at(variant, now) or ZERO
        for variant in session.scalars(select(Variant).where(Variant.id.in_(items)))
    }
    parts = total(prices[variant_id] * count for variant_id, count in items.items())
    if not ZERO < price <= parts:
        raise BadSet(
            _("The set costs more than 0 and no more than its parts: %(parts)s.", parts=parts),
            field="price",
        )
    if not agreed:
        raise BadSet(_("A lower price needs the yes of every producer."), field="agreed")
    if price < parts and strong_among(session, items.keys()):
        raise BadSet(_("The law allows no lower price for strong drink."), field="price")


def _whole(session: Session, gifts: Sequence[GiftSet], *, now: datetime) -> list[WholeSet]:
    """Return the sets with their parts, in as many questions for one as for sixty."""
    if not gifts:
        return []
    rows = session.execute(
        select(GiftSetItem, Variant, Product, Producer)
        .join(Variant, Variant.id == GiftSetItem.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .join(Producer, Producer.id == Product.producer_id)
        .where(GiftSetItem.set_id.in_([gift.id for gift in gifts]))
        .order_by(GiftSetItem.id)
    ).all()
    free = stock.free_of_variants(session, {row[1].id for row in rows}, now=now)
    parts: dict[int, list[SetPart]] = defaultdict(list)
    for item, variant, product, producer in rows:
        parts[item.set_id].append(
            _part(
                variant,
                product,
                producer,
                quantity=item.quantity,
                free=free[variant.id],
                now=now,
            )
        )
    return [WholeSet(gift, parts[gift.id]) for gift in gifts]


def _part(
    variant: Variant,
    product: Product,
    producer: Producer,
    *,
    quantity: int,
    free: int,
    now: datetime,
) -> SetPart:
    on_sale = (product.state, producer.state) == (ProductState.LIVE, ProducerState.APPROVED)
    return SetPart(
        variant_id=variant.id,
        quantity=quantity,
        slug=product.slug,
        name=f"{product.name} {variant.name}".strip(),
        unit=variant.unit,
        look=product.look,
        producer=producer.name,
        price=price_at(variant, now) if on_sale else None,
        price_is_sample=variant.price_is_sample,
        free=free,
    )
