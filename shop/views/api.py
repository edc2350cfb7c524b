"""The JSON API under /api/v1: read-only, the same for everybody, described by OpenAPI 3.1."""

from copy import deepcopy
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, request
from spectree import Response as Answers
from spectree import SpecTree

from accounts import throttle
from core.clock import utc_now
from core.codes import normalise
from core.settings import Settings
from core.web.requests import problem, public, reading, transaction
from shop import open_data
from shop.open_data import LotData, ProductDetailData, ProductPageData, ProductQuery
from traceability.codes import TRACE_CODE

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

QUESTIONS, SECONDS = 120, 60
FRESH = "public, max-age=5, stale-if-error=86400"
# What the variable parts of addresses look like.
NAMES = {"slug": "^[0-9a-z-]{1,100}$", "code": "^[0-9A-Za-z-]{1,40}$"}
PROBLEM = "application/problem+json"
PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
spec = SpecTree(
    "flask",
    title="Chợ Phiên",
    description=(
        "Products and lots of the shop, read-only. Money is whole đồng. At most "
        f"{QUESTIONS} questions in {SECONDS} seconds from one network; errors are told as "
        "application/problem+json (RFC 9457)."
    ),
    version="v1",
    mode="strict",
)


def _refuse_in_plain_words(
    _request: Any, _response: Any, error: Any, _instance: Any, adapter: Any
) -> None:
    """Name each field that cannot be read, instead of the library's own list."""
    if error is None:
        return
    told = [
        {"field": ".".join(str(part) for part in one["loc"]), "message": one["msg"]}
        for one in adapter.validation_errors(error)
    ]
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in told)
    abort(problem(422, detail, errors=told))


@blueprint.before_request
def count_questions() -> None:
    """Keep one network from taking everybody's turn."""
    settings = _settings()
    network = throttle.network_of(settings.SECRET_KEY, request.remote_addr)
    with transaction() as session:
        throttle.allow(session, f"api:{network}", limit=QUESTIONS, seconds=SECONDS, now=utc_now())


@blueprint.after_request
def let_everybody_read(response: Response) -> Response:
    """Let pages of other shops read, and everybody keep an answer for some seconds."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    if response.status_code == 200:  # noqa: PLR2004 - the one status worth keeping
        response.headers["Cache-Control"] = FRESH
    return response


@blueprint.get("/products")
@public
@spec.validate(
    resp=Answers(HTTP_200=ProductPageData, HTTP_400=None, HTTP_404=None, HTTP_429=None),
    before=_refuse_in_plain_words,
    tags=["products"],
)
def products(query: ProductQuery) -> ProductPageData:
    """List products.

    Newest first, or the best fit first when words are asked for.
    """
    with reading() as session:
        return open_data.list_products(session, query, base=_base(), now=utc_now())


@blueprint.get("/products/<slug>")
@public
@spec.validate(
    resp=Answers(
        HTTP_200=ProductDetailData, HTTP_400=None, HTTP_404=None, HTTP_410=None, HTTP_429=None
    ),
    before=_refuse_in_plain_words,
    tags=["products"],
)
def product(slug: str) -> ProductDetailData:
    """Show one product."""
    with reading() as session:
        return open_data.get_product(session, slug, base=_base(), now=utc_now())


@blueprint.get("/lots/<code>")
@public
@spec.validate(
    resp=Answers(HTTP_200=LotData, HTTP_400=None, HTTP_404=None, HTTP_429=None),
    before=_refuse_in_plain_words,
    tags=["lots"],
)
def lot(code: str) -> LotData:
    """Show one lot by its public code, or by the code of one of its serials."""
    with reading() as session:
        return open_data.get_lot(session, normalise(TRACE_CODE, code), base=_base(), now=utc_now())


@blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    """Describe this API in OpenAPI 3.1."""
    described = deepcopy(spec.spec)
    for asked in (asked for address in described["paths"].values() for asked in address.values()):
        for parameter in asked["parameters"]:
            if parameter["in"] == "path":
                parameter["schema"] = {"type": "string", "pattern": NAMES[parameter["name"]]}
        for status, answer in asked["responses"].items():
            if int(status) >= 400:  # noqa: PLR2004 - where refusals begin
                answer["content"] = {PROBLEM: {"schema": PROBLEM_SCHEMA}}
    return jsonify({**described, "servers": [{"url": _base()}]})


def _base() -> str:
    return _settings().PUBLIC_URL.rstrip("/")


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
