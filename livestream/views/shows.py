"""A show's public page and its operator's console."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from catalog.desk import Desk, desk_view
from catalog.producers import Producer, ProducerState
from core.clock import utc_now
from core.errors import Invalid
from core.web.requests import audience, is_fragment, public, reading, transaction
from livestream import ingest, shows
from livestream.console import list_lines, read_console, without_numbers
from livestream.shows import UnknownShow
from livestream.why import why

blueprint = Blueprint("live", __name__)
MOST_BY_HAND = 99
LONGEST_NUMBER = 12


def console_view(view: Callable[..., Any]) -> Callable[..., Any]:
    """Open a show's console to those who may act for its producer; for others there is none."""
    at_desk = desk_view(view)

    @wraps(view)
    def opened(slug: str) -> Any:
        with reading() as session:
            producer_id = shows.get_show(session, slug).producer_id
            producer = session.get_one(Producer, producer_id)
        return at_desk(producer=producer.slug, slug=slug)

    return audience("producer")(opened)


@blueprint.get("/live/<slug>")
@public
def show(slug: str) -> Response:
    """Show a live sale to buyers: what is sold, under which code, how many are left."""
    with reading() as session:
        found = shows.get_show(session, slug)
        producer = session.get_one(Producer, found.producer_id)
        if producer.state is not ProducerState.APPROVED:
            raise UnknownShow(_("There is no live show at this address."))
        lines = list_lines(session, found.id, now=utc_now())
    response = make_response(
        render_template("livestream/show.html", show=found, lines=lines, producer=producer)
    )
    response.headers["Cache-Control"] = "public, max-age=5"
    return response


@blueprint.get("/live/<slug>/dieu-khien")
@console_view
def console(desk: Desk, slug: str) -> str:
    """Show the operator's console; htmx asks for the moving part only."""
    with reading() as session:
        state = read_console(session, shows.get_show(session, slug), now=utc_now())
    template = "livestream/_console.html" if is_fragment() else "livestream/console.html"
    return render_template(
        template, console=state, desk=desk, without_numbers=without_numbers, why=why
    )


@blueprint.post("/live/<slug>/dieu-khien")
@console_view
def act(desk: Desk, slug: str) -> Answer:
    """Do what one button of the console says."""
    now = utc_now()
    button, _sign, value = request.form.get("nut", "").partition(":")
    with transaction() as session:
        found = shows.get_show(session, slug)
        if button == "len-song":
            shows.go_live(session, found, actor=desk.actor, now=now)
        elif button == "ket-thuc":
            shows.end(session, found, actor=desk.actor, now=now)
        elif button == "ghim":
            shows.pin(session, found, value, now=now)
        elif button == "bo-qua":
            ingest.dismiss(session, found, _number(value), actor=desk.actor, now=now)
        elif button == "chot":
            ingest.accept(
                session,
                found,
                _number(value),
                code=request.form.get(f"ma-{value}", ""),
                quantity=_quantity(request.form.get(f"so-{value}", "1")),
                actor=desk.actor,
                now=now,
            )
        else:
            raise Invalid(_("This button does nothing here."), field="nut")
    return redirect(url_for("live.console", slug=slug), 303)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > LONGEST_NUMBER:
        raise Invalid(_("This button does nothing here."), field="nut")
    return int(text)


def _quantity(text: str) -> int:
    number = _number(text)
    if not 0 < number <= MOST_BY_HAND:
        raise Invalid(
            _("The quantity must lie between 1 and %(most)s.", most=MOST_BY_HAND), field="so"
        )
    return number
