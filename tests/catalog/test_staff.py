"""Staff pages: for staff alone; what is approved, suspended, given and closed is on record."""

import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from accounts.audit import Act
from accounts.users import Role, User
from catalog.grants import Grant
from catalog.members import Member
from catalog.producers import Producer, ProducerState
from core.db import Database
from tests.factories import a_commune, a_producer, a_user
from tests.visits import PASSWORD, browser_of, log_in, send


@pytest.fixture
def staff(app: Flask, database: Database) -> FlaskClient:
    """A staff member's browser."""
    with database.transaction() as session:
        person = a_user(session, name="Cán Bộ", role=Role.STAFF)
    return browser_of(app, database, person)


@pytest.mark.parametrize("role", [Role.BUYER, Role.PRODUCER, Role.HELPER])
def test_to_others_no_staff_page_is_there(app: Flask, database: Database, role: Role) -> None:
    with database.transaction() as session:
        person = a_user(session, role=role)
    browser, visitor = browser_of(app, database, person), app.test_client()
    walked = 0

    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/quan-tri"):
            continue
        assert getattr(app.view_functions[rule.endpoint], "audience", None) == "staff"
        if "GET" not in (rule.methods or ()):
            continue
        address = re.sub(r"<int:\w+>", "1", rule.rule)
        assert browser.get(address).status_code == 404, address
        assert visitor.get(address).status_code == 303, address
        walked += 1
    assert walked >= 5


