"""What a buyer does on an order's page: pay otherwise, confirm, buy again, print."""

from typing import cast

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

from accounts.phones import show_phone
from core.clock import utc_now
from core.i18n import show_money
from core.settings import Settings
from core.web.requests import public, reading, transaction
from core.web.security import set_cookie
from shop import carts, completion, orders, reorder, repayment, tracking
from shop.orders import NoSuchOrder
from shop.payments.payments import THROUGH_PROVIDER, PaymentMethod
from shop.reorder import Reordered
from shop.repayment import NotThisWay
from shop.selling import selling_of
from shop.views.card_payments import after_ordering
from shop.views.cart import COOKIE, DAYS, remember_count, visitors_cart
from shop.views.opening import address_of, buyer, mark, open_order, own_id, private

blueprint = Blueprint("order_acts", __name__)


@blueprint.post("/don-hang/<code>/cach-tra")
@public
def pay_in(code: str) -> Response:
    """Let what is unpaid of the order be paid in the chosen way."""
    try:
        method = PaymentMethod(request.form.get("payment_method", ""))
    except ValueError as error:
        raise NotThisWay(_("Choose how to pay."), field="payment_method") from error
    user_id, actor = own_id(), buyer()
    with transaction() as session:
        order = open_order(session, code, user_id)
        repayment.pay_in(
            session, order, method, selling=selling_of(_settings()), actor=actor, now=utc_now()
        )
        order_id = order.id
    if method in THROUGH_PROVIDER:
        return private(make_response(redirect(after_ordering(code, order_id, mark()), 303)))
    flash(_("The way to pay was changed."))
    return private(make_response(redirect(address_of(code), 303)))


@blueprint.post("/don-hang/<code>/<int:part_id>/da-nhan")
@public
def received(code: str, part_id: int) -> Response:
    """Say that the goods of one producer are in hand: this part of the order is closed."""
    user_id, actor = own_id(), buyer()
    with transaction() as session:
        order = open_order(session, code, user_id)
        part = next(
            (one for one in orders.list_parts(session, order.id) if one.id == part_id), None
        )
        if part is None:
            raise NoSuchOrder
        completion.complete(session, order, part, actor=actor, now=utc_now())
    flash(_("Thank you. This parcel is closed."))
    return private(make_response(redirect(address_of(code), 303)))


@blueprint.post("/don-hang/<code>/mua-lai")
@public
def buy_again(code: str) -> Response:
    """Put the goods of the order into the cart once more; tell what is missing or costs more."""
    user_id, now, token = own_id(), utc_now(), None
    with transaction() as session:
        order = open_order(session, code, user_id)
        cart = visitors_cart(session, user_id)
        if cart is None:
            cart, token = carts.open_new(session, user_id=user_id, now=now)
        come = reorder.reorder(session, order, cart, now=now)
        count = carts.count(session, cart)
    _tell(come)
    response = private(make_response(redirect(url_for("cart.show"), 303)))
    if token is not None:
        set_cookie(response, COOKIE, token, days=DAYS)
    remember_count(response, count)
    return response


def _tell(come: Reordered) -> None:
    for name in come.missing:
        flash(_("%(name)s is not sold now: left out.", name=name))
    for kept in come.fewer:
        flash(
            _(
                "%(name)s: at most %(most)s can be ordered now. The cart holds %(most)s.",
                name=kept.name,
                most=kept.quantity,
            )
        )
    for name, before, today in come.prices:
        flash(
            _(
                "%(name)s costs %(now)s now, last time %(before)s.",
                name=name,
                now=show_money(today),
                before=show_money(before),
            )
        )


@blueprint.get("/don-hang/<code>/xac-nhan")
@public
def confirmation(code: str) -> Response:
    """Show the order's confirmation as a sheet to be printed or kept."""
    user_id, settings = own_id(), _settings()
    with reading() as session:
        order = open_order(session, code, user_id)
        followed = tracking.track(session, order)
    page = render_template(
        "shop/confirmation.html",
        order=order,
        followed=followed,
        direct=selling_of(settings).is_direct,
        settings=settings,
        mark=mark(),
        show_phone=show_phone,
    )
    return private(make_response(page))


def _settings() -> Settings:
    return cast("Settings", current_app.config["SETTINGS"])
