"""The security baseline, value by value: headers, cookies, limits, who may send what where."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from core.db import Database
from core.settings import BadSetting, Settings, load
from tests.conftest import NOON, SECRET
from tests.filled_shop import FilledShop, a_visit, fill, role_for
from tests.hostile import Target
from tests.running import RunningShop, running_shop
from wsgi import create_app

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-src 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
}
CACHED = "public, max-age=60, stale-if-error=86400"
PUBLIC_PAGES = ("/", "/san-pham", "/san-pham/mat-ong", "/nha-san-xuat/htx-mot", "/xa/09784")
PRIVATE = (
    "/gio-hang",
    "/dat-hang",
    "/tra-cuu",
    "/tai-khoan",
    "/ban-hang",
    "/quan-tri",
    "/don-hang",
)
FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=True):
        yield


@pytest.fixture
def shop(app: Flask) -> FilledShop:
    return fill(app, now=NOON)


@pytest.fixture
def target(app: Flask, shop: FilledShop) -> Target:
    return Target(app, shop)


@pytest.fixture
def secure_app(settings: Settings, database: Database) -> Iterator[Flask]:
    """The same shop as people reach it over https."""
    app = create_app(replace(settings, PUBLIC_URL="https://cho.example"))
    app.extensions["database"].close()
    app.extensions["database"] = database
    yield app


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningShop]:
    with running_shop(tmp_path_factory.mktemp("running")) as shop:
        yield shop


# What every answer carries


@pytest.mark.parametrize("path", ["/", "/san-pham", "/nowhere", "/gio-hang", "/ban-hang", "/a%00b"])
def test_every_answer_carries_the_headers(visitor: FlaskClient, path: str) -> None:
    answer = visitor.get(path)

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert "Strict-Transport-Security" not in answer.headers


def test_our_own_fault_carries_the_headers_too(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError

    fail.audience = "public"  # type: ignore[attr-defined]
    monkeypatch.setitem(app.view_functions, "cart.show", fail)

    answer = app.test_client().get("/gio-hang")

    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert "RuntimeError" not in answer.text


def test_over_https_the_browser_is_told_to_stay_there(secure_app: Flask) -> None:
    answer = secure_app.test_client().get("/", base_url="https://cho.example")

    assert answer.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
    assert answer.headers["Content-Security-Policy"] == f"{POLICY}; upgrade-insecure-requests"


def test_a_page_whose_address_is_secret_sends_no_referrer(app: Flask, shop: FilledShop) -> None:
    path = f"/don-hang/{shop.addresses['orders.code']}?t={shop.order_mark}"

    answer = app.test_client().get(path)

    assert answer.status_code == 200
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_only_the_resolver_lets_other_sites_read(target: Target) -> None:
    readable = set()
    for rule in target.app.url_map.iter_rules():
        if "GET" in (rule.methods or set()):
            answer = target.app.test_client().get(
                target.path_of(rule), headers={"Origin": "https://evil.example"}
            )
            answer.close()
            if "Access-Control-Allow-Origin" in answer.headers:
                is_packed = rule.endpoint == "resolver.by_packed"
                readable.add("packed" if is_packed else rule.rule.split("<")[0])
            assert "Access-Control-Allow-Credentials" not in answer.headers

    keys = {"/01/", "/00/", "/414/", "/t/", "packed"}
    data = {"/api/v1/products", "/api/v1/products/", "/api/v1/lots/", "/api/v1/openapi.json"}
    assert readable <= {*keys, *data, "/.well-known/gs1resolver", "/truy-xuat/"}
    assert {"/01/", "/.well-known/gs1resolver"} <= readable


# Cookies


def test_cookies_over_http_lack_nothing_but_secure(app: Flask, shop: FilledShop) -> None:
    cookies = _every_cookie(app, shop, "http://localhost")

    assert {"sid", "khach", "cart", "gio_so", "may"} <= set(cookies)
    for name, attributes in cookies.items():
        assert {"Path=/", "SameSite=Lax"} <= attributes, name
        assert ("HttpOnly" in attributes) is (name != "gio_so"), name
        assert "Secure" not in attributes, name
        assert not any(one.startswith("Domain") for one in attributes), name


def test_cookies_over_https_are_bound_to_this_host(
    secure_app: Flask, app: Flask, shop: FilledShop
) -> None:
    cookies = _every_cookie(secure_app, shop, "https://cho.example")

    assert {"__Host-sid", "__Host-khach", "__Host-cart", "__Host-gio_so"} <= set(cookies)
    for name, attributes in cookies.items():
        assert name.startswith("__Host-"), name
        assert {"Path=/", "SameSite=Lax", "Secure"} <= attributes, name
        assert not any(one.startswith("Domain") for one in attributes), name


def test_the_desks_log_in_ends_with_the_browser_and_the_buyers_does_not(
    app: Flask, shop: FilledShop
) -> None:
    lasting = {
        role: any(one.startswith("Max-Age") for one in _every_cookie(app, shop, role=role)["sid"])
        for role in ("buyer", "producer", "staff")
    }

    assert lasting == {"buyer": True, "producer": False, "staff": False}


def _every_cookie(
    app: Flask, shop: FilledShop, base_url: str = "http://localhost", *, role: str = "producer"
) -> dict[str, set[str]]:
    """Go through the doors that set cookies; return each cookie's attributes."""
    from accounts import passwords  # noqa: PLC0415
    from accounts.users import User  # noqa: PLC0415

    with app.extensions["database"].transaction() as session:
        user = session.get_one(User, shop.people[role].id)
        user.password_hash = passwords._hasher.hash("bon mua bon mau la")
        phone = user.phone
    visitor = app.test_client()
    page = visitor.get("/tai-khoan/dang-nhap", base_url=base_url)
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    answers = [
        page,
        visitor.post("/gio-hang/them", base_url=base_url, data={"variant_id": shop.variant.id}),
        visitor.post(
            "/tai-khoan/dang-nhap",
            base_url=base_url,
            data={"login": phone, "password": "bon mua bon mau la", "csrf_token": token},
        ),
    ]
    cookies: dict[str, set[str]] = {}
    for answer in answers:
        for line in answer.headers.getlist("Set-Cookie"):
            pair, *attributes = line.split("; ")
            cookies[pair.partition("=")[0]] = set(attributes)
    return cookies


