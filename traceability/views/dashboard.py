"""The producer's book of lots: open a lot, write its diary, print its code."""

from datetime import date, datetime, time, timedelta
from typing import cast

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

from catalog.desk import Desk, desk_view
from core import intake
from core.clock import VIETNAM, utc_now, vietnam_day
from core.errors import Conflict, Invalid, Refusal
from core.i18n import lazy as _
from core.web.media import storage
from core.web.paging import read_cursor, write_cursor
from core.web.requests import reading, transaction
from traceability import addresses, diary, keeping, lot_book, trace_codes
from traceability.diary import KIND_NAMES, BadStepTime, Step, StepKind
from traceability.keeping import Line

blueprint = Blueprint("desk_lots", __name__, url_prefix="/ban-hang/<producer>/so-lo")

NOON = time(12, 0)
UNITS = ("kg", "g", "lít", "cái", "gói", "hũ", "túi", "hộp", "cây")


class BadDay(Invalid):
    """What stands in a day's field is no day."""


class NothingChosen(Invalid):
    """A line tells what was done."""


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
                produced_on=_day("produced_on"),
                expires_on=_day("expires_on"),
                quantity=form.get("quantity", 0, type=int),
                actor=desk.actor,
                now=utc_now(),
            )
    except (Invalid, Conflict) as refusal:
        return _new_lot_page(desk, refusal)
    return _to_lot(desk, lot.id)


@blueprint.get("/<int:lot>")
@desk_view
def show(desk: Desk, lot: int) -> Response:
    """Show a lot with its diary, and the form of the next line."""
    return _lot_page(desk, lot)


@blueprint.post("/<int:lot>/ghi")
@desk_view
def write(desk: Desk, lot: int) -> Response:
    """Write one line into the lot's diary."""
    form = request.form
    now = utc_now()
    try:
        with reading() as session:
            lot_book.get_lot(session, lot, desk.producer_id)
        photo_key = _take_photo()
        with transaction() as session:
            opened = lot_book.get_lot(session, lot, desk.producer_id)
            keeping.keep(
                session,
                opened.lot,
                Line(
                    kind=_kind(),
                    happened_at=_moment(now),
                    place=form.get("place"),
                    quantity=diary.read_quantity(form.get("quantity", "")),
                    unit=form.get("unit"),
                    note=form.get("note"),
                    photo_key=photo_key,
                ),
                base=current_app.config["SETTINGS"].PUBLIC_URL,
                actor=desk.actor,
                now=now,
            )
    except (Invalid, Conflict) as refusal:
        return _lot_page(desk, lot, refusal)
    return _to_lot(desk, lot)


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


def _lot_page(desk: Desk, lot_id: int, refusal: Refusal | None = None) -> Response:
    with reading() as session:
        opened = lot_book.get_lot(session, lot_id, desk.producer_id)
        steps = diary.list_steps(session, lot_id)
        code = trace_codes.find_lot_code(session, lot_id)
    page = render_template(
        "traceability/show.html",
        desk=desk,
        opened=opened,
        steps=steps,
        code=code,
        kinds=KIND_NAMES,
        units=UNITS,
        form=request.form if refusal else _like_the_last(steps),
        refusal=refusal,
        today=vietnam_day(utc_now()),
    )
    return make_response(page, 422 if refusal else 200)


def _like_the_last(steps: list[Step]) -> dict[str, str]:
    """Return what the line written last had: the next one is often at the same place."""
    last = max(steps, key=lambda step: step.id, default=None)
    if last is None:
        return {}
    return {"kind": last.kind.value, "place": last.place or "", "unit": last.unit or ""}


def _to_lot(desk: Desk, lot_id: int) -> Response:
    place = url_for("desk_lots.show", producer=desk.slug, lot=lot_id)
    return make_response(redirect(place, 303))


def _take_photo() -> str | None:
    """Store the photo that came along, if any, and return its key."""
    photo = request.files.get("photo")
    if photo is None or not photo.filename:
        return None
    return intake.take_picture(storage(), photo.read(), folder="so-lo", field="photo").key


def _kind() -> StepKind:
    try:
        return StepKind(request.form.get("kind", ""))
    except ValueError:
        raise NothingChosen(_("Choose what was done."), field="kind") from None


def _moment(now: datetime) -> datetime:
    """Return when it happened: now, this time yesterday, or noon of the day that was typed."""
    chosen = request.form.get("when", "today")
    local = now.astimezone(VIETNAM)
    if chosen == "today":
        return local
    if chosen == "yesterday":
        return local - timedelta(days=1)
    day = _day("day")
    if day is None:
        raise BadStepTime(_("Choose the day."), field="day")
    return datetime.combine(day, NOON, VIETNAM)


def _day(field: str) -> date | None:
    text = request.form.get(field, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadDay(_("This day is not in the calendar."), field=field) from None
