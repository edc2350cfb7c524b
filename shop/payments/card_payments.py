"""Paying on a gateway's page: opening it, closing it, asking how it went.

The order stands before anybody is asked for money. Opening a page is the one call outside that a
person waits for; when it fails the order stays unpaid, and the same button tries again. Coming
back from the page pays nothing: it only lets us ask sooner what the gateway will tell us anyway.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import Conflict
from core.i18n import lazy as _
from core.money import Money
from core.outgoing import NoAnswer
from core.settings import Settings
from core.tasks import Work, enqueue
from shop import moves, orders
from shop.moves import PartMoved
from shop.order_states import SellerOrderState, Verb
from shop.orders import NoSuchOrder, Order, OrderLine, SellerOrder
from shop.payments import connected, gateway_news, payments
from shop.payments.gateways import Bill, Gateway, GatewayRefused, Item, PayPage, Reference
from shop.payments.payments import THROUGH_PROVIDER, Payment, PaymentShare, PaymentState

CLOSE = "payments.close_page"
ASK = "payments.ask_after"
OPENABLE = (
    PaymentState.CREATED,
    PaymentState.OPEN,
    PaymentState.FAILED,
    PaymentState.EXPIRED,
)
WATCHED = (PaymentState.OPEN, PaymentState.PROCESSING, PaymentState.FAILED)
ENDED = (PaymentState.EXPIRED, PaymentState.CANCELLED)
# A page that ends this soon is not worth being sent to.
LEAST_LEFT = timedelta(minutes=2)
# Until then a second press, or a lost answer, asks for the very same page.
SAME_OPENING = timedelta(seconds=45)
ASK_AFTER = timedelta(minutes=2)
ASK_UNTIL = timedelta(days=4)
AT_ONCE = 20
NEWS_THAT_ENDS = frozenset(
    {Verb.EXPIRE, Verb.CANCEL, Verb.DECLINE, Verb.CHANGE_METHOD, Verb.PAY, Verb.REVIVE}
)

log = logging.getLogger(__name__)


class NothingToPay(Conflict):
    """This payment is paid, ended or being taken: no page is opened for it."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where a gateway's page leads back to, and who pays from where."""

    return_url: str
    cancel_url: str
    ip: str


def open_page(
    database: Database,
    settings: Settings,
    order_id: int,
    payment_id: int,
    *,
    way: Way,
    now: datetime,
) -> str:
    """Return the address where the buyer pays; a page that is open already is given again.

    Afterwards the payment is `open` and knows its page. Raises NothingToPay, GatewayRefused and,
    within three seconds, NoAnswer: then the payment is as before and may be tried again.
    """
    with database.transaction() as session:
        payment = _of_order(session, order_id, payment_id)
        gateway = connected.gateway_of(session, payment, settings)
        _refuse_unpayable(session, payment, gateway, now=now)
        if payment.pay_url and payment.state is PaymentState.OPEN and _lasts(payment, now):
            return payment.pay_url
        _count_opening(payment, now=now)
        bill = _bill(session, payment, way)
    if gateway is None:  # said for the type checker: an unconnected gateway was refused above
        raise NothingToPay
    page = gateway.create(bill)
    with database.transaction() as session:
        address = _keep_page(session, order_id, payment_id, page, now=now)
    if not address:
        raise NothingToPay(_("There is nothing to pay here any more. Look at the order again."))
    return address


def read_back(
    database: Database, settings: Settings, order_id: int, payment_id: int, *, now: datetime
) -> None:
    """Ask the gateway how the payment went and take that in, for who comes back from its page.

    A gateway that does not answer is no matter: it will tell, or be asked again.
    """
    with database.reading() as session:
        payment = _of_order(session, order_id, payment_id)
        if payment.state not in WATCHED or payment.provider_ref is None:
            return
        gateway = connected.gateway_of(session, payment, settings)
        reference = reference_of(payment)
    if gateway is not None:
        _ask(database, gateway, payment_id, reference, now=now)