# Caches


@pytest.mark.parametrize("path", PUBLIC_PAGES)
def test_public_pages_may_be_kept_by_caches(app: Flask, shop: FilledShop, path: str) -> None:
    answer = app.test_client().get(path)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == CACHED
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")


@pytest.mark.parametrize("path", PUBLIC_PAGES)
def test_public_pages_are_the_same_for_everybody(app: Flask, shop: FilledShop, path: str) -> None:
    stranger = app.test_client().get(path)
    known = a_visit(app, shop, "producer", now=NOON)
    known.post("/gio-hang/them", data={"variant_id": shop.variant.id})

    assert known.get(path).data == stranger.data


def test_private_pages_are_kept_by_nobody(target: Target) -> None:
    kept = []
    for rule in target.app.url_map.iter_rules():
        audience = getattr(target.app.view_functions[rule.endpoint], "audience", "public")
        if "GET" in (rule.methods or set()) and rule.rule.startswith(PRIVATE):
            visitor = a_visit(target.app, target.shop, role_for(audience), now=NOON)
            answer = visitor.get(f"{target.path_of(rule)}?t={target.shop.order_mark}")
            answer.close()
            if answer.headers["Cache-Control"] != "no-store":
                kept.append((rule.rule, answer.headers["Cache-Control"]))

    assert kept == []


def test_an_answer_that_sets_a_cookie_is_kept_by_nobody(target: Target) -> None:
    for rule in target.app.url_map.iter_rules():
        if "GET" in (rule.methods or set()):
            answer = target.app.test_client().get(target.path_of(rule))
            answer.close()

            if "Set-Cookie" in answer.headers:
                assert answer.headers["Cache-Control"] == "no-store", rule.rule


def test_hashed_files_are_kept_for_ever(app: Flask) -> None:
    name = app.jinja_env.globals["asset"]("css/phien.css")  # type: ignore[operator]

    answer = app.test_client().get(name)

    answer.close()
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers.get("X-Content-Type-Options") == "nosniff"
    assert "Access-Control-Allow-Origin" not in answer.headers


# How much may be sent


def test_a_body_of_more_than_twelve_megabytes_is_refused(visitor: FlaskClient) -> None:
    body = b"x" * (12 * 1024 * 1024 + 1)

    answer = visitor.post(
        "/gio-hang/them", data=body, content_type="multipart/form-data; boundary=x"
    )

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_form_of_more_than_256_kilobytes_is_refused(visitor: FlaskClient, kind: str) -> None:
    long = b"1" * (256 * 1024 + 1)
    body = b"quantity=" + long
    if kind.startswith("multipart"):
        body = (
            b'--x\r\nContent-Disposition: form-data; name="quantity"\r\n\r\n' + long + b"\r\n--x--"
        )

    answer = visitor.post("/gio-hang/them", data=body, content_type=kind)

    assert answer.status_code == 413


def test_a_form_of_more_than_two_hundred_parts_is_refused(visitor: FlaskClient) -> None:
    answer = visitor.post(
        "/gio-hang/them",
        data={f"field-{number}": "1" for number in range(201)},
        content_type="multipart/form-data",
    )

    assert answer.status_code == 413


