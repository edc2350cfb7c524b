"""Alcohol goes to adults only, who say so; strong drink is promoted nowhere."""

from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Act
from catalog import alcohol, sales
from catalog.alcohol import BadStrength, NotToBePromoted, is_alcohol
from catalog.products import Product
from core.clock import VIETNAM, utc_now
from core.db import Database
from core.money import Money
from livestream import shows
from livestream.goods import list_goods
from shop import age, quotes
from shop.orders import Order
from shop.wishes import Mistyped
from tests.conftest import NOON
from tests.factories import (
    a_commune,
    a_listed_product,
    a_producer,
    a_product,
    a_variant,
    later,
)
from tests.shop.promoting import a_voucher
from tests.shop.selling import SELLER, a_cart, an_order, checkout_form, fill_cart

ADULT = {"birth_year": "1980", "adult": "1"}


@pytest.mark.parametrize(
    ("name", "motif", "tenths", "expected"),
    [
        ("Rượu nếp cái hoa vàng", "ruou", None, True),
        ("Rượu mơ", "trai-cay", None, True),
        ("Bia thủ công", "nuoc", None, True),
        ("Cơm rượu nếp", "bat-com", None, False),
        ("Bìa sách", "tranh", None, False),
        ("Cơm rượu nếp", "bat-com", 30, True),
        ("Rượu vang không cồn", "ruou", 0, False),
        ("Mật ong", "mat-ong", None, False),
    ],
)
def test_alcohol_is_known_by_what_was_declared_else_by_its_name(
    session: Session, name: str, motif: str, tenths: int | None, *, expected: bool
) -> None:
    product = a_product(session, name=name, motif=motif, abv_tenths=tenths)

    assert is_alcohol(name, motif, tenths) is expected
    assert (alcohol.alcohol_among(session, [product.id]) == {product.id}) is expected


@pytest.mark.parametrize(
    ("tenths", "hidden"), [(None, True), (295, True), (150, True), (149, False), (0, False)]
)
def test_strong_drink_and_drink_of_unknown_strength_are_never_promoted(
    session: Session, tenths: int | None, *, hidden: bool
) -> None:
    product = a_product(session, name="Rượu ngô", motif="ruou", abv_tenths=tenths)

    assert (alcohol.never_promoted_among(session, [product.id]) == {product.id}) is hidden


def test_a_declared_strength_is_written_down_with_who_declared_it(session: Session) -> None:
    product = a_product(session, name="Rượu ngô", motif="ruou")

    alcohol.declare(session, product, 125, actor=SELLER, now=NOON)
    with pytest.raises(BadStrength):
        alcohol.declare(session, product, 1_001, actor=SELLER, now=NOON)
    session.flush()

    assert product.abv_tenths == 125
    assert session.scalars(select(Act.verb)).all() == ["product.alcohol"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (ADULT, None),
        ({"birth_year": "2008", "adult": "1"}, None),
        ({"birth_year": "2008"}, "adult"),
        ({"birth_year": "1980", "adult": "0"}, "adult"),
        ({"birth_year": "2009", "adult": "1"}, "birth_year"),
        ({"birth_year": "2026", "adult": "1"}, "birth_year"),
        ({"birth_year": "2027", "adult": "1"}, "birth_year"),
        ({"birth_year": "80", "adult": "1"}, "birth_year"),
        ({"birth_year": "19800", "adult": "1"}, "birth_year"),
        ({"birth_year": "１９８０", "adult": "1"}, "birth_year"),
        ({"birth_year": "-1980", "adult": "1"}, "birth_year"),
        ({"adult": "1"}, "birth_year"),
        ({}, "birth_year"),
    ],
)
def test_the_year_of_birth_and_the_statement_are_both_wanted(
    typed: dict[str, str], field: str | None
) -> None:
    found = [name for name, _why in age.mistakes_in(typed, today=date(2026, 11, 25))]

    assert found == ([field] if field else [])


