"""Claims: a comment that reserved the shop's own stock for a buyer's bag."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word


class BagState(enum.StrEnum):
    """One open bag per buyer per show."""

    OPEN = "open"
    CHECKED_OUT = "checked_out"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class ClaimState(enum.StrEnum):
    """A claim holds goods, waits for them, or has let them go."""

    HELD = "held"
    WAITING = "waiting"
    RELEASED = "released"


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


class Comment(Base):
    """One comment as it came; unique per platform, so that a re-delivery changes nothing."""

    __tablename__ = "live_comment"
    __table_args__ = (
        UniqueConstraint("platform", "external_id"),
        Index("ix_live_comment_show", "show_id", "lane", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    show_id: Mapped[int] = mapped_column(ForeignKey("live_show.id"))
    platform: Mapped[str]
    external_id: Mapped[str]
    external_user: Mapped[str | None]
    user_name: Mapped[str]
    text: Mapped[str]
    created_at: Mapped[datetime]
    received_at: Mapped[datetime]
    intent: Mapped[str]
    lane: Mapped[str]
    parsed: Mapped[dict[str, Any]] = mapped_column(JSON)
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    handled_at: Mapped[datetime | None]


class Claim(Base):
    """So many of one item for one bag, because of one comment."""

    __tablename__ = "live_claim"
    __table_args__ = (Index("ix_live_claim_item", "item_id", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    show_id: Mapped[int] = mapped_column(ForeignKey("live_show.id"), index=True)
    bag_id: Mapped[int] = mapped_column(ForeignKey("live_bag.id"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("live_item.id"))
    comment_id: Mapped[int] = mapped_column(ForeignKey("live_comment.id"), index=True)
    quantity: Mapped[int]
    note: Mapped[str]
    state: Mapped[ClaimState] = mapped_column(word(ClaimState))
    created_at: Mapped[datetime]


class ClaimHold(Base):
    """Which reservation holds goods for which claim."""

    __tablename__ = "claim_hold"

    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservation.id"), primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("live_claim.id"), index=True)
