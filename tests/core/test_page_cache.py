"""A public page is rendered once in a few seconds; a private one every time."""

from dataclasses import replace

import pytest
from flask import Flask, Response, make_response, request
from sqlalchemy import update

from catalog.products import Product
from core.db import Database
from core.settings import Settings
from core.web import page_cache
from tests.factories import a_product, a_variant
from tests.queries import counted
from wsgi import create_app


@pytest.fixture
def cached_app(settings: Settings, database: Database) -> Flask:
    """The whole shop with the cache switched on."""
    app = create_app(replace(settings, PAGE_CACHE_SECONDS=5))
    app.extensions["database"].close()
    app.extensions["database"] = database
    return app


def test_a_second_visitor_costs_no_query(cached_app: Flask, database: Database) -> None:
    with database.transaction() as session:
        a_variant(session, product=a_product(session, slug="mat-ong"))
    first = cached_app.test_client().get("/san-pham/mat-ong")

    with counted(database) as asked:
        second = cached_app.test_client().get("/san-pham/mat-ong")

    assert asked == []
    assert second.data == first.data
    assert second.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]
    assert second.headers["X-Request-Id"] != first.headers["X-Request-Id"]


def test_a_change_shows_when_the_seconds_are_over(
    cached_app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        a_variant(session, product=a_product(session, slug="mat-ong", name="Mật ong cũ"))
    visitor = cached_app.test_client()
    moment = page_cache.monotonic()
    monkeypatch.setattr(page_cache, "monotonic", lambda: moment)
    visitor.get("/san-pham/mat-ong")
    with database.transaction() as session:
        session.execute(update(Product).values(name="Mật ong mới"))

    before = visitor.get("/san-pham/mat-ong").text
    moment += 5.1
    after = visitor.get("/san-pham/mat-ong").text

    assert "Mật ong cũ" in before
    assert "Mật ong mới" in after


def test_languages_and_questions_are_different_pages(cached_app: Flask, database: Database) -> None:
    visitor = cached_app.test_client()

    pages = {
        visitor.get(address).text for address in ("/san-pham", "/en/san-pham", "/san-pham?q=x")
    }

    assert len(pages) == 3


@pytest.mark.parametrize("address", ["/gio-hang", "/dat-hang", "/tai-khoan/dang-nhap", "/healthz"])
def test_private_pages_are_never_kept(cached_app: Flask, address: str) -> None:
    cached_app.test_client().get(address)

    kept = cached_app.extensions["page_cache"]._pages

    assert not [key for key in kept if key[2].startswith(address)]


@pytest.mark.parametrize(
    ("headers", "status", "kept"),
    [
        ({"Cache-Control": "public, max-age=60"}, 200, True),
        ({"Cache-Control": "public, max-age=60", "Set-Cookie": "a=b"}, 200, False),
        ({"Cache-Control": "public, max-age=60", "Vary": "Cookie"}, 200, False),
        ({"Cache-Control": "private, max-age=60"}, 200, False),
        ({"Cache-Control": "public, max-age=60"}, 404, False),
        ({"Cache-Control": "no-store"}, 200, False),
    ],
)
def test_only_what_is_the_same_for_everybody_is_kept(
    headers: dict[str, str], status: int, *, kept: bool
) -> None:
    app = Flask(__name__)
    app.config["SETTINGS"] = Settings(SECRET_KEY="x" * 40)
    page_cache.install(app)
    rendered = []

    @app.get("/")
    def page() -> Response:
        rendered.append(request.path)
        answer = make_response("trang", status)
        answer.headers.extend(headers)
        return answer

    for _n in range(3):
        app.test_client().get("/")

    assert len(rendered) == (1 if kept else 3)


def test_the_oldest_pages_are_forgotten() -> None:
    cache = page_cache.PageCache(5)
    answer = Response("trang")

    for number in range(page_cache.MOST_PAGES + 10):
        cache.keep((str(number),), answer, max_age=60)

    assert cache.find(("0",)) is None
    assert cache.find((str(page_cache.MOST_PAGES + 9),)) is not None


def test_nobody_is_sent_a_packing_that_another_asked_for(
    cached_app: Flask, database: Database
) -> None:
    with database.transaction() as session:
        a_variant(session, product=a_product(session, slug="mat-ong"))
    visitor = cached_app.test_client()
    visitor.get("/san-pham/mat-ong", headers={"Accept-Encoding": "gzip, br;q=0"})

    answer = visitor.get("/san-pham/mat-ong", headers={"Accept-Encoding": "br"})

    assert answer.headers["Content-Encoding"] == "br"


def test_a_question_mark_in_the_path_is_another_page(cached_app: Flask) -> None:
    pages = []
    for path, query in (("/san-pham", "q=a?"), ("/san-pham?q=a", "")):
        with cached_app.test_request_context(
            path.replace("?", "%3F"), environ_overrides={"QUERY_STRING": query}
        ):
            pages.append(page_cache._key())

    assert pages[0] != pages[1]


def test_the_first_page_is_kept_for_each_language_apart(
    cached_app: Flask, database: Database
) -> None:
    vietnamese, english = {"Accept-Language": "vi"}, {"Accept-Language": "en"}
    visitor = cached_app.test_client()
    visitor.get("/", headers=vietnamese)

    with counted(database) as asked:
        again = visitor.get("/", headers=vietnamese)
    other = visitor.get("/", headers=english)

    assert (again.status_code, asked) == (200, [])
    assert (other.status_code, other.location) == (302, "/en")
