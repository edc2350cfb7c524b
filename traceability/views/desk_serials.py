"""The producer's desk: labels with serials of a lot, made, stuck on, sold."""

import csv
from collections.abc import Iterable
from io import StringIO

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import ngettext

from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.errors import Conflict, Invalid, Refusal
from core.settings import Settings
from core.web.requests import reading, transaction
from traceability import addresses, lot_book, pins, serials
from traceability.lot_book import Opened

blueprint = Blueprint(
    "desk_serials", __name__, url_prefix="/ban-hang/<producer>/so-lo/<int:lot>/tem"
)

MOST_AT_THE_DESK = 10_000


@blueprint.get("")
@desk_view
def index(desk: Desk, lot: int) -> Response:
    """Show the runs of labels of a lot, and the forms that make and activate them."""
    return _page(desk, lot)


@blueprint.post("/moi")
@desk_view
def make(desk: Desk, lot: int) -> Response:
    """Make a run of labels; with scratch codes the list for the printer comes at once, only now."""
    form, now = request.form, utc_now()
    try:
        with transaction() as session:
            opened = lot_book.get_lot(session, lot, desk.producer_id)
            count = min(form.get("count", 0, type=int), MOST_AT_THE_DESK + 1)
            if count > MOST_AT_THE_DESK:
                raise serials.TooManySerials(
                    _("Between 1 and %(most)s labels at once.", most=MOST_AT_THE_DESK),
                    field="count",
                )
            serials.make(session, opened.lot, count, now=now, actor=desk.actor)
            run = serials.list_runs(session, lot)[0]
            if form.get("pins"):
                given = pins.give(session, run, _settings().SECRET_KEY, actor=desk.actor, now=now)
                return _csv(opened, given, run_id=run.id)
    except (Invalid, Conflict) as refusal:
        return _page(desk, lot, refusal)
    return _back(desk, lot)


@blueprint.post("/<int:run_id>/ma-cao")
@desk_view
def renew_pins(desk: Desk, lot: int, run_id: int) -> Response:
    """Give a run other scratch codes, as long as none of its labels sticks on goods."""
    try:
        with transaction() as session:
            opened = lot_book.get_lot(session, lot, desk.producer_id)
            run = serials.get_run(session, lot, run_id)
            given = pins.give(session, run, _settings().SECRET_KEY, actor=desk.actor, now=utc_now())
    except Conflict as refusal:
        return _page(desk, lot, refusal)
    return _csv(opened, given, run_id=run_id)


@blueprint.get("/<int:run_id>/tem.csv")
@desk_view
def listed(desk: Desk, lot: int, run_id: int) -> Response:
    """Give the list of a run for the label printer, without scratch codes."""
    with reading() as session:
        opened = lot_book.get_lot(session, lot, desk.producer_id)
        serials.get_run(session, lot, run_id)
        codes = serials.list_of_run(session, run_id)
    return _csv(opened, ((code, None) for code in codes), run_id=run_id)


@blueprint.post("/<int:run_id>/kich-hoat")
@desk_view
def activate(desk: Desk, lot: int, run_id: int) -> Response:
    """Note that labels of a run, from one number to another, stick on goods."""
    form = request.form
    try:
        with transaction() as session:
            lot_book.get_lot(session, lot, desk.producer_id)
            changed = serials.activate_range(
                session,
                serials.get_run(session, lot, run_id),
                first=form.get("first", 0, type=int),
                last=form.get("last", 0, type=int),
                actor=desk.actor,
                now=utc_now(),
            )
    except Invalid as refusal:
        return _page(desk, lot, refusal)
    _tell_activated(changed)
    return _back(desk, lot)


@blueprint.post("/quet")
@desk_view
def scanned(desk: Desk, lot: int) -> Response:
    """Note that the scanned labels stick on goods, or that their packages are sold."""
    form = request.form
    verb = serials.mark_sold if form.get("act") == "sold" else serials.activate_typed
    try:
        with transaction() as session:
            opened = lot_book.get_lot(session, lot, desk.producer_id)
            changed = verb(
                session, opened.lot, form.get("serials", ""), actor=desk.actor, now=utc_now()
            )
    except Invalid as refusal:
        return _page(desk, lot, refusal)
    if verb is serials.mark_sold:
        flash(
            ngettext("%(num)s package noted as sold.", "%(num)s packages noted as sold.", changed)
        )
    else:
        _tell_activated(changed)
    return _back(desk, lot)


def _tell_activated(changed: int) -> None:
    flash(ngettext("%(num)s label activated.", "%(num)s labels activated.", changed))


def _page(desk: Desk, lot_id: int, refusal: Refusal | None = None) -> Response:
    with reading() as session:
        opened = lot_book.get_lot(session, lot_id, desk.producer_id)
        runs = serials.list_runs(session, lot_id)
        activated = serials.activated_in_runs(session, lot_id)
    page = render_template(
        "traceability/serials.html",
        desk=desk,
        opened=opened,
        runs=runs,
        activated=activated,
        form=request.form if refusal else {},
        refusal=refusal,
    )
    return make_response(page, 422 if refusal else 200)


def _csv(opened: Opened, rows: Iterable[tuple[str, str | None]], *, run_id: int) -> Response:
    """Return the list as the label printer takes it: number, serial, address, scratch code."""
    text = StringIO()
    sheet = csv.writer(text)
    sheet.writerow(["stt", "so_se_ri", "dia_chi_qr", "ma_cao"])
    base = _settings().PUBLIC_URL
    for number, (code, pin) in enumerate(rows, start=1):
        named = addresses.Named(code, opened.variant.gtin, opened.lot.code, code)
        sheet.writerow([number, code, addresses.printed(base, named), pin or ""])
    # The mark lets a spreadsheet read it as UTF-8.
    response = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
    response.headers["Cache-Control"] = "no-store"
    name = f"tem-{opened.lot.code}-{run_id}.csv"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _back(desk: Desk, lot_id: int) -> Response:
    place = url_for("desk_serials.index", producer=desk.slug, lot=lot_id)
    return make_response(redirect(place, 303))
