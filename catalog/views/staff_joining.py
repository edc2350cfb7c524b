"""Staff: producers who ask to sell, their files, and the answer."""

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
from accounts.login import SignedIn, proof_required, signed_in, staff_required
from catalog import banks, joining, places, producers
from catalog import identities as people
from catalog.desk import actor_at
from catalog.identities import Identity
from catalog.joining import PARTS
from catalog.views.joining import FOOD_NAMES, KIND_NAMES, send_food_file
from core.clock import utc_now
from core.errors import Conflict, Invalid
from core.web.paging import read_id, write_cursor
from core.web.requests import reading, transaction

blueprint = Blueprint("staff_joining", __name__, url_prefix="/quan-tri/xin-ban")

A_PAGE = 30
ACTS_SHOWN = 20


@blueprint.get("")
@staff_required
def index() -> str:
    """List the files that wait, the first begun first."""
    with reading() as session:
        found = joining.list_sent(
            session, after_id=read_id(request.args.get("sau")) or 0, limit=A_PAGE + 1
        )
        shown = found[:A_PAGE]
        names = places.place_names(session, [place.commune_code for _file, place in shown])
    following = write_cursor([shown[-1][1].id]) if len(found) > A_PAGE else None
    return render_template(
        "catalog/staff_joining.html", files=shown, names=names, following=following
    )


@blueprint.get("/<slug>")
@staff_required
def file(slug: str) -> Response:
    """Show one file; who stands behind it only on demand."""
    return _page(slug, {})


@blueprint.post("/<slug>/nguoi-dung-ten")
@staff_required
@proof_required
def identity(slug: str) -> Response:
    """Show who stands behind a producer; the look is on record."""
    settings = current_app.config["SETTINGS"]
    with transaction() as session:
        place = producers.get_by_slug(session, slug)
        seen = people.look_at(
            session,
            place,
            secrets=[settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS],
            actor=actor_at(place, _person(), on_behalf=False),
            now=utc_now(),
        )
    return _page(slug, {}, seen=seen)


@blueprint.get("/<slug>/tep")
@staff_required
def food_file(slug: str) -> Response:
    """Download the food safety paper."""
    with reading() as session:
        place = producers.get_by_slug(session, slug)
    return send_food_file(place.id)


@blueprint.post("/<slug>/tra-loi")
@staff_required
@proof_required
def answer(slug: str) -> Response:
    """Approve the producer, or send the file back with the reason."""
    form = request.form
    try:
        with transaction() as session:
            place = producers.get_by_slug(session, slug)
            actor = actor_at(place, _person(), on_behalf=False)
            if form.get("what") == "approve":
                joining.approve(session, place, actor=actor, now=utc_now())
            else:
                reason = form.get("reason", "")
                joining.send_back(session, place, reason=reason, actor=actor, now=utc_now())
    except (Invalid, Conflict) as refusal:
        return _page(slug, {"reason": str(refusal.message)})
    return cast("Response", redirect(url_for("staff_joining.index", xong="luu"), 303))


def _page(slug: str, errors: dict[str, str], *, seen: Identity | None = None) -> Response:
    with reading() as session:
        place = producers.get_by_slug(session, slug)
        bank = banks.find_bank(place.bank_bin) if place.bank_bin else None
        page = render_template(
            "catalog/staff_join_file.html",
            place=place,
            file=joining.find(session, place.id),
            missing=joining.list_missing(session, place),
            parts_of_file=PARTS,
            where=places.place_name(session, place.commune_code, place.province_code),
            bank=bank,
            known=people.is_known(session, place.id),
            seen=seen,
            kinds=KIND_NAMES,
            papers=FOOD_NAMES,
            acts=audit.list_acts(session, scope=f"producer:{place.id}", limit=ACTS_SHOWN),
            errors=errors,
        )
    return make_response(page, 422 if errors else 200)


def _person() -> SignedIn:
    return cast("SignedIn", signed_in())
