"""What goods cost when: every price at which they were really on offer, rows only added.

A price may be struck through beside a sale price only if the goods were truly sold at it: what is
struck is the lowest price of the month before, and only where that month is known long enough.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base
from core.money import Money

LOOK_BACK = timedelta(days=30)
KNOWN_FOR = timedelta(days=7)


class PricePoint(Base):
    """From `at` on the variant was offered at `price`; None says that it was not for sale."""

    __tablename__ = "price_point"
    __table_args__ = (Index("ix_price_point_variant", "variant_id", "at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"))
    at: Mapped[datetime]
    price: Mapped[Money | None]
    is_sale: Mapped[bool] = mapped_column(default=False)


def note(
    session: Session, variant_id: int, price: Money | None, *, at: datetime, is_sale: bool = False
) -> None:
    """Write down that the goods are offered at `price` from `at` on."""
    session.add(PricePoint(variant_id=variant_id, price=price, at=at, is_sale=is_sale))
    session.flush()


def list_points(session: Session, variant_id: int, *, limit: int) -> Sequence[PricePoint]:
    """Return the newest prices of a variant, the last one first."""
    return session.scalars(
        select(PricePoint)
        .where(PricePoint.variant_id == variant_id)
        .order_by(PricePoint.at.desc(), PricePoint.id.desc())
        .limit(limit)
    ).all()


def last_points(session: Session, variant_ids: Iterable[int]) -> dict[int, PricePoint]:
    """Return the newest price of each variant that has a history."""
    newest = (
        select(func.max(PricePoint.id))
        .where(PricePoint.variant_id.in_(list(variant_ids)))
        .group_by(PricePoint.variant_id)
    )
    points = session.scalars(select(PricePoint).where(PricePoint.id.in_(newest)))
    return {point.variant_id: point for point in points}


def truly_sold_at(
    session: Session, variant_id: int, *, before: datetime, live_since: datetime | None
) -> Money | None:
    """Return the lowest price of the month before a moment: what a sale may be compared with.

    None where buyers could buy the goods for less than a week of it, or not at all just then.
    """
    if live_since is None:
        return None
    opens = max(before - LOOK_BACK, live_since)
    points = session.scalars(
        select(PricePoint)
        .where(PricePoint.variant_id == variant_id, PricePoint.at < before)
        .order_by(PricePoint.at.desc(), PricePoint.id.desc())
    )
    lowest: Money | None = None
    since = before
    for point in points:
        if point.price is None:
            break
        lowest = point.price if lowest is None else min(lowest, point.price)
        since = max(point.at, opens)
        if since == opens:
            break
    return lowest if before - since >= KNOWN_FOR else None
