"""The diary of a lot: what was done, when, where, how much, a photo, by whom."""

import enum
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word


class StepKind(enum.StrEnum):
    """What a line of the diary tells."""

    SOWING = "sowing"
    CARE = "care"
    HARVEST = "harvest"
    INTAKE = "intake"
    PROCESSING = "processing"
    TESTING = "testing"
    PACKING = "packing"
    DISPATCH = "dispatch"


class Step(Base):
    """One line of a lot's diary. Times are UTC with the writer's zone kept beside them."""

    __tablename__ = "step"
    __table_args__ = (Index("ix_step_lot", "lot_id", "happened_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    kind: Mapped[StepKind] = mapped_column(word(StepKind))
    happened_at: Mapped[datetime]
    zone_offset: Mapped[str] = mapped_column(default="+07:00")
    place: Mapped[str | None]
    quantity: Mapped[Decimal | None] = mapped_column(Numeric(14, 3))
    unit: Mapped[str | None]
    note: Mapped[str | None]
    photo_key: Mapped[str | None]
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    entered_by_name: Mapped[str]
    on_behalf_of: Mapped[str | None]
    entered_at: Mapped[datetime]
    is_sample: Mapped[bool] = mapped_column(default=False)
