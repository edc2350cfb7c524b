"""Producers' accounts with the shop: a statement on the desk, all of them for staff."""

from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from accounts.audit import Actor
from accounts.login import SignedIn, proof_required, signed_in, staff_required
from catalog import producers
from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.errors import Refusal
from core.money import ZERO, read_money
from core.web.paging import read_cursor, write_cursor
from core.web.requests import database, reading, transaction
from shop import commissions, ledger, payouts, statements
from shop.ledger_words import HEADS, KINDS, PAYOUT_KINDS
from shop.payouts import PayoutKind, PayoutState
from shop.statements import Statement

blueprint = Blueprint("desk_account", __name__, url_prefix="/ban-hang/<producer>/so-tien")
staff = Blueprint("staff_ledger", __name__, url_prefix="/quan-tri/so-tien")
PRODUCERS_A_PAGE = 50
NEWEST = 20


@blueprint.get("")
@desk_view
def statement(desk: Desk) -> str:
    """Show a month of the producer's account."""
    now = utc_now()
    with reading() as session:
        page = _read(desk.producer_id)
        rate = commissions.rates_at(session, [desk.producer_id], now=now)[desk.producer_id]
        balance = ledger.balance_of(session, desk.producer_id)
    return render_template(
        "shop/desk/account.html",
        page=page,
        rate=rate,
        balance=balance,
        kinds=KINDS,
        following=_following(page),
    )


@blueprint.get("/<month>.csv")
@desk_view
def file(desk: Desk, month: str) -> Response:
    """Give a month of the producer's account as a file for a spreadsheet."""
    return _file(desk.producer_id, desk.slug, month)


@staff.get("")
@staff_required
def index() -> str:
    """List every producer's balance, and what waits for a second name."""
    mark = read_cursor(request.args.get("sau"), (int,))
    after = int(mark[0] or 0) if mark else 0
    with reading() as session:
        found = statements.list_balances(session, after=after, limit=PRODUCERS_A_PAGE + 1)
        owed, owing = statements.sum_of_all(session)
        waiting = payouts.list_waiting(session)
    shown = found[:PRODUCERS_A_PAGE]
    following = write_cursor([shown[-1][0].id]) if len(found) > PRODUCERS_A_PAGE else None
    return render_template(
        "shop/staff/accounts.html",
        balances=shown,
        owed=owed,
        owing=owing,
        waiting=waiting,
        payout_kinds=PAYOUT_KINDS,
        following=following,
    )


@staff.get("/<slug>")
@staff_required
def producer(slug: str) -> Response:
    """Show one producer's account with what staff may do about it."""
    return _page(slug)


@staff.get("/<slug>/<month>.csv")
@staff_required
def file_of(slug: str, month: str) -> Response:
    """Give a month of a producer's account as a file for a spreadsheet."""
    with reading() as session:
        place = producers.get_by_slug(session, slug)
    return _file(place.id, slug, month)


@staff.post("/<slug>/ghi")
@staff_required
@proof_required
def write(slug: str) -> Response:
    """Write down money that went or came, or a correction that waits for a second name."""
    try:
        with transaction() as session:
            kind = request.form.get("kind", "")
            amount = read_money(request.form.get("amount", ""))
            payouts.write(
                session,
                producers.get_by_slug(session, slug),
                PayoutKind(kind) if kind in set(PayoutKind) else PayoutKind.PAID,
                amount if amount is not None else ZERO,
                note=request.form.get("note", ""),
                actor=_actor(),
                now=utc_now(),
            )
    except Refusal as refusal:
        return _page(slug, refusal)
    return _see(url_for("staff_ledger.producer", slug=slug))


@staff.post("/<slug>/hoa-hong")
@staff_required
@proof_required
def set_rate(slug: str) -> Response:
    """Set what the shop keeps of this producer's orders from now on."""
    try:
        with transaction() as session:
            commissions.set_rate(
                session,
                producers.get_by_slug(session, slug),
                commissions.parse_percent(request.form.get("rate", "")),
                valid_from=None,
                actor=_actor(),
                now=utc_now(),
            )
    except Refusal as refusal:
        return _page(slug, refusal)
    return _see(url_for("staff_ledger.producer", slug=slug))


@staff.post("/cho/<int:payout_id>/dong-y")
@staff_required
@proof_required
def confirm(payout_id: int) -> Response:
    """Give the second name to what waits for it."""
    with transaction() as session:
        payouts.confirm(session, payouts.get(session, payout_id), actor=_actor(), now=utc_now())
    return _see(url_for("staff_ledger.index"))


@staff.post("/cho/<int:payout_id>/bo")
@staff_required
@proof_required
def drop(payout_id: int) -> Response:
    """Let what waits for a second name never be written."""
    with transaction() as session:
        payouts.drop(session, payouts.get(session, payout_id), actor=_actor(), now=utc_now())
    return _see(url_for("staff_ledger.index"))


def _page(slug: str, refusal: Refusal | None = None) -> Response:
    now = utc_now()
    with reading() as session:
        place = producers.get_by_slug(session, slug)
        rates = commissions.list_rates(session, place.id, limit=NEWEST)
        rate = commissions.rates_at(session, [place.id], now=now)[place.id]
        balance = ledger.balance_of(session, place.id)
        written = payouts.list_of(session, place.id, limit=NEWEST)
    statement_page = _read(place.id)
    page = render_template(
        "shop/staff/account.html",
        place=place,
        page=statement_page,
        kinds=KINDS,
        payout_kinds=PAYOUT_KINDS,
        waits=PayoutState.WAITING,
        rates=rates,
        rate=rate,
        balance=balance,
        written=written,
        following=_following(statement_page),
        errors={refusal.field or "amount": str(refusal.message)} if refusal else {},
        form=request.form,
    )
    return make_response(page, 422 if refusal else 200)


def _read(producer_id: int) -> Statement:
    month = statements.read_month(request.args.get("thang"), now=utc_now())
    with reading() as session:
        return statements.read(
            session, producer_id, month, after=statements.read_mark(request.args.get("sau"))
        )


def _following(page: Statement) -> str | None:
    return statements.write_mark(page.next_after) if page.next_after else None


def _file(producer_id: int, slug: str, month: str) -> Response:
    asked = statements.read_month(month, now=utc_now())
    response = Response(
        statements.write_csv(
            database(),
            producer_id,
            asked,
            heads=[str(head) for head in HEADS],
            names={kind: str(name) for kind, name in KINDS.items()},
        ),
        mimetype="text/csv; charset=utf-8",
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{slug}-{asked}.csv"'
    return response


def _actor() -> Actor:
    person = cast("SignedIn", signed_in())
    return Actor(person.user_id, person.name)


def _see(address: str) -> Response:
    return make_response(redirect(address, 303))
