"""The pages on which goods are written down: with script and without, for whom they are meant."""

import re
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from accounts.audit import SYSTEM
from accounts.users import Role
from catalog import editing, members, pictures
from catalog.products import Product, ProductState
from core.clock import utc_now
from core.db import Database
from core.storage import FolderStorage, storage_for
from tests.catalog.test_goods import HONEY
from tests.conftest import NOON
from tests.core.test_intake import a_photo, png_that_claims
from tests.factories import a_producer, a_user
from tests.servers import running_s3
from tests.shop.selling import run_due
from tests.visits import browser_of, csrf

JSON = {"Accept": "application/json"}


@pytest.fixture
def desk(app: Flask, database: Database) -> dict[str, Any]:
    """HTX Hoa with one person, someone of another place, and a person of the staff."""
    with database.transaction() as session:
        people = {
            "producer": a_user(session, role=Role.PRODUCER, name="Chị Hoa"),
            "other": a_user(session, role=Role.PRODUCER),
            "staff": a_user(session, role=Role.STAFF),
        }
        for name, slug in (("producer", "htx-hoa"), ("other", "htx-khac")):
            place = a_producer(session, name=slug, slug=slug)
            members.add(session, place, people[name], actor=SYSTEM, now=NOON)
    return {name: browser_of(app, database, person) for name, person in people.items()}


def post(
    browser: FlaskClient, address: str, *, page: str | None = None, headers: Any = None, **form: Any
) -> TestResponse:
    token = csrf(browser, page or address)
    return browser.post(address, data={"csrf_token": token, **form}, headers=headers)


def test_first_goods_go_from_an_empty_desk_to_the_shop_without_script(
    app: Flask, database: Database, desk: dict[str, Any]
) -> None:
    hoa, staff = desk["producer"], desk["staff"]
    home = "/ban-hang/htx-hoa/hang"

    begun = post(hoa, f"{home}/moi", page=home)
    page = begun.location
    assert post(hoa, f"{home}/moi", page=home).location == page
    photos = [(BytesIO(a_photo("HEIF")), "a.heic"), (BytesIO(a_photo("JPEG")), "b.jpg")]
    assert post(hoa, f"{page}/anh", page=page, photos=photos).location == f"{page}#photos"
    assert post(hoa, page, version="1", **HONEY).status_code == 303
    assert "Chưa có ảnh" not in hoa.get(page).text

    assert post(hoa, f"{page}/dang-ban", page=page).location == f"{page}?xong=dang"
    assert hoa.get("/san-pham/mat-ong-hoa-nhan").status_code == 404
    run_due(app, database, now=utc_now())
    queue = staff.get("/quan-tri/duyet-hang")
    assert "Mật ong hoa nhãn" in queue.text
    number = page.rpartition("/")[2]
    sent_back = post(staff, f"/quan-tri/duyet-hang/{number}", page="/quan-tri/duyet-hang")
    assert sent_back.status_code == 422
    answer = post(
        staff, f"/quan-tri/duyet-hang/{number}", page="/quan-tri/duyet-hang", what="approve"
    )
    assert answer.status_code == 303

    shown = hoa.get("/san-pham/mat-ong-hoa-nhan").text
    assert "-640.webp" in shown
    assert "-2048.webp" in shown
    assert "24 tháng kể từ ngày sản xuất" in shown
    assert "Tranh vẽ" not in shown
    with database.reading() as session:
        name = session.get_one(Product, int(number)).picture or ""
    assert hoa.get(f"/media/{name}-1200.jpg").headers["Cache-Control"].endswith("immutable")
    card = re.search(r"/chia-se/hang/[^\"]+", shown)
    assert card is not None
    assert hoa.get(card.group()).headers["Cache-Control"].endswith("immutable")
    preview = hoa.get(f"{page}/xem-truoc").text
    assert "TikTok" in preview
    assert f"{page}#description" in preview
    assert hoa.get("/en/san-pham/mat-ong-hoa-nhan").status_code == 200


def test_the_script_saves_field_by_field_and_hears_of_the_other_hand(
    database: Database, desk: dict[str, Any]
) -> None:
    hoa = desk["producer"]
    page = post(hoa, "/ban-hang/htx-hoa/hang/moi", page="/ban-hang/htx-hoa/hang").location

    def save(version: int, **form: str) -> Any:
        return post(hoa, page, headers=JSON, version=str(version), **form)

    saved = save(1, name="Trà shan tuyết", seen_name="")
    assert (saved.status_code, saved.json["version"], saved.headers["ETag"]) == (200, 2, '"2"')
    assert ["price", "Ghi giá."] in saved.json["missing"]
    wrong = save(2, price="rẻ")
    assert (wrong.status_code, list(wrong.json["errors"])) == (422, ["price"])
    with database.transaction() as session:
        tea = session.get_one(Product, int(page.rpartition("/")[2]))
        editing.change(session, tea, {"name": "Trà cổ thụ"}, actor=SYSTEM, now=NOON)
    late = save(2, name="Trà rừng", seen_name="Trà shan tuyết")
    assert (late.status_code, late.json["theirs"]) == (409, {"name": "Trà cổ thụ"})
    plain = post(hoa, page, version="2", name="Trà rừng")
    assert plain.status_code == 409
    assert "Trà cổ thụ" in plain.text
    assert 'value="Trà rừng"' in plain.text
    assert post(hoa, page, version="3", name="Trà rừng").status_code == 303


