"""The producer's shows: plan one, choose its goods and codes, open its console."""

from datetime import datetime

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from catalog.desk import Desk, desk_view
from catalog.stock import free_of_variants
from core.clock import VIETNAM, utc_now
from core.errors import Invalid
from core.money import Money
from core.web.requests import reading, transaction
from livestream import shows
from livestream.goods import list_goods
from livestream.shows import Show

blueprint = Blueprint("desk_shows", __name__)
# A year typed wrongly is a slip; the calendar's first day has no moment in UTC.
YEARS = range(2020, 2100)


@blueprint.get("/ban-hang/<producer>/live")
@desk_view
def index(desk: Desk) -> str:
    """List the producer's shows."""
    with reading() as session:
        found = shows.list_shows(session, desk.producer_id)
    return render_template("livestream/desk_shows.html", desk=desk, shows=found)


@blueprint.get("/ban-hang/<producer>/live/moi")
@desk_view
def new(desk: Desk) -> str:
    """Show the form of a new show, every sellable item with a suggested code."""
    return _form(desk, {}, [])


@blueprint.post("/ban-hang/<producer>/live/moi")
@desk_view
def plan(desk: Desk) -> Answer | Response | tuple[str, int]:
    """Plan a show with the ticked goods."""
    try:
        with transaction() as session:
            show = _plan(session, desk)
    except Invalid as refusal:
        errors = [(refusal.field or "title", refusal.message)]
        return _form(desk, request.form.to_dict(), errors), 422
    return redirect(url_for("live.console", slug=show.slug), 303)


def _plan(session: Session, desk: Desk) -> Show:
    show = shows.plan(
        session,
        title=request.form.get("title", ""),
        producer_id=desk.producer_id,
        starts_at=_moment(request.form.get("starts_at", "")),
    )
    goods = list_goods(session, desk.producer_id)
    chosen = [one for one in goods if request.form.get(f"chon-{one.variant_id}")]
    if not chosen:
        raise Invalid(_("Tick at least one item to sell."), field="title")
    free = free_of_variants(session, [one.variant_id for one in chosen], now=utc_now())
    for one in chosen:
        shows.add_item(
            session,
            show,
            code=request.form.get(f"ma-{one.variant_id}", ""),
            variant_id=one.variant_id,
            name=one.name,
            unit=one.unit,
            live_price=Money(_whole(request.form.get(f"gia-{one.variant_id}", ""))),
            cap=free[one.variant_id],
        )
    return show


def _form(desk: Desk, given: dict[str, str], errors: list[tuple[str, object]]) -> str:
    with reading() as session:
        goods = list_goods(session, desk.producer_id)
        free = free_of_variants(session, [one.variant_id for one in goods], now=utc_now())
    return render_template(
        "livestream/desk_show_new.html",
        desk=desk,
        goods=goods,
        free=free,
        given=given,
        errors=errors,
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=VIETNAM)
    except ValueError:
        moment = None
    if moment is None or moment.year not in YEARS:
        raise Invalid(_("Choose the day and hour of the show."), field="starts_at")
    return moment


def _whole(text: str) -> int:
    digits = text.replace(".", "").replace("\u00a0", "").strip()
    if not digits.isascii() or not digits.isdigit() or not 0 < int(digits[:12]) < 10**9:
        raise Invalid(_("Write the live price in whole đồng, for example 150000."), field="title")
    return int(digits)
