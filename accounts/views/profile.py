"""One's own name and e-mail."""

from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from accounts import profile, users
from accounts.audit import Actor
from accounts.login import SignedIn, account_required, proof_required, signed_in
from accounts.phones import show_phone
from core.clock import utc_now
from core.errors import Conflict, Invalid
from core.web.requests import reading, transaction

blueprint = Blueprint("profile", __name__, url_prefix="/tai-khoan/ho-so")


@blueprint.get("")
@account_required
def form() -> Response:
    """Show name, phone and e-mail."""
    return _page({})


@blueprint.post("")
@account_required
def rename() -> Response:
    """Take another name."""
    try:
        with transaction() as session:
            profile.rename(
                session, users.get(session, _person().user_id), request.form.get("name", "")
            )
    except Invalid as refusal:
        return _page({"name": str(refusal.message)})
    return _saved()


@blueprint.post("/e-mail")
@account_required
@proof_required
def change_email() -> Response:
    """Take another e-mail address, shortly after the password was given."""
    person = _person()
    try:
        with transaction() as session:
            profile.change_email(
                session,
                users.get(session, person.user_id),
                request.form.get("email", ""),
                actor=Actor(person.user_id, person.name),
                now=utc_now(),
            )
    except (Invalid, Conflict) as refusal:
        return _page({"email": str(refusal.message)})
    return _saved()


def _page(errors: dict[str, str]) -> Response:
    with reading() as session:
        user = users.get(session, _person().user_id)
    page = render_template(
        "accounts/profile.html",
        user=user,
        typed=request.form or {"name": user.name, "email": user.email},
        errors=errors,
        phone=show_phone(user.phone) if user.phone else None,
    )
    return make_response(page, 422 if errors else 200)


def _saved() -> Response:
    return cast("Response", redirect(url_for("profile.form", xong=1), 303))


def _person() -> SignedIn:
    return cast("SignedIn", signed_in())
