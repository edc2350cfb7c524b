"""Shows that are on or come next, for the pages of villages, communes and makers."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from livestream.shows import Show, ShowState
from shop.place_news import PlaceNews

MOST = 3
# A host may be late; after this, a show that never began is no news.
LATE = timedelta(hours=2)
# Nobody sells this long: a show still “on air” then was forgotten.
LONGEST = timedelta(hours=12)


def tell(session: Session, producer_ids: Sequence[int], now: datetime) -> list[PlaceNews]:
    """Return the shows of these producers that are on, then those that come next."""
    found = session.scalars(
        select(Show)
        .where(
            Show.producer_id.in_(producer_ids),
            or_(
                and_(Show.state == ShowState.LIVE, Show.starts_at > now - LONGEST),
                and_(Show.state == ShowState.DRAFT, Show.starts_at > now - LATE),
            ),
        )
        .order_by(Show.state != ShowState.LIVE, Show.starts_at, Show.id)
        .limit(MOST)
    )
    return [
        PlaceNews(
            title=show.title,
            endpoint="live.show",
            values=(("slug", show.slug),),
            begins_at=show.starts_at,
            is_on=show.state is ShowState.LIVE,
            is_sample=show.is_sample,
        )
        for show in found
    ]
