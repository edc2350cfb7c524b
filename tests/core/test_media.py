"""Pictures by address: cached for ever, harmless in a browser, and never the private ones."""

from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from core import intake
from core.storage import Storage, StorageAway


@pytest.fixture
def storage(app: Flask) -> Storage:
    found: Storage = app.extensions["storage"]
    return found


@pytest.fixture
def picture(storage: Storage) -> intake.Picture:
    file = BytesIO()
    Image.new("RGB", (600, 400), "green").save(file, "JPEG")
    return intake.take_picture(storage, file.getvalue())


def test_a_picture_is_shown_and_kept_for_ever(
    visitor: FlaskClient, picture: intake.Picture, storage: Storage
) -> None:
    answer = visitor.get(f"/media/{picture.key}")

    assert answer.status_code == 200
    assert answer.data == storage.read(picture.key)
    assert answer.content_type == "image/webp"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "Set-Cookie" not in answer.headers


def test_a_browser_that_has_it_gets_nothing_twice(
    visitor: FlaskClient, picture: intake.Picture
) -> None:
    etag = visitor.head(f"/media/{picture.key}").headers["ETag"]

    answer = visitor.get(f"/media/{picture.key}", headers={"If-None-Match": etag})

    assert (answer.status_code, answer.data) == (304, b"")


def test_private_files_have_no_address(
    visitor: FlaskClient, picture: intake.Picture, storage: Storage
) -> None:
    assert storage.exists(picture.original_key)

    for path in (
        picture.original_key,
        picture.original_key.replace("private/", "anh/../private/"),
        picture.original_key.replace("private", "%70rivate"),
        "/" + picture.original_key,
        "../shop.db",
        "%2e%2e/shop.db",
    ):
        assert visitor.get(f"/media/{path}").status_code in {308, 404}, path


def test_only_pictures_are_shown(visitor: FlaskClient, storage: Storage) -> None:
    storage.put("anh/trang.html", b"<script>alert(1)</script>")
    storage.put("bang/meta.csv", b"id\n")

    assert visitor.get("/media/anh/trang.html").status_code == 404
    assert visitor.get("/media/bang/meta.csv").status_code == 404


def test_a_storage_that_is_away_is_said_in_plain_words(
    app: Flask, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_away(_key: str) -> None:
        raise StorageAway("bucket")

    monkeypatch.setattr(app.extensions["storage"], "stat", is_away)
    answer = visitor.get("/media/anh/a.webp")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
