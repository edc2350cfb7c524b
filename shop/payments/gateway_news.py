"""What a gateway says of our money, taken in: the same whether it called, was asked, or both.

Events come twice, late and in any order, so nothing here believes in a story: a report is held
against what we keep, money counts once by its own number, and a state only ever moves forward.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from accounts.audit import Actor
from core import inbox
from core.inbox import Outcome
from shop import connections, freezing, moves
from shop.order_states import SellerOrderState
from shop.orders import Order, SellerOrder
from shop.payments import connected, payments, provider_money, receipts, refunds
from shop.payments.gateways import (
    DisputeReport,
    News,
    Reception,
    RefundReport,
    RefundStanding,
    Report,
    Standing,
)
from shop.payments.payments import (
    Custody,
    Payment,
    PaymentMethod,
    PaymentShare,
    PaymentState,
)
from shop.payments.refunds import Refund, RefundState
from shop.payments.stripe_gateway import StripeGateway
from shop.webhooks import Call, Forged, NoSuchAddress, Reply

NAMES = {PaymentMethod.STRIPE: "Stripe", PaymentMethod.VNPAY: "VNPay"}
FORWARD = {
    Standing.PROCESSING: (PaymentState.CREATED, PaymentState.OPEN, PaymentState.FAILED),
    Standing.FAILED: (PaymentState.CREATED, PaymentState.OPEN, PaymentState.PROCESSING),
    Standing.EXPIRED: (PaymentState.CREATED, PaymentState.OPEN),
}
BECOMES = {
    Standing.PROCESSING: PaymentState.PROCESSING,
    Standing.FAILED: PaymentState.FAILED,
    Standing.EXPIRED: PaymentState.EXPIRED,
}
Told = tuple[Outcome, str | None]


def hear_stripe(call: Call) -> Reply:
    """Answer Stripe: forged is refused, all else is kept and, once, acted on."""
    if call.method != "POST" or not connected.takes_cards(call.settings):
        raise NoSuchAddress
    gateway = StripeGateway(call.settings)
    news = gateway.verify(call)
    with call.database.transaction() as session:
        event = inbox.take(
            session, call.provider, news.event_id, headers=call.headers, body=call.body,
            now=call.now,
        )  # fmt: skip
        if event is None:
            return gateway.ack(Reception.REPEATED)
        if news.live is not None and news.live is not gateway.live:
            outcome: Told = (Outcome.FOREIGN, "test and real money do not mix")
        else:
            outcome = _take(session, news, now=call.now)
        inbox.close(session, event, *outcome)
    return gateway.ack(Reception.TAKEN)


def hear_vnpay(call: Call) -> Reply:
    """Answer VNPay on the address of a connection; it wants to hear what we made of it."""
    with call.database.reading() as session:
        connection = connections.find_by_token(session, call.provider, call.token)
        gateway = connected.vnpay_of(connection, call.settings) if connection else None
    if connection is None or gateway is None or call.method != "GET":
        raise NoSuchAddress
    try:
        news = gateway.verify(call)
    except Forged:
        return gateway.ack(Reception.FORGED)
    said = "&".join(f"{name}={value}" for name, value in sorted(call.query.items()))
    with call.database.transaction() as session:
        connections.see(session, connection, now=call.now)
        payment, reception = _judge(session, news.payment, connection.producer_id)
        event = inbox.take(
            session, call.provider, news.event_id, headers=call.headers, body=said.encode(),
            now=call.now, scope=connection.scope,
        )  # fmt: skip
        if event is None:
            known = reception is Reception.TAKEN
            return gateway.ack(Reception.REPEATED if known else reception)
        if payment is None or news.payment is None:
            outcome: Told = (Outcome.FOREIGN, "no payment of this account")
        else:
            outcome = settle(session, payment, news.payment, now=call.now)
        inbox.close(session, event, *outcome)
    return gateway.ack(reception)


def _judge(
    session: Session, report: Report | None, producer_id: int | None
) -> tuple[Payment | None, Reception]:
    """Return the payment of this account that is meant, and what its gateway is to hear."""
    payment = _find(session, PaymentMethod.VNPAY, report) if report else None
    if report is None or payment is None or _owner(session, payment) != producer_id:
        return None, Reception.UNKNOWN
    fits = report.amount == payment.amount
    return payment, Reception.TAKEN if fits else Reception.WRONG_AMOUNT


def settle(session: Session, payment: Payment, report: Report, *, now: datetime) -> Told:
    """Take in where a gateway says that a payment stands; the same again changes nothing.

    Paid money counts once, by its number, and only if it is exactly what was asked, in đồng.
    """
    moves.lock(session, payment.order_id)
    session.refresh(payment)
    if report.standing is Standing.OPEN:
        return Outcome.DONE, None
    if report.standing is not Standing.PAID:
        return _go_on(session, payment, report, now=now)
    order = session.get_one(Order, payment.order_id)
    if report.order_code is not None and report.order_code != order.code:
        return (
            Outcome.NEEDS_A_LOOK,
            f"says order {report.order_code}, the payment is {order.code}'s",
        )
    if report.currency != "vnd" or report.amount != payment.amount:
        return (
            Outcome.NEEDS_A_LOOK,
            f"{report.amount} {report.currency} came, {payment.amount} was asked",
        )
    number = report.payment_ref or report.provider_ref
    if not provider_money.count_once(session, payment, number, report.amount, now=now):
        return Outcome.DONE, "counted before"
    name = NAMES[payment.method]
    if payment.provider_payment_ref is None:
        payment.provider_payment_ref = number
        session.flush()
    receipt = receipts.receive(
        session,
        payment,
        report.amount,
        evidence=f"{name} {number}",
        custody=Custody.OPERATOR if _owner(session, payment) is None else Custody.PRODUCER,
        actor=Actor(None, name),
        now=now,
    )
    return Outcome.DONE, receipt.value


def _go_on(session: Session, payment: Payment, report: Report, *, now: datetime) -> Told:
    """Move an unpaid payment forward; only its newest page has a say."""
    before = payment.state
    if payment.provider_ref not in (None, report.provider_ref):
        return Outcome.DONE, "an older page"
    moved = session.scalar(
        update(Payment)
        .where(Payment.id == payment.id, Payment.state.in_(FORWARD[report.standing]))
        .values(state=BECOMES[report.standing])
        .returning(Payment.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(payment)
    if moved is None:
        return Outcome.DONE, f"stays {before}"
    was_under_way = before is PaymentState.PROCESSING
    if report.standing is Standing.EXPIRED or (
        report.standing is Standing.FAILED and was_under_way
    ):
        _end_hold(session, payment, now=now)
    payments.write_status(session, payment.order_id)
    return Outcome.DONE, payment.state.value


def _end_hold(session: Session, payment: Payment, *, now: datetime) -> None:
    """Let the goods go with the page: the timer of unpaid orders ends their parts next."""
    mine = select(PaymentShare.seller_order_id).where(PaymentShare.payment_id == payment.id)
    session.execute(
        update(SellerOrder)
        .where(
            SellerOrder.id.in_(mine),
            SellerOrder.state == SellerOrderState.PENDING,
            SellerOrder.hold_expires_at > now,
        )
        .values(hold_expires_at=now)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()


def settle_refund(
    session: Session, refund: Refund, report: RefundReport, *, name: str, now: datetime
) -> Told:
    """Take in where a gateway says that money going back stands."""
    moves.lock(session, refund.order_id)
    session.refresh(refund)
    if report.amount is not None and report.amount != refund.amount:
        return Outcome.NEEDS_A_LOOK, f"{report.amount} went back, {refund.amount} was owed"
    if report.standing is RefundStanding.SUCCEEDED:
        refunds.start(session, refund, provider_ref=report.reference)
        refunds.settle(
            session, refund, reference=report.reference, actor=Actor(None, name), now=now
        )
    elif report.standing is RefundStanding.FAILED:
        if refund.state is RefundState.SUCCEEDED:
            return Outcome.NEEDS_A_LOOK, f"{report.reference} was sent back by the buyer's bank"
        refunds.fail(session, refund, failure=report.why or "the provider could not send it")
    elif refund.state is RefundState.REQUESTED:
        refunds.start(session, refund, provider_ref=report.reference)
    return Outcome.DONE, refund.state.value


def _take(session: Session, news: News, *, now: datetime) -> Told:
    if news.payment is not None:
        payment = _find(session, PaymentMethod.STRIPE, news.payment)
        if payment is None:
            return Outcome.FOREIGN, "no payment of ours"
        return settle(session, payment, news.payment, now=now)
    if news.refunds:
        told = [_take_refund(session, one, now=now) for one in news.refunds]
        return next((one for one in told if one[0] is not Outcome.DONE), told[0])
    if news.dispute is not None:
        return _take_dispute(session, news.dispute, now=now)
    return Outcome.FOREIGN, f"nothing is done about {news.kind}"


def _find(session: Session, method: PaymentMethod, report: Report) -> Payment | None:
    """Return the payment a report is about: by the page, else by what we wrote on its bill."""
    found = session.scalar(
        select(Payment).where(Payment.method == method, Payment.provider_ref == report.provider_ref)
    )
    if found is None and report.payment_id is not None:
        found = session.get(Payment, report.payment_id)
    return found if found is not None and found.method is method else None


def _owner(session: Session, payment: Payment) -> int | None:
    """Return the producer whose account a payment goes to, None for the operator's."""
    if payment.seller_order_id is None:
        return None
    return session.get_one(SellerOrder, payment.seller_order_id).producer_id


