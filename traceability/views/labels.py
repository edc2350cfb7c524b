"""The producer's desk: labels of a lot, chosen, looked at, printed."""

from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any, cast
from urllib.parse import urlsplit

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
from sqlalchemy.orm import Session

from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.errors import Conflict, Invalid, NotFound, Refusal
from core.settings import Settings
from core.web.media import private_file
from core.web.paging import read_cursor, write_cursor
from core.web.requests import reading, transaction
from traceability import lot_book, serials
from traceability.labels import files, pdf, preview, runs, sheets
from traceability.labels.presets import PRESETS
from traceability.labels.printing import LEVELS, Form, Print, title
from traceability.labels.runs import RunState, Wish

blueprint = Blueprint("desk_labels", __name__, url_prefix="/ban-hang/<producer>/tem")

# Labels that are all alike and few come at once; the rest is drawn in the background.
MOST_AT_ONCE = 1_000
ONE_FOR_ALL, NEW_SERIALS = "mot", "moi"
RUN = "lo-"
CHOSEN = ("preset", "kind", "count", "first", "level", "form")
MIME = {Form.PDF: "application/pdf", Form.SVG: "image/svg+xml", Form.ZPL: "text/plain"}
ONLY_HERE = {"localhost", "127.0.0.1", "::1"}


@blueprint.get("")
@desk_view
def index(desk: Desk) -> str:
    """List the lots to print labels of, the last prints and the producer's own sheets."""
    mark = read_cursor(request.args.get("sau"), (int,))
    before_id = cast("int", mark[0]) if mark and mark[0] is not None else None
    with reading() as session:
        lots, following = lot_book.list_lots(session, desk.producer_id, before_id=before_id)
        own = sheets.list_sheets(session, desk.producer_id)
        last = runs.list_runs(session, desk.producer_id)
    return render_template(
        "traceability/labels.html",
        desk=desk,
        lots=lots,
        following=write_cursor([following]) if following else None,
        own=own,
        runs=last,
        title=title,
    )


@blueprint.get("/lo/<int:lot>")
@desk_view
def choose(desk: Desk, lot: int) -> Response:
    """Let sheet and number be chosen and show what one label will look like."""
    return _choice_page(desk, lot, request.args)


@blueprint.get("/lo/<int:lot>/nhan.png")
@desk_view
def picture(desk: Desk, lot: int) -> Response:
    """Show one label as it will be printed, with a serial that nobody has."""
    with transaction() as session:
        lot_book.get_lot(session, lot, desk.producer_id)
        job = _checked(session, desk, lot, request.args)
    response = Response(preview.png(job), mimetype="image/png")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/lo/<int:lot>/tem")
@desk_view
def at_once(desk: Desk, lot: int) -> Response:
    """Give few labels that are all alike as a file."""
    try:
        with transaction() as session:
            lot_book.get_lot(session, lot, desk.producer_id)
            job = _checked(session, desk, lot, request.args)
        form = _form(request.args)
        if job.serials is not None or job.count > MOST_AT_ONCE or _is_many(job, form):
            return _to_choice(desk, lot)
        data = files.whole(job, form)
    except (Invalid, Conflict) as refusal:
        return _choice_page(desk, lot, request.args, refusal)
    return _file(data, form, f"tem-{job.content.lot}.{form.value}")


@blueprint.post("/lo/<int:lot>")
@desk_view
def start(desk: Desk, lot: int) -> Response:
    """Begin a print in the background; the same form sent twice is one print."""
    form = request.form
    try:
        with transaction() as session:
            opened = lot_book.get_lot(session, lot, desk.producer_id)
            run = runs.open_run(
                session,
                desk.producer_id,
                opened.lot,
                _wish(session, desk, lot, form),
                key=form.get("key", ""),
                base=_settings().PUBLIC_URL,
                actor=desk.actor,
                now=utc_now(),
                others=sheets.choices(session, desk.producer_id),
            )
            run_id = run.id
    except (Invalid, Conflict) as refusal:
        return _choice_page(desk, lot, form, refusal)
    return _to_run(desk, run_id)


