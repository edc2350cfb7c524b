"""Saved goods «Yêu thích»: a guest's under an opaque cookie, a person's under the account."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    UniqueConstraint,
    delete,
    func,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from catalog.cards import Card, cards_of
from catalog.listing import Found
from catalog.places import AdminUnit
from catalog.producers import Producer
from catalog.products import NoSuchProduct, Product, seen_by_buyers
from core.db import Base
from core.errors import Conflict
from core.i18n import lazy as _

MOST = 200


class ListFull(Conflict):
    """More different things than anyone reads through."""


class SavedGoods(Base):
    """One product one visitor keeps in mind; only the hash of a guest's cookie is kept."""

    __tablename__ = "saved_goods"
    __table_args__ = (
        UniqueConstraint("user_id", "product_id"),
        UniqueConstraint("guest_hash", "product_id"),
        CheckConstraint("(user_id IS NULL) <> (guest_hash IS NULL)", name="one_owner"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    guest_hash: Mapped[str | None]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    saved_at: Mapped[datetime]


def new_token() -> str:
    """Return the cookie's value for a guest who saves the first thing."""
    return secrets.token_urlsafe(32)


def list_ids(session: Session, *, token: str | None, user_id: int | None) -> list[int]:
    """Return the products this visitor saved, the latest first."""
    if user_id is None and not token:
        return []
    return list(
        session.scalars(
            select(SavedGoods.product_id)
            .where(_owner(token, user_id))
            .order_by(SavedGoods.id.desc())
        )
    )


def save(
    session: Session,
    product_id: int,
    *,
    token: str | None,
    user_id: int | None,
    now: datetime,
) -> None:
    """Keep a product in mind; keeping it twice changes nothing.

    Raises NoSuchProduct for what buyers cannot see, ListFull past two hundred.
    """
    known = session.scalar(
        select(Product.id)
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .where(Product.id == product_id, seen_by_buyers())
    )
    if known is None:
        raise NoSuchProduct
    kept = session.scalar(select(func.count()).where(_owner(token, user_id)))
    if (kept or 0) >= MOST:
        raise ListFull(_("This list is full. Take something out first."))
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(
        insert(SavedGoods)
        .values(
            user_id=user_id,
            guest_hash=None if user_id is not None else _hash(token or ""),
            product_id=product_id,
            saved_at=now,
        )
        .on_conflict_do_nothing()
    )


def forget(session: Session, product_id: int, *, token: str | None, user_id: int | None) -> None:
    """Take a product off the list; what is not on it stays off."""
    if user_id is not None or token:
        session.execute(
            delete(SavedGoods).where(_owner(token, user_id), SavedGoods.product_id == product_id)
        )


def merge(session: Session, *, token: str, user_id: int) -> int:
    """Bring a guest's list into the account at log-in; return how many are new there."""
    own = set(list_ids(session, token=None, user_id=user_id))
    brought: Sequence[SavedGoods] = session.scalars(
        select(SavedGoods).where(_owner(token, None)).order_by(SavedGoods.id)
    ).all()
    new = 0
    for row in brought:
        if row.product_id in own or len(own) + new >= MOST:
            session.delete(row)
        else:
            row.user_id, row.guest_hash = user_id, None
            new += 1
    session.flush()
    return new


def _owner(token: str | None, user_id: int | None) -> ColumnElement[bool]:
    if user_id is not None:
        return SavedGoods.user_id == user_id
    return SavedGoods.guest_hash == _hash(token or "")


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def list_cards(session: Session, product_ids: Sequence[int], *, now: datetime) -> list[Card]:
    """Return these products as any list shows them, in this order; what is withdrawn is left out.

    In as many questions for one as for two hundred.
    """
    commune, province = aliased(AdminUnit), aliased(AdminUnit)
    rows = session.execute(
        select(
            Product.id,
            Product.slug,
            Product.name,
            Product.look,
            Product.group,
            Product.place_text,
            Product.is_sample,
            Product.is_synthetic,
            Producer.name,
            commune.name,
            province.name,
            literal(0),
            literal(0),
        )
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .outerjoin(commune, commune.code == Product.commune_code)
        .outerjoin(province, province.code == Product.province_code)
        .where(Product.id.in_(product_ids), seen_by_buyers())
    )
    found = {row[0]: Found._make(row) for row in rows}
    shown = [found[product_id] for product_id in product_ids if product_id in found]
    return cards_of(session, shown, now=now)
