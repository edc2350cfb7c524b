"""Addresses that are printed: GS1 Digital Links and our own /t/…, leading to the scan page.

They answer with a redirect or a linkset, never with a page of their own, and never lead elsewhere.
"""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote, urlsplit

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    g,
    make_response,
    render_template,
    request,
    url_for,
)
from flask.sansio.blueprints import BlueprintSetupState
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.routing import BaseConverter

from catalog.products import Product, ProductState
from core.clock import utc_now
from core.codes import is_well_formed, normalise
from core.web.locale import canonical_url
from core.web.requests import public, reading, transaction
from traceability import (
    addresses,
    cartons,
    gs1,
    gs1_packed,
    gs1_places,
    link_targets,
    linksets,
    resolving,
)
from traceability.codes import TRACE_CODE
from traceability.linksets import Anchor, Link, Wanted
from traceability.resolving import Level, Resolved
from traceability.views.unknown import unknown_code, unknown_page

blueprint = Blueprint("resolver", __name__)

METHODS = ["GET", "HEAD", "OPTIONS"]
FRESH = "public, max-age=2, stale-if-error=86400"
View = TypeVar("View", bound=Callable[..., Response])
# What stays as it was sent; everything else, and so any way out of a header, is encoded.
# What programs may read of a lot: link type, file beside its page, media type.
DATA_OF_LOTS = (
    ("epcis", "epcis.jsonld", "application/ld+json"),
    ("recallStatus", "thu-hoi.json", "application/json"),
    ("masterData", "ho-chieu.json", "application/json"),
    ("traceability", "chung-cu", "text/html"),
)
IN_A_QUERY = "!$&'()*+,/:;=?@[]~-._%"


def _route(rule: str) -> Callable[[View], View]:
    """Route all three methods of a resolver; OPTIONS tells of the linkset, so it is ours too."""
    return blueprint.route(
        rule, methods=METHODS, provide_automatic_options=False, merge_slashes=False
    )


class PackedLetters(BaseConverter):
    """What may be a compressed link: too long to be a page somebody types, and without a dot."""

    regex = "[A-Za-z0-9_-]{10,200}"


