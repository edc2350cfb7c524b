"""What the law wants to be read: who runs the shop, its policies with their versions."""

from datetime import date

from flask import Blueprint, Response, current_app, make_response, render_template, request

from accounts import policies
from accounts.policies import PRIVACY, TITLES, NoSuchPolicy
from core.clock import utc_now, vietnam_day
from core.i18n import language
from core.web.requests import public

blueprint = Blueprint("legal", __name__, url_prefix="/chinh-sach")

KEEP = "public, max-age=60, stale-if-error=86400"


@blueprint.get("")
@public
def index() -> Response:
    """Say who runs the shop, and list the policies."""
    today = vietnam_day(utc_now())
    versions = {slug: policies.current(slug, today) for slug in TITLES}
    return _kept(render_template("accounts/policies.html", titles=TITLES, versions=versions))


@blueprint.get("/<slug>")
@public
def policy(slug: str) -> Response:
    """Show a policy as it is today, or in the version that `ban` names."""
    today, asked = vietnam_day(utc_now()), request.args.get("ban")
    try:
        version = date.fromisoformat(asked) if asked else policies.current(slug, today)
    except ValueError as error:
        raise NoSuchPolicy from error
    page = render_template(
        "accounts/policy.html",
        slug=slug,
        title=TITLES.get(slug),
        version=version,
        current=policies.current(slug, today),
        versions=policies.list_versions(slug),
        blocks=policies.read(slug, version, language()),
        retention=current_app.extensions["retention"] if slug == PRIVACY else [],
    )
    return _kept(page)


def _kept(page: str) -> Response:
    response = make_response(page)
    response.headers["Cache-Control"] = KEEP
    return response
