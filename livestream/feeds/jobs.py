"""Feeds are built in the background: every hour, and when someone asks. Never inside a request."""

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from core import assets, tasks
from core.clock import vietnam_day
from core.db import Database
from core.settings import Settings
from core.tasks import Work
from livestream.feeds import feeds
from livestream.feeds.meta import PictureAddress, Surroundings
from traceability.recalls import LotsFreed, LotsStopped

BUILD = "feeds.build"


def folder_of(settings: Settings) -> Path:
    """Return the folder that holds every feed's files."""
    return Path(settings.STORAGE_DIR) / "feeds"


def surroundings(settings: Settings, *, now: datetime) -> Surroundings:
    """Return what every row of a build started now shares."""
    pictures = PictureAddress(settings.PUBLIC_URL, assets.manifest())
    return Surroundings(settings.PUBLIC_URL, pictures, now)


def ask_for_build(
    session: Session, feed_id: int, *, now: datetime, even_if_smaller: bool = False
) -> None:
    """Leave the task that builds this feed; asking again within the minute adds nothing."""
    key = f"{BUILD}:{feed_id}:{now:%Y%m%d%H%M}{':smaller' if even_if_smaller else ''}"
    payload = {"feed_id": feed_id, "even_if_smaller": even_if_smaller}
    tasks.enqueue(session, BUILD, payload, now=now, key=key)


def ask_for_all(database: Database, now: datetime) -> None:
    """Leave a build task for every feed (runs by the clock)."""
    with database.transaction() as session:
        for feed in feeds.list_feeds(session):
            ask_for_build(session, feed.id, now=now)


def ask_on_new_day(database: Database, now: datetime) -> None:
    """Ask once a day, right after midnight in Vietnam: what papers proved ends then."""
    today = vietnam_day(now)
    with database.transaction() as session:
        for feed in feeds.list_feeds(session):
            if feed.built_at is not None and vietnam_day(feed.built_at) < today:
                payload = {"feed_id": feed.id, "even_if_smaller": False}
                tasks.enqueue(session, BUILD, payload, now=now, key=f"{BUILD}:{feed.id}:{today}")


def on_lots(session: Session, news: LotsStopped | LotsFreed) -> None:
    """Build every feed at once when lots are stopped or freed: channels sell them too."""
    for feed in feeds.list_feeds(session):
        payload = {"feed_id": feed.id, "even_if_smaller": False}
        # A key of its own: a file built earlier in this minute does not know of it.
        key = f"{BUILD}:{feed.id}:lots:{news.case_id}:{news.now:%Y%m%d%H%M%S%f}"
        tasks.enqueue(session, BUILD, payload, now=news.now, key=key)


def build(work: Work) -> None:
    """Build one feed; a feed that is being built elsewhere is not built twice."""
    try:
        feeds.rebuild(
            work.database,
            int(work.payload["feed_id"]),
            folder_of(work.settings),
            around=surroundings(work.settings, now=work.clock()),
            even_if_smaller=bool(work.payload.get("even_if_smaller")),
        )
    except feeds.AlreadyBuilding:
        return