def test_an_order_keeps_the_statement_and_not_the_year(session: Session) -> None:
    wine = a_variant(session, product=a_product(session, name="Rượu mơ", motif="ruou"))
    honey = a_variant(session)

    with pytest.raises(Mistyped) as refusal:
        an_order(session, (wine, 1), phone="1")
    assert [field for field, _why in refusal.value.mistakes] == ["phone", "birth_year"]
    adult = an_order(session, (wine, 1), birth_year="1980", adult="1")
    anyone = an_order(session, (honey, 1))

    assert (adult.adult, anyone.adult) == (True, False)
    assert "1980" not in str(vars(adult))


def test_a_minor_is_refused_plainly_and_nothing_is_ordered(
    visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        a_commune(session)
        wine = a_variant(session, product=a_product(session, name="Rượu mơ", motif="ruou")).id
    fill_cart(visitor, wine)
    assert "Năm sinh" in visitor.get("/dat-hang").text
    young = utc_now().astimezone(VIETNAM).year - 17
    form = checkout_form(visitor, birth_year=str(young), adult="1")

    answer = visitor.post("/dat-hang", data=form)

    assert answer.status_code == 422
    assert answer.text.count("Rượu, bia không bán cho người dưới 18 tuổi. Bỏ rượu, bia") == 2
    with database.reading() as session:
        assert session.scalars(select(Order)).all() == []
    assert visitor.post("/dat-hang", data={**form, **ADULT}).status_code == 303


def test_nobody_is_asked_for_an_age_without_alcohol(
    visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        a_commune(session)
        honey = a_variant(session).id
    fill_cart(visitor, honey)

    assert "Năm sinh" not in visitor.get("/dat-hang").text


def test_strong_drink_is_found_but_not_on_the_first_page(
    visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        a_listed_product(session, "Rượu ngô Bản Phố", price=90_000, motif="ruou")
        weak = a_listed_product(session, "Rượu vang dâu", price=90_000, motif="ruou")
        weak.abv_tenths = 110

    home = visitor.get("/").text
    found = visitor.get("/san-pham?q=rượu").text

    assert "Rượu ngô Bản Phố" not in home
    assert "Rượu vang dâu" in home
    assert "Rượu ngô Bản Phố" in found


def test_strong_drink_is_not_sold_in_a_show(session: Session) -> None:
    producer = a_producer(session)
    strong = a_product(session, producer=producer, name="Rượu ngô", motif="ruou", abv_tenths=300)
    wine = a_variant(session, product=strong)
    honey = a_variant(session, product=a_product(session, producer=producer))
    show = shows.plan(session, title="Phiên", producer_id=producer.id, starts_at=NOON)

    assert [one.variant_id for one in list_goods(session, producer.id)] == [honey.id]
    with pytest.raises(NotToBePromoted):
        shows.add_item(
            session, show, code="A1", variant_id=wine.id, name="Rượu", unit="chai",
            live_price=Money(1_000), cap=1,
        )  # fmt: skip


def test_the_products_page_says_who_may_buy(visitor: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        a_product(session, name="Rượu mơ", motif="ruou", slug="ruou-mo")
        a_variant(session, product=session.scalars(select(Product)).one())

    page = visitor.get("/san-pham/ruou-mo").text

    assert "không bán cho người dưới 18 tuổi" in page
    assert "Lúc đặt hàng phải cho biết năm sinh" in page
    assert "có hại cho sức khoẻ" in page


def test_strong_drink_has_no_sale_price_and_takes_no_voucher(session: Session) -> None:
    strong = a_product(session, name="Rượu ngô", motif="ruou", abv_tenths=300)
    wine, honey = a_variant(session, product=strong), a_variant(session)
    a_voucher(session, "TET50")
    cart = a_cart(session, (wine, 1), (honey, 1))

    with pytest.raises(NotToBePromoted):
        sales.set_sale(
            session, wine, price=Money(100_000), starts_at=None, ends_at=later(NOON, days=1),
            cap=None, actor=SELLER, now=NOON,
        )  # fmt: skip
    quote = quotes.with_voucher(session, quotes.quote(session, cart, now=NOON), "TET50", now=NOON)

    assert quote.deal is not None
    assert [key[0] for key in quote.deal.shares] == [honey.id]
