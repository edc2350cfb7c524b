"""How a producer's goods reach its buyers: its ways, their fees, where they go and how heavy."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from catalog import places
from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.errors import Invalid
from core.web.requests import reading, transaction
from shop import connections, delivery, delivery_terms
from shop.carriers import ghn
from shop.delivery import DeliveryKind, DeliveryMethod
from shop.wishes import kilos

blueprint = Blueprint("desk_delivery", __name__, url_prefix="/ban-hang/<producer>/giao-hang")
CHOOSE_PROVINCE = "choose_province"


@blueprint.route("", methods=["GET", "POST"])
@desk_view
def ways(*, desk: Desk) -> Response:
    """List the ways, and open a new one."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            with transaction() as session:
                method = delivery_terms.add(
                    session, desk.producer_id, request.form, actor=desk.actor, now=utc_now()
                )
                method_id = method.id
        except Invalid as refusal:
            errors = {refusal.field or "name": str(refusal.message)}
        else:
            return _see(desk, method_id)
    with reading() as session:
        methods = delivery.list_of(session, desk.producer_id)
        connected = connections.find_open(session, desk.producer_id, ghn.CARRIER) is not None
    page = render_template(
        "shop/desk/delivery.html",
        desk=desk,
        methods=methods,
        kinds=list(DeliveryKind),
        connected=connected,
        errors=errors,
        typed=request.form if errors else {},
        kilos=kilos,
    )
    return make_response(page, 422 if errors else 200)


@blueprint.route("/<int:method_id>", methods=["GET", "POST"])
@desk_view
def way(*, desk: Desk, method_id: int) -> Response:
    """Show one way with its places and weights, and change its name and fee."""
    if request.method != "POST":
        return _page(desk, method_id, typed=request.args)
    try:
        with transaction() as session:
            method = delivery_terms.get_method(session, desk.producer_id, method_id)
            delivery_terms.change(session, method, request.form, actor=desk.actor, now=utc_now())
    except Invalid as refusal:
        return _page(desk, method_id, typed=request.form, refusal=refusal)
    return _see(desk, method_id)


@blueprint.post("/<int:method_id>/bat-tat")
@desk_view
def switch(*, desk: Desk, method_id: int) -> Response:
    """Offer a way to buyers, or no longer."""
    with transaction() as session:
        method = delivery_terms.get_method(session, desk.producer_id, method_id)
        delivery_terms.switch(
            session, method, on=request.form.get("on") == "1", actor=desk.actor, now=utc_now()
        )
    return make_response(
        redirect(url_for("desk_delivery.ways", producer=desk.slug, xong="luu"), 303)
    )


@blueprint.post("/<int:method_id>/phi")
@desk_view
def terms(*, desk: Desk, method_id: int) -> Response:
    """Say what a place or a weight costs, forget it, or go only to the named places."""
    if CHOOSE_PROVINCE in request.form:
        return _page(desk, method_id, typed=request.form, shows_more=True)
    try:
        with transaction() as session:
            method = delivery_terms.get_method(session, desk.producer_id, method_id)
            _change_terms(session, method, request.form, desk)
    except Invalid as refusal:
        return _page(desk, method_id, typed=request.form, refusal=refusal, shows_more=True)
    return _see(desk, method_id, anchor="phi-rieng")


def _change_terms(
    session: Session, method: DeliveryMethod, form: Mapping[str, str], desk: Desk
) -> None:
    by: dict[str, Any] = {"actor": desk.actor, "now": utc_now()}
    if "drop_zone" in form:
        delivery_terms.drop_zone(session, method, _number(form["drop_zone"]), **by)
    elif "drop_band" in form:
        delivery_terms.drop_band(session, method, _number(form["drop_band"]), **by)
    elif "only" in form:
        delivery_terms.go_only_to_zones(session, method, only=form["only"] == "1", **by)
    elif "over_kg" in form:
        delivery_terms.set_band(session, method, form, **by)
    else:
        delivery_terms.set_zone(session, method, form, **by)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004


def _page(
    desk: Desk,
    method_id: int,
    *,
    typed: Mapping[str, str],
    refusal: Invalid | None = None,
    shows_more: bool = False,
) -> Response:
    errors = {refusal.field or "name": str(refusal.message)} if refusal else {}
    with reading() as session:
        method = delivery.get(session, desk.producer_id, method_id)
        names = places.place_names(
            session, [c for z in method.zones for c in (z.province_code, z.commune_code)]
        )
        provinces = places.list_provinces(session)
        communes = places.list_communes(session, typed.get("province_code", "")[:2])
    page = render_template(
        "shop/desk/delivery_way.html",
        desk=desk,
        method=method,
        names=names,
        provinces=provinces,
        communes=communes,
        errors=errors,
        typed=typed,
        shows_more=shows_more or bool(method.zones or method.bands),
        kilos=kilos,
    )
    return make_response(page, 422 if errors else 200)


def _see(desk: Desk, method_id: int, *, anchor: str | None = None) -> Response:
    address = url_for(
        "desk_delivery.way",
        producer=desk.slug,
        method_id=method_id,
        xong="luu",
        _anchor=anchor,
    )
    return make_response(redirect(address, 303))
