"""The one page for a code nobody printed: same words, same look, same cost for each of them."""

from contextlib import suppress

from flask import Response, current_app, make_response, render_template, request

from accounts import throttle
from accounts.throttle import TooManyTries
from core.clock import utc_now
from core.codes import is_well_formed
from core.web.requests import transaction
from traceability import enumeration
from traceability.codes import TRACE_CODE
from traceability.scan import readable

UNKNOWN_A_MINUTE = 120


def unknown_page(typed: str, *, reason: str | None = None, status: int = 404) -> Response:
    """Return the page of a code that names nothing; with a `reason` it could not name anything."""
    page = render_template("traceability/_unknown.html", code=shown(typed), reason=reason)
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    return response


def unknown_code(typed: str) -> Response:
    """Answer a code that certainly nothing has, and count it against the visitor's network.

    Beyond what anybody mistypes in a minute the page is the same with 429, and staff are told.
    """
    wait = _seconds_to_wait()
    page = unknown_page(typed, status=429 if wait else 404)
    if wait:
        page.headers["Retry-After"] = str(wait)
    return page


def _seconds_to_wait() -> int:
    secret = current_app.config["SETTINGS"].SECRET_KEY
    key = f"trace:unknown:{throttle.network_of(secret, request.remote_addr)}"
    now = utc_now()
    try:
        with transaction() as session:
            throttle.allow(session, key, limit=UNKNOWN_A_MINUTE, seconds=60, now=now)
    except TooManyTries as refusal:
        _tell_staff(key)
        return refusal.retry_after
    return 0


def _tell_staff(key: str) -> None:
    with suppress(TooManyTries), transaction() as session:
        throttle.allow(session, f"{key}:told", limit=1, seconds=60, now=utc_now())
        enumeration.tell(session, now=utc_now())


def shown(typed: str) -> str:
    """Write a code in groups of four as on the label; nothing for what is no code at all."""
    if is_well_formed(TRACE_CODE, typed):
        return f"{typed[:4]} {typed[4:8]} {typed[8:]}"
    return readable(typed) or ""
