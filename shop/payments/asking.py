"""Asking for money: the payments of an order that is placed, paid again or paid in another way."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.codes import new_code
from core.money import total
from shop.codes import MEMO
from shop.orders import Order, SellerOrder
from shop.payments.payments import (
    Payment,
    PaymentMethod,
    PaymentShare,
    PaymentState,
)
from shop.selling import Account, Selling

# How long goods are held while money is awaited; a provider's own page closes before that.
HOLDS: dict[PaymentMethod, timedelta] = {
    PaymentMethod.BANK_TRANSFER: timedelta(hours=2),
    PaymentMethod.STRIPE: timedelta(minutes=35),
    PaymentMethod.VNPAY: timedelta(minutes=35),
}
_FIRST = {
    PaymentMethod.COD: PaymentState.DUE,
    PaymentMethod.BANK_TRANSFER: PaymentState.AWAITING,
    PaymentMethod.STRIPE: PaymentState.CREATED,
    PaymentMethod.VNPAY: PaymentState.CREATED,
}


def ask(
    session: Session,
    order: Order,
    parts: Sequence[SellerOrder],
    *,
    method: PaymentMethod,
    accounts: Mapping[int, Account | None],
    selling: Selling,
    now: datetime,
    attempt: int = 1,
) -> list[Payment]:
    """Add what is to be paid for these parts and return it, in the order of the parts.

    Cash is asked for each part. So is money that goes to producers, each on its own account
    (`accounts` by producer); one operator asks for everything at once. Every payment has a memo of
    its own, except cash.
    """
    together = selling.is_direct and method is not PaymentMethod.COD
    groups = [list(parts)] if together else [[part] for part in parts]
    made = []
    for group in groups:
        account = selling.account if together else accounts.get(group[0].producer_id)
        payment = Payment(
            order_id=order.id,
            seller_order_id=None if together else group[0].id,
            method=method,
            state=_FIRST[method],
            amount=total(part.total for part in group),
            attempt=attempt,
            memo=None if method is PaymentMethod.COD else _free_memo(session),
            created_at=now,
            expires_at=now + HOLDS[method] if method in HOLDS else None,
        )
        if method is PaymentMethod.BANK_TRANSFER and account is not None:
            payment.bank_bin = account.bin
            payment.bank_account = account.number
            payment.bank_holder = account.holder
        made.append((payment, group))
    session.add_all(payment for payment, _group in made)
    session.flush()  # gives the payments their ids
    session.add_all(
        PaymentShare(payment_id=payment.id, seller_order_id=part.id, amount=part.total)
        for payment, group in made
        for part in group
    )
    return [payment for payment, _group in made]


def _free_memo(session: Session) -> str:
    """Return a memo nobody has; of a thousand million the first try is almost always free."""
    memo = new_code(MEMO)
    while session.scalar(select(Payment.memo).where(Payment.memo == memo)) is not None:
        memo = new_code(MEMO)
    return memo
