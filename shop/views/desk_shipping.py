"""Parcels at the producer's desk: waybills, GHN, tried again, sent back, taken back."""

import re
from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, current_app, flash, make_response, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.errors import Invalid
from core.web.requests import reading, transaction
from shop import carriage, deliveries, fulfilment, moves, orders, shipments
from shop.deliveries import Back
from shop.delivery_terms import read_weight
from shop.order_states import SellerOrderState
from shop.orders import Order, SellerOrder
from shop.views.dashboard import order_page

blueprint = Blueprint("desk_shipping", __name__, url_prefix="/ban-hang/<producer>/don-hang")
NUMBERED = re.compile("back_[0-9]{1,9}")
Act = Callable[[Session, Order, SellerOrder, datetime], object]


@blueprint.post("/<code>/van-don")
@desk_view
def waybill(*, desk: Desk, code: str) -> Response:
    """Write the waybill down; a parcel that stood ready leaves with it."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> None:
        moves.lock(session, order.id)
        shipments.write_waybill(
            session,
            order,
            part,
            waybill=request.form.get("waybill", ""),
            carrier_name=request.form.get("carrier_name", ""),
            actor=desk.actor,
            now=now,
        )
        if part.state is SellerOrderState.READY:
            fulfilment.ship(session, order, part, actor=desk.actor, now=now)

    return _do(desk, code, act, _("The waybill was written down."))


@blueprint.post("/<code>/goi-ghn")
@desk_view
def call_ghn(*, desk: Desk, code: str) -> Response:
    """Ask GHN to fetch the parcel."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> None:
        moves.lock(session, order.id)
        weight_g = read_weight(request.form.get("weight_kg", ""), field="weight_kg")
        shipments.order_ghn(session, order, part, weight_g=weight_g, actor=desk.actor, now=now)

    return _do(desk, code, act, _("GHN was asked to fetch the parcel."))


@blueprint.post("/<code>/huy-ghn")
@desk_view
def call_ghn_off(*, desk: Desk, code: str) -> Response:
    """Ask GHN to leave the parcel."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> None:
        moves.lock(session, order.id)
        parcel = shipments.find_current(session, part.id)
        if parcel is not None:
            shipments.call_off(session, parcel, now=now)

    return _do(desk, code, act, _("GHN was asked to leave the parcel."))


@blueprint.get("/<code>/nhan-ghn")
@desk_view
def label(*, desk: Desk, code: str) -> Response:
    """Open GHN's own label."""
    with reading() as session:
        _order, part = orders.get_part(session, code, desk.producer_id)
        account, number = carriage.label_address(session, part.id, current_app.config["SETTINGS"])
    return make_response(redirect(account.label(number), 303))


@blueprint.post("/<code>/khong-giao-duoc")
@desk_view
def fail(*, desk: Desk, code: str) -> Response:
    """Say that the parcel could not be handed over, and why."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> bool:
        return deliveries.fail_delivery(session, order, part, why=_why(), actor=desk.actor, now=now)

    return _do(desk, code, act, _("Written down. Bring it again, or let it come back."))


@blueprint.post("/<code>/giao-lai")
@desk_view
def again(*, desk: Desk, code: str) -> Response:
    """Bring the parcel once more."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> bool:
        return deliveries.redeliver(session, order, part, actor=desk.actor, now=now)

    return _do(desk, code, act, _("The parcel is on its way again."))


@blueprint.post("/<code>/chuyen-hoan")
@desk_view
def send_back(*, desk: Desk, code: str) -> Response:
    """Let the parcel come back, and say why."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> bool:
        return deliveries.send_back(session, order, part, why=_why(), actor=desk.actor, now=now)

    return _do(desk, code, act, _("The parcel is on its way back."))


@blueprint.post("/<code>/da-nhan-hoan")
@desk_view
def receive_back(*, desk: Desk, code: str) -> Response:
    """Take the parcel back: each line on the shelf again, or written off."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> bool:
        return deliveries.receive_back(
            session,
            order,
            part,
            back=_back(),
            own_fault="own_fault" in request.form,
            actor=desk.actor,
            now=now,
        )

    return _do(desk, code, act, _("The parcel is back. Stock and money were settled."))


def _why() -> str:
    """Return the reason that was tapped, with what was written beside it."""
    tapped, written = request.form.get("tapped", ""), request.form.get("why", "")
    return ". ".join(piece.strip() for piece in (tapped, written) if piece.strip())


def _back() -> dict[int, Back]:
    """Return what was said of each line; what is neither answer is left out and then missed."""
    answers = {word.value: word for word in Back}
    return {
        int(name.removeprefix("back_")): answers[value]
        for name, value in request.form.items()
        if NUMBERED.fullmatch(name) and value in answers
    }


def _do(desk: Desk, code: str, act: Act, done: str) -> Response:
    """Act on this producer's part of the order and come back to it; a slip is told in place."""
    try:
        with transaction() as session:
            order, part = orders.get_part(session, code, desk.producer_id)
            act(session, order, part, utc_now())
    except Invalid as refusal:
        return order_page(desk, code, mistake=(refusal.field or "", str(refusal.message)))
    flash(done)
    return make_response(redirect(url_for("desk_orders.order", producer=desk.slug, code=code), 303))