def ask_for_silent(database: Database, now: datetime) -> None:
    """Leave a task for every page that has ended without a word: news gets lost, money must not."""
    with database.transaction() as session:
        for payment_id in session.scalars(
            select(Payment.id)
            .where(
                Payment.method.in_(list(THROUGH_PROVIDER)),
                Payment.state.in_(WATCHED),
                Payment.provider_ref.is_not(None),
                Payment.expires_at <= now - ASK_AFTER,
                Payment.expires_at > now - ASK_UNTIL,
            )
            .order_by(Payment.expires_at)
            .limit(AT_ONCE)
        ):
            key = f"ask:{payment_id}:{now:%Y%m%d%H%M}"
            enqueue(session, ASK, {"payment_id": payment_id}, now=now, key=key)


def ask_after(work: Work) -> None:
    """Ask how one payment went and take that in."""
    with work.database.reading() as session:
        payment = session.get_one(Payment, int(work.payload["payment_id"]))
        ids = (payment.order_id, payment.id)
    read_back(work.database, work.settings, *ids, now=work.clock())


def close_ended(session: Session, news: PartMoved) -> None:
    """Leave a task to close the pages of a part that ended, was paid or is paid otherwise."""
    if news.verb not in NEWS_THAT_ENDS:
        return
    shared = select(PaymentShare.payment_id).where(PaymentShare.seller_order_id == news.part_id)
    for payment in session.scalars(
        select(Payment).where(
            Payment.id.in_(shared),
            Payment.method.in_(list(THROUGH_PROVIDER)),
            Payment.provider_ref.is_not(None),
            Payment.state != PaymentState.SUCCEEDED,
            Payment.expires_at > news.now,
        )
    ):
        _leave_closing(session, payment.id, str(payment.provider_ref), now=news.now)


def close_page(work: Work) -> None:
    """Close a page of a payment that is not wanted any more, and take in how it stood."""
    payment_id, provider_ref = int(work.payload["payment_id"]), str(work.payload["provider_ref"])
    with work.database.reading() as session:
        payment = session.get_one(Payment, payment_id)
        older = payment.provider_ref != provider_ref
        if payment.state not in ENDED and not older:
            return
        gateway = connected.gateway_of(session, payment, work.settings)
        reference = Reference(
            provider_ref, None, payment.memo or "", payment.opened_at or payment.created_at
        )
    if gateway is None or not gateway.capabilities.closes:
        return
    report = gateway.close(reference, now=work.clock())
    with work.finishing() as session:
        gateway_news.settle(session, session.get_one(Payment, payment_id), report, now=work.clock())


def reference_of(payment: Payment) -> Reference:
    """Return what a gateway knows this payment by."""
    return Reference(
        str(payment.provider_ref),
        payment.provider_payment_ref,
        payment.memo or "",
        payment.opened_at or payment.created_at,
    )


def _ask(
    database: Database, gateway: Gateway, payment_id: int, reference: Reference, *, now: datetime
) -> None:
    try:
        report = gateway.query(reference, now=now)
    except (NoAnswer, GatewayRefused) as error:
        log.warning("a payment could not be asked after", extra={"payment": payment_id},
                    exc_info=error)  # fmt: skip
        return
    with database.transaction() as session:
        payment = session.get_one(Payment, payment_id)
        outcome, why = gateway_news.settle(session, payment, report, now=now)
        log.info("a payment was asked after",
                 extra={"payment": payment_id, "outcome": outcome, "why": why})  # fmt: skip


def _of_order(session: Session, order_id: int, payment_id: int) -> Payment:
    payment = session.get(Payment, payment_id)
    if payment is None or payment.order_id != order_id or payment.method not in THROUGH_PROVIDER:
        raise NoSuchOrder
    return payment


