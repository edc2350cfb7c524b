"""Villages: a craft, a place to visit, the makers who live there. Facts with their source."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Village(Base):
    """One village (làng, thôn) as a source names it; empty stays empty."""

    __tablename__ = "village"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_folded: Mapped[str]
    commune_code: Mapped[str | None] = mapped_column(ForeignKey("admin_unit.code"), index=True)
    former_commune: Mapped[str | None]
    former_district: Mapped[str | None]
    craft: Mapped[str | None]
    landmark: Mapped[str | None]
    source: Mapped[str]
