"""Logging in: one row per device, a new cookie each time, the same answer for every miss."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from accounts import login as login_module
from accounts import passwords, sessions
from accounts.login import way_back
from accounts.sessions import LoginSession
from accounts.throttle import TryCounter
from accounts.users import Role, User
from core import events
from core.clock import utc_now
from core.db import Database
from core.settings import Settings
from tests.factories import a_user
from tests.visits import PASSWORD, a_password, browser_of, log_in, send
from wsgi import create_app

ACCOUNT = "/tai-khoan"
LOGIN = "/tai-khoan/dang-nhap"


@pytest.fixture
def lan(database: Database) -> User:
    """A buyer with a phone, an e-mail and a password."""
    with database.transaction() as session:
        return a_password(a_user(session, name="Lan", phone="+84912345678", email="lan@vidu.vn"))


def sids(response: object) -> list[str]:
    return [c for c in response.headers.getlist("Set-Cookie") if c.split("=")[0].endswith("sid")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("typed", ["0912345678", "+84 912 345 678", "0912.345.678", "LAN@vidu.vn "])
def test_any_spelling_of_phone_or_email_logs_in(
    visitor: FlaskClient, lan: User, typed: str
) -> None:
    response = log_in(visitor, typed)

    assert response.status_code == 303
    assert "Lan" in visitor.get(ACCOUNT).text


def test_a_visitor_is_asked_to_log_in_and_comes_back(visitor: FlaskClient, lan: User) -> None:
    asked = visitor.get("/tai-khoan/thiet-bi?x=1")

    assert asked.status_code == 303
    assert asked.location == "/tai-khoan/dang-nhap?tiep=/tai-khoan/thiet-bi?x%3D1"
    assert log_in(visitor, "0912345678", tiep="/tai-khoan/thiet-bi?x=1").location == (
        "/tai-khoan/thiet-bi?x=1"
    )


def test_english_pages_lead_to_the_english_log_in(visitor: FlaskClient) -> None:
    asked = visitor.get("/en/tai-khoan")

    assert asked.location == "/en/tai-khoan/dang-nhap?tiep=/en/tai-khoan"


def test_wrong_password_unknown_and_closed_account_get_one_and_the_same_page(
    visitor: FlaskClient, database: Database, lan: User
) -> None:
    with database.transaction() as session:
        a_password(a_user(session, phone="+84912000001", disabled_at=utc_now()))

    pages = {
        log_in(visitor, typed, given).text.replace(typed, "…")
        for typed, given in [
            ("0912345678", "sai mật khẩu rồi"),
            ("0912999999", PASSWORD),
            ("0912000001", PASSWORD),
        ]
    }

    # The token of each form differs with nothing: it is bound to the browser.
    assert len(pages) == 1
    assert "Sai số điện thoại hoặc mật khẩu" in pages.pop()


def test_every_try_computes_one_hash(
    visitor: FlaskClient, lan: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str | None] = []

    def counting(_given: str, known: str | None) -> bool:
        calls.append(known)
        return False

    monkeypatch.setattr(passwords, "matches", counting)
    log_in(visitor, "0912345678", "x")
    log_in(visitor, "0912999999", "x")
    log_in(visitor, "no login name at all", "x")

    assert calls == [lan.password_hash, None, None]


def test_a_planted_cookie_never_becomes_a_logged_in_one(
    app: Flask, visitor: FlaskClient, lan: User
) -> None:
    visitor.set_cookie("sid", "planted-by-a-stranger")

    log_in(visitor, "0912345678")

    stranger = app.test_client()
    stranger.set_cookie("sid", "planted-by-a-stranger")
    assert visitor.get(ACCOUNT).status_code == 200
    assert stranger.get(ACCOUNT).status_code == 303


def test_logging_in_again_ends_the_log_in_of_this_browser(
    visitor: FlaskClient, database: Database, lan: User
) -> None:
    log_in(visitor, "0912345678")
    first = visitor.get_cookie("sid")
    log_in(visitor, "0912345678")

    with database.reading() as session:
        [row] = session.scalars(select(LoginSession)).all()
    assert first is not None
    assert visitor.get_cookie("sid").value != first.value  # type: ignore[union-attr]
    assert row.token_hash not in {first.value, visitor.get_cookie("sid").value}  # type: ignore[union-attr]


def test_logging_out_ends_the_row_not_only_the_cookie(
    app: Flask, visitor: FlaskClient, lan: User
) -> None:
    log_in(visitor, "0912345678")
    kept = visitor.get_cookie("sid").value  # type: ignore[union-attr]

    send(visitor, "/tai-khoan/dang-xuat", page=ACCOUNT)

    thief = app.test_client()
    thief.set_cookie("sid", kept)
    assert visitor.get_cookie("sid") is None
    assert thief.get(ACCOUNT).status_code == 303


def test_a_form_without_its_token_is_refused(visitor: FlaskClient, lan: User) -> None:
    response = visitor.post(LOGIN, data={"login": "0912345678", "password": PASSWORD})

    assert response.status_code == 403
    assert visitor.get(ACCOUNT).status_code == 303


def test_every_form_of_an_account_needs_its_token(
    app: Flask, database: Database, lan: User
) -> None:
    browser = browser_of(app, database, lan)

    for address in (
        "/tai-khoan/dang-xuat",
        "/tai-khoan/mat-khau",
        "/tai-khoan/thiet-bi/ket-thuc-het",
        "/tai-khoan/thiet-bi/1/ket-thuc",
        "/tai-khoan/xac-nhan",
    ):
        assert browser.post(address).status_code == 403
    assert browser.get(ACCOUNT).status_code == 200


def test_cookies_over_plain_http(visitor: FlaskClient, lan: User) -> None:
    [cookie] = sids(log_in(visitor, "0912345678"))

    flags = {part.strip() for part in cookie.split(";")[1:]}
    assert cookie.startswith("sid=")
    assert flags >= {"HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=7776000"}
    assert not any(flag.startswith(("Secure", "Domain")) for flag in flags)


def test_cookies_over_https(database: Database, lan: User, tmp_path: Path) -> None:
    app = create_app(
        Settings(
            PUBLIC_URL="https://cho.vidu.vn",
            DATABASE_URL=database.url.render_as_string(hide_password=False),
            SECRET_KEY="another-test-key-0123456789-abcdefghij",
            STORAGE_DIR=str(tmp_path),
        )
    )
    own, app.extensions["database"] = app.extensions["database"], database
    own.close()
    browser = app.test_client()

    with browser:
        page = browser.get(LOGIN, base_url="https://cho.vidu.vn")
        token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
        response = browser.post(
            LOGIN,
            base_url="https://cho.vidu.vn",
            data={"csrf_token": token, "login": "0912345678", "password": PASSWORD},
        )

    [cookie] = sids(response)
    flags = {part.strip() for part in cookie.split(";")[1:]}
    assert cookie.startswith("__Host-sid=")
    assert flags >= {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}
    assert not any(flag.startswith("Domain") for flag in flags)


@pytest.mark.parametrize("role", [Role.PRODUCER, Role.HELPER, Role.STAFF])
def test_only_a_buyers_cookie_outlives_the_browser(
    visitor: FlaskClient, database: Database, role: Role
) -> None:
    with database.transaction() as session:
        a_password(a_user(session, phone="+84912000002", role=role))

    [cookie] = sids(log_in(visitor, "0912000002"))

    assert "Max-Age" not in cookie
    assert "Expires" not in cookie


def test_nothing_about_the_log_in_is_kept_in_the_browser_but_the_cookies_name(
    visitor: FlaskClient, lan: User
) -> None:
    response = log_in(visitor, "0912345678")

    names = {c.split("=")[0] for c in response.headers.getlist("Set-Cookie")}
    assert names == {"sid", "may"}


def test_a_cookie_of_flask_logins_own_means_nothing(visitor: FlaskClient, lan: User) -> None:
    log_in(visitor, "0912345678")
    visitor.set_cookie("remember_token", "1|forged")

    assert visitor.get(ACCOUNT).status_code == 200


@pytest.mark.parametrize(
    ("role", "idle", "whole"),
    [
        (Role.BUYER, timedelta(days=14), timedelta(days=90)),
        (Role.PRODUCER, timedelta(hours=12), timedelta(days=7)),
        (Role.HELPER, timedelta(hours=12), timedelta(days=7)),
        (Role.STAFF, timedelta(minutes=30), timedelta(hours=12)),
    ],
)
def test_a_log_in_ends_unused_and_ends_in_all(
    database: Database, role: Role, idle: timedelta, whole: timedelta
) -> None:
    start = utc_now()
    with database.transaction() as session:
        user = a_user(session, role=role)
        token = sessions.start(session, user, device="x", now=start)

        just_in_time = sessions.find_signed_in(session, token, now=start + idle - timedelta(1e-5))
        too_late = sessions.find_signed_in(session, token, now=start + idle)
        moment = start
        while moment + idle / 2 < start + whole:
            moment += idle / 2
            sessions.see(session, just_in_time[0].session_id, now=moment)  # type: ignore[index]
        used = sessions.find_signed_in(session, token, now=start + whole - timedelta(seconds=1))
        over = sessions.find_signed_in(session, token, now=start + whole)

    assert just_in_time is not None
    assert too_late is None
    assert used is not None
    assert over is None


@pytest.mark.parametrize(
    ("role", "most"), [(Role.BUYER, 10), (Role.PRODUCER, 5), (Role.HELPER, 5), (Role.STAFF, 2)]
)
def test_the_oldest_device_beyond_the_roles_number_ends(
    database: Database, role: Role, most: int
) -> None:
    start = utc_now()
    with database.transaction() as session:
        user = a_user(session, role=role)
        tokens = [
            sessions.start(session, user, device=str(n), now=start + timedelta(seconds=n))
            for n in range(most + 1)
        ]
        alive = [
            sessions.find_signed_in(session, token, now=start + timedelta(seconds=most + 1))
            for token in tokens
        ]

    assert alive[0] is None
    assert all(alive[1:])


def test_use_is_noted_once_a_minute_at_most(
    app: Flask, database: Database, lan: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[int] = []
    see = sessions.see
    monkeypatch.setattr(
        login_module.sessions,
        "see",
        lambda session, which, now: (notes.append(which), see(session, which, now=now)),
    )
    with time_machine.travel(utc_now(), tick=False) as clock:
        browser = browser_of(app, database, lan)
        for _ in range(3):
            browser.get(ACCOUNT)
        clock.shift(61)
        for _ in range(3):
            browser.get(ACCOUNT)

    assert len(notes) == 1


def test_a_closed_account_is_out_at_once(app: Flask, database: Database, lan: User) -> None:
    browser = browser_of(app, database, lan)
    with database.transaction() as session:
        session.get_one(User, lan.id).disabled_at = utc_now()

    assert browser.get(ACCOUNT).status_code == 303


def test_devices_are_listed_and_ended_one_by_one(app: Flask, database: Database, lan: User) -> None:
    mine, lost = browser_of(app, database, lan), browser_of(app, database, lan)
    with database.reading() as session:
        newest = session.scalars(select(LoginSession.id).order_by(LoginSession.id.desc())).first()

    page = mine.get("/tai-khoan/thiet-bi").text
    send(mine, f"/tai-khoan/thiet-bi/{newest}/ket-thuc", page="/tai-khoan/thiet-bi")

    assert page.count("Firefox · Linux</bdi>") == 2
    assert mine.get(ACCOUNT).status_code == 200
    assert lost.get(ACCOUNT).status_code == 303


def test_all_other_devices_end_together(app: Flask, database: Database, lan: User) -> None:
    mine, *others = (browser_of(app, database, lan) for _ in range(3))

    send(mine, "/tai-khoan/thiet-bi/ket-thuc-het", page="/tai-khoan/thiet-bi")

    assert mine.get(ACCOUNT).status_code == 200
    assert [other.get(ACCOUNT).status_code for other in others] == [303, 303]


def test_somebody_elses_device_is_not_there(app: Flask, database: Database, lan: User) -> None:
    with database.transaction() as session:
        binh = a_user(session)
    his = browser_of(app, database, binh)
    hers = browser_of(app, database, lan)
    with database.reading() as session:
        of_binh = session.scalars(
            select(LoginSession.id).where(LoginSession.user_id == binh.id)
        ).one()

    response = send(hers, f"/tai-khoan/thiet-bi/{of_binh}/ket-thuc", page=ACCOUNT)

    assert response.status_code == 404
    assert his.get(ACCOUNT).status_code == 200


def test_logging_in_is_news(
    app: Flask, visitor: FlaskClient, lan: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[object] = []
    monkeypatch.setitem(
        events._listeners, sessions.LoggedIn, [lambda _session, news: heard.append(news)]
    )

    log_in(visitor, "0912345678")

    assert [news.user_id for news in heard] == [lan.id]  # type: ignore[attr-defined]


def test_too_many_wrong_passwords_are_answered_with_when_to_come_back(
    visitor: FlaskClient, database: Database, lan: User
) -> None:
    for _ in range(5):
        assert log_in(visitor, "0912345678", "sai").status_code == 422

    refused = log_in(visitor, "0912345678", PASSWORD)

    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 2
    with database.reading() as session:
        keys = " ".join(session.scalars(select(TryCounter.key)))
    assert "127.0.0" not in keys
    assert "912345678" not in keys


def test_a_stranger_cannot_lock_the_owners_device_out(
    app: Flask, visitor: FlaskClient, lan: User
) -> None:
    log_in(visitor, "0912345678")
    stranger = app.test_client()
    for _ in range(6):
        last = log_in(stranger, "0912345678", "sai")

    send(visitor, "/tai-khoan/dang-xuat", page=ACCOUNT)

    assert last.status_code == 429
    assert log_in(visitor, "0912 345 678").status_code == 303


def test_a_device_seal_of_another_account_is_no_help(
    app: Flask, visitor: FlaskClient, database: Database, lan: User
) -> None:
    with database.transaction() as session:
        a_password(a_user(session, phone="+84912000003"))
    log_in(visitor, "0912000003")
    for _ in range(5):
        log_in(app.test_client(), "0912345678", "sai")

    assert log_in(visitor, "0912345678").status_code == 429


@pytest.mark.parametrize(
    "given",
    [
        "https://evil.example",
        "http:evil.example",
        "//evil.example",
        "///evil.example",
        "////evil.example/..",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r/evil.example",
        "\t//evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.example",
        "@evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "/\u200b/evil.example",
        "/\u2028/evil.example",
        "/\x00/evil.example",
        "//[evil",
        "?x=//evil",
        "",
        "/" + "a" * 600,
    ],
)
def test_the_way_back_never_leaves_the_shop(given: str) -> None:
    assert way_back(given) is None


@pytest.mark.parametrize(
    "given", ["/", "/gio-hang", "/en/san-pham?q=m%E1%BA%ADt&sao=4", "/a?u=https://b"]
)
def test_own_paths_are_ways_back(given: str) -> None:
    assert way_back(given) == given


def test_after_logging_in_nobody_is_sent_away(visitor: FlaskClient, lan: User) -> None:
    assert log_in(visitor, "0912345678", tiep="//evil.example").location == ACCOUNT
    assert 'name="tiep"' not in visitor.get(f"{LOGIN}?tiep=//evil.example").text


def test_an_old_hash_is_renewed_by_logging_in(
    visitor: FlaskClient, database: Database, lan: User
) -> None:
    with database.transaction() as session:
        session.get_one(User, lan.id).password_hash = PasswordHasher(
            time_cost=1, memory_cost=8192, parallelism=1
        ).hash(PASSWORD)

    log_in(visitor, "0912345678")

    with database.reading() as session:
        assert "m=19456,t=2,p=1" in str(session.get_one(User, lan.id).password_hash)


def test_account_pages_are_never_cached(app: Flask, database: Database, lan: User) -> None:
    browser = browser_of(app, database, lan)

    for address in (ACCOUNT, "/tai-khoan/thiet-bi", LOGIN, "/tai-khoan/mat-khau/quen"):
        assert browser.get(address).headers["Cache-Control"] == "no-store"


def test_settings_of_the_test_are_plain_http(settings: Settings) -> None:
    assert not replace(settings).https


@pytest.mark.parametrize("page", ["dang-nhap", "dang-ky", "mat-khau/quen"])
def test_asking_for_the_head_of_a_form_sends_nothing(
    visitor: FlaskClient, database: Database, page: str
) -> None:
    response = visitor.head(f"/tai-khoan/{page}")

    assert response.status_code == 200
    with database.reading() as session:
        assert session.scalars(select(TryCounter)).all() == []


@pytest.mark.parametrize("renewing", [False, True])
def test_a_password_changed_while_the_old_one_is_proved_lets_nobody_in(
    visitor: FlaskClient,
    database: Database,
    lan: User,
    monkeypatch: pytest.MonkeyPatch,
    *,
    renewing: bool,
) -> None:
    new = a_password(User(), "vườn sau nhà bà").password_hash

    def changed_meanwhile(_password: str, known: str) -> str | None:
        with database.transaction() as session:
            owner = session.get_one(User, lan.id)
            passwords.change(session, owner, passwords.PasswordHash(new or ""), now=utc_now())
        return known if renewing else None

    monkeypatch.setattr(passwords, "renewed", changed_meanwhile)

    answer = log_in(visitor, "0912345678")

    assert answer.status_code == 422
    assert sids(answer) == []
    with database.reading() as session:
        assert session.get_one(User, lan.id).password_hash == new
        assert session.scalars(select(LoginSession)).all() == []
