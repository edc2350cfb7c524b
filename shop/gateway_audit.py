"""Proof that what gateways took and sent back is what our payments say."""

from collections.abc import Callable, Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.money import ZERO
from shop.audit import Finding
from shop.orders import Order
from shop.payments.bank_rows import BankTxn
from shop.payments.payments import THROUGH_PROVIDER, Payment
from shop.payments.provider_money import ProviderMoney
from shop.payments.refunds import Refund, RefundState


def find_faults(session: Session) -> list[Finding]:
    """Return every fault of money through gateways; none means that all of it is known."""
    return [Finding(rule, what) for rule, check in CHECKS.items() for what in check(session)]


def _captured_has_numbers(session: Session) -> Iterator[str]:
    came = (
        select(ProviderMoney.payment_id, func.sum(ProviderMoney.amount).label("came"))
        .group_by(ProviderMoney.payment_id)
        .subquery()
    )
    # A transfer may carry the memo of a payment that was meant to be made by card.
    by_bank = (
        select(BankTxn.payment_id, func.sum(BankTxn.allocated).label("given"))
        .where(BankTxn.payment_id.is_not(None))
        .group_by(BankTxn.payment_id)
        .subquery()
    )
    known = func.coalesce(came.c.came, 0) + func.coalesce(by_bank.c.given, 0)
    for payment, code, amount in session.execute(
        select(Payment, Order.code, known)
        .join(Order, Order.id == Payment.order_id)
        .outerjoin(came, came.c.payment_id == Payment.id)
        .outerjoin(by_bank, by_bank.c.payment_id == Payment.id)
        .where(Payment.method.in_(list(THROUGH_PROVIDER)), Payment.captured != known)
    ):
        yield f"order {code}, payment {payment.id}: {payment.captured} taken, {amount} ₫ numbered"


def _refunds_fit_their_money(session: Session) -> Iterator[str]:
    gone = (
        select(Refund.payment_id, Refund.money_number, func.sum(Refund.amount).label("gone"))
        .where(Refund.money_number.is_not(None), Refund.state != RefundState.FAILED)
        .group_by(Refund.payment_id, Refund.money_number)
        .subquery()
    )
    for money, sent in session.execute(
        select(ProviderMoney, gone.c.gone)
        .join(
            gone,
            (gone.c.payment_id == ProviderMoney.payment_id)
            & (gone.c.money_number == ProviderMoney.number),
        )
        .where(gone.c.gone > ProviderMoney.amount)
    ):
        yield f"payment {money.payment_id}, {money.number}: {sent} ₫ sent back of {money.amount}"


def _one_number_one_payment(session: Session) -> Iterator[str]:
    for number, count in session.execute(
        select(ProviderMoney.number, func.count())
        .group_by(ProviderMoney.method, ProviderMoney.number)
        .having(func.count() > 1)
    ):
        yield f"money {number} counts for {count} payments"
    for money in session.scalars(select(ProviderMoney).where(ProviderMoney.amount <= ZERO)):
        yield f"money {money.number} of payment {money.payment_id} is {money.amount}"


CHECKS: dict[str, Callable[[Session], Iterator[str]]] = {
    "what gateways took is known by its numbers": _captured_has_numbers,
    "no more goes back than that money was": _refunds_fit_their_money,
    "money of a gateway counts for one payment": _one_number_one_payment,
}
