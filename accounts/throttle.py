"""Counters of failed tries, kept in the database: safety never depends on Redis."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class TryCounter(Base):
    """How often something was tried under one key in the current window."""

    __tablename__ = "try_counter"

    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    window_ends_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]
