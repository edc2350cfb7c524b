"""Papers with dates. A star badge is computed from an OCOP certificate valid on the day."""

import enum
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word


class PaperKind(enum.StrEnum):
    """What a paper proves."""

    OCOP = "ocop"
    FOOD_SAFETY = "food_safety"
    TEST_REPORT = "test_report"


class Certificate(Base):
    """One paper of one product. `expires_on` is the first day on which it no longer counts.

    `year_only`: the source names a year alone, counted from 1 January.
    """

    __tablename__ = "certificate"
    __table_args__ = (
        CheckConstraint("stars IS NULL OR stars BETWEEN 1 AND 5", name="stars"),
        Index("ix_certificate_valid", "product_id", "kind", "expires_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    kind: Mapped[PaperKind] = mapped_column(word(PaperKind))
    stars: Mapped[int | None]
    number: Mapped[str | None]
    issuer: Mapped[str | None]
    issued_on: Mapped[date]
    expires_on: Mapped[date | None]
    year_only: Mapped[bool] = mapped_column(default=False)
    file_key: Mapped[str | None]
    is_sample: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str | None]