def test_an_address_of_more_than_four_thousand_letters_is_refused(visitor: FlaskClient) -> None:
    assert visitor.get("/san-pham?q=" + "a" * 4_000).status_code == 414


# Who may send what where


def test_every_form_without_its_token_is_refused(target: Target) -> None:
    for rule in target.app.url_map.iter_rules():
        view = target.app.view_functions[rule.endpoint]
        if "POST" not in (rule.methods or set()) or hasattr(view, "csrf"):
            continue
        visitor = a_visit(target.app, target.shop, role_for(view.audience), now=NOON)  # type: ignore[attr-defined]
        for token in ("", "0" * 64, "đ"):
            answer = visitor.post(target.path_of(rule), data={"csrf_token": token})

            assert answer.status_code == 403, f"{rule} takes the token {token!r}"


def test_another_visitors_token_is_refused(app: Flask) -> None:
    other, own = app.test_client(), app.test_client()
    page = other.get("/tra-cuu").text
    own.get("/tra-cuu")
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]

    assert other.post("/tra-cuu", data={"csrf_token": token}).status_code == 422
    assert own.post("/tra-cuu", data={"csrf_token": token}).status_code == 403


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_nothing_is_taken_from_another_site(target: Target, headers: dict[str, str]) -> None:
    for rule in target.app.url_map.iter_rules():
        view = target.app.view_functions[rule.endpoint]
        if "POST" not in (rule.methods or set()) or getattr(view, "csrf", "") == "signature":
            continue
        visitor = a_visit(target.app, target.shop, role_for(view.audience), now=NOON)  # type: ignore[attr-defined]
        page = visitor.get("/tra-cuu").text
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        answer = visitor.post(target.path_of(rule), data={"csrf_token": token}, headers=headers)

        assert answer.status_code == 403, f"{rule} takes a form with {headers}"


def test_only_the_named_views_go_without_a_token(app: Flask) -> None:
    bare = {
        rule.rule: str(app.view_functions[rule.endpoint].csrf)  # type: ignore[attr-defined]
        for rule in app.url_map.iter_rules()
        if hasattr(app.view_functions[rule.endpoint], "csrf")
    }

    signed = {rule for rule, how in bare.items() if how == "signature"}
    assert all(rule.startswith("/webhooks/") for rule in signed)
    assert set(bare) - signed <= {
        "/gio-hang/them",
        "/gio-hang/sua",
        "/gio-hang/ma-giam-gia",
        "/gio-hang/de-danh",
        "/gio-hang/de-danh/<int:saved_id>",
        "/da-luu",
        "/ban-hang/<producer>/so-lo/<int:lot>/dong",
        "/gio-qua/<slug>/them",
        "/quet",
        "/truy-xuat/<code>/bao-loi",
        "/xac-thuc",
    }


@pytest.mark.parametrize("role", ["public", "buyer"])
def test_no_desk_and_no_staff_page_opens_to_strangers(target: Target, role: str) -> None:
    for rule in target.app.url_map.iter_rules():
        if not rule.rule.startswith(("/ban-hang/", "/quan-tri")):
            continue
        visitor = a_visit(target.app, target.shop, role, now=NOON)
        page = visitor.get("/tra-cuu").text
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        for method in sorted({"GET", "POST"} & (rule.methods or set())):
            answer = visitor.open(target.path_of(rule), method=method, data={"csrf_token": token})

            expected = {303} if role == "public" else {404}
            assert answer.status_code in expected, f"{method} {rule} answers {answer.status_code}"
            if role == "public":
                assert answer.headers["Location"].startswith("/tai-khoan/dang-nhap"), rule


def test_one_producer_does_not_reach_the_desk_of_another(target: Target) -> None:
    from tests.factories import a_producer  # noqa: PLC0415

    with target.app.extensions["database"].transaction() as session:
        a_producer(session, name="HTX Hai", slug="htx-hai")
    target.shop.addresses["producer"] = "htx-hai"
    visitor = a_visit(target.app, target.shop, "producer", now=NOON)
    page = visitor.get("/tra-cuu").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]

    for rule in target.app.url_map.iter_rules():
        if rule.rule.startswith("/ban-hang/<producer>"):
            for method in sorted({"GET", "POST"} & (rule.methods or set())):
                answer = visitor.open(
                    target.path_of(rule), method=method, data={"csrf_token": token}
                )

                assert answer.status_code == 404, f"{method} {rule}"


def test_every_view_names_who_may_call_it(app: Flask) -> None:
    nameless = [name for name, view in app.view_functions.items() if not hasattr(view, "audience")]

    assert nameless == []


