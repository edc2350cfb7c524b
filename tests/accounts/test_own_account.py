"""Opening an account and changing its password, without ever saying who has one."""

import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from accounts import consents, tokens
from accounts.audit import Act
from accounts.tokens import OneTimeToken, Purpose
from accounts.users import Role, User
from core.clock import utc_now
from core.db import Database
from core.tasks import Task
from tests.factories import a_user
from tests.visits import PASSWORD, a_password, browser_of, log_in, send

ACCOUNT = "/tai-khoan"
AGREED = {"terms": "1", "privacy": "1"}
NEW = "tre xanh ru mãi ngàn đời"


@pytest.fixture
def lan(database: Database) -> User:
    """A buyer with a phone, an e-mail and a password."""
    with database.transaction() as session:
        return a_password(a_user(session, name="Lan", phone="+84912345678", email="lan@vidu.vn"))


def link_in_mail(database: Database) -> str:
    with database.reading() as session:
        [mail] = session.scalars(select(Task).where(Task.kind == "mail.send")).all()
    found = re.search(r"http://localhost(/tai-khoan/mat-khau/\S+)", mail.payload["body"])
    assert found is not None
    return found.group(1)


def test_a_new_account_logs_in_with_its_password(visitor: FlaskClient, database: Database) -> None:
    send(
        visitor,
        "/tai-khoan/dang-ky",
        login="0912 000 111",
        name="Hoa  Mai",
        password="vườn sau nhà",
        **AGREED,
    )

    with database.reading() as session:
        user = session.scalars(select(User)).one()
        given = [one.matter for one in consents.list_of(session, user.id)]
    assert (user.phone, user.name, user.role) == ("+84912000111", "Hoa Mai", Role.BUYER)
    assert given == ["privacy", "terms"]
    assert log_in(visitor, "0912000111", "vườn sau nhà").status_code == 303


def test_registering_never_says_whether_there_is_an_account(
    app: Flask, database: Database, lan: User
) -> None:
    form = {"name": "Ai đó", "password": "vườn sau nhà"}
    page = "/tai-khoan/dang-ky"
    taken = send(app.test_client(), page, login="0912345678", **AGREED, **form)
    free = send(app.test_client(), page, login="0912345679", **AGREED, **form)

    def plain(page: str) -> str:
        return re.sub(r'value="[^"]*"', "", page)

    assert taken.status_code == free.status_code == 200
    assert plain(taken.text) == plain(free.text)
    with database.reading() as session:
        assert session.get_one(User, lan.id).password_hash == lan.password_hash
        assert session.get_one(User, lan.id).name == "Lan"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("login", "12"),
        ("login", "lan@"),
        ("name", " "),
        ("password", "matkhau123"),
        ("password", "ngắn"),
    ],
)
def test_what_must_be_mended_is_said_at_its_field_and_the_rest_is_kept(
    visitor: FlaskClient, database: Database, field: str, value: str
) -> None:
    form = {"login": "0912000111", "name": "Hoa", "password": "vườn sau nhà", field: value}

    response = send(visitor, "/tai-khoan/dang-ky", **AGREED, **form)

    assert response.status_code == 422
    assert f'id="{field}-loi"' in response.text
    if field != "name":
        assert 'value="Hoa"' in response.text
    assert form["password"] not in response.text
    with database.reading() as session:
        assert session.scalar(select(func.count(User.id))) == 0


def test_nobody_has_an_account_without_two_ticks_of_their_own(visitor: FlaskClient) -> None:
    page = "/tai-khoan/dang-ky"
    form = {"login": "0912000111", "name": "Hoa", "password": "vườn sau nhà"}

    untouched = visitor.get(page).text
    answers = [send(visitor, page, **{"news": "1", one: "1"}, **form) for one in consents.NEEDED]

    assert "checked" not in untouched
    assert [one.status_code for one in answers] == [422, 422]
    assert 'id="privacy-loi"' in answers[0].text
    assert 'id="terms-loi"' in answers[1].text


def test_asking_for_a_link_never_says_whether_there_is_an_account(
    app: Flask, database: Database, lan: User
) -> None:
    address = "/tai-khoan/mat-khau/quen"

    pages = {
        send(app.test_client(), address, login=typed).text
        for typed in ("0912345678", "lan@vidu.vn", "0912999999", "nobody@vidu.vn")
    }

    assert len(pages) == 1
    with database.reading() as session:
        mails = session.scalars(select(Task.payload).where(Task.kind == "mail.send")).all()
    assert {mail["to"] for mail in mails} == {"lan@vidu.vn"}


def test_the_link_sets_a_password_once_and_ends_every_log_in(
    app: Flask, visitor: FlaskClient, database: Database, lan: User
) -> None:
    elsewhere = browser_of(app, database, lan)
    send(visitor, "/tai-khoan/mat-khau/quen", login="lan@vidu.vn")
    link = link_in_mail(database)
    looked_at = visitor.get(link)

    done = send(visitor, link, page=link, password=NEW)

    assert looked_at.status_code == done.status_code == 200
    assert looked_at.headers["Referrer-Policy"] == done.headers["Referrer-Policy"] == "no-referrer"
    assert visitor.get(link).status_code == 404
    assert elsewhere.get(ACCOUNT).status_code == 303
    assert log_in(visitor, "0912345678", PASSWORD).status_code == 422
    assert log_in(visitor, "0912345678", NEW).status_code == 303


