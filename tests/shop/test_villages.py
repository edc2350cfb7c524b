"""A village's page: its story with who vouches for it, what is fresh when, and who sells live."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from accounts.users import Role
from catalog import villages
from catalog.producers import Producer
from catalog.products import OcopGroup
from core.clock import utc_now
from core.db import Database
from livestream import shows
from livestream.shows import ShowState
from tests.factories import a_commune, a_listed_product, a_producer, a_show, a_user
from tests.queries import counted
from tests.visits import browser_of, csrf


@pytest.fixture
def maker(database: Database) -> Producer:
    """A potter of Bát Tràng with goods, a workshop to visit and a show next week."""
    with database.transaction() as session:
        commune = a_commune(session).code
        village = villages.add(
            session, "Bát Tràng", source="https://example.org", commune_code=commune, craft="Gốm"
        )
        maker = a_producer(session, name="Gốm Sáu", commune_code=commune, village_id=village.id)
        given = {"producer": maker, "village_id": village.id, "price": 90_000}
        a_listed_product(session, "Bưởi đỏ", season_months=0b110000000000, **given)
        a_listed_product(session, "Nặn gốm", group=OcopGroup.TOURISM, **given)
        show = a_show(session, producer=maker)
        show.title, show.starts_at = "Gốm mới ra lò", utc_now() + timedelta(days=7)
        show.state = ShowState.DRAFT
        old = a_show(session, producer=maker)
        old.title, old.starts_at = "Phiên đã qua", utc_now() - timedelta(days=7)
        old.state = ShowState.DRAFT
    return maker


def test_the_page_tells_seasons_visits_and_the_next_show(
    database: Database, visitor: FlaskClient, maker: Producer
) -> None:
    with counted(database) as asked:
        page = visitor.get("/lang/bat-trang").text

    assert "tháng 11, 12" in page
    assert "Đến chơi, nghỉ lại, học nghề" in page
    assert "Gốm mới ra lò" in page
    assert "Phiên đã qua" not in page
    assert "Đường đến" not in page
    assert len(asked) <= 9
    assert "Gốm mới ra lò" in visitor.get("/xa/09784").text
    assert "Gốm mới ra lò" in visitor.get(f"/nha-san-xuat/{maker.slug}").text


def test_a_show_on_air_comes_first_and_is_said_to_be_on(
    database: Database, visitor: FlaskClient, maker: Producer
) -> None:
    with database.transaction() as session:
        forgotten, on_air = shows.list_shows(session, maker.id)
        forgotten.state = on_air.state = ShowState.LIVE
        on_air.starts_at = utc_now() - timedelta(minutes=30)

    assert visitor.get("/lang/bat-trang").text.count("đang live") == 1


def test_staff_write_the_story_and_name_who_vouches(
    app: Flask, database: Database, visitor: FlaskClient, maker: Producer
) -> None:
    with database.transaction() as session:
        staff = a_user(session, role=Role.STAFF)
    desk = browser_of(app, database, staff)
    told = {
        "csrf_token": csrf(desk, "/quan-tri/lang/bat-trang"),
        "story": "Lò đầu tiên đỏ lửa từ đời Lý.",
        "directions": "Xe buýt 47 từ Long Biên.",
        "story_en": "Kilns since the Lý.",
        "directions_en": "",
        "told_by": "",
    }

    refused = desk.post("/quan-tri/lang/bat-trang", data=told)
    kept = desk.post("/quan-tri/lang/bat-trang", data={**told, "told_by": "Cụ Lê, trưởng họ"})

    assert (refused.status_code, kept.status_code) == (422, 303)
    assert 'id="told_by-loi"' in refused.text
    assert "Lò đầu tiên" in refused.text
    page = visitor.get("/lang/bat-trang").text
    assert "Lò đầu tiên đỏ lửa từ đời Lý." in page
    assert "Cụ Lê, trưởng họ" in page
    english = visitor.get("/en/lang/bat-trang").text
    assert "Kilns since the Lý." in english
    assert "Xe buýt 47" in english
    assert "Bát Tràng" in desk.get("/quan-tri/lang?q=bat trang").text
