"""The store on the desk: what came in, what was lost, what was counted. No price here."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from catalog import sales, stock_desk
from catalog.desk import Desk, desk_view
from catalog.stock import NotEnoughOnHand, StockChangedMeanwhile
from catalog.wording import WHY_NAMES
from core.clock import utc_now, vietnam_day
from core.errors import Conflict, Invalid, Refusal
from core.web.paging import read_cursor, write_cursor
from core.web.requests import reading, transaction

blueprint = Blueprint("desk_store", __name__, url_prefix="/ban-hang/<producer>/kho")
GOODS_A_PAGE = 50
CHANGES = 30


@blueprint.get("")
@desk_view
def index(desk: Desk) -> str:
    """List the producer's goods with what lies there."""
    mark = read_cursor(request.args.get("sau"), (int,))
    after = int(mark[0] or 0) if mark else 0
    with reading() as session:
        found = stock_desk.list_goods(
            session, desk.producer_id, after=after, limit=GOODS_A_PAGE + 1
        )
    shown = found[:GOODS_A_PAGE]
    return render_template(
        "catalog/desk_store.html",
        goods=shown,
        following=write_cursor([shown[-1].variant.id]) if len(found) > GOODS_A_PAGE else None,
    )


@blueprint.get("/<int:variant_id>")
@desk_view
def one(desk: Desk, variant_id: int) -> Response:
    """Show what lies there of one thing, lot by lot, and how it got there."""
    return _page(desk, variant_id)


@blueprint.post("/<int:variant_id>/nhap")
@desk_view
def receive(desk: Desk, variant_id: int) -> Response:
    """Add what came in."""
    return _change(desk, variant_id, "nhap")


@blueprint.post("/<int:variant_id>/hao-hut")
@desk_view
def lose(desk: Desk, variant_id: int) -> Response:
    """Take away what broke, spoiled or was eaten."""
    return _change(desk, variant_id, "hao-hut")


@blueprint.post("/<int:variant_id>/dem-lai")
@desk_view
def count(desk: Desk, variant_id: int) -> Response:
    """Say how many lie there by hand, unless that changed since the page was shown."""
    return _change(desk, variant_id, "dem-lai")


def _change(desk: Desk, variant_id: int, what: str) -> Response:
    form, now = request.form, utc_now()
    lot_id = form.get("lot", type=int)
    try:
        with transaction() as session:
            variant, _product = sales.get_of_producer(session, variant_id, desk.producer_id)
            if what == "dem-lai":
                stock_desk.count(
                    session,
                    variant,
                    lot_id,
                    form.get("counted", ""),
                    expected_before=form.get("expected_before", -1, type=int),
                    actor=desk.actor,
                    now=now,
                )
            else:
                move = stock_desk.receive if what == "nhap" else stock_desk.lose
                pieces, note = form.get("pieces", ""), form.get("note", "")
                move(session, variant, lot_id, pieces, note, actor=desk.actor, now=now)
    except (Invalid, NotEnoughOnHand, StockChangedMeanwhile) as refusal:
        return _page(desk, variant_id, refusal=refusal, at=f"{what}-{lot_id or 0}")
    address = url_for("desk_store.one", producer=desk.slug, variant_id=variant_id, xong="luu")
    return make_response(redirect(address, 303))


def _page(desk: Desk, variant_id: int, *, refusal: Refusal | None = None, at: str = "") -> Response:
    with reading() as session:
        variant, product = sales.get_of_producer(session, variant_id, desk.producer_id)
        shelves = stock_desk.list_shelves(session, variant_id)
        changes = stock_desk.list_changes(session, variant_id, limit=CHANGES)
    page = render_template(
        "catalog/desk_store_one.html",
        variant=variant,
        product=product,
        shelves=shelves,
        changes=changes,
        why_names=WHY_NAMES,
        today=vietnam_day(utc_now()),
        errors={at: str(refusal.message)} if refusal else {},
        form=request.form if refusal else {},
    )
    status = 200 if refusal is None else 409 if isinstance(refusal, Conflict) else 422
    return make_response(page, status)
