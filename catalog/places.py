"""Provinces and communes as the law names them, with dates: units merge and change names."""

import enum
from datetime import date

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word


class Level(enum.StrEnum):
    """The two levels since July 2025."""

    PROVINCE = "province"
    COMMUNE = "commune"


class AdminUnit(Base):
    """One unit under its official code: 2 digits for a province, 5 for a commune."""

    __tablename__ = "admin_unit"

    code: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[Level] = mapped_column(word(Level))
    name: Mapped[str]
    name_folded: Mapped[str]
    sort_key: Mapped[str]
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("admin_unit.code"), index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source: Mapped[str]


class FormerUnit(Base):
    """What a commune was called before: several rows where the old one was split."""

    __tablename__ = "former_unit"
    __table_args__ = (Index("ix_former_unit_name", "ward_folded"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    old_code: Mapped[str] = mapped_column(index=True)
    ward: Mapped[str]
    ward_folded: Mapped[str]
    district: Mapped[str]
    province: Mapped[str]
    new_code: Mapped[str] = mapped_column(ForeignKey("admin_unit.code"))
    divided: Mapped[bool]
