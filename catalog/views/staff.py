"""Staff: the shop at a glance, producers to approve, grants to give and end."""

from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from accounts import users
from accounts.audit import Actor
from accounts.login import SignedIn, proof_required, signed_in, staff_required
from accounts.users import Role
from catalog import approval, grants, joining, places, producers
from catalog.desk import actor_at
from catalog.grants import NotAHelper
from catalog.producers import ProducerState
from core.clock import utc_now
from core.errors import Invalid
from core.i18n import lazy as _
from core.web.paging import read_cursor, write_cursor
from core.web.requests import reading, transaction

blueprint = Blueprint("staff", __name__, url_prefix="/quan-tri")

PLACES_A_PAGE = 50
LONGEST_QUERY = 100


@blueprint.get("")
@staff_required
def home() -> str:
    """Show how many there are of what, and where to go."""
    with reading() as session:
        people = users.count_by_role(session)
        states = approval.count_by_state(session)
    return render_template(
        "catalog/staff_home.html",
        people={role.value: people.get(role, 0) for role in Role},
        states={state.value: states.get(state, 0) for state in ProducerState},
    )


@blueprint.get("/nha-san-xuat")
@staff_required
def places_to_sell() -> str:
    """List producers, those that wait first on demand."""
    text = request.args.get("q", "")[:LONGEST_QUERY]
    wanted = request.args.get("trang-thai", "")
    state = ProducerState(wanted) if wanted in set(ProducerState) else None
    mark = read_cursor(request.args.get("sau"), (int,))
    after_id = int(mark[0] or 0) if mark else 0
    with reading() as session:
        found = approval.search(
            session, text, state=state, after_id=after_id, limit=PLACES_A_PAGE + 1
        )
        shown = found[:PLACES_A_PAGE]
        names = places.place_names(session, [place.commune_code for place in shown])
    following = write_cursor([shown[-1].id]) if len(found) > PLACES_A_PAGE else None
    return render_template(
        "catalog/staff_producers.html",
        places=shown,
        names=names,
        text=text,
        state=state.value if state else "",
        following=following,
    )


@blueprint.post("/nha-san-xuat/<slug>/duyet")
@staff_required
@proof_required
def approve(slug: str) -> Response:
    """Let a producer sell."""
    with transaction() as session:
        place = producers.get_by_slug(session, slug)
        actor = actor_at(place, _person(), on_behalf=False)
        joining.approve(session, place, actor=actor, now=utc_now())
    return _see("staff.places_to_sell")


@blueprint.post("/nha-san-xuat/<slug>/dung")
@staff_required
@proof_required
def suspend(slug: str) -> Response:
    """Take a producer off the market, with a reason."""
    with transaction() as session:
        place = producers.get_by_slug(session, slug)
        approval.suspend(
            session,
            place,
            reason=request.form.get("reason", ""),
            actor=actor_at(place, _person(), on_behalf=False),
            now=utc_now(),
        )
    return _see("staff.places_to_sell")


@blueprint.post("/nha-san-xuat/<slug>/ban-lai")
@staff_required
@proof_required
def lift(slug: str) -> Response:
    """Let a suspended producer sell again, with a reason."""
    with transaction() as session:
        place = producers.get_by_slug(session, slug)
        approval.lift(
            session,
            place,
            reason=request.form.get("reason", ""),
            actor=actor_at(place, _person(), on_behalf=False),
            now=utc_now(),
        )
    return _see("staff.places_to_sell")


@blueprint.route("/nguoi-giup", methods=["GET", "POST"])
@staff_required
@proof_required
def helpers() -> Response:
    """List the grants in force; give one."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            with transaction() as session:
                helper = users.find_by_login(session, request.form.get("helper", ""))
                if helper is None:
                    raise NotAHelper(
                        _("Grants are for helpers of a community digital team."), field="helper"
                    )
                code = request.form.get("commune_code", "").strip()
                grants.give(session, helper, code, actor=_actor(), now=utc_now())
        except Invalid as refusal:
            errors = {refusal.field or "helper": str(refusal.message)}
        else:
            return _see("staff.helpers")
    with reading() as session:
        given = grants.list_active(session)
    page = render_template(
        "catalog/staff_helpers.html", given=given, errors=errors, form=request.form
    )
    return make_response(page, 422 if errors else 200)


@blueprint.post("/nguoi-giup/<int:grant_id>/dung")
@staff_required
@proof_required
def end_grant(grant_id: int) -> Response:
    """End a grant."""
    with transaction() as session:
        grants.end(session, grants.get(session, grant_id), actor=_actor(), now=utc_now())
    return _see("staff.helpers")


def _person() -> SignedIn:
    return cast("SignedIn", signed_in())


def _actor() -> Actor:
    person = _person()
    return Actor(person.user_id, person.name)


def _see(endpoint: str) -> Response:
    return cast("Response", redirect(url_for(endpoint), 303))
