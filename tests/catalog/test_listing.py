"""Filters combine, orders hold, and walking by cursor shows every row once, on both databases."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from itertools import product as combinations

import pytest
from sqlalchemy.orm import Session

from catalog import cards, listing, producers
from catalog.listing import Filters, Order
from catalog.lots import LotState
from catalog.products import OcopGroup, ProductState
from core.db import Database
from core.money import Money
from tests.conftest import NOON
from tests.factories import (
    a_commune,
    a_listed_product,
    a_lot,
    a_producer,
    a_product,
    a_province,
    a_star,
    a_variant,
)
from tests.queries import counted


def names(session: Session, filters: Filters) -> list[str]:
    rows, _next = listing.find_page(session, filters, after=None, now=NOON, limit=500)
    return [row.name for row in rows]


@pytest.fixture
def market(session: Session) -> Session:
    """A small market in which every filter has something to leave out."""
    near = a_producer(session, name="HTX Gần")
    a_province(session, code="19", name="Tỉnh Thái Nguyên")
    a_commune(session, code="05000", name="Xã Xa").parent_code = "19"
    far = a_producer(session, name="HTX Xa", province_code="19", commune_code="05000")
    tea = a_listed_product(session, "Chè xa", price=100_000, producer=far, season_months=0b110)
    honey = a_listed_product(session, "Mật ong gần", price=200_000, producer=near)
    pot = a_listed_product(
        session, "Bình gốm gần", price=300_000, producer=near, group=OcopGroup.HANDICRAFT
    )
    sold_out = a_listed_product(session, "Chè hết", price=50_000, in_stock=0, producer=near)
    a_listed_product(session, "Chè chưa bán", producer=near)
    a_star(session, tea, 4)
    a_star(session, honey, 3)
    a_star(session, pot, 5, issued=NOON.date().replace(year=2020))
    a_variant(session, product=sold_out, price=500_000, in_stock=5)
    return session


ALL = ["Chè chưa bán", "Chè hết", "Bình gốm gần", "Mật ong gần", "Chè xa"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), ALL),
        (Filters(query="che", order=Order.RELEVANT), ["Chè chưa bán", "Chè hết", "Chè xa"]),
        (Filters(commune="05000"), ["Chè xa"]),
        (Filters(province="01"), ALL[:4]),
        (Filters(group=OcopGroup.HANDICRAFT), ["Bình gốm gần"]),
        (Filters(stars=4), ["Chè xa"]),
        (Filters(stars=5), []),
        (Filters(month=2), ["Chè xa"]),
        (Filters(month=12), []),
        (Filters(in_stock=True), ["Chè hết", "Bình gốm gần", "Mật ong gần", "Chè xa"]),
        (Filters(price_from=150_000), ["Chè hết", "Bình gốm gần", "Mật ong gần"]),
        (Filters(price_to=150_000), ["Chè hết", "Chè xa"]),
        (Filters(price_to=150_000, in_stock=True), ["Chè xa"]),
        (Filters(price_from=0, price_to=0), []),
        (Filters(order=Order.CHEAP_FIRST), [ALL[1], ALL[4], ALL[3], ALL[2], ALL[0]]),
        (Filters(order=Order.DEAR_FIRST), [ALL[2], ALL[3], ALL[4], ALL[1], ALL[0]]),
        (Filters(order=Order.STARS), [ALL[4], ALL[3], ALL[0], ALL[1], ALL[2]]),
    ],
)
def test_a_filter_leaves_the_rest_out(
    market: Session, filters: Filters, expected: list[str]
) -> None:
    assert names(market, filters) == expected


def test_filters_together_are_what_each_leaves(market: Session) -> None:
    parts = [
        Filters(query="che"),
        Filters(province="01"),
        Filters(stars=3),
        Filters(in_stock=True),
        Filters(price_to=600_000),
        Filters(group=OcopGroup.FOOD),
    ]

    for one, other in combinations(parts, parts):
        changed = {
            field: getattr(other, field)
            for field in ("query", "province", "stars", "in_stock", "price_to", "group")
            if getattr(other, field) != getattr(Filters(), field)
        }
        both = replace(one, **changed)
        expected = [name for name in names(market, one) if name in names(market, other)]
        assert names(market, both) == expected


def test_price_and_stock_must_be_of_one_variant(session: Session) -> None:
    honey = a_product(session)
    a_variant(session, product=honey, price=90_000, in_stock=0)
    a_variant(session, product=honey, price=180_000, in_stock=5)

    assert names(session, Filters(in_stock=True, price_to=100_000)) == []
    assert names(session, Filters(in_stock=True, price_to=200_000)) == [honey.name]


def test_recalled_goods_are_not_in_stock(session: Session) -> None:
    honey = a_variant(session, in_stock=0)
    a_lot(session, honey, in_stock=5, state=LotState.RECALLED)

    assert names(session, Filters(in_stock=True)) == []


def test_drafts_and_suspended_makers_are_not_seen(session: Session) -> None:
    a_product(session, state=ProductState.DRAFT)
    maker = a_producer(session)
    a_product(session, producer=maker)

    producers.suspend(session, maker)

    assert names(session, Filters()) == []


@pytest.mark.parametrize("order", [*listing.Order])
def test_walking_by_cursor_shows_the_unpaged_list(session: Session, order: Order) -> None:
    for number in range(17):
        product = a_listed_product(
            session,
            f"Chè {'bún' if number % 3 else 'bùn'} {number}",
            price=[None, 10_000, 20_000][number % 3],
            in_stock=number % 2,
        )
        if number % 4 == 0:
            a_star(session, product, 3 + number % 3)
    filters = Filters(query="chè bún" if order is Order.RELEVANT else "", order=order)
    whole = names(session, filters)

    for limit in (1, 2, 7, 17):
        assert walk(session, filters, limit) == whole
    assert len(set(whole)) == 17


def walk(session: Session, filters: Filters, limit: int) -> list[str]:
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        rows, after = listing.find_page(session, filters, after=after, now=NOON, limit=limit)
        seen += [row.name for row in rows]
    return seen


FOREIGN_MARKS = (
    '["moi",0,0]',
    '["moi",9,0,5]',
    '["moi",-1,0,5]',
    '["gia-tang",0,1,5]',
    '["moi",0,null,5]',
    '["moi",0,0,9223372036854775808]',
    '["moi",0,0,9223372036854775807]',
    '{"a":1}',
    '["moi",true,0,5]',
    "[" * 200,
)


def test_a_cursor_of_another_kind_gives_the_first_page(session: Session) -> None:
    a_product(session)

    for mark in FOREIGN_MARKS:
        for cursor in (mark, urlsafe_b64encode(mark.encode()).decode()):
            rows, _next = listing.find_page(session, Filters(), after=cursor, now=NOON)
            assert len(rows) == 1, mark


def test_a_card_speaks_with_its_lowest_price(session: Session) -> None:
    honey = a_product(session)
    a_variant(session, product=honey, price=180_000, unit="chai 500 ml")
    a_variant(session, product=honey, price=95_000, unit="chai 250 ml", in_stock=0)
    a_star(session, honey, 4)
    rows, _next = listing.find_page(session, Filters(), after=None, now=NOON)

    [card] = cards.cards_of(session, rows, now=NOON)

    assert (card.price, card.unit, card.several) == (Money(95_000), "chai 250 ml", True)
    assert (card.in_stock, card.stars) == (True, 4)
    assert card.place == "Xã Đan Phượng, Hà Nội"


@pytest.mark.parametrize("rows", [10, 200])
def test_a_page_of_cards_costs_the_same_for_ten_and_two_hundred(
    database: Database, rows: int
) -> None:
    with database.transaction() as session:
        maker = a_producer(session)
        for _number in range(rows):
            a_variant(session, product=a_product(session, producer=maker))

    with database.reading() as session, counted(database) as asked:
        found, _next = listing.find_page(session, Filters(order=Order.STARS), after=None, now=NOON)
        cards.cards_of(session, found, now=NOON)

    assert len(asked) == 4
