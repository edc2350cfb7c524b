"""Vouchers of a producer on its desk; the shop's own on a page of the staff."""

from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from accounts.audit import Actor
from accounts.login import SignedIn, proof_required, signed_in, staff_required
from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.web.paging import read_cursor, write_cursor
from core.web.requests import reading, transaction
from shop import voucher_terms, vouchers
from shop.voucher_terms import BadTerms
from shop.vouchers import Funder

blueprint = Blueprint("desk_vouchers", __name__, url_prefix="/ban-hang/<producer>/ma-giam-gia")
staff = Blueprint("staff_vouchers", __name__, url_prefix="/quan-tri/ma-giam-gia")
A_PAGE = 50


@blueprint.route("", methods=["GET", "POST"])
@desk_view
def index(desk: Desk) -> Response:
    """List the producer's vouchers; make one that the producer pays for."""
    if request.method == "POST":
        try:
            with transaction() as session:
                voucher_terms.make(
                    session,
                    request.form,
                    funded_by=Funder.PRODUCER,
                    producer_id=desk.producer_id,
                    actor=desk.actor,
                    now=utc_now(),
                )
        except BadTerms as refusal:
            return _page("shop/desk/vouchers.html", desk.producer_id, refusal)
        return _see(url_for("desk_vouchers.index", producer=desk.slug, xong="luu"))
    return _page("shop/desk/vouchers.html", desk.producer_id)


@blueprint.post("/<int:voucher_id>/dung")
@desk_view
def stop(desk: Desk, voucher_id: int) -> Response:
    """Let nobody use a voucher from now on."""
    with transaction() as session:
        voucher = vouchers.get(session, voucher_id, producer_id=desk.producer_id)
        voucher_terms.stop(session, voucher, actor=desk.actor, now=utc_now())
    return _see(url_for("desk_vouchers.index", producer=desk.slug, xong="luu"))


@staff.route("", methods=["GET", "POST"])
@staff_required
@proof_required
def of_shop() -> Response:
    """List the shop's own vouchers; make one that the shop pays for."""
    if request.method == "POST":
        try:
            with transaction() as session:
                voucher_terms.make(
                    session,
                    request.form,
                    funded_by=Funder.PLATFORM,
                    producer_id=None,
                    actor=_actor(),
                    now=utc_now(),
                )
        except BadTerms as refusal:
            return _page("shop/staff/vouchers.html", None, refusal)
        return _see(url_for("staff_vouchers.of_shop"))
    return _page("shop/staff/vouchers.html", None)


@staff.post("/<int:voucher_id>/dung")
@staff_required
@proof_required
def stop_of_shop(voucher_id: int) -> Response:
    """Let nobody use one of the shop's vouchers from now on."""
    with transaction() as session:
        voucher = vouchers.get(session, voucher_id, producer_id=None)
        voucher_terms.stop(session, voucher, actor=_actor(), now=utc_now())
    return _see(url_for("staff_vouchers.of_shop"))


def _page(template: str, producer_id: int | None, refusal: BadTerms | None = None) -> Response:
    mark = read_cursor(request.args.get("sau"), (int,))
    before = int(mark[0] or 0) or None if mark else None
    with reading() as session:
        found = vouchers.list_page(
            session, producer_id=producer_id, before=before, limit=A_PAGE + 1
        )
    shown = found[:A_PAGE]
    page = render_template(
        template,
        vouchers=shown,
        following=write_cursor([shown[-1].id]) if len(found) > A_PAGE else None,
        errors=dict(refusal.mistakes) if refusal else {},
        form=request.form,
        now=utc_now(),
    )
    return make_response(page, 422 if refusal else 200)


def _actor() -> Actor:
    person = cast("SignedIn", signed_in())
    return Actor(person.user_id, person.name)


def _see(address: str) -> Response:
    return make_response(redirect(address, 303))
