"""Keeps rendered public pages for a few seconds: a market full of scanners costs one rendering.

Only what is the same for everybody is kept: answers to GET that say `Cache-Control: public`, set no
cookie and vary by nothing that the key does not know. A change shows when the seconds are over.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic

from flask import Flask, Response, current_app, g, request

MOST_PAGES = 1_000
LARGEST_PAGE = 100_000
KNOWN_TO_THE_KEY = {"", "accept-encoding", "accept-language", "referer"}
Key = tuple[str | bytes, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """One page as it was sent, with the moment it stops counting."""

    until: float
    headers: tuple[tuple[str, str], ...]
    body: bytes


class PageCache:
    """The newest pages of this process, the longest unused forgotten first."""

    def __init__(self, seconds: int) -> None:
        """Keep pages for at most `seconds`, and never longer than they themselves allow."""
        self.seconds = seconds
        self._pages: OrderedDict[Key, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Key) -> Kept | None:
        """Return the page under `key` while it counts."""
        with self._lock:
            kept = self._pages.get(key)
            if kept is None:
                return None
            if kept.until <= monotonic():
                del self._pages[key]
                return None
            self._pages.move_to_end(key)
            return kept

    def clear(self) -> None:
        """Forget every page."""
        with self._lock:
            self._pages.clear()

    def keep(self, key: Key, response: Response, *, max_age: int) -> None:
        """Remember a page for as long as it allows, `seconds` at most."""
        headers = tuple(response.headers.items())
        until = monotonic() + min(self.seconds, max_age)
        kept = Kept(until, headers, response.get_data())
        with self._lock:
            self._pages[key] = kept
            while len(self._pages) > MOST_PAGES:
                self._pages.popitem(last=False)


def install(app: Flask) -> None:
    """Answer from what is kept, and keep what may be; 0 seconds switches it off.

    Installed right after the request log, before everything else: its after_request runs when
    headers are set and the page is packed.
    """
    seconds = app.config["SETTINGS"].PAGE_CACHE_SECONDS
    if seconds:
        app.extensions["page_cache"] = PageCache(seconds)
        app.before_request(_answer_from_cache)
        app.after_request(_keep)


def _key() -> Key:
    # Path and query apart and as they came: a %3F in the path is no query.
    address = request.host, request.script_root, request.path, request.query_string
    return *address, _best_packing(), request.headers.get("HX-Request", ""), *_newcomer()


def _newcomer() -> tuple[str, str]:
    """Return what the first page answers by: it alone looks where and how somebody comes."""
    if request.path != "/":
        return "", ""
    return request.headers.get("Accept-Language", ""), request.headers.get("Referer", "")


def _best_packing() -> str:
    accepted = request.headers.get("Accept-Encoding", "")
    return "br" if "br" in accepted else "gzip" if "gzip" in accepted else ""


def _answer_from_cache() -> Response | None:
    if request.method != "GET":
        return None
    kept = current_app.extensions["page_cache"].find(_key())
    if kept is None:
        return None
    g.from_page_cache = True
    response = current_app.response_class(kept.body)
    response.headers.clear()
    response.headers.extend(kept.headers)
    response.make_conditional(request)
    return response


def _keep(response: Response) -> Response:
    if request.method != "GET" or g.get("from_page_cache") or not _same_for_everybody(response):
        return response
    age = response.cache_control.max_age
    if age and not response.direct_passthrough and (response.content_length or 0) <= LARGEST_PAGE:
        current_app.extensions["page_cache"].keep(_key(), response, max_age=age)
    return response


def _same_for_everybody(response: Response) -> bool:
    varies = {name.strip().lower() for name in response.headers.get("Vary", "").split(",")}
    return (
        response.status_code == HTTPStatus.OK
        and response.cache_control.public is True
        and "Set-Cookie" not in response.headers
        and varies <= KNOWN_TO_THE_KEY
        # «br;q=0, gzip» is packed otherwise than the key says: nobody else may be sent that.
        and response.headers.get("Content-Encoding", "") in {"", _best_packing()}
    )
