"""Phones that wait for new goods, on the producer's desk: written to on Zalo, by hand."""

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

from accounts.phones import show_phone
from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.settings import Settings
from core.web.paging import read_id, write_cursor
from core.web.requests import reading, transaction
from shop import season_calls

blueprint = Blueprint("desk_seasons", __name__, url_prefix="/ban-hang/<producer>/nhac-vu-moi")


@blueprint.get("")
@desk_view
def index(*, desk: Desk) -> str:
    """List who asked to be told, with the words to send once the goods are there."""
    settings: Settings = current_app.config["SETTINGS"]
    with reading() as session:
        found, following = season_calls.list_phones(
            session, desk.producer_id, before=read_id(request.args.get("sau")), now=utc_now()
        )
    return render_template(
        "shop/desk/seasons.html",
        desk=desk,
        found=found,
        following=write_cursor([following]) if following else None,
        show_phone=show_phone,
        base=settings.PUBLIC_URL,
    )


@blueprint.post("/<int:call_id>/da-nhan")
@desk_view
def told(*, desk: Desk, call_id: int) -> Response:
    """Note that this phone was written to."""
    with transaction() as session:
        season_calls.mark_told(session, call_id, desk.producer_id, actor=desk.actor, now=utc_now())
    return make_response(redirect(url_for("desk_seasons.index", producer=desk.slug), 303))
