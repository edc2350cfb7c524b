"""Anybody may say what is wrong with a package, without saying who they are."""

from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from core.codes import new_code
from core.db import Database
from tests.traceability.house import House, a_house
from traceability.codes import TRACE_CODE
from traceability.problem_reports import ProblemReport


@pytest.fixture
def house(app: Flask, database: Database) -> House:
    return a_house(app, database)


def a_photo() -> tuple[BytesIO, str]:
    file = BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "Máy của Hoa"
    exif.get_ifd(0x8825)[2] = (21.0, 5.0, 0.0)
    Image.new("RGB", (64, 48), "red").save(file, "JPEG", exif=exif)
    file.seek(0)
    return file, "hop.jpg"


def only_report(database: Database) -> ProblemReport:
    with database.reading() as session:
        return session.scalars(select(ProblemReport)).one()


def test_a_report_reaches_the_desk_and_staff(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    path = f"/truy-xuat/{house.lot_code}/bao-loi"
    form = visitor.get(path)

    sent = visitor.post(
        path,
        data={
            "kind": "broken",
            "words": "Nắp hở, chảy ra túi",
            "photo": a_photo(),
            "province_code": "01",
        },
    )
    thanks = visitor.get(sent.headers["Location"])

    report = only_report(database)
    desk = house.owner.get(f"{house.address}/bao-loi").text
    assert 'name="kind"' in form.text
    assert "Set-Cookie" not in form.headers
    assert sent.status_code == 303
    assert "Cảm ơn" in thanks.text
    assert (report.lot_id, report.province_code) == (house.lot_id, "01")
    assert "Nắp hở, chảy ra túi" in desk
    assert "báo lỗi" in house.owner.get(house.address).text.lower()
    photo = house.owner.get(f"{house.address}/bao-loi/{report.id}/anh")
    kept = Image.open(BytesIO(photo.data))
    assert kept.size == (64, 48)
    assert not kept.getexif()
    assert visitor.get(f"/media/{report.photo_key}").status_code == 404
    assert visitor.get(f"{house.address}/bao-loi/{report.id}/anh").status_code != 200


def test_a_report_is_settled_once_with_what_was_done(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    visitor.post(f"/truy-xuat/{house.product_code}/bao-loi", data={"kind": "spoilt"})
    report = only_report(database)

    empty = house.sends(f"/bao-loi/{report.id}/xong", outcome=" ")
    done = house.sends(f"/bao-loi/{report.id}/xong", outcome="Đổi hũ khác")
    house.sends(f"/bao-loi/{report.id}/xong", outcome="Khác")

    assert (empty.status_code, done.status_code) == (422, 303)
    assert only_report(database).outcome == "Đổi hũ khác"
    assert "Chị Hoa" in house.owner.get(f"{house.address}/bao-loi").text


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"kind": "nonsense"},
        {"kind": "other", "words": "  "},
        {"kind": "broken", "words": "a" * 1001},
        {"kind": "broken", "photo": (BytesIO(b"MZ not a photo"), "x.jpg")},
    ],
)
def test_a_report_that_says_nothing_is_asked_again(
    house: House, database: Database, visitor: FlaskClient, data: dict[str, object]
) -> None:
    fields = {
        name: (BytesIO(b"MZ not a photo"), "x.jpg") if name == "photo" else value
        for name, value in data.items()
    }

    answer = visitor.post(f"/truy-xuat/{house.lot_code}/bao-loi", data=fields)

    assert answer.status_code == 422
    assert 'class="loi-o"' in answer.text
    with database.reading() as session:
        assert session.scalars(select(ProblemReport)).all() == []


def test_only_known_codes_are_reported_and_only_from_here(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    unknown = f"/truy-xuat/{new_code(TRACE_CODE)}/bao-loi"

    assert visitor.get(unknown).status_code == 404
    assert visitor.post(unknown, data={"kind": "broken"}).status_code == 404
    foreign = visitor.post(
        f"/truy-xuat/{house.lot_code}/bao-loi",
        data={"kind": "broken"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert foreign.status_code == 403
    with database.reading() as session:
        assert session.scalars(select(ProblemReport)).all() == []


def test_one_network_cannot_bury_a_desk(
    house: House, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("traceability.views.scan_acts.REPORTS_AN_HOUR", 2)
    path = f"/truy-xuat/{house.lot_code}/bao-loi"

    answers = [visitor.post(path, data={"kind": "broken"}).status_code for _try in range(3)]

    assert answers == [303, 303, 429]


def test_what_is_typed_is_shown_as_letters(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    visitor.post(
        f"/truy-xuat/{house.lot_code}/bao-loi",
        data={"kind": "broken", "words": "<script>alert(1)</script>"},
    )

    desk = house.owner.get(f"{house.address}/bao-loi").text

    assert "<script>alert" not in desk
    assert "&lt;script&gt;" in desk
