"""The way to a gateway's page and back; what was paid there is told by the gateway alone."""

from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, request, url_for
from flask_babel import gettext as _

from core.clock import utc_now
from core.outgoing import NoAnswer
from core.settings import Settings
from core.web.requests import database, public, reading
from shop.payments import card_payments, payments
from shop.payments.card_payments import NothingToPay, Way
from shop.payments.gateways import GatewayRefused
from shop.payments.payments import THROUGH_PROVIDER, PaymentState
from shop.views.opening import address_of, mark, open_order, own_id, private

blueprint = Blueprint("card_payments", __name__)


@blueprint.post("/don-hang/<code>/tra-online/<int:payment_id>")
@public
def pay(code: str, payment_id: int) -> Response:
    """Lead the buyer to the page where this payment is paid."""
    user_id = own_id()
    with reading() as session:
        order_id = open_order(session, code, user_id).id
    return private(redirect(to_page(code, order_id, payment_id, mark()), 303))  # type: ignore[arg-type]


@blueprint.get("/don-hang/<code>/tra-xong/<int:payment_id>")
@public
def back(code: str, payment_id: int) -> Response:
    """Take back who comes from the page; the address may say what it likes, it pays nothing."""
    user_id, settings = own_id(), _settings()
    with reading() as session:
        order_id = open_order(session, code, user_id).id
    card_payments.read_back(database(), settings, order_id, payment_id, now=utc_now())
    return private(redirect(address_of(code), 303))  # type: ignore[arg-type]


def to_page(code: str, order_id: int, payment_id: int, opens: str) -> str:
    """Return the address where this payment is paid, or the order's own page with the reason.

    The order stands already: whatever happens here, it can be paid later from its page.
    """
    settings = _settings()
    named: dict[str, Any] = {"code": code, "payment_id": payment_id, "t": opens or None}
    own_page = url_for("orders.show", code=code, t=opens or None)
    way = Way(
        return_url=settings.PUBLIC_URL + url_for("card_payments.back", **named),
        cancel_url=settings.PUBLIC_URL + own_page,
        ip=request.remote_addr or "127.0.0.1",
    )
    try:
        return card_payments.open_page(
            database(), settings, order_id, payment_id, way=way, now=utc_now()
        )
    except NoAnswer:
        current_app.logger.warning("no page for payment %s", payment_id, exc_info=True)
        flash(
            _(
                "The order stands, but the payment page does not answer right now. "
                "Pay later from this page, or choose another way to pay."
            )
        )
    except (NothingToPay, GatewayRefused) as refusal:
        current_app.logger.warning("no page for payment %s", payment_id, exc_info=True)
        flash(str(refusal.message))
    return own_page


def after_ordering(code: str, order_id: int, opens: str) -> str:
    """Return where a buyer goes right after ordering.

    To the gateway's page if there is one page to pay on, else to the order's own.
    """
    with reading() as session:
        waiting = [
            payment.id
            for payment in payments.list_all_of_order(session, order_id)
            if payment.method in THROUGH_PROVIDER
            and payment.state in (PaymentState.CREATED, PaymentState.OPEN)
        ]
    if len(waiting) == 1:
        return to_page(code, order_id, waiting[0], opens)
    return url_for("orders.show", code=code, t=opens or None)


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