def test_head_and_options_are_answered_and_change_nothing(target: Target) -> None:
    for rule in target.app.url_map.iter_rules():
        audience = getattr(target.app.view_functions[rule.endpoint], "audience", "public")
        visitor = a_visit(target.app, target.shop, role_for(audience), now=NOON)
        path = f"{target.path_of(rule)}?t={target.shop.order_mark}"

        assert visitor.options(path).status_code in {200, 204, 400, 404}, rule.rule
        if "GET" in (rule.methods or set()):
            with visitor.get(path) as seen, visitor.head(path) as head:
                assert head.status_code == seen.status_code, rule.rule
                assert head.data == b"", rule.rule


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_refused(visitor: FlaskClient, method: str) -> None:
    answer = visitor.open("/gio-hang", method=method)

    assert answer.status_code in {403, 405}


# The server


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /" + b"a" * 4_200 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-A: 1\r\n" * 70 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 8_300 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX A: 1\r\n\r\n",
    ],
    ids=["long line", "many headers", "long header", "two lengths", "signed length", "spaced name"],
)
def test_the_server_refuses_what_it_should_not_read(
    running: RunningShop, request_bytes: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", running.port), 5) as wire:
        wire.sendall(request_bytes)
        answer = wire.recv(4_096)

    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer[:80]


def test_the_server_tells_no_version(running: RunningShop) -> None:
    with socket.create_connection(("127.0.0.1", running.port), 5) as wire:
        wire.sendall(f"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1:{running.port}\r\n\r\n".encode())
        answer = wire.recv(4_096).lower()

    assert b"200" in answer.splitlines()[0]
    assert b"python" not in answer
    assert b"gunicorn/" not in answer


# Settings


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"STRIPE_SECRET": "x"}, "STRIPE_SECRET"),
        ({"S3_BUCKT": "x"}, "S3_BUCKT"),
        ({"TIKTOK_SHOP_KEY": "x"}, "TIKTOK_SHOP_KEY"),
        ({"SECRET_KEY": "dev"}, "SECRET_KEY"),
        ({"PORT": "http"}, "PORT"),
        ({"PORT": "0"}, "PORT"),
        ({"PORT": "80000"}, "PORT"),
        ({"PORT": "８０"}, "PORT"),
        ({"DATABASE_URL": "mysql://a/b"}, "DATABASE_URL"),
        ({"QUEUE_URL": "kafka://a"}, "QUEUE_URL"),
        ({"MAIL_URL": "http://a"}, "MAIL_URL"),
        ({"PUBLIC_URL": "cho.example"}, "PUBLIC_URL"),
        ({"SELLING_MODE": "auction"}, "SELLING_MODE"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL"),
        ({"EMBEDDED_WORKER": "yes"}, "EMBEDDED_WORKER"),
    ],
)
def test_a_wrong_setting_stops_the_start_by_its_name(
    tmp_path: Path, environ: dict[str, str], named: str
) -> None:
    with pytest.raises(BadSetting) as stopped:
        load({"SECRET_KEY": SECRET, **environ}, root=tmp_path)

    assert named in str(stopped.value)


def test_an_unknown_name_in_the_settings_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROT=8001\n")

    with pytest.raises(BadSetting, match="PROT"):
        load({"SECRET_KEY": SECRET}, root=tmp_path)


def test_the_own_secret_is_long_and_for_nobody_else(tmp_path: Path) -> None:
    settings = load({}, root=tmp_path)

    kept = tmp_path / "var" / "secret_key"
    assert len(settings.SECRET_KEY) >= 43
    assert kept.stat().st_mode & 0o077 == 0
    assert load({}, root=tmp_path).SECRET_KEY == settings.SECRET_KEY


# The database


def test_no_statement_lock_or_pause_lasts_long(postgres_database: Database) -> None:
    wanted = {
        "statement_timeout": "4s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "10s",
        "TimeZone": "UTC",
    }

    with postgres_database.reading() as session:
        found = {name: session.scalar(text(f"SHOW {name}")) for name in wanted}

    assert found == wanted
    assert postgres_database.engine.pool.size() == 5  # type: ignore[attr-defined]
    assert postgres_database.engine.pool.timeout() == 2  # type: ignore[attr-defined]


def test_background_work_may_take_a_minute(postgres_database: Database) -> None:
    worker = Database(postgres_database.url.render_as_string(hide_password=False), role="job")
    with worker.reading() as session:
        limit = session.scalar(text("SHOW statement_timeout"))
    worker.close()

    assert limit == "1min"


def test_sqlite_keeps_its_promises(tmp_path: Path) -> None:
    wanted: dict[str, Any] = {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }
    database = Database(f"sqlite:///{tmp_path}/shop.db")

    with database.reading() as session:
        found = {name: session.scalar(text(f"PRAGMA {name}")) for name in wanted}
    database.close()

    assert found == wanted
