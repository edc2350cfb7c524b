"""The orders of one's account."""

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
from flask_babel import ngettext

from accounts import users
from accounts.audit import Actor
from accounts.login import SignedIn, account_required, network, signed_in
from core.clock import utc_now
from core.web.paging import read_cursor, write_cursor
from core.web.requests import reading, transaction
from shop import addresses, lookup, orders, own_orders
from shop.lookup import NoMatch
from shop.orders import NoSuchOrder
from shop.own_orders import Heap

blueprint = Blueprint("own_orders", __name__, url_prefix="/tai-khoan/don-hang")


@blueprint.get("")
@account_required
def index() -> Response:
    """List one's orders, the newest first; `?muc=` narrows the list."""
    return _page()


@blueprint.post("/nhan")
@account_required
def claim() -> Response:
    """Take an order of before into the account, by its code and the last digits of its phone."""
    person, now = _person(), utc_now()
    code = request.form.get("code", "")
    with transaction() as session:
        secret = current_app.config["SETTINGS"].SECRET_KEY
        lookup.count_try(session, code, secret=secret, network=network(), now=now)
    try:
        with transaction() as session:
            order = lookup.find(session, code, request.form.get("last4", ""))
            own_orders.claim(session, order, actor=_actor(person), now=now)
    except NoMatch as refusal:
        return _page(mistake=str(refusal.message))
    flash(_("Order %(code)s now stands in this account.", code=order.code))
    return _to_index()


@blueprint.post("/nhan-theo-so")
@account_required
def claim_under_phone() -> Response:
    """Take every order of before under one's proved phone into the account."""
    person = _person()
    with transaction() as session:
        taken = own_orders.claim_under_phone(
            session, users.get(session, person.user_id), actor=_actor(person), now=utc_now()
        )
    flash(
        ngettext(
            "%(num)s order now stands in this account.",
            "%(num)s orders now stand in this account.",
            taken,
        )
    )
    return _to_index()


@blueprint.post("/<code>/luu-dia-chi")
@account_required
def keep_address(code: str) -> Response:
    """Keep the address of one's order in the address book."""
    user_id = _person().user_id
    with transaction() as session:
        order = orders.find_by_code(session, code)
        if order is None or order.user_id != user_id:
            raise NoSuchOrder
        addresses.keep_of_order(session, user_id, order, now=utc_now())
    flash(_("The address is kept in the address book."))
    return cast("Response", redirect(url_for("orders.show", code=code), 303))


def _page(*, mistake: str | None = None) -> Response:
    user_id = _person().user_id
    heap = own_orders.heap_of(request.args.get("muc"))
    mark = read_cursor(request.args.get("sau"), (int,))
    with reading() as session:
        found, following = own_orders.list_page(
            session, user_id, heap=heap, before=int(mark[0] or 0) if mark else None
        )
        unclaimed = own_orders.count_under_phone(session, users.get(session, user_id))
    page = render_template(
        "shop/own_orders.html",
        found=found,
        heap=heap,
        heaps=list(Heap),
        unclaimed=unclaimed,
        mistake=mistake,
        following=write_cursor([following]) if following else None,
    )
    return make_response(page, 422 if mistake else 200)


def _person() -> SignedIn:
    return cast("SignedIn", signed_in())


def _actor(person: SignedIn) -> Actor:
    return Actor(person.user_id, person.name)


def _to_index() -> Response:
    return cast("Response", redirect(url_for("own_orders.index"), 303))
