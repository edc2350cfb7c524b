"""Plays a recorded stream into a show: the same file gives the same end at any speed.

Times of the recording are counted from the show's own start, so the outcome never depends on
when, how fast or in how many pieces it is played.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from accounts.audit import SYSTEM
from core.db import Database
from core.errors import Invalid
from core.i18n import lazy as _
from livestream import comments, ingest, shows
from livestream.comments import Arrival, Comment
from livestream.parsing import ShowCodes
from livestream.shows import Show, ShowItem, ShowState

Pause = Callable[[float], None]


class BrokenRecording(Invalid):
    """A line of the file is not an event of a recorded stream."""


@dataclass(slots=True)
class Played:
    """What a replay did; `repeated` counts comments that were already here."""

    events: int = 0
    comments: int = 0
    repeated: int = 0
    by_lane: Counter[str] = field(default_factory=Counter)

    def count(self, comment: Comment | None) -> None:
        """Count one delivered comment."""
        if comment is None:
            self.repeated += 1
            return
        self.comments += 1
        self.by_lane[comment.lane.value] += 1


def read_recording(path: Path) -> Iterator[dict[str, Any]]:
    """Give every event of the file, or raise BrokenRecording naming the line."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                event = json.loads(line)
                float(event["t"])
                str(event["type"])
            except (ValueError, KeyError, TypeError) as error:
                raise BrokenRecording(
                    _("Line %(line)s is not an event of a recorded stream.", line=number)
                ) from error
            yield event


def play(
    database: Database, slug: str, events: Iterator[dict[str, Any]], *, speed: float, pause: Pause
) -> Played:
    """Play events into the show, one transaction each; speed 0 means as fast as possible."""
    with database.reading() as session:
        show = shows.get_show(session, slug)
        items = shows.list_items(session, show.id)
    codes = ingest.codes_of(items)
    played = Played()
    clock = 0.0
    for event in events:
        moment = float(event["t"])
        if speed > 0 and moment > clock:
            pause((moment - clock) / speed)
        clock = max(clock, moment)
        _play_one(database, show, items, codes, event, played)
        played.events += 1
    return played


def _play_one(
    database: Database,
    show: Show,
    items: list[ShowItem],
    codes: ShowCodes,
    event: dict[str, Any],
    played: Played,
) -> None:
    now = show.starts_at + timedelta(seconds=float(event["t"]))
    with database.transaction() as session:
        current = session.get_one(Show, show.id)
        if event["type"] == "comment":
            comment = ingest.take_comment(
                session, current, items, codes, _arrival(event, show.starts_at, now)
            )
            played.count(comment)
        elif event["type"] in {"comment.edited", "comment.removed"}:
            _change_comment(session, event, now=now)
        else:
            _run_show(session, current, event, now=now)


def _change_comment(session: Session, event: dict[str, Any], *, now: datetime) -> None:
    platform, number = str(event["platform"]), str(event["ext_id"])
    if event["type"] == "comment.edited":
        comments.mark_edited(session, platform, number, str(event["text"]), now=now)
    else:
        comments.mark_removed(session, platform, number, now=now)


def _run_show(session: Session, show: Show, event: dict[str, Any], *, now: datetime) -> None:
    """Do what the recording says of the show itself; viewer counts and the like change nothing."""
    kind = event["type"]
    if kind == "session.start":
        for code, count in event.get("stock", {}).items():
            shows.set_cap(session, show.id, code, int(count))
        if show.state is ShowState.DRAFT:
            shows.go_live(session, show, actor=SYSTEM, now=now)
    elif kind == "session.end" and show.state is ShowState.LIVE:
        shows.end(session, show, actor=SYSTEM, now=now)
    elif kind == "pin":
        shows.pin(session, show, str(event["code"]), now=now)


def _arrival(event: dict[str, Any], starts_at: datetime, now: datetime) -> Arrival:
    created = starts_at + timedelta(seconds=float(event.get("created_t", event["t"])))
    user = event.get("user_id")
    return Arrival(
        platform=str(event["platform"]),
        external_id=str(event["ext_id"]),
        external_user=None if user is None else str(user),
        user_name=str(event.get("user_name") or ""),
        text=str(event.get("text", "")),
        author=str(event.get("author", "viewer")),
        created_at=created,
        received_at=now,
    )
