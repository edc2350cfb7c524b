"""What the tests of vouchers, sales and accounts do over and over."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog import sales
from catalog.variants import Variant
from core import events
from core.money import Money
from shop import completion, fulfilment, ledger, orders, promotions
from shop.moves import PartMoved
from shop.orders import Order, SellerOrder
from shop.payments import payments, receipts
from shop.payments.payments import Custody
from shop.vouchers import Funder, Voucher
from tests.conftest import NOON
from tests.shop.selling import SELLER

STAFF = Actor(None, "Nhân viên")


def a_voucher(session: Session, code: str = "TET50", **given: Any) -> Voucher:
    """A voucher of the shop: 50.000 ₫ off everyone's goods, this week."""
    values: dict[str, Any] = {
        "code": code,
        "amount": None if "percent" in given else Money(50_000),
        "funded_by": Funder.PLATFORM,
        "starts_at": NOON - timedelta(days=1),
        "ends_at": NOON + timedelta(days=7),
        "created_at": NOON,
    }
    voucher = Voucher(**{**values, **given})
    session.add(voucher)
    session.flush()
    return voucher


def a_sale(session: Session, variant: Variant, price: int, *, cap: int | None = None) -> int:
    """A sale of a variant for a week from NOON on; returns its id."""
    return sales.set_sale(
        session,
        variant,
        price=Money(price),
        starts_at=None,
        ends_at=NOON + timedelta(days=7),
        cap=cap,
        actor=SELLER,
        now=NOON,
    ).id


@contextmanager
def following() -> Iterator[None]:
    """Let accounts and promotions hear of moves, as in the whole shop."""
    before = dict(events._listeners)
    events.subscribe([(PartMoved, promotions.follow), (PartMoved, ledger.follow)])
    try:
        yield
    finally:
        events._listeners.clear()
        events._listeners.update(before)


def pay(
    session: Session, part: SellerOrder, *, custody: Custody, amount: Money | None = None
) -> None:
    """The money of a part's payment arrives."""
    payment = payments.list_of_parts(session, [part.id])[part.id]
    receipts.receive(
        session,
        payment,
        amount or payment.amount,
        evidence="sao kê",
        custody=custody,
        actor=SELLER,
        now=NOON,
    )


def send(session: Session, order: Order, part: SellerOrder) -> None:
    """The producer accepts, packs, sends and hands over."""
    fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)
    for verb in (fulfilment.pack, fulfilment.ship, fulfilment.deliver):
        verb(session, order, part, actor=SELLER, now=NOON)


def finish(session: Session, order: Order) -> list[SellerOrder]:
    """Every part that lives is sent and completed; returns the parts."""
    parts = orders.list_parts(session, order.id)
    for part in parts:
        send(session, order, part)
        completion.complete(session, order, part, actor=SELLER, now=NOON)
    return parts
