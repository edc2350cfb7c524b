"""A cart becomes exactly one order, at prices the buyer saw, with goods that are really held."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog import stock
from catalog.certificates import Certificate
from catalog.products import ProductState
from catalog.stock import HoldState, Reservation
from core.db import Database
from core.money import Money
from core.tasks import Task
from shop import carts, orders, quotes
from shop.audit import find_faults
from shop.carts import Cart, CartState
from shop.checkout import (
    EmptyCart,
    NoLongerSold,
    PriceRose,
    SoldOutMeanwhile,
    TooManyOrders,
)
from shop.order_states import OrderState, SellerOrderState
from shop.orders import Order, OrderEvent, OrderLine
from shop.payments import payments
from shop.payments.payments import PaymentMethod, PaymentState
from shop.wishes import Mistyped
from tests.conftest import NOON
from tests.factories import a_lot, a_producer, a_product, a_star, a_variant, later
from tests.shop.selling import a_cart, a_way, an_order, at_once, only_part, place


def test_a_cod_order_waits_for_the_producer_and_holds_its_goods(session: Session) -> None:
    honey = a_variant(session, in_stock=5)

    order = an_order(session, (honey, 2))

    part = only_part(session, order)
    assert (order.state, part.state) == (OrderState.PLACED, SellerOrderState.TO_CONFIRM)
    assert part.confirm_by == later(hours=24)
    assert stock.free_of_variants(session, [honey.id], now=NOON) == {honey.id: 3}
    payment = payments.list_of_parts(session, [part.id])[part.id]
    assert (payment.method, payment.state) == (PaymentMethod.COD, PaymentState.DUE)
    assert find_faults(session) == []


def test_a_transfer_order_holds_goods_for_two_hours(session: Session) -> None:
    honey = a_variant(session, in_stock=5)

    order = an_order(session, (honey, 2), payment_method="bank_transfer")

    part = only_part(session, order)
    assert (order.state, part.state) == (OrderState.PENDING_PAYMENT, SellerOrderState.PENDING)
    assert part.hold_expires_at == later(hours=2)
    [hold] = session.scalars(select(Reservation))
    assert (hold.state, hold.expires_at) == (HoldState.HELD, later(hours=2))
    payment = payments.list_of_parts(session, [part.id])[part.id]
    assert payment.state is PaymentState.AWAITING
    assert payment.memo is not None
    assert payment.memo.startswith("OC")
    assert (payment.bank_bin, payment.bank_account) == ("970403", "0011012345678")
    assert find_faults(session) == []


def test_each_producer_gets_its_own_part_with_its_own_delivery(session: Session) -> None:
    bees, mushrooms = a_producer(session, name="HTX Ong"), a_producer(session, name="HTX Nấm")
    a_way(session, bees)
    free = a_way(session, mushrooms, fee=Money(25_000), free_from=None, name="Xe nhà")
    honey = a_variant(session, product=a_product(session, producer=bees), price=200_000)
    shiitake = a_variant(session, product=a_product(session, producer=mushrooms), price=90_000)
    cart = a_cart(session, (honey, 2), (shiitake, 1))

    order = place(session, cart.id, **{"delivery_htx-nam": str(free.id)})

    parts = {part.producer_name: part for part in orders.list_parts(session, order.id)}
    assert parts["HTX Ong"].shipping_fee == Money(0)  # 400.000 ₫ and more is free
    assert parts["HTX Nấm"].total == Money(115_000)
    assert order.total == Money(515_000)
    assert find_faults(session) == []


def test_the_receipt_never_changes_with_the_product(session: Session) -> None:
    product = a_product(session, name="Mật ong nhãn")
    a_star(session, product, 4)
    honey = a_variant(session, product=product, price=165_000, name="500 ml")
    order = an_order(session, (honey, 1))

    product.name, honey.price = "Tên khác", Money(1)
    session.delete(session.scalars(select(Certificate)).one())
    session.flush()

    [line] = session.scalars(select(OrderLine))
    assert (line.product_name, line.variant_name, line.unit_price, line.stars, line.place) == (
        "Mật ong nhãn", "500 ml", Money(165_000), 4, "Xã Đan Phượng",
    )  # fmt: skip
    assert order.address_text == "Thôn 3, số 8, Xã Đan Phượng, Hà Nội"


def test_a_cart_ordered_before_gives_the_same_order_whatever_is_typed(session: Session) -> None:
    cart = a_cart(session, (a_variant(session), 1))
    first = place(session, cart.id)

    second = place(session, cart.id, name="", phone="x", payment_method="?")

    assert second.id == first.id
    assert session.scalar(select(func.count()).select_from(Order)) == 1


def test_an_empty_cart_is_not_ordered(session: Session) -> None:
    cart = a_cart(session)

    with pytest.raises(EmptyCart):
        place(session, cart.id)


def test_a_higher_price_stops_and_asks(session: Session) -> None:
    honey = a_variant(session, price=165_000)
    cart = a_cart(session, (honey, 1))
    honey.price = Money(180_000)
    session.flush()

    with pytest.raises(PriceRose):
        with session.begin_nested():
            place(session, cart.id)
    agreed = quotes.quote(session, cart, now=NOON).prices
    honey.price = Money(190_000)
    session.flush()
    with pytest.raises(PriceRose):
        with session.begin_nested():
            place(session, cart.id, agreed=agreed)

    honey.price = Money(180_000)
    session.flush()
    order = place(session, cart.id, agreed=agreed)

    assert order.total == Money(180_000)


def test_a_lower_price_is_used_and_told(session: Session) -> None:
    honey = a_variant(session, price=165_000)
    cart = a_cart(session, (honey, 2))
    honey.price = Money(150_000)
    session.flush()

    order = place(session, cart.id)

    assert order.total == Money(300_000)
    placed = session.scalars(select(OrderEvent).where(OrderEvent.verb == "place")).one()
    assert [(one["before"], one["now"]) for one in placed.detail["cheaper"]] == [(165_000, 150_000)]


def test_goods_taken_off_sale_stop_the_order(session: Session) -> None:
    product = a_product(session, name="Nem Phùng")
    cart = a_cart(session, (a_variant(session, product=product), 1))
    product.state = ProductState.WITHDRAWN
    session.flush()

    with pytest.raises(NoLongerSold) as refusal:
        place(session, cart.id)

    assert "Nem Phùng" in str(refusal.value.message)


def test_goods_sold_meanwhile_are_named(session: Session) -> None:
    honey = a_variant(session, product=a_product(session, name="Mật ong"), in_stock=2)
    mine = a_cart(session, (honey, 2))
    an_order(session, (honey, 1))

    with pytest.raises(SoldOutMeanwhile) as refusal:
        place(session, mine.id)

    assert "Mật ong" in str(refusal.value.message)
    assert "1" in str(refusal.value.message)


def test_a_chosen_lot_is_the_lot_that_is_held(session: Session) -> None:
    honey = a_variant(session, in_stock=5)
    lot = a_lot(session, honey, in_stock=3, code="MO-11")
    cart = a_cart(session)
    carts.add(session, cart, honey.id, quantity=2, lot_code="MO-11", now=NOON)

    place(session, cart.id)

    [line] = session.scalars(select(OrderLine))
    assert line.lot_id == lot.id
    item = stock.item_for(session, honey.id, lot.id)
    session.refresh(item)
    assert item.reserved == 2


def test_every_mistake_is_told_at_once(session: Session) -> None:
    cart = a_cart(session, (a_variant(session), 1))

    with pytest.raises(Mistyped) as refusal:
        place(
            session, cart.id, name=" ", phone="12", email="a@", province_code="99", street="",
            payment_method="gold",
        )  # fmt: skip

    fields = [field for field, _message in refusal.value.mistakes]
    assert fields == ["phone", "name", "email", "province_code", "street", "payment_method"]


def test_a_commune_of_another_province_is_refused(session: Session) -> None:
    cart = a_cart(session, (a_variant(session), 1))

    with pytest.raises(Mistyped) as refusal:
        place(session, cart.id, ward_code="00001")

    assert [field for field, _message in refusal.value.mistakes] == ["ward_code"]


def test_transfers_are_refused_unless_every_producer_has_an_account(session: Session) -> None:
    poor = a_producer(session, bank_account=None)
    cart = a_cart(session, (a_variant(session), 1),
                  (a_variant(session, product=a_product(session, producer=poor)), 1))  # fmt: skip

    with pytest.raises(Mistyped) as refusal:
        place(session, cart.id, payment_method="bank_transfer")

    assert refusal.value.field == "payment_method"


def test_a_mail_is_left_once_and_only_with_an_address(session: Session) -> None:
    cart = a_cart(session, (a_variant(session), 1))
    order = place(session, cart.id)
    place(session, cart.id)
    an_order(session, (a_variant(session), 1), email="")

    [mail] = session.scalars(select(Task).where(Task.kind == "mail.send"))
    assert mail.payload["to"] == "an@example.com"
    assert f"/don-hang/{order.code}?t=" in mail.payload["body"]


def test_one_phone_orders_ten_times_an_hour(session: Session) -> None:
    honey = a_variant(session, in_stock=50)
    for _time in range(10):
        an_order(session, (honey, 1))
    cart = a_cart(session, (honey, 1))

    with pytest.raises(TooManyOrders):
        with session.begin_nested():
            place(session, cart.id)

    assert place(session, cart.id, now=later(hours=1)).code


def test_pressing_eight_times_at_once_makes_one_order(database: Database) -> None:
    with database.transaction() as session:
        cart_id = a_cart(session, (a_variant(session), 2)).id

    codes = at_once(database, [lambda session: place(session, cart_id).code] * 8)

    assert len(set(codes)) == 1
    assert isinstance(codes[0], str)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 1
        assert find_faults(session) == []


def test_the_last_jar_goes_to_one_of_many(database: Database) -> None:
    with database.transaction() as session:
        jar = a_variant(session, product=a_product(session, name="Mật ong"), in_stock=3)
        cart_ids = [a_cart(session, (jar, 1)).id for _buyer in range(8)]

    results = at_once(
        database,
        [
            lambda session, c=cart_id, n=number: place(session, c, phone=f"091234567{n}").code
            for number, cart_id in enumerate(cart_ids)
        ],
    )

    told = [result for result in results if isinstance(result, SoldOutMeanwhile)]
    assert len([result for result in results if isinstance(result, str)]) == 3
    assert len(told) == 5
    assert all("Mật ong" in str(refusal.message) for refusal in told)
    with database.reading() as session:
        assert find_faults(session) == []
        lost = session.scalars(select(Cart.state).where(Cart.state == CartState.OPEN)).all()
        assert len(lost) == 5


def test_two_carts_with_the_same_goods_never_wait_for_each_other(database: Database) -> None:
    with database.transaction() as session:
        first, second = a_variant(session, in_stock=40), a_variant(session, in_stock=40)
        cart_ids = [
            a_cart(session, *(pair if number % 2 else reversed(pair))).id
            for number, pair in enumerate([((first, 1), (second, 1))] * 8)
        ]

    results = at_once(
        database,
        [
            lambda session, c=cart_id, n=number: place(session, c, phone=f"091234567{n}").code
            for number, cart_id in enumerate(cart_ids)
        ],
    )

    assert all(isinstance(result, str) for result in results), results
