"""One's own address book."""

from collections.abc import Mapping
from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from accounts.login import SignedIn, account_required, signed_in
from accounts.phones import show_phone
from core.clock import utc_now
from core.web.requests import reading, transaction
from shop import addresses
from shop.views import place_fields
from shop.wishes import Mistyped

blueprint = Blueprint("addresses", __name__, url_prefix="/tai-khoan/dia-chi")


@blueprint.get("")
@account_required
def index() -> str:
    """List the addresses; `?da-xoa=` offers to take back the one just deleted."""
    user_id, gone = _person().user_id, request.args.get("da-xoa", type=int)
    with reading() as session:
        book = addresses.list_of(session, user_id)
        deleted = addresses.find_deleted(session, user_id, gone) if gone else None
    return render_template("shop/addresses.html", book=book, deleted=deleted, show_phone=show_phone)


@blueprint.route("/moi", methods=["GET", "POST"])
@account_required
def new() -> Response:
    """Write down a new address."""
    if request.method != "POST":
        return _form({"name": _person().name})
    return _keep(None)


@blueprint.route("/<int:address_id>", methods=["GET", "POST"])
@account_required
def change(address_id: int) -> Response:
    """Change an address; orders that were sent to it keep the old one."""
    with reading() as session:
        entry = addresses.get(session, _person().user_id, address_id)
    if request.method != "POST":
        return _form(entry.typed | {"default": "1" if entry.address.is_default else ""})
    return _keep(address_id)


def _keep(address_id: int | None) -> Response:
    if place_fields.pressed(request.form):
        return _form(request.form)
    try:
        with transaction() as session:
            addresses.keep(
                session, _person().user_id, request.form, address_id=address_id, now=utc_now()
            )
    except Mistyped as refusal:
        return _form(request.form, refusal.mistakes)
    return _to_index()


def _form(typed: Mapping[str, str], mistakes: list[tuple[str, str]] | None = None) -> Response:
    with reading() as session:
        place = place_fields.values(session, typed)
    page = render_template(
        "shop/address.html", mistakes=mistakes or [], wrong=dict(mistakes or []), **place
    )
    return make_response(page, 422 if mistakes else 200)


@blueprint.post("/<int:address_id>/mac-dinh")
@account_required
def prefer(address_id: int) -> Response:
    """Let this address be filled in first."""
    with transaction() as session:
        addresses.prefer(session, _person().user_id, address_id)
    return _to_index()


@blueprint.post("/<int:address_id>/xoa")
@account_required
def remove(address_id: int) -> Response:
    """Delete an address; the page that follows offers to take it back."""
    with transaction() as session:
        addresses.remove(session, _person().user_id, address_id, now=utc_now())
    return _to_index(deleted=address_id)


@blueprint.post("/<int:address_id>/lay-lai")
@account_required
def take_back(address_id: int) -> Response:
    """Take back an address that was deleted."""
    with transaction() as session:
        addresses.take_back(session, _person().user_id, address_id)
    return _to_index()


def _person() -> SignedIn:
    return cast("SignedIn", signed_in())


def _to_index(*, deleted: int | None = None) -> Response:
    address = url_for("addresses.index")
    if deleted is not None:
        address += f"?da-xoa={deleted}"
    return cast("Response", redirect(address, 303))
