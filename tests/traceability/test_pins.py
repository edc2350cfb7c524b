"""The number under the coat: right once and for all, five wrong ones an hour, then a day's rest."""

import csv
import re
from datetime import timedelta
from io import StringIO
from threading import Thread

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from accounts.audit import SYSTEM
from catalog import lots
from catalog.lots import Lot
from core.db import Database
from tests.conftest import NOON, SECRET
from tests.traceability.house import House, a_house
from traceability import pins, serials
from traceability.pins import PinLocked, PinTry
from traceability.serials import Serial, SerialState


@pytest.fixture
def house(app: Flask, database: Database) -> House:
    return a_house(app, database)


@pytest.fixture
def label(house: House, database: Database) -> tuple[str, str]:
    """One label that sticks on goods, and the number under its coat."""
    return a_label(house, database)


def a_label(house: House, database: Database, *, activated: bool = True) -> tuple[str, str]:
    with database.transaction() as session:
        serials.make(session, session.get_one(Lot, house.lot_id), 1, now=NOON)
        run = serials.list_runs(session, house.lot_id)[0]
        ((serial, pin),) = pins.give(session, run, SECRET, actor=SYSTEM, now=NOON)
        if activated:
            serials.activate(session, [serial], now=NOON)
    return serial, pin


def wrong(pin: str) -> str:
    return f"{(int(pin) + 1) % 10**6:06d}"


def test_the_first_right_number_is_told_and_the_next_ones_name_that_day(
    label: tuple[str, str], visitor: FlaskClient
) -> None:
    serial, pin = label

    first = visitor.post("/xac-thuc", data={"id": serial, "pin": pin})
    with time_machine.travel(NOON + timedelta(days=3), tick=True):
        second = visitor.post(
            "/xac-thuc", data={"id": serial.lower(), "pin": f"{pin[:3]} {pin[3:]}"}
        )
        page = visitor.get(f"/truy-xuat/{serial}")

    assert first.status_code == second.status_code == 200
    assert "lần đầu" in first.text
    assert 'class="phan tot"' in first.text
    assert 'class="phan het"' in second.text
    assert "25/11/2026" in second.text
    assert "2 lần" in second.text
    assert "25/11/2026" in page.text
    assert "hàng thật" not in first.text + second.text + page.text


def test_programs_get_the_same_as_json(label: tuple[str, str], visitor: FlaskClient) -> None:
    serial, pin = label
    asking = {"Accept": "application/json"}

    right = visitor.post("/xac-thuc", data={"id": serial, "pin": pin}, headers=asking)
    not_right = visitor.post("/xac-thuc", data={"id": serial, "pin": wrong(pin)}, headers=asking)

    assert right.json is not None
    assert not_right.json is not None
    assert (right.json["fits"], right.json["first_checked_on"], right.json["times"]) == (
        True,
        "2026-11-25",
        1,
    )
    assert not_right.status_code == 422
    assert not_right.json["fits"] is False


def test_five_wrong_numbers_in_an_hour_lock_the_label_for_a_day(
    label: tuple[str, str], visitor: FlaskClient
) -> None:
    serial, pin = label
    tries = [
        visitor.post("/xac-thuc", data={"id": serial, "pin": wrong(pin)}).status_code
        for _try in range(5)
    ]

    locked = visitor.post("/xac-thuc", data={"id": serial, "pin": pin})
    with time_machine.travel(NOON + timedelta(hours=23), tick=True):
        still = visitor.post("/xac-thuc", data={"id": serial, "pin": pin})
    with time_machine.travel(NOON + timedelta(hours=24, minutes=1), tick=True):
        free = visitor.post("/xac-thuc", data={"id": serial, "pin": pin})

    assert tries == [422] * 5
    assert (locked.status_code, still.status_code, free.status_code) == (429, 429, 200)
    assert int(locked.headers["Retry-After"]) > 23 * 3600


def test_four_wrong_numbers_are_forgotten_after_an_hour(
    label: tuple[str, str], visitor: FlaskClient
) -> None:
    serial, pin = label
    for _try in range(4):
        visitor.post("/xac-thuc", data={"id": serial, "pin": wrong(pin)})

    with time_machine.travel(NOON + timedelta(minutes=61), tick=True):
        later = [
            visitor.post("/xac-thuc", data={"id": serial, "pin": wrong(pin)}).status_code
            for _try in range(4)
        ]
        right = visitor.post("/xac-thuc", data={"id": serial, "pin": pin})

    assert later == [422] * 4
    assert right.status_code == 200


