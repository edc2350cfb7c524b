"""The recall status of a code as JSON, for shops, authorities and anyone's program."""

from flask import Blueprint, Response, current_app, make_response, request

from core.clock import utc_now
from core.codes import is_well_formed, normalise
from core.web.requests import public, reading
from traceability import recall_status
from traceability.codes import TRACE_CODE
from traceability.views.unknown import unknown_code

blueprint = Blueprint("recall_status", __name__)

# As on the scan page: a recall is told within seconds.
FRESH = "public, max-age=2, stale-if-error=86400"


@blueprint.get("/truy-xuat/<code>/thu-hoi.json")
@public
def status(code: str) -> Response:
    """Say whether what the code names is recalled, since when and why."""
    wanted = normalise(TRACE_CODE, code)
    found = None
    if is_well_formed(TRACE_CODE, wanted):
        base = current_app.config["SETTINGS"].PUBLIC_URL
        with reading() as session:
            found = recall_status.status_of(session, wanted, base=base, now=utc_now())
    if found is None:
        return unknown_code(code)
    response = make_response(found)
    response.headers["Cache-Control"] = FRESH
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.add_etag()
    response.make_conditional(request)
    return response
