"""What a service's call to us consists of, and how its handler answers; no rule of any service.

A handler is a function of a Call that returns a Reply. It proves the sender first and raises Forged
when it cannot; what it then learns it keeps through `core.inbox` in the transaction of its effect.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.db import Database
from core.errors import NotFound
from core.settings import Settings
from core.storage import Storage
from core.text import has_control_characters

DEEPEST = 20


class Forged(Exception):  # noqa: N818 - what the call is
    """The sender could not prove itself, or what it signed cannot be read (400)."""


class NoSuchAddress(NotFound):
    """No open connection has this address."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came in: names of headers in small letters, the body untouched."""

    provider: str
    token: str | None
    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    settings: Settings
    database: Database
    storage: Storage
    now: datetime

    @property
    def secrets(self) -> Sequence[str]:
        """Return the keys that may have sealed something, the newest first."""
        return (self.settings.SECRET_KEY, *self.settings.SECRET_KEY_FALLBACKS)

    def header(self, name: str) -> str:
        """Return a header, empty when it was not sent."""
        return self.headers.get(name.lower(), "")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service wants to hear: JSON of `said`, or `text` where it wants plain words."""

    said: Mapping[str, Any] = field(default_factory=lambda: {"success": True})
    status: int = 200
    text: str | None = None


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object a service sent, or raise Forged: lists, NaN, NUL and depth are not."""
    try:
        found = json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Forged from error
    if not isinstance(found, dict) or not _is_plain(found, DEEPEST):
        raise Forged
    return found


def _refuse(word: str) -> None:
    raise ValueError(word)


def _is_plain(value: Any, depth: int) -> bool:
    if isinstance(value, str):
        return not has_control_characters(value)
    if isinstance(value, dict):
        return depth > 0 and all(
            _is_plain(key, depth) and _is_plain(one, depth - 1) for key, one in value.items()
        )
    if isinstance(value, list):
        return depth > 0 and all(_is_plain(one, depth - 1) for one in value)
    return True
