"""Orders: the buyer's wish, split by producer from the first moment; states move by named verbs.

An Order holds buyer, address and money; each SellerOrder holds the lines of one producer and lives
by itself. Locks are taken in one order everywhere: order, its parts, then stock rows.
"""

import enum
from collections.abc import Collection
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    JSON,
    CheckConstraint,
    CursorResult,
    ForeignKey,
    Index,
    UniqueConstraint,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import SYSTEM, Actor, describe, record
from core.db import Base, word
from core.errors import Conflict, NotFound
from core.i18n import lazy as _
from core.money import Money

describe(
    {
        "order.accept": _("accepted an order"),
        "order.decline": _("declined an order"),
        "order.cancel": _("cancelled an order"),
        "order.pack": _("packed an order"),
        "order.ship": _("sent an order"),
        "order.deliver": _("handed an order over"),
    }
)


class OrderState(enum.StrEnum):
    """Where the whole order stands."""

    PENDING_PAYMENT = "pending_payment"
    PLACED = "placed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class SellerOrderState(enum.StrEnum):
    """Where one producer's part stands (the producer's screen)."""

    PENDING = "pending"
    TO_CONFIRM = "to_confirm"
    PREPARING = "preparing"
    READY = "ready"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    DELIVERY_FAILED = "delivery_failed"
    RETURNING = "returning"
    RETURNED = "returned"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Ended(enum.StrEnum):
    """Why a cancelled part ended; late money revives only what expired."""

    EXPIRED = "expired"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


class Verb(enum.StrEnum):
    """What may be done to a part; the past of these verbs is the order's history."""

    PLACE = "place"
    PAY = "pay"
    EXPIRE = "expire"
    CANCEL = "cancel"
    REVIVE = "revive"
    ACCEPT = "accept"
    DECLINE = "decline"
    TIME_OUT = "time_out"
    PACK = "pack"
    SHIP = "ship"
    DELIVER = "deliver"
    SETTLE = "settle"
    LATE_MONEY = "late_money"
    PAY_BACK = "pay_back"


# Acts of people that stand in the list of what was done at a desk, beside the order's own history.
TOLD_AT_THE_DESK = frozenset(
    {Verb.ACCEPT, Verb.DECLINE, Verb.CANCEL, Verb.PACK, Verb.SHIP, Verb.DELIVER}
)
_S = SellerOrderState
MOVES: dict[Verb, tuple[frozenset[SellerOrderState], SellerOrderState]] = {
    Verb.PAY: (frozenset({_S.PENDING}), _S.TO_CONFIRM),
    Verb.EXPIRE: (frozenset({_S.PENDING}), _S.CANCELLED),
    Verb.CANCEL: (frozenset({_S.PENDING, _S.TO_CONFIRM}), _S.CANCELLED),
    Verb.REVIVE: (frozenset({_S.CANCELLED}), _S.TO_CONFIRM),
    Verb.ACCEPT: (frozenset({_S.TO_CONFIRM}), _S.PREPARING),
    Verb.DECLINE: (frozenset({_S.TO_CONFIRM, _S.PREPARING, _S.READY}), _S.CANCELLED),
    Verb.TIME_OUT: (frozenset({_S.TO_CONFIRM}), _S.CANCELLED),
    Verb.PACK: (frozenset({_S.PREPARING}), _S.READY),
    Verb.SHIP: (frozenset({_S.READY}), _S.SHIPPED),
    Verb.DELIVER: (frozenset({_S.SHIPPED}), _S.DELIVERED),
}
UNPAID_OR_ENDED = frozenset({_S.PENDING, _S.CANCELLED})
TERMINAL = frozenset({_S.COMPLETED, _S.CANCELLED, _S.RETURNED})


class NoSuchOrder(NotFound):
    """There is no such order, or it is not this person's to see: the same answer for both."""


class TooLate(Conflict):
    """The part has moved on; what was asked fits an earlier moment."""


