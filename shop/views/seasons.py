"""«Nhắc khi có vụ mới»: asked on a product's page, confirmed and ended by links in the mail."""

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

from accounts import throttle
from catalog import products
from catalog.products import NoSuchProduct
from core.clock import utc_now
from core.errors import Invalid
from core.i18n import language
from core.settings import Settings
from core.web.requests import public, reading, transaction
from shop import season_calls
from shop.season_calls import CallState
from shop.views.opening import secrets

blueprint = Blueprint("seasons", __name__)
ASKS, ASK_SECONDS = 10, 3_600


@blueprint.get("/san-pham/<slug>/nhac-vu-moi")
@public
def form(slug: str) -> Response:
    """Ask where to tell that the goods are there again."""
    return _page(slug)


@blueprint.post("/san-pham/<slug>/nhac-vu-moi")
@public
def ask(slug: str) -> Response:
    """Note who wants to hear."""
    settings: Settings = current_app.config["SETTINGS"]
    now = utc_now()
    network = throttle.network_of(settings.SECRET_KEY, request.remote_addr)
    try:
        with transaction() as session:
            product = products.find_by_slug(session, slug)
            if product is None:
                raise NoSuchProduct
            throttle.allow(session, f"season:{network}", limit=ASKS, seconds=ASK_SECONDS, now=now)
            call = season_calls.ask(
                session,
                product.id,
                way=request.form.get("way", ""),
                language=language(),
                now=now,
            )
            by_mail = call.email is not None
    except Invalid as refusal:
        return _page(slug, mistake=("way", str(refusal.message)))
    done = "thu" if by_mail else "so"
    return make_response(redirect(url_for("seasons.form", slug=slug, xong=done), 303))


@blueprint.get("/nhac-vu-moi/<int:call_id>/<mark>")
@public
def confirm_form(call_id: int, mark: str) -> Response:
    """Ask the owner of the address to press once: programs that read mail open links too."""
    return _call_page(call_id, mark, stops=False)


@blueprint.post("/nhac-vu-moi/<int:call_id>/<mark>")
@public
def confirm(call_id: int, mark: str) -> Response:
    """Take the address as its owner's."""
    with transaction() as session:
        call, _product = season_calls.get_call(session, call_id, mark, secrets())
        season_calls.confirm(session, call, now=utc_now())
    return make_response(redirect(url_for("seasons.confirm_form", call_id=call_id, mark=mark), 303))


@blueprint.get("/nhac-vu-moi/<int:call_id>/<mark>/thoi")
@public
def stop_form(call_id: int, mark: str) -> Response:
    """Ask whether to write never again."""
    return _call_page(call_id, mark, stops=True)


@blueprint.post("/nhac-vu-moi/<int:call_id>/<mark>/thoi")
@public
def stop(call_id: int, mark: str) -> Response:
    """Never write about these goods again."""
    with transaction() as session:
        call, _product = season_calls.get_call(session, call_id, mark, secrets())
        season_calls.stop(session, call)
    return make_response(redirect(url_for("seasons.stop_form", call_id=call_id, mark=mark), 303))


def _page(slug: str, *, mistake: tuple[str, str] | None = None) -> Response:
    with reading() as session:
        product = products.find_by_slug(session, slug)
    if product is None:
        raise NoSuchProduct
    page = render_template(
        "shop/season_form.html",
        product=product,
        mistake=mistake,
        typed=request.form,
        done=request.args.get("xong"),
    )
    return make_response(page, 422 if mistake else 200)


def _call_page(call_id: int, mark: str, *, stops: bool) -> Response:
    with reading() as session:
        call, product = season_calls.get_call(session, call_id, mark, secrets())
    page = render_template(
        "shop/season_call.html",
        call=call,
        product=product,
        mark=mark,
        stops=stops,
        waits=call.state is CallState.WAITING,
        stopped=call.state is CallState.STOPPED,
    )
    response = make_response(page)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
