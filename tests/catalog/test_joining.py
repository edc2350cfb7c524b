"""Asking to sell: the file keeps what is saved, says what is missing, and staff answer."""

from datetime import date
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from accounts.audit import SYSTEM, Act
from accounts.users import Role, User
from catalog import grants, identities, tax_numbers
from catalog.identities import SellerIdentity
from catalog.joining import JoinFile, JoinState
from catalog.producers import Producer, ProducerKind, ProducerState
from catalog.tax_numbers import WrongPersonalNumber, WrongTaxNumber
from core.db import Database
from core.tasks import Task
from tests.conftest import NOON, SECRET
from tests.factories import a_commune, a_listed_product, a_producer, a_show, a_user
from tests.visits import a_password, browser_of, csrf, send

HOUSEHOLD, COMPANY = ProducerKind.HOUSEHOLD, ProducerKind.COMPANY
LONG = "trau cay ruong sau nha"
CARD = {"holder": "Nguyễn Thị Hoa", "born": "1985-03-08", "home_address": "Thôn 3, Xã Đan Phượng"}


@pytest.mark.parametrize(
    ("typed", "kind", "kept"),
    [
        ("0100233488", COMPANY, "0100233488"),
        ("0100 233 488-001", COMPANY, "0100233488-001"),
        ("001185012345", HOUSEHOLD, "001185012345"),
        ("０１００２３３４８８", HOUSEHOLD, "0100233488"),
    ],
)
def test_a_tax_number_is_kept_in_one_spelling(typed: str, kind: ProducerKind, kept: str) -> None:
    assert tax_numbers.parse(typed, kind=kind) == kept


@pytest.mark.parametrize(
    "typed",
    ["0100233489", "0100233488-000", "0100000000", "010023348", "01002334881", "MST 0100233488"],
)
def test_a_tax_number_with_a_wrong_digit_is_refused(typed: str) -> None:
    with pytest.raises(WrongTaxNumber):
        tax_numbers.parse(typed, kind=COMPANY)


def test_twelve_digits_are_for_people_and_say_when_they_were_born() -> None:
    with pytest.raises(WrongTaxNumber):
        tax_numbers.parse("001185012345", kind=COMPANY)
    with pytest.raises(WrongPersonalNumber):
        tax_numbers.parse_person("001185012345", born=date(1986, 1, 1))

    assert tax_numbers.parse_person("001 185 012345", born=date(1985, 1, 1)) == "001185012345"
    assert tax_numbers.parse_person("001303012345", born=date(2003, 1, 1)) == "001303012345"


def test_check_digits_are_those_of_others_work() -> None:
    mst = pytest.importorskip("stdnum.vn.mst")

    for serial in range(1, 400):
        nine = f"01{serial:07d}"
        digit = tax_numbers.check_digit(nine)
        assert not digit or len(digit) > 1 or mst.is_valid(nine + digit)


def fill_in(browser: FlaskClient, page: str) -> tuple[list[int], list[int]]:
    """Fill in the whole file and send it; the statuses of what was refused and of what was kept."""
    bank = page.replace("ho-so-ban-hang", "tai-khoan-ngan-hang")
    account = {"bank_bin": "970436", "bank_account": "0123456789", "bank_holder": "Nguyễn Thị Hoa"}
    photo = BytesIO()
    Image.new("RGB", (40, 60), "white").save(photo, "PNG")
    paper = {"food_paper": "commitment", "file": (BytesIO(photo.getvalue()), "cam-ket.png")}
    refused = [
        send(browser, f"{page}/gui", page=page),
        send(browser, f"{page}/ma-so-thue", page=page, tax_number="0100233489"),
        send(browser, f"{page}/nguoi-dung-ten", page=page, number="001186012345", **CARD),
    ]
    saved = [
        send(browser, f"{page}/ma-so-thue", page=page, tax_number="001185012345"),
        send(browser, f"{page}/nguoi-dung-ten", page=page, number="001 185 012 345", **CARD),
        send(browser, bank, page=bank, **account),
        browser.post(f"{page}/an-toan", data={"csrf_token": csrf(browser, page), **paper}),
        send(browser, f"{page}/gui", page=page),
    ]
    return [one.status_code for one in refused], [one.status_code for one in saved]


def stops_and_lifts(office: FlaskClient, browser: FlaskClient, page: str) -> None:
    """Suspend Hộ Hoa and let it sell again; it reads why, and buyers see it or do not."""
    stop = {"page": "/quan-tri/nha-san-xuat", "reason": "Nhãn sai"}
    send(office, "/quan-tri/nha-san-xuat/ho-hoa/dung", **stop)
    assert "Nhãn sai" in browser.get(page).text
    assert browser.get("/nha-san-xuat/ho-hoa").status_code == 404
    assert send(office, "/quan-tri/nha-san-xuat/ho-hoa/ban-lai", **stop).status_code == 303
    assert browser.get("/nha-san-xuat/ho-hoa").status_code == 200


