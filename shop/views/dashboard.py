"""Orders on the producer's desk: say yes or no, see money, pack, send, hand over."""

from collections.abc import Callable
from datetime import datetime

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

from accounts.phones import show_phone
from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.errors import Invalid
from core.web.paging import read_id, write_cursor
from core.web.requests import reading, transaction
from shop import cancellations, desk_day, desk_notes, fulfilment, messages, orders, parcel_desk
from shop import inbox as heaps
from shop.inbox import Tab
from shop.orders import Order, SellerOrder
from shop.payments import bank_transfer

blueprint = Blueprint("desk_orders", __name__, url_prefix="/ban-hang/<producer>/don-hang")
Act = Callable[[Session, Order, SellerOrder, datetime], bool]


@blueprint.app_context_processor
def _day() -> dict[str, object]:
    """Give the desk's home the numbers of its day, if it shows them."""

    def day_of(desk: Desk) -> desk_day.Day:
        with reading() as session:
            return desk_day.read(session, desk.producer_id, now=utc_now())

    return {"day_of": day_of}


@blueprint.get("")
@desk_view
def inbox(*, desk: Desk) -> str:
    """List the producer's orders, the ones that wait for an answer first; or find some."""
    with reading() as session:
        page = heaps.list_page(
            session,
            desk.producer_id,
            request.args.get("muc"),
            query=request.args.get("q", ""),
            before=read_id(request.args.get("sau")),
        )
    return render_template(
        "shop/desk/inbox.html",
        desk=desk,
        page=page,
        tabs=list(Tab),
        show_phone=show_phone,
        next_page=write_cursor([page.next_before]) if page.next_before else None,
    )


@blueprint.get("/<code>")
@desk_view
def order(*, desk: Desk, code: str) -> Response:
    """Show one order with what can be done next."""
    return order_page(desk, code)


@blueprint.post("/<code>/nhan")
@desk_view
def accept(*, desk: Desk, code: str) -> Response:
    """Promise the goods."""
    called = "called" in request.form

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> bool:
        return fulfilment.accept(
            session, order, part, called_buyer=called, actor=desk.actor, now=now
        )

    return _do(desk, code, act, _("The order was accepted. Pack the goods next."))


@blueprint.post("/<code>/khong-nhan")
@desk_view
def decline(*, desk: Desk, code: str) -> Response:
    """Say no, with a reason the buyer reads."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> bool:
        return cancellations.decline(
            session, order, part, reason=request.form.get("reason", ""), actor=desk.actor, now=now
        )

    return _do(desk, code, act, _("The order was declined. The goods are back on the shelf."))


@blueprint.post("/<code>/da-nhan-tien")
@desk_view
def paid(*, desk: Desk, code: str) -> Response:
    """Say that the transfer has arrived on the producer's own account."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> bool:
        receipt = bank_transfer.confirm_by_hand(
            session,
            order,
            part,
            evidence=request.form.get("evidence", ""),
            actor=desk.actor,
            now=now,
        )
        return receipt is not None

    return _do(desk, code, act, _("The money was written down as received."))


@blueprint.post("/<code>/hoan-tien")
@desk_view
def pay_back(*, desk: Desk, code: str) -> Response:
    """Say that the money owed back to the buyer was sent."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> bool:
        return bank_transfer.pay_back(
            session,
            order,
            part,
            reference=request.form.get("reference", ""),
            actor=desk.actor,
            now=now,
        )

    return _do(desk, code, act, _("The money was written down as sent back."))


@blueprint.post("/<code>/gui")
@desk_view
def ship(*, desk: Desk, code: str) -> Response:
    """Say that the parcel has left."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> bool:
        return fulfilment.ship(session, order, part, actor=desk.actor, now=now)

    return _do(desk, code, act, _("The parcel is on its way."))


@blueprint.post("/<code>/da-giao")
@desk_view
def deliver(*, desk: Desk, code: str) -> Response:
    """Say that the buyer has the goods."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> bool:
        return fulfilment.deliver(session, order, part, actor=desk.actor, now=now)

    return _do(desk, code, act, _("The goods were handed over."))


@blueprint.post("/<code>/ghi-chu")
@desk_view
def note(*, desk: Desk, code: str) -> Response:
    """Write down what only this desk reads."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> bool:
        text = request.form.get("internal_note", "")
        return desk_notes.write(session, order, part, text, actor=desk.actor, now=now)

    return _do(desk, code, act, _("The note was kept."))


def _do(desk: Desk, code: str, act: Act, done: str) -> Response:
    """Act on this producer's part of the order and come back to it; a slip is told in place."""
    try:
        with transaction() as session:
            order, part = orders.get_part(session, code, desk.producer_id)
            act(session, order, part, utc_now())
    except Invalid as refusal:
        return order_page(desk, code, mistake=(refusal.field or "", str(refusal.message)))
    flash(done)
    return make_response(redirect(url_for("desk_orders.order", producer=desk.slug, code=code), 303))


def order_page(desk: Desk, code: str, *, mistake: tuple[str, str] | None = None) -> Response:
    """Return the page of one order, with a slip told in place."""
    with reading() as session:
        card = heaps.get_card(session, code, desk.producer_id)
        events = heaps.list_events(session, card.part.id)
        carriage = parcel_desk.read(session, card.part)
        # Never the buyer's own link: it would open the other producers' parts too.
        look_up = f"{current_app.config['SETTINGS'].PUBLIC_URL}{url_for('orders.lookup')}"
        copyable = messages.to_copy(session, card.order, card.part, link=look_up)
    page = render_template(
        "shop/desk/order.html",
        desk=desk,
        card=card,
        events=events,
        carriage=carriage,
        copyable=copyable,
        mistake=mistake,
        typed=request.form,
        show_phone=show_phone,
    )
    return make_response(page, 422 if mistake else 200)
