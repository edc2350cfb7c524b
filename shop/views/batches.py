"""Many orders of a desk at once: accept, pack, send or print those that were ticked."""

from collections.abc import Sequence

from flask import Blueprint, Response, make_response, render_template, request

from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.web.requests import database, reading
from shop import batches, inbox
from shop.batches import Act, Outcome
from shop.inbox import Tab
from shop.slips import Form

blueprint = Blueprint("desk_batches", __name__, url_prefix="/ban-hang/<producer>/don-hang")

PRINTS: dict[str, tuple[Form, ...]] = {
    "in-phieu": (Form.SLIP,),
    "in-nhan": (Form.LABEL,),
    "in-ca-hai": (Form.SLIP, Form.LABEL),
}


@blueprint.post("/ca-nhom")
@desk_view
def run(*, desk: Desk) -> Response:
    """Do what was asked to every ticked order and tell, order by order, what became of it."""
    tab = request.form.get("muc", "")
    asked = request.form.get("viec", "")
    codes = _codes(desk, tab)
    if asked in PRINTS and codes:
        return _pdf(desk, codes, PRINTS[asked])
    outcomes: list[Outcome] = []
    if asked in set(Act):
        outcomes = batches.do(
            database(),
            desk.producer_id,
            codes,
            Act(asked),
            called_buyer="called" in request.form,
            actor=desk.actor,
            now=utc_now(),
        )
    page = render_template(
        "shop/desk/batch.html",
        desk=desk,
        tab=tab if tab in set(Tab) else None,
        done=[one for one in outcomes if one.done],
        failed=[one for one in outcomes if not one.done],
        act=asked,
    )
    return make_response(page, 200 if outcomes else 422)


def _codes(desk: Desk, tab: str) -> list[str]:
    """Return the ticked orders, or those of the whole heap if that was ticked."""
    if "tat-ca" in request.form and tab in set(Tab):
        with reading() as session:
            return inbox.list_codes(session, desk.producer_id, Tab(tab), most=batches.MOST)
    return request.form.getlist("don")


def _pdf(desk: Desk, codes: Sequence[str], forms: tuple[Form, ...]) -> Response:
    with reading() as session:
        data = batches.print_many(session, desk.producer_id, codes, forms, now=utc_now())
    response = make_response(data)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = 'inline; filename="phieu-va-nhan.pdf"'
    return response
