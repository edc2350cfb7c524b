"""Reviews on the producer's desk: read, and answered once."""

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

from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.errors import Invalid
from core.web.paging import read_id, write_cursor
from core.web.requests import reading, transaction
from shop import reviews

blueprint = Blueprint("desk_reviews", __name__, url_prefix="/ban-hang/<producer>/danh-gia")


@blueprint.get("")
@desk_view
def index(*, desk: Desk) -> Response:
    """List what buyers said of this producer's goods."""
    return _page(desk)


@blueprint.post("/<int:review_id>")
@desk_view
def answer(*, desk: Desk, review_id: int) -> Response:
    """Answer one review, for good."""
    try:
        with transaction() as session:
            reviews.answer(
                session,
                review_id,
                desk.producer_id,
                words=request.form.get("answer", ""),
                actor=desk.actor,
                now=utc_now(),
            )
    except Invalid as refusal:
        return _page(desk, mistake=(f"answer-{review_id}", str(refusal.message)))
    flash(_("The answer stands under the review."))
    return make_response(redirect(url_for("desk_reviews.index", producer=desk.slug), 303))


def _page(desk: Desk, *, mistake: tuple[str, str] | None = None) -> Response:
    with reading() as session:
        found, following = reviews.list_of_producer(
            session, desk.producer_id, before=read_id(request.args.get("sau"))
        )
    page = render_template(
        "shop/desk/reviews.html",
        desk=desk,
        found=found,
        following=write_cursor([following]) if following else None,
        mistake=mistake,
    )
    return make_response(page, 422 if mistake else 200)
