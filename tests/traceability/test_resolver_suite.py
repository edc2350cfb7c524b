"""The criteria of GS1's conformant resolver, one claim each, on every key this shop answers to."""

import json
import os
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from stdnum import ean

from catalog.gtin import check_digit, has_check_digit, is_valid_gtin
from catalog.lots import Lot
from core.db import Database
from core.settings import ROOT
from tests.conftest import NOON
from tests.traceability.house import GTIN, House, a_house
from traceability import serials
from traceability.gs1 import build

HOME = "http://localhost"
GLN = "9521234567899"
SSCC = "395212345678901236"
OFFICIAL = ROOT.parent / "shared" / "data" / "gs1"
LINKSET = {"Accept": "application/linkset+json"}


def official(name: str) -> Any:
    """One of GS1's own files; without them nothing is claimed, but never on the build server."""
    path = OFFICIAL / name
    if not path.exists() and os.environ.get("CI") != "true":
        pytest.skip("GS1's files are not at hand")
    return json.loads(path.read_text())


@pytest.fixture
def house(app: Flask, database: Database) -> House:
    house = a_house(app, database)
    house.sends("/noi-va-thung/noi", gln=GLN, name="Xưởng quay mật")
    house.sends("/noi-va-thung/thung", sscc=SSCC, inside="MAT-01")
    for title in ("Chè", "Bánh"):
        house.sends(
            "/trang-cua-ma", product_id=str(house.product_id), kind="recipeInfo",
            href="https://bep.example/mon", title=title, language="vi", context="tet",
            media="text/html",
        )  # fmt: skip
    return house


@pytest.fixture
def links(house: House, database: Database) -> list[str]:
    """Every kind of printed address, the finest first."""
    with database.transaction() as session:
        lot = session.get_one(Lot, house.lot_id)
        (serial,) = serials.make(session, lot, 1, now=NOON, activated=True)
    return [
        f"/01/{GTIN}/10/MAT-01/21/{serial}",
        f"/01/{GTIN}/22/A/10/MAT-01",
        f"/01/{GTIN}",
        f"/00/{SSCC}",
        f"/414/{GLN}",
        f"/t/{serial}",
        f"/t/{house.lot_code}",
        f"/t/{house.product_code}",
    ]


def test_every_link_redirects_to_its_one_default_link(
    links: list[str], visitor: FlaskClient
) -> None:
    for link in links:
        for spelling in (link, link + "/"):
            answer = visitor.get(spelling)
            linkset = visitor.get(spelling, headers=LINKSET).json
            assert linkset is not None
            finest = linkset["linkset"][-1]
            (default,) = finest["https://gs1.org/voc/defaultLink"]

            assert answer.status_code == 307, link
            assert answer.headers["Location"] == default["href"], link
            assert visitor.get(default["href"]).status_code == 200, link


def test_a_default_link_is_bare_and_described_under_another_type(
    links: list[str], visitor: FlaskClient
) -> None:
    for link in links:
        for level in json.loads(visitor.get(link, headers=LINKSET).text)["linkset"]:
            (default,) = level["https://gs1.org/voc/defaultLink"]
            described = {
                one["href"]
                for kind, found in level.items()
                if kind.startswith("https://") and not kind.endswith("/defaultLink")
                for one in found
            }

            assert set(default) == {"href", "title"}
            assert default["href"] in described, link


def test_linksets_are_what_gs1s_schema_asks_and_name_every_level(
    links: list[str], visitor: FlaskClient
) -> None:
    schema = official("linkset-gs1-linkset-schema.json")
    validator = Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER)

    for link in links:
        for asked in (f"{link}?linkType=linkset", link):
            answer = visitor.get(asked, headers=LINKSET)

            assert answer.status_code == 200
            assert answer.headers["Content-Type"] == "application/linkset+json"
            assert [error.message for error in validator.iter_errors(answer.json)] == [], link
    counts = [len(json.loads(visitor.get(one, headers=LINKSET).text)["linkset"]) for one in links]
    assert counts == [3, 2, 1, 1, 1, 3, 2, 1]


def test_json_of_another_name_is_the_same_linkset(links: list[str], visitor: FlaskClient) -> None:
    for link in links:
        linkset = visitor.get(link, headers=LINKSET).json
        plain = visitor.get(link, headers={"Accept": "application/json"})
        linked = visitor.get(f"{link}?linkType=linkset", headers={"Accept": "application/ld+json"})

        said = json.loads(linked.text)
        assert (plain.status_code, plain.json) == (200, linkset)
        assert plain.headers["Content-Type"] == "application/json"
        assert linked.headers["Content-Type"] == "application/ld+json"
        assert said.pop("@context").startswith("https://ref.gs1.org/")
        assert said == linkset
        assert visitor.get(link, headers={"Accept": "text/html, application/json;q=0.5"}).location


@pytest.mark.parametrize(
    ("name", "is_valid"),
    [
        ("linkset-valid-gs1-example.json", True),
        ("linkset-invalid-gs1-example.json", False),
        ("linkset-valid-basic-example.json", False),
        ("linkset-invalid-basic-example.json", False),
    ],
)
def test_the_schema_judges_gs1s_own_examples(name: str, is_valid: bool) -> None:  # noqa: FBT001
    validator = Draft7Validator(official("linkset-gs1-linkset-schema.json"))

    assert validator.is_valid(official(name)) is is_valid


