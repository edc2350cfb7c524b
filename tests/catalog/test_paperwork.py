"""Papers at the desk: of one's own goods, kept privately, and no stars by oneself."""

from datetime import date
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from accounts.audit import SYSTEM
from accounts.users import Role
from catalog import certificates, missing_papers, paperwork
from catalog.certificates import Certificate, PaperKind, PaperState
from catalog.producers import Producer
from catalog.products import OcopGroup, Product
from core.clock import utc_now, vietnam_day
from core.db import Database
from tests.catalog.test_desk import a_member
from tests.factories import a_producer, a_product, a_star, a_user, a_variant
from tests.visits import browser_of, csrf, send

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


def the_paper(database: Database) -> Certificate:
    with database.reading() as session:
        return session.scalars(select(Certificate)).one()


def stars_now(database: Database, honey: Product) -> dict[int, int]:
    with database.reading() as session:
        return certificates.stars_today(session, [honey.id], vietnam_day(utc_now()))


def a_browser_of_staff(app: Flask, database: Database) -> FlaskClient:
    with database.transaction() as session:
        person = a_user(session, role=Role.STAFF)
    return browser_of(app, database, person)


def hand_in_stars(owner: FlaskClient, honey: Product, **more: object) -> int:
    return hand_in(owner, honey, kind="ocop", stars="5", file=(a_photo(), "giay.jpg"), **more)


def test_nobody_gives_stars_to_itself(
    owner: FlaskClient, database: Database, honey: Product
) -> None:
    assert hand_in_stars(owner, honey) == 303

    assert the_paper(database).state is PaperState.WAITING
    assert stars_now(database, honey) == {}


def test_staff_can_look_at_nothing_without_a_file(
    owner: FlaskClient, database: Database, honey: Product
) -> None:
    assert hand_in(owner, honey, kind="ocop", stars="5") == 422


def test_stars_appear_when_staff_have_seen_the_paper(
    app: Flask, owner: FlaskClient, database: Database, honey: Product
) -> None:
    hand_in_stars(owner, honey)
    paper = the_paper(database)
    staff = a_browser_of_staff(app, database)
    page = "/quan-tri/giay-to"

    assert "12/2026/ATTP" in staff.get(page).text
    assert send(staff, f"{page}/{paper.id}", page=page, what="approve").status_code == 303
    again = send(staff, f"{page}/{paper.id}", page="/tai-khoan", what="refuse", answer="mờ")

    assert stars_now(database, honey) == {honey.id: 5}
    assert the_paper(database).expires_on == date(2029, 1, 5)
    assert again.status_code == 422
    assert send(owner, f"{page}/{paper.id}", page="/tai-khoan").status_code == 404


def test_a_refused_paper_says_why(
    app: Flask, owner: FlaskClient, database: Database, honey: Product
) -> None:
    hand_in_stars(owner, honey)
    paper = the_paper(database)
    staff = a_browser_of_staff(app, database)
    page = "/quan-tri/giay-to"

    wordless = send(staff, f"{page}/{paper.id}", page=page, what="refuse", answer=" ")
    send(staff, f"{page}/{paper.id}", page=page, what="refuse", answer="Ảnh mờ")

    assert wordless.status_code == 422
    assert "Ảnh mờ" in owner.get("/ban-hang/htx-mat/giay-to").text
    assert stars_now(database, honey) == {}


def test_a_withdrawn_paper_takes_its_stars_along(
    owner: FlaskClient, database: Database, honey: Product
) -> None:
    with database.transaction() as session:
        paper = a_star(session, honey)
    before = stars_now(database, honey)
    page = "/ban-hang/htx-mat/giay-to"

    send(owner, f"{page}/{paper.id}/rut", page=page, answer="Tỉnh thu hồi quyết định")

    assert before == {honey.id: 4}
    assert stars_now(database, honey) == {}
    assert "Tỉnh thu hồi quyết định" in owner.get(page).text


def test_a_newer_paper_takes_the_place_of_the_old_one(
    owner: FlaskClient, database: Database, honey: Product
) -> None:
    hand_in(owner, honey)
    old = the_paper(database)
    page = owner.get(f"/ban-hang/htx-mat/giay-to?thay={old.id}").text

    assert f'name="replaces" value="{old.id}"' in page
    assert hand_in(owner, honey, number="99/2026/ATTP", replaces=str(old.id)) == 303

    with database.reading() as session:
        found = {one.number: one.state for one in session.scalars(select(Certificate))}
    assert found == {
        "12/2026/ATTP": PaperState.REPLACED,
        "99/2026/ATTP": PaperState.IN_FORCE,
    }


def test_a_number_of_gs1_vietnam_needs_a_certificate_that_staff_saw(
    owner: FlaskClient, database: Database, honey: Product
) -> None:
    today = vietnam_day(utc_now())
    hand_in(owner, honey, kind="gtin", file=(a_photo(), "giay.jpg"))
    with database.transaction() as session:
        waiting = certificates.is_certified(session, honey.producer_id or 0, today)
        paper = session.scalars(select(Certificate)).one()
        paperwork.approve(session, paper, actor=SYSTEM, role=Role.STAFF, now=utc_now())
        seen = certificates.is_certified(session, honey.producer_id or 0, today)

    assert (waiting, seen) == (False, True)


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


def test_the_desk_says_plainly_which_papers_are_missing(
    owner: FlaskClient, database: Database, honey: Product
) -> None:
    with database.transaction() as session:
        product = session.get_one(Product, honey.id)
        product.group = OcopGroup.FOOD
        a_star(session, product, stars=4, issued=date(2020, 1, 5))
        a_variant(session, product=product, gtin="08930000000019")
    today = vietnam_day(utc_now())

    with database.reading() as session:
        missing = missing_papers.list_missing(session, honey.producer_id or 0, today=today)
    page = owner.get("/ban-hang/htx-mat/giay-to").text
    asked = f"giay=food_safety&amp;hang={honey.id}#nop"
    hand_in(owner, honey)
    hand_in_stars(owner, honey)

    assert [(one.kind, one.ran_out) for one in missing] == [
        (PaperKind.FOOD_SAFETY, False),
        (PaperKind.OCOP, True),
        (PaperKind.GTIN, False),
    ]
    assert "Giấy tờ còn thiếu" in page
    assert asked in page
    assert asked not in owner.get("/ban-hang/htx-mat/giay-to").text
    with database.reading() as session:
        [left] = missing_papers.list_missing(session, honey.producer_id or 0, today=today)
    assert left.kind is PaperKind.GTIN
