"""Writing a lot's diary: by a plain form, from a phone that was without network, corrections."""

from flask import (
    Blueprint,
    Response,
    current_app,
    jsonify,
    make_response,
    request,
)
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog.desk import Desk, desk_view
from core.assets import SOURCE
from core.clock import utc_now
from core.errors import Conflict, Forbidden, Invalid, NotFound, Refusal
from core.i18n import lazy as _
from core.web.requests import STATUS, public, reading, transaction
from core.web.security import same_origin_only
from core.web.uploads import takes_files
from traceability import keeping, lot_book
from traceability.diary import Step
from traceability.views.diary_form import read_line, take_photo
from traceability.views.lot_page import NoSuchLine, correction_page, lot_page, to_lot

blueprint = Blueprint("desk_diary", __name__)

_LOT = "/ban-hang/<producer>/so-lo/<int:lot>"
_WORKER = SOURCE / "js" / "nhat-ky-sw.js"


class AnotherWriter(Forbidden):
    """The line was written on this phone by somebody else than who is logged in now."""


@blueprint.post(f"{_LOT}/ghi")
@desk_view
@takes_files
def write(desk: Desk, lot: int) -> Response:
    """Write one line into the lot's diary and show it."""
    try:
        _keep(desk, lot)
    except (Invalid, Conflict) as refusal:
        return lot_page(desk, lot, refusal)
    return to_lot(desk, lot)


@blueprint.post(f"{_LOT}/dong")
@same_origin_only
@desk_view
@takes_files
def take(desk: Desk, lot: int) -> Response:
    """Take a line that waited on a phone; the same one again is the same line.

    The page it was written on may be days old, so no token is asked for: the browser's word that
    our own page sends it is enough. The answer is for the page's script.
    """
    try:
        _refuse_another_writer(desk.actor)
        step_id = _keep(desk, lot)
    except (Invalid, Conflict, Forbidden, NotFound) as refusal:
        return _told(refusal)
    return jsonify({"step": step_id})


@blueprint.get(f"{_LOT}/dong/<int:step>/sua")
@desk_view
def look(desk: Desk, lot: int, step: int) -> Response:
    """Show a line to be corrected."""
    return correction_page(desk, lot, step)


@blueprint.post(f"{_LOT}/dong/<int:step>/sua")
@desk_view
@takes_files
def correct(desk: Desk, lot: int, step: int) -> Response:
    """Declare the line wrong, and write the right one unless it never happened."""
    now = utc_now()
    never = request.form.get("act") == "never"
    try:
        with reading() as session:
            wrong = _line_of(desk, lot, step, session)
        kept = wrong.photo_key if request.form.get("keep_photo") else None
        photo_key = None if never else take_photo() or kept
        with transaction() as session:
            wrong = _line_of(desk, lot, step, session)
            keeping.correct(
                session,
                lot_book.get_lot(session, lot, desk.producer_id).lot,
                wrong,
                None if never else read_line(session, photo_key=photo_key, wrong=wrong, now=now),
                base=_base(),
                actor=desk.actor,
                now=now,
            )
    except (Invalid, Conflict) as refusal:
        return correction_page(desk, lot, step, refusal)
    return to_lot(desk, lot)


@blueprint.get("/nhat-ky-sw.js")
@public
def worker() -> Response:
    """Give the script that opens lots without network and keeps nothing of the rest of a desk."""
    answer = Response(_WORKER.read_bytes(), mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def _keep(desk: Desk, lot: int) -> int:
    """Write the line that was sent and return its id; the photo is stored outside the transaction.

    Raises what `read_line` and `keeping.keep` raise.
    """
    now = utc_now()
    with reading() as session:
        lot_book.get_lot(session, lot, desk.producer_id)
    photo_key = take_photo()
    with transaction() as session:
        opened = lot_book.get_lot(session, lot, desk.producer_id)
        line = read_line(session, photo_key=photo_key, now=now)
        step = keeping.keep(session, opened.lot, line, base=_base(), actor=desk.actor, now=now)
        return step.id


def _refuse_another_writer(actor: Actor) -> None:
    if request.form.get("writer") != str(actor.user_id):
        raise AnotherWriter(_("Somebody else wrote this line on this phone."))


def _line_of(desk: Desk, lot: int, step: int, session: Session) -> Step:
    lot_book.get_lot(session, lot, desk.producer_id)
    found = session.get(Step, step)
    if found is None or found.lot_id != lot:
        raise NoSuchLine(_("This lot’s diary has no such line."))
    return found


def _told(refusal: Refusal) -> Response:
    status = next(code for family, code in STATUS.items() if isinstance(refusal, family))
    told = {"field": refusal.field, "message": str(refusal.message)}
    return make_response(jsonify(told), status)


def _base() -> str:
    return str(current_app.config["SETTINGS"].PUBLIC_URL)