def test_the_secret_of_a_link_is_stored_as_a_hash_only(
    visitor: FlaskClient, database: Database, lan: User
) -> None:
    send(visitor, "/tai-khoan/mat-khau/quen", login="lan@vidu.vn")
    secret = link_in_mail(database).rpartition("/")[2]

    with database.reading() as session:
        stored = session.scalars(select(OneTimeToken.token_hash)).all()
    assert len(secret) >= 22
    assert secret not in stored


def test_a_weak_password_does_not_use_the_link_up(
    visitor: FlaskClient, database: Database, lan: User
) -> None:
    send(visitor, "/tai-khoan/mat-khau/quen", login="lan@vidu.vn")
    link = link_in_mail(database)

    weak = send(visitor, link, page=link, password="matkhau123")

    assert weak.status_code == 422
    assert send(visitor, link, page=link, password=NEW).status_code == 200


@pytest.mark.parametrize(
    ("purpose", "lasts"),
    [(Purpose.RESET_PASSWORD, timedelta(minutes=30)), (Purpose.SET_PASSWORD, timedelta(days=7))],
)
def test_a_link_runs_out(
    visitor: FlaskClient, database: Database, lan: User, purpose: Purpose, lasts: timedelta
) -> None:
    start = utc_now()
    with database.transaction() as session:
        token = tokens.issue(session, session.get_one(User, lan.id), purpose, now=start)

    with time_machine.travel(start + lasts - timedelta(seconds=5)):
        before = visitor.get(f"/tai-khoan/mat-khau/{token}")
    with time_machine.travel(start + lasts + timedelta(seconds=1)):
        after = visitor.get(f"/tai-khoan/mat-khau/{token}")

    assert (before.status_code, after.status_code) == (200, 404)


def test_a_newer_link_voids_the_older_and_strangers_links_look_the_same(
    visitor: FlaskClient, database: Database, lan: User
) -> None:
    with database.transaction() as session:
        user = session.get_one(User, lan.id)
        old = tokens.issue(session, user, Purpose.RESET_PASSWORD, now=utc_now())
        tokens.issue(session, user, Purpose.RESET_PASSWORD, now=utc_now())

    pages = {
        visitor.get(f"/tai-khoan/mat-khau/{token}").text.replace(token, "")
        for token in (old, "never-ours-0123456789")
    }

    assert len(pages) == 1


def test_links_are_sent_three_times_an_hour_for_one_name_known_or_not(
    app: Flask, lan: User
) -> None:
    for login in ("lan@vidu.vn", "nobody@vidu.vn"):
        answers = [
            send(app.test_client(), "/tai-khoan/mat-khau/quen", login=login).status_code
            for _ in range(4)
        ]
        assert answers == [200, 200, 200, 429]


def test_a_new_password_opens_a_locked_account(
    visitor: FlaskClient, database: Database, lan: User
) -> None:
    send(visitor, "/tai-khoan/mat-khau/quen", login="lan@vidu.vn")
    for _ in range(5):
        log_in(visitor, "lan@vidu.vn", "sai")
    link = link_in_mail(database)

    send(visitor, link, page=link, password=NEW)

    assert log_in(visitor, "0912345678", NEW).status_code == 303


def test_changing_the_password_ends_the_others_and_renews_this_one(
    app: Flask, database: Database, lan: User
) -> None:
    mine, other = browser_of(app, database, lan), browser_of(app, database, lan)
    before = mine.get_cookie("sid").value  # type: ignore[union-attr]

    response = send(
        mine, "/tai-khoan/mat-khau", page=ACCOUNT, current_password=PASSWORD, password=NEW
    )

    assert response.status_code == 303
    assert mine.get(ACCOUNT).status_code == 200
    assert mine.get_cookie("sid").value != before  # type: ignore[union-attr]
    assert other.get(ACCOUNT).status_code == 303
    with database.reading() as session:
        assert session.scalars(select(Act.verb)).all() == ["password.changed"]
        assert session.scalar(select(Task.payload)) is not None


def test_the_password_is_not_changed_without_the_present_one(
    app: Flask, database: Database, lan: User
) -> None:
    browser = browser_of(app, database, lan)

    response = send(
        browser, "/tai-khoan/mat-khau", page=ACCOUNT, current_password="sai", password=NEW
    )

    assert response.status_code == 422
    with database.reading() as session:
        assert session.get_one(User, lan.id).password_hash == lan.password_hash


def test_giving_the_password_again_renews_the_proof_and_the_cookie(
    app: Flask, database: Database, lan: User
) -> None:
    browser = browser_of(app, database, lan)
    before = browser.get_cookie("sid").value  # type: ignore[union-attr]

    wrong = send(browser, "/tai-khoan/xac-nhan", page=ACCOUNT, password="sai", tiep="/gio-hang")
    right = send(browser, "/tai-khoan/xac-nhan", page=ACCOUNT, password=PASSWORD, tiep="/gio-hang")

    assert wrong.status_code == 422
    assert right.location == "/gio-hang"
    assert browser.get_cookie("sid").value != before  # type: ignore[union-attr]


def test_a_link_that_was_asked_for_before_a_password_change_is_worthless(
    app: Flask, visitor: FlaskClient, database: Database, lan: User
) -> None:
    send(visitor, "/tai-khoan/mat-khau/quen", login="lan@vidu.vn")
    link = link_in_mail(database)
    owner = browser_of(app, database, lan)

    send(owner, "/tai-khoan/mat-khau", current_password=PASSWORD, password=NEW)

    assert visitor.get(link).status_code == 404
