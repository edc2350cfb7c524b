"""The cart page and the two forms that fill and change it."""

import re

from flask import (
    Blueprint,
    Response,
    flash,
    has_request_context,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from accounts.login import signed_in
from accounts.sessions import LoggedIn
from catalog.illustrations import alt_text
from core.clock import utc_now
from core.web.requests import public, reading, transaction
from core.web.security import cookie_name, same_origin_only, set_cookie
from shop import carts, later, quotes
from shop.carts import BadQuantity, Cart, Kept, NoSuchGoods
from shop.later import NotThere

blueprint = Blueprint("cart", __name__)
COOKIE = "cart"
SAVED_COOKIE = "de_danh"
COUNT_COOKIE = "gio_so"
DAYS = 30
NUMBER = re.compile("-?[0-9]{1,9}")


@blueprint.get("/gio-hang")
@public
def show() -> Response:
    """Show what lies in the cart, by producer, at today's prices."""
    user_id, now = own_id(), utc_now()
    with reading() as session:
        cart = visitors_cart(session, user_id)
        quote = quotes.quote(session, cart, now=now)
        code = cart.voucher if cart and quote.lines else None
        quote = quotes.with_voucher(session, quote, code or "", now=now)
        put_by = later.list_of(session, later.owner_of(user_id, saved_cookie()), now=now)
    response = make_response(
        render_template("shop/cart.html", quote=quote, later=put_by, alt_text=alt_text)
    )
    remember_count(response, quote.count)
    return response


@blueprint.post("/gio-hang/them")
@public
@same_origin_only
def add() -> Response:
    """Put something into the cart; the pages that post here are cached and carry no token."""
    variant_id, quantity = _number("variant_id"), _number("quantity", default=1)
    user_id, now = own_id(), utc_now()
    with transaction() as session:
        cart, token = visitors_cart(session, user_id), None
        if cart is None:
            cart, token = carts.open_new(session, user_id=user_id, now=now)
        kept = carts.add(
            session,
            cart,
            variant_id,
            quantity=quantity,
            lot_code=request.form.get("lot") or None,
            now=now,
        )
        count = carts.count(session, cart)
    _tell(kept)
    to_checkout = request.form.get("then") == "checkout"
    response = make_response(
        redirect(url_for("checkout.form" if to_checkout else "cart.show"), 303)
    )
    if token is not None:
        set_cookie(response, COOKIE, token, days=DAYS)
    remember_count(response, count)
    return response


@blueprint.post("/gio-hang/sua")
@public
@same_origin_only
def change() -> Response:
    """Change how many of a thing lie in the cart, or agree to today's prices."""
    user_id, now = own_id(), utc_now()
    with transaction() as session:
        cart = visitors_cart(session, user_id)
        count = 0
        if cart is not None:
            if request.form.get("agree") == "prices":
                seen = quotes.quote(session, cart, now=now)
                prices = {line.variant_id: line.price for line in seen.lines if line.price}
                carts.accept_prices(session, cart, prices, now=now)
            else:
                kept = carts.change(
                    session,
                    cart,
                    _number("variant_id"),
                    quantity=0 if "remove" in request.form else _number("quantity"),
                    lot_code=request.form.get("lot") or None,
                    now=now,
                )
                _tell(kept)
            count = carts.count(session, cart)
    response = make_response(redirect(url_for("cart.show"), 303))
    remember_count(response, count)
    return response


@blueprint.post("/gio-hang/ma-giam-gia")
@public
@same_origin_only
def voucher() -> Response:
    """Keep a voucher's code with the cart, as typed; the cart then shows what it takes off."""
    user_id, now = own_id(), utc_now()
    with transaction() as session:
        cart = visitors_cart(session, user_id)
        if cart is not None:
            carts.note_voucher(session, cart, request.form.get("voucher", ""), now=now)
    return make_response(redirect(url_for("cart.show"), 303))


@blueprint.post("/gio-hang/de-danh")
@public
@same_origin_only
def save() -> Response:
    """Move a thing from the cart to those saved for later."""
    user_id, now = own_id(), utc_now()
    token = saved_cookie() or later.new_token()
    with transaction() as session:
        cart = visitors_cart(session, user_id)
        if cart is None:
            raise NotThere(_("This is no longer in the cart."))
        later.save(
            session,
            cart,
            later.owner_of(user_id, token) or "",
            _number("variant_id"),
            lot_code=request.form.get("lot") or None,
            now=now,
        )
        count = carts.count(session, cart)
    response = make_response(redirect(url_for("cart.show") + "#de-danh", 303))
    if user_id is None:
        set_cookie(response, SAVED_COOKIE, token, days=later.GUEST_DAYS)
    remember_count(response, count)
    return response


@blueprint.post("/gio-hang/de-danh/<int:saved_id>")
@public
@same_origin_only
def from_saved(saved_id: int) -> Response:
    """Put a saved thing into the cart, or forget it."""
    user_id, now = own_id(), utc_now()
    owner = later.owner_of(user_id, saved_cookie())
    token = None
    with transaction() as session:
        cart = visitors_cart(session, user_id)
        if "remove" in request.form:
            later.forget(session, owner, saved_id)
        else:
            if cart is None:
                cart, token = carts.open_new(session, user_id=user_id, now=now)
            _tell(later.to_cart(session, owner, cart, saved_id, now=now))
        count = carts.count(session, cart) if cart else 0
    response = make_response(redirect(url_for("cart.show"), 303))
    if token is not None:
        set_cookie(response, COOKIE, token, days=DAYS)
    remember_count(response, count)
    return response


def own_id() -> int | None:
    """Return the id of who is logged in here, if anyone; ask before opening a transaction."""
    person = signed_in()
    return person.user_id if person else None


def visitors_cart(session: Session, user_id: int | None) -> Cart | None:
    """Return the open cart of whoever asks."""
    return carts.find_open(session, token=cart_cookie(), user_id=user_id)


def cart_cookie() -> str | None:
    """Return the value of the guest's cart cookie, if there is one."""
    return request.cookies.get(cookie_name(COOKIE))


def saved_cookie() -> str | None:
    """Return under which value a guest's saved things are kept, if there is one."""
    return request.cookies.get(cookie_name(SAVED_COOKIE))


def remember_count(response: Response, count: int) -> None:
    """Let cached pages show how many pieces lie in the cart, without asking the shop."""
    set_cookie(response, COUNT_COOKIE, str(count), days=DAYS, http_only=False)


def bring_guest_cart(session: Session, news: LoggedIn) -> None:
    """Give the person who just logged in what they had put into a guest's cart or saved."""
    token = cart_cookie() if has_request_context() else None
    if token:
        merged = carts.merge(session, token=token, user_id=news.user_id, now=news.at)
        for kept in merged.cut:
            _tell(kept)
        for kept in merged.more:
            flash(
                _(
                    "%(name)s: the cart now holds %(now)s, before %(before)s.",
                    name=kept.name,
                    now=kept.quantity,
                    before=kept.wanted,
                )
            )
        if merged.joined:
            flash(
                ngettext(
                    "%(num)s thing chosen before logging in was added to this cart.",
                    "%(num)s things chosen before logging in were added to this cart.",
                    merged.joined,
                )
            )
    saved_as = saved_cookie() if has_request_context() else None
    if saved_as:
        later.bring_along(session, token=saved_as, user_id=news.user_id)


def _number(field: str, *, default: int | None = None) -> int:
    """Return a whole number as typed; what is no number is the buyer's slip, never our error."""
    text = request.form.get(field, "").strip()
    if not text and default is not None:
        return default
    if not NUMBER.fullmatch(text):
        if field == "variant_id":
            raise NoSuchGoods
        raise BadQuantity(_("Write the quantity as a number, for example 2."), field=field)
    return int(text)


def _tell(kept: Kept) -> None:
    if kept.quantity < kept.wanted:
        flash(
            _(
                "%(name)s: at most %(most)s can be ordered now. The cart holds %(most)s.",
                name=kept.name,
                most=kept.quantity,
            )
        )
