"""A feed: one channel's file of the shop or of one producer, at a secret address."""

import enum
import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from core.db import Base, Database, word
from core.errors import Conflict, NotFound
from core.i18n import lazy as _
from livestream.feeds.building import SuspiciousBuild, write_files
from livestream.feeds.meta import Surroundings

describe(
    {
        "feed.change_address": _("changed a feed's address"),
        "feed.accept_smaller": _("accepted a smaller feed"),
    }
)

KEPT_FILES = 3


class Channel(enum.StrEnum):
    """Where a feed goes."""

    META = "meta"


class UnknownFeed(NotFound):
    """No feed has this address, or it was revoked."""


class AlreadyBuilding(Conflict):
    """Another process builds this feed right now."""


class Feed(Base):
    """One file: its secret address, its last good build and that build's report.

    `alarm` holds why the newest build was not put in place; the last good file stays.
    """

    __tablename__ = "feed"
    __table_args__ = (
        Index("uq_feed_producer", "channel", "producer_id", unique=True),
        # NULL producers are all different to a unique index: the shop's own feed needs its own.
        Index(
            "uq_feed_shop",
            "channel",
            unique=True,
            sqlite_where=text("producer_id IS NULL"),
            postgresql_where=text("producer_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[Channel] = mapped_column(word(Channel))
    producer_id: Mapped[int | None] = mapped_column(ForeignKey("producer.id"))
    token: Mapped[str] = mapped_column(unique=True)
    built_at: Mapped[datetime | None]
    etag: Mapped[str | None]
    file_name: Mapped[str | None]
    rows: Mapped[int] = mapped_column(default=0)
    report: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    alarm: Mapped[str | None]
    fetched_at: Mapped[datetime | None]


def get_by_token(session: Session, token: str) -> Feed:
    """Return the feed at a secret address, or raise UnknownFeed."""
    feed = session.scalar(select(Feed).where(Feed.token == token))
    if feed is None:
        raise UnknownFeed
    return feed


def find_feed(session: Session, channel: Channel, producer_id: int | None) -> Feed | None:
    """Return the feed of a producer, or of the whole shop for None."""
    owner = Feed.producer_id.is_(None) if producer_id is None else Feed.producer_id == producer_id
    return session.scalar(select(Feed).where(Feed.channel == channel, owner))


def list_feeds(session: Session) -> list[Feed]:
    """Return every feed, the shop's own first."""
    return list(session.scalars(select(Feed).order_by(Feed.producer_id.is_not(None), Feed.id)))


def ensure_feed(session: Session, channel: Channel, *, producer_id: int | None = None) -> Feed:
    """Return the feed, giving it a secret address the first time."""
    feed = find_feed(session, channel, producer_id)
    if feed is None:
        feed = Feed(channel=channel, producer_id=producer_id, token=_secret(), report={})
        session.add(feed)
        session.flush()  # gives the feed its id
    return feed


def change_address(
    session: Session, channel: Channel, producer_id: int | None, actor: Actor, *, now: datetime
) -> str:
    """Give the feed a new secret address; the old one answers 404 from now on."""
    feed = find_feed(session, channel, producer_id)
    if feed is None:
        raise UnknownFeed
    feed.token = _secret()
    record(session, actor, "feed.change_address", f"feed:{feed.id}", now=now)
    return feed.token


def accept_smaller(
    session: Session, channel: Channel, producer_id: int | None, actor: Actor, *, now: datetime
) -> Feed:
    """Note that somebody looked at the alarm and says the goods are gone; return the feed."""
    feed = find_feed(session, channel, producer_id)
    if feed is None:
        raise UnknownFeed
    record(session, actor, "feed.accept_smaller", f"feed:{feed.id}", now=now)
    return feed


def note_fetch(session: Session, feed_id: int, *, now: datetime) -> None:
    """Remember that a channel fetched the file just now."""
    session.execute(update(Feed).where(Feed.id == feed_id).values(fetched_at=now))


def rebuild(
    database: Database,
    feed_id: int,
    folder: Path,
    *,
    around: Surroundings,
    even_if_smaller: bool = False,
) -> bool:
    """Build the feed's file and serve it from now on; say whether it was put in place.

    The file's name carries its content, so that address, tag and bytes always belong together.
    A suspicious build leaves the last good file and raises the feed's alarm, unless somebody who
    looked says that the goods are gone indeed (`even_if_smaller`).
    """
    own = folder / str(feed_id)
    own.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(own):
        with database.reading() as session:
            feed = session.get_one(Feed, feed_id)
            try:
                built = write_files(
                    session,
                    own,
                    "building",
                    around=around,
                    producer_id=feed.producer_id,
                    last_rows=0 if even_if_smaller else feed.rows,
                )
            except SuspiciousBuild as refusal:
                reason = str(refusal.message)
                built = None
        if built is None:
            with database.transaction() as session:
                session.execute(update(Feed).where(Feed.id == feed_id).values(alarm=reason))
            return False
        name = f"{feed.channel.value}-{built.report.sha256[:16]}.csv"
        built.file.replace(own / name)
        built.twin.replace(own / f"{name}.gz")
        with database.transaction() as session:
            session.execute(
                update(Feed)
                .where(Feed.id == feed_id)
                .values(
                    built_at=around.now,
                    etag=built.report.sha256,
                    file_name=name,
                    rows=built.report.rows,
                    report=built.report.to_json(),
                    alarm=None,
                )
            )
        _forget_old_files(own, keep=name)
    return True


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyBuilding(_("This feed is being built right now.")) from None
        yield


def _forget_old_files(folder: Path, *, keep: str) -> None:
    files = sorted(folder.glob("*-*.csv"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[KEPT_FILES:]:
        if path.name != keep:
            path.unlink()
            path.with_name(path.name + ".gz").unlink(missing_ok=True)


def _secret() -> str:
    # Lower case: addresses are read aloud and copied by hand into other people's forms.
    return secrets.token_hex(20)
