"""Money that a gateway sends back: one task for each refund, with the same key on every try."""

from sqlalchemy.orm import Session

from core.tasks import Work
from shop import moves
from shop.payments import card_payments, connected, gateway_news, provider_money, refunds
from shop.payments.gateways import Gateway, GatewayRefused, Reference, RefundWish
from shop.payments.payments import Payment
from shop.payments.refunds import Refund, RefundState


def send(work: Work) -> None:
    """Tell the gateway to send a refund's money back, and take in what it says.

    A gateway that does not answer is asked again later; one that refuses leaves the refund failed,
    for a person to see why.
    """
    refund_id = int(work.payload["refund_id"])
    with work.database.transaction() as session:
        refund = session.get_one(Refund, refund_id)
        moves.lock(session, refund.order_id)
        session.refresh(refund)
        if refund.state in (RefundState.SUCCEEDED, RefundState.PENDING):
            return
        payment = session.get_one(Payment, refund.payment_id)
        gateway = connected.gateway_of(session, payment, work.settings)
        wish = _wish(session, refund, payment, work) if gateway else None
    if gateway is None or wish is None:
        _fail(work, refund_id, "this gateway is not connected any more, or has no such money")
        return
    try:
        report = gateway.refund(wish)
    except GatewayRefused as refused:
        _fail(work, refund_id, "; ".join([str(refused), *getattr(refused, "__notes__", [])]))
        return
    with work.finishing() as session:
        gateway_news.settle_refund(
            session,
            session.get_one(Refund, refund_id),
            report,
            name=_name(gateway),
            now=work.clock(),
        )


def _wish(session: Session, refund: Refund, payment: Payment, work: Work) -> RefundWish | None:
    """Choose, once and for all tries, of which arrived money the refund goes back."""
    if refund.money_number is None:
        money = provider_money.with_room_for(session, payment, refund)
        if money is None:
            return None
        refund.money_number, refund.sent_at = money.number, work.clock()
    known = card_payments.reference_of(payment)
    return RefundWish(
        refund_id=refund.id,
        amount=refund.amount,
        paid=payment.amount,
        reference=Reference(known.provider_ref, refund.money_number, known.memo, known.opened_at),
        reason=refund.reason,
        first_asked_at=refund.sent_at or refund.requested_at,
        asked_at=work.clock(),
        asked_by=refund.requested_by,
    )


def _fail(work: Work, refund_id: int, why: str) -> None:
    with work.finishing() as session:
        refunds.fail(session, session.get_one(Refund, refund_id), failure=why)


def _name(gateway: Gateway) -> str:
    return next(
        (word for method, word in gateway_news.NAMES.items() if method.value == gateway.name),
        gateway.name,
    )
