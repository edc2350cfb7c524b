"""Which lots went into which: mixing and splitting, written with the step that did it."""

from collections.abc import Collection
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base


class LotEdge(Base):
    """So much of one lot went into another, told by one event."""

    __tablename__ = "lot_edge"
    __table_args__ = (CheckConstraint("input_lot_id <> output_lot_id", name="two_lots"),)

    input_lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    output_lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True, index=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("trace_event.id"), primary_key=True)
    quantity: Mapped[Decimal | None] = mapped_column(Numeric(14, 3))
    unit: Mapped[str | None]


def inputs_of(session: Session, lot_ids: Collection[int]) -> list[LotEdge]:
    """Return what went into these lots."""
    return list(session.scalars(select(LotEdge).where(LotEdge.output_lot_id.in_(lot_ids))))


def outputs_of(session: Session, lot_ids: Collection[int]) -> list[LotEdge]:
    """Return what these lots went into."""
    return list(session.scalars(select(LotEdge).where(LotEdge.input_lot_id.in_(lot_ids))))
