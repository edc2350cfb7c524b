"""Money on the accounts: a producer's on its desk, everybody's among the staff pages."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from accounts.audit import Actor
from accounts.login import SignedIn, signed_in, staff_required
from catalog.desk import Desk, actor_at, desk_view
from catalog.producers import Producer
from core.clock import utc_now
from core.errors import Invalid
from core.web.paging import read_cursor, write_cursor
from core.web.requests import reading, transaction
from shop.payments import bank_desk, bank_rows
from shop.payments.bank_desk import Tab
from shop.payments.bank_rows import BankTxn, NoSuchPayment
from shop.payments.payments import Payment

blueprint = Blueprint("desk_bank", __name__, url_prefix="/ban-hang/<producer>/doi-soat")
staff = Blueprint("staff_bank", __name__, url_prefix="/quan-tri/doi-soat")
Act = Callable[[Session, BankTxn, Actor, datetime], object]


class WhichOrder(Invalid):
    """Nobody said to which order the money belongs."""


@blueprint.get("")
@desk_view
def index(desk: Desk) -> Response:
    """List the movements on the producer's account, those that need a word first."""
    return _desk_page(desk)


@blueprint.post("/<int:row_id>/<any(gan,rieng,tra,da_tra,bo):act>")
@desk_view
def decide(desk: Desk, row_id: int, act: str) -> Response:
    """Say what a movement is, or take that back."""
    try:
        with transaction() as session:
            row = bank_rows.get(session, row_id, producer_id=desk.producer_id)
            ACTS[act](session, row, desk.actor, utc_now())
    except (Invalid, NoSuchPayment) as refusal:
        return _desk_page(desk, mistake=(row_id, _mistake(refusal)))
    return _done(act, "desk_bank.index", producer=desk.slug)


@staff.get("")
@staff_required
def operator() -> Response:
    """List the movements on everybody's accounts."""
    return _staff_page()


@staff.post("/<int:row_id>/<any(gan,rieng,tra,da_tra,bo):act>")
@staff_required
def operator_decide(row_id: int, act: str) -> Response:
    """Say what a movement is, on behalf of whose account it is on."""
    try:
        with transaction() as session:
            row = bank_rows.get_of_any(session, row_id)
            ACTS[act](session, row, _staff_actor(session, row), utc_now())
    except (Invalid, NoSuchPayment) as refusal:
        return _staff_page(mistake=(row_id, _mistake(refusal)))
    return _done(act, "staff_bank.operator")


def _assign(session: Session, row: BankTxn, actor: Actor, now: datetime) -> None:
    chosen, typed = request.form.get("payment_id", 0, type=int), request.form.get("code", "")
    payment = session.get(Payment, chosen) if chosen else None
    if payment is not None:
        payment = bank_rows.get_payment(session, payment.memo or "", row.producer_id)
    elif not typed.strip():
        raise WhichOrder(_("Choose an order or write its code."), field="code")
    else:
        payment = bank_rows.get_payment(session, typed[:60], row.producer_id)
    bank_rows.assign(session, row, payment, actor=actor, now=now)


def _set_aside(session: Session, row: BankTxn, actor: Actor, now: datetime) -> None:
    bank_desk.set_aside(session, row, actor=actor, now=now)


def _owe_back(session: Session, row: BankTxn, actor: Actor, now: datetime) -> None:
    bank_desk.owe_back(session, row, actor=actor, now=now)


def _send_back(session: Session, row: BankTxn, actor: Actor, now: datetime) -> None:
    reference = request.form.get("reference", "")
    bank_desk.send_back(session, row, reference=reference, actor=actor, now=now)


def _undo(session: Session, row: BankTxn, actor: Actor, now: datetime) -> None:
    bank_desk.undo(session, row, actor=actor, now=now)


ACTS: dict[str, Act] = {
    "gan": _assign,
    "rieng": _set_aside,
    "tra": _owe_back,
    "da_tra": _send_back,
    "bo": _undo,
}


def _mistake(refusal: Invalid | NoSuchPayment) -> tuple[str, str]:
    return refusal.field or "code", str(refusal.message)


def _done(act: str, endpoint: str, **values: str) -> Response:
    flash(
        {
            "gan": _("The money was given to the order."),
            "rieng": _("Put aside: this money is for no order."),
            "tra": _("To be sent back. Write the reference once it is sent."),
            "da_tra": _("The money was written down as sent back."),
            "bo": _("Taken back; the money waits again."),
        }[act]
    )
    back = {"gan": Tab.WAITING, "rieng": Tab.WAITING, "tra": Tab.WAITING, "da_tra": Tab.RETURN}
    address = url_for(endpoint, muc=back.get(act, Tab.WAITING).value, **cast("Any", values))
    return make_response(redirect(address, 303))


def _desk_page(desk: Desk, *, mistake: tuple[int, tuple[str, str]] | None = None) -> Response:
    where = {"blueprint": "desk_bank", "list": "index", "decide": "decide"}
    return _page(
        "shop/desk/bank_rows.html",
        desk.producer_id,
        {**where, "values": {"producer": desk.slug}},
        mistake,
    )


def _staff_page(*, mistake: tuple[int, tuple[str, str]] | None = None) -> Response:
    where = {"blueprint": "staff_bank", "list": "operator", "decide": "operator_decide"}
    return _page("shop/staff/bank_rows.html", None, {**where, "values": {}}, mistake)


def _page(
    template: str,
    producer_id: int | None,
    where: dict[str, Any],
    mistake: tuple[int, tuple[str, str]] | None,
) -> Response:
    cursor = read_cursor(request.args.get("sau"), (int,))
    before = cursor[0] if cursor else None
    tab = bank_desk.tab_of(request.args.get("muc"))
    with reading() as session:
        page = bank_desk.list_page(
            session,
            producer_id,
            tab,
            before=before if isinstance(before, int) else None,
            whole=producer_id is None,
        )
    shown = render_template(
        template,
        page=page,
        tabs=list(Tab),
        where=where,
        mistake=mistake[1] if mistake else None,
        mistake_at=mistake[0] if mistake else None,
        typed=request.form if mistake else {},
        direct=current_app.config["SETTINGS"].SELLING_MODE == "direct",
        next_page=write_cursor([page.next_before]) if page.next_before else None,
    )
    return make_response(shown, 422 if mistake else 200)


def _staff_actor(session: Session, row: BankTxn) -> Actor:
    person = cast("SignedIn", signed_in())
    if row.producer_id is None:
        return Actor(person.user_id, person.name)
    return actor_at(session.get_one(Producer, row.producer_id), person, on_behalf=True)
