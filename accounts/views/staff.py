"""Staff: accounts, and everything that was done."""

from typing import cast

from flask import Blueprint, Response, redirect, render_template, request, url_for

from accounts import audit, profile, second_factors, sessions, standing, users
from accounts.audit import Actor
from accounts.login import SignedIn, proof_required, signed_in, staff_required
from accounts.phones import show_phone
from core.clock import utc_now
from core.web.paging import read_cursor, write_cursor
from core.web.requests import reading, transaction

blueprint = Blueprint("staff_accounts", __name__, url_prefix="/quan-tri")

USERS_A_PAGE = 50
ACTS_A_PAGE = 50
LONGEST_QUERY = 100


@blueprint.get("/nguoi-dung")
@staff_required
def people() -> str:
    """Search accounts by name, phone or e-mail."""
    text = request.args.get("q", "")[:LONGEST_QUERY]
    mark = read_cursor(request.args.get("sau"), (int,))
    after_id = int(mark[0] or 0) if mark else 0
    with reading() as session:
        found = users.search(session, text, after_id=after_id, limit=USERS_A_PAGE + 1)
    shown = found[:USERS_A_PAGE]
    following = write_cursor([shown[-1].id]) if len(found) > USERS_A_PAGE else None
    return render_template(
        "accounts/people.html", people=shown, text=text, following=following, show_phone=show_phone
    )


@blueprint.get("/nguoi-dung/<int:user_id>")
@staff_required
def person(user_id: int) -> str:
    """Show one account and what it did lately."""
    with reading() as session:
        user = users.get(session, user_id)
        devices = sessions.list_devices(session, user.id, now=utc_now())
        acts = audit.list_acts(session, actor_id=user.id, limit=ACTS_A_PAGE)
        has_code = second_factors.is_on(session, user.id)
    return render_template(
        "accounts/person.html",
        user=user,
        devices=len(devices),
        has_code=has_code,
        acts=acts,
        phone=show_phone(user.phone) if user.phone else None,
    )


@blueprint.post("/nguoi-dung/<int:user_id>/dong")
@staff_required
@proof_required
def close(user_id: int) -> Response:
    """Close an account."""
    reason = request.form.get("reason", "")
    with transaction() as session:
        user = users.get(session, user_id)
        standing.close(session, user, actor=_actor(), now=utc_now(), reason=reason)
    return _see(user_id)


@blueprint.post("/nguoi-dung/<int:user_id>/mo-lai")
@staff_required
@proof_required
def reopen(user_id: int) -> Response:
    """Open a closed account again."""
    with transaction() as session:
        standing.reopen(session, users.get(session, user_id), actor=_actor(), now=utc_now())
    return _see(user_id)


@blueprint.post("/nguoi-dung/<int:user_id>/dung-so")
@staff_required
def prove_phone(user_id: int) -> Response:
    """Note that this person answered under the account's phone number."""
    with transaction() as session:
        profile.prove_phone(session, users.get(session, user_id), actor=_actor(), now=utc_now())
    return _see(user_id)


@blueprint.post("/nguoi-dung/<int:user_id>/bo-ma")
@staff_required
@proof_required
def drop_code(user_id: int) -> Response:
    """Switch the log-in code of somebody off who has lost phone and paper; never one's own."""
    with transaction() as session:
        user = users.get(session, user_id)
        if user.id != _actor().user_id:
            second_factors.switch_off(session, user, actor=_actor(), now=utc_now())
            sessions.end_all(session, user.id)
    return _see(user_id)


@blueprint.get("/nhat-ky-viec")
@staff_required
def acts() -> str:
    """List everything that was done."""
    before = audit.read_mark(request.args.get("sau"))
    with reading() as session:
        found = audit.list_acts(session, before=before, limit=ACTS_A_PAGE + 1)
    shown = found[:ACTS_A_PAGE]
    following = audit.write_mark(shown[-1]) if len(found) > ACTS_A_PAGE else None
    return render_template("accounts/acts.html", acts=shown, following=following)


def _actor() -> Actor:
    who = cast("SignedIn", signed_in())
    return Actor(who.user_id, who.name)


def _see(user_id: int) -> Response:
    return cast("Response", redirect(url_for("staff_accounts.person", user_id=user_id), 303))
