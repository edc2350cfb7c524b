"""A feed: one channel's file of the shop or of one producer, at a secret address."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word


class Channel(enum.StrEnum):
    """Where a feed goes."""

    META = "meta"


class Feed(Base):
    """One file: its secret address, its last good build and that build's report."""

    __tablename__ = "feed"
    __table_args__ = (UniqueConstraint("channel", "producer_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[Channel] = mapped_column(word(Channel))
    producer_id: Mapped[int | None] = mapped_column(ForeignKey("producer.id"))
    token: Mapped[str] = mapped_column(unique=True)
    built_at: Mapped[datetime | None]
    etag: Mapped[str | None]
    file_key: Mapped[str | None]
    rows: Mapped[int] = mapped_column(default=0)
    report: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    fetched_at: Mapped[datetime | None]
