"""Villages: a craft, a place to visit, the makers who live there. Facts with their source."""

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog.slugs import free_slug
from core.db import Base
from core.errors import NotFound
from core.i18n import lazy as _
from core.text import clean, fold


class NoSuchVillage(NotFound):
    """No village has this address."""


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


def find_by_slug(session: Session, slug: str) -> Village | None:
    """Return the village at this address, if there is one."""
    return session.scalar(select(Village).where(Village.slug == slug))


def get_by_slug(session: Session, slug: str) -> Village:
    """Return the village at this address, or raise NoSuchVillage."""
    village = find_by_slug(session, slug)
    if village is None:
        raise NoSuchVillage(_("There is no village at this address."))
    return village


def list_of_commune(session: Session, commune_code: str) -> list[Village]:
    """Return the villages of a commune, by name."""
    return list(
        session.scalars(
            select(Village)
            .where(Village.commune_code == commune_code)
            .order_by(Village.name_folded, Village.id)
        )
    )


def add(
    session: Session,
    name: str,
    *,
    source: str,
    commune_code: str | None = None,
    former_commune: str | None = None,
    former_district: str | None = None,
    craft: str | None = None,
    landmark: str | None = None,
) -> Village:
    """Write down a village; its address is made from its name."""
    name = clean(name)
    hints = [former_commune or "", former_district or ""]
    village = Village(
        slug=free_slug(session, "village", Village.slug, name, hints=hints),
        name=name,
        name_folded=fold(name),
        commune_code=commune_code,
        former_commune=former_commune,
        former_district=former_district,
        craft=craft,
        landmark=landmark,
        source=source,
    )
    session.add(village)
    session.flush()  # gives the village its id
    return village
