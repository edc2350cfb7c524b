"""What a phone shows after a scan: the page, and the QR that leads to it. No log-in, no script."""

import re
from datetime import datetime
from decimal import Decimal

from babel.numbers import format_decimal
from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _

from catalog.certificates import PaperKind
from core import i18n, intake, qr
from core.clock import utc_now, vietnam_day
from core.codes import is_well_formed, normalise
from core.i18n import lazy
from core.web.requests import public, reading
from traceability import addresses, scan
from traceability.codes import TRACE_CODE
from traceability.diary import KIND_NAMES
from traceability.views.unknown import count_unknown, unknown_page

blueprint = Blueprint("scan", __name__)

# A recall is on every screen within five seconds; while the shop is down, the last answer stands.
FRESH = "public, max-age=2, stale-if-error=86400"
# A QR of one code changes only if the goods get a GTIN; the old one answers for ever.
QR_KEPT = "public, max-age=86400, stale-if-error=2592000"
PAPER_NAMES = {
    PaperKind.OCOP: lazy("OCOP certificate"),
    PaperKind.FOOD_SAFETY: lazy("Food safety certificate"),
    PaperKind.TEST_REPORT: lazy("Test report"),
}
_BARCODE = re.compile(r"\d{8}|\d{12,14}")


@blueprint.get("/truy-xuat")
@public
def typed() -> Response:
    """Take a code typed by hand to its page; without one, ask for it."""
    code = request.args.get("ma", "").strip()
    digits = re.sub(r"\s", "", code)
    if _BARCODE.fullmatch(digits) and digits.isascii():
        return _to(url_for("resolver.by_gtin", rest=digits.zfill(14)))
    if code:
        last = code.rstrip("/").rsplit("/", 1)[-1]
        return _to(url_for("scan.page", code=normalise(TRACE_CODE, last)[:40] or "?"))
    return _kept(make_response(render_template("traceability/typed.html")), FRESH)


@blueprint.get("/truy-xuat/<code>")
@public
def page(code: str) -> Response:
    """Show what the book says of a code."""
    wanted = normalise(TRACE_CODE, code)
    if not is_well_formed(TRACE_CODE, wanted):
        return unknown_page(code, reason=_mistyped())
    if wanted != code:
        query = request.query_string.decode("ascii", "ignore")
        return _to(url_for("scan.page", code=wanted) + (f"?{query}" if query else ""), 301)
    with reading() as session:
        found = scan.find_scan(
            session, code, typed=scan.readable(request.args.get("ma")), now=utc_now()
        )
    if found is None:
        count_unknown()
        return unknown_page(code)
    body = render_template(
        "traceability/page.html",
        scan=found,
        kinds=KIND_NAMES,
        papers=PAPER_NAMES,
    )
    return _kept(make_response(body), FRESH)


@blueprint.get("/truy-xuat/<code>/qr.svg")
@public
def qr_svg(code: str) -> Response:
    """Draw the QR that is printed for a code, as a picture without pixels."""
    address = _printed_address(code)
    if address is None:
        return unknown_page(code)
    drawing = qr.svg(address, label=_("QR code of %(address)s", address=address))
    return _kept(Response(drawing, mimetype="image/svg+xml"), QR_KEPT)


@blueprint.get("/truy-xuat/<code>/qr.png")
@public
def qr_png(code: str) -> Response:
    """Draw the QR that is printed for a code, for programs that cannot read SVG."""
    address = _printed_address(code)
    if address is None:
        return unknown_page(code)
    return _kept(Response(qr.png(address), mimetype="image/png"), QR_KEPT)


@blueprint.app_template_filter("small_picture")
def small_picture(key: str) -> str:
    """Return the key of a diary photo's small copy."""
    return intake.at_width(key, intake.SMALL)


@blueprint.app_template_filter("day_of")
def day_of(moment: datetime) -> str:
    """Write the day of a moment as a calendar in Vietnam has it."""
    return i18n.show_day(vietnam_day(moment))


@blueprint.app_template_filter("amount")
def amount(number: Decimal) -> str:
    """Write a quantity with the reader's comma and no zeros behind it."""
    return str(format_decimal(number, format="#,##0.###", locale=i18n.language()))


def _printed_address(code: str) -> str | None:
    """Return what the QR of a code says, or None, counted, if nobody ever had the code."""
    found = None
    if is_well_formed(TRACE_CODE, code):
        with reading() as session:
            found = addresses.find_named(session, code)
        if found is None:
            count_unknown()
    return addresses.printed(current_app.config["SETTINGS"].PUBLIC_URL, found) if found else None


def _mistyped() -> str:
    return str(_("A code has 11 letters and digits. One seems to be mistyped."))


def _to(place: str, status: int = 302) -> Response:
    response = make_response(redirect(place, status))
    response.headers["Cache-Control"] = FRESH
    return response


def _kept(response: Response, how: str) -> Response:
    response.headers["Cache-Control"] = how
    response.add_etag()
    response.make_conditional(request)
    return response