def test_bombs_and_fakes_are_refused_and_the_good_photo_beside_them_stays(
    app: Flask, desk: dict[str, Any]
) -> None:
    hoa = desk["producer"]
    page = post(hoa, "/ban-hang/htx-hoa/hang/moi", page="/ban-hang/htx-hoa/hang").location
    contents = [png_that_claims(30_000, 30_000), b"\xff\xd8\xff\xe0 khong", b"<svg/>", a_photo()]

    answer = post(
        hoa, f"{page}/anh", page=page, photos=[(BytesIO(data), "a.jpg") for data in contents]
    )

    assert answer.status_code == 422
    assert [f"Ảnh {number}: " in answer.text for number in (1, 2, 3, 4)] == [True] * 3 + [False]
    storage = app.extensions["storage"]
    assert isinstance(storage, FolderStorage)
    assert [one.key.rpartition(".")[2] for one in storage.list("private/anh/")] == ["jpeg"]


def test_the_script_sends_a_photo_straight_to_a_real_bucket(
    app: Flask, database: Database, desk: dict[str, Any]
) -> None:
    hoa = desk["producer"]
    page = post(hoa, "/ban-hang/htx-hoa/hang/moi", page="/ban-hang/htx-hoa/hang").location
    assert post(hoa, f"{page}/anh/giay-gui", page=page, kind="image/jpeg").json == {"url": None}
    with running_s3() as bucket:
        app.config["SETTINGS"] = replace(
            app.config["SETTINGS"],
            S3_BUCKET=bucket.name,
            S3_ENDPOINT_URL=bucket.endpoint,
            AWS_ACCESS_KEY_ID=bucket.user,
            AWS_SECRET_ACCESS_KEY=bucket.password,
        )
        app.extensions["storage"] = storage_for(app.config["SETTINGS"])
        assert bucket.endpoint in hoa.get(page).headers["Content-Security-Policy"]

        form: Any = post(hoa, f"{page}/anh/giay-gui", page=page, kind="image/jpeg").json
        sent = requests.post(form["url"], data=form["fields"], files={"file": a_photo()}, timeout=5)
        told = {"key": form["key"], "page": page}
        wrong = post(hoa, f"{page}/anh/da-gui", **told, etag="x", headers={"X-Part": "1"})
        requests.post(form["url"], data=form["fields"], files={"file": a_photo()}, timeout=5)
        arrived = post(hoa, f"{page}/anh/da-gui", **told, etag=sent.headers["ETag"])
        foreign = post(
            hoa, f"{page}/anh/da-gui", page=page, key="private/giay/cua-nguoi.pdf", etag=""
        )
        run_due(app, database, now=utc_now())
        kept = {one.key.rpartition("/")[0] for one in app.extensions["storage"].list()}

    assert (sent.status_code, wrong.status_code, arrived.status_code) == (204, 422, 303)
    assert foreign.status_code == 422
    assert kept == {"anh", "private/anh"}
    with database.reading() as session:
        (photo,) = pictures.list_of(session, int(page.rpartition("/")[2]))
        assert (photo.width, photo.height, photo.side) == (640, 480, 480)


def test_another_place_finds_nothing_and_changes_nothing(
    database: Database, desk: dict[str, Any]
) -> None:
    hoa, other = desk["producer"], desk["other"]
    page = post(hoa, "/ban-hang/htx-hoa/hang/moi", page="/ban-hang/htx-hoa/hang").location
    number = page.rpartition("/")[2]
    own = post(other, "/ban-hang/htx-khac/hang/moi", page="/ban-hang/htx-khac/hang").location

    for path in ("", "/xem-truoc", "/anh"):
        assert other.get(page + path).status_code == 404
        assert other.get(f"/ban-hang/htx-khac/hang/{number}{path}").status_code == 404
    for path in ("", "/anh", "/anh/giay-gui", "/anh/thu-tu", "/loai", "/dang-ban", "/ngung-ban"):
        foreign = f"/ban-hang/htx-khac/hang/{number}{path}"
        assert post(other, foreign, page=own, name="X").status_code in {404, 422}
    with database.reading() as session:
        product = session.get_one(Product, int(number))
        assert (product.name, product.state) == ("", ProductState.DRAFT)
        assert pictures.list_of(session, product.id) == []


def test_the_crop_is_kept_and_the_store_tells_of_the_conflict(
    app: Flask, database: Database, desk: dict[str, Any]
) -> None:
    hoa = desk["producer"]
    page = post(hoa, "/ban-hang/htx-hoa/hang/moi", page="/ban-hang/htx-hoa/hang").location
    image = Image.new("RGB", (800, 600), "green")
    file = BytesIO()
    image.save(file, "PNG")
    post(hoa, f"{page}/anh", page=page, photos=[(BytesIO(file.getvalue()), "a.png")])
    run_due(app, database, now=utc_now())
    with database.reading() as session:
        photo = pictures.list_of(session, int(page.rpartition("/")[2]))[0]
        variant = editing.first_variant(session, session.get_one(Product, photo.product_id))

    crop = f"{page}/anh/{photo.id}"
    cut = post(hoa, f"{crop}/cat", page=crop, x="0", y="1000", side="500", alt="Hũ mật ong")
    assert cut.status_code == 303
    run_due(app, database, now=utc_now())
    assert 'alt="Hũ mật ong"' in hoa.get(f"{page}/anh").text
    taken_off = post(hoa, crop, page=page, what="remove", headers={"X-Part": "1"})
    assert "Hoàn tác" in taken_off.text

    store = f"/ban-hang/htx-hoa/kho/{variant.id}"
    assert post(hoa, f"{store}/nhap", page=store, pieces="+20").status_code == 303
    counted = post(hoa, f"{store}/dem-lai", page=store, counted="7", expected_before="5")
    assert counted.status_code == 409
    assert "Màn hình ghi 5 nhưng nay còn 20" in counted.text
    assert 'name="price"' not in counted.text