def _refuse_unpayable(
    session: Session, payment: Payment, gateway: Gateway | None, *, now: datetime
) -> None:
    moves.lock(session, payment.order_id)
    session.refresh(payment)
    parts = payments.list_paid_parts(session, payment)
    current = payments.list_of_parts(session, [part.id for part in parts])
    waits = all(
        part.state is SellerOrderState.PENDING
        and current[part.id].id == payment.id
        and (part.hold_expires_at or now) > now
        for part in parts
    )
    if not parts or not waits or payment.state not in OPENABLE:
        raise NothingToPay(_("There is nothing to pay here any more. Look at the order again."))
    if gateway is None:
        raise NothingToPay(_("This way to pay is closed now. Choose another one."))


def _lasts(payment: Payment, now: datetime) -> bool:
    return payment.expires_at is not None and payment.expires_at > now + LEAST_LEFT


def _count_opening(payment: Payment, *, now: datetime) -> None:
    """Begin a new opening, unless one has just begun: its answer may only have been lost."""
    lately = payment.opened_at is not None and payment.opened_at > now - SAME_OPENING
    if not lately or payment.state is not PaymentState.CREATED:
        payment.openings += 1
        payment.opened_at = now


def _bill(session: Session, payment: Payment, way: Way) -> Bill:
    order = session.get_one(Order, payment.order_id)
    parts = payments.list_paid_parts(session, payment)
    again = f".{payment.openings}" if payment.openings > 1 else ""
    return Bill(
        payment_id=payment.id,
        order_id=order.id,
        order_code=order.code,
        memo=payment.memo or "",
        attempt=f"{payment.attempt}{again}",
        amount=payment.amount,
        items=tuple(_items(parts, orders.list_lines(session, [part.id for part in parts]))),
        language=order.language,
        email=order.buyer_email,
        ip=way.ip,
        return_url=way.return_url,
        cancel_url=way.cancel_url,
        opened_at=payment.opened_at or payment.created_at,
    )


def _items(parts: Sequence[SellerOrder], lines: Sequence[OrderLine]) -> list[Item]:
    """Return what the buyer reads on the page: goods, and each producer's carriage."""
    items = []
    for line in lines:
        name = f"{line.product_name} {line.variant_name}".strip()
        if not line.wanted:
            continue
        if line.discount:
            whole = f"{name} × {line.wanted}"
            items.append(Item(whole, line.amount - line.discount))
        else:
            items.append(Item(name, line.unit_price, line.wanted))
    for part in parts:
        carriage = part.shipping_fee - part.shipping_discount
        if carriage > Money(0):
            items.append(Item(f"{part.delivery_name} · {part.producer_name}", carriage))
    return items


def _keep_page(
    session: Session, order_id: int, payment_id: int, page: PayPage, *, now: datetime
) -> str:
    moves.lock(session, order_id)
    payment = session.get_one(Payment, payment_id)
    older = payment.provider_ref
    kept = session.scalar(
        update(Payment)
        .where(Payment.id == payment_id, Payment.state.in_(OPENABLE))
        .values(
            state=PaymentState.OPEN,
            provider_ref=page.provider_ref,
            pay_url=page.pay_url,
            expires_at=page.expires_at,
        )
        .returning(Payment.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(payment)
    if kept is None:
        # Paid otherwise or ended while the page was being opened: nobody shall pay on it.
        _leave_closing(session, payment_id, page.provider_ref, now=now)
        return ""
    if older not in (None, page.provider_ref):
        _leave_closing(session, payment_id, str(older), now=now)
    payments.write_status(session, order_id)
    return page.pay_url


def _leave_closing(session: Session, payment_id: int, provider_ref: str, *, now: datetime) -> None:
    enqueue(
        session,
        CLOSE,
        {"payment_id": payment_id, "provider_ref": provider_ref},
        now=now,
        key=f"close:{provider_ref}:{now:%Y%m%d%H%M%S}",
    )
