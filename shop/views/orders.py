"""The order's page for its buyer, its QR pictures, and the look-up by code and phone."""

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

from accounts.login import network
from accounts.phones import show_phone
from core import qr
from core.clock import utc_now
from core.settings import Settings
from core.web.requests import public, reading, transaction
from core.web.security import may_lead_to_payment
from shop import addresses, cancellations, links, repayment, returns, tracking
from shop import lookup as lookups
from shop.lookup import NoMatch
from shop.orders import NoSuchOrder
from shop.payments.bank_transfer import qr_text
from shop.payments.payments import PaymentState
from shop.selling import selling_of
from shop.views.opening import address_of, buyer, mark, open_order, own_id, private

blueprint = Blueprint("orders", __name__)
PNG_SCALE = 10


@blueprint.get("/don-hang/<code>")
@public
def show(code: str) -> Response:
    """Show the whole order: what to pay where, where each part stands, what happened."""
    user_id = own_id()
    with reading() as session:
        order = open_order(session, code, user_id)
        followed = tracking.track(session, order)
        own = user_id is not None and order.user_id == user_id
        to_keep = own and not addresses.knows(session, user_id or 0, order)
        ways = repayment.ways(session, order, selling=selling_of(current_app.config["SETTINGS"]))
        asked_back = returns.of_order(session, order.id)
    may_lead_to_payment()
    page = render_template(
        "shop/order.html",
        followed=followed,
        order=order,
        own=own,
        to_keep=to_keep,
        ways=[way.value for way in ways],
        mark=mark(),
        show_phone=show_phone,
        asked_back=asked_back,
        open_until=returns.open_until,
        return_reasons=returns.REASON_NAMES,
        now=utc_now(),
    )
    return private(make_response(page))


@blueprint.get("/don-hang/<code>/tinh-trang")
@public
def standing(code: str) -> Response:
    """Say in one word where the order stands, for the page that waits for money."""
    user_id = own_id()
    with reading() as session:
        stands = tracking.track(session, open_order(session, code, user_id)).mark
    return private(make_response(stands, {"Content-Type": "text/plain; charset=utf-8"}))


@blueprint.get("/don-hang/<code>/qr/<int:payment_id>.<any(svg,png):kind>")
@public
def qr_code(code: str, payment_id: int, kind: str) -> Response:
    """Give the VietQR of a transfer that is still awaited; `png` to be kept on a phone."""
    user_id = own_id()
    with reading() as session:
        followed = tracking.track(session, open_order(session, code, user_id))
    payment = next((part.payment for part in followed.parts if part.payment.id == payment_id), None)
    if payment is None or payment.state not in (PaymentState.AWAITING, PaymentState.PARTIAL):
        raise NoSuchOrder
    text = qr_text(payment)
    if kind == "svg":
        return private(make_response(qr.svg(text), {"Content-Type": "image/svg+xml"}))
    response = make_response(qr.png(text, scale=PNG_SCALE), {"Content-Type": "image/png"})
    response.headers["Content-Disposition"] = f'inline; filename="{payment.memo}.png"'
    return private(response)


@blueprint.post("/don-hang/<code>/huy")
@public
def cancel(code: str) -> Response:
    """Call the order off for its buyer, as far as nobody is preparing it yet."""
    user_id, actor = own_id(), buyer()
    with transaction() as session:
        order = open_order(session, code, user_id)
        ended = cancellations.cancel(session, order, actor=actor, now=utc_now())
    flash(
        _("The order was called off.")
        if ended
        else _("This order is being prepared already. Call the producer.")
    )
    return private(make_response(redirect(address_of(code), 303)))


@blueprint.get("/tra-cuu")
@public
def lookup() -> Response:
    """Ask for an order's code and the last digits of its phone."""
    return _lookup_page()


@blueprint.post("/tra-cuu")
@public
def find() -> Response:
    """Lead to the order whose code and phone were typed; a miss never says which was wrong."""
    settings: Settings = current_app.config["SETTINGS"]
    code, now = request.form.get("code", ""), utc_now()
    with transaction() as session:
        lookups.count_try(session, code, secret=settings.SECRET_KEY, network=network(), now=now)
    try:
        with reading() as session:
            order = lookups.find(session, code, request.form.get("last4", ""))
    except NoMatch as refusal:
        return _lookup_page(str(refusal.message))
    opens = links.order_mark(settings.SECRET_KEY, order.cart_id)
    return private(make_response(redirect(url_for("orders.show", code=order.code, t=opens), 303)))


def _lookup_page(mistake: str | None = None) -> Response:
    page = render_template("shop/lookup.html", mistake=mistake, typed=request.form)
    return make_response(page, 422 if mistake else 200)