@blueprint.record_once
def _know_packed_letters(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["packed"] = PackedLetters


@_route("/<packed:letters>")
@_route("/<packed:letters>/")
@public
def by_packed(letters: str) -> Response:  # noqa: ARG001
    """Lead a compressed Digital Link where its long form leads; other letters are no page."""
    if gs1_packed.unpack(_sent_path()) is None:
        abort(404)
    return _of_link()


@_route("/01/<path:rest>")
@public
def by_gtin(rest: str) -> Response:  # noqa: ARG001 - read from the address as it was sent
    """Lead a Digital Link of goods to the finest level the book knows."""
    return _of_link()


@_route("/00/<path:rest>")
@public
def by_sscc(rest: str) -> Response:  # noqa: ARG001
    """Lead the number on a carton to what the book says lies in it."""
    return _of_link()


@_route("/414/<path:rest>")
@public
def by_gln(rest: str) -> Response:  # noqa: ARG001
    """Lead the number of a place to its page; an unknown part of it to the whole place."""
    return _of_link()


@_route("/t/<path:code>")
@public
def by_code(code: str) -> Response:
    """Lead our own printed code to its page: for goods without a GTIN."""
    wanted = normalise(TRACE_CODE, code.rstrip("/"))
    if not is_well_formed(TRACE_CODE, wanted):
        reason = _("A code has 11 letters and digits. One seems to be mistyped.")
        return _tell(unknown_page(code, reason=reason))
    if request.method == "OPTIONS":
        return _options()
    found = _with_codes(lambda session: resolving.resolve_code(session, wanted))
    if found is None:
        return _tell(unknown_code(wanted))
    return _answer(_of_goods(found), found.typed)


def _of_link() -> Response:
    try:
        link = gs1.parse(*_long_form())
    except gs1.NotADigitalLink as wrong:
        return _tell(unknown_page("", reason=str(wrong.message), status=400))
    if request.method == "OPTIONS":
        return _options()
    if link.ai is gs1.Key.GTIN:
        found = _with_codes(
            lambda session: resolving.resolve(session, link.key, lot=link.lot, serial=link.serial)
        )
        anchors, typed = (_of_goods(found), found.typed) if found else ([], None)
    elif link.ai is gs1.Key.SSCC:
        anchors, typed = _of_carton(link.key), None
    else:
        anchors, typed = _of_place(link.key, link.extension)
    return _answer(anchors, typed) if anchors else _tell(unknown_code(link.key))


def _long_form() -> tuple[str, str]:
    """Return path and query of the link that was sent, unpacked if it was compressed."""
    path, query = _sent_path(), _sent_query()
    unpacked = gs1_packed.unpack(path)
    if unpacked is None:
        return path, query
    g.long_path, attributes = unpacked
    return g.long_path, "&".join(part for part in (attributes, query) if part)


def _with_codes(find: Callable[[Session], Resolved | None]) -> Resolved | None:
    """Find what a link leads to, giving it the public codes that a first scan finds missing."""
    with reading() as session:
        found = find(session)
    if found is None or found.has_codes:
        return found
    with transaction() as session:
        resolving.give_codes(session, found, now=utc_now())
    with reading() as session:
        return find(session)


@blueprint.get("/.well-known/gs1resolver")
@public
def description() -> Response:
    """Describe this resolver as the standard asks."""
    settings = current_app.config["SETTINGS"]
    response = make_response(
        {
            "name": "Chợ Phiên",
            "resolverRoot": settings.PUBLIC_URL,
            "supportedPrimaryKeys": [key.value for key in gs1.Key],
            "linkTypeDefaultCanBeLinkset": False,
            "jsonLdContextLocation": linksets.CONTEXT,
            "supportedLinkType": [
                {
                    "namespace": linksets.VOCABULARY,
                    "prefix": "gs1:",
                    "profile": "https://www.gs1.org/voc/?show=linktypes",
                }
            ],
            "contact": {"fn": settings.OPERATOR_NAME or "Chợ Phiên"},
        }
    )
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _of_goods(found: Resolved) -> list[Anchor]:
    with reading() as session:
        targets = link_targets.list_of_product(session, found.product.id)
    product, base = found.product, current_app.config["SETTINGS"].PUBLIC_URL
    anchors = []
    for level in found.levels:
        named = addresses.Named(level.code, found.gtin, level.lot, level.serial)
        parts = [product.name, level.lot and _("lot %(code)s", code=level.lot), level.serial]
        title = ", ".join(part for part in parts if part)
        page = _path("scan.page", code=level.code)
        links = _both("traceability", page, title)
        if level.lot is None:
            links += _about(product)
            links += [
                Link(one.kind, one.href, one.title, one.language, one.media, one.context)
                for one in targets
            ]
        links += _data_of(level, title)
        anchors.append(
            Anchor(addresses.printed(base, named), title, canonical_url(page), tuple(links))
        )
    return anchors


def _about(product: Product) -> list[Link]:
    if product.state is not ProductState.LIVE:
        return []
    sold = _path("browse.product", slug=product.slug)
    return [*_both("pip", sold, product.name), *_both("hasRetailers", sold, product.name)]


def _data_of(level: Level, title: str) -> list[Link]:
    """Return what programs may read about a lot, where the shop has it."""
    if level.lot is None or level.serial is not None:
        return []
    page = canonical_url(_path("scan.page", code=level.code), tongue="vi")
    return [
        Link(kind, f"{page}/{file}", title, None, media)
        for kind, file, media in DATA_OF_LOTS
        if f"/truy-xuat/<code>/{file}" in _rules()
    ]


def _rules() -> set[str]:
    return {rule.rule for rule in current_app.url_map.iter_rules()}


def _of_carton(sscc: str) -> list[Anchor]:
    with reading() as session:
        found = cartons.find(session, sscc)
    if found is None:
        return []
    title = _("Carton %(code)s of %(producer)s", code=sscc, producer=found[1].name)
    return [_anchor(f"/00/{sscc}", _path("scan.carton", sscc=sscc), title, "traceability")]


def _of_place(gln: str, extension: str | None) -> tuple[list[Anchor], str | None]:
    with reading() as session:
        found = gs1_places.find(session, gln, extension)
    if found is None:
        return [], None
    places, producer = found
    anchors = []
    for place in places:
        part = f"/254/{place.extension}" if place.extension else ""
        page = _path("scan.place", gln=gln, phan=place.extension or None)
        title = f"{place.name}, {producer.name}"
        anchors.append(_anchor(f"/414/{gln}{part}", page, title, "locationInfo"))
    known = {place.extension for place in places}
    return anchors, extension if extension and extension not in known else None


def _anchor(address: str, page: str, title: str, kind: str) -> Anchor:
    base = current_app.config["SETTINGS"].PUBLIC_URL
    return Anchor(base + address, title, canonical_url(page), tuple(_both(kind, page, title)))


def _both(kind: str, path: str, title: str) -> list[Link]:
    return [
        Link(kind, canonical_url(path, tongue=tongue), title, tongue) for tongue in ("vi", "en")
    ]


def _path(endpoint: str, **values: str | None) -> str:
    return url_for(endpoint, **values).removeprefix(request.script_root)  # type: ignore[arg-type]


def _answer(anchors: list[Anchor], typed: str | None) -> Response:
    """Answer with the linkset, the link of the type that was asked for, or the default link."""
    kind = request.args.get("linkType", "")
    media = _linkset_media(kind)
    if media is not None:
        return _linkset(anchors, media)
    found = linksets.choose(anchors, _wanted(kind or linksets.DEFAULT))
    if not found:
        reason = _("There is no page of this kind for these goods.")
        return _tell(unknown_page("", reason=reason))
    if len(found) > 1:
        page = render_template(
            "traceability/choices.html", links=found, title=anchors[-1].description
        )
        response = make_response(page, 300)
        response.headers["Cache-Control"] = FRESH
        return _tell(response)
    response = make_response("", 307)
    response.headers["Location"] = _with_query(found[0].href, _passed_on(typed))
    response.headers["Cache-Control"] = FRESH
    return _tell(response)


def _linkset_media(kind: str) -> str | None:
    """Return the media type in which the linkset itself is asked for, if it is."""
    best = request.accept_mimetypes.best
    if kind in {"linkset", "all"}:
        return best if best in linksets.ALSO_ASKED_AS else linksets.MEDIA_TYPE
    if kind:
        return None
    if linksets.MEDIA_TYPE in request.headers.get("Accept", ""):
        return linksets.MEDIA_TYPE
    return best if best in linksets.ALSO_ASKED_AS else None


def _linkset(anchors: list[Anchor], media: str) -> Response:
    said: dict[str, object] = dict(linksets.document(anchors))
    if media == linksets.LD_JSON:
        said = {"@context": linksets.CONTEXT, **said}
    response = make_response(said)
    response.headers["Content-Type"] = media
    response.headers["Cache-Control"] = FRESH
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers.add("Link", linksets.CONTEXT_LINK)
    return _tell(response)


def _wanted(kind: str) -> Wanted:
    spoken = [tag.partition("-")[0].lower() for tag, _quality in request.accept_languages]
    accepted = request.accept_mimetypes
    return Wanted(
        kind,
        # A printed code is read in the language of its country unless another is asked for.
        languages=[*dict.fromkeys(spoken), "vi"],
        quality=(lambda media: float(accepted[media])) if accepted else (lambda _media: 1.0),
        context=request.args.get("context") or None,
    )


def _with_query(address: str, query: str) -> str:
    page, mark, part = address.partition("#")
    if not query:
        return address
    return f"{page}{'&' if '?' in page else '?'}{query}{mark}{part}"


def _passed_on(typed: str | None) -> str:
    """Return the query of the page: what nobody knows first, then all that came with the scan."""
    sent = _sent_query()
    ours = f"ma={quote(typed, safe='')}" if typed else ""
    return "&".join(part for part in (ours, sent) if part)


def _sent_query() -> str:
    return quote(request.query_string, safe=IN_A_QUERY)


def _options() -> Response:
    response = make_response("", 204)
    response.headers["Allow"] = ", ".join(METHODS)
    return _tell(response)


def _tell(response: Response) -> Response:
    """Let scripts of other sites read the answer, and name the linkset."""
    path = g.get("long_path", _sent_path()).rstrip("/")
    base = current_app.config["SETTINGS"].PUBLIC_URL
    facts = f'rel="linkset"; type="{linksets.MEDIA_TYPE}"; title="Linkset"'
    response.headers.add("Link", f"<{base}{path}?linkType=linkset>; {facts}")
    if "long_path" in g:
        response.headers.add("Link", f'<{base}{path}>; rel="owl:sameAs"')
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = ", ".join(METHODS)
    response.headers["Access-Control-Expose-Headers"] = "Link, Location"
    response.headers["Vary"] = "Accept, Accept-Language"
    return response


def _sent_path() -> str:
    """Return the path as it was sent, percent-encoded: a %2F in a lot number parts nothing."""
    sent = str(request.environ.get("RAW_URI") or quote(request.path))
    path = sent.partition("?")[0].partition("#")[0]
    if "://" in path:
        path = urlsplit(path).path
    return quote(path, safe=IN_A_QUERY).removeprefix(request.script_root)
