"""Staff: parcels with bad or odd news, those that are lost, and cash that is late."""

from typing import cast

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _

from accounts.audit import Actor
from accounts.login import SignedIn, signed_in, staff_required
from core.clock import utc_now
from core.errors import Invalid
from core.web.requests import reading, transaction
from shop import deliveries, parcel_watch, remittances

blueprint = Blueprint("staff_delivery", __name__, url_prefix="/quan-tri/giao-hang")


@blueprint.get("")
@staff_required
def index() -> Response:
    """List the parcels somebody has to look at, and the cash carriers hold too long."""
    return _page()


@blueprint.post("/<int:shipment_id>/mat-hang")
@staff_required
def lose(shipment_id: int) -> Response:
    """Give a parcel up as lost, with the claim against its carrier."""
    try:
        with transaction() as session:
            _shipment, part, order = parcel_watch.get(session, shipment_id)
            deliveries.lose(
                session,
                order,
                part,
                claim=request.form.get("why", ""),
                actor=_actor(),
                now=utc_now(),
            )
            parcel_watch.set_aside(session, shipment_id, actor=_actor(), now=utc_now())
    except Invalid as refusal:
        return _page(mistake=(f"why-{shipment_id}", str(refusal.message)))
    flash(_("The parcel was given up. What the buyer paid is owed back."))
    return _see()


@blueprint.post("/<int:shipment_id>/da-xem")
@staff_required
def looked(shipment_id: int) -> Response:
    """Take a parcel off the list until its carrier says more."""
    with transaction() as session:
        parcel_watch.set_aside(session, shipment_id, actor=_actor(), now=utc_now())
    return _see()


def _actor() -> Actor:
    person = cast("SignedIn", signed_in())
    return Actor(person.user_id, person.name)


def _see() -> Response:
    return make_response(redirect(url_for("staff_delivery.index"), 303))


def _page(*, mistake: tuple[str, str] | None = None) -> Response:
    with reading() as session:
        watched = parcel_watch.list_watched(session)
        late = remittances.list_out(session, None, now=utc_now(), only_late=True)
    page = render_template(
        "shop/staff/delivery.html", watched=watched, late=late, mistake=mistake, typed=request.form
    )
    return make_response(page, 422 if mistake else 200)
