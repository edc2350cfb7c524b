"""Old addresses lead to today's communes: every piece of a divided ward is told, none guessed."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import former_places, places
from catalog.former_places import OldPlace
from catalog.places import FormerUnit
from core.db import Database
from core.settings import ROOT

UNITS = ROOT / "data" / "units"


@pytest.fixture
def units(database: Database) -> Iterator[Session]:
    """All provinces, communes and former wards."""
    with database.transaction() as session:
        places.load_units(session, UNITS)
        yield session


def told(found: list[OldPlace]) -> dict[str, set[str]]:
    return {one.name: {choice.code for choice in one.choices} for one in found}


HA_MO = {"Xã Hạ Mỗ, Huyện Đan Phượng, Thành phố Hà Nội": {"09817"}}
MANY_WAYS = [
    "Thôn 3, xã Hạ Mỗ, Đan Phượng, Hà Nội",
    "thon 3 xa ha mo huyen dan phuong tp ha noi",
    "Số 8 ngõ 2 thôn 3, Hạ Mỗ, huyện Đan Phượng, HN",
    "Xã Hạ Mỗ, Hà Nội",
    "Hạ Mỗ",
]


def test_free_text_finds_the_old_commune(units: Session) -> None:
    for text in MANY_WAYS:
        assert told(former_places.find(units, text)) == HA_MO, text

    [found] = former_places.find(units, MANY_WAYS[0])
    assert (found.street, found.choices[0].place) == ("Thôn 3", "Xã Ô Diên, Hà Nội")


def test_a_divided_ward_gives_every_piece_to_choose_from(units: Session) -> None:
    found = former_places.find(units, "12 Đội Cấn, phường Cống Vị, quận Ba Đình, Hà Nội")

    [pieces] = told(found).values()
    assert len(pieces) > 1
    assert found[0].street == "12 Đội Cấn"


def test_wards_of_one_name_are_told_apart_by_their_district(units: Session) -> None:
    both = former_places.find(units, "xã Phùng Xá, Hà Nội")
    one = former_places.find(units, "xã Phùng Xá, Mỹ Đức, Hà Nội")

    assert {name.split(", ")[1] for name in told(both)} == {"Huyện Thạch Thất", "Huyện Mỹ Đức"}
    assert list(told(one)) == ["Xã Phùng Xá, Huyện Mỹ Đức, Thành phố Hà Nội"]


def test_a_district_alone_gives_what_it_became(units: Session) -> None:
    [found] = former_places.find(units, "Thôn Đoài, huyện Đan Phượng, Hà Nội")

    assert {choice.name for choice in found.choices} >= {
        "Xã Đan Phượng",
        "Xã Ô Diên",
        "Xã Liên Minh",
    }
    assert found.street == "Thôn Đoài"


def test_numbered_wards_are_read_however_they_are_written(units: Session) -> None:
    for text in ("P.5, Q.3, TP.HCM", "phường 05 quận 3 thành phố Hồ Chí Minh", "45/2 P5 Q3 HCM"):
        [name] = told(former_places.find(units, text))
        assert name in {
            "Phường 5, Quận 3, Thành phố Hồ Chí Minh",
            "Phường 05, Quận 3, Thành phố Hồ Chí Minh",
        }, text


def test_a_commune_of_today_is_recognised_as_such(units: Session) -> None:
    [found] = former_places.find(units, "Thôn 3, xã Ô Diên, Hà Nội")

    assert [choice.code for choice in found.choices] == ["09817"]


def test_the_corrected_code_of_ba_che_leads_somewhere(units: Session) -> None:
    [found] = former_places.find(units, "thị trấn Ba Chẽ, Ba Chẽ, Quảng Ninh")

    assert [choice.code for choice in found.choices] == ["06978"]


def test_three_lists_lead_to_the_same(units: Session) -> None:
    names = ("Thành phố Hà Nội", "Huyện Đan Phượng", "Xã Hạ Mỗ")

    assert names[0] in former_places.list_provinces(units)
    assert len(former_places.list_provinces(units)) == 63
    assert names[1] in former_places.list_districts(units, names[0])
    assert names[2] in former_places.list_wards(units, *names[:2])
    assert told(former_places.choose(units, *names)) == HA_MO
    assert former_places.choose(units, "Tỉnh X", "Y", "Z") == []


def test_what_is_no_address_finds_nothing(units: Session) -> None:
    for text in ("", "   ", "Paris", "???", "5", "x" * 5000, "'; --", "\u0661"):
        assert former_places.find(units, text) == [], text


def test_every_old_commune_is_found_by_its_full_name(units: Session) -> None:
    for row in units.scalars(select(FormerUnit).where(FormerUnit.id % 97 == 0)).all():
        found = former_places.find(units, f"{row.ward}, {row.district}, {row.province}")
        assert any(row.new_code in {choice.code for choice in one.choices} for one in found), (
            row.old_code
        )
