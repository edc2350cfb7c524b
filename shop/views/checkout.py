"""The one-page checkout: a plain form that keeps everything typed until the order stands."""

from collections.abc import Mapping

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
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext as _

from accounts.audit import Actor
from accounts.login import signed_in
from core.clock import utc_now
from core.i18n import language
from core.settings import Settings
from core.web.requests import database, public, reading, transaction
from core.web.security import may_lead_to_payment
from shop import addresses, age, carrier_fees, carts, checkout, links, quotes, wishes
from shop.addresses import Entry
from shop.checkout import Buyer, CannotBePlaced, EmptyCart, TooManyOrders
from shop.payments import choices
from shop.quotes import Quote
from shop.selling import selling_of
from shop.views import place_fields
from shop.views.card_payments import after_ordering
from shop.views.cart import own_id, remember_count, visitors_cart
from shop.wishes import Mistyped

blueprint = Blueprint("checkout", __name__)
USE_ADDRESS = "use_address"
APPLY_VOUCHER = "apply_voucher"


@blueprint.record_once
def stop_on_half_an_account(state: BlueprintSetupState) -> None:
    """Stop the start when the operator's account is named in part: nobody could be paid on it."""
    selling_of(state.app.config["SETTINGS"])


@blueprint.get("/dat-hang")
@public
def form() -> Response:
    """Show the checkout with the default address; `?province_code=` lists its communes."""
    person = signed_in()
    return _page({"name": person.name if person else "", **request.args}, fill_in=True)


@blueprint.post("/dat-hang")
@public
def place() -> Response:
    """Place the order, or show the same page again with what has to be mended."""
    asked = {USE_ADDRESS, APPLY_VOUCHER} & request.form.keys()
    if place_fields.pressed(request.form) or asked:
        return _page(request.form)
    settings: Settings = current_app.config["SETTINGS"]
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    cart = links.read_cart_mark(request.form.get("cart_token", ""), secrets)
    if cart is None:
        return _page(
            request.form,
            status=422,
            mistakes=[("gio-hang", _("This page is too old. Look at the cart, then order again."))],
        )
    person = signed_in()
    mark = links.order_mark(settings.SECRET_KEY, cart.cart_id)
    try:
        with transaction() as session:
            order = checkout.place(
                session,
                cart.cart_id,
                request.form,
                buyer=Buyer(
                    Actor(
                        person.user_id if person else None,
                        person.name if person else str(_("buyer")),
                    ),
                    language(),
                    mark,
                ),
                agreed_prices=cart.prices,
                seen_goods=cart.goods,
                seen_fees=cart.fees,
                public_url=settings.PUBLIC_URL + request.script_root,
                now=utc_now(),
                selling=selling_of(settings),
            )
            left = visitors_cart(session, person.user_id if person else None)
            count = carts.count(session, left) if left else 0
    except (Mistyped, CannotBePlaced, TooManyOrders) as refusal:
        return _refused(refusal)
    except EmptyCart as refusal:
        flash(str(refusal.message))
        return _redirect(url_for("cart.show"))
    # The order is kept: from here on nothing can lose it, whoever does not answer.
    response = _redirect(after_ordering(order.code, order.id, mark))
    remember_count(response, count)
    return response


def _refused(refusal: Mistyped | CannotBePlaced | TooManyOrders) -> Response:
    """Show the form again with what was typed and what is in the way."""
    if isinstance(refusal, Mistyped):
        return _page(request.form, status=422, mistakes=refusal.mistakes)
    told = str(refusal.message)
    if isinstance(refusal, CannotBePlaced):
        return _page(request.form, status=409, mistakes=[("gio-hang", told)], asks=True)
    page = _page(request.form, status=429, mistakes=[("phone", told)])
    page.headers["Retry-After"] = str(refusal.retry_after)
    return page


def _page(
    typed: Mapping[str, str],
    *,
    status: int = 200,
    mistakes: list[tuple[str, str]] | None = None,
    asks: bool = False,
    fill_in: bool = False,
) -> Response:
    """Show the form with everything typed; after a price rise (`asks`) sending it again agrees.

    `fill_in` lets the default address stand in the fields nothing was typed in.
    """
    settings: Settings = current_app.config["SETTINGS"]
    selling = selling_of(settings)
    user_id = own_id()
    with reading() as session:
        book = addresses.list_of(session, user_id) if user_id is not None else []
        typed = _with_address(book, typed, fill_in=fill_in)
        place = place_fields.values(session, typed)
        to = wishes.destination(session, place["typed"])
        cart = visitors_cart(session, user_id)
        quote = quotes.quote(session, cart, now=utc_now(), to=to)
    if cart is None or not quote.lines:
        return _redirect(url_for("cart.show"))
    if _learn_fees(quote):
        with reading() as session:
            quote = quotes.quote(session, cart, now=utc_now(), to=to)
    with reading() as session:
        code = typed.get("voucher", cart.voucher or "")
        quote = quotes.with_voucher(session, quote, code, now=utc_now())
        adults_only = age.asks(session, {line.product_id for line in quote.lines})
        offered = choices.offered(session, quote, selling)
    chosen = {parcel.slug: typed.get(f"delivery_{parcel.slug}", "") for parcel in quote.parcels}
    may_lead_to_payment()
    page = render_template(
        "shop/checkout.html",
        quote=quote,
        book=book,
        selling=selling,
        offered=offered,
        chosen=chosen,
        adults_only=adults_only,
        fee_by_commune=quote.depends_on_commune,
        **place,
        mistakes=mistakes or [],
        wrong=dict(mistakes or []),
        cart_token=links.write_cart_mark(
            settings.SECRET_KEY,
            cart.id,
            prices=quote.prices if asks else "",
            goods=quote.goods,
            fees=quote.fees,
        ),
    )
    return make_response(page, status)


def _learn_fees(quote: Quote) -> bool:
    """Ask carriers what they have not told of this cart; False when there was nothing to ask."""
    questions = quotes.open_questions(quote)
    carrier_fees.learn(database(), questions, current_app.config["SETTINGS"], now=utc_now())
    return bool(questions)


def _with_address(
    book: list[Entry], typed: Mapping[str, str], *, fill_in: bool
) -> Mapping[str, str]:
    """Return what was typed with the address that was tapped, or with the default one."""
    tapped = typed.get(USE_ADDRESS)
    for entry in book:
        if tapped == str(entry.address.id):
            return {**typed, **entry.typed}
        if fill_in and entry.address.is_default and "province_code" not in typed:
            return {**typed, **entry.typed}
    return typed


def _redirect(address: str) -> Response:
    response = make_response(redirect(address, 303))
    response.headers["Cache-Control"] = "no-store"
    return response
