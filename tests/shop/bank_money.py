"""What the tests of bank money do over and over: an order to be transferred, a movement, a call."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.money import Money
from shop.orders import Order, SellerOrder
from shop.payments import bank_rows, payments
from shop.payments.bank_rows import BankTxn
from shop.payments.notices import BankRow, Direction
from shop.payments.payments import Payment
from tests.conftest import NOON
from tests.factories import a_variant
from tests.shop.selling import an_order, only_part

ACCOUNT = "0011012345678"


def an_unpaid(session: Session, **typed: Any) -> tuple[Order, SellerOrder, Payment]:
    """An order of one jar, 165.000 ₫, whose transfer is awaited."""
    in_stock = typed.pop("in_stock", 5)
    variant = typed.pop("variant", None) or a_variant(session, in_stock=in_stock)
    order = an_order(session, (variant, 1), payment_method="bank_transfer", **typed)
    part = only_part(session, order)
    return order, part, payments.list_of_parts(session, [part.id])[part.id]


def a_row(memo: str, amount: int = 165_000, number: str = "1", **given: Any) -> BankRow:
    """A movement on the producer's account as SePay tells of it."""
    row = BankRow(
        provider="sepay",
        txn_id=number,
        account=ACCOUNT,
        amount=Money(amount),
        direction=Direction.IN,
        memo=memo,
        at=NOON,
        reference=f"FT{number}",
    )
    return replace(row, **given)


def bring(
    session: Session, row: BankRow, part: SellerOrder, *, now: datetime = NOON
) -> BankTxn | None:
    """Let the movement be told on the account of the part's producer."""
    return bank_rows.take(session, row, producer_id=part.producer_id, now=now)