@blueprint.get("/lan-in/<int:run>")
@desk_view
def show(desk: Desk, run: int) -> str:
    """Show how far a print is; the page looks again by itself until it has ended."""
    with reading() as session:
        found = runs.get_run(session, desk.producer_id, run)
        opened = lot_book.get_lot(session, found.lot_id, desk.producer_id)
    return render_template(
        "traceability/labels_run.html", desk=desk, run=found, opened=opened, states=RunState
    )


@blueprint.get("/lan-in/<int:run>/tep")
@desk_view
def download(desk: Desk, run: int) -> Response:
    """Give the file of a print, as long as what stands on the labels is true."""
    with transaction() as session:
        found = runs.get_run(session, desk.producer_id, run)
        opened = lot_book.get_lot(session, found.lot_id, desk.producer_id)
        key = runs.file_of(session, found, now=utc_now())
        name = f"tem-{opened.lot.code}-{run}.{key.rpartition('.')[2]}"
    return private_file(key, name=name)


@blueprint.post("/lan-in/<int:run>/lam-lai")
@desk_view
def draw_again(desk: Desk, run: int) -> Response:
    """Draw a print anew, with the serials it has."""
    with transaction() as session:
        runs.draw_again(session, runs.get_run(session, desk.producer_id, run), now=utc_now())
    return _to_run(desk, run)


@blueprint.post("/lan-in/<int:run>/dung")
@desk_view
def stop(desk: Desk, run: int) -> Response:
    """Stop a print that is being drawn."""
    with transaction() as session:
        found = runs.get_run(session, desk.producer_id, run)
        runs.stop(session, found, actor=desk.actor, now=utc_now())
    return _to_run(desk, run)


@blueprint.get("/to-giay/moi")
@desk_view
def new_sheet(desk: Desk) -> Response:
    """Ask for the measures of a sheet of one's own, beginning from one that exists."""
    with reading() as session:
        like = sheets.get_sheet(session, desk.producer_id, request.args.get("nhu", "a4-65"))
    return _sheet_page(desk, None, sheets.typed_of(like))


@blueprint.post("/to-giay/moi")
@desk_view
def add_sheet(desk: Desk) -> Response:
    """Keep a new sheet."""
    return _keep_sheet(desk, None)


@blueprint.get("/to-giay/<int:sheet_id>")
@desk_view
def sheet(desk: Desk, sheet_id: int) -> Response:
    """Show the measures of one of the producer's own sheets."""
    with reading() as session:
        own = sheets.get_own(session, desk.producer_id, sheet_id)
    return _sheet_page(desk, sheet_id, {**sheets.typed_of(own.sheet), "name": own.name})


@blueprint.post("/to-giay/<int:sheet_id>")
@desk_view
def change_sheet(desk: Desk, sheet_id: int) -> Response:
    """Keep what was changed on a sheet."""
    return _keep_sheet(desk, sheet_id)


@blueprint.post("/to-giay/<int:sheet_id>/bo")
@desk_view
def remove_sheet(desk: Desk, sheet_id: int) -> Response:
    """Forget a sheet."""
    with transaction() as session:
        sheets.remove(session, desk.producer_id, sheet_id, actor=desk.actor, now=utc_now())
    return make_response(redirect(url_for("desk_labels.index", producer=desk.slug), 303))


@blueprint.get("/luoi.pdf")
@desk_view
def grid(desk: Desk) -> Response:
    """Give the test page of a sheet: the edge of every label."""
    with reading() as session:
        chosen = sheets.get_sheet(session, desk.producer_id, request.args.get("preset", ""))
    return _file(pdf.test_grid(chosen), Form.PDF, f"in-thu-luoi-{chosen.name}.pdf")


def _checked(session: Session, desk: Desk, lot: int, typed: Mapping[str, Any]) -> Print:
    return runs.check(
        session,
        lot,
        _wish(session, desk, lot, typed),
        base=_settings().PUBLIC_URL,
        now=utc_now(),
        others=sheets.choices(session, desk.producer_id),
    )


