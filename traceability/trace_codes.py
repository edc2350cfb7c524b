"""Public codes of products, lots and serials: what a QR of ours says, for as long as it is stuck on."""

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word


class CodeKind(enum.StrEnum):
    """What a public code names."""

    PRODUCT = "product"
    LOT = "lot"
    SERIAL = "serial"


class TraceCode(Base):
    """One public code (10 characters and a check); a printed one is never reused or removed."""

    __tablename__ = "trace_code"
    __table_args__ = (
        CheckConstraint("kind <> 'lot' OR lot_id IS NOT NULL", name="lot_named"),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[CodeKind] = mapped_column(word(CodeKind))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"), index=True)
    created_at: Mapped[datetime]


class Serial(Base):
    """One serial of one lot, unguessable; activated when its label is stuck on the goods."""

    __tablename__ = "serial"

    serial: Mapped[str] = mapped_column(primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    is_sample: Mapped[bool] = mapped_column(default=False)
