"""Gift sets in a cart and in an order: put in as their parts, counted while they are whole."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base
from core.i18n import lazy as _
from core.money import Money
from shop import carts, gift_sets, set_prices
from shop.carts import MOST_OF_ONE, Cart, CartSet
from shop.gift_sets import BadSet, GiftSet, GiftSetItem, SetSoldOut, SetState, WholeSet
from shop.set_prices import Recipe, SetDeal


class OrderSet(Base):
    """What a set took off one order: frozen, so that the discount can be told and proved."""

    __tablename__ = "order_set"
    __table_args__ = (CheckConstraint("pieces > 0 AND amount >= 0", name="some"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("customer_order.id"), index=True)
    set_id: Mapped[int] = mapped_column(ForeignKey("gift_set.id"))
    name: Mapped[str]
    pieces: Mapped[int]
    amount: Mapped[Money]


def put_in_cart(session: Session, cart: Cart, slug: str, *, count: int, now: datetime) -> WholeSet:
    """Put every part of so many sets into the cart, or nothing at all.

    Raises NoSuchSet, BadSet for a count that is none, SetSoldOut.
    """
    if not 0 < count <= MOST_OF_ONE:
        raise BadSet(_("Order at least 1."), field="quantity")
    whole = gift_sets.get_live(session, slug, now=now)
    if whole.left < count:
        raise SetSoldOut(
            _("%(name)s can be bought %(left)s times now.", name=whole.gift.name, left=whole.left)
        )
    for part in whole.parts:
        wanted = part.quantity * count
        kept = carts.add(session, cart, part.variant_id, quantity=wanted, now=now)
        if kept.quantity < kept.wanted:
            raise SetSoldOut(
                _("With what lies in the cart already, there is not enough of %(name)s.",
                  name=part.name)
            )  # fmt: skip
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(
        insert(CartSet)
        .values(cart_id=cart.id, set_id=whole.gift.id, count=count)
        .on_conflict_do_update(
            index_elements=["cart_id", "set_id"], set_={"count": CartSet.count + count}
        )
    )
    return whole


def deals_of_cart(session: Session, cart: Cart, lines: Sequence[set_prices.Piece]) -> list[SetDeal]:
    """Return what the sets in a cart take off its lines today; none for a set that ended."""
    rows = session.execute(
        select(GiftSet, CartSet.count, GiftSetItem.variant_id, GiftSetItem.quantity)
        .join(CartSet, CartSet.set_id == GiftSet.id)
        .join(GiftSetItem, GiftSetItem.set_id == GiftSet.id)
        .where(CartSet.cart_id == cart.id, GiftSet.state == SetState.LIVE)
        .order_by(GiftSet.id, GiftSetItem.id)
    ).all()
    if not rows:
        return []
    items: dict[int, dict[int, int]] = defaultdict(dict)
    for gift, _count, variant_id, quantity in rows:
        items[gift.id][variant_id] = quantity
    strong = gift_sets.strong_among(session, {row.variant_id for row in rows})
    gifts = {gift.id: (gift, count) for gift, count, _variant, _quantity in rows}
    recipes = [
        Recipe(
            set_id=gift.id,
            slug=gift.slug,
            name=gift.name,
            count=count,
            items=items[gift.id],
            price=gift.price,
            lowered=gift.agreed and not strong & items[gift.id].keys(),
        )
        for gift, count in gifts.values()
    ]
    return set_prices.deals(recipes, lines)


def note_sold(session: Session, order_id: int, deals: Sequence[SetDeal]) -> None:
    """Write down which sets an order was placed with, and what they took off."""
    session.add_all(
        OrderSet(
            order_id=order_id, set_id=one.set_id, name=one.name, pieces=one.whole, amount=one.amount
        )
        for one in deals
        if one.whole
    )
