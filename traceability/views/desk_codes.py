"""The producer's desk: pages that hang on printed codes, GS1 numbers of places and cartons."""

from flask import (
    Blueprint,
    Response,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from catalog import products
from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.errors import Conflict, Invalid, Refusal
from core.web.requests import reading, transaction
from traceability import cartons, gs1_places, link_targets
from traceability.link_targets import LANGUAGES, LINK_TYPES, MEDIA, Typed

blueprint = Blueprint("desk_codes", __name__, url_prefix="/ban-hang/<producer>")


@blueprint.get("/trang-cua-ma")
@desk_view
def links(desk: Desk) -> Response:
    """List the pages that hang on this producer's codes, with the form of another."""
    return _links_page(desk)


@blueprint.post("/trang-cua-ma")
@desk_view
def add_link(desk: Desk) -> Response:
    """Hang a page on the codes of one of the goods."""
    form = request.form
    typed = Typed(
        *(form.get(name, "") for name in ("kind", "href", "title", "language", "media", "context"))
    )
    try:
        with transaction() as session:
            link_targets.add(
                session,
                desk.producer_id,
                form.get("product_id", type=int),
                typed,
                actor=desk.actor,
                now=utc_now(),
            )
    except (Invalid, Conflict) as refusal:
        return _links_page(desk, refusal)
    return _saved("desk_codes.links", desk)


@blueprint.post("/trang-cua-ma/<int:link_id>/bo")
@desk_view
def drop_link(desk: Desk, link_id: int) -> Response:
    """Take a page off the codes."""
    with transaction() as session:
        link_targets.drop(session, desk.producer_id, link_id, actor=desk.actor, now=utc_now())
    return _saved("desk_codes.links", desk)


@blueprint.get("/noi-va-thung")
@desk_view
def numbers(desk: Desk) -> Response:
    """List the producer's GLNs and cartons, with the forms of others."""
    return _numbers_page(desk)


@blueprint.post("/noi-va-thung/noi")
@desk_view
def add_place(desk: Desk) -> Response:
    """Write down a number GS1 gave the producer for a place."""
    form = request.form
    try:
        with transaction() as session:
            gs1_places.add(
                session,
                desk.producer_id,
                gln=form.get("gln", ""),
                extension=form.get("extension", ""),
                name=form.get("name", ""),
                actor=desk.actor,
                now=utc_now(),
            )
    except (Invalid, Conflict) as refusal:
        return _numbers_page(desk, refusal)
    return _saved("desk_codes.numbers", desk)


@blueprint.post("/noi-va-thung/thung")
@desk_view
def pack_carton(desk: Desk) -> Response:
    """Write down what lies in a carton."""
    form = request.form
    try:
        with transaction() as session:
            cartons.pack(
                session,
                desk.producer_id,
                sscc=form.get("sscc", ""),
                inside=form.get("inside", ""),
                actor=desk.actor,
                now=utc_now(),
            )
    except (Invalid, Conflict) as refusal:
        return _numbers_page(desk, refusal)
    return _saved("desk_codes.numbers", desk)


def _links_page(desk: Desk, refusal: Refusal | None = None) -> Response:
    with reading() as session:
        found = link_targets.list_of_producer(session, desk.producer_id)
        goods = products.list_of_producer(session, desk.producer_id)
    page = render_template(
        "traceability/links.html",
        desk=desk,
        found=found,
        goods=goods,
        kinds=LINK_TYPES,
        languages=LANGUAGES,
        media=MEDIA,
        form=request.form if refusal else {},
        refusal=refusal,
    )
    return make_response(page, 422 if refusal else 200)


def _numbers_page(desk: Desk, refusal: Refusal | None = None) -> Response:
    with reading() as session:
        places = gs1_places.list_of_producer(session, desk.producer_id)
        boxes = cartons.list_of_producer(session, desk.producer_id)
    page = render_template(
        "traceability/numbers.html",
        desk=desk,
        places=places,
        boxes=boxes,
        form=request.form if refusal else {},
        refusal=refusal,
    )
    return make_response(page, 422 if refusal else 200)


def _saved(endpoint: str, desk: Desk) -> Response:
    return make_response(redirect(url_for(endpoint, producer=desk.slug, xong="luu"), 303))
