"""Scans are numbers of a day; whoever scanned is forgotten, and nothing is judged by itself."""

from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from accounts.audit import SYSTEM, Act
from accounts.users import Role
from catalog.lots import Lot
from core.codes import new_code
from core.db import Database
from tests.conftest import NOON
from tests.factories import a_lot, a_province, a_user, a_variant
from tests.traceability.house import House, a_house
from tests.visits import browser_of
from traceability import scan_counts, scan_flags, serials
from traceability.codes import TRACE_CODE
from traceability.scan_counts import ScanDaily, ScanSalt, ScanSeen
from traceability.scan_flags import Oddity, SerialFlag
from traceability.serials import Serial, SerialState

PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 13) Zalo"}


@pytest.fixture
def house(app: Flask, database: Database) -> House:
    house = a_house(app, database)
    with database.transaction() as session:
        a_province(session, code="48", name="Thành phố Đà Nẵng")
    return house


def a_label(house: House, database: Database, *, activated: bool = True) -> str:
    with database.transaction() as session:
        lot = session.get_one(Lot, house.lot_id)
        (serial,) = serials.make(session, lot, 1, now=NOON, activated=activated)
    return serial


def counted(database: Database, code: str) -> dict[str, int]:
    with database.reading() as session:
        rows = session.scalars(select(ScanDaily).where(ScanDaily.code == code))
        return {row.province_code: row.n for row in rows}


def scans(visitor: FlaskClient, code: str, *, address: str = "203.0.113.9", **more: str) -> int:
    return visitor.post(
        "/quet",
        data={"id": code, **more},
        headers=PHONE,
        environ_base={"REMOTE_ADDR": address},
    ).status_code


def oddities(database: Database, serial: str) -> set[Oddity]:
    with database.reading() as session:
        flags = session.scalars(select(SerialFlag).where(SerialFlag.serial == serial))
        return {flag.oddity for flag in flags if flag.settled_at is None}


