"""The producer's page of feeds: the address to paste, what is left out and how to mend it."""

from flask import Blueprint, Response, redirect, render_template, url_for
from werkzeug.wrappers import Response as Answer

from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.web.requests import reading, transaction
from livestream.feeds import feeds, jobs
from livestream.feeds.feeds import Channel

blueprint = Blueprint("desk_feeds", __name__)


@blueprint.get("/ban-hang/<producer>/bang-hang")
@desk_view
def index(desk: Desk) -> str:
    """Show the feed's address, its last build and what is to be mended."""
    with reading() as session:
        feed = feeds.find_feed(session, Channel.META, desk.producer_id)
    return render_template("livestream/desk_feeds.html", desk=desk, feed=feed)


@blueprint.post("/ban-hang/<producer>/bang-hang")
@desk_view
def build(desk: Desk) -> Answer | Response:
    """Give the producer a feed the first time, and build it."""
    now = utc_now()
    with transaction() as session:
        feed = feeds.ensure_feed(session, Channel.META, producer_id=desk.producer_id)
        jobs.ask_for_build(session, feed.id, now=now)
    return redirect(url_for("desk_feeds.index", producer=desk.slug), 303)


@blueprint.post("/ban-hang/<producer>/bang-hang/it-hang-hon")
@desk_view
def accept_smaller(desk: Desk) -> Answer | Response:
    """Build the file although it has far fewer goods: the producer says that they are gone."""
    now = utc_now()
    with transaction() as session:
        feed = feeds.accept_smaller(session, Channel.META, desk.producer_id, desk.actor, now=now)
        jobs.ask_for_build(session, feed.id, now=now, even_if_smaller=True)
    return redirect(url_for("desk_feeds.index", producer=desk.slug), 303)


@blueprint.post("/ban-hang/<producer>/bang-hang/doi-dia-chi")
@desk_view
def rotate(desk: Desk) -> Answer | Response:
    """Give the feed a new secret address; the old one ends."""
    with transaction() as session:
        feeds.change_address(session, Channel.META, desk.producer_id, desk.actor, now=utc_now())
    return redirect(url_for("desk_feeds.index", producer=desk.slug), 303)
