"""Proof that every đồng on the accounts is somewhere: given to an order, to go back, or left."""

from collections.abc import Iterator

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from core.money import ZERO
from shop.audit import Finding
from shop.orders import SellerOrder
from shop.payments.bank_rows import GIVEN, WAITING, BankTxn
from shop.payments.notices import Direction
from shop.payments.payments import Payment

RULE = "every đồng in the bank is somewhere"


def find_faults(session: Session) -> list[Finding]:
    """Return every movement whose money is not where it says it is."""
    return [
        Finding(RULE, what)
        for check in (_sums, _states, _payments, _owners)
        for what in check(session)
    ]


def _sums(session: Session) -> Iterator[str]:
    together = BankTxn.allocated + BankTxn.return_due + BankTxn.returned + BankTxn.unallocated
    for row_id in session.scalars(select(BankTxn.id).where(BankTxn.amount != together)):
        yield f"bank row {row_id}: its parts are not its amount"


def _states(session: Session) -> Iterator[str]:
    given = BankTxn.state.in_(GIVEN)
    waits = BankTxn.state.in_(WAITING)
    wrong = or_(
        and_(given, BankTxn.allocated != BankTxn.amount),
        and_(~given, BankTxn.allocated != ZERO),
        and_(waits, BankTxn.unallocated != BankTxn.amount),
        and_(BankTxn.direction == Direction.OUT, BankTxn.unallocated != BankTxn.amount),
        and_(BankTxn.repeats_id.is_not(None), BankTxn.unallocated != BankTxn.amount),
    )
    for row_id, state in session.execute(select(BankTxn.id, BankTxn.state).where(wrong)):
        yield f"bank row {row_id}: is {state}, but its money is elsewhere"


def _payments(session: Session) -> Iterator[str]:
    given = (
        select(BankTxn.payment_id, func.sum(BankTxn.allocated).label("given"))
        .where(BankTxn.payment_id.is_not(None))
        .group_by(BankTxn.payment_id)
        .subquery()
    )
    for payment_id in session.scalars(
        select(Payment.id)
        .join(given, given.c.payment_id == Payment.id)
        .where(given.c.given > Payment.captured)
    ):
        yield f"payment {payment_id}: the bank gave it more than it says has arrived"


def _owners(session: Session) -> Iterator[str]:
    for row_id in session.scalars(
        select(BankTxn.id)
        .join(Payment, Payment.id == BankTxn.payment_id)
        .outerjoin(SellerOrder, SellerOrder.id == Payment.seller_order_id)
        .where(BankTxn.producer_id.is_distinct_from(SellerOrder.producer_id))
    ):
        yield f"bank row {row_id}: pays another seller's order"
