"""The JSON API says what the pages say, and answers whatever is asked as its description says."""

from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings

from core.db import Database
from shop.views import api
from tests.conftest import NOON
from tests.factories import (
    a_listed_product,
    a_lot,
    a_producer,
    a_star,
    a_variant,
)
from tests.queries import counted
from traceability import trace_codes

EXAMPLES = 40


@pytest.fixture
def market(database: Database) -> Database:
    """Five products of one maker, one with stars."""
    with database.transaction() as session:
        maker = a_producer(session, name="HTX Mật ong", slug="htx-mat-ong")
        for number in range(5):
            product = a_listed_product(
                session,
                f"Mật ong số {number}",
                price=100_000 + number,
                in_stock=number,
                producer=maker,
            )
            if number == 4:
                a_star(session, product, 4)
    return database


def test_products_come_page_by_page_and_each_once(market: Database, visitor: FlaskClient) -> None:
    first = visitor.get("/api/v1/products?limit=3").get_json()
    second = visitor.get(f"/api/v1/products?limit=3&cursor={first['next']}").get_json()

    names = [product["name"] for product in first["products"] + second["products"]]
    assert names == [f"Mật ong số {number}" for number in (4, 3, 2, 1, 0)]
    assert second["next"] is None


def test_a_product_is_told_as_its_page_tells_it(market: Database, visitor: FlaskClient) -> None:
    listed = visitor.get("/api/v1/products?stars=4&q=mat+ong&producer=htx-mat-ong").get_json()
    slug = listed["products"][0]["slug"]

    told = visitor.get(f"/api/v1/products/{slug}").get_json()

    assert told["offers"] == listed["products"][0]["offers"]
    assert told["offers"][0]["price"] == 100_004
    assert told["offers"][0]["available"] == 4
    assert (told["stars"], told["maker"]["slug"]) == (4, "htx-mat-ong")
    assert told["certificates"][0]["kind"] == "ocop"
    assert told["url"].endswith(f"/san-pham/{slug}")


def test_a_lot_is_told_with_its_verdict_and_where_the_evidence_stands(
    database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        product = a_listed_product(session, "Trà shan tuyết", price=90_000)
        variant = a_variant(session, product=product)
        lot = a_lot(session, variant, code="L-77", expires_on=date(2026, 11, 2))
        code = trace_codes.ensure_lot_code(session, lot, now=NOON)
        slug = product.slug

    told = visitor.get(f"/api/v1/lots/{code.lower()}").get_json()

    assert (told["id"], told["verdict"], told["lot_number"]) == (code, "expired", "L-77")
    assert (told["product"], told["expires_on"]) == (slug, "2026-11-02")
    assert visitor.get(urlsplit(told["links"]["passport"]).path).get_json()["so_lo"] == "L-77"


def test_a_page_of_a_hundred_asks_as_often_as_a_page_of_one(
    market: Database, visitor: FlaskClient
) -> None:
    with counted(market) as one:
        visitor.get("/api/v1/products?limit=1")
    with counted(market) as many:
        visitor.get("/api/v1/products?limit=100")

    assert len(many) == len(one) <= 6


@pytest.mark.parametrize(
    ("asked", "status", "named"),
    [
        ("products?limit=0", 422, "limit"),
        ("products?stars=9", 422, "stars"),
        ("products?producer=nobody", 404, "nobody"),
        ("products?commune=99999", 404, "99999"),
        ("products?q=%00", 400, "q"),
        ("products/khong-co", 404, ""),
        ("lots/AAAAAAAAAA", 404, ""),
        ("nothing-here", 404, ""),
    ],
)
def test_what_cannot_be_answered_is_said_as_a_problem(
    visitor: FlaskClient, asked: str, status: int, named: str
) -> None:
    answer = visitor.get(f"/api/v1/{asked}")

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["status"] == status
    assert named in answer.get_json().get("detail", "")


def test_one_network_asks_so_often_and_no_more(
    visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "QUESTIONS", 2)

    statuses = [visitor.get("/api/v1/products?limit=1").status_code for _ in range(3)]
    last = visitor.get("/api/v1/products?limit=2")

    assert statuses[:2] == [200, 200]
    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) > 0
    assert last.get_json()["status"] == 429


def test_nothing_is_answered_but_what_is_described(
    app: Flask, market: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "QUESTIONS", 10**9)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)

    @given(case=schema.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case[Any]) -> None:
        # Its reader for applications within the process cannot unpack.
        case.call_and_validate(headers={"Accept-Encoding": "identity"})

    check()
