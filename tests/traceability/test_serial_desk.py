"""Labels with numbers: made in runs, stuck on by range, by scanning, or all at once."""

import csv
from io import StringIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from core.db import Database
from tests.conftest import NOON
from tests.factories import a_lot, a_variant
from tests.traceability.house import House, a_house
from traceability import serials
from traceability.serials import Serial


@pytest.fixture
def house(app: Flask, database: Database) -> House:
    return a_house(app, database)


def stuck(database: Database) -> list[int]:
    with database.reading() as session:
        found = session.scalars(select(Serial).where(Serial.activated_at.is_not(None)))
        return sorted(label.position for label in found)


def codes(database: Database) -> list[str]:
    with database.reading() as session:
        return serials.list_of_run(session, 1)


def test_a_run_is_made_and_listed_for_the_printer(house: House, database: Database) -> None:
    made = house.sends(f"/so-lo/{house.lot_id}/tem/moi", count="12")

    page = house.owner.get(house.labels).text
    rows = list(
        csv.DictReader(StringIO(house.owner.get(f"{house.labels}/1/tem.csv").text.lstrip("\ufeff")))
    )
    assert made.status_code == 303
    assert "12 tem" in page
    assert [row["so_se_ri"] for row in rows] == codes(database)
    assert len(set(codes(database))) == 12
    assert house.labels in house.owner.get(f"{house.address}/so-lo/{house.lot_id}").text


@pytest.mark.parametrize("count", ["0", "-1", "10001", "1" * 18, "x", ""])
def test_a_wrong_number_of_labels_is_refused(house: House, database: Database, count: str) -> None:
    answer = house.sends(f"/so-lo/{house.lot_id}/tem/moi", count=count)

    assert answer.status_code == 422
    with database.reading() as session:
        assert session.scalars(select(Serial)).all() == []


def test_a_range_then_the_rest_stick_on(house: House, database: Database) -> None:
    house.sends(f"/so-lo/{house.lot_id}/tem/moi", count="10")

    first = house.sends(f"/so-lo/{house.lot_id}/tem/1/kich-hoat", first="3", last="5")
    some = stuck(database)
    rest = house.sends(f"/so-lo/{house.lot_id}/tem/1/kich-hoat", first="1", last="10")

    assert first.status_code == rest.status_code == 303
    assert some == [3, 4, 5]
    assert stuck(database) == list(range(1, 11))
    assert "7 tem" in house.owner.get(house.labels).text


@pytest.mark.parametrize(
    ("first", "last"), [("0", "5"), ("5", "3"), ("1", "11"), ("", ""), ("x", "2")]
)
def test_a_range_outside_the_run_is_refused(
    house: House, database: Database, first: str, last: str
) -> None:
    house.sends(f"/so-lo/{house.lot_id}/tem/moi", count="10")

    answer = house.sends(f"/so-lo/{house.lot_id}/tem/1/kich-hoat", first=first, last=last)

    assert answer.status_code == 422
    assert "1 đến 10" in answer.text
    assert stuck(database) == []


def test_scanned_labels_stick_on_in_whatever_form_the_scanner_types(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    house.sends(f"/so-lo/{house.lot_id}/tem/moi", count="4")
    one, two, three, _four = codes(database)
    typed = (
        f"HTTP://LOCALHOST/01/09520123456788/10/MAT-01/21/{one}\n{two.lower()}\n"
        f"http://localhost/t/{three}?utm=1\nkhông phải mã"
    )

    answer = house.sends(f"/so-lo/{house.lot_id}/tem/quet", serials=typed, act="activate")

    assert answer.status_code == 303
    assert stuck(database) == [1, 2, 3]
    assert "lưu hành</h1>" in visitor.get(f"/truy-xuat/{one}").text


def test_labels_of_other_lots_do_not_stick_here(house: House, database: Database) -> None:
    with database.transaction() as session:
        (foreign,) = serials.make(session, a_lot(session, a_variant(session)), 1, now=NOON)

    answer = house.sends(f"/so-lo/{house.lot_id}/tem/quet", serials=foreign, act="activate")

    assert answer.status_code == 422
    assert stuck(database) == []


def test_a_run_of_another_lot_is_not_found(house: House, database: Database) -> None:
    with database.transaction() as session:
        serials.make(session, a_lot(session, a_variant(session)), 2, now=NOON)

    answers = [
        house.sends(f"/so-lo/{house.lot_id}/tem/1/kich-hoat", first="1", last="2"),
        house.sends(f"/so-lo/{house.lot_id}/tem/1/ma-cao"),
        house.owner.get(f"{house.labels}/1/tem.csv"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert stuck(database) == []


def test_serials_are_unguessable_and_unlike(database: Database, house: House) -> None:
    house.sends(f"/so-lo/{house.lot_id}/tem/moi", count="2000")

    made = codes(database)

    assert len(set(made)) == 2000
    assert {len(code) for code in made} == {11}
    assert len({code[:4] for code in made}) > 1900
