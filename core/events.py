"""News that travels up: a lower floor says what happened, wsgi.py alone knows who listens.

Handlers run in the same transaction as the news: what they write is kept or lost with it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy.orm import Session

Handler = Callable[[Session, Any], None]
_listeners: dict[type, list[Handler]] = defaultdict(list)


def subscribe(pairs: Iterable[tuple[type, Handler]]) -> None:
    """Replace every subscription by `pairs` of (event class, handler)."""
    _listeners.clear()
    for kind, handler in pairs:
        _listeners[kind].append(handler)


def publish(session: Session, news: object) -> None:
    """Tell every listener of this kind of news, now, in this transaction."""
    for handler in _listeners[type(news)]:
        handler(session, news)
