"""Prices on the producer's desk: what each thing costs, and a sale price for a while."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from catalog import prices, sales
from catalog.desk import Desk, desk_view
from catalog.variants import Variant, is_on_sale, pieces_left, price_at
from core.clock import utc_now
from core.errors import Invalid, Refusal
from core.money import Money, read_money
from core.web.paging import read_cursor, write_cursor
from core.web.requests import reading, transaction

blueprint = Blueprint("desk_prices", __name__, url_prefix="/ban-hang/<producer>/gia")
GOODS_A_PAGE = 50
POINTS = 20


@blueprint.get("")
@desk_view
def index(desk: Desk) -> str:
    """List what the producer sells with the prices of this moment."""
    now = utc_now()
    mark = read_cursor(request.args.get("sau"), (int,))
    after = int(mark[0] or 0) if mark else 0
    with reading() as session:
        found = sales.list_of_producer(
            session, desk.producer_id, after=after, limit=GOODS_A_PAGE + 1
        )
    shown = found[:GOODS_A_PAGE]
    return render_template(
        "catalog/desk_prices.html",
        goods=[(variant, product, price_at(variant, now)) for variant, product in shown],
        following=write_cursor([shown[-1][0].id]) if len(found) > GOODS_A_PAGE else None,
    )


@blueprint.get("/<int:variant_id>")
@desk_view
def one(desk: Desk, variant_id: int) -> Response:
    """Show one thing's price, its sale and what it cost before."""
    return _page(desk, variant_id)


@blueprint.post("/<int:variant_id>/gia")
@desk_view
def change(desk: Desk, variant_id: int) -> Response:
    """Set the regular price; an empty field takes the thing off sale."""
    typed = request.form.get("price", "").strip()
    price = read_money(typed)
    try:
        if typed and price is None:
            raise sales.BadPrice(_not_a_price(), field="price")
        with transaction() as session:
            variant, _product = sales.get_of_producer(session, variant_id, desk.producer_id)
            sales.change_price(session, variant, price, actor=desk.actor, now=utc_now())
    except Invalid as refusal:
        return _page(desk, variant_id, refusal=refusal)
    return _see(desk, variant_id)


@blueprint.post("/<int:variant_id>/khuyen-mai")
@desk_view
def set_sale(desk: Desk, variant_id: int) -> Response:
    """Set a sale price with its beginning, its end and perhaps its pieces."""
    try:
        price, cap = _sale_numbers()
        ends_at = sales.vietnam_moment(request.form.get("until", ""), end=True)
        if ends_at is None:
            raise sales.BadSale(_("Choose the last day of the sale."), field="until")
        with transaction() as session:
            variant, _product = sales.get_of_producer(session, variant_id, desk.producer_id)
            sales.set_sale(
                session,
                variant,
                price=price,
                starts_at=sales.vietnam_moment(request.form.get("from", "")),
                ends_at=ends_at,
                cap=cap,
                actor=desk.actor,
                now=utc_now(),
            )
    except Refusal as refusal:
        return _page(desk, variant_id, refusal=refusal)
    return _see(desk, variant_id)


@blueprint.post("/<int:variant_id>/dung")
@desk_view
def stop_sale(desk: Desk, variant_id: int) -> Response:
    """Ask the regular price again from now on."""
    with transaction() as session:
        variant, _product = sales.get_of_producer(session, variant_id, desk.producer_id)
        sales.stop_sale(session, variant, actor=desk.actor, now=utc_now())
    return _see(desk, variant_id)


def _sale_numbers() -> tuple[Money, int | None]:
    price = read_money(request.form.get("sale_price", ""))
    if price is None:
        raise sales.BadSale(_not_a_price(), field="sale_price")
    typed = request.form.get("cap", "").strip()
    if not typed:
        return price, None
    if not typed.isascii() or not typed.isdigit():
        raise sales.BadSale(_("Write how many pieces as a number, for example 20."), field="cap")
    return price, int(typed[:9])


def _not_a_price() -> str:
    return str(_("Write the price in đồng, for example 165000."))


def _page(desk: Desk, variant_id: int, *, refusal: Refusal | None = None) -> Response:
    now = utc_now()
    with reading() as session:
        variant, product = sales.get_of_producer(session, variant_id, desk.producer_id)
        points = prices.list_points(session, variant.id, limit=POINTS)
    errors = {refusal.field or "price": str(refusal.message)} if refusal else {}
    page = render_template(
        "catalog/desk_price.html",
        variant=variant,
        product=product,
        now_price=price_at(variant, now),
        runs=is_on_sale(variant, now),
        left=pieces_left(variant, now),
        planned=_planned(variant),
        points=points,
        errors=errors,
        form=request.form,
    )
    return make_response(page, 422 if refusal else 200)


def _planned(variant: Variant) -> bool:
    """Say whether a sale is set, running or still to come."""
    return variant.sale_until is not None and variant.sale_until > utc_now()


def _see(desk: Desk, variant_id: int) -> Response:
    address = url_for("desk_prices.one", producer=desk.slug, variant_id=variant_id, xong="luu")
    return make_response(redirect(address, 303))
