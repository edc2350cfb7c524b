"""One operator sells: one transfer pays the whole order, on the operator's account."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Actor
from core.money import Money
from shop import cancellations, orders
from shop.audit import find_faults
from shop.order_states import OrderState, PaymentStatus, SellerOrderState
from shop.orders import Order
from shop.payments import bank_transfer, receipts, refunds
from shop.payments.bank_transfer import SecondWordNeeded
from shop.payments.payments import Custody, Payment, PaymentState
from shop.payments.receipts import Receipt
from shop.payments.refunds import MoreThanPaid, Refund, RefundReason
from shop.selling import Account, Selling, SellingMode
from tests.conftest import NOON
from tests.factories import a_producer, a_product, a_user, a_variant, later
from tests.shop.selling import SELLER, a_cart, place

DIRECT = Selling(SellingMode.DIRECT, Account("970436", "0123456789", "CHO PHIEN"))
S = SellerOrderState


def an_order_of_two(session: Session, price: int = 200_000, **typed: str) -> Order:
    """An order from two producers of which the operator is paid, by transfer."""
    wanted = [
        (a_variant(session, product=a_product(session, producer=producer), price=price), 1)
        for producer in (a_producer(session, name="HTX Ong"), a_producer(session, name="HTX Nấm"))
    ]
    cart = a_cart(session, *wanted)
    return place(session, cart.id, selling=DIRECT, payment_method="bank_transfer", **typed)


def the_payment(session: Session, order: Order) -> Payment:
    [payment] = session.scalars(select(Payment).where(Payment.order_id == order.id))
    return payment


def states(session: Session, order: Order) -> list[SellerOrderState]:
    return [part.state for part in orders.list_parts(session, order.id)]


def arrive(session: Session, payment: Payment, dong: int) -> Receipt:
    return receipts.receive(
        session, payment, Money(dong), evidence="sao kê", custody=Custody.OPERATOR,
        actor=SELLER, now=NOON,
    )  # fmt: skip


def test_one_payment_asks_for_everything_on_the_operators_account(session: Session) -> None:
    order = an_order_of_two(session)

    payment = the_payment(session, order)

    assert (payment.seller_order_id, payment.amount, payment.bank_account) == (
        None,
        Money(400_000),
        "0123456789",
    )
    assert find_faults(session) == []


def test_cash_is_asked_of_each_part_even_then(session: Session) -> None:
    wanted = [(a_variant(session, price=100_000), 1)]

    order = place(session, a_cart(session, *wanted).id, selling=DIRECT)

    assert the_payment(session, order).seller_order_id is not None


def test_both_parts_go_on_together_when_all_has_come(session: Session) -> None:
    order = an_order_of_two(session)
    payment = the_payment(session, order)

    first, second = arrive(session, payment, 150_000), arrive(session, payment, 250_000)

    assert (first, second) == (Receipt.SHORT, Receipt.PAID)
    assert states(session, order) == [S.TO_CONFIRM, S.TO_CONFIRM]
    assert order.payment_status is PaymentStatus.PAID
    assert find_faults(session) == []


def test_short_money_of_an_expired_order_is_owed_back(session: Session) -> None:
    order = an_order_of_two(session)
    payment = the_payment(session, order)
    arrive(session, payment, 399_999)

    for part in orders.list_parts(session, order.id):
        cancellations.expire(session, part, now=later(hours=3))

    assert order.state is OrderState.EXPIRED
    assert (payment.state, payment.refund_due) == (PaymentState.EXPIRED, Money(399_999))
    assert find_faults(session) == []


def test_late_money_revives_the_whole_order(session: Session) -> None:
    order = an_order_of_two(session)
    payment = the_payment(session, order)
    for part in orders.list_parts(session, order.id):
        cancellations.expire(session, part, now=later(hours=3))

    receipt = arrive(session, payment, 400_500)

    assert receipt is Receipt.REVIVED
    assert states(session, order) == [S.TO_CONFIRM, S.TO_CONFIRM]
    assert payment.refund_due == Money(500)
    assert find_faults(session) == []


def test_a_declined_part_gives_its_own_share_back_and_no_more(session: Session) -> None:
    order = an_order_of_two(session)
    payment = the_payment(session, order)
    arrive(session, payment, 400_000)
    first, second = orders.list_parts(session, order.id)

    cancellations.decline(session, order, first, reason="hết hàng", actor=SELLER, now=NOON)

    [refund] = session.scalars(select(Refund))
    assert (refund.amount, refund.seller_order_id) == (first.total, first.id)
    assert second.state is S.TO_CONFIRM
    with pytest.raises(MoreThanPaid):
        refunds.request_of_part(
            session, first, Money(1), reason=RefundReason.GOODWILL, actor=SELLER, now=NOON
        )
    assert find_faults(session) == []


def test_much_money_needs_a_second_person_who_saw_it(session: Session) -> None:
    order = an_order_of_two(session, price=2_000_000)
    payment = the_payment(session, order)
    lan, minh = (Actor(a_user(session).id, name) for name in ("Lan", "Minh"))

    def saw(actor: Actor) -> Receipt | None:
        return bank_transfer.confirm_for_operator(
            session, order, payment, evidence="app", actor=actor, now=NOON
        )

    assert saw(lan) is None
    with pytest.raises(SecondWordNeeded):
        saw(lan)
    assert saw(minh) is Receipt.PAID
    assert states(session, order) == [S.TO_CONFIRM, S.TO_CONFIRM]
    assert find_faults(session) == []


def test_money_back_is_settled_once_under_its_reference(session: Session) -> None:
    order = an_order_of_two(session)
    payment = the_payment(session, order)
    arrive(session, payment, 400_000)
    [first, _second] = orders.list_parts(session, order.id)
    cancellations.decline(session, order, first, reason="hết hàng", actor=SELLER, now=NOON)
    [refund] = session.scalars(select(Refund))

    once = refunds.settle(session, refund, reference="FT26", actor=SELLER, now=NOON)
    again = refunds.settle(session, refund, reference="FT27", actor=SELLER, now=NOON)

    assert (once, again) == (True, False)
    assert (payment.refunded, payment.refund_due, refund.reference) == (
        refund.amount,
        Money(0),
        "FT26",
    )
    assert order.payment_status is PaymentStatus.PARTIALLY_REFUNDED
    assert find_faults(session) == []
