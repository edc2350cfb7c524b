"""Carts: a guest's lives under an opaque cookie, a person's under the account."""

import enum
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import CheckConstraint, ForeignKey, Index, delete, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.users import User
from catalog.lots import Lot
from catalog.producers import Producer, ProducerState
from catalog.products import Product, ProductState
from catalog.stock import StockItem, sellable_rows
from catalog.variants import Variant, price_at
from core.clock import vietnam_day
from core.db import Base, word
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _
from core.money import Money
from core.text import clean

MOST_OF_ONE = 50
MOST_LINES = 300
LONGEST_VOUCHER = 40
Piece = tuple[int, int | None]  # a variant, in one lot or in any


class CartState(enum.StrEnum):
    """An ordered cart is closed for ever: one cart, one order."""

    OPEN = "open"
    ORDERED = "ordered"


class NoSuchGoods(NotFound):
    """There is no such variant or lot."""


class NotForSale(Conflict):
    """The product, its producer or its price is not (or no longer) open for sale."""


class SoldOut(Conflict):
    """Not a single one is left."""


class BadQuantity(Invalid):
    """A quantity is a whole number from 1 on (0 takes a line out)."""


class CartFull(Conflict):
    """More different things than one cart carries."""


class Cart(Base):
    """One basket of one visitor; only the hash of the cookie's value is kept.

    `voucher` is a code as it was typed, right or wrong.
    """

    __tablename__ = "cart"
    __table_args__ = (
        Index(
            "uq_cart_open_user",
            "user_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    state: Mapped[CartState] = mapped_column(word(CartState), default=CartState.OPEN)
    voucher: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CartLine(Base):
    """So many of a variant, at the price that was seen when it was put in."""

    __tablename__ = "cart_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="some"),
        Index("ix_cart_line_cart", "cart_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cart_id: Mapped[int] = mapped_column(ForeignKey("cart.id"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    quantity: Mapped[int]
    seen_price: Mapped[Money]
    added_at: Mapped[datetime]


class CartSet(Base):
    """So many times a gift set was put into the cart; its parts are ordinary lines."""

    __tablename__ = "cart_set"
    __table_args__ = (CheckConstraint("count > 0", name="some"),)

    cart_id: Mapped[int] = mapped_column(ForeignKey("cart.id"), primary_key=True)
    set_id: Mapped[int] = mapped_column(ForeignKey("gift_set.id"), primary_key=True)
    count: Mapped[int]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the cart holds of one thing after a change; fewer than wanted is told to the buyer."""

    name: str
    wanted: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the account's cart when a guest's joined it.

    `cut` holds fewer than wanted, `more` holds more than before (`wanted` is the number before);
    `joined` is how many of the guest's things now lie beside the ones kept earlier.
    """

    cut: list[Kept]
    more: list[Kept]
    joined: int


def find_open(session: Session, *, token: str | None, user_id: int | None) -> Cart | None:
    """Return the visitor's open cart: the account's own, or the guest's behind the cookie."""
    wanted = select(Cart).where(Cart.state == CartState.OPEN)
    if user_id is not None:
        return session.scalar(wanted.where(Cart.user_id == user_id))
    if not token:
        return None
    return session.scalar(wanted.where(Cart.token_hash == _hash(token), Cart.user_id.is_(None)))


def open_new(session: Session, *, user_id: int | None, now: datetime) -> tuple[Cart, str]:
    """Return a cart to put things in and the cookie's value for it; a person has one open cart."""
    if user_id is not None:
        # Two devices at once: the second waits here and finds the first one's cart.
        session.execute(
            select(User.id).where(User.id == user_id).with_for_update(key_share=True)
        ).one()
    token = secrets.token_urlsafe(32)
    cart = find_open(session, token=None, user_id=user_id)
    if cart is None:
        cart = Cart(token_hash=_hash(token), user_id=user_id, created_at=now, updated_at=now)
        session.add(cart)
        session.flush()  # gives the cart its id
    return cart, token


def count(session: Session, cart: Cart) -> int:
    """Return how many pieces lie in the cart."""
    return int(
        session.scalar(select(func.sum(CartLine.quantity)).where(CartLine.cart_id == cart.id)) or 0
    )


def free_of_pieces(session: Session, pieces: Iterable[Piece], *, now: datetime) -> dict[Piece, int]:
    """Return how many can be sold of each variant, or of its lot where one is named."""
    wanted = list(pieces)
    rows = session.execute(
        select(StockItem.variant_id, StockItem.lot_id, StockItem.on_hand - StockItem.reserved)
        .outerjoin(Lot, Lot.id == StockItem.lot_id)
        .where(
            StockItem.variant_id.in_({variant_id for variant_id, _lot in wanted}),
            sellable_rows(vietnam_day(now)),
        )
    )
    free: dict[Piece, int] = defaultdict(int)
    for variant_id, lot_id, left in rows:
        free[variant_id, None] += left
        if lot_id is not None:
            free[variant_id, lot_id] += left
    return {piece: free[piece] for piece in wanted}


def add(
    session: Session,
    cart: Cart,
    variant_id: int,
    *,
    quantity: int,
    lot_code: str | None = None,
    now: datetime,
) -> Kept:
    """Put more of a variant into the cart, as many as there are and one cart may hold.

    Raises NoSuchGoods, NotForSale, BadQuantity, SoldOut, CartFull; the cart is then unchanged.
    """
    if quantity < 1:
        raise BadQuantity(_("Order at least 1."), field="quantity")
    piece, name, price = _goods(session, variant_id, lot_code, now=now)
    _touch(session, cart, now=now)
    line = _find_line(session, cart, piece)
    wanted = quantity + (line.quantity if line else 0)
    held = _as_many_as_fit(session, piece, wanted, name=name, now=now)
    if line is None:
        lines = session.scalar(select(func.count()).where(CartLine.cart_id == cart.id))
        if (lines or 0) >= MOST_LINES:
            raise CartFull(_("This cart is full. Order what is in it first."))
        line = CartLine(cart_id=cart.id, variant_id=piece[0], lot_id=piece[1], added_at=now)
        session.add(line)
    line.quantity = held
    line.seen_price = price
    return Kept(name, wanted, held)


def change(
    session: Session,
    cart: Cart,
    variant_id: int,
    *,
    quantity: int,
    lot_code: str | None = None,
    now: datetime,
) -> Kept:
    """Set how many of a variant lie in the cart; 0 takes the line out, whatever became of it.

    A thing that is not in the cart stays out of it. Raises NotForSale, BadQuantity, SoldOut.
    """
    if quantity < 0:
        raise BadQuantity(_("Order at least 1."), field="quantity")
    piece = (variant_id, _lot_id(session, variant_id, lot_code))
    _touch(session, cart, now=now)
    line = _find_line(session, cart, piece)
    if line is None or quantity == 0:
        if line is not None:
            session.delete(line)
        return Kept("", quantity, 0)
    _piece, name, _price = _goods(session, variant_id, lot_code, now=now)
    line.quantity = _as_many_as_fit(session, piece, quantity, name=name, now=now)
    return Kept(name, quantity, line.quantity)


def find_line(
    session: Session, cart: Cart, variant_id: int, lot_code: str | None, *, now: datetime
) -> CartLine | None:
    """Return the line of a thing in the cart, which is then this transaction's alone."""
    piece = (variant_id, _lot_id(session, variant_id, lot_code))
    _touch(session, cart, now=now)
    return _find_line(session, cart, piece)


def accept_prices(
    session: Session, cart: Cart, prices: Mapping[int, Money], *, now: datetime
) -> None:
    """Take these prices of variants as seen: the buyer was shown them and agreed."""
    _touch(session, cart, now=now)
    for line in _lines(session, cart):
        line.seen_price = prices.get(line.variant_id, line.seen_price)
    session.flush()


def note_voucher(session: Session, cart: Cart, typed: str, *, now: datetime) -> None:
    """Keep a voucher's code with the cart as it was typed; nothing typed takes it out."""
    _touch(session, cart, now=now)
    session.refresh(cart)
    cart.voucher = clean(typed)[:LONGEST_VOUCHER] or None


def merge(session: Session, *, token: str, user_id: int, now: datetime) -> Merged:
    """Bring a guest's cart into the account at log-in; return everything that changed by it.

    Of a thing in both, the larger number stays. No line is lost: one that is sold out now stays
    as it was, and the cart says so. Of two prices seen the lower one counts as seen.
    """
    guest = find_open(session, token=token, user_id=None)
    # The other tab may be filling or ordering this cart right now: wait for it, then look again.
    if guest is None or not _lock(session, guest, now=now):
        return Merged([], [], 0)
    own, _token = open_new(session, user_id=user_id, now=now)
    _touch(session, own, now=now)
    lines = {(line.variant_id, line.lot_id): line for line in _lines(session, own)}
    brought = _lines(session, guest)
    free = free_of_pieces(session, [(line.variant_id, line.lot_id) for line in brought], now=now)
    names = _names(session, [line.variant_id for line in brought])
    cut, more, joined = [], [], 0
    for line in brought:
        piece, name = (line.variant_id, line.lot_id), names[line.variant_id]
        mine = lines.get(piece)
        before = mine.quantity if mine else 0
        wanted = max(line.quantity, before)
        held = min(wanted, free[piece], MOST_OF_ONE) or wanted
        if held < wanted:
            cut.append(Kept(name, wanted, held))
        elif mine is not None and held > before:
            more.append(Kept(name, before, held))
        if mine is None:
            joined += len(lines) > 0
            line.cart_id = own.id
            line.quantity = held
        else:
            mine.quantity = held
            mine.seen_price = min(mine.seen_price, line.seen_price)
    session.flush()
    session.execute(delete(CartLine).where(CartLine.cart_id == guest.id))
    _bring_sets(session, guest, own)
    session.execute(delete(Cart).where(Cart.id == guest.id))
    return Merged(cut, more, joined)


def _bring_sets(session: Session, guest: Cart, own: Cart) -> None:
    """Let the gift sets of a guest's cart count in the account's, as its lines do."""
    mine = {
        one.set_id: one for one in session.scalars(select(CartSet).where(CartSet.cart_id == own.id))
    }
    for brought in session.scalars(select(CartSet).where(CartSet.cart_id == guest.id)).all():
        if brought.set_id in mine:
            mine[brought.set_id].count = max(mine[brought.set_id].count, brought.count)
        else:
            session.add(CartSet(cart_id=own.id, set_id=brought.set_id, count=brought.count))
        session.delete(brought)
    session.flush()


def _goods(
    session: Session, variant_id: int, lot_code: str | None, *, now: datetime
) -> tuple[Piece, str, Money]:
    row = session.execute(
        select(Variant, Product.name.label("product"), Product.state)
        .add_columns(Producer.state.label("seller"))
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .where(Variant.id == variant_id)
    ).one_or_none()
    if row is None:
        raise NoSuchGoods
    name = f"{row.product} {row.Variant.name}".strip()
    price = price_at(row.Variant, now)
    piece = (variant_id, _lot_id(session, variant_id, lot_code))
    if price is None or (row.state, row.seller) != (ProductState.LIVE, ProducerState.APPROVED):
        raise NotForSale(_("%(name)s is not for sale now.", name=name))
    return piece, name, price


def _lot_id(session: Session, variant_id: int, lot_code: str | None) -> int | None:
    if not lot_code:
        return None
    lot_id = session.scalar(
        select(Lot.id).where(Lot.variant_id == variant_id, Lot.code == lot_code)
    )
    if lot_id is None:
        raise NoSuchGoods
    return lot_id


def _touch(session: Session, cart: Cart, *, now: datetime) -> None:
    """Lock the cart for this transaction, so that two tabs never make two lines of one thing."""
    if not _lock(session, cart, now=now):
        raise Conflict(_("This cart has been ordered meanwhile."))


def _lock(session: Session, cart: Cart, *, now: datetime) -> bool:
    still_open = session.scalar(
        update(Cart)
        .where(Cart.id == cart.id, Cart.state == CartState.OPEN)
        .values(updated_at=now)
        .returning(Cart.id)
    )
    return still_open is not None


def _find_line(session: Session, cart: Cart, piece: Piece) -> CartLine | None:
    variant_id, lot_id = piece
    in_lot = CartLine.lot_id.is_(None) if lot_id is None else CartLine.lot_id == lot_id
    return session.scalar(
        select(CartLine).where(
            CartLine.cart_id == cart.id, CartLine.variant_id == variant_id, in_lot
        )
    )


def _as_many_as_fit(
    session: Session, piece: Piece, wanted: int, *, name: str, now: datetime
) -> int:
    free = free_of_pieces(session, [piece], now=now)[piece]
    if free < 1:
        raise SoldOut(_("%(name)s is sold out.", name=name))
    return min(wanted, free, MOST_OF_ONE)


def _lines(session: Session, cart: Cart) -> list[CartLine]:
    return list(
        session.scalars(select(CartLine).where(CartLine.cart_id == cart.id).order_by(CartLine.id))
    )


def _names(session: Session, variant_ids: list[int]) -> dict[int, str]:
    rows = session.execute(
        select(Variant.id, Product.name, Variant.name)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.id.in_(variant_ids))
    )
    return {variant_id: f"{product} {name}".strip() for variant_id, product, name in rows}


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
