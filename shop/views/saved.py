"""Saved goods: one tap on a product's page keeps it in mind, for guests too."""

from flask import (
    Blueprint,
    Response,
    has_request_context,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy.orm import Session

from accounts.sessions import LoggedIn
from catalog.illustrations import alt_text
from catalog.products import NoSuchProduct
from core.clock import utc_now
from core.web.requests import public, reading, transaction
from core.web.security import cookie_name, same_origin_only, set_cookie
from shop import saved
from shop.views.opening import own_id

blueprint = Blueprint("saved", __name__)
COOKIE = "luu"
DAYS = 365
LONGEST_NUMBER = 18


@blueprint.get("/da-luu")
@public
def index() -> str:
    """List what the visitor keeps in mind."""
    user_id, token = own_id(), _cookie()
    with reading() as session:
        ids = saved.list_ids(session, token=token, user_id=user_id)
        goods = saved.list_cards(session, ids, now=utc_now())
    return render_template("shop/saved.html", goods=goods, alt_text=alt_text)


@blueprint.post("/da-luu")
@public
@same_origin_only
def save() -> Response:
    """Keep a product in mind; the page that posts here is cached and carries no token."""
    user_id, token = own_id(), _cookie()
    fresh = None if user_id is not None or token else saved.new_token()
    with transaction() as session:
        saved.save(session, _product_id(), token=token or fresh, user_id=user_id, now=utc_now())
    response = make_response(redirect(url_for("saved.index"), 303))
    if fresh is not None:
        set_cookie(response, COOKIE, fresh, days=DAYS)
    return response


@blueprint.post("/da-luu/bo")
@public
def forget() -> Response:
    """Take a product off the list."""
    user_id, token = own_id(), _cookie()
    with transaction() as session:
        saved.forget(session, _product_id(), token=token, user_id=user_id)
    return make_response(redirect(url_for("saved.index"), 303))


def bring_guest_list(session: Session, news: LoggedIn) -> None:
    """Give the person who just logged in what they had saved as a guest."""
    token = _cookie() if has_request_context() else None
    if token:
        saved.merge(session, token=token, user_id=news.user_id)


def _cookie() -> str | None:
    return request.cookies.get(cookie_name(COOKIE))


def _product_id() -> int:
    text = request.form.get("product_id", "")
    if not text.isascii() or not text.isdigit() or len(text) > LONGEST_NUMBER:
        raise NoSuchProduct
    return int(text)
