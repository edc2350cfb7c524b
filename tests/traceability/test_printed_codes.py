"""What is printed once answers for as long as it sticks, whatever becomes of the goods."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from accounts.audit import SYSTEM
from catalog import barcodes, producers, products
from catalog.lots import Lot
from catalog.producers import Producer
from catalog.products import Product, ProductState
from catalog.variants import Variant
from core.db import Database
from tests.conftest import NOON
from tests.factories import a_product, a_variant
from tests.traceability.house import GTIN, House, a_house
from traceability import serials, trace_codes

HOME = "http://localhost"
NEW = "09521234000013"
LATER = NOON + timedelta(days=400)


@pytest.fixture
def house(app: Flask, database: Database) -> House:
    return a_house(app, database)


def renumber(house: House, database: Database, typed: str) -> None:
    with database.transaction() as session:
        session.get_one(Product, house.product_id).is_sample = True
        barcodes.give(session, house.producer_id, house.variant_id, typed, actor=SYSTEM, now=LATER)


def every_printed(house: House, database: Database) -> dict[str, str]:
    """Each kind of printed address, and the page it leads to."""
    with database.transaction() as session:
        lot = session.get_one(Lot, house.lot_id)
        (serial,) = serials.make(session, lot, 1, now=NOON, activated=True)
    return {
        f"/t/{house.product_code}": house.product_code,
        f"/t/{house.lot_code}": house.lot_code,
        f"/t/{serial}": serial,
        f"/01/{GTIN}": house.product_code,
        f"/01/{GTIN}/10/MAT-01": house.lot_code,
        f"/01/{GTIN}/10/MAT-01/21/{serial}": serial,
    }


def assert_all_answer(visitor: FlaskClient, printed: dict[str, str]) -> None:
    for address, code in printed.items():
        answer = visitor.get(address)
        assert answer.headers["Location"] == f"{HOME}/truy-xuat/{code}", address
        assert visitor.get(answer.headers["Location"]).status_code == 200, address


@pytest.mark.parametrize("state", list(ProductState))
def test_in_every_state_of_the_goods(
    house: House, database: Database, visitor: FlaskClient, state: ProductState
) -> None:
    printed = every_printed(house, database)
    with database.transaction() as session:
        session.get_one(Product, house.product_id).state = state

    assert_all_answer(visitor, printed)


def test_after_new_names_of_goods_and_maker(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    printed = every_printed(house, database)
    with database.transaction() as session:
        products.rename(session, session.get_one(Product, house.product_id), "Mật rừng", now=LATER)
        producers.rename(session, session.get_one(Producer, house.producer_id), "HTX B", now=LATER)

    assert_all_answer(visitor, printed)
    page = visitor.get(f"/truy-xuat/{house.lot_code}").text
    assert "Mật rừng" in page
    assert "HTX B" in page


def test_after_the_maker_is_suspended(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    printed = every_printed(house, database)
    with database.transaction() as session:
        producers.suspend(session, session.get_one(Producer, house.producer_id))

    assert_all_answer(visitor, printed)


def test_after_the_goods_get_their_first_number(
    app: Flask, database: Database, visitor: FlaskClient
) -> None:
    house = a_house(app, database, gtin=None)
    printed = {
        f"/t/{house.product_code}": house.product_code,
        f"/t/{house.lot_code}": house.lot_code,
    }
    before = visitor.get(f"/t/{house.lot_code}?linkType=linkset").json

    renumber(house, database, NEW)

    assert_all_answer(visitor, printed)
    assert_all_answer(visitor, {f"/01/{NEW}/10/MAT-01": house.lot_code})
    assert visitor.get(f"/t/{house.lot_code}?linkType=linkset").json == before


def test_after_the_goods_get_another_number_or_lose_it(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    printed = every_printed(house, database)

    renumber(house, database, NEW)
    assert_all_answer(visitor, printed)
    renumber(house, database, "")

    assert_all_answer(visitor, printed)
    assert_all_answer(visitor, {f"/01/{NEW}/10/MAT-01": house.lot_code})


def test_a_number_given_to_other_goods_names_those(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    renumber(house, database, NEW)
    with database.transaction() as session:
        other = a_product(session)
        a_variant(session, product=other, gtin=GTIN)
        code = trace_codes.ensure_product_code(session, other.id, now=LATER)

    answer = visitor.get(f"/01/{GTIN}")

    assert answer.headers["Location"] == f"{HOME}/truy-xuat/{code}"


def test_a_number_that_goes_round_comes_back_to_its_last_goods(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    renumber(house, database, NEW)
    renumber(house, database, GTIN)
    renumber(house, database, NEW)

    assert_all_answer(visitor, {f"/01/{GTIN}/10/MAT-01": house.lot_code})


def test_a_variant_taken_off_the_shelf_keeps_its_codes(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    printed = every_printed(house, database)
    with database.transaction() as session:
        variant = session.get_one(Variant, house.variant_id)
        variant.price = None

    assert_all_answer(visitor, printed)