def test_a_hundred_tries_at_once_are_five(label: tuple[str, str], database: Database) -> None:
    serial, _pin = label
    let_through: list[bool] = []

    def one_try() -> None:
        for _again in range(10):
            try:
                with database.transaction() as session:
                    pins.start_check(session, serial, now=NOON)
                let_through.append(True)
            except PinLocked:
                let_through.append(False)

    threads = [Thread(target=one_try) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(let_through) == 100
    assert let_through.count(True) == 5


def test_one_network_cannot_try_every_label(
    label: tuple[str, str], visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("traceability.views.scan_acts.CHECKS_AN_HOUR", 2)
    serial, pin = label

    answers = [
        visitor.post("/xac-thuc", data={"id": serial, "pin": wrong(pin)}).status_code
        for _try in range(3)
    ]

    assert answers == [422, 422, 429]


def test_a_number_is_kept_as_a_keyed_hash_alone(
    label: tuple[str, str], database: Database, visitor: FlaskClient
) -> None:
    serial, pin = label

    with database.reading() as session:
        kept = session.get_one(Serial, serial)

    assert kept.pin_mac is not None
    assert re.fullmatch("[0-9a-f]{64}", kept.pin_mac)
    assert re.fullmatch(r"\d{6,8}", pin)
    assert pins._mac("another secret of the same length", serial, pin) != kept.pin_mac
    assert pins._mac(SECRET, "0" * 11, pin) != kept.pin_mac


def test_a_number_of_an_older_key_is_right_while_that_key_stands(
    label: tuple[str, str], database: Database
) -> None:
    serial, pin = label

    with database.transaction() as session:
        kept = session.get_one(Serial, serial)
        told = pins.check(session, kept, pin, secrets=["new" * 20, SECRET], now=NOON)
        with pytest.raises(pins.WrongPin):
            pins.check(session, kept, pin, secrets=["new" * 20], now=NOON)

    assert told.times == 1


def test_labels_without_a_number_or_not_on_goods_say_so(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    serial, pin = a_label(house, database, activated=False)
    with database.transaction() as session:
        lot = session.get_one(Lot, house.lot_id)
        (bare,) = serials.make(session, lot, 1, now=NOON, activated=True)

    answers = {
        code: visitor.post("/xac-thuc", data={"id": code, "pin": pin})
        for code in (serial, bare, house.lot_code)
    }
    unknown = visitor.post("/xac-thuc", data={"id": "7K3QX9M2PD7", "pin": pin})

    assert [answer.status_code for answer in answers.values()] == [409, 409, 409]
    assert "chưa kích hoạt" in answers[serial].text
    assert 'name="pin"' not in visitor.get(f"/truy-xuat/{bare}").text
    assert unknown.status_code == 404


def test_a_recalled_or_blocked_label_is_never_told_to_fit(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    serial, pin = a_label(house, database)
    with database.transaction() as session:
        serials.move(session, serial, SerialState.BLOCKED, actor=SYSTEM, now=NOON)
    blocked = visitor.post("/xac-thuc", data={"id": serial, "pin": pin}, follow_redirects=True)
    with database.transaction() as session:
        lots.recall(
            session, session.get_one(Lot, house.lot_id), reason="Mốc", actor=SYSTEM, now=NOON
        )

    recalled = visitor.post("/xac-thuc", data={"id": serial, "pin": pin}, follow_redirects=True)

    assert "Tem đã bị hủy" in blocked.text
    assert "thu hồi</h1>" in recalled.text
    assert "khớp" not in recalled.text.lower()


def test_other_sites_cannot_lock_labels(label: tuple[str, str], visitor: FlaskClient) -> None:
    serial, _pin = label

    answer = visitor.post(
        "/xac-thuc",
        data={"id": serial, "pin": "1"},
        headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    )

    assert answer.status_code == 403


def test_the_list_for_the_printer_is_given_once(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    answer = house.sends(f"/so-lo/{house.lot_id}/tem/moi", count="3", pins="1")

    rows = list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))
    again = house.owner.get(f"{house.labels}/1/tem.csv").text
    assert answer.mimetype == "text/csv"
    assert answer.headers["Cache-Control"] == "no-store"
    assert [row["stt"] for row in rows] == ["1", "2", "3"]
    for row in rows:
        assert row["dia_chi_qr"].endswith(f"/10/MAT-01/21/{row['so_se_ri']}")
        assert re.fullmatch(r"\d{6}", row["ma_cao"])
        assert row["so_se_ri"] in again
        assert not re.search(rf",{row['ma_cao']}\r?$", again, re.MULTILINE)


def test_numbers_given_anew_make_the_old_void_until_labels_stick(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    serial, old = a_label(house, database, activated=False)
    renewed = house.sends(f"/so-lo/{house.lot_id}/tem/1/ma-cao")
    (row,) = csv.DictReader(StringIO(renewed.text.removeprefix("\ufeff")))
    with database.transaction() as session:
        serials.activate(session, [serial], now=NOON)

    refused = house.sends(f"/so-lo/{house.lot_id}/tem/1/ma-cao")
    void = visitor.post("/xac-thuc", data={"id": serial, "pin": old})
    right = visitor.post("/xac-thuc", data={"id": serial, "pin": row["ma_cao"]})

    assert refused.status_code == 422
    assert void.status_code == (200 if old == row["ma_cao"] else 422)
    assert right.status_code == 200


def test_old_tries_are_forgotten(label: tuple[str, str], database: Database) -> None:
    serial, _pin = label
    with database.transaction() as session:
        pins.start_check(session, serial, now=NOON)

    with database.transaction() as session:
        pins.forget_old(session, now=NOON + timedelta(hours=2))

    with database.reading() as session:
        assert session.scalars(select(PinTry)).all() == []
