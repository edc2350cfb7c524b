"""Provinces and communes: the official list, its dates, Vietnamese order."""

import json
from datetime import date
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog import places
from catalog.places import AdminUnit, FormerUnit, alphabet_key
from core.settings import ROOT

UNITS = ROOT / "data" / "units"


def test_the_official_list_is_there_once(session: Session) -> None:
    places.load_units(session, UNITS)
    places.load_units(session, UNITS)

    assert len(places.list_provinces(session)) == 34
    assert session.scalar(select(func.count()).select_from(AdminUnit)) == 34 + 3321
    assert places.get_unit(session, "09784").name == "Xã Đan Phượng"
    assert places.place_name(session, "09784", "01") == "Xã Đan Phượng, Hà Nội"


def test_an_old_ward_leads_to_todays_communes(session: Session) -> None:
    places.load_units(session, UNITS)

    here = {unit.new_code for unit in places.list_former(session, "Thị trấn Phùng")}
    here |= {unit.new_code for unit in places.list_former(session, "Hạ Mỗ")}

    assert {"09784", "09817"} <= here
    assert session.scalar(select(func.count()).select_from(FormerUnit)) == 10_602


def test_a_commune_that_is_no_longer_listed_keeps_its_name(
    session: Session, tmp_path: Path
) -> None:
    def write(day: str, communes: list[list[str]]) -> None:
        province = {"code": "01", "name": "Thành phố Hà Nội", "communes": communes}
        listed = {"as_of": day, "source": "test", "provinces": [province]}
        (tmp_path / f"units-{day}.json").write_text(json.dumps(listed), "utf-8")

    (tmp_path / "legacy-map.csv").write_text("old_code,ward,district,province,new_code,divided\n")
    write("2026-01-01", [["00001", "Xã Cũ"], ["00002", "Xã Còn"]])
    places.load_units(session, tmp_path)

    write("2027-01-01", [["00002", "Xã Còn Mãi"], ["00003", "Xã Mới"]])
    places.load_units(session, tmp_path)

    assert [unit.name for unit in places.list_communes(session, "01")] == ["Xã Còn Mãi", "Xã Mới"]
    gone = places.get_unit(session, "00001")
    assert (gone.name, gone.valid_to) == ("Xã Cũ", date(2027, 1, 1))
    assert places.get_unit(session, "00003").valid_from == date(2027, 1, 1)


def test_names_sort_as_vietnamese_does() -> None:
    names = ["Ô", "Đan", "Bạ", "Đăng", "Bá", "Da", "Ơ", "Bà", "Ea", "Bã", "An", "Đa", "Bả", "Ba"]
    ordered = ["An", "Ba", "Bà", "Bả", "Bã", "Bá", "Bạ", "Da", "Đa", "Đan", "Đăng", "Ea", "Ô", "Ơ"]

    assert sorted(names, key=alphabet_key) == ordered
