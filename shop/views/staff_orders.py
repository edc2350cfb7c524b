"""Staff: every order, found and filtered; one order with its whole history; what waits."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar, cast

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from accounts import audit
from accounts.audit import Actor
from accounts.login import SignedIn, proof_required, signed_in, staff_required
from accounts.phones import show_phone
from core.clock import utc_now
from core.errors import Invalid
from core.sheets import csv_lines
from core.web.paging import read_id, write_cursor
from core.web.requests import database, reading, transaction
from shop import cancellations, deliveries, freezing, order_book, order_words, orders, queues
from shop.order_book import Filters, Need
from shop.order_states import OrderState, PaymentStatus, SellerOrderState
from shop.orders import NoSuchOrder, Order, SellerOrder
from shop.payments.payments import PaymentMethod

blueprint = Blueprint("staff_orders", __name__, url_prefix="/quan-tri/don-hang")

LONGEST = 100
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
_S = SellerOrderState
MAY_CALL_OFF = frozenset({_S.PENDING, _S.TO_CONFIRM, _S.PREPARING, _S.READY})
MAY_BE_LOST = frozenset({_S.SHIPPED, _S.RETURNING})
Word = TypeVar("Word", bound=StrEnum)


@blueprint.get("")
@staff_required
def index() -> str:
    """List the orders that fit what was asked, the newest first."""
    filters, now = _filters(), utc_now()
    with reading() as session:
        entries, following = order_book.list_page(
            session, filters, before=read_id(request.args.get("sau")), now=now
        )
        communes = order_book.list_communes(session)
    return render_template(
        "shop/staff/orders.html",
        entries=entries,
        filters=filters,
        words=order_words,
        asked=_asked(),
        communes=communes,
        next_page=write_cursor([following]) if following else None,
        show_phone=show_phone,
    )


@blueprint.get("/tai-ve.csv")
@staff_required
def export() -> Response:
    """Give the orders that fit as a file, row by row as they are read."""
    filters, now = _filters(), utc_now()

    def lines() -> Iterator[bytes]:
        yield "\ufeff".encode()
        for rows in order_book.rows_of_csv(database(), filters, now=now):
            yield csv_lines(rows)

    response = Response(stream_with_context(lines()), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="don-hang.csv"'
    return response


@blueprint.get("/viec-can-xu-ly")
@staff_required
def waiting() -> str:
    """Show every heap that waits for staff."""
    with reading() as session:
        found = queues.list_queues(session, now=utc_now())
    return render_template("shop/staff/queues.html", queues=found, most=queues.MOST)


@blueprint.get("/<code>")
@staff_required
def order(code: str) -> Response:
    """Show everything there is on one order."""
    return _page(code)


@blueprint.post("/<code>/<int:part_id>/huy")
@staff_required
@proof_required
def call_off(code: str, part_id: int) -> Response:
    """End one part of an order that has not left, with a reason."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> None:
        cancellations.call_off(
            session,
            order,
            part,
            reason=request.form.get("reason", ""),
            actor=_actor_for(order, part),
            now=now,
        )

    return _do(code, part_id, act, _("The order was called off."))


@blueprint.post("/<code>/<int:part_id>/mat-hang")
@staff_required
@proof_required
def lose(code: str, part_id: int) -> Response:
    """Give one parcel up as lost."""

    def act(session: Session, order: Order, part: SellerOrder, now: datetime) -> None:
        claim = request.form.get("claim", "")
        deliveries.lose(session, order, part, claim=claim, actor=_actor_for(order, part), now=now)

    return _do(code, part_id, act, _("The parcel was given up. What the buyer paid is owed back."))


@blueprint.post("/<code>/dung")
@staff_required
@proof_required
def freeze(code: str) -> Response:
    """Stop an order until a dispute is settled."""
    with transaction() as session:
        found = _order(session, code)
        why = request.form.get("why", "").strip()[: cancellations.LONGEST_REASON]
        freezing.freeze(session, found, why=why or "–", actor=_actor(), now=utc_now())
    flash(_("The order stands still now."))
    return _see(code)


@blueprint.post("/<code>/cho-di-tiep")
@staff_required
@proof_required
def unfreeze(code: str) -> Response:
    """Let a stopped order go on."""
    with transaction() as session:
        freezing.unfreeze(session, _order(session, code), actor=_actor(), now=utc_now())
    flash(_("The order goes on."))
    return _see(code)


def _do(
    code: str,
    part_id: int,
    act: Callable[[Session, Order, SellerOrder, datetime], None],
    done: str,
) -> Response:
    try:
        with transaction() as session:
            found = _order(session, code)
            part = session.get(SellerOrder, part_id)
            if part is None or part.order_id != found.id:
                raise NoSuchOrder
            act(session, found, part, utc_now())
    except Invalid as refusal:
        return _page(code, mistake=(f"{refusal.field}-{part_id}", str(refusal.message)))
    flash(done)
    return _see(code)


def _page(code: str, *, mistake: tuple[str, str] | None = None) -> Response:
    with reading() as session:
        file = order_book.get(session, code)
    page = render_template(
        "shop/staff/order.html",
        file=file,
        words=order_words,
        words_for=audit.words_for,
        may_call_off=MAY_CALL_OFF,
        may_be_lost=MAY_BE_LOST,
        mistake=mistake,
        typed=request.form,
        show_phone=show_phone,
    )
    return make_response(page, 422 if mistake else 200)


def _order(session: Session, code: str) -> Order:
    found = orders.find_by_code(session, code)
    if found is None:
        raise NoSuchOrder
    return found


def _actor() -> Actor:
    person = cast("SignedIn", signed_in())
    return Actor(person.user_id, person.name)


def _actor_for(order: Order, part: SellerOrder) -> Actor:
    """Return the member of staff acting for the side whose act it is; the desk lists it too."""
    person = cast("SignedIn", signed_in())
    buyers = part.state in cancellations.OPEN_TO_BUYER
    return Actor(
        person.user_id,
        person.name,
        on_behalf_of=order.buyer_name if buyers else part.producer_name,
        scope=f"producer:{part.producer_id}",
    )


def _see(code: str) -> Response:
    return cast("Response", redirect(url_for("staff_orders.order", code=code), 303))


def _filters() -> Filters:
    given = request.args
    return Filters(
        query=given.get("q", "")[:LONGEST],
        state=_word(OrderState, given.get("don")),
        payment=_word(PaymentStatus, given.get("tien")),
        part=_word(SellerOrderState, given.get("phan")),
        method=_word(PaymentMethod, given.get("cach")),
        producer=given.get("noi-ban", "").strip()[:LONGEST],
        commune=given.get("xa", "").strip()[:LONGEST],
        lot=given.get("lo", "").strip()[:LONGEST],
        since=_day(given.get("tu")),
        until=_day(given.get("den")),
        need=_word(Need, given.get("viec")),
    )


def _asked() -> dict[str, str]:
    """Return what the address asks, without the page, for links that keep it."""
    names = ("q", "don", "tien", "phan", "cach", "noi-ban", "xa", "lo", "tu", "den", "viec")
    return {name: text for name in names if (text := request.args.get(name, ""))}


def _word(kind: type[Word], text: str | None) -> Word | None:
    return kind(text) if text in set(kind) else None


def _day(text: str | None) -> date | None:
    """Return the day in the address, if it is one of a shop's lifetime."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None
