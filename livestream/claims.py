"""Bags and claims: a comment that holds the shop's own stock for a buyer.

A claim is not a second shop: its goods are the shop's Reservations, taken by the same conditional
UPDATE as a web order's; the item's cap is a second one in the same transaction.
"""

import enum
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog import stock
from catalog.stock import HoldState, OutOfStock, Wanted
from core.db import Base, Database, word
from livestream.comments import Comment
from livestream.shows import Show, ShowItem

# Preset "show" (livestream.md §5.4): people watch on and read messages at the end.
HELD_FOR = timedelta(hours=24)


class BagState(enum.StrEnum):
    """One bag per buyer per show."""

    OPEN = "open"
    CHECKED_OUT = "checked_out"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class ClaimState(enum.StrEnum):
    """A claim holds goods, waits for them, or has let them go."""

    HELD = "held"
    WAITING = "waiting"
    RELEASED = "released"
    EXPIRED = "expired"


class Bag(Base):
    """One buyer's bag in one show, with the number that stands on the shelf."""

    __tablename__ = "live_bag"
    __table_args__ = (
        UniqueConstraint("show_id", "platform", "external_user"),
        UniqueConstraint("show_id", "bag_no"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    show_id: Mapped[int] = mapped_column(ForeignKey("live_show.id"))
    platform: Mapped[str]
    external_user: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str | None]
    bag_no: Mapped[int]
    state: Mapped[BagState] = mapped_column(word(BagState), default=BagState.OPEN)
    created_at: Mapped[datetime]


class Claim(Base):
    """So many of one item for one bag, because of one comment."""

    __tablename__ = "live_claim"
    __table_args__ = (
        Index("ix_live_claim_item", "item_id", "state", "id"),
        Index("ix_live_claim_expiry", "state", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    show_id: Mapped[int] = mapped_column(ForeignKey("live_show.id"), index=True)
    bag_id: Mapped[int] = mapped_column(ForeignKey("live_bag.id"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("live_item.id"))
    comment_id: Mapped[int] = mapped_column(ForeignKey("live_comment.id"), index=True)
    quantity: Mapped[int]
    note: Mapped[str]
    state: Mapped[ClaimState] = mapped_column(word(ClaimState))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class ClaimHold(Base):
    """Which reservation holds goods for which claim."""

    __tablename__ = "claim_hold"

    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservation.id"), primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("live_claim.id"), index=True)


def bag_of(
    session: Session, show: Show, comment: Comment, *, phone: str | None, now: datetime
) -> Bag:
    """Return the commenter's one bag in this show, with a number of its own the first time."""
    mine = (
        Bag.show_id == show.id,
        Bag.platform == comment.platform,
        Bag.external_user == comment.external_user,
    )
    bag = session.scalar(select(Bag).where(*mine))
    if bag is None:
        number = session.scalars(
            update(Show)
            .where(Show.id == show.id)
            .values(next_bag_no=Show.next_bag_no + 1)
            .returning(Show.next_bag_no)
            .execution_options(synchronize_session=False)
        ).one()
        insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        # Two first comments of one buyer at once: one bag, the other's number stays unused.
        session.execute(
            insert(Bag)
            .values(
                show_id=show.id,
                platform=comment.platform,
                external_user=comment.external_user,
                name=comment.user_name,
                bag_no=number - 1,
                state=BagState.OPEN,
                created_at=now,
            )
            .on_conflict_do_nothing()
        )
        bag = session.scalars(select(Bag).where(*mine)).one()
    if phone and bag.phone != phone:
        bag.phone = phone
    return bag


def claim(
    session: Session,
    item: ShowItem,
    bag: Bag,
    comment: Comment,
    *,
    quantity: int,
    note: str,
    now: datetime,
) -> list[Claim]:
    """Hold as many of the wanted as the cap and the shelf allow; the rest waits in line.

    Returns the claims made: one that holds, one that waits, or both.
    """
    taken, holds = _take(session, item, quantity, now=now)
    made = []
    for state, count in ((ClaimState.HELD, taken), (ClaimState.WAITING, quantity - taken)):
        if count:
            made.append(
                Claim(
                    show_id=item.show_id,
                    bag_id=bag.id,
                    item_id=item.id,
                    comment_id=comment.id,
                    quantity=count,
                    note=note,
                    state=state,
                    created_at=now,
                    expires_at=now + HELD_FOR if state is ClaimState.HELD else None,
                )
            )
    session.add_all(made)
    session.flush()  # gives the claims their ids
    session.add_all(ClaimHold(reservation_id=hold, claim_id=made[0].id) for hold in holds)
    return made


def _take(
    session: Session, item: ShowItem, quantity: int, *, now: datetime
) -> tuple[int, list[int]]:
    """Take from the cap and from the shelf what both can give; return how many and the holds."""
    wanted = quantity
    while wanted > 0:
        wanted = _take_from_cap(session, item.id, wanted)
        if wanted == 0:
            return 0, []
        try:
            with session.begin_nested():
                [holds] = stock.reserve(
                    session,
                    [Wanted(item.variant_id, wanted)],
                    now=now,
                    expires_at=now + HELD_FOR,
                )
        except OutOfStock as refusal:
            _give_back_to_cap(session, item.id, wanted)
            wanted = min(wanted - 1, refusal.left)
        else:
            return wanted, [hold.id for hold in holds]
    return 0, []


def _take_from_cap(session: Session, item_id: int, quantity: int) -> int:
    """Take `quantity` from the item's cap, or what is left of it; return how many."""
    while quantity > 0:
        taken = session.execute(
            update(ShowItem)
            .where(ShowItem.id == item_id, ShowItem.cap - ShowItem.held >= quantity)
            .values(held=ShowItem.held + quantity)
            .returning(ShowItem.id)
            .execution_options(synchronize_session=False)
        ).first()
        if taken is not None:
            return quantity
        room = session.scalar(select(ShowItem.cap - ShowItem.held).where(ShowItem.id == item_id))
        quantity = min(quantity, room or 0)
    return 0


def _give_back_to_cap(session: Session, item_id: int, quantity: int) -> None:
    session.execute(
        update(ShowItem)
        .where(ShowItem.id == item_id)
        .values(held=ShowItem.held - quantity)
        .execution_options(synchronize_session=False)
    )


def let_go(
    session: Session, claims: Iterable[Claim], *, as_state: ClaimState = ClaimState.RELEASED
) -> int:
    """End open claims: held goods go back to shelf and cap, each once; return how many ended."""
    ended = 0
    for one in claims:
        before = session.scalar(
            update(Claim)
            .where(Claim.id == one.id, Claim.state.in_((ClaimState.HELD, ClaimState.WAITING)))
            .values(state=as_state)
            .returning(Claim.id)
            .execution_options(synchronize_session=False)
        )
        if before is None:
            continue
        ended += 1
        holds = session.scalars(
            select(ClaimHold.reservation_id).where(ClaimHold.claim_id == one.id)
        ).all()
        if holds:
            expired = as_state is ClaimState.EXPIRED
            stock.release(
                session, holds, as_state=HoldState.EXPIRED if expired else HoldState.RELEASED
            )
            _give_back_to_cap(session, one.item_id, one.quantity)
        session.expire(one)
    return ended


def open_claims(session: Session, bag_id: int, item_id: int | None = None) -> list[Claim]:
    """Return what a bag holds or waits for, newest first."""
    query = select(Claim).where(
        Claim.bag_id == bag_id, Claim.state.in_((ClaimState.HELD, ClaimState.WAITING))
    )
    if item_id is not None:
        query = query.where(Claim.item_id == item_id)
    return list(session.scalars(query.order_by(Claim.id.desc())))


def serve_waiting(session: Session, item: ShowItem, *, now: datetime) -> int:
    """Give goods that came free to who waits longest; return how many claims now hold.

    A waiting claim is served whole or not yet: half a present is a complaint.
    """
    served = 0
    waiting = session.scalars(
        select(Claim)
        .where(Claim.item_id == item.id, Claim.state == ClaimState.WAITING)
        .order_by(Claim.id)
    ).all()
    for one in waiting:
        taken, holds = _take(session, item, one.quantity, now=now)
        if taken < one.quantity:
            if taken:
                stock.release(session, holds)
                _give_back_to_cap(session, item.id, taken)
            break
        session.execute(
            update(Claim)
            .where(Claim.id == one.id)
            .values(state=ClaimState.HELD, expires_at=now + HELD_FOR)
            .execution_options(synchronize_session=False)
        )
        session.add_all(ClaimHold(reservation_id=hold, claim_id=one.id) for hold in holds)
        session.expire(one)
        served += 1
    session.flush()  # the holds must be there before the next claim is looked at
    return served


def expire_claims(database: Database, now: datetime) -> None:
    """Let go what was held too long (runs by the clock; twice or late is harmless)."""
    with database.transaction() as session:
        late = session.scalars(
            select(Claim)
            .where(Claim.state == ClaimState.HELD, Claim.expires_at <= now)
            .order_by(Claim.id)
            .limit(500)
        ).all()
        items = {one.item_id for one in late}
        let_go(session, late, as_state=ClaimState.EXPIRED)
        for item_id in sorted(items):
            serve_waiting(session, session.get_one(ShowItem, item_id), now=now)


def units_by_state(session: Session, show_id: int) -> dict[tuple[int, ClaimState], int]:
    """Return how many units of each item are held or waited for in this show."""
    rows = session.execute(
        select(Claim.item_id, Claim.state, func.sum(Claim.quantity))
        .where(Claim.show_id == show_id)
        .group_by(Claim.item_id, Claim.state)
    )
    return {(item_id, state): int(count) for item_id, state, count in rows}
