"""Plays a recorded stream into a show: the same file gives the same end at any speed.

Times of the recording are counted from the show's own start, so the outcome never depends on
when, how fast or in how many pieces it is played.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from accounts.audit import SYSTEM
from core.db import Database
from core.errors import Invalid
from core.i18n import lazy as _
from livestream import comments, ingest, shows
from livestream.comments import Arrival
from livestream.parsing import ShowCodes
from livestream.shows import Show, ShowItem, ShowState

Pause = Callable[[float], None]


class BrokenRecording(Invalid):
    """A line of the file is not an event of a recorded stream."""


@dataclass(slots=True)
class Played:
    """What a replay did."""

    events: int = 0
    comments: int = 0
    repeated: int = 0
    by_lane: dict[str, int] | None = None

    def count_lane(self, lane: str) -> None:
        """Count one new comment."""
        lanes = self.by_lane = self.by_lane or {}
        lanes[lane] = lanes.get(lane, 0) + 1


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
    kind = event["type"]
    with database.transaction() as session:
        current = session.get_one(Show, show.id)
        if kind == "session.start":
            for code, count in event.get("stock", {}).items():
                shows.set_cap(session, show.id, code, int(count))
            if current.state is ShowState.DRAFT:
                shows.go_live(session, current, actor=SYSTEM, now=now)
        elif kind == "session.end":
            if current.state is ShowState.LIVE:
                shows.end(session, current, actor=SYSTEM, now=now)
        elif kind == "pin":
            shows.pin(session, current, str(event["code"]), now=now)
        elif kind == "comment":
            comment = ingest.take_comment(
                session, current, items, codes, _arrival(event, show.starts_at, now)
            )
            played.comments += comment is not None
            played.repeated += comment is None
            if comment is not None:
                played.count_lane(comment.lane.value)
        elif kind == "comment.edited":
            comments.mark_edited(
                session, str(event["platform"]), str(event["ext_id"]), str(event["text"]), now=now
            )
        elif kind == "comment.removed":
            comments.mark_removed(session, str(event["platform"]), str(event["ext_id"]), now=now)


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
