"""What machines ask a shop for: sitemap, robots.txt, the manifest of the home-screen shortcut."""

from collections.abc import Callable
from typing import cast

from flask import Blueprint, Response, current_app, jsonify, render_template, request

from core.web.locale import canonical_url
from core.web.requests import public, reading
from shop import storefront

blueprint = Blueprint("machines", __name__)
# Ids in one part; a sitemap may hold 50,000 addresses, each of ours is there in two languages.
PART = 5_000
KEEP = "public, max-age=3600, stale-if-error=86400"
PRIVATE = (
    "/gio-hang",
    "/dat-hang",
    "/don-hang",
    "/tra-cuu",
    "/tai-khoan",
    "/ban-hang",
    "/quan-tri",
)


@blueprint.after_request
def keep_an_hour(response: Response) -> Response:
    """Let crawlers and browsers keep these for an hour."""
    response.headers.setdefault("Cache-Control", KEEP)
    return response


@blueprint.get("/sitemap.xml")
@public
def sitemap() -> Response:
    """List every page worth finding; an index of parts when there are many."""
    part = request.args.get("phan", type=int)
    with reading() as session:
        parts = storefront.highest_product_id(session) // PART + 1
        if parts > 1 and part is None:
            return _xml(render_template("shop/sitemap_index.xml", parts=range(parts)))
        first = min(max(part or 0, 0), parts) * PART
        found = storefront.list_addresses(session, first_id=first, end_id=first + PART)
    return _xml(render_template("shop/sitemap.xml", found=found, first=first == 0))


def _xml(text: str) -> Response:
    return Response(text, mimetype="application/xml")


@blueprint.get("/robots.txt")
@public
def robots() -> Response:
    """Keep crawlers out of carts, orders and desks, and show them the sitemap."""
    closed = [f"Disallow: {prefix}{path}" for prefix in ("", "/en") for path in PRIVATE]
    lines = ["User-agent: *", *closed, f"Sitemap: {canonical_url('/sitemap.xml', tongue='vi')}", ""]
    return Response("\n".join(lines), mimetype="text/plain")


@blueprint.get("/manifest.webmanifest")
@public
def manifest() -> Response:
    """Describe the shop to a phone that keeps it on its home screen."""
    asset = cast("Callable[[str], str]", current_app.jinja_env.globals["asset"])
    answer = jsonify(
        name="Chợ Phiên",
        short_name="Chợ Phiên",
        lang="vi",
        start_url="/",
        scope="/",
        display="standalone",
        background_color="#F2F4EC",
        theme_color="#FCFDF9",
        icons=[
            {
                "src": asset("img/dau-hieu.svg"),
                "sizes": "any",
                "type": "image/svg+xml",
            }
        ],
    )
    answer.mimetype = "application/manifest+json"
    return answer
