"""Asking to visit: the form on the page of a tour or stay, and the desk that answers."""

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    url_for,
)
from flask import request as asked

from accounts import throttle
from accounts.phones import show_phone
from catalog.desk import Desk, desk_view
from catalog.producers import Producer
from core.clock import utc_now, vietnam_day
from core.i18n import language
from core.settings import Settings
from core.web.paging import read_id, write_cursor
from core.web.requests import public, reading, transaction
from shop import visits
from shop.visits import VisitState

blueprint = Blueprint("visits", __name__)
desk = Blueprint("desk_visits", __name__, url_prefix="/ban-hang/<producer>/khach-hen")
ASKS, ASK_SECONDS = 10, 3_600


@blueprint.get("/san-pham/<slug>/hen-den")
@public
def form(slug: str) -> Response:
    """Ask for the day, how many people and how to reach them."""
    return _page(slug, {})


@blueprint.post("/san-pham/<slug>/hen-den")
@public
def ask(slug: str) -> Response:
    """Leave the request with the maker."""
    settings: Settings = current_app.config["SETTINGS"]
    now = utc_now()
    wanted, wrong = visits.read_form(asked.form, now=now)
    if wanted is None:
        return _page(slug, wrong)
    network = throttle.network_of(settings.SECRET_KEY, asked.remote_addr)
    with transaction() as session:
        throttle.allow(session, f"visit:{network}", limit=ASKS, seconds=ASK_SECONDS, now=now)
        product, _producer = visits.get_product(session, slug)
        visits.ask(session, product, wanted, language=language(), now=now)
    return make_response(redirect(url_for("visits.form", slug=slug, xong=1), 303))


@desk.get("")
@desk_view
def index(*, desk: Desk) -> str:
    """List who wants to come, the newest first."""
    with reading() as session:
        rows, following = visits.list_of_producer(
            session, desk.producer_id, before=read_id(asked.args.get("sau"))
        )
        producer = session.get_one(Producer, desk.producer_id)
        said = {
            request.id: visits.words_for_guest(request, product, producer)
            for request, product in rows
            if request.state is not VisitState.ASKED
        }
    return render_template(
        "shop/desk/visits.html",
        desk=desk,
        rows=rows,
        said=said,
        following=write_cursor([following]) if following else None,
        show_phone=show_phone,
    )


@desk.post("/<int:request_id>")
@desk_view
def answer(*, desk: Desk, request_id: int) -> Response:
    """Say yes or no."""
    with transaction() as session:
        visits.answer(
            session,
            request_id,
            desk.producer_id,
            accepts=asked.form.get("answer") == "yes",
            words=asked.form.get("words", ""),
            actor=desk.actor,
            now=utc_now(),
        )
    return make_response(redirect(url_for("desk_visits.index", producer=desk.slug), 303))


def _page(slug: str, wrong: dict[str, str]) -> Response:
    with reading() as session:
        product, producer = visits.get_product(session, slug)
    page = render_template(
        "shop/visit_form.html",
        product=product,
        producer=producer,
        wrong=wrong,
        typed=asked.form,
        today=vietnam_day(utc_now()),
        last=vietnam_day(utc_now()) + visits.FURTHEST,
        most=visits.MOST_PEOPLE,
        done=asked.args.get("xong") == "1",
    )
    return make_response(page, 422 if wrong else 200)