class Order(Base):
    """One buyer, one address, one cart: `cart_id` is unique, so a cart is ordered once."""

    __tablename__ = "customer_order"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    token_hash: Mapped[str]
    cart_id: Mapped[int] = mapped_column(ForeignKey("cart.id"), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    state: Mapped[OrderState] = mapped_column(word(OrderState))
    payment_method: Mapped[str]
    buyer_name: Mapped[str]
    buyer_phone: Mapped[str] = mapped_column(index=True)
    buyer_email: Mapped[str | None]
    province_code: Mapped[str]
    commune_code: Mapped[str]
    street: Mapped[str]
    address_text: Mapped[str]
    note: Mapped[str | None]
    total: Mapped[Money]
    language: Mapped[str] = mapped_column(default="vi")
    placed_at: Mapped[datetime]


class SellerOrder(Base):
    """One producer's part: its lines, its delivery, its own hold and its own clock."""

    __tablename__ = "seller_order"
    __table_args__ = (
        UniqueConstraint("order_id", "producer_id"),
        Index("ix_seller_order_desk", "producer_id", "state", "id"),
        Index("ix_seller_order_clock", "state", "hold_expires_at"),
        Index("ix_seller_order_confirm", "state", "confirm_by"),
        CheckConstraint("total >= 0 AND shipping_fee >= 0", name="not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("customer_order.id"))
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"))
    producer_name: Mapped[str]
    state: Mapped[SellerOrderState] = mapped_column(word(SellerOrderState))
    delivery_name: Mapped[str]
    items_total: Mapped[Money]
    shipping_fee: Mapped[Money]
    total: Mapped[Money]
    hold_expires_at: Mapped[datetime | None]
    confirm_by: Mapped[datetime | None]
    called_buyer: Mapped[bool] = mapped_column(default=False)
    ended: Mapped[Ended | None] = mapped_column(word(Ended))
    ended_why: Mapped[str | None]


class OrderLine(Base):
    """Keeps the name, price, place and stars of the day: later edits never rewrite a receipt."""

    __tablename__ = "order_line"
    __table_args__ = (CheckConstraint("quantity > 0 AND unit_price > 0", name="some"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_order_id: Mapped[int] = mapped_column(ForeignKey("seller_order.id"), index=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    product_name: Mapped[str]
    variant_name: Mapped[str]
    unit: Mapped[str]
    unit_price: Mapped[Money]
    quantity: Mapped[int]
    place: Mapped[str | None]
    stars: Mapped[int | None]


class LineHold(Base):
    """Which reservation holds goods for which line; a line may be held from several lots."""

    __tablename__ = "line_hold"

    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservation.id"), primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), index=True)


class OrderEvent(Base):
    """One move of one part of an order, with who made it; added in the same transaction."""

    __tablename__ = "order_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("customer_order.id"), index=True)
    seller_order_id: Mapped[int | None] = mapped_column(ForeignKey("seller_order.id"))
    at: Mapped[datetime]
    verb: Mapped[str]
    from_state: Mapped[str | None]
    to_state: Mapped[str | None]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    actor_name: Mapped[str]
    on_behalf_of: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


def find_by_cart(session: Session, cart_id: int) -> Order | None:
    """Return the order this cart became, if it did."""
    return session.scalar(select(Order).where(Order.cart_id == cart_id))


def find_by_code(session: Session, code: str) -> Order | None:
    """Return the order under its public code, which opens nothing by itself."""
    return session.scalar(select(Order).where(Order.code == code))


def list_parts(session: Session, order_id: int) -> list[SellerOrder]:
    """Return the parts of an order, in the order they were written."""
    return list(
        session.scalars(
            select(SellerOrder).where(SellerOrder.order_id == order_id).order_by(SellerOrder.id)
        )
    )


def get_part(session: Session, code: str, producer_id: int) -> tuple[Order, SellerOrder]:
    """Return this producer's part of an order; another's does not exist here (NoSuchOrder)."""
    row = session.execute(
        select(Order, SellerOrder)
        .join(SellerOrder, SellerOrder.order_id == Order.id)
        .where(Order.code == code, SellerOrder.producer_id == producer_id)
    ).one_or_none()
    if row is None:
        raise NoSuchOrder
    return row[0], row[1]


def list_lines(session: Session, part_ids: Collection[int]) -> list[OrderLine]:
    """Return the lines of these parts, in the order they were written."""
    return list(
        session.scalars(
            select(OrderLine).where(OrderLine.seller_order_id.in_(part_ids)).order_by(OrderLine.id)
        )
    )


def list_holds(session: Session, part_ids: Collection[int]) -> list[int]:
    """Return the reservations that were ever made for the lines of these parts."""
    return list(
        session.scalars(
            select(LineHold.reservation_id)
            .join(OrderLine, OrderLine.id == LineHold.line_id)
            .where(OrderLine.seller_order_id.in_(part_ids))
        )
    )


def lock(session: Session, order_id: int) -> None:
    """Let one transaction at a time move the parts of an order; what was read before is re-read.

    SQLite writers are alone anyway. The row lock only keeps two movers of PostgreSQL from judging
    the whole order by halves of it; each move still checks and changes in one statement.
    """
    session.execute(select(Order.id).where(Order.id == order_id).with_for_update(key_share=True))
    session.expire_all()


def move(
    session: Session,
    part: SellerOrder,
    verb: Verb,
    *,
    actor: Actor,
    now: datetime,
    only_if: tuple[Any, ...] = (),
    detail: dict[str, Any] | None = None,
    **values: Any,
) -> bool:
    """Make one move of the table, with its event; the caller holds the order's lock.

    Returns False when the part already stands where the move leads: repeating is harmless.
    Raises TooLate when the table, or `only_if` beside it, does not allow it now.
    """
    from_states, to_state = MOVES[verb]
    before = part.state
    if before == to_state and verb is not Verb.REVIVE:
        return False
    if before not in from_states:
        raise TooLate(_("This order has moved on meanwhile. Look at it again."))
    changed = session.execute(
        update(SellerOrder)
        .where(SellerOrder.id == part.id, SellerOrder.state == before, *only_if)
        .values(state=to_state, **values)
        .execution_options(synchronize_session=False)
    )
    session.refresh(part)
    if cast("CursorResult[Any]", changed).rowcount == 0:
        raise TooLate(_("This order has moved on meanwhile. Look at it again."))
    note(session, part, verb, actor=actor, now=now, before=before, detail=detail)
    _settle(session, part.order_id, now=now)
    return True


def note(
    session: Session,
    part: SellerOrder,
    verb: Verb,
    *,
    actor: Actor,
    now: datetime,
    before: SellerOrderState | None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write down what happened to a part, with who did it."""
    session.add(
        OrderEvent(
            order_id=part.order_id,
            seller_order_id=part.id,
            at=now,
            verb=verb,
            from_state=before,
            to_state=part.state,
            actor_id=actor.user_id,
            actor_name=actor.name,
            on_behalf_of=actor.on_behalf_of,
            detail=detail or {},
        )
    )
    if actor.user_id is not None and verb in TOLD_AT_THE_DESK:
        code = session.get_one(Order, part.order_id).code
        record(session, actor, f"order.{verb}", f"order:{code}", now=now, order=code)


def _settle(session: Session, order_id: int, *, now: datetime) -> None:
    """Make the whole order's state follow from its parts; nothing else writes it."""
    order = session.get_one(Order, order_id)
    parts = session.execute(
        select(SellerOrder.state, SellerOrder.ended).where(SellerOrder.order_id == order_id)
    ).all()
    before = order.state
    after = _state_of(before, {part.state for part in parts}, {part.ended for part in parts})
    if after == before:
        return
    session.execute(
        update(Order)
        .where(Order.id == order_id, Order.state == before)
        .values(state=after)
        .execution_options(synchronize_session=False)
    )
    session.refresh(order)
    session.add(
        OrderEvent(
            order_id=order_id,
            at=now,
            verb=Verb.SETTLE,
            from_state=before,
            to_state=after,
            actor_name=SYSTEM.name,
            detail={},
        )
    )


def _state_of(
    before: OrderState, states: set[SellerOrderState], ended: set[Ended | None]
) -> OrderState:
    if states == {SellerOrderState.CANCELLED}:
        if before is not OrderState.PENDING_PAYMENT:
            return before if before is not OrderState.PLACED else OrderState.CANCELLED
        return OrderState.EXPIRED if ended == {Ended.EXPIRED} else OrderState.CANCELLED
    if states <= TERMINAL:
        return OrderState.CLOSED
    return before if states <= UNPAID_OR_ENDED else OrderState.PLACED
