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

from catalog.certificates import PAPER_NAMES
from catalog.places import place_name
from core import i18n, intake, qr
from core.assets import SOURCE
from core.clock import utc_now, vietnam_day
from core.codes import is_well_formed, normalise
from core.errors import NotFound
from core.i18n import lazy
from core.web.media import private_file
from core.web.requests import public, reading
from traceability import addresses, cartons, gs1_places, resolving, scan, tt02
from traceability.codes import TRACE_CODE
from traceability.diary import KIND_NAMES
from traceability.views.data import judge
from traceability.views.unknown import unknown_code, unknown_page

blueprint = Blueprint("scan", __name__)

# A recall is on every screen within five seconds; while the shop is down, the last answer stands.
FRESH = "public, max-age=2, stale-if-error=86400"
# A QR of one code changes only if the goods get a GTIN; the old one answers for ever.
QR_KEPT = "public, max-age=86400, stale-if-error=2592000"


class NoSuchPaperFile(NotFound):
    """These goods have no such paper, or it has no file."""


_WORKER = SOURCE / "js" / "sw.js"
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
        return unknown_code(code)
    body = render_template(
        "traceability/page.html",
        scan=found,
        printed=printed_path(found),
        kinds=KIND_NAMES,
        papers=PAPER_NAMES,
        proof=judge(found),
        missing=tt02.completeness(
            tt02.ten_items(found, base=current_app.config["SETTINGS"].PUBLIC_URL)
        ),
    )
    return _kept(make_response(body), FRESH)


@blueprint.get("/truy-xuat/<code>/qr.svg")
@public
def qr_svg(code: str) -> Response:
    """Draw the QR that is printed for a code, as a picture without pixels."""
    address = _printed_address(code)
    if address is None:
        return unknown_code(code)
    drawing = qr.svg(address, label=_("QR code of %(address)s", address=address))
    return _kept(Response(drawing, mimetype="image/svg+xml"), QR_KEPT)


@blueprint.get("/truy-xuat/<code>/qr.png")
@public
def qr_png(code: str) -> Response:
    """Draw the QR that is printed for a code, for programs that cannot read SVG."""
    address = _printed_address(code)
    if address is None:
        return unknown_code(code)
    return _kept(Response(qr.png(address), mimetype="image/png"), QR_KEPT)


@blueprint.get("/truy-xuat/<code>/giay-to/<int:paper_id>")
@public
def paper(code: str, paper_id: int) -> Response:
    """Give the file of a paper that the page of this code names."""
    with reading() as session:
        found = resolving.find_paper(session, normalise(TRACE_CODE, code), paper_id)
    if found is None or found.file_key is None:
        raise NoSuchPaperFile(lazy("There is no such file."))
    ending = found.file_key.rpartition(".")[2]
    return private_file(found.file_key, name=f"giay-to-{paper_id}.{ending}")


@blueprint.get("/truy-xuat/thung/<sscc>")
@public
def carton(sscc: str) -> Response:
    """Show what the book says lies in a carton."""
    with reading() as session:
        found = cartons.find(session, sscc)
        inside = cartons.list_inside(session, sscc) if found else []
    if found is None:
        return unknown_code(sscc)
    box, producer = found
    today = vietnam_day(utc_now())
    body = render_template(
        "traceability/carton.html", box=box, producer=producer, inside=inside, today=today
    )
    return _kept(make_response(body), FRESH)


@blueprint.get("/truy-xuat/noi/<gln>")
@public
def place(gln: str) -> Response:
    """Show what the book says of a place and the part of it that was scanned."""
    part = request.args.get("phan")
    with reading() as session:
        found = gs1_places.find(session, gln, scan.readable(part))
        where = place_name(session, found[1].commune_code, found[1].province_code) if found else ""
    if found is None:
        return unknown_code(gln)
    places, producer = found
    body = render_template("traceability/place.html", places=places, producer=producer, where=where)
    return _kept(make_response(body), FRESH)


@blueprint.get("/sw.js")
@public
def worker() -> Response:
    """Give the script that shows pages seen before while there is no network."""
    return _kept(Response(_WORKER.read_bytes(), mimetype="text/javascript"), "no-cache")


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


def printed_path(found: scan.Scan) -> str:
    """Return the path that a QR of this code says: the phone keeps the page under it as well."""
    gtin = found.variant.gtin if found.variant else None
    lot = found.lot.code if found.lot else None
    serial = found.serial.serial if found.serial else None
    return addresses.printed("", addresses.Named(found.code, gtin, lot, serial))


def _printed_address(code: str) -> str | None:
    """Return what the QR of a code says, or None if nobody ever had the code."""
    if not is_well_formed(TRACE_CODE, code):
        return None
    with reading() as session:
        found = addresses.find_named(session, code)
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
