"""What buyers and planners see of a show: numbers that are true, slips told in place."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from accounts.audit import SYSTEM
from accounts.users import Role
from catalog import members, stock
from catalog.stock import Wanted
from core.db import Database
from tests.conftest import NOON
from tests.factories import a_producer, a_product, a_show, a_user, a_variant, an_item
from tests.visits import browser_of, send


def test_a_jar_sold_in_the_shop_is_not_left_in_the_show(
    visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        show = a_show(session)
        honey = an_item(session, show, "A1", in_stock=10)
        tea = an_item(session, show, "B2", in_stock=3)
        sold = [Wanted(honey.variant_id, 7), Wanted(tea.variant_id, 3)]
        stock.reserve(session, sold, now=NOON, expires_at=None)
        slug = show.slug

    page = visitor.get(f"/live/{slug}").text

    assert "còn 3" in page
    assert "còn 10" not in page
    assert "đã có người giữ hết" in page


@pytest.mark.parametrize(
    "slip",
    [
        {"starts_at": "0001-01-01T00:00"},
        {"starts_at": "9999-12-31T23:59"},
        {"starts_at": "mai"},
        {"title": "x" * 121},
        {"title": " "},
    ],
)
def test_a_slip_in_the_plan_of_a_show_is_told(
    app: Flask, database: Database, slip: dict[str, str]
) -> None:
    with database.transaction() as session:
        producer = a_producer(session)
        owner = a_user(session, role=Role.PRODUCER)
        members.add(session, producer, owner, actor=SYSTEM, now=NOON)
        variant = a_variant(session, product=a_product(session, producer=producer))
        number, slug = variant.id, producer.slug
    plan = {
        "title": "Phiên tối thứ bảy",
        "starts_at": "2026-12-05T20:00",
        f"chon-{number}": "1",
        f"ma-{number}": "A1",
        f"gia-{number}": "100000",
    }
    browser, address = browser_of(app, database, owner), f"/ban-hang/{slug}/live/moi"

    right = send(browser, address, page=address, **plan)
    wrong = send(browser, address, page=address, **{**plan, **slip})

    assert (right.status_code, wrong.status_code) == (303, 422)
