"""One's own data: what was agreed to, everything as a file, and leaving for good."""

import json
from typing import cast

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from accounts import consents, own_data, users
from accounts.consents import MATTER_NAMES, Matter
from accounts.login import SignedIn, account_required, log_out, network, proof_required, signed_in
from core.clock import utc_now
from core.errors import Conflict
from core.web.requests import reading, transaction

blueprint = Blueprint("own_data", __name__, url_prefix="/tai-khoan/du-lieu")


@blueprint.get("")
@account_required
def index() -> Response:
    """Show what was agreed to, and what can be done."""
    return _page()


@blueprint.post("/tin")
@account_required
def news() -> Response:
    """Agree to news and offers, or take the yes back."""
    with transaction() as session:
        user = users.get(session, _person().user_id)
        if request.form.get("news") == "1":
            if not consents.stands(session, user.id, Matter.NEWS):
                consents.give(session, user, [Matter.NEWS], network=network(), now=utc_now())
        else:
            consents.take_back(session, user, Matter.NEWS, now=utc_now())
    return cast("Response", redirect(url_for("own_data.index"), 303))


@blueprint.get("/tai-ve")
@account_required
@proof_required
def download() -> Response:
    """Give everything the shop holds of this person, as JSON."""
    with reading() as session:
        told = own_data.tell_all(session, _person().user_id, current_app.extensions["tellers"])
    text = json.dumps(told, ensure_ascii=False, indent=1)
    response = Response(text, mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename="du-lieu-cua-toi.json")
    return response


@blueprint.post("/xoa")
@account_required
@proof_required
def erase() -> Response:
    """Erase the account for good, after a ticked box."""
    if request.form.get("sure") != "1":
        return _page("sure")
    try:
        with transaction() as session:
            user = users.get(session, _person().user_id)
            own_data.erase_all(session, user, current_app.extensions["erasers"], now=utc_now())
    except Conflict as refusal:
        return _page(str(refusal.message))
    response = make_response(render_template("accounts/erased.html"))
    log_out(response)
    return response


def _page(error: str | None = None) -> Response:
    with reading() as session:
        found = consents.list_of(session, _person().user_id)
    page = render_template(
        "accounts/own_data.html",
        consents=found,
        names=MATTER_NAMES,
        news=any(one.matter is Matter.NEWS and one.taken_back_at is None for one in found),
        error=error,
    )
    return make_response(page, 422 if error else 200)


def _person() -> SignedIn:
    return cast("SignedIn", signed_in())
