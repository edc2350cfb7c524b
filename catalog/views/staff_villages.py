"""Staff: the story of each village and the way there."""

from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from accounts.audit import Actor
from accounts.login import SignedIn, signed_in, staff_required
from catalog import places, villages
from catalog.villages import NobodyVouches, Told, Village
from core.clock import utc_now
from core.web.paging import read_id, write_cursor
from core.web.requests import reading, transaction

blueprint = Blueprint("staff_villages", __name__, url_prefix="/quan-tri/lang")
A_PAGE = 50
LONGEST_QUERY = 100
LONGEST = 6_000


@blueprint.get("")
@staff_required
def index() -> str:
    """List villages by name, with what is missing."""
    words = request.args.get("q", "")[:LONGEST_QUERY]
    with reading() as session:
        found, following = villages.search(
            session, words, after_id=read_id(request.args.get("sau")) or 0, limit=A_PAGE
        )
        names = places.place_names(session, [village.commune_code for village in found])
    return render_template(
        "catalog/staff_villages.html",
        villages=found,
        names=names,
        words=words,
        following=write_cursor([following]) if following else None,
    )


@blueprint.get("/<slug>")
@staff_required
def edit(slug: str) -> Response:
    """Show what is told of a village, to be written anew."""
    with reading() as session:
        village = villages.get_by_slug(session, slug)
    return _page(village, _told_of(village))


@blueprint.post("/<slug>")
@staff_required
def tell(slug: str) -> Response:
    """Keep story and way there."""
    told = Told(**{name: request.form.get(name, "")[:LONGEST] for name in Told.__slots__})
    try:
        with transaction() as session:
            village = villages.get_by_slug(session, slug)
            villages.tell(session, village, told, actor=_actor(), now=utc_now())
    except NobodyVouches as refusal:
        with reading() as session:
            village = villages.get_by_slug(session, slug)
        return _page(village, told, mistake=(refusal.field or "told_by", str(refusal.message)))
    return make_response(redirect(url_for("staff_villages.edit", slug=slug, xong=1), 303))


def _actor() -> Actor:
    person = cast("SignedIn", signed_in())
    return Actor(person.user_id, person.name)


def _told_of(village: Village) -> Told:
    return Told(**{name: getattr(village, name) for name in Told.__slots__})


def _page(village: Village, told: Told, *, mistake: tuple[str, str] | None = None) -> Response:
    page = render_template(
        "catalog/staff_village.html",
        village=village,
        told=told,
        mistake=mistake,
        done=request.args.get("xong") == "1",
    )
    return make_response(page, 422 if mistake else 200)
