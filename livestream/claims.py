"""Bags and claims: a comment that holds the shop's own stock for a buyer.

A claim is not a second shop: its goods are the shop's Reservations, taken by the same conditional
UPDATE as a web order's; the item's cap is a second one in the same transaction.
"""

import enum
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog import stock
from catalog.stock import HoldState, OutOfStock, Wanted
from core.db import Base, Database, word
from livestream.comments import Comment
from livestream.goods import for_sale
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
        # Two first comments of one buyer at once: the second waits here and finds the bag.
        session.execute(
            select(Show.id).where(Show.id == show.id).with_for_update(key_share=True)
        ).one()
        bag = session.scalar(select(Bag).where(*mine))
    if bag is None:
        number = session.scalars(
            update(Show)
            .where(Show.id == show.id)
            .values(next_bag_no=Show.next_bag_no + 1)
            .returning(Show.next_bag_no)
            .execution_options(synchronize_session=False)
        ).one()
        bag = Bag(
            show_id=show.id,
            platform=comment.platform,
            external_user=comment.external_user,
            name=comment.user_name,
            bag_no=number - 1,
            created_at=now,
        )
        session.add(bag)
        session.flush()  # gives the bag its id
    if phone and bag.phone != phone:
        bag.phone = phone
    return bag


def note_phone(session: Session, show_id: int, comment: Comment, phone: str) -> None:
    """Keep the number a buyer typed with the bag, if there is one already."""
    session.execute(
        update(Bag)
        .where(
            Bag.show_id == show_id,
            Bag.platform == comment.platform,
            Bag.external_user == comment.external_user,
        )
        .values(phone=phone)
        .execution_options(synchronize_session=False)
    )


