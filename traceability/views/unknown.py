"""The one page for a code nobody printed: same words, same look, same cost for each of them."""

from flask import Response, current_app, make_response, render_template, request

from accounts import throttle
from core.clock import utc_now
from core.codes import is_well_formed
from core.web.requests import transaction
from traceability.codes import TRACE_CODE
from traceability.scan import readable

UNKNOWN_A_MINUTE = 120


def unknown_page(typed: str, *, reason: str | None = None, status: int = 404) -> Response:
    """Return the page of a code that names nothing; with a `reason` it could not name anything."""
    page = render_template("traceability/_unknown.html", code=shown(typed), reason=reason)
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    return response


def count_unknown() -> None:
    """Count one unknown code against the visitor's network; too many in a minute are refused.

    Called only once it is certain that nothing has the code, so that no real one is ever refused.
    """
    secret = current_app.config["SETTINGS"].SECRET_KEY
    key = f"trace:unknown:{throttle.network_of(secret, request.remote_addr)}"
    with transaction() as session:
        throttle.allow(session, key, limit=UNKNOWN_A_MINUTE, seconds=60, now=utc_now())


def shown(typed: str) -> str:
    """Write a code in groups of four as on the label; nothing for what is no code at all."""
    if is_well_formed(TRACE_CODE, typed):
        return f"{typed[:4]} {typed[4:8]} {typed[8:]}"
    return readable(typed) or ""