def test_the_json_ld_context_and_the_linkset_are_named_in_headers(
    links: list[str], visitor: FlaskClient
) -> None:
    for link in links:
        of_linkset = visitor.get(link, headers=LINKSET).headers.getlist("Link")
        redirected = visitor.get(link).headers.getlist("Link")

        assert any('rel="http://www.w3.org/ns/json-ld#context"' in one for one in of_linkset)
        assert f'<{HOME}{link}?linkType=linkset>; rel="linkset"' in redirected[0]
        assert not any('rel="gs1:' in one for one in redirected)


def test_get_head_and_options_answer_other_sites(links: list[str], visitor: FlaskClient) -> None:
    for link in links:
        asked = {
            method: visitor.open(link, method=method, headers={"Origin": "https://a.example"})
            for method in ("GET", "HEAD", "OPTIONS")
        }

        for answer in asked.values():
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            for method in asked:
                assert method in answer.headers["Access-Control-Allow-Methods"]
            assert 'rel="linkset"' in answer.headers["Link"]
        assert asked["HEAD"].headers["Location"] == asked["GET"].headers["Location"]
        assert asked["OPTIONS"].status_code == 204
        assert {"Accept", "Accept-Language"} <= {
            name.strip() for name in asked["GET"].headers["Vary"].split(",")
        }


@pytest.mark.parametrize(
    "tail",
    ["/foo", "//10/A", "/21/S/10/L", "/10/L/10/L", "/10/", "/17/271101", "?10=L", "/10/A%20B"],
)
def test_wrong_syntax_is_400_for_every_method_that_answers(
    house: House, visitor: FlaskClient, tail: str
) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        assert visitor.open(f"/01/{GTIN}{tail}", method=method).status_code == 400


def test_no_error_is_said_with_200(house: House, visitor: FlaskClient) -> None:
    for path in (
        f"/01/{GTIN[:-1]}0",
        f"/01/{GTIN}?linkType=gs1:nosuch",
        "/00/395212345678901237",
        "/414/9521234567890",
        "/01/09520000000004?linkType=linkset",
        "/t/7K3QX9M2PD7",
        "/t/xyz",
    ):
        assert visitor.get(path).status_code in {400, 404}, path
        assert visitor.get(path, headers=LINKSET).status_code in {400, 404}, path


def test_a_number_nobody_has_walks_up_and_is_told(house: House, visitor: FlaskClient) -> None:
    answer = visitor.get(f"/01/{GTIN}/10/MAT-01/21/KHONG")
    page = visitor.get(answer.headers["Location"])

    assert answer.headers["Location"] == f"{HOME}/truy-xuat/{house.lot_code}?ma=KHONG"
    assert "<h1>Số lạ, không có trong sổ</h1>" in page.text
    assert "KHONG" in page.text


def test_the_link_types_of_a_lot_lead_to_answers(house: House, visitor: FlaskClient) -> None:
    linkset = json.loads(visitor.get(f"/01/{GTIN}/10/MAT-01", headers=LINKSET).text)["linkset"]
    kinds = {kind.removeprefix("https://gs1.org/voc/") for level in linkset for kind in level}

    assert {"pip", "hasRetailers", "traceability", "epcis", "recallStatus", "recipeInfo"} <= kinds
    for kind in ("epcis", "recallStatus"):
        answer = visitor.get(f"/01/{GTIN}/10/MAT-01?linkType=gs1:{kind}")
        assert answer.status_code == 307
        assert visitor.get(answer.headers["Location"]).status_code == 200


def test_the_description_names_keys_and_vocabulary(visitor: FlaskClient) -> None:
    told = visitor.get("/.well-known/gs1resolver")

    assert told.json is not None
    assert told.json["resolverRoot"] == HOME
    assert set(told.json["supportedPrimaryKeys"]) == {"01", "00", "414"}
    assert told.json["supportedLinkType"][0]["namespace"] == "https://gs1.org/voc/"
    assert "name" in told.json
    assert told.json["jsonLdContextLocation"].startswith("https://ref.gs1.org/")
    assert "contact" in told.json


@settings(max_examples=300)
@given(st.integers(0, 10**13 - 1))
def test_check_digits_are_those_of_python_stdnum(number: int) -> None:
    for length in (7, 11, 12, 13):
        body = f"{number % 10**length:0{length}d}"
        if not body.strip("0"):
            continue
        whole = body + check_digit(body)

        assert check_digit(body) == ean.calc_check_digit(body)
        assert has_check_digit(whole)
        assert is_valid_gtin(whole) is ean.is_valid(whole)
        wrong = body + str((int(whole[-1]) + 1) % 10)
        assert is_valid_gtin(wrong) is ean.is_valid(wrong) is False


HOUSE_CODE = st.from_regex(r"[A-Z0-9][A-Z0-9-]{0,19}", fullmatch=True)


@settings(max_examples=150)
@given(st.integers(1, 10**12 - 1), HOUSE_CODE, HOUSE_CODE)
def test_printed_links_are_read_the_same_by_biip(item: int, lot: str, serial: str) -> None:
    import biip  # noqa: PLC0415 - heavy, and only here

    body = f"0{item:012d}"
    gtin = body + check_digit(body)

    read = biip.parse(build("https://cho.example", gtin, lot=lot, serial=serial))

    assert read.gs1_digital_link_uri is not None
    message = read.gs1_digital_link_uri.element_strings
    found = {element.ai.ai: element.value for element in message}
    assert found == {"01": gtin, "10": lot, "21": serial}
