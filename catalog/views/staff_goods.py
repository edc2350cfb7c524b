"""Staff: goods to look at before buyers see them, and live ones changed since."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from accounts.login import signed_in, staff_required
from catalog import products, publishing
from catalog.desk import actor_at
from catalog.producers import Producer
from catalog.wording import GROUP_NAMES
from core.clock import utc_now
from core.errors import Conflict, Invalid
from core.web.paging import read_cursor, write_cursor
from core.web.requests import reading, transaction

blueprint = Blueprint("staff_goods", __name__, url_prefix="/quan-tri/duyet-hang")
GOODS_A_PAGE = 30


@blueprint.get("")
@staff_required
def index() -> Response:
    """List goods that wait for a look."""
    return _page({})


@blueprint.post("/<int:product_id>")
@staff_required
def answer(product_id: int) -> Response:
    """Show goods to buyers, or send them back to be mended."""
    person = signed_in()
    try:
        with transaction() as session:
            product = products.get(session, product_id)
            place = session.get_one(Producer, product.producer_id)
            actor, now = actor_at(place, person, on_behalf=False), utc_now()  # type: ignore[arg-type]
            if request.form.get("what") == "approve":
                publishing.approve(session, product, actor=actor, now=now)
            else:
                note = request.form.get("note", "")
                publishing.send_back(session, product, note, actor=actor, now=now)
    except (Invalid, Conflict) as refusal:
        return _page({product_id: str(refusal.message)})
    return make_response(redirect(url_for("staff_goods.index"), 303))


def _page(errors: dict[int, str]) -> Response:
    mark = read_cursor(request.args.get("sau"), (int,))
    after = int(mark[0] or 0) if mark else 0
    with reading() as session:
        found = publishing.list_for_staff(session, after=after, limit=GOODS_A_PAGE + 1)
    shown = found[:GOODS_A_PAGE]
    page = render_template(
        "catalog/staff_goods.html",
        goods=shown,
        group_names=GROUP_NAMES,
        errors=errors,
        following=write_cursor([shown[-1][0].id]) if len(found) > GOODS_A_PAGE else None,
    )
    return make_response(page, 422 if errors else 200)
