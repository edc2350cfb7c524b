"""What comes from outside may be nonsense; it is never our bug."""

import json
from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient

from accounts.audit import read_mark
from accounts.users import Role
from core.db import Database
from core.i18n import lazy
from core.settings import Settings
from core.web.paging import read_cursor
from tests.factories import a_user
from tests.visits import a_password, browser_of
from wsgi import create_app


def cursor(*mark: object) -> str:
    return urlsafe_b64encode(json.dumps(mark).encode()).decode()


@pytest.mark.parametrize("text", ["\ud800", "a\x00b"])
def test_a_cursor_with_letters_no_column_holds_is_the_first_page(text: str) -> None:
    assert read_cursor(cursor(text, 7), (str, int)) is None


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_outside_the_calendar_is_the_first_page(moment: str) -> None:
    assert read_mark(cursor(moment, 7)) is None


def test_a_number_too_long_for_any_column_is_the_senders_fault(
    app: Flask, database: Database
) -> None:
    with database.transaction() as session:
        staff = a_password(a_user(session, role=Role.STAFF, email="staff@vidu.vn"))
    browser = browser_of(app, database, staff)

    answer = browser.get(f"/quan-tri/nguoi-dung/{'9' * 30}")

    assert answer.status_code == 400


def test_an_origin_nobody_can_read_is_another_site(visitor: FlaskClient) -> None:
    answer = visitor.post("/tai-khoan/dang-xuat", headers={"Origin": "http://["})

    assert answer.status_code == 403


@pytest.mark.parametrize("seconds", [0, 5])
def test_a_query_in_another_encoding_is_refused_on_a_page(settings: Settings, seconds: int) -> None:
    app = create_app(replace(settings, PAGE_CACHE_SECONDS=seconds))

    # As gunicorn hands over bytes that were sent without being escaped.
    answer = app.test_client().get("/san-pham", environ_overrides={"QUERY_STRING": "q=\xff"})

    assert answer.status_code == 400
    app.extensions["database"].close()


def test_a_sentence_that_repeats_what_was_typed_is_shown_not_obeyed(app: Flask) -> None:
    said = lazy("Nothing is known under %(value)s.", value="<img src=x onerror=alert(1)> & co")

    with app.test_request_context("/"):
        page = render_template_string("{{ said }}|{{ said ~ '!' }}", said=said)

    assert "<img" not in page
    assert page.startswith("Không có gì mang tên &lt;img src=x onerror=alert(1)&gt; &amp; co")
    assert page.count("&lt;img") == 2
