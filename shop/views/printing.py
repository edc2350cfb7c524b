"""Slips and labels as PDF, for one order of the desk."""

from flask import Blueprint, Response, make_response

from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.web.requests import reading
from shop import orders, slips
from shop.slips import Form

blueprint = Blueprint("desk_prints", __name__, url_prefix="/ban-hang/<producer>/don-hang")


@blueprint.get("/<code>/phieu.pdf")
@desk_view
def slip(*, desk: Desk, code: str) -> Response:
    """Give the packing slip."""
    return _pdf(desk, code, Form.SLIP)


@blueprint.get("/<code>/nhan.pdf")
@desk_view
def label(*, desk: Desk, code: str) -> Response:
    """Give the parcel label."""
    return _pdf(desk, code, Form.LABEL)


def _pdf(desk: Desk, code: str, form: Form) -> Response:
    with reading() as session:
        _order, part = orders.get_part(session, code, desk.producer_id)
        data = slips.print_parts(session, [part.id], [form], now=utc_now())
    response = make_response(data)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{form}-{code}.pdf"'
    return response
