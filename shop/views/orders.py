"""The order's page for its buyer, its QR pictures, and the look-up by code and phone."""

import hmac
from collections.abc import Sequence

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
from sqlalchemy.orm import Session

from accounts import throttle
from accounts.audit import Actor
from accounts.login import signed_in
from accounts.phones import last4, show_phone
from core import qr
from core.clock import utc_now
from core.codes import normalise
from core.settings import Settings
from core.web.requests import public, reading, transaction
from shop import cancellations, links, orders, tracking
from shop.codes import ORDER_CODE
from shop.orders import NoSuchOrder, Order
from shop.payments.bank_transfer import qr_text
from shop.payments.payments import PaymentState

blueprint = Blueprint("orders", __name__)
LOOKUPS, LOOKUP_SECONDS = 5, 15 * 60
PNG_SCALE = 10


@blueprint.get("/don-hang/<code>")
@public
def show(code: str) -> Response:
    """Show the whole order: what to pay where, where each part stands, what happened."""
    user_id = _own_id()
    with reading() as session:
        order = _open(session, code, user_id)
        followed = tracking.track(session, order)
    page = render_template(
        "shop/order.html",
        followed=followed,
        order=order,
        mark=request.args.get("t", ""),
        show_phone=show_phone,
        now=utc_now(),
    )
    return _private(make_response(page))


@blueprint.get("/don-hang/<code>/tinh-trang")
@public
def standing(code: str) -> Response:
    """Say in one word where the order stands, for the page that waits for money."""
    user_id = _own_id()
    with reading() as session:
        mark = tracking.track(session, _open(session, code, user_id)).mark
    return _private(make_response(mark, {"Content-Type": "text/plain; charset=utf-8"}))


@blueprint.get("/don-hang/<code>/qr/<int:payment_id>.<any(svg,png):kind>")
@public
def qr_code(code: str, payment_id: int, kind: str) -> Response:
    """Give the VietQR of a transfer that is still awaited; `png` to be kept on a phone."""
    user_id = _own_id()
    with reading() as session:
        followed = tracking.track(session, _open(session, code, user_id))
    payment = next((part.payment for part in followed.parts if part.payment.id == payment_id), None)
    if payment is None or payment.state not in (PaymentState.AWAITING, PaymentState.PARTIAL):
        raise NoSuchOrder
    text = qr_text(payment)
    if kind == "svg":
        return _private(make_response(qr.svg(text), {"Content-Type": "image/svg+xml"}))
    response = make_response(qr.png(text, scale=PNG_SCALE), {"Content-Type": "image/png"})
    response.headers["Content-Disposition"] = f'inline; filename="{payment.memo}.png"'
    return _private(response)


@blueprint.post("/don-hang/<code>/huy")
@public
def cancel(code: str) -> Response:
    """Call the order off for its buyer, as far as nobody is preparing it yet."""
    person = signed_in()
    with transaction() as session:
        order = _open(session, code, person.user_id if person else None)
        actor = Actor(person.user_id, person.name) if person else Actor(None, str(_("buyer")))
        ended = cancellations.cancel(session, order, actor=actor, now=utc_now())
    flash(
        _("The order was called off.")
        if ended
        else _("This order is being prepared already. Call the producer.")
    )
    address = url_for("orders.show", code=code, t=request.args.get("t") or None)
    return _private(make_response(redirect(address, 303)))


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
    now = utc_now()
    network = throttle.network_of(settings.SECRET_KEY, request.remote_addr)
    with transaction() as session:
        throttle.allow(session, f"lookup:{network}", limit=LOOKUPS, seconds=LOOKUP_SECONDS, now=now)
    code = normalise(ORDER_CODE, request.form.get("code", "")[:40])
    digits = request.form.get("last4", "").strip()
    with reading() as session:
        order = orders.find_by_code(session, code)
    known = last4(order.buyer_phone) if order else "----"
    if not hmac.compare_digest(digits.encode(), known.encode()) or order is None:
        return _lookup_page(_("No order has this code and these last four digits."))
    mark = links.order_mark(settings.SECRET_KEY, order.cart_id)
    return _private(make_response(redirect(url_for("orders.show", code=order.code, t=mark), 303)))


def _lookup_page(mistake: str | None = None) -> Response:
    page = render_template("shop/lookup.html", mistake=mistake, typed=request.form)
    return make_response(page, 422 if mistake else 200)


def _own_id() -> int | None:
    person = signed_in()
    return person.user_id if person else None


def _open(session: Session, code: str, user_id: int | None) -> Order:
    """Return the order if the link's mark or the account opens it; else it does not exist."""
    order = orders.find_by_code(session, normalise(ORDER_CODE, code))
    if order is None:
        raise NoSuchOrder
    own = user_id is not None and order.user_id == user_id
    if not own and not links.opens(order, request.args.get("t", ""), _secrets()):
        raise NoSuchOrder
    return order


def _secrets() -> Sequence[str]:
    settings: Settings = current_app.config["SETTINGS"]
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def _private(response: Response) -> Response:
    # The address itself opens the order: it must not travel in a Referer header.
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
