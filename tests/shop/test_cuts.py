"""A cut takes exactly those pieces: off the holds, off what is owed, back from what was paid."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from catalog.stock import StockItem
from core.money import ZERO, Money, total
from shop import audit, cuts, fulfilment, orders
from shop.cuts import BadCut, NoSuchLine, NothingLeft
from shop.moves import TooLate
from shop.orders import Order, OrderLine, SellerOrder
from shop.payments import bank_transfer, payments, refunds
from shop.payments.refunds import RefundReason
from tests.conftest import NOON
from tests.factories import a_producer, a_product, a_variant
from tests.shop.selling import SELLER, a_way, an_order, only_part


def two_lines(session: Session, **typed: str) -> tuple[Order, SellerOrder, list[OrderLine]]:
    """An order of 3 × 100.000 ₫ and 2 × 50.000 ₫ with carriage of 18.000 ₫."""
    producer = a_producer(session)
    a_way(session, producer)
    honey = a_variant(session, product=a_product(session, producer=producer), price=100_000)
    tea = a_variant(session, product=a_product(session, producer=producer), price=50_000)
    order = an_order(session, (honey, 3), (tea, 2), **typed)
    part = only_part(session, order)
    return order, part, orders.list_lines(session, [part.id])


def cut(session: Session, order: Order, part: SellerOrder, line_id: int, keep: int) -> Money:
    return cuts.cut(
        session, order, part, line_id, keep=keep, reason="hết hàng", actor=SELLER, now=NOON
    )


def reserved(session: Session) -> int:
    session.expire_all()
    return sum(session.scalars(select(StockItem.reserved)))


def test_less_cash_is_asked_at_the_door(session: Session) -> None:
    order, part, [honey, _tea] = two_lines(session)
    before = part.total

    saved = cut(session, order, part, honey.id, 1)

    payment = payments.list_of_parts(session, [part.id])[part.id]
    assert saved == Money(200_000)
    assert (part.total, payment.amount) == (before - saved, before - saved)
    assert part.shipping_fee == Money(18_000) or part.shipping_fee == ZERO
    assert reserved(session) == 3
    assert audit.find_faults(session) == []


def test_what_was_paid_for_the_pieces_goes_back(session: Session) -> None:
    order, part, [_honey, tea] = two_lines(session, payment_method="bank_transfer")
    bank_transfer.confirm_by_hand(
        session, order, part, evidence="thấy trên ứng dụng", actor=SELLER, now=NOON
    )

    cut(session, order, part, tea.id, 0)

    [refund] = refunds.due_of(session, part)
    assert (refund.amount, refund.reason) == (Money(100_000), RefundReason.CUT)
    assert refund.lines == {str(tea.id): 100_000}
    assert audit.find_faults(session) == []


def test_the_last_piece_is_not_cut_but_declined(session: Session) -> None:
    order, part, [honey, tea] = two_lines(session)
    cut(session, order, part, tea.id, 0)

    with pytest.raises(NothingLeft):
        cut(session, order, part, honey.id, 0)


@pytest.mark.parametrize("keep", [-1, 3, 4])
def test_a_cut_leaves_fewer(session: Session, keep: int) -> None:
    order, part, [honey, _tea] = two_lines(session)

    with pytest.raises(BadCut):
        cut(session, order, part, honey.id, keep)


def test_another_s_line_is_not_here_and_a_closed_parcel_stays_closed(session: Session) -> None:
    order, part, [honey, _tea] = two_lines(session)
    with pytest.raises(NoSuchLine):
        cut(session, order, part, honey.id + 99, 1)
    fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)
    fulfilment.pack(session, order, part, actor=SELLER, now=NOON)

    with pytest.raises(TooLate):
        cut(session, order, part, honey.id, 1)


def test_a_cut_without_a_reason_is_refused(session: Session) -> None:
    order, part, [honey, _tea] = two_lines(session)

    with pytest.raises(BadCut):
        cuts.cut(session, order, part, honey.id, keep=1, reason=" ", actor=SELLER, now=NOON)


@given(st.integers(0, 1_000), st.lists(st.integers(1, 4), min_size=1, max_size=8))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_steps_all_pieces_take_exactly_the_whole_discount(
    share: int, steps: list[int]
) -> None:
    line = OrderLine(
        quantity=sum(steps), quantity_cancelled=0, quantity_returned=0, discount_share=Money(share)
    )
    taken = []
    for pieces in steps:
        taken.append(cuts.discount_of(line, pieces))
        line.quantity_cancelled += pieces

    assert total(taken) == Money(share)
    assert all(one >= ZERO for one in taken)


def test_a_cut_takes_its_own_share_of_the_discount(session: Session) -> None:
    order, part, [honey, _tea] = two_lines(session)
    session.execute(
        update(OrderLine).where(OrderLine.id == honey.id).values(discount_share=Money(10_000))
    )
    session.execute(
        update(SellerOrder).values(
            discount_total=Money(10_000), total=SellerOrder.total - Money(10_000)
        )
    )
    session.execute(
        update(Order).values(discount_total=Money(10_000), total=Order.total - Money(10_000))
    )
    session.execute(update(payments.Payment).values(amount=payments.Payment.amount - Money(10_000)))
    session.execute(
        update(payments.PaymentShare).values(amount=payments.PaymentShare.amount - Money(10_000))
    )
    session.expire_all()

    first = cut(session, order, part, honey.id, 2)
    second = cut(session, order, part, honey.id, 0)

    assert (first, second) == (Money(100_000 - 3_333), Money(200_000 - 6_667))
    assert part.discount_total == ZERO
    assert audit.find_faults(session) == []
