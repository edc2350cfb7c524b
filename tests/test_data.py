"""The facts in data/ agree with each other and with the rule that made them."""

import csv
import json
import runpy
import unicodedata
from pathlib import Path

import pytest

from core.settings import ROOT

DATA = ROOT / "data"
TEXTS = sorted([*DATA.glob("*.csv"), *DATA.glob("*.json"), *DATA.glob("units/*.[cj]s*")])


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def communes() -> dict[str, str]:
    """Today's commune codes and the province each lies in."""
    units = json.loads((DATA / "units" / "units-2026-07-25.json").read_text("utf-8"))
    return {
        code: province["code"]
        for province in units["provinces"]
        for code, _name in province["communes"]
    }


def test_there_are_34_provinces_and_3321_communes(communes: dict[str, str]) -> None:
    assert len(communes) == 3321
    assert len(set(communes.values())) == 34
    assert all(len(code) == 5 and len(province) == 2 for code, province in communes.items())


def test_every_old_commune_became_a_commune_of_today(communes: dict[str, str]) -> None:
    became: dict[str, set[str]] = {}
    divided = {}
    for row in rows("units/legacy-map.csv"):
        became.setdefault(row["old_code"], set()).add(row["new_code"])
        divided[row["old_code"]] = row["divided"] == "1"

    assert set().union(*became.values()) == set(communes)
    assert divided == {old: len(new) > 1 for old, new in became.items()}


def test_every_product_and_village_has_its_source() -> None:
    products, villages = rows("ocop-products.csv"), rows("villages.csv")

    assert (len(products), len(villages)) == (252, 53)
    assert all(row["source_url"].startswith("http") for row in products + villages)


def test_the_place_of_every_product_and_village_is_resolved(communes: dict[str, str]) -> None:
    places = rows("ocop-places.csv")

    named = {(row["commune"], row["district_2022"], row["province"]) for row in places}
    wanted = {
        (row["commune"], row["district_2022"], row["province"]) for row in rows("ocop-products.csv")
    }
    assert wanted <= named
    assert sum(row["named_in"] == "villages" for row in places) == len(rows("villages.csv"))
    assert all(row["province_code"] in set(communes.values()) and row["how"] for row in places)
    assert all(
        communes[row["commune_code"]] == row["province_code"]
        for row in places
        if row["commune_code"]
    )


@pytest.mark.parametrize(
    ("commune", "district", "code"),
    [
        ("Hạ Mỗ", "Đan Phượng", "09817"),
        ("Phùng (thị trấn)", "Đan Phượng", "09784"),
        ("Đông Lỗ", "Ứng Hòa", "10402"),
        ("Bát Tràng", "Gia Lâm", ""),
        ("", "Ba Vì", ""),
    ],
)
def test_a_commune_is_named_only_where_there_is_no_choice(
    commune: str, district: str, code: str
) -> None:
    found = {
        row["commune_code"]
        for row in rows("ocop-places.csv")
        if (row["named_in"], row["commune"], row["district_2022"])
        == ("products", commune, district)
    }

    assert found == {code}


def test_the_places_are_what_the_script_writes(tmp_path: Path) -> None:
    script = runpy.run_path(str(DATA / "resolve_places.py"))
    again = tmp_path / "places.csv"
    script["main"].__globals__["PLACES"] = again

    script["main"]()

    assert again.read_bytes() == (DATA / "ocop-places.csv").read_bytes()


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.name))
def test_all_facts_are_in_composed_text(path: Path) -> None:
    text = path.read_text("utf-8")

    assert unicodedata.is_normalized("NFC", text)
    assert not text.startswith("\ufeff")
    assert "\r" not in text
