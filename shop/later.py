"""Saved for later: things taken out of the cart that are not forgotten, a guest's or a person's."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ForeignKey, UniqueConstraint, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog.lots import Lot
from catalog.producers import Producer, ProducerState
from catalog.products import Product, ProductState
from catalog.variants import Variant, price_at
from core.db import Base, Database
from core.errors import Conflict, NotFound
from core.i18n import lazy as _
from core.money import Money
from shop import carts
from shop.carts import MOST_OF_ONE, Cart, CartLine, Kept

MOST = 100
GUEST_DAYS = 180


class NotThere(NotFound):
    """This is not (or no longer) where it is to be taken from: the cart, or the saved things."""


class TooManySaved(Conflict):
    """More saved things than anyone looks through again."""


class LaterLine(Base):
    """So many of a variant that someone may buy later. `owner` is a person or a guest's cookie."""

    __tablename__ = "later_line"
    __table_args__ = (UniqueConstraint("owner", "piece"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
    piece: Mapped[str]
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    quantity: Mapped[int]
    seen_price: Mapped[Money]
    saved_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class Later:
    """One saved thing as it could be bought today; no price: it is not for sale now."""

    line: LaterLine
    name: str
    slug: str
    unit: str
    look: str
    lot_code: str | None
    price: Money | None
    free: int

    @property
    def changed_price(self) -> bool:
        """Say whether it costs something else than when it was saved."""
        return self.price is not None and self.price != self.line.seen_price


def owner_of(user_id: int | None, token: str | None) -> str | None:
    """Return under whose name things are saved: the account's, else the guest's behind a cookie."""
    if user_id is not None:
        return f"u:{user_id}"
    if not token:
        return None
    return "g:" + sha256(token.encode("utf-8", "replace")).hexdigest()


def new_token() -> str:
    """Return a fresh value for a guest's cookie."""
    return secrets.token_urlsafe(32)


def list_of(session: Session, owner: str | None, *, now: datetime) -> list[Later]:
    """Return what someone saved, the newest first, with today's price and stock."""
    if owner is None:
        return []
    rows = session.execute(
        select(LaterLine, Variant, Product, Producer.state, Lot.code)
        .join(Variant, Variant.id == LaterLine.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .outerjoin(Lot, Lot.id == LaterLine.lot_id)
        .where(LaterLine.owner == owner)
        .order_by(LaterLine.id.desc())
    ).all()
    pieces = [(line.variant_id, line.lot_id) for line, *_rest in rows]
    free = carts.free_of_pieces(session, pieces, now=now) if rows else {}
    return [
        Later(
            line=line,
            name=f"{product.name} {variant.name}".strip(),
            slug=product.slug,
            unit=variant.unit,
            look=product.look,
            lot_code=lot_code,
            price=price_at(variant, now)
            if (product.state, seller) == (ProductState.LIVE, ProducerState.APPROVED)
            else None,
            free=free[line.variant_id, line.lot_id],
        )
        for line, variant, product, seller, lot_code in rows
    ]


def save(
    session: Session,
    cart: Cart,
    owner: str,
    variant_id: int,
    *,
    lot_code: str | None,
    now: datetime,
) -> None:
    """Move a line of the cart to the saved things, whatever became of its goods.

    Raises NotThere, TooManySaved; the cart is then unchanged.
    """
    line = carts.find_line(session, cart, variant_id, lot_code, now=now)
    if line is None:
        raise NotThere(_("This is no longer in the cart."))
    saved = select(func.count()).select_from(LaterLine).where(LaterLine.owner == owner)
    if (session.scalar(saved) or 0) >= MOST:
        raise TooManySaved(_("Too many things are saved. Take some out first."))
    _put(session, owner, line, now=now)
    session.delete(line)
    session.flush()


def to_cart(
    session: Session, owner: str | None, cart: Cart, later_id: int, *, now: datetime
) -> Kept:
    """Move a saved thing back into the cart, as many as there are.

    Raises NotThere, NotForSale, SoldOut, CartFull; the thing then stays saved.
    """
    line = session.scalar(
        select(LaterLine).where(LaterLine.id == later_id, LaterLine.owner == owner)
    )
    if line is None:
        raise NotThere(_("This is no longer saved."))
    lot_code = session.scalar(select(Lot.code).where(Lot.id == line.lot_id))
    kept = carts.add(
        session, cart, line.variant_id, quantity=line.quantity, lot_code=lot_code, now=now
    )
    session.delete(line)
    session.flush()
    return kept


def forget(session: Session, owner: str | None, later_id: int) -> None:
    """Take a thing out of the saved ones; one that is not there stays out."""
    session.execute(delete(LaterLine).where(LaterLine.id == later_id, LaterLine.owner == owner))


def bring_along(session: Session, *, token: str, user_id: int) -> int:
    """Give the person who just logged in what they had saved as a guest; return how many things.

    Of a thing in both, the larger number stays; the number of things is not limited here, so that
    nothing is lost.
    """
    guest, own = owner_of(None, token), owner_of(user_id, None)
    if guest is None or own is None:
        return 0
    lines = session.scalars(
        select(LaterLine).where(LaterLine.owner == guest).order_by(LaterLine.id)
    ).all()
    for line in lines:
        _put(session, own, line, now=line.saved_at)
        session.delete(line)
    session.flush()
    return len(lines)


def forget_old(database: Database, now: datetime) -> None:
    """Forget what guests saved whose cookie has run out."""
    with database.transaction() as session:
        session.execute(
            delete(LaterLine).where(
                LaterLine.owner.startswith("g:"),
                LaterLine.saved_at <= now - timedelta(days=GUEST_DAYS),
            )
        )


def _put(session: Session, owner: str, line: CartLine | LaterLine, *, now: datetime) -> None:
    """Save so many of a thing; of one that is saved already the larger number stays."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    piece = f"{line.variant_id}:{line.lot_id or ''}"
    added = insert(LaterLine).values(
        owner=owner,
        piece=piece,
        variant_id=line.variant_id,
        lot_id=line.lot_id,
        quantity=min(line.quantity, MOST_OF_ONE),
        seen_price=line.seen_price,
        saved_at=now,
    )
    session.execute(
        added.on_conflict_do_update(
            index_elements=["owner", "piece"],
            set_={"quantity": added.excluded.quantity, "saved_at": added.excluded.saved_at},
            where=LaterLine.quantity < added.excluded.quantity,
        )
    )
