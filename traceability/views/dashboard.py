"""The producer's book of lots: open a lot, look at it, print its code."""

from typing import cast

from flask import Blueprint, Response, current_app, make_response, render_template, request

from catalog.desk import Desk, desk_view
from core.clock import utc_now, vietnam_day
from core.errors import Conflict, Invalid, Refusal
from core.web.paging import read_cursor, write_cursor
from core.web.requests import reading, transaction
from traceability import addresses, lot_book, trace_codes
from traceability.views.diary_form import read_day
from traceability.views.lot_page import lot_page, to_lot

blueprint = Blueprint("desk_lots", __name__, url_prefix="/ban-hang/<producer>/so-lo")


@blueprint.get("")
@desk_view
def index(desk: Desk) -> str:
    """List the producer's lots, newest first."""
    mark = read_cursor(request.args.get("sau"), (int,))
    before_id = cast("int", mark[0]) if mark and mark[0] is not None else None
    with reading() as session:
        lines, following = lot_book.list_lots(session, desk.producer_id, before_id=before_id)
    return render_template(
        "traceability/index.html",
        desk=desk,
        lines=lines,
        following=write_cursor([following]) if following else None,
        today=vietnam_day(utc_now()),
    )


@blueprint.get("/moi")
@desk_view
def new(desk: Desk) -> Response:
    """Ask what a new lot is of, when it was made and how much there is."""
    return _new_lot_page(desk)


@blueprint.post("/moi")
@desk_view
def create(desk: Desk) -> Response:
    """Open the lot, put its goods on the shelf and show its page."""
    form = request.form
    try:
        with transaction() as session:
            lot = lot_book.open_lot(
                session,
                desk.producer_id,
                variant_id=form.get("variant_id", type=int),
                code=form.get("code", ""),
                produced_on=read_day("produced_on"),
                expires_on=read_day("expires_on"),
                quantity=form.get("quantity", 0, type=int),
                actor=desk.actor,
                now=utc_now(),
            )
    except (Invalid, Conflict) as refusal:
        return _new_lot_page(desk, refusal)
    return to_lot(desk, lot.id)


@blueprint.get("/<int:lot>")
@desk_view
def show(desk: Desk, lot: int) -> Response:
    """Show a lot with its diary, the form of the next line, and what is still missing."""
    return lot_page(desk, lot)


@blueprint.post("/<int:lot>/ngay")
@desk_view
def write_days(desk: Desk, lot: int) -> Response:
    """Write the days that the lot still lacks."""
    try:
        produced_on, expires_on = read_day("produced_on"), read_day("expires_on")
        with transaction() as session:
            lot_book.write_days(
                session,
                lot_book.get_lot(session, lot, desk.producer_id).lot,
                produced_on=produced_on,
                expires_on=expires_on,
                actor=desk.actor,
                now=utc_now(),
            )
    except (Invalid, Conflict) as refusal:
        return lot_page(desk, lot, refusal)
    return to_lot(desk, lot)


@blueprint.get("/<int:lot>/ma")
@desk_view
def printable(desk: Desk, lot: int) -> str:
    """Show the lot's QR alone, for the printer."""
    with reading() as session:
        opened = lot_book.get_lot(session, lot, desk.producer_id)
        code = trace_codes.find_lot_code(session, lot)
    if code is None:
        with transaction() as session:
            code = trace_codes.ensure_lot_code(session, opened.lot, now=utc_now())
    named = addresses.Named(code, opened.variant.gtin, opened.lot.code)
    address = addresses.printed(current_app.config["SETTINGS"].PUBLIC_URL, named)
    return render_template(
        "traceability/printable.html", desk=desk, opened=opened, code=code, address=address
    )


def _new_lot_page(desk: Desk, refusal: Refusal | None = None) -> Response:
    with reading() as session:
        goods = lot_book.list_goods(session, desk.producer_id)
    page = render_template(
        "traceability/new.html", desk=desk, goods=goods, form=request.form, refusal=refusal
    )
    return make_response(page, 422 if refusal else 200)
