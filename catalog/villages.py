"""Villages: a craft, a place to visit, the makers who live there. Facts with their source."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from catalog.slugs import free_slug
from core.db import Base
from core.errors import Invalid, NotFound
from core.i18n import lazy as _
from core.text import clean, fold

describe({"village.told": _("wrote the story of a village")})


class NobodyVouches(Invalid):
    """Words about a village without anybody who stands for them."""


class NoSuchVillage(NotFound):
    """No village has this address."""


class Village(Base):
    """One village (làng, thôn) as a source names it; empty stays empty.

    `story` and `directions` (how to get there) are written by staff, `told_by` names who or what
    vouches for them.
    """

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
    story: Mapped[str | None]
    story_en: Mapped[str | None]
    directions: Mapped[str | None]
    directions_en: Mapped[str | None]
    told_by: Mapped[str | None]
    told_at: Mapped[datetime | None]


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


@dataclass(frozen=True, slots=True)
class Told:
    """What a visitor reads of a village besides its craft."""

    story: str | None
    story_en: str | None
    directions: str | None
    directions_en: str | None
    told_by: str | None


def tell(session: Session, village: Village, told: Told, *, actor: Actor, now: datetime) -> None:
    """Write down story and way there; both need somebody who vouches for them.

    Raises NobodyVouches.
    """
    values = {name: clean(getattr(told, name) or "") or None for name in Told.__slots__}
    if not values["told_by"] and any(values.values()):
        raise NobodyVouches(
            _("Name who told it or where it is written, so that readers can judge."),
            field="told_by",
        )
    for name, value in values.items():
        setattr(village, name, value)
    village.told_at = now
    record(session, actor, "village.told", f"village:{village.id}", now=now)


def search(
    session: Session, words: str, *, after_id: int, limit: int
) -> tuple[list[Village], int | None]:
    """Return villages whose name holds `words`, and the id after which the next page begins."""
    pattern = "%" + fold(words).replace("%", "").replace("_", "") + "%"
    found = list(
        session.scalars(
            select(Village)
            .where(Village.id > after_id, Village.name_folded.like(pattern))
            .order_by(Village.id)
            .limit(limit + 1)
        )
    )
    return found[:limit], found[limit - 1].id if len(found) > limit else None
