"""The log-in code besides the password: set it up, get new paper codes, switch it off."""

from typing import cast

from flask import (
    Blueprint,
    Response,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from accounts import second_factors, sessions, throttle, users
from accounts.audit import Actor
from accounts.login import (
    SignedIn,
    account_required,
    keys,
    needs_second_factor,
    proof_required,
    signed_in,
)
from accounts.second_factors import NothingBegun, WrongCode
from core import qr
from core.clock import utc_now
from core.errors import Invalid
from core.web.requests import reading, transaction

blueprint = Blueprint("second", __name__, url_prefix="/tai-khoan/ma-dang-nhap")

TRIES, WINDOW_SECONDS = 6, 300


@blueprint.get("")
@account_required
def index() -> Response:
    """Show whether the code is on, and how to switch it on."""
    return _page({})


@blueprint.post("/bat-dau")
@account_required
@proof_required
def begin() -> Response:
    """Make a secret for an app."""
    with transaction() as session:
        user = users.get(session, _person().user_id)
        second_factors.set_up(session, user, keys=keys(), now=utc_now())
    return _see()


@blueprint.get("/ma.svg")
@account_required
def picture() -> Response:
    """Draw the secret that waits, for the app's camera."""
    with reading() as session:
        user = users.get(session, _person().user_id)
        secret = second_factors.find_begun(session, user, keys=keys())
    if secret is None:
        raise NothingBegun
    drawing = qr.svg(second_factors.address_of(secret, user))
    return make_response(drawing, {"Content-Type": "image/svg+xml"})


@blueprint.post("/xac-nhan")
@account_required
@proof_required
def confirm() -> Response:
    """Switch the code on with the first six digits; every other log-in ends."""
    person, code = _person(), request.form.get("code", "")
    count_try(person.user_id)
    try:
        with transaction() as session:
            user = users.get(session, person.user_id)
            paper = second_factors.confirm(session, user, code, keys=keys(), now=utc_now())
            sessions.end_all(session, user.id, but=person.session_id)
    except Invalid as refusal:
        return _page({"code": str(refusal.message)})
    return _page({}, paper=paper)


@blueprint.post("/ma-giay")
@account_required
@proof_required
def renew() -> Response:
    """Give new recovery codes."""
    person, code = _person(), request.form.get("code", "")
    count_try(person.user_id)
    try:
        with transaction() as session:
            user = users.get(session, person.user_id)
            paper = second_factors.renew_codes(session, user, code, keys=keys(), now=utc_now())
    except WrongCode as refusal:
        return _page({"code": str(refusal.message)})
    return _page({}, paper=paper)


@blueprint.post("/tat")
@account_required
@proof_required
def switch_off() -> Response:
    """Switch the code off, except where the role needs it."""
    person = _person()
    with transaction() as session:
        user = users.get(session, person.user_id)
        if not needs_second_factor(user.role):
            who = Actor(user.id, user.name)
            second_factors.switch_off(session, user, actor=who, now=utc_now())
    return _see()


def count_try(user_id: int) -> None:
    """Count one code that was typed, before it is looked at. Raises TooManyTries."""
    with transaction() as session:
        throttle.allow(
            session, f"second:{user_id}", limit=TRIES, seconds=WINDOW_SECONDS, now=utc_now()
        )


def _page(errors: dict[str, str], *, paper: list[str] | None = None) -> Response:
    with reading() as session:
        user = users.get(session, _person().user_id)
        page = render_template(
            "accounts/second.html",
            is_on=second_factors.is_on(session, user.id),
            secret=second_factors.find_begun(session, user, keys=keys()),
            left=second_factors.count_unused(session, user.id),
            needed=needs_second_factor(user.role),
            paper=paper,
            errors=errors,
        )
    return make_response(page, 422 if errors else 200)


def _person() -> SignedIn:
    return cast("SignedIn", signed_in())


def _see() -> Response:
    return cast("Response", redirect(url_for("second.index"), 303))
