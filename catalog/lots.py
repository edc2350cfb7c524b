"""Lots: what was made together, with its dates. A recalled or held lot is never sold."""

import enum
from datetime import date, datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word


class LotState(enum.StrEnum):
    """Only an active lot that has not expired may be sold."""

    ACTIVE = "active"
    HELD = "held"
    RECALLED = "recalled"


class Lot(Base):
    """One lot of one variant; `code` is what stands on the label, [A-Z0-9-] only."""

    __tablename__ = "lot"
    __table_args__ = (UniqueConstraint("variant_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"), index=True)
    code: Mapped[str]
    state: Mapped[LotState] = mapped_column(word(LotState), default=LotState.ACTIVE)
    produced_on: Mapped[date | None]
    packed_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    quantity: Mapped[int | None]
    recall_reason: Mapped[str | None]
    recalled_at: Mapped[datetime | None]
    is_sample: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