def test_looking_at_a_page_counts_nothing(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    for path in (f"/truy-xuat/{house.lot_code}", f"/t/{house.lot_code}"):
        visitor.get(path)
        visitor.head(path)

    assert counted(database, house.lot_code) == {}


def test_a_visitor_counts_once_a_day_for_each_code(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    answers = [scans(visitor, house.lot_code) for _again in range(3)]
    scans(visitor, house.lot_code, address="203.0.113.10")
    scans(visitor, house.product_code)
    with time_machine.travel(NOON + timedelta(days=1), tick=True):
        scans(visitor, house.lot_code)

    assert answers == [204, 204, 204]
    assert counted(database, house.product_code) == {"": 1}
    with database.reading() as session:
        assert scan_counts.total(session, house.lot_code) == 3
        assert scan_counts.by_day(session, house.producer_id, since=date(2026, 11, 1)) == {
            date(2026, 11, 25): 3,
            date(2026, 11, 26): 1,
        }


def test_the_answer_tells_nothing_about_a_code(house: House, visitor: FlaskClient) -> None:
    known = visitor.post("/quet", data={"id": house.lot_code})
    unknown = visitor.post("/quet", data={"id": new_code(TRACE_CODE)})
    broken = visitor.post("/quet", data={"id": "<b>"})

    for answer in (known, unknown, broken):
        assert (answer.status_code, answer.data) == (204, b"")
        assert "Set-Cookie" not in answer.headers


def test_other_sites_cannot_count(house: House, database: Database, visitor: FlaskClient) -> None:
    answer = visitor.post(
        "/quet", data={"id": house.lot_code}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert answer.status_code == 403
    assert counted(database, house.lot_code) == {}


def test_a_province_is_the_one_the_visitor_names_once(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    scans(visitor, house.lot_code)
    named = scans(visitor, house.lot_code, province_code="48")
    scans(visitor, house.lot_code, province_code="01")
    scans(visitor, house.lot_code, address="203.0.113.10", province_code="99")

    assert named == 303
    assert counted(database, house.lot_code) == {"": 1, "48": 1}
    with database.reading() as session:
        provinces = scan_counts.by_province(session, house.producer_id, since=date(2026, 11, 1))
    assert dict(provinces) == {None: 1, "Thành phố Đà Nẵng": 1}


def test_marks_and_salts_are_forgotten_within_two_days(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    scans(visitor, house.lot_code)

    scan_counts.forget_old(database, NOON + timedelta(days=1))
    with database.reading() as session:
        kept = len(session.scalars(select(ScanSeen)).all())
    scan_counts.forget_old(database, NOON + timedelta(days=2))

    with database.reading() as session:
        assert kept == 1
        assert session.scalars(select(ScanSeen)).all() == []
        assert session.scalars(select(ScanSalt)).all() == []
        assert scan_counts.total(session, house.lot_code) == 1


def test_a_mark_cannot_be_made_again_on_another_day(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    scans(visitor, house.lot_code)
    with time_machine.travel(NOON + timedelta(days=1), tick=True):
        scans(visitor, house.lot_code)

    with database.reading() as session:
        first, second = session.scalars(select(ScanSeen.mark))
    assert first != second


def test_odd_scans_are_told_and_never_judged(
    house: House, database: Database, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_flags, "MANY_VISITORS", 3)
    many = a_label(house, database)
    early = a_label(house, database, activated=False)
    sold = a_label(house, database)
    far = a_label(house, database)
    calm = a_label(house, database)
    house.sends(f"/so-lo/{house.lot_id}/tem/quet", serials=sold, act="sold")

    for number in range(3):
        scans(visitor, many, address=f"203.0.113.{number}")
    scans(visitor, early)
    scans(visitor, far, province_code="01")
    scans(visitor, far, address="198.51.100.1", province_code="48")
    scans(visitor, calm)
    scans(visitor, sold)
    with time_machine.travel(NOON + timedelta(days=1), tick=True):
        before = oddities(database, sold)
        scans(visitor, sold)

    assert oddities(database, many) == {Oddity.MANY_VISITORS}
    assert oddities(database, early) == {Oddity.BEFORE_ACTIVATION}
    assert oddities(database, far) == {Oddity.TWO_PROVINCES}
    assert oddities(database, calm) == before == set()
    assert oddities(database, sold) == {Oddity.AFTER_SALE}
    for serial in (many, far, sold):
        assert "lưu hành</h1>" in visitor.get(f"/truy-xuat/{serial}").text


def test_a_person_decides_at_the_desk(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    serial = a_label(house, database, activated=False)
    scans(visitor, serial)
    desk = house.owner.get(f"{house.address}/luot-quet").text
    home = house.owner.get(house.address).text

    house.sends(f"/luot-quet/tem/{serial}", to="blocked")
    blocked = visitor.get(f"/truy-xuat/{serial}").text
    house.sends(f"/luot-quet/tem/{serial}", to="watch")
    watched = house.owner.get(f"{house.address}/luot-quet").text
    house.sends(f"/luot-quet/tem/{serial}", to="normal")

    assert serial in desk
    assert "tem có lượt quét lạ" in home
    assert "Tem đã bị hủy" in blocked
    assert "<form" not in blocked
    assert serial in watched
    assert serial not in house.owner.get(f"{house.address}/luot-quet").text
    assert oddities(database, serial) == set()
    with database.reading() as session:
        assert session.get_one(Serial, serial).state is SerialState.NORMAL
        verbs = session.scalars(select(Act.verb).where(Act.subject == f"serial:{serial}")).all()
    assert verbs == ["serial.block", "serial.watch", "serial.release"]


def test_a_settled_oddity_that_happens_again_is_told_again(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    serial = a_label(house, database, activated=False)
    scans(visitor, serial)
    house.sends(f"/luot-quet/tem/{serial}", to="normal")

    scans(visitor, serial, address="198.51.100.7")

    assert oddities(database, serial) == {Oddity.BEFORE_ACTIVATION}


def test_nobody_decides_on_labels_of_others(
    app: Flask, house: House, database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        (foreign,) = serials.make(session, a_lot(session, a_variant(session)), 1, now=NOON)

    answer = house.sends(f"/luot-quet/tem/{foreign}", to="blocked")

    assert answer.status_code == 404
    with database.reading() as session:
        assert session.get_one(Serial, foreign).state is SerialState.NORMAL


def test_two_states_are_not_left_twice(house: House, database: Database) -> None:
    serial = a_label(house, database)

    with database.transaction() as session:
        moved = [
            serials.move(session, serial, to, actor=SYSTEM, now=NOON)
            for to in (SerialState.NORMAL, SerialState.BLOCKED, SerialState.BLOCKED)
        ]

    assert moved == [False, True, False]


def test_the_desk_draws_days_and_provinces(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    empty = house.owner.get(f"{house.address}/luot-quet").text
    scans(visitor, house.lot_code, province_code="48")
    scans(visitor, house.lot_code, address="203.0.113.10")

    page = house.owner.get(f"{house.address}/luot-quet").text

    assert "<rect" not in empty.partition("<main")[2]
    assert page.count("<rect") >= 4
    assert "25/11/2026: 2" in page
    assert "Thành phố Đà Nẵng" in page
    assert "không rõ" in page


def test_staff_see_who_tries_out_codes_as_a_number(
    app: Flask, database: Database, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("traceability.views.unknown.UNKNOWN_A_MINUTE", 2)
    pages = [visitor.get(f"/t/{new_code(TRACE_CODE)}") for _try in range(6)]
    with database.transaction() as session:
        staff = a_user(session, role=Role.STAFF)

    told = browser_of(app, database, staff).get("/quan-tri/quet").text

    assert [page.status_code for page in pages] == [404, 404, 429, 429, 429, 429]
    assert "Mã lạ, chưa thấy trong sổ</h1>" in pages[-1].text
    assert int(pages[-1].headers["Retry-After"]) <= 60
    assert "25/11/2026" in told
    assert "1 phút" in told
