"""Gift sets: the list, one set, and the tap that puts all of its parts into the cart."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from catalog.illustrations import alt_text
from core.clock import utc_now
from core.web.requests import public, reading, transaction
from core.web.security import same_origin_only, set_cookie
from shop import cart_sets, carts, gift_sets
from shop.views.cart import COOKIE, DAYS, own_id, remember_count, visitors_cart

blueprint = Blueprint("gift_sets", __name__)
KEEP = "public, max-age=60, stale-if-error=86400"


@blueprint.get("/gio-qua")
@public
def index() -> Response:
    """List the gift sets that are offered."""
    with reading() as session:
        found = gift_sets.list_live(session, now=utc_now())
    response = make_response(render_template("shop/gift_sets.html", found=found, alt_text=alt_text))
    response.headers["Cache-Control"] = KEEP
    return response


@blueprint.get("/gio-qua/<slug>")
@public
def show(slug: str) -> Response:
    """Show one set with its parts, who makes them, and what it costs."""
    with reading() as session:
        whole = gift_sets.get_live(session, slug, now=utc_now())
    response = make_response(render_template("shop/gift_set.html", whole=whole, alt_text=alt_text))
    response.headers["Cache-Control"] = KEEP
    return response


@blueprint.post("/gio-qua/<slug>/them")
@public
@same_origin_only
def add(slug: str) -> Response:
    """Put every part of the set into the cart; the page that posts here is cached."""
    user_id, now = own_id(), utc_now()
    typed = request.form.get("quantity", "1").strip()
    count = int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 4 else 0  # noqa: PLR2004
    with transaction() as session:
        cart, token = visitors_cart(session, user_id), None
        if cart is None:
            cart, token = carts.open_new(session, user_id=user_id, now=now)
        cart_sets.put_in_cart(session, cart, slug, count=count, now=now)
        pieces = carts.count(session, cart)
    response = make_response(redirect(url_for("cart.show"), 303))
    if token is not None:
        set_cookie(response, COOKIE, token, days=DAYS)
    remember_count(response, pieces)
    return response
