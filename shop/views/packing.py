"""The packer's page: which lots to take, the one in hand instead, and: the parcel is ready."""

from typing import cast

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request
from flask import url_for as address_of
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.errors import Invalid
from core.web.requests import reading, transaction
from shop import fulfilment, orders, packing
from shop.orders import Order, SellerOrder
from shop.packing import InHand

blueprint = Blueprint("desk_packing", __name__, url_prefix="/ban-hang/<producer>/don-hang")

CHANGE, EARLIEST = "doi", "de-xuat"
LONGEST_SCANNED = 300


@blueprint.get("/<code>/dong-goi")
@desk_view
def show(*, desk: Desk, code: str) -> Response:
    """Show what is to be packed, with the lots to take."""
    return _page(desk, code)


@blueprint.post("/<code>/dong-goi")
@desk_view
def pack(*, desk: Desk, code: str) -> Response:
    """Take the lots in hand, or those that expire first; or say that the parcel is ready."""
    act = request.form.get("viec")
    try:
        with transaction() as session:
            order, part = orders.get_part(session, code, desk.producer_id)
            taken = _take(session, order, part, desk, act)
            if act not in {CHANGE, EARLIEST}:
                fulfilment.pack(session, order, part, actor=desk.actor, now=utc_now())
    except Invalid as refusal:
        return _page(desk, code, mistake=(refusal.field or "", str(refusal.message)))
    if act == CHANGE:
        flash(_("Lots taken: %(codes)s.", codes=", ".join(taken)) if taken else _("Type a lot."))
    elif act == EARLIEST:
        flash(_("The lots that expire first are taken now."))
    else:
        flash(_("The parcel is ready."))
    back = "desk_packing.show" if act in {CHANGE, EARLIEST} else "desk_orders.order"
    return cast("Response", redirect(address_of(back, producer=desk.slug, code=code), 303))


def _take(
    session: Session, order: Order, part: SellerOrder, desk: Desk, act: str | None
) -> list[str]:
    if act == EARLIEST:
        packing.take_proposed(session, order, part, actor=desk.actor, now=utc_now())
        return []
    typed = _typed()
    if not typed:
        return []
    return packing.take_in_hand(session, order, part, typed, actor=desk.actor, now=utc_now())


def _typed() -> list[InHand]:
    """Return the lots that stand in the form's fields; an empty number means the whole line."""
    found = []
    for name, text in request.form.items():
        number = name.removeprefix("lot-")
        if name.startswith("lot-") and text.strip() and number.isdecimal():
            count = request.form.get(f"so-{number}", "").strip()
            quantity = None if not count else int(count) if count.isdecimal() else 0
            found.append(InHand(int(number), text[:LONGEST_SCANNED], quantity))
    return found


def _page(desk: Desk, code: str, *, mistake: tuple[str, str] | None = None) -> Response:
    with reading() as session:
        order, part = orders.get_part(session, code, desk.producer_id)
        lines = packing.list_lines(session, part, now=utc_now())
    page = render_template(
        "shop/desk/packing.html",
        desk=desk,
        order=order,
        part=part,
        lines=lines,
        packable=part.state in packing.PACKABLE,
        mistake=mistake,
        typed=request.form,
    )
    return make_response(page, 422 if mistake else 200)
