"""Reviews: written from the order's page, read beside the goods, answered and checked."""

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

from accounts import throttle
from catalog import products
from catalog.illustrations import alt_text
from catalog.products import NoSuchProduct, ProductState
from core import intake
from core.clock import utc_now
from core.errors import Conflict, Invalid, Refusal
from core.settings import Settings
from core.web.media import storage
from core.web.paging import read_id, write_cursor
from core.web.requests import public, reading, transaction
from core.web.security import same_origin_only
from core.web.uploads import takes_files, uploaded
from shop import reviews
from shop.reviews import MOST_PHOTOS, MOST_STARS, BadReview, NotReceived
from shop.views.opening import address_of, mark, open_order, own_id, private

blueprint = Blueprint("reviews", __name__)
KEEP = "public, max-age=60, stale-if-error=86400"
REPORTS, REPORT_SECONDS = 5, 3_600
FOLDER = "danh-gia"


@blueprint.get("/san-pham/<slug>/danh-gia")
@public
def of_product(slug: str) -> Response:
    """Show everything buyers said of one product, newest first, page by page."""
    before = read_id(request.args.get("sau"))
    with reading() as session:
        product = products.find_by_slug(session, slug)
        if product is None or product.state is not ProductState.LIVE:
            raise NoSuchProduct
        said = reviews.of_product(session, product.id)
        found, following = reviews.list_page(session, product.id, before=before)
    page = render_template(
        "shop/reviews.html",
        product=product,
        opinion=said.opinion,
        found=found,
        following=write_cursor([following]) if following else None,
    )
    response = make_response(page)
    response.headers["Cache-Control"] = KEEP
    return response


@blueprint.get("/don-hang/<code>/danh-gia/<int:line>")
@public
def form(code: str, line: int) -> Response:
    """Ask what the buyer thinks of one delivered line."""
    return _form_page(code, line)


@blueprint.post("/don-hang/<code>/danh-gia/<int:line>")
@public
@takes_files
def write(code: str, line: int) -> Response:
    """Keep what was said, with its photos made anew."""
    user_id, now = own_id(), utc_now()
    try:
        with reading() as session:
            order = open_order(session, code, user_id)
            _line, part = reviews.get_line(session, order, line)
        if part.state not in reviews.RECEIVED:
            raise NotReceived(_("Goods can be reviewed once they have arrived."))
        # Photos are made anew outside the transaction: that takes seconds.
        photo_keys = take_photos()
        with transaction() as session:
            reviews.write(
                session,
                open_order(session, code, user_id),
                line,
                stars=request.form.get("stars", type=int),
                words=request.form.get("words", ""),
                photo_keys=photo_keys,
                now=now,
            )
    except (Invalid, Conflict) as refusal:
        return _form_page(code, line, refusal)
    flash(_("Thanks: the review is on the product's page now."))
    return private(make_response(redirect(address_of(code), 303)))


@blueprint.get("/danh-gia/<int:review_id>/bao")
@public
def report_form(review_id: int) -> str:
    """Ask what is wrong with a review."""
    return render_template("shop/review_report.html", review_id=review_id)


@blueprint.post("/danh-gia/<int:review_id>/bao")
@public
@same_origin_only
def report(review_id: int) -> Response:
    """Note that a visitor finds a review wrong; staff look at it."""
    settings: Settings = current_app.config["SETTINGS"]
    now = utc_now()
    network = throttle.network_of(settings.SECRET_KEY, request.remote_addr)
    with transaction() as session:
        throttle.allow(
            session, f"review-report:{network}", limit=REPORTS, seconds=REPORT_SECONDS, now=now
        )
        reviews.report(
            session, review_id, reporter=network, why=request.form.get("why", ""), now=now
        )
    flash(_("Noted. The shop's staff will look at it."))
    return make_response(redirect(url_for("reviews.reported"), 303))


@blueprint.get("/danh-gia/da-bao")
@public
def reported() -> str:
    """Say that the report has arrived."""
    return render_template("shop/review_report.html", review_id=None)


def take_photos() -> list[str]:
    """Store the photos that came along, at most three, and return their keys."""
    contents = uploaded("photos")
    if len(contents) > MOST_PHOTOS:
        raise BadReview(_("At most 3 photos."), field="photos")
    return [
        intake.take_picture(storage(), content, folder=FOLDER, field="photos").key
        for content in contents
    ]


def _form_page(code: str, line_id: int, refusal: Refusal | None = None) -> Response:
    user_id, now = own_id(), utc_now()
    with reading() as session:
        order = open_order(session, code, user_id)
        line, part = reviews.get_line(session, order, line_id)
        review = reviews.find_of_line(session, line.id)
    page = render_template(
        "shop/review_form.html",
        order=order,
        line=line,
        review=review,
        allowed=part.state in reviews.RECEIVED
        and (review is None or reviews.may_mend(review, now=now)),
        mark=mark(),
        most=MOST_STARS,
        refusal=refusal,
        form=request.form,
        alt_text=alt_text,
    )
    return private(make_response(page, 422 if refusal else 200))
