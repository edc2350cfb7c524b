"""Parts of the scan page that only some codes have: mended lines, papers, blocked labels."""

import re
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from accounts.audit import SYSTEM
from catalog.certificates import Certificate, PaperState
from catalog.lots import Lot
from catalog.products import Product
from core import intake
from core.db import Database
from tests.conftest import NOON
from tests.factories import a_star, a_step, later
from tests.traceability.house import House, a_house
from traceability import keeping, serials
from traceability.diary import StepKind
from traceability.keeping import Line
from traceability.serials import SerialState


@pytest.fixture
def house(app: Flask, database: Database) -> House:
    return a_house(app, database)


def test_a_corrected_line_is_struck_through_and_the_right_one_stands(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        lot = session.get_one(Lot, house.lot_id)
        wrong = a_step(session, lot, place="Đồi sai")
        keeping.correct(
            session,
            lot,
            wrong,
            Line(kind=StepKind.HARVEST, happened_at=NOON, place="Đồi đúng"),
            base="http://localhost",
            actor=SYSTEM,
            now=later(hours=1),
        )

    page = visitor.get(f"/truy-xuat/{house.lot_code}").text

    struck = re.findall(r"<del>(.*?)</del>", page, re.DOTALL)
    assert len(struck) == 1
    assert "Đồi sai" in struck[0]
    assert "Đồi đúng" not in struck[0]
    assert "Đồi đúng" in page


def a_paper(app: Flask, house: House, database: Database) -> int:
    file = BytesIO()
    Image.new("RGB", (80, 60), "white").save(file, "PNG")
    kept = intake.take_paper(app.extensions["storage"], file.getvalue())
    with database.transaction() as session:
        paper = a_star(session, session.get_one(Product, house.product_id))
        paper.file_key = kept.key
        return paper.id


def test_the_file_of_a_paper_is_one_tap_away(
    app: Flask, house: House, database: Database, visitor: FlaskClient
) -> None:
    paper_id = a_paper(app, house, database)
    with database.transaction() as session:
        lot = session.get_one(Lot, house.lot_id)
        (serial,) = serials.make(session, lot, 1, now=NOON, activated=True)

    for code in (house.lot_code, house.product_code, serial):
        address = f"/truy-xuat/{code}/giay-to/{paper_id}"
        assert address in visitor.get(f"/truy-xuat/{code}").text
        assert Image.open(BytesIO(visitor.get(address).data)).size == (80, 60)


def test_papers_of_others_or_not_in_force_are_not_given(
    app: Flask, house: House, database: Database, visitor: FlaskClient
) -> None:
    paper_id = a_paper(app, house, database)
    bare = visitor.get(f"/truy-xuat/{house.lot_code}/giay-to/{paper_id + 1}")
    unknown = visitor.get(f"/truy-xuat/7K3QX9M2PD7/giay-to/{paper_id}")
    with database.transaction() as session:
        session.get_one(Certificate, paper_id).state = PaperState.WITHDRAWN

    withdrawn = visitor.get(f"/truy-xuat/{house.lot_code}/giay-to/{paper_id}")

    assert (bare.status_code, unknown.status_code, withdrawn.status_code) == (404, 404, 404)


def test_a_label_a_person_blocked_sells_nothing_and_shows_no_star(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        a_star(session, session.get_one(Product, house.product_id))
        lot = session.get_one(Lot, house.lot_id)
        blocked, other = serials.make(session, lot, 2, now=NOON, activated=True)
        serials.move(session, blocked, SerialState.BLOCKED, actor=SYSTEM, now=NOON)
        serials.move(session, other, SerialState.WATCH, actor=SYSTEM, now=NOON)

    page = visitor.get(f"/truy-xuat/{blocked}").text
    watched = visitor.get(f"/truy-xuat/{other}").text

    assert "<h1>Tem đã bị hủy. Đừng tin tem này</h1>" in page
    assert 'class="phan cam"' in page
    assert "/gio-hang/them" not in page
    assert 'class="sao"' not in page
    assert "lưu hành</h1>" in watched


def test_the_share_preview_says_the_verdict_and_shows_a_picture(
    house: House, visitor: FlaskClient
) -> None:
    page = visitor.get(f"/truy-xuat/{house.lot_code}").text
    told = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)"', page))

    assert told["title"] == "Mã hợp lệ, hàng đang lưu hành"
    assert told["description"].startswith("Mật ong")
    assert told["url"] == f"http://localhost/truy-xuat/{house.lot_code}"
    picture = visitor.get(told["image"].removeprefix("http://localhost"))
    picture.close()
    assert picture.status_code == 200


def test_the_worker_is_asked_for_anew_each_time(visitor: FlaskClient) -> None:
    worker = visitor.get("/sw.js")

    assert worker.mimetype == "text/javascript"
    assert worker.headers["Cache-Control"] == "no-cache"
    assert (
        visitor.get("/sw.js", headers={"If-None-Match": worker.headers["ETag"]}).status_code == 304
    )
