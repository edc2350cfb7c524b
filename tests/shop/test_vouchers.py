"""A voucher takes off what it says, once for each use, and never one use too many."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.producers import Producer
from catalog.products import Product
from catalog.variants import Variant
from core.db import Database
from core.money import Money, total
from shop import cancellations, carts, orders, quotes, vouchers
from shop.cancellations import expire
from shop.ledger_audit import find_faults
from shop.order_states import OrderState
from shop.orders import Order
from shop.payments.payments import Custody
from shop.vouchers import Funder, NoSuchVoucher, NotUsable, Voucher, VoucherRedemption
from shop.wishes import Mistyped
from tests.conftest import NOON
from tests.factories import a_producer, a_product, a_variant, later
from tests.shop.promoting import a_sale, a_voucher, following, pay
from tests.shop.selling import BUYER, a_cart, a_way, an_order, at_once, only_part, place


def two_producers(session: Session) -> tuple[Variant, Variant]:
    """One variant of each of two producers."""
    return a_variant(session, price=100_000), a_variant(session, price=50_000)


def test_what_it_takes_off_is_shared_over_the_lines_and_frozen(session: Session) -> None:
    honey, tea = two_producers(session)
    a_voucher(session, "TET50")

    order = an_order(session, (honey, 2), (tea, 1), voucher="tet50")

    parts = orders.list_parts(session, order.id)
    lines = orders.list_lines(session, [part.id for part in parts])
    assert [line.discount_share for line in lines] == [Money(40_000), Money(10_000)]
    assert [part.discount_total for part in parts] == [Money(40_000), Money(10_000)]
    assert order.discount_total == Money(50_000)
    assert order.total == total(part.total for part in parts)
    assert find_faults(session) == []


def test_the_buyer_pays_the_total_after_the_voucher(session: Session) -> None:
    honey = a_variant(session, price=100_000)
    a_way(session, _producer_of(session, honey), fee=Money(20_000), free_from=None)
    a_voucher(session)

    order = an_order(session, (honey, 1), voucher="TET50")

    part = only_part(session, order)
    assert (part.items_total, part.shipping_fee) == (Money(100_000), Money(20_000))
    assert part.total == order.total == Money(70_000)


def _producer_of(session: Session, variant: Variant) -> Producer:
    product = session.get_one(Product, variant.product_id)
    return session.get_one(Producer, product.producer_id)


@pytest.mark.parametrize(
    ("terms", "price", "expected"),
    [
        ({"percent": 10}, 165_500, 16_550),
        ({"percent": 15}, 99_999, 14_999),
        ({"percent": 20, "most": Money(30_000)}, 500_000, 30_000),
        ({"amount": Money(40_000)}, 165_000, 40_000),
        ({"amount": Money(400_000)}, 165_000, 148_500),
        ({"percent": 90}, 165_000, 148_500),
    ],
)
def test_it_takes_off_what_its_terms_say_and_leaves_something_to_pay(
    session: Session, terms: dict[str, Any], price: int, expected: int
) -> None:
    honey = a_variant(session, price=price)
    a_voucher(session, **terms)

    order = an_order(session, (honey, 1), voucher="TET50")

    assert order.discount_total == Money(expected)


def test_a_producer_s_voucher_takes_nothing_off_others_goods(session: Session) -> None:
    honey, tea = two_producers(session)
    maker = _producer_of(session, tea)
    a_voucher(session, funded_by=Funder.PRODUCER, producer_id=maker.id, amount=Money(20_000))

    order = an_order(session, (honey, 1), (tea, 1), voucher="TET50")

    assert [part.discount_total for part in orders.list_parts(session, order.id)] == [
        Money(0),
        Money(20_000),
    ]


@pytest.mark.parametrize(
    ("terms", "typed", "told"),
    [
        ({}, "KHONGCO", "no voucher"),
        ({}, "'; drop", "no voucher"),
        ({"ends_at": NOON}, "TET50", "has ended"),
        ({"stopped_at": NOON}, "TET50", "has ended"),
        ({"starts_at": later(days=1)}, "TET50", "not count yet"),
        ({"usage_limit": 2, "used": 2}, "TET50", "used up"),
        ({"minimum": Money(300_000)}, "TET50", "135.000\xa0₫ more"),
    ],
)
def test_what_is_in_the_way_is_told_at_the_field_and_nothing_is_ordered(
    session: Session, terms: dict[str, Any], typed: str, told: str
) -> None:
    honey = a_variant(session, price=165_000)
    a_voucher(session, **terms)
    cart = a_cart(session, (honey, 1))

    with pytest.raises(Mistyped) as refusal, session.begin_nested():
        place(session, cart.id, voucher=typed)

    [(field, message)] = refusal.value.mistakes
    assert (field, told in message) == ("voucher", True)
    assert session.scalars(select(Order)).all() == []


def test_a_voucher_for_other_goods_says_so(session: Session) -> None:
    honey = a_variant(session)
    other = a_producer(session)
    a_voucher(session, funded_by=Funder.PRODUCER, producer_id=other.id)

    with pytest.raises(Mistyped, match="another producer"):
        an_order(session, (honey, 1), voucher="TET50")


def test_a_phone_uses_it_as_often_as_it_may(session: Session) -> None:
    honey = a_variant(session)
    a_voucher(session, phone_limit=1)
    an_order(session, (honey, 1), voucher="TET50")

    with pytest.raises(Mistyped, match="phone"):
        an_order(session, (honey, 1), voucher="TET50", phone="0912345678")

    assert an_order(session, (honey, 1), voucher="TET50", phone="0987654321").discount_total


@pytest.mark.parametrize("typed", ["tết 50", " TET-50 ", "Tet50", "tet_50"])
def test_a_code_is_read_as_people_type_it(session: Session, typed: str) -> None:
    a_voucher(session, "TET50")

    found = vouchers.find(session, typed)

    assert found is not None
    assert found.code == "TET50"


def test_the_code_kept_with_the_cart_counts_when_the_form_says_nothing(session: Session) -> None:
    honey = a_variant(session)
    a_voucher(session)
    cart = a_cart(session, (honey, 1))
    carts.note_voucher(session, cart, " tet50 ", now=NOON)

    order = place(session, cart.id)

    assert order.discount_total == Money(50_000)


def test_the_cart_shows_what_is_taken_off_and_why_not(session: Session) -> None:
    honey = a_variant(session, price=100_000)
    a_voucher(session, minimum=Money(150_000))
    cart = a_cart(session, (honey, 1))

    quoted = quotes.quote(session, cart, now=NOON)
    short = quotes.with_voucher(session, quoted, "tet50", now=NOON)
    carts.change(session, cart, honey.id, quantity=2, now=NOON)
    session.flush()
    enough = quotes.with_voucher(session, quotes.quote(session, cart, now=NOON), "tet50", now=NOON)

    assert "50.000" in short.voucher_refused
    assert short.total_with({}) == quoted.total_with({})
    assert enough.deal is not None
    assert quoted.total_with({}) + Money(50_000) == enough.total_with({})


def test_an_order_called_off_gives_its_use_back_once(session: Session) -> None:
    honey = a_variant(session)
    voucher = a_voucher(session, usage_limit=1)
    order = an_order(session, (honey, 1), voucher="TET50")

    cancellations.cancel(session, order, actor=BUYER, now=NOON)
    again = vouchers.give_back(session, order.id, now=NOON)

    session.refresh(voucher)
    assert (voucher.used, again) == (0, False)
    assert an_order(session, (honey, 1), voucher="TET50").discount_total
    assert find_faults(session) == []


def test_while_one_part_lives_the_use_counts(session: Session) -> None:
    honey, tea = two_producers(session)
    voucher = a_voucher(session)
    order = an_order(session, (honey, 1), (tea, 1), voucher="TET50")
    first, second = orders.list_parts(session, order.id)

    cancellations.decline(session, order, first, reason="hết", actor=BUYER, now=NOON)
    session.refresh(voucher)
    kept = voucher.used
    cancellations.decline(session, order, second, reason="hết", actor=BUYER, now=NOON)

    session.refresh(voucher)
    assert (kept, voucher.used, order.state) == (1, 0, OrderState.CANCELLED)


def test_late_money_is_honoured_even_when_the_voucher_is_full(session: Session) -> None:
    honey = a_variant(session, in_stock=5)
    voucher = a_voucher(session, usage_limit=1)
    sale = a_sale(session, honey, 150_000, cap=1)
    order = an_order(session, (honey, 1), voucher="TET50", payment_method="bank_transfer")
    expire(session, only_part(session, order), now=later(hours=3))
    an_order(session, (honey, 1), voucher="TET50", phone="0987654321")

    with following():
        pay(session, only_part(session, order), custody=Custody.PRODUCER)

    session.refresh(voucher)
    session.refresh(honey)
    assert order.state is OrderState.PLACED
    assert (voucher.used, honey.sale_sold) == (2, 2)
    assert only_part(session, order).total == Money(100_000)
    assert honey.sale_id == sale
    assert find_faults(session) == []


def test_a_desk_sees_no_other_desk_s_vouchers(session: Session) -> None:
    mine, other = a_producer(session), a_producer(session)
    own = a_voucher(session, "CUATOI", funded_by=Funder.PRODUCER, producer_id=mine.id)
    shop = a_voucher(session, "CUASHOP", producer_id=mine.id)

    assert vouchers.get(session, own.id, producer_id=mine.id) is own
    assert vouchers.get(session, shop.id, producer_id=None) is shop
    for voucher, desk in ((own, other.id), (own, None), (shop, mine.id)):
        with pytest.raises(NoSuchVoucher):
            vouchers.get(session, voucher.id, producer_id=desk)


def test_of_32_buyers_with_5_uses_exactly_5_get_it(database: Database) -> None:
    with database.transaction() as session:
        honey = a_variant(session, in_stock=100)
        voucher_id = a_voucher(session, usage_limit=5).id
        cart_ids = [a_cart(session, (honey, 1)).id for _buyer in range(32)]

    def buy(session: Session, number: int) -> Any:
        return place(
            session, cart_ids[number], voucher="TET50", phone=f"09123456{number:02d}"
        ).discount_total

    results = at_once(database, [partial(buy, number=number) for number in range(32)])

    assert results.count(Money(50_000)) == 5
    assert sum(isinstance(result, Mistyped) for result in results) == 27
    with database.reading() as session:
        assert session.get_one(Voucher, voucher_id).used == 5
        assert len(session.scalars(select(VoucherRedemption)).all()) == 5
        assert find_faults(session) == []


def test_one_phone_in_two_tabs_uses_it_once(database: Database) -> None:
    with database.transaction() as session:
        honey = a_variant(session, in_stock=100)
        a_voucher(session, phone_limit=1)
        cart_ids = [a_cart(session, (honey, 1)).id for _tab in range(6)]

    def buy(session: Session, number: int) -> Any:
        return place(session, cart_ids[number], voucher="TET50").discount_total

    results = at_once(database, [partial(buy, number=number) for number in range(6)])

    assert results.count(Money(50_000)) == 1
    assert sum(isinstance(result, Mistyped) for result in results) == 5


def test_a_cap_of_10_sells_10_at_the_sale_price(database: Database) -> None:
    with database.transaction() as session:
        honey = a_variant(session, price=200_000, in_stock=100)
        a_sale(session, honey, 150_000, cap=10)
        honey_id = honey.id
        cart_ids = [a_cart(session, (honey, 1)).id for _buyer in range(32)]

    def buy(session: Session, number: int) -> Any:
        return place(session, cart_ids[number], phone=f"09123456{number:02d}").total

    results = at_once(database, [partial(buy, number=number) for number in range(32)])

    sold = [result for result in results if result == Money(150_000)]
    assert len(sold) == 10
    assert {type(result).__name__ for result in results} == {"Money", "PriceRose"}
    with database.reading() as session:
        cart = session.get_one(carts.Cart, cart_ids[results.index(_first_refusal(results))])
        quoted = quotes.quote(session, cart, now=NOON)
        assert [line.price for line in quoted.dearer] == [Money(200_000)]
        assert session.get_one(Variant, honey_id).sale_sold == 10
        assert find_faults(session) == []


def _first_refusal(results: list[object]) -> object:
    return next(result for result in results if not isinstance(result, Money))


def test_two_lots_of_one_thing_share_the_pieces_that_are_left(session: Session) -> None:
    honey = a_variant(session, price=200_000, product=a_product(session))
    a_sale(session, honey, 150_000, cap=2)
    cart = a_cart(session, (honey, 3))

    quoted = quotes.quote(session, cart, now=NOON)

    [line] = quoted.lines
    assert (line.price, line.sale_left, line.is_dearer) == (Money(200_000), 2, True)


def test_ended_orders_give_their_pieces_back_to_the_sale(session: Session) -> None:
    honey = a_variant(session, price=200_000)
    a_sale(session, honey, 150_000, cap=2)
    order = an_order(session, (honey, 2))
    session.refresh(honey)
    taken = honey.sale_sold

    cancellations.cancel(session, order, actor=BUYER, now=NOON)

    session.refresh(honey)
    assert (taken, honey.sale_sold) == (2, 0)
    assert find_faults(session) == []


def test_use_after_the_end_is_refused_even_if_the_page_was_older(session: Session) -> None:
    honey = a_variant(session)
    voucher = a_voucher(session, ends_at=NOON + timedelta(hours=1))
    quoted = quotes.with_voucher(
        session, quotes.quote(session, a_cart(session, (honey, 1)), now=NOON), "TET50", now=NOON
    )
    assert quoted.deal is not None

    with pytest.raises(NotUsable, match="ended"):
        vouchers.take(session, quoted.deal, phone="+84912345678", now=later(hours=2))

    session.refresh(voucher)
    assert voucher.used == 0
