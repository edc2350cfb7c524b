"""Staff: returns nobody answered for 48 hours, and refusals buyers asked about again."""

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

from accounts.login import staff_required
from core.clock import utc_now
from core.errors import Invalid
from core.web.paging import read_id, write_cursor
from core.web.requests import reading, transaction
from shop import return_answers, returns
from shop.returns import REASON_NAMES
from shop.views.returns import photo_of
from shop.views.staff_reviews import actor

blueprint = Blueprint("staff_returns", __name__, url_prefix="/quan-tri/tra-hang")


@blueprint.get("")
@staff_required
def index() -> Response:
    """List what staff have to decide."""
    return _page()


@blueprint.post("/<int:request_id>")
@staff_required
def decide(request_id: int) -> Response:
    """Decide for the buyer or for the producer, with words both read."""
    form, now = request.form, utc_now()
    try:
        with transaction() as session:
            asked = returns.get(session, request_id)
            if form.get("decision") in {"back", "keep"}:
                return_answers.approve(
                    session,
                    asked,
                    goods_back=form["decision"] == "back",
                    words=form.get("answer", ""),
                    by_staff=True,
                    actor=actor(),
                    now=now,
                )
            else:
                return_answers.reject(
                    session,
                    asked,
                    words=form.get("answer", ""),
                    by_staff=True,
                    actor=actor(),
                    now=now,
                )
    except Invalid as refusal:
        return _page(mistake=(f"answer-{request_id}", str(refusal.message)))
    flash(_("Decided. Buyer and producer see it."))
    return make_response(redirect(url_for("staff_returns.index"), 303))


@blueprint.get("/<int:request_id>/anh/<int:number>")
@staff_required
def photo(request_id: int, number: int) -> Response:
    """Show one photo of a request."""
    with reading() as session:
        asked = returns.get(session, request_id)
    return photo_of(asked, number)


def _page(*, mistake: tuple[str, str] | None = None) -> Response:
    with reading() as session:
        found, following = returns.list_for_staff(
            session, before=read_id(request.args.get("sau")), now=utc_now()
        )
    page = render_template(
        "shop/staff/returns.html",
        found=found,
        following=write_cursor([following]) if following else None,
        reasons=REASON_NAMES,
        mistake=mistake,
    )
    return make_response(page, 422 if mistake else 200)
