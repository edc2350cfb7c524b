"""Shows: one live sale with its sources, its coded goods and what is on screen."""

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word
from core.money import Money


class ShowState(enum.StrEnum):
    """draft → live → ended."""

    DRAFT = "draft"
    LIVE = "live"
    ENDED = "ended"


class Show(Base):
    """One live sale of one producer."""

    __tablename__ = "live_show"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), index=True)
    state: Mapped[ShowState] = mapped_column(word(ShowState), default=ShowState.DRAFT)
    starts_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    next_bag_no: Mapped[int] = mapped_column(default=1)
    pinned_item_id: Mapped[int | None]
    pinned_at: Mapped[datetime | None]
    is_sample: Mapped[bool] = mapped_column(default=False)


class ShowItem(Base):
    """One coded item of a show; `cap` bounds what the show may hold of the shop's own stock."""

    __tablename__ = "live_item"
    __table_args__ = (
        UniqueConstraint("show_id", "code"),
        CheckConstraint("0 <= held AND held <= cap", name="within_cap"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    show_id: Mapped[int] = mapped_column(ForeignKey("live_show.id"))
    position: Mapped[int]
    code: Mapped[str]
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"))
    name: Mapped[str]
    unit: Mapped[str]
    aliases: Mapped[str] = mapped_column(default="")
    options: Mapped[str] = mapped_column(default="")
    live_price: Mapped[Money]
    cap: Mapped[int]
    held: Mapped[int] = mapped_column(default=0)