def _take_refund(session: Session, report: RefundReport, *, now: datetime) -> Told:
    refund = session.scalar(select(Refund).where(Refund.provider_ref == report.reference))
    if refund is None and report.refund_id is not None:
        refund = session.get(Refund, report.refund_id)
    method = PaymentMethod.STRIPE
    payment = session.get(Payment, refund.payment_id) if refund else None
    if refund is None or payment is None or payment.method is not method:
        if provider_money.find_payment(session, method, report.payment_ref) is None:
            return Outcome.FOREIGN, "no refund of ours"
        return Outcome.NEEDS_A_LOOK, f"{report.reference}: money was sent back outside the shop"
    return settle_refund(session, refund, report, name=NAMES[method], now=now)


def _take_dispute(session: Session, dispute: DisputeReport, *, now: datetime) -> Told:
    payment = provider_money.find_payment(session, PaymentMethod.STRIPE, dispute.payment_ref)
    if payment is None:
        return Outcome.FOREIGN, "no payment of ours"
    order = session.get_one(Order, payment.order_id)
    actor = Actor(None, NAMES[PaymentMethod.STRIPE])
    told = f"dispute {dispute.reference}: {dispute.reason}, {dispute.amount}"
    moves.lock(session, order.id)
    if dispute.open:
        if payment.dispute_closed == dispute.reference:
            return Outcome.DONE, f"{told}; decided before this came"
        freezing.freeze(session, order, why=told, actor=actor, now=now)
        return Outcome.NEEDS_A_LOOK, f"{told}; answer the bank at Stripe"
    payment.dispute_closed = dispute.reference
    session.flush()
    if dispute.won:
        freezing.unfreeze(session, order, actor=actor, now=now)
        return Outcome.DONE, f"{told}; decided for the shop"
    freezing.freeze(session, order, why=told, actor=actor, now=now)
    return Outcome.NEEDS_A_LOOK, f"{told}; lost, the bank took the money back"
