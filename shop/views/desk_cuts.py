"""Taking goods out of an order on the producer's desk."""

from flask import Blueprint, Response, flash, make_response, redirect, request, url_for
from flask_babel import gettext as _

from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.errors import Invalid
from core.i18n import show_money
from core.web.requests import transaction
from shop import cuts, orders

blueprint = Blueprint("desk_cuts", __name__, url_prefix="/ban-hang/<producer>/don-hang")


@blueprint.post("/<code>/bot")
@desk_view
def cut(*, desk: Desk, code: str) -> Response:
    """Leave fewer pieces of one line in the order."""
    form = request.form
    try:
        with transaction() as session:
            order, part = orders.get_part(session, code, desk.producer_id)
            saved = cuts.cut(
                session,
                order,
                part,
                form.get("line", 0, type=int),
                keep=form.get("keep", -1, type=int),
                reason=form.get("cut_reason", ""),
                actor=desk.actor,
                now=utc_now(),
            )
    except Invalid as refusal:
        flash(str(refusal.message))
    else:
        flash(_("Taken out. The buyer pays %(saved)s less.", saved=show_money(saved)))
    return make_response(redirect(url_for("desk_orders.order", producer=desk.slug, code=code), 303))
