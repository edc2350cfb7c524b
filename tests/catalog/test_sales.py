"""A sale price counts for its time and its pieces, and strikes through only what was true."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Act, Actor
from catalog import cards, listing, prices, products, sales, variants
from catalog.listing import Filters, Order
from catalog.sales import BadPrice, BadSale, SaleRuns, vietnam_moment
from catalog.variants import Variant, price_at, struck_price_at
from core.db import Database
from core.money import Money
from tests.conftest import NOON
from tests.factories import a_listed_product, a_producer, a_variant, later

SELLER = Actor(None, "Chị Hoa")
WEEK = timedelta(days=7)


def honey_of_old(session: Session, price: int = 200_000, *, days: int = 40) -> Variant:
    """A variant that buyers could buy at this price for so many days."""
    since = NOON - timedelta(days=days)
    product = a_listed_product(session, "Mật ong hoa nhãn", now=since)
    product.live_since = since
    return variants.add(
        session, product, sku=f"MO-{product.id}", unit="chai", price=Money(price), now=since
    )


def a_sale(session: Session, variant: Variant, price: int = 150_000, **given: Any) -> None:
    """A sale for a week from NOON on."""
    values: dict[str, Any] = {
        "starts_at": None,
        "ends_at": NOON + WEEK,
        "cap": None,
        "actor": SELLER,
        "now": NOON,
    }
    sales.set_sale(session, variant, price=Money(price), **{**values, **given})


@pytest.mark.parametrize(
    ("moment", "price"),
    [
        (NOON - timedelta(seconds=1), 200_000),
        (NOON, 150_000),
        (NOON + WEEK - timedelta(seconds=1), 150_000),
        (NOON + WEEK, 200_000),
    ],
)
def test_the_price_follows_the_clock(session: Session, moment: datetime, price: int) -> None:
    honey = honey_of_old(session)

    a_sale(session, honey)

    assert price_at(honey, moment) == Money(price)


def test_the_database_and_the_house_agree_on_the_price(session: Session) -> None:
    honey = honey_of_old(session)
    a_sale(session, honey, cap=3)

    for sold in (0, 2, 3):
        honey.sale_sold = sold
        session.flush()
        for moment in (NOON - WEEK, NOON, NOON + WEEK):
            told = session.execute(
                select(variants.price_now, variants.was_now).where(Variant.id == honey.id),
                {"now": moment},
            ).one()

            assert tuple(told) == (price_at(honey, moment), struck_price_at(honey, moment))


def test_lists_show_and_sort_by_the_sale_price(session: Session) -> None:
    honey = honey_of_old(session, 200_000)
    other = a_listed_product(session, "Trà shan", price=180_000)

    a_sale(session, honey, 150_000)

    page, _next = listing.find_page(
        session, Filters(order=Order.CHEAP_FIRST, price_to=180_000), after=None, now=NOON
    )
    shown = cards.cards_of(session, page, now=NOON)
    assert [(card.id, card.price, card.was) for card in shown] == [
        (honey.product_id, Money(150_000), Money(200_000)),
        (other.id, Money(180_000), None),
    ]


def test_the_clock_brings_lists_back_to_the_regular_price(
    database: Database,
) -> None:
    with database.transaction() as session:
        honey = honey_of_old(session)
        a_sale(session, honey, starts_at=NOON + timedelta(hours=1))
        honey_id = honey.id

    prices_shown = []
    for hours in (0.5, 1.5, 1.5, 24 * 8, 24 * 8):
        sales.follow_the_clock(database, later(hours=hours))
        with database.reading() as session:
            honey = variants.get(session, honey_id)
            prices_shown.append(_list_price(session, honey))

    assert prices_shown == [Money(n) for n in (200_000, 150_000, 150_000, 200_000, 200_000)]
    with database.reading() as session:
        history = [point.price for point in prices.list_points(session, honey_id, limit=9)]
    assert history == [Money(200_000), Money(150_000), Money(200_000)]


def _list_price(session: Session, variant: Variant) -> Money | None:
    return products.get(session, variant.product_id).list_price


def test_what_was_sold_for_a_month_is_struck_through(session: Session) -> None:
    honey = honey_of_old(session, 200_000)

    a_sale(session, honey)

    assert struck_price_at(honey, NOON) == Money(200_000)


def test_a_price_raised_just_before_the_sale_is_not_struck_through(session: Session) -> None:
    honey = honey_of_old(session, 200_000)
    sales.change_price(session, honey, Money(300_000), actor=SELLER, now=NOON - timedelta(days=3))

    a_sale(session, honey, 150_000)

    assert struck_price_at(honey, NOON) == Money(200_000)


def test_new_goods_have_nothing_to_be_struck_through(session: Session) -> None:
    honey = honey_of_old(session, 200_000, days=6)

    a_sale(session, honey)

    assert (price_at(honey, NOON), struck_price_at(honey, NOON)) == (Money(150_000), None)


def test_a_price_nobody_could_buy_at_is_never_struck_through(session: Session) -> None:
    honey = honey_of_old(session)
    hidden = products.get(session, honey.product_id)
    products.withdraw(session, hidden, now=NOON - timedelta(days=2))
    products.publish(session, hidden, now=NOON - timedelta(days=1))

    a_sale(session, honey)

    assert struck_price_at(honey, NOON) is None


def test_an_earlier_sale_lowers_what_may_be_struck_through(session: Session) -> None:
    honey = honey_of_old(session, 200_000)
    before = NOON - timedelta(days=20)
    a_sale(session, honey, 160_000, ends_at=NOON - timedelta(days=10), now=before)
    sales.stop_sale(session, honey, actor=SELLER, now=NOON - timedelta(days=12))

    a_sale(session, honey, 150_000)

    assert struck_price_at(honey, NOON) == Money(160_000)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"price": 200_000}, "sale_price"),
        ({"price": 0}, "sale_price"),
        ({"ends_at": NOON}, "until"),
        ({"ends_at": NOON + timedelta(days=91)}, "until"),
        ({"cap": 0}, "cap"),
    ],
)
def test_terms_that_cannot_be_right_are_refused(
    session: Session, given: dict[str, Any], field: str
) -> None:
    honey = honey_of_old(session)

    with pytest.raises(BadSale) as refusal:
        a_sale(session, honey, **given)

    assert refusal.value.field == field


def test_a_sample_price_cannot_be_on_sale(session: Session) -> None:
    honey = a_variant(session, price=200_000, price_is_sample=True)

    with pytest.raises(BadSale):
        a_sale(session, honey)


def test_one_sale_at_a_time(session: Session) -> None:
    honey = honey_of_old(session)
    a_sale(session, honey)

    with pytest.raises(SaleRuns):
        a_sale(session, honey, 140_000)


def test_a_sale_can_be_ended_and_both_acts_are_written_down(session: Session) -> None:
    honey = honey_of_old(session)
    a_sale(session, honey)

    ended = sales.stop_sale(session, honey, actor=SELLER, now=NOON)

    assert ended
    assert price_at(honey, NOON) == Money(200_000)
    verbs = list(session.scalars(select(Act.verb).order_by(Act.id)))
    assert verbs[-2:] == ["sale.set", "sale.stopped"]


def test_a_regular_price_below_the_sale_price_ends_the_sale(session: Session) -> None:
    honey = honey_of_old(session)
    a_sale(session, honey)

    sales.change_price(session, honey, Money(140_000), actor=SELLER, now=NOON)

    assert (price_at(honey, NOON), honey.sale_price) == (Money(140_000), None)


def test_a_seller_s_own_price_is_no_sample(session: Session) -> None:
    honey = a_variant(session, price=200_000, price_is_sample=True)

    sales.change_price(session, honey, Money(200_000), actor=SELLER, now=NOON)

    assert not honey.price_is_sample


def test_a_price_of_nothing_is_refused(session: Session) -> None:
    honey = honey_of_old(session)

    with pytest.raises(BadPrice):
        sales.change_price(session, honey, Money(0), actor=SELLER, now=NOON)


def test_pieces_are_counted_until_none_is_left(session: Session) -> None:
    honey = honey_of_old(session)
    a_sale(session, honey, cap=3)
    sale_id = honey.sale_id or 0

    first = sales.take(session, {sale_id: 2}, now=NOON)
    second = sales.take(session, {sale_id: 2}, now=NOON)
    sales.give_back(session, {sale_id: 1})
    third = sales.take(session, {sale_id: 2}, now=NOON)

    assert (first, second, third) == (None, sale_id, None)


def test_a_promise_is_kept_beyond_the_last_piece(session: Session) -> None:
    honey = honey_of_old(session)
    a_sale(session, honey, cap=1)
    sale_id = honey.sale_id or 0
    sales.take(session, {sale_id: 1}, now=NOON)

    sales.take_again(session, {sale_id: 1})

    session.refresh(honey)
    assert honey.sale_sold == 2
    assert price_at(honey, NOON) == Money(200_000)


def test_another_producer_s_goods_do_not_exist_here(session: Session) -> None:
    honey = honey_of_old(session)

    with pytest.raises(variants.NoSuchVariant):
        sales.get_of_producer(session, honey.id, a_producer(session).id)


@pytest.mark.parametrize(
    ("typed", "end", "expected"),
    [
        ("2026-11-25", False, "2026-11-24T17:00:00+00:00"),
        ("2026-11-25", True, "2026-11-25T17:00:00+00:00"),
        ("2026-11-25T20:30", True, "2026-11-25T13:30:00+00:00"),
        ("hôm nay", False, None),
        ("0001-01-01", False, None),
        ("9999-12-31", True, None),
        ("", False, None),
    ],
)
def test_days_are_days_of_vietnam(typed: str, end: bool, expected: str | None) -> None:  # noqa: FBT001
    moment = vietnam_moment(typed, end=end)

    assert (moment.isoformat() if moment else None) == expected


@given(st.integers(1, 10**6), st.integers(0, 50), st.integers(1, 60), st.integers(-90, 90))
def test_a_price_is_the_sale_s_or_the_regular_one_never_another(
    price: int, sold: int, quantity: int, minutes: int
) -> None:
    honey = Variant(
        price=Money(2 * price),
        sale_price=Money(price),
        sale_from=NOON,
        sale_until=NOON + timedelta(hours=1),
        sale_cap=50,
        sale_sold=sold,
    )

    asked = price_at(honey, NOON + timedelta(minutes=minutes), quantity=quantity)

    runs = 0 <= minutes < 60 and sold + quantity <= 50
    assert asked == Money(price if runs else 2 * price)


def test_goods_declared_strong_drink_lose_their_sale(database: Database) -> None:
    with database.transaction() as session:
        honey = honey_of_old(session)
        a_sale(session, honey)
        product = products.get(session, honey.product_id)
        product.motif, product.abv_tenths = "ruou", 400
        honey_id = honey.id

    sales.follow_the_clock(database, NOON)

    with database.reading() as session:
        assert price_at(variants.get(session, honey_id), NOON) == Money(200_000)


def test_a_price_lowered_before_the_sale_begins_lowers_what_is_struck_through(
    session: Session,
) -> None:
    honey = honey_of_old(session, 200_000)
    begins = NOON + timedelta(days=10)
    a_sale(session, honey, 150_000, starts_at=begins, ends_at=begins + WEEK)

    sales.change_price(session, honey, Money(160_000), actor=SELLER, now=later(days=1))

    assert struck_price_at(honey, begins) == Money(160_000)


def test_goods_taken_down_before_the_sale_begins_have_nothing_struck_through(
    database: Database,
) -> None:
    begins = NOON + timedelta(days=10)
    with database.transaction() as session:
        honey = honey_of_old(session, 200_000)
        a_sale(session, honey, 150_000, starts_at=begins, ends_at=begins + WEEK)
        product = products.get(session, honey.product_id)
        products.withdraw(session, product, now=later(days=7))
        products.publish(session, product, now=later(days=8))
        honey_id = honey.id

    sales.follow_the_clock(database, begins)

    with database.reading() as session:
        assert struck_price_at(variants.get(session, honey_id), begins) is None
