"""Staff: reviews that were reported or hidden."""

from typing import cast

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

from accounts.audit import Actor
from accounts.login import SignedIn, signed_in, staff_required
from core.clock import utc_now
from core.errors import Invalid
from core.web.paging import read_id, write_cursor
from core.web.requests import reading, transaction
from shop import reviews

blueprint = Blueprint("staff_reviews", __name__, url_prefix="/quan-tri/danh-gia")


@blueprint.get("")
@staff_required
def index() -> Response:
    """List the reviews somebody must look at."""
    return _page()


@blueprint.post("/<int:review_id>/an")
@staff_required
def hide(review_id: int) -> Response:
    """Hide a review, with a reason."""
    try:
        with transaction() as session:
            reviews.hide(
                session,
                review_id,
                why=request.form.get("why", ""),
                actor=actor(),
                now=utc_now(),
            )
    except Invalid as refusal:
        return _page(mistake=("why", str(refusal.message)))
    flash(_("The review is hidden."))
    return make_response(redirect(url_for("staff_reviews.index"), 303))


@blueprint.post("/<int:review_id>/hien")
@staff_required
def show(review_id: int) -> Response:
    """Let a review stand, and settle what was reported."""
    with transaction() as session:
        reviews.show(session, review_id, actor=actor(), now=utc_now())
    flash(_("The review stands."))
    return make_response(redirect(url_for("staff_reviews.index"), 303))


def actor() -> Actor:
    """Return the person of the staff who acts here."""
    person = cast("SignedIn", signed_in())
    return Actor(person.user_id, person.name)


def _page(*, mistake: tuple[str, str] | None = None) -> Response:
    with reading() as session:
        found, following = reviews.list_to_check(session, before=read_id(request.args.get("sau")))
        reasons = reviews.reasons_of(session, [one.review.id for one in found])
    page = render_template(
        "shop/staff/reviews.html",
        found=found,
        reasons=reasons,
        following=write_cursor([following]) if following else None,
        mistake=mistake,
    )
    return make_response(page, 422 if mistake else 200)
