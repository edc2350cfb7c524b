"""Cash at the door on its way to the producer: what carriers hold, their lists, row by row."""

from flask import (
    Blueprint,
    Response,
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
from core.errors import Invalid
from core.web.requests import reading, transaction
from shop import moves, orders, remittance_lists, remittances
from shop.payments.payments import Custody

blueprint = Blueprint("desk_cod", __name__, url_prefix="/ban-hang/<producer>/tien-cod")


@blueprint.route("", methods=["GET", "POST"])
@desk_view
def index(*, desk: Desk) -> Response:
    """Show the cash carriers hold, and take a list of what they handed over."""
    if request.method != "POST":
        return _page(desk)
    upload = request.files.get("file")
    try:
        listed = remittance_lists.read(
            upload.read() if upload else b"", name=(upload.filename or "") if upload else ""
        )
        with transaction() as session:
            batch = remittances.take(
                session, desk.producer_id, listed, actor=desk.actor, now=utc_now()
            )
            batch_id = batch.id
    except Invalid as refusal:
        return _page(desk, mistake=(refusal.field or "file", str(refusal.message)))
    return _see_batch(desk, batch_id)


@blueprint.post("/<code>/da-nhan")
@desk_view
def hand_over(*, desk: Desk, code: str) -> Response:
    """Write down by hand that the cash of one order came."""
    try:
        with transaction() as session:
            order, part = orders.get_part(session, code, desk.producer_id)
            moves.lock(session, order.id)
            remittances.hand_over(
                session,
                order,
                part,
                note=request.form.get("note", ""),
                actor=desk.actor,
                now=utc_now(),
            )
    except Invalid as refusal:
        return _page(desk, mistake=(f"note-{code}", str(refusal.message)))
    flash(_("The money was written down as received."))
    return make_response(redirect(url_for("desk_cod.index", producer=desk.slug), 303))


@blueprint.route("/danh-sach/<int:batch_id>", methods=["GET", "POST"])
@desk_view
def batch(*, desk: Desk, batch_id: int) -> Response:
    """Show one list row by row, and try its open rows again."""
    if request.method != "POST":
        return _batch_page(desk, batch_id)
    with transaction() as session:
        found = remittances.get_batch(session, desk.producer_id, batch_id)
        handed = remittances.look_again(
            session, found, to=Custody.PRODUCER, actor=desk.actor, now=utc_now()
        )
    flash(ngettext("%(num)s more row fits.", "%(num)s more rows fit.", handed))
    return _see_batch(desk, batch_id)


@blueprint.post("/danh-sach/<int:batch_id>/<int:row_id>")
@desk_view
def accept(*, desk: Desk, batch_id: int, row_id: int) -> Response:
    """Take a row that differs as settled, with a word on why."""
    try:
        with transaction() as session:
            remittances.accept_row(
                session,
                remittances.get_batch(session, desk.producer_id, batch_id),
                row_id,
                note=request.form.get("note", ""),
                to=Custody.PRODUCER,
                actor=desk.actor,
                now=utc_now(),
            )
    except Invalid as refusal:
        return _batch_page(desk, batch_id, mistake=(f"note-{row_id}", str(refusal.message)))
    return _see_batch(desk, batch_id)


def _page(desk: Desk, *, mistake: tuple[str, str] | None = None) -> Response:
    with reading() as session:
        out = remittances.list_out(session, desk.producer_id, now=utc_now())
        batches = remittances.list_batches(session, desk.producer_id)
    page = render_template(
        "shop/desk/cod.html", desk=desk, out=out, batches=batches, mistake=mistake
    )
    return make_response(page, 422 if mistake else 200)


def _batch_page(desk: Desk, batch_id: int, *, mistake: tuple[str, str] | None = None) -> Response:
    with reading() as session:
        found = remittances.get_batch(session, desk.producer_id, batch_id)
        rows = remittances.list_rows(session, found)
    page = render_template(
        "shop/desk/cod_list.html",
        desk=desk,
        batch=found,
        rows=rows,
        counts=remittances.counts(rows),
        mistake=mistake,
    )
    return make_response(page, 422 if mistake else 200)


def _see_batch(desk: Desk, batch_id: int) -> Response:
    address = url_for("desk_cod.batch", producer=desk.slug, batch_id=batch_id)
    return make_response(redirect(address, 303))
