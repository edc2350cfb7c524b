"""A product's page says what is known, badges what counts today, and sells or says why not."""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from catalog import producers, products
from catalog.lots import LotState
from catalog.products import Product, ProductState
from core.db import Database
from core.money import Money
from shop.delivery import DeliveryKind, DeliveryMethod
from tests.conftest import NOON
from tests.factories import a_lot, a_producer, a_product, a_star, a_step, a_variant
from tests.queries import counted
from traceability.trace_codes import ensure_lot_code


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Stop the clock: badges and lots depend on the day."""
    with time_machine.travel(NOON, tick=False):
        yield


def honey(session: Session, **given: Any) -> Product:
    """Honey at a price, in stock."""
    product = a_product(session, **{"slug": "mat-ong", "name": "Mật ong", **given})
    a_variant(session, product=product, price=165_000, unit="chai 500 ml")
    return product


def structured(page: str) -> dict[str, dict[str, Any]]:
    """Return the page's JSON-LD by type."""
    [text] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    return {thing["@type"]: thing for thing in json.loads(text)["@graph"]}


def test_the_page_shows_price_unit_and_both_buttons(
    database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        honey(session)

    page = visitor.get("/san-pham/mat-ong").text

    assert "165.000\u00a0₫ <small>/ chai 500 ml</small>" in page
    assert 'action="/gio-hang/them"' in page
    assert "Thêm vào giỏ" in page
    assert "Mua ngay" in page


@pytest.mark.parametrize(
    ("issued", "badge"),
    [(date(2023, 11, 25), False), (date(2023, 11, 26), True), (date(2026, 11, 26), False)],
)
def test_the_badge_is_there_while_the_certificate_counts(
    database: Database,
    visitor: FlaskClient,
    issued: date,
    badge: bool,  # noqa: FBT001
) -> None:
    with database.transaction() as session:
        product = honey(session, claimed_stars=5, claimed_year=2023)
        a_star(session, product, 4, issued=issued)

    page = visitor.get("/san-pham/mat-ong").text

    assert ('class="sao"' in page) is badge
    assert ("được công nhận 5 sao (2023), chưa có giấy còn hạn" in page) is not badge
    assert ("award" in structured(page)["Product"]) is badge


def test_claimed_stars_alone_give_no_badge(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        honey(session, claimed_stars=4)

    for address in ("/san-pham/mat-ong", "/san-pham", "/"):
        page = visitor.get(address).text
        assert 'class="sao"' not in page
        assert "OCOP 4 sao ·" not in page
    assert "được công nhận 4 sao, chưa có giấy còn hạn" in visitor.get("/san-pham/mat-ong").text


def test_structured_data_says_what_the_page_says(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        product = honey(session, name="Mật ong </script><b>")
        a_star(session, product, 4)

    page = visitor.get("/san-pham/mat-ong")

    things = structured(page.text)
    [offer] = things["Product"]["offers"]
    assert things["Product"]["name"] == "Mật ong </script><b>"
    assert (offer["price"], offer["priceCurrency"]) == (165_000, "VND")
    assert offer["availability"] == "https://schema.org/InStock"
    assert things["Product"]["manufacturer"]["@type"] == "Organization"
    assert [step["position"] for step in things["BreadcrumbList"]["itemListElement"]] == [
        1,
        2,
        3,
        4,
    ]
    assert things["Product"]["image"][0].endswith(".jpg")


def test_goods_without_a_maker_are_shown_not_sold(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        honey(session).producer_id = None

    page = visitor.get("/san-pham/mat-ong").text

    assert "Chưa có nơi bán" in page
    assert "/gio-hang/them" not in page
    assert "offers" not in structured(page)["Product"]
    assert "manufacturer" not in structured(page)["Product"]


def test_goods_without_a_price_are_not_sold(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        a_product(session, slug="mat-ong")

    page = visitor.get("/san-pham/mat-ong").text

    assert "Chưa bán ở đây" in page
    assert "offers" not in structured(page)["Product"]


def test_sold_out_goods_have_no_buy_form(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        product = a_product(session, slug="mat-ong")
        a_variant(session, product=product, in_stock=0)

    page = visitor.get("/san-pham/mat-ong").text

    assert "Hết hàng" in page
    assert "/gio-hang/them" not in page
    [offer] = structured(page)["Product"]["offers"]
    assert offer["availability"] == "https://schema.org/OutOfStock"


def test_one_of_several_sizes_is_chosen(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        product = a_product(session, slug="mat-ong")
        a_variant(session, product=product, price=90_000, name="250 ml", in_stock=0)
        a_variant(session, product=product, price=180_000, name="500 ml", sku="MO-500")
        a_variant(session, product=product, price=340_000, name="1 lít", sku="MO-1L")

    plain = visitor.get("/san-pham/mat-ong").text
    linked = visitor.get("/san-pham/mat-ong?loai=MO-1L").text

    assert plain.count('type="radio"') == 3
    assert re.findall(r'value="\d+" (checked|disabled)|value="\d+"( checked)', plain)
    checked = [
        re.search(r"checked>.*?<b class=\"so\">(.*?)</b>", p, re.DOTALL) for p in (plain, linked)
    ]
    assert [found and found.group(1) for found in checked] == [
        "180.000\u00a0₫",
        "340.000\u00a0₫",
    ]


def test_the_lot_on_sale_tells_its_last_steps(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        product = a_product(session, slug="mat-ong")
        variant = a_variant(session, product=product, in_stock=0)
        a_lot(session, variant, in_stock=5, code="CU-1", state=LotState.RECALLED)
        lot = a_lot(session, variant, in_stock=5, code="MOI-1")
        for days in (9, 8, 7, 6):
            a_step(session, lot, happened_at=NOON - timedelta(days=days), note=f"bước {days}")
        code = ensure_lot_code(session, lot, now=NOON)

    page = visitor.get("/san-pham/mat-ong").text

    assert "Lô đang bán: MOI-1" in page
    assert re.findall(r"bước \d", page) == ["bước 8", "bước 7", "bước 6"]
    assert f"/truy-xuat/{code}" in page


def test_an_old_address_leads_to_the_goods_for_ever(
    database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        product = honey(session)
        products.rename(session, product, "Mật ong rừng", now=NOON)
        products.rename(session, product, "Mật ong già", now=NOON)

    for old in ("mat-ong", "mat-ong-rung"):
        answer = visitor.get(f"/en/san-pham/{old}")
        assert (answer.status_code, answer.location) == (301, "/en/san-pham/mat-ong-gia")
    assert visitor.get("/san-pham/mat-ong-gia").status_code == 200


def test_what_may_not_be_seen_is_not_here(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        honey(session, slug="nhap", state=ProductState.DRAFT)
        honey(session, slug="rut", state=ProductState.WITHDRAWN)
        maker = a_producer(session, name="HTX Dừng")
        honey(session, slug="dung", producer=maker)
        producers.suspend(session, maker)

    statuses = [
        visitor.get(f"/san-pham/{slug}").status_code for slug in ("nhap", "rut", "dung", "x")
    ]
    assert statuses == [404, 410, 404, 404]
    assert visitor.get("/nha-san-xuat/htx-dung").status_code == 404


def test_the_way_of_delivery_and_its_price_are_said(
    database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        product = honey(session)
        session.add(
            DeliveryMethod(
                producer_id=product.producer_id or 0,
                kind=DeliveryKind.POST,
                name="Bưu điện",
                fee=Money(30_000),
                free_from=Money(500_000),
                is_sample=True,
            )
        )

    page = visitor.get("/san-pham/mat-ong").text

    assert 'Phí giao từ <b class="so">30.000\u00a0₫</b>' in page
    assert "phí minh hoạ" in page


def test_alcohol_is_not_for_children(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        honey(session, slug="ruou", name="Rượu ngô", motif="ruou")

    assert "không bán cho người dưới 18 tuổi" in visitor.get("/san-pham/ruou").text


@pytest.mark.parametrize("rows", [10, 200])
def test_a_product_asks_six_questions_at_most(
    database: Database, visitor: FlaskClient, rows: int
) -> None:
    with database.transaction() as session:
        product = honey(session)
        maker = a_producer(session)
        for _number in range(rows):
            other = a_product(session, producer=maker)
            a_star(session, other)
        variant = a_variant(session, product=product)
        lot = a_lot(session, variant, in_stock=3)
        a_step(session, lot)

    with counted(database) as asked:
        answer = visitor.get("/san-pham/mat-ong")

    assert answer.status_code == 200
    assert len(asked) <= 6