def test_a_household_asks_is_sent_back_and_approved(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        a_commune(session)
        hoa = a_password(a_user(session, name="Nguyễn Thị Hoa", email="hoa@example.vn"))
        staff = a_user(session, name="Cán Bộ", role=Role.STAFF)
    browser, office = browser_of(app, database, hoa), browser_of(app, database, staff)
    begin = "/ban-hang-cung-cho/bat-dau"
    asked = {"name": "Hộ Hoa", "kind": "household", "ward_code": "09784", "password": LONG}

    short = send(browser, begin, page=begin, **{**asked, "password": "ngan lam"})
    begun = send(browser, begin, page=begin, **asked)
    again = send(browser, begin, page=begin, **asked)

    page = begun.headers["Location"]
    assert (short.status_code, begun.status_code) == (422, 303)
    assert again.headers["Location"] == page
    assert "Còn thiếu 4 phần" in browser.get(page).text
    assert browser.get("/nha-san-xuat/ho-hoa").status_code == 404

    refused, saved = fill_in(browser, page)
    late = send(browser, f"{page}/ma-so-thue", page=page, tax_number="0100233488")

    assert refused == [422] * 3
    assert saved == [303] * 5
    assert late.status_code == 422
    assert browser.get(f"{page}/tep").status_code == 200
    with database.reading() as session:
        kept = session.scalars(select(SellerIdentity)).one()
        place = session.scalars(select(Producer)).one()
        assert session.get_one(User, hoa.id).role is Role.PRODUCER
    assert "001185012345" not in kept.sealed
    assert "Hoa" not in kept.sealed

    queue, desk = "/quan-tri/xin-ban", f"/quan-tri/xin-ban/{place.slug}"
    assert "Hộ Hoa" in office.get(queue).text
    closed = office.get(desk).text
    seen = send(office, f"{desk}/nguoi-dung-ten", page=desk).text
    back = send(office, f"{desk}/tra-loi", page=desk, what="back", reason="Ảnh mờ, chụp lại")
    mend = browser.get(page).text
    early_yes = send(office, f"{desk}/tra-loi", page=desk, what="approve")
    send(browser, f"{page}/gui", page=page)
    yes = send(office, f"{desk}/tra-loi", page=desk, what="approve")

    assert "Thôn 3, Xã Đan Phượng" not in closed
    assert "Thôn 3, Xã Đan Phượng" in seen
    assert [one.status_code for one in (back, early_yes, yes)] == [303, 422, 303]
    assert "Ảnh mờ, chụp lại" in mend
    assert browser.get("/nha-san-xuat/ho-hoa").status_code == 200
    stops_and_lifts(office, browser, page)
    with database.reading() as session:
        assert session.get_one(Producer, place.id).state is ProducerState.APPROVED
        assert session.get_one(JoinFile, place.id).state is JoinState.APPROVED
        verbs = set(session.scalars(select(Act.verb)))
        letters = [task.payload["subject"] for task in session.scalars(select(Task))
                   if task.kind == "mail.send"]  # fmt: skip
    assert {
        "join.begun",
        "join.sent",
        "join.sent_back",
        "identity.seen",
        "producer.approved",
    } <= verbs
    assert any("cần sửa" in letter for letter in letters)
    assert any("được bán hàng" in letter for letter in letters)


def test_before_approval_no_page_shows_anything(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        place = a_producer(session, slug="ho-cho", state=ProducerState.PENDING)
        goods = a_listed_product(session, "Tương chờ duyệt", price=50_000, producer=place)
        show = a_show(session, producer=place)
        addresses = ["/nha-san-xuat/ho-cho", f"/san-pham/{goods.slug}", f"/live/{show.slug}"]
    visitor = app.test_client()

    assert [visitor.get(address).status_code for address in addresses] == [404] * 3
    for page in ("/", "/san-pham?q=tuong", f"/xa/{place.commune_code}", "/sitemap.xml",
                 "/api/v1/products"):  # fmt: skip
        assert "Tương chờ duyệt" not in visitor.get(page).text
        assert "ho-cho" not in visitor.get(page).text


def test_a_helper_asks_on_behalf_and_hands_the_desk_over(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        a_commune(session)
        a_commune(session, code="09787", name="Xã Liên Minh")
        helper = a_password(a_user(session, name="Anh Tổ", role=Role.HELPER))
        grants.give(session, helper, "09784", actor=SYSTEM, now=NOON)
    browser, begin = browser_of(app, database, helper), "/ban-hang-cung-cho/bat-dau"
    asked = {"name": "Hộ Nam", "kind": "household", "ward_code": "09784"}

    elsewhere = send(browser, begin, page=begin, **{**asked, "ward_code": "09787"})
    page = send(browser, begin, page=begin, **asked).headers["Location"]
    send(browser, f"{page}/nguoi-dung-ten", page=page, number="001185012345", **CARD)
    hidden = browser.get(page).text
    person = {"name": "Nguyễn Văn Nam", "login": "0912 000 111"}
    handed = send(browser, f"{page}/them-nguoi", page=page, **person)
    more = send(browser, f"{page}/them-nguoi", page=page, name="Khác", login="0912000112")

    assert elsewhere.status_code == 422
    assert "thay mặt" in hidden.lower()
    assert "… 345" not in hidden
    assert "/tai-khoan/mat-khau/" in handed.text
    assert more.status_code == 422
    with database.transaction() as session:
        nam = session.scalars(select(User).where(User.phone == "+84912000111")).one()
    own = browser_of(app, database, nam)
    home = own.get(page.replace("/ho-so-ban-hang", "")).text
    told = own.get(page.replace("ho-so-ban-hang", f"nhat-ky-viec?nguoi={helper.id}")).text
    assert "Anh Tổ" in home
    assert "xin bán hàng" in told
    with database.reading() as session:
        acts = session.scalars(select(Act).where(Act.verb.like("join.%"))).all()
        found = identities.find(
            session, session.scalars(select(Producer.id)).one(), secrets=[SECRET]
        )
    assert {act.on_behalf_of for act in acts} == {"Hộ Nam"}
    assert found is not None
    assert found.number == "001185012345"
