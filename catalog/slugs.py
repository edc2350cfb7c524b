"""Addresses of pages: one slug for one thing, and a 301 for ever from every slug it once had."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select, union_all, update
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from core.db import Base
from core.errors import Conflict
from core.i18n import lazy as _
from core.text import slugify

MOST_NAMESAKES = 500


class TooManyNamesakes(Conflict):
    """Hundreds of things already have this name; it needs a more telling one."""


class SlugChange(Base):
    """An address a page once had; it answers 301 for ever."""

    __tablename__ = "slug_change"

    kind: Mapped[str] = mapped_column(primary_key=True)
    old_slug: Mapped[str] = mapped_column(primary_key=True)
    new_slug: Mapped[str]
    changed_at: Mapped[datetime]


def find_new_slug(session: Session, kind: str, old_slug: str) -> str | None:
    """Return today's slug of what once had `old_slug`, however often it changed since."""
    return session.scalar(
        select(SlugChange.new_slug).where(SlugChange.kind == kind, SlugChange.old_slug == old_slug)
    )


def free_slug(
    session: Session,
    kind: str,
    column: InstrumentedAttribute[str],
    name: str,
    *,
    hints: Iterable[str] = (),
) -> str:
    """Return a slug for `name` that nothing has or ever had.

    When the bare name is taken, each of `hints` (a producer, a place) is tried before a number.
    """
    plain = slugify(name) or kind
    hinted = [slugify(f"{name} {hint}") for hint in hints if hint]
    numbered = [f"{plain[:74]}-{number}" for number in range(2, MOST_NAMESAKES)]
    for candidates in ([plain, *hinted], numbered):
        taken = set(
            session.scalars(
                union_all(
                    select(column).where(column.in_(candidates)),
                    select(SlugChange.old_slug).where(
                        SlugChange.kind == kind, SlugChange.old_slug.in_(candidates)
                    ),
                )
            )
        )
        for slug in candidates:
            if slug not in taken:
                return slug
    raise TooManyNamesakes(
        _("Hundreds of goods have this name already. Give it a more telling one."), field="name"
    )


def remember_change(session: Session, kind: str, old: str, new: str, *, now: datetime) -> None:
    """Send `old` and everything that led to it on to `new`, in one step for every reader."""
    session.execute(delete(SlugChange).where(SlugChange.kind == kind, SlugChange.old_slug == new))
    session.execute(
        update(SlugChange)
        .where(SlugChange.kind == kind, SlugChange.new_slug == old)
        .values(new_slug=new)
    )
    session.add(SlugChange(kind=kind, old_slug=old, new_slug=new, changed_at=now))
    session.flush()
