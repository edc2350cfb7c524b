"""Addresses that are printed: GS1 Digital Links and our own /t/…, leading to the scan page.

They answer with a redirect or a linkset, never with a page of their own, and never lead elsewhere.
"""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, current_app, make_response, request, url_for
from flask_babel import gettext as _

from catalog.products import Product, ProductState
from core.clock import utc_now
from core.codes import is_well_formed, normalise
from core.web.locale import canonical_url
from core.web.requests import public, reading, transaction
from traceability import addresses, gs1, linksets, resolving
from traceability.codes import TRACE_CODE
from traceability.linksets import Anchor, Link
from traceability.views.unknown import count_unknown, unknown_page

blueprint = Blueprint("resolver", __name__)

METHODS = ["GET", "HEAD", "OPTIONS"]
FRESH = "public, max-age=2, stale-if-error=86400"
View = TypeVar("View", bound=Callable[..., Response])
# What stays as it was sent; everything else, and so any way out of a header, is encoded.
IN_A_QUERY = "!$&'()*+,/:;=?@[]~-._%"


def _route(rule: str) -> Callable[[View], View]:
    """Route all three methods of a resolver; OPTIONS tells of the linkset, so it is ours too."""
    return blueprint.route(
        rule, methods=METHODS, provide_automatic_options=False, merge_slashes=False
    )


@_route("/01/<path:rest>")
@public
def by_gtin(rest: str) -> Response:  # noqa: ARG001 - read from the address as it was sent
    """Lead a Digital Link of goods to the finest level the book knows."""
    try:
        link = gs1.parse(_sent_path(), _sent_query())
    except gs1.NotADigitalLink as wrong:
        return _tell(unknown_page("", reason=str(wrong.message), status=400))
    if request.method == "OPTIONS":
        return _options()
    with reading() as session:
        found = resolving.resolve(session, link.key, lot=link.lot, serial=link.serial)
    if found is None:
        count_unknown()
        return _tell(unknown_page(link.key))
    if not found.has_codes:
        with transaction() as session:
            resolving.give_codes(session, found, now=utc_now())
        with reading() as session:
            found = resolving.resolve(session, link.key, lot=link.lot, serial=link.serial) or found
    return _answer(_anchors(link.key, found), found.typed)


@_route("/00/<path:rest>")
@_route("/414/<path:rest>")
@public
def by_other_key(rest: str) -> Response:  # noqa: ARG001
    """Answer for parcels and places, of which the book has none yet: read, then not known."""
    try:
        link = gs1.parse(_sent_path(), _sent_query())
    except gs1.NotADigitalLink as wrong:
        return _tell(unknown_page("", reason=str(wrong.message), status=400))
    if request.method == "OPTIONS":
        return _options()
    count_unknown()
    return _tell(unknown_page(link.key))


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
    with reading() as session:
        found = resolving.find_product(session, wanted)
    if found is None:
        count_unknown()
        return _tell(unknown_page(wanted))
    base = current_app.config["SETTINGS"].PUBLIC_URL
    return _answer([_anchor(f"{base}/t/{wanted}", wanted, found, found.name)], None)


@blueprint.get("/.well-known/gs1resolver")
@public
def description() -> Response:
    """Describe this resolver as the standard asks."""
    settings = current_app.config["SETTINGS"]
    response = make_response(
        {
            "name": "Chợ Phiên",
            "resolverRoot": settings.PUBLIC_URL,
            "supportedPrimaryKeys": ["01"],
            "linkTypeDefaultCanBeLinkset": False,
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


def _anchors(gtin: str, found: resolving.Resolved) -> list[Anchor]:
    base = current_app.config["SETTINGS"].PUBLIC_URL
    anchors = []
    for level in found.levels:
        named = addresses.Named(level.code, gtin, level.lot, level.serial)
        parts = [found.product.name, level.lot and _("lot %(code)s", code=level.lot), level.serial]
        title = ", ".join(part for part in parts if part)
        anchors.append(_anchor(addresses.printed(base, named), level.code, found.product, title))
    return anchors


def _anchor(address: str, code: str, product: Product, title: str) -> Anchor:
    place = url_for("scan.page", code=code).removeprefix(request.script_root)
    links = [
        Link("traceability", canonical_url(place, tongue=tongue), title, tongue)
        for tongue in ("vi", "en")
    ]
    if product.state is ProductState.LIVE:
        sold = url_for("browse.product", slug=product.slug).removeprefix(request.script_root)
        links += [
            Link("pip", canonical_url(sold, tongue=tongue), product.name, tongue)
            for tongue in ("vi", "en")
        ]
    return Anchor(address, title, canonical_url(place), tuple(links))


def _answer(anchors: list[Anchor], typed: str | None) -> Response:
    """Answer with the linkset, the link of the type that was asked for, or the default link."""
    kind = request.args.get("linkType", "")
    asked_for_all = linksets.MEDIA_TYPE in request.headers.get("Accept", "")
    if kind in {"linkset", "all"} or (not kind and asked_for_all):
        response = make_response(linksets.document(anchors))
        response.headers["Content-Type"] = linksets.MEDIA_TYPE
        response.headers["Cache-Control"] = FRESH
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers.add("Link", linksets.CONTEXT_LINK)
        return _tell(response)
    place: str | None = anchors[-1].default
    if kind:
        best = request.accept_languages.best_match(["vi", "en"], default="vi")
        place = linksets.find_link(anchors, kind, languages=[best or "vi"])
    if place is None:
        reason = _("There is no page of this kind for these goods.")
        return _tell(unknown_page("", reason=reason))
    response = make_response("", 307)
    response.headers["Location"] = place + _passed_on(typed)
    response.headers["Cache-Control"] = FRESH
    return _tell(response)


def _passed_on(typed: str | None) -> str:
    """Return the query of the page: what nobody knows first, then all that came with the scan."""
    sent = _sent_query()
    ours = f"ma={quote(typed, safe='')}" if typed else ""
    query = "&".join(part for part in (ours, sent) if part)
    return f"?{query}" if query else ""


def _sent_query() -> str:
    return quote(request.query_string, safe=IN_A_QUERY)


def _options() -> Response:
    response = make_response("", 204)
    response.headers["Allow"] = ", ".join(METHODS)
    return _tell(response)


def _tell(response: Response) -> Response:
    """Let scripts of other sites read the answer, and name the linkset."""
    path = _sent_path().rstrip("/")
    base = current_app.config["SETTINGS"].PUBLIC_URL
    facts = f'rel="linkset"; type="{linksets.MEDIA_TYPE}"; title="Linkset"'
    response.headers.add("Link", f"<{base}{path}?linkType=linkset>; {facts}")
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