def lock(session: Session, items: Iterable[ShowItem]) -> None:
    """Let one transaction at a time move the claims of these items, until it ends.

    Whoever holds, frees or hands on goods asks first: items, then their stock rows, each in
    ascending id. Without it a comment that holds and one that lets go would wait for each other.
    """
    wanted = {item.id: item.variant_id for item in items}
    session.execute(
        select(ShowItem.id)
        .where(ShowItem.id.in_(wanted))
        .order_by(ShowItem.id)
        .with_for_update(key_share=True)
    )
    stock.lock_rows(session, wanted.values())


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

    What came free meanwhile goes to those who wait already. The caller holds the item's lock.
    Returns the claims made: one that holds, one that waits, or both.
    """
    serve_waiting(session, item, now=now)
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
    wanted = quantity if for_sale(session, [item.variant_id]) else 0
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
    """End open claims: held goods go back to shelf and cap, each once; return how many ended.

    The caller holds the items' lock.
    """
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
        holds = _holds(session, one.id)
        if holds:
            expired = as_state is ClaimState.EXPIRED
            stock.release(
                session, holds, as_state=HoldState.EXPIRED if expired else HoldState.RELEASED
            )
            _give_back_to_cap(session, one.item_id, one.quantity)
        session.expire(one)
    return ended


def take_back(session: Session, claims: Iterable[Claim], quantity: int | None) -> int:
    """Let go so many of these open claims, None for all: what waits first, then as they come.

    The caller holds the items' lock. Returns how many claims ended or became smaller.
    """
    if quantity is None:
        return let_go(session, claims)
    touched = 0
    for one in sorted(claims, key=lambda one: one.state is not ClaimState.WAITING):
        if quantity < 1:
            break
        count = min(quantity, one.quantity)
        touched += _shrink(session, one, count) if count < one.quantity else let_go(session, [one])
        quantity -= count
    return touched


def _shrink(session: Session, one: Claim, count: int) -> int:
    """Let go `count` of a claim that keeps the rest."""
    if one.state is ClaimState.HELD:
        stock.release_some(session, _holds(session, one.id), count)
        _give_back_to_cap(session, one.item_id, count)
    one.quantity -= count
    session.flush()  # the sums of the same transaction must see it
    return 1


def _holds(session: Session, claim_id: int) -> list[int]:
    return list(
        session.scalars(select(ClaimHold.reservation_id).where(ClaimHold.claim_id == claim_id))
    )


def open_claims(
    session: Session, bag_id: int, *, item_id: int | None = None, comment_id: int | None = None
) -> list[Claim]:
    """Return what a bag holds or waits for, newest first."""
    query = select(Claim).where(
        Claim.bag_id == bag_id, Claim.state.in_((ClaimState.HELD, ClaimState.WAITING))
    )
    if item_id is not None:
        query = query.where(Claim.item_id == item_id)
    if comment_id is not None:
        query = query.where(Claim.comment_id == comment_id)
    return list(session.scalars(query.order_by(Claim.id.desc())))


def serve_waiting(session: Session, item: ShowItem, *, now: datetime) -> int:
    """Give goods that came free to who typed first of those who wait; return how many were served.

    Exactly what is free goes out, so nobody overtakes: who gets a part waits on for the rest. The
    caller holds the item's lock.
    """
    served = 0
    waiting = session.scalars(
        select(Claim)
        .join(Comment, Comment.id == Claim.comment_id)
        .where(Claim.item_id == item.id, Claim.state == ClaimState.WAITING)
        .order_by(Comment.created_at, Claim.id)
        .execution_options(populate_existing=True)
    ).all()
    for one in waiting:
        taken, holds = _take(session, item, one.quantity, now=now)
        if taken == 0:
            break
        _serve(session, one, taken, holds, now=now)
        served += 1
    return served


def _serve(session: Session, one: Claim, taken: int, holds: list[int], *, now: datetime) -> None:
    """Let a waiting claim hold what was taken for it; what is missing stays in line."""
    missing = one.quantity - taken
    if missing:
        rest = Claim(
            show_id=one.show_id,
            bag_id=one.bag_id,
            item_id=one.item_id,
            comment_id=one.comment_id,
            quantity=missing,
            note=one.note,
            state=ClaimState.WAITING,
            created_at=one.created_at,
        )
        session.add(rest)
    one.quantity, one.state, one.expires_at = taken, ClaimState.HELD, now + HELD_FOR
    session.add_all(ClaimHold(reservation_id=hold, claim_id=one.id) for hold in holds)
    session.flush()  # the holds must be there before the next claim is looked at


def expire_claims(database: Database, now: datetime) -> None:
    """Let go what was held too long, and hand on what came free, also through the shop.

    Runs by the clock; twice or late is harmless. Who still waits a day after the end of the show
    waits in vain: nobody may be held goods for out of a show long gone.
    """
    late = or_(
        (Claim.state == ClaimState.HELD) & (Claim.expires_at <= now),
        (Claim.state == ClaimState.WAITING)
        & Claim.show_id.in_(select(Show.id).where(Show.ended_at <= now - HELD_FOR)),
    )
    with database.reading() as session:
        items = session.scalars(
            select(ShowItem)
            .where(
                ShowItem.id.in_(
                    select(Claim.item_id).where(or_(late, Claim.state == ClaimState.WAITING))
                )
            )
            .order_by(ShowItem.id)
        ).all()
    for item in items:
        with database.transaction() as session:
            lock(session, [item])
            over = session.scalars(select(Claim).where(Claim.item_id == item.id, late)).all()
            let_go(session, over, as_state=ClaimState.EXPIRED)
            serve_waiting(session, item, now=now)


def units_by_state(session: Session, show_id: int) -> dict[tuple[int, ClaimState], int]:
    """Return how many units of each item are held or waited for in this show."""
    rows = session.execute(
        select(Claim.item_id, Claim.state, func.sum(Claim.quantity))
        .where(Claim.show_id == show_id)
        .group_by(Claim.item_id, Claim.state)
    )
    return {(item_id, state): int(count) for item_id, state, count in rows}
