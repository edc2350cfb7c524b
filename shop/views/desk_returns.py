"""Returns on the producer's desk: answered within 48 hours, taken back, paid back."""

from collections.abc import Callable
from datetime import datetime

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
from sqlalchemy.orm import Session

from accounts.phones import show_phone
from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.errors import Invalid
from core.web.paging import read_id, write_cursor
from core.web.requests import reading, transaction
from shop import return_answers, returns
from shop.returns import REASON_NAMES, Asked, Fate
from shop.views.returns import photo_of

blueprint = Blueprint("desk_returns", __name__, url_prefix="/ban-hang/<producer>/tra-hang")
Act = Callable[[Session, Asked, datetime], bool]


@blueprint.get("")
@desk_view
def index(*, desk: Desk) -> str:
    """List what buyers want to return, the latest first."""
    with reading() as session:
        found, following = returns.list_of_producer(
            session, desk.producer_id, before=read_id(request.args.get("sau"))
        )
    return render_template(
        "shop/desk/returns.html",
        desk=desk,
        found=found,
        following=write_cursor([following]) if following else None,
        reasons=REASON_NAMES,
        now=utc_now(),
    )


@blueprint.get("/<int:request_id>")
@desk_view
def show(*, desk: Desk, request_id: int) -> Response:
    """Show one request with what can be done next."""
    return _page(desk, request_id)


@blueprint.post("/<int:request_id>/dong-y")
@desk_view
def approve(*, desk: Desk, request_id: int) -> Response:
    """Agree: the goods come back, or only the money goes."""

    def act(session: Session, asked: Asked, now: datetime) -> bool:
        return return_answers.approve(
            session,
            asked,
            goods_back=request.form.get("goods") == "back",
            words=request.form.get("answer", ""),
            actor=desk.actor,
            now=now,
        )

    return _do(desk, request_id, act, _("Agreed. The buyer was told."))


@blueprint.post("/<int:request_id>/tu-choi")
@desk_view
def reject(*, desk: Desk, request_id: int) -> Response:
    """Say no, with words the buyer reads."""

    def act(session: Session, asked: Asked, now: datetime) -> bool:
        return return_answers.reject(
            session, asked, words=request.form.get("answer", ""), actor=desk.actor, now=now
        )

    return _do(desk, request_id, act, _("Refused. The buyer was told and may ask the staff."))


@blueprint.post("/<int:request_id>/da-nhan")
@desk_view
def take_back(*, desk: Desk, request_id: int) -> Response:
    """Say that the goods are back, and what becomes of them."""

    def act(session: Session, asked: Asked, now: datetime) -> bool:
        return return_answers.take_back(
            session, asked, fates=_fates(asked), actor=desk.actor, now=now
        )

    return _do(desk, request_id, act, _("Noted. The money is now to be sent back."))


@blueprint.get("/<int:request_id>/anh/<int:number>")
@desk_view
def photo(*, desk: Desk, request_id: int, number: int) -> Response:
    """Show one photo of a request."""
    with reading() as session:
        asked = returns.get(session, request_id, producer_id=desk.producer_id)
    return photo_of(asked, number)


def _fates(asked: Asked) -> dict[int, Fate]:
    """Return what was chosen for each line; what is no choice is left to the usual."""
    chosen = {}
    for piece in asked.pieces:
        typed = request.form.get(f"fate-{piece.line.id}", "")
        if typed in set(Fate):
            chosen[piece.line.id] = Fate(typed)
    return chosen


def _do(desk: Desk, request_id: int, act: Act, done: str) -> Response:
    try:
        with transaction() as session:
            asked = returns.get(session, request_id, producer_id=desk.producer_id)
            act(session, asked, utc_now())
    except Invalid as refusal:
        return _page(desk, request_id, mistake=("answer", str(refusal.message)))
    flash(done)
    place = url_for("desk_returns.show", producer=desk.slug, request_id=request_id)
    return make_response(redirect(place, 303))


def _page(desk: Desk, request_id: int, *, mistake: tuple[str, str] | None = None) -> Response:
    with reading() as session:
        asked = returns.get(session, request_id, producer_id=desk.producer_id)
        fates = return_answers.usual_fates(session, asked)
    page = render_template(
        "shop/desk/return.html",
        desk=desk,
        asked=asked,
        fates=fates,
        reasons=REASON_NAMES,
        show_phone=show_phone,
        mistake=mistake,
        typed=request.form,
    )
    return make_response(page, 422 if mistake else 200)