def test_every_staff_page_opens_for_staff(staff: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        user = a_user(session, name="Chị Hoa")
        a_producer(session, name="HTX Hoa", state=ProducerState.PENDING)

    home = staff.get("/quan-tri")
    assert "1 nhà sản xuất đang chờ duyệt" in home.text
    assert "HTX Hoa" in staff.get("/quan-tri/nha-san-xuat?trang-thai=pending&q=hoa").text
    assert "HTX Hoa" not in staff.get("/quan-tri/nha-san-xuat?trang-thai=approved").text
    assert "Chị Hoa" in staff.get("/quan-tri/nguoi-dung?q=chị+hoa").text
    assert "Chị Hoa" in staff.get(f"/quan-tri/nguoi-dung/{user.id}").text
    assert staff.get("/quan-tri/nguoi-giup").status_code == 200
    assert staff.get("/quan-tri/nhat-ky-viec").status_code == 200


def test_people_are_found_by_phone_as_it_is_spoken(staff: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        a_user(session, name="Chị Hoa", phone="+84987654321")
        a_user(session, name="Anh Nam")

    page = staff.get("/quan-tri/nguoi-dung?q=0987+654").text

    assert "Chị Hoa" in page
    assert "Anh Nam" not in page


def test_a_producer_is_approved_and_suspended_for_a_reason_on_record(
    staff: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        place = a_producer(session, state=ProducerState.PENDING)
    address, page = f"/quan-tri/nha-san-xuat/{place.slug}", "/quan-tri/nha-san-xuat"

    steps = [
        send(staff, f"{address}/duyet", page=page).status_code,
        send(staff, f"{address}/duyet", page=page).status_code,
        send(staff, f"{address}/dung", page=page, reason=" ").status_code,
        send(staff, f"{address}/dung", page=page, reason="Nhãn sai").status_code,
    ]

    assert steps == [303, 409, 422, 303]
    with database.reading() as session:
        assert session.get_one(Producer, place.id).state is ProducerState.SUSPENDED
        acts = session.scalars(select(Act).order_by(Act.id)).all()
    assert [(act.verb, act.actor_name, act.detail.get("reason")) for act in acts] == [
        ("producer.approved", "Cán Bộ", None),
        ("producer.suspended", "Cán Bộ", "Nhãn sai"),
    ]
    assert "Nhãn sai" in staff.get(f"/ban-hang/{place.slug}/nhat-ky-viec").text


def test_a_grant_is_given_and_ended_on_record(staff: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        a_commune(session)
        helper = a_user(session, role=Role.HELPER, phone="+84911222333")
        a_user(session, phone="+84911222334")
    page = "/quan-tri/nguoi-giup"

    wrong = [
        send(staff, page, page=page, helper=login, commune_code=code).status_code
        for login, code in [
            ("0911222334", "09784"),
            ("0999", "09784"),
            ("0911222333", "01"),
        ]
    ]
    given = send(staff, page, page=page, helper="0911 222 333", commune_code="09784")
    with database.reading() as session:
        grant = session.scalars(select(Grant)).one()
    ended = send(staff, f"{page}/{grant.id}/dung", page=page)
    again = send(staff, f"{page}/{grant.id}/dung", page=page)

    assert wrong == [422, 422, 422]
    assert (given.status_code, ended.status_code, again.status_code) == (303, 303, 409)
    with database.reading() as session:
        verbs = session.scalars(select(Act.verb).order_by(Act.id)).all()
        assert session.get_one(Grant, grant.id).ended_at is not None
    assert (grant.helper_id, verbs) == (helper.id, ["grant.given", "grant.ended"])


def test_closing_an_account_ends_its_log_ins_and_is_on_record(
    app: Flask, staff: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        person = a_user(session)
    theirs = browser_of(app, database, person)
    address = f"/quan-tri/nguoi-dung/{person.id}"

    send(staff, f"{address}/dong", page=address, reason="Bom hàng")

    assert theirs.get("/tai-khoan").status_code == 303
    assert "Bom hàng" in staff.get("/quan-tri/nhat-ky-viec").text
    assert send(staff, f"{address}/mo-lai", page=address).status_code == 303
    assert theirs.get("/tai-khoan").status_code == 303


def test_staff_do_not_close_themselves(staff: FlaskClient, database: Database) -> None:
    with database.reading() as session:
        me = session.scalars(select(User.id)).one()

    response = send(staff, f"/quan-tri/nguoi-dung/{me}/dong", page="/tai-khoan", reason="x")

    assert response.status_code == 403
    assert staff.get("/quan-tri").status_code == 200


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["user", "add", *words])
    return result.exit_code, result.output


def test_user_add_prints_a_link_with_which_a_producer_gets_to_its_desk(
    app: Flask, visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        place = a_producer(session)

    code, output = run(app, "0911000222", "--role", "producer", "--producer", place.slug, "--json")
    told = json.loads(output)
    link = told["set_password"].removeprefix("http://localhost")
    send(visitor, link, page=link, password=PASSWORD)
    landed = log_in(visitor, "0911000222")

    assert code == 0
    assert told["user"] == "+84911000222"
    assert told["set_password"].startswith("http://localhost/tai-khoan/mat-khau/")
    assert landed.location == "/ban-hang"
    assert visitor.get("/ban-hang").location == f"/ban-hang/{place.slug}"


def test_user_add_gives_a_helper_its_commune_and_twice_changes_nothing(
    app: Flask, database: Database
) -> None:
    with database.transaction() as session:
        a_commune(session)

    for _ in range(2):
        code, output = run(
            app, "to@vidu.vn", "--role", "helper", "--commune", "09784", "--name", "Cô Tổ"
        )
        assert (code, "/tai-khoan/mat-khau/" in output) == (0, True)

    with database.reading() as session:
        assert session.scalars(select(User.name)).all() == ["Cô Tổ"]
        assert len(session.scalars(select(Grant)).all()) == 1


def test_user_add_gives_an_existing_account_the_role_and_takes_a_password_too_short_for_it(
    app: Flask, database: Database
) -> None:
    with database.transaction() as session:
        buyer = a_user(session, phone="+84911000333", password_hash="of eight letters")
    browser = browser_of(app, database, buyer)

    code, _output = run(app, "0911000333", "--role", "staff")

    assert code == 0
    assert browser.get("/tai-khoan").status_code == 303
    with database.reading() as session:
        user = session.get_one(User, buyer.id)
    assert (user.role, user.password_hash) == (Role.STAFF, None)


@pytest.mark.parametrize(
    "words",
    [
        ("12", "--role", "staff"),
        ("lan@", "--role", "staff"),
        ("0911000444", "--role", "buyer"),
        ("0911000444",),
        ("0911000444", "--role", "producer", "--producer", "khong-co"),
        ("0911000444", "--role", "helper", "--commune", "99999"),
        ("0911000444", "--role", "staff", "--producer", "x"),
        ("0911000444", "--role", "producer", "--commune", "09784"),
    ],
)
def test_user_add_that_cannot_be_done_changes_nothing_and_fails(
    app: Flask, database: Database, words: tuple[str, ...]
) -> None:
    code, output = run(app, *words)

    assert code != 0
    assert "Traceback" not in output
    with database.reading() as session:
        assert session.scalars(select(User)).all() == []
        assert session.scalars(select(Member)).all() == []