def _wish(session: Session, desk: Desk, lot: int, typed: Mapping[str, Any]) -> Wish:
    kind = str(typed.get("kind", ONE_FOR_ALL))
    number = kind.removeprefix(RUN)
    chosen = kind.startswith(RUN) and number.isascii() and number.isdigit()
    run_id = serials.get_run(session, lot, int(number[:9])).id if chosen else None
    sheet = sheets.get_sheet(session, desk.producer_id, str(typed.get("preset", "a4-65")))
    return Wish(
        sheet=sheet,
        form=_form(typed),
        count=_number(typed, "count", sheet.per_page),
        level="Q" if typed.get("level") == "Q" else "M",
        first=_number(typed, "first", 1) - 1,
        with_serials=kind == NEW_SERIALS,
        serial_run_id=run_id,
    )


def _form(typed: Mapping[str, Any]) -> Form:
    try:
        return Form(str(typed.get("form", Form.PDF)))
    except ValueError:
        return Form.PDF


def _query(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was chosen, for the address of the picture and of the file."""
    return {name: typed[name] for name in CHOSEN if name in typed}


def _number(typed: Mapping[str, Any], field: str, usual: int) -> int:
    text = str(typed.get(field, "")).strip()
    if not text:
        return usual
    return int(text[:9]) if text.isascii() and text.isdigit() else 0


def _is_many(job: Print, form: Form) -> bool:
    return form is Form.SVG and job.pages > 1


def _choice_page(
    desk: Desk, lot: int, typed: Mapping[str, Any], refusal: Refusal | None = None
) -> Response:
    job: Print | None = None
    with transaction() as session:
        opened = lot_book.get_lot(session, lot, desk.producer_id)
        own = sheets.list_sheets(session, desk.producer_id)
        made = serials.list_runs(session, lot)
        if refusal is None:
            try:
                job = _checked(session, desk, lot, typed)
            except (Invalid, Conflict, NotFound) as found:
                refusal = found
    page = render_template(
        "traceability/labels_choose.html",
        desk=desk,
        opened=opened,
        own=own,
        presets=PRESETS.values(),
        title=title,
        made=made,
        levels=LEVELS,
        typed=typed,
        job=job,
        at_once=job is not None
        and job.serials is None
        and job.count <= MOST_AT_ONCE
        and not _is_many(job, _form(typed)),
        query=_query(typed),
        key=typed.get("key") or token_urlsafe(12),
        refusal=refusal,
        only_here=urlsplit(_settings().PUBLIC_URL).hostname in ONLY_HERE,
    )
    return make_response(page, 422 if refusal else 200)


def _keep_sheet(desk: Desk, sheet_id: int | None) -> Response:
    try:
        with transaction() as session:
            own = sheets.keep(
                session,
                desk.producer_id,
                request.form,
                actor=desk.actor,
                now=utc_now(),
                sheet_id=sheet_id,
            )
            kept = own.id
    except (Invalid, Conflict) as refusal:
        return _sheet_page(desk, sheet_id, request.form, refusal)
    place = url_for("desk_labels.sheet", producer=desk.slug, sheet_id=kept, xong="luu")
    return make_response(redirect(place, 303))


def _sheet_page(
    desk: Desk, sheet_id: int | None, typed: Mapping[str, str], refusal: Refusal | None = None
) -> Response:
    page = render_template(
        "traceability/labels_sheet.html",
        desk=desk,
        sheet_id=sheet_id,
        key=f"{sheets.OWN}{sheet_id}" if sheet_id else None,
        typed=typed,
        refusal=refusal,
    )
    return make_response(page, 422 if refusal else 200)


def _file(data: bytes, form: Form, name: str) -> Response:
    response = Response(data, mimetype=MIME[form])
    response.headers["Cache-Control"] = "no-store"
    shown = "inline" if form is Form.PDF else "attachment"
    response.headers.set("Content-Disposition", shown, filename=name)
    return response


def _to_choice(desk: Desk, lot: int) -> Response:
    place = url_for("desk_labels.choose", producer=desk.slug, lot=lot, **_query(request.args))
    return make_response(redirect(place, 303))


def _to_run(desk: Desk, run_id: int) -> Response:
    place = url_for("desk_labels.show", producer=desk.slug, run=run_id)
    return make_response(redirect(place, 303))


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
