"""Staff: what services told us that no rule can settle: disputes, amounts, refunds by hand."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _

from accounts import audit
from accounts.login import staff_required
from core import inbox
from core.clock import utc_now
from core.errors import NotFound
from core.i18n import lazy
from core.web.requests import reading, transaction
from shop.connections import KINDS
from shop.payments.gateway_news import NAMES
from shop.views.staff_reviews import actor

blueprint = Blueprint("staff_messages", __name__, url_prefix="/quan-tri/tin-dich-vu")
SHOWN = 100
SERVICES = {
    **{provider: kind.name for provider, kind in KINDS.items()},
    **{method.value: name for method, name in NAMES.items()},
}

audit.describe({"message.seen": lazy("looked at a message of a service")})


class NoSuchMessage(NotFound):
    """Nobody waits for this message to be looked at."""


@blueprint.get("")
@staff_required
def index() -> str:
    """List the messages that wait for a person, the oldest first."""
    with reading() as session:
        waiting = inbox.list_to_look_at(session, limit=SHOWN)
    return render_template("shop/staff/messages.html", waiting=waiting, services=SERVICES)


@blueprint.post("/<int:message_id>/da-xem")
@staff_required
def seen(message_id: int) -> Response:
    """Take a message off the list: somebody has looked at it and done what was to be done."""
    person, now = actor(), utc_now()
    with transaction() as session:
        if not inbox.look_at(session, message_id):
            raise NoSuchMessage
        audit.record(session, person, "message.seen", f"message:{message_id}", now=now)
    flash(_("Taken off the list."))
    return make_response(redirect(url_for("staff_messages.index"), 303))
