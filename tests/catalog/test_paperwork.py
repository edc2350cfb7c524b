"""Papers at the desk: of one's own goods, kept privately, and no stars by oneself."""

from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from accounts.users import Role
from catalog.certificates import Certificate, PaperKind
from catalog.producers import Producer
from catalog.products import Product
from core.db import Database
from tests.catalog.test_desk import a_member
from tests.factories import a_producer, a_product, a_user
from tests.visits import browser_of, csrf

PAPER = {
    "kind": "food_safety",
    "number": "12/2026/ATTP",
    "issuer": "Chi cục Quản lý chất lượng",
    "issued_on": "2026-01-05",
    "expires_on": "2029-01-05",
}


@pytest.fixture
def honey(database: Database) -> Product:
    """A product of a producer."""
    with database.transaction() as session:
        return a_product(session, producer=a_producer(session, name="HTX Mật"))


@pytest.fixture
def owner(app: Flask, database: Database, honey: Product) -> FlaskClient:
    """The browser of the producer of that product."""
    with database.transaction() as session:
        person = a_member(session, session.get_one(Producer, honey.producer_id))
    return browser_of(app, database, person)


def a_photo() -> BytesIO:
    file = BytesIO()
    Image.new("RGB", (40, 30), "white").save(file, "JPEG")
    file.seek(0)
    return file


def hand_in(browser: FlaskClient, honey: Product, **changed: object) -> int:
    form = {**PAPER, "product_id": honey.id, "csrf_token": csrf(browser, "/tai-khoan"), **changed}
    return browser.post("/ban-hang/htx-mat/giay-to", data=form).status_code


def test_a_paper_with_its_photo_is_kept_privately(
    owner: FlaskClient, database: Database, honey: Product
) -> None:
    assert hand_in(owner, honey, file=(a_photo(), "giay.jpg")) == 303

    with database.reading() as session:
        paper = session.scalars(select(Certificate)).one()
    assert (paper.kind, paper.number, paper.stars) == (PaperKind.FOOD_SAFETY, "12/2026/ATTP", None)
    assert str(paper.file_key).startswith("private/")
    assert "12/2026/ATTP" in owner.get("/ban-hang/htx-mat/giay-to").text
    with owner.get(f"/ban-hang/htx-mat/giay-to/{paper.id}/tep") as file:
        assert file.headers["Content-Disposition"].startswith("attachment")
        assert file.data[8:12] == b"WEBP"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "licence"),
        ("number", ""),
        ("issuer", "x" * 121),
        ("issued_on", ""),
        ("issued_on", "05/01/2026"),
        ("issued_on", "2999-01-01"),
        ("expires_on", "2025-01-01"),
        ("product_id", "999999"),
        ("product_id", "x"),
    ],
)
def test_a_wrong_paper_is_not_written_down(
    owner: FlaskClient, database: Database, honey: Product, field: str, value: str
) -> None:
    assert hand_in(owner, honey, **{field: value}) == 422

    with database.reading() as session:
        assert session.scalars(select(Certificate)).all() == []


def test_a_file_that_is_no_paper_is_refused(
    owner: FlaskClient, database: Database, honey: Product
) -> None:
    assert hand_in(owner, honey, file=(BytesIO(b"MZ not a paper"), "giay.pdf")) == 422

    with database.reading() as session:
        assert session.scalars(select(Certificate)).all() == []


def test_nobody_gives_stars_to_itself(
    owner: FlaskClient, database: Database, honey: Product
) -> None:
    assert hand_in(owner, honey, kind="ocop", stars="5") == 403

    with database.reading() as session:
        assert session.scalars(select(Certificate)).all() == []


def test_staff_enter_stars(app: Flask, database: Database, honey: Product) -> None:
    with database.transaction() as session:
        staff = a_user(session, role=Role.STAFF)

    assert hand_in(browser_of(app, database, staff), honey, kind="ocop", stars="4") == 303

    with database.reading() as session:
        assert session.scalars(select(Certificate.stars)).one() == 4


def test_a_paper_of_others_goods_is_not_there(
    owner: FlaskClient, database: Database, honey: Product
) -> None:
    with database.transaction() as session:
        other = a_product(session)
    hand_in(owner, honey)
    with database.transaction() as session:
        paper = session.scalars(select(Certificate)).one()
        paper.product_id = other.id

    assert hand_in(owner, honey, product_id=other.id) == 422
    assert owner.get(f"/ban-hang/htx-mat/giay-to/{paper.id}/tep").status_code == 404
