"""Only views that ask for files are sent large bodies."""

from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from core.web.requests import public
from core.web.security import same_origin_only
from core.web.uploads import takes_files, uploaded

LARGE = 14 * 1024 * 1024


def sizes() -> str:
    """Say how large each file in the field `photo` is."""
    return " ".join(str(len(data)) for data in uploaded("photo"))


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    app.add_url_rule(
        "/thu/anh", "photos", takes_files(same_origin_only(public(sizes))), methods=["POST"]
    )
    return app.test_client()


def send(browser: FlaskClient, path: str, *sizes: int) -> tuple[int, str]:
    files = [FileStorage(BytesIO(b"\0" * size), f"{n}.jpg") for n, size in enumerate(sizes)]
    boundary, body = encode_multipart({"photo": files})
    answer = browser.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}")
    return answer.status_code, answer.text


def test_photos_of_a_phone_arrive(browser: FlaskClient) -> None:
    assert send(browser, "/thu/anh", LARGE, LARGE) == (200, f"{LARGE} {LARGE}")


def test_more_than_three_photos_are_refused(browser: FlaskClient) -> None:
    assert send(browser, "/thu/anh", LARGE, LARGE, LARGE, LARGE)[0] == 413


def test_an_empty_field_counts_for_no_file(browser: FlaskClient) -> None:
    answer = browser.post("/thu/anh", data={"photo": (BytesIO(b""), "")})

    assert (answer.status_code, answer.text) == (200, "")


def test_other_pages_take_no_large_body(browser: FlaskClient) -> None:
    assert send(browser, "/gio-hang/them", LARGE)[0] == 413
