"""The producer's desk: what to do, who helps, where the money goes, and everything that was done."""

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

from accounts import audit
from accounts.audit import read_mark, write_mark
from accounts.login import SignedIn, account_required, proof_required, signed_in
from accounts.users import Role
from catalog import approval, bank_accounts, banks, grants, members, producers
from catalog.desk import Desk, desk_view
from catalog.producers import Producer
from core.clock import utc_now
from core.errors import Invalid
from core.web.requests import reading, transaction

blueprint = Blueprint("desk", __name__, url_prefix="/ban-hang")

ACTS_A_PAGE = 50
PLACES_A_PAGE = 200


@blueprint.app_context_processor
def _wiring() -> dict[str, object]:
    """Give the desk's layout its entries."""
    return {"desk_entries": current_app.extensions["dashboard"]}


@blueprint.get("")
@account_required
def index() -> Response:
    """Lead to the one desk this person has, or list them."""
    person = cast("SignedIn", signed_in())
    with reading() as session:
        own = list(members.list_own_producers(session, person.user_id))
        helped: list[Producer] = []
        given = []
        if person.role is Role.HELPER:
            helped = list(grants.list_producers(session, person.user_id))
            given = list(grants.list_active(session, helper_id=person.user_id))
        elif person.role is Role.STAFF:
            found = approval.search(session, "", state=None, after_id=0, limit=PLACES_A_PAGE)
            helped = list(found)
    desks = own + [place for place in helped if place not in own]
    if len(desks) == 1 and not given:
        return cast("Response", redirect(url_for("desk.home", producer=desks[0].slug), 303))
    page = render_template(
        "catalog/desks.html", own=own, helped=helped, given=given, role=person.role.value
    )
    return make_response(page)


@blueprint.get("/<producer>")
@desk_view
def home(desk: Desk) -> str:
    """Show what can be done here and who helps."""
    with reading() as session:
        place = session.get_one(Producer, desk.producer_id)
        people = members.list_of_producer(session, place.id)
        helpers = grants.list_helpers(session, place)
        refused = grants.list_refused(session, place)
    return render_template(
        "catalog/desk_home.html", place=place, people=people, helpers=helpers, refused=refused
    )


@blueprint.post("/<producer>/nguoi-giup/<int:helper_id>/dung")
@desk_view
def refuse_helper(desk: Desk, helper_id: int) -> Response:
    """End a helper's acting for this producer."""
    with transaction() as session:
        place = session.get_one(Producer, desk.producer_id)
        grants.refuse(session, place, helper_id, actor=desk.actor, now=utc_now())
    return cast("Response", redirect(url_for("desk.home", producer=desk.slug), 303))


@blueprint.post("/<producer>/nguoi-giup/<int:helper_id>/cho-lai")
@desk_view
def welcome_helper(desk: Desk, helper_id: int) -> Response:
    """Let a helper that was refused act again; only the producer's own people say so."""
    with transaction() as session:
        place = session.get_one(Producer, desk.producer_id)
        grants.welcome(session, place, helper_id, actor=desk.actor, now=utc_now())
    return cast("Response", redirect(url_for("desk.home", producer=desk.slug), 303))


@blueprint.route("/<producer>/tai-khoan-ngan-hang", methods=["GET", "POST"])
@desk_view
@proof_required
def bank(desk: Desk) -> Response:
    """Show and change the account that buyers transfer to."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        form = request.form
        try:
            with transaction() as session:
                bank_accounts.change(
                    session,
                    producers.get_by_slug(session, desk.slug),
                    bank_bin=form.get("bank_bin", ""),
                    number=form.get("bank_account", ""),
                    holder=form.get("bank_holder", ""),
                    actor=desk.actor,
                    now=utc_now(),
                )
        except Invalid as refusal:
            errors = {refusal.field or "bank_account": str(refusal.message)}
        else:
            address = url_for("desk.bank", producer=desk.slug, xong="luu")
            return cast("Response", redirect(address, 303))
    with reading() as session:
        place = producers.get_by_slug(session, desk.slug)
        changes = bank_accounts.list_changes(session, place, limit=ACTS_A_PAGE)
    page = render_template(
        "catalog/bank.html",
        place=place,
        banks=banks.list_transfer_banks(),
        changes=changes,
        errors=errors,
        form=request.form if errors else None,
    )
    return make_response(page, 422 if errors else 200)


@blueprint.get("/<producer>/nhat-ky-viec")
@desk_view
def acts(desk: Desk) -> str:
    """List what was done at this desk, by whom and in whose name."""
    before = read_mark(request.args.get("sau"))
    with reading() as session:
        found = audit.list_acts(
            session, scope=f"producer:{desk.producer_id}", before=before, limit=ACTS_A_PAGE + 1
        )
    shown = found[:ACTS_A_PAGE]
    following = write_mark(shown[-1]) if len(found) > ACTS_A_PAGE else None
    return render_template("catalog/acts.html", acts=shown, following=following)
