"""Printed addresses lead to the scan page, whatever becomes of goods, lot and package."""

import json
import os
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from accounts.audit import SYSTEM
from catalog import lots
from catalog.products import Product, ProductState
from core.codes import new_code
from core.db import Database
from core.settings import ROOT
from tests.conftest import NOON
from tests.factories import a_lot, a_product, a_variant
from traceability import serials, trace_codes
from traceability.codes import TRACE_CODE

GTIN = "09520123456788"
OTHER = "09520000000004"
HOME = "http://localhost"
OFFICIAL = ROOT.parent / "shared" / "data" / "gs1" / "linkset-gs1-linkset-schema.json"


class Village:
    """Honey with a GTIN, a lot and a package of it, and their codes."""

    def __init__(self, database: Database) -> None:
        with database.transaction() as session:
            product = a_product(session, name="Mật ong mẫu")
            variant = a_variant(session, product=product, gtin=GTIN, in_stock=0)
            self.lot = a_lot(session, variant, code="MAT-01", in_stock=3)
            stranger = a_lot(session, a_variant(session), code="KHAC-01")
            (self.serial,) = serials.make(session, self.lot, 1, now=NOON, activated=True)
            (self.foreign,) = serials.make(session, stranger, 1, now=NOON)
            self.product_id, self.slug = product.id, product.slug
            self.product_code = trace_codes.ensure_product_code(session, product.id, now=NOON)
            self.lot_code = trace_codes.ensure_lot_code(session, self.lot, now=NOON)

    def __getitem__(self, name: str) -> str:
        return str(getattr(self, name))


@pytest.fixture
def village(database: Database) -> Village:
    return Village(database)


@pytest.mark.parametrize(
    ("path", "leads_to", "typed"),
    [
        ("", "product_code", None),
        ("/", "product_code", None),
        ("/10/MAT-01", "lot_code", None),
        ("/10/MAT-01/", "lot_code", None),
        ("/10/%4dAT-01", "lot_code", None),
        ("/22/A1/10/MAT-01", "lot_code", None),
        ("/10/MAT-01/21/{serial}", "serial", None),
        ("/21/{serial}", "serial", None),
        ("/10/mat-01", "product_code", "mat-01"),
        ("/10/LA-99", "product_code", "LA-99"),
        ("/10/LA%2F99", "product_code", "LA%2F99"),
        ("/10/KHAC-01", "product_code", "KHAC-01"),
        ("/10/LA-99/21/{serial}", "product_code", "LA-99"),
        ("/10/MAT-01/21/KHONG-CO", "lot_code", "KHONG-CO"),
        ("/10/MAT-01/21/{foreign}", "lot_code", "{foreign}"),
        ("/21/KHONG-CO", "product_code", "KHONG-CO"),
        ("/235/TPX1", "product_code", None),
    ],
)
def test_a_link_leads_to_the_finest_level_the_book_knows(
    village: Village, visitor: FlaskClient, path: str, leads_to: str, typed: str | None
) -> None:
    names = {"serial": village.serial, "foreign": village.foreign}

    answer = visitor.get(f"/01/{GTIN}{path.format(**names)}")

    query = f"?ma={typed.format(**names)}" if typed else ""
    assert answer.status_code == 307
    assert answer.headers["Location"] == f"{HOME}/truy-xuat/{village[leads_to]}{query}"
    assert visitor.get(answer.headers["Location"]).status_code == 200


def test_what_came_with_the_scan_is_passed_on(village: Village, visitor: FlaskClient) -> None:
    known = visitor.get(f"/01/{GTIN}/10/MAT-01?utm=a%20b&17=271101&x=1&x=2")
    unknown = visitor.get(f"/01/{GTIN}/10/LA-1?utm=a")

    assert known.headers["Location"].endswith("?utm=a%20b&17=271101&x=1&x=2")
    assert unknown.headers["Location"].endswith(f"/truy-xuat/{village.product_code}?ma=LA-1&utm=a")


@pytest.mark.parametrize(
    "path",
    [
        "/01/9520123456788",
        "/01/09520123456789",
        "/01/0952012345678A",
        "/01/00000000000000",
        f"/01/{GTIN}/foo",
        f"/01/{GTIN}/21/S1/10/MAT-01",
        f"/01/{GTIN}/10/MAT-01/10/MAT-01",
        f"/01/{GTIN}/10/L%C3%B4",
        f"/01/{GTIN}/10/A%20B",
        f"/01/{GTIN}/10/{'A' * 21}",
        f"/01/{GTIN}/10/%zz",
        f"/01/{GTIN}/17/271101",
        f"/01/{GTIN}?10=MAT-01",
        f"/01/{GTIN}?17=271301",
        f"/01/{GTIN}//10/MAT-01",
        "/00/12345",
        "/414/123",
    ],
)
def test_a_malformed_link_is_told_why(village: Village, visitor: FlaskClient, path: str) -> None:
    answer = visitor.get(path)

    assert answer.status_code == 400
    assert "<h1>Địa chỉ này chưa đúng</h1>" in answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "path",
    [f"/01/{OTHER}", f"/01/{OTHER}/10/MAT-01", "/00/395212345678901236", "/414/9521234567899"],
)
def test_what_the_book_does_not_know_is_not_found(visitor: FlaskClient, path: str) -> None:
    answer = visitor.get(path)

    assert answer.status_code == 404
    assert "<h1>Mã lạ, chưa thấy trong sổ</h1>" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        f"/01/{GTIN}/10/MAT-01?next=//evil.example",
        f"/01/{GTIN}/10/MAT-01?linkType=https://evil.example/",
        f"/01/{GTIN}/10/MAT-01?%0d%0aSet-Cookie:a=b",
        f"//evil.example/01/{GTIN}",
        f"/01/{GTIN}/10/..%2F..%2Fevil",
        f"/01/{GTIN}/10/MAT-01?x=<script>alert(1)</script>",
        "/t//evil.example",
        "/t/%2F%2Fevil.example",
        "/t/https:%2F%2Fevil.example",
    ],
)
def test_no_address_leads_out_of_the_house(
    village: Village, visitor: FlaskClient, path: str
) -> None:
    answer = visitor.get(path, headers={"Host": "localhost", "X-Forwarded-Host": "evil.example"})

    place = answer.headers.get("Location", HOME + "/")
    assert place.startswith((HOME + "/", "/truy-xuat/"))
    assert "\n" not in place
    assert "<" not in place
    assert "Set-Cookie" not in answer.headers
    assert "<script>" not in answer.text


def test_our_own_code_leads_to_its_page_in_every_spelling(
    village: Village, visitor: FlaskClient
) -> None:
    for code in (village.product_code, village.lot_code, village.serial):
        for spelling in (code, f"{code}/", code.lower(), f"{code[:4]}-{code[4:8]}-{code[8:]}"):
            answer = visitor.get(f"/t/{spelling}?utm=1")

            assert answer.status_code == 307
            assert answer.headers["Location"] == f"{HOME}/truy-xuat/{code}?utm=1"


def test_unknown_own_codes_get_the_same_page(visitor: FlaskClient) -> None:
    one, two = new_code(TRACE_CODE), new_code(TRACE_CODE)

    first, second = visitor.get(f"/t/{one}"), visitor.get(f"/t/{two}")

    def without(text: str, code: str) -> str:
        return text.replace(f"{code[:4]} {code[4:8]} {code[8:]}", "").replace(code, "")

    assert first.status_code == second.status_code == 404
    assert without(first.text, one) == without(second.text, two)


def test_withdrawn_goods_and_recalled_lots_still_resolve(
    village: Village, visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        session.get_one(Product, village.product_id).state = ProductState.WITHDRAWN
        lot = session.get_one(lots.Lot, village.lot.id)
        lots.recall(session, lot, reason="Mốc", actor=SYSTEM, now=NOON)

    page = visitor.get(f"/01/{GTIN}/10/MAT-01/21/{village.serial}", follow_redirects=True)

    assert page.status_code == 200
    assert "thu hồi</h1>" in page.text


def test_a_link_works_before_anyone_gave_the_lot_a_code(
    database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        a_lot(session, a_variant(session, gtin=GTIN), code="MOI-1")

    first = visitor.get(f"/01/{GTIN}/10/MOI-1")
    second = visitor.get(f"/01/{GTIN}/10/MOI-1")

    assert first.status_code == 307
    assert first.headers["Location"] == second.headers["Location"]


def test_scripts_of_other_sites_may_ask_and_find_the_linkset(
    village: Village, visitor: FlaskClient
) -> None:
    path = f"/01/{GTIN}/10/MAT-01"

    for answer in (visitor.options(path), visitor.head(path), visitor.get(path)):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        for method in ("GET", "HEAD", "OPTIONS"):
            assert method in answer.headers["Access-Control-Allow-Methods"]
        assert f'<{HOME}{path}?linkType=linkset>; rel="linkset"' in answer.headers["Link"]
    assert visitor.head(path).status_code == 307
    assert visitor.post(path).status_code in {403, 405}


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?linkType=linkset", {}),
        ("?linkType=all", {}),
        ("", {"Accept": "application/linkset+json"}),
    ],
)
def test_the_linkset_names_every_level(
    village: Village, visitor: FlaskClient, query: str, headers: dict[str, str]
) -> None:
    answer = visitor.get(f"/01/{GTIN}/10/MAT-01/21/{village.serial}{query}", headers=headers)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/linkset+json"
    assert "json-ld#context" in ",".join(answer.headers.getlist("Link"))
    linkset = json.loads(answer.text)["linkset"]
    assert [level["anchor"] for level in linkset] == [
        f"{HOME}/01/{GTIN}",
        f"{HOME}/01/{GTIN}/10/MAT-01",
        f"{HOME}/01/{GTIN}/10/MAT-01/21/{village.serial}",
    ]
    for level in linkset:
        (default,) = level["https://gs1.org/voc/defaultLink"]
        assert set(default) == {"href", "title"}
        described = [link["href"] for link in level["https://gs1.org/voc/traceability"]]
        assert default["href"] in described
        assert_is_gs1_linkset_level(level)


def assert_is_gs1_linkset_level(level: dict[str, object]) -> None:
    """What GS1's schema asks, read from the official file where it is at hand."""
    if not OFFICIAL.exists() and "CI" not in os.environ:
        required, allowed = {"href", "title"}, {"href", "title", "type", "hreflang"}
    else:
        schema = json.loads(Path(OFFICIAL).read_text())["properties"]["linkset"]["items"]
        ((_, rule),) = schema["patternProperties"].items()
        required = set(rule["items"]["required"])
        allowed = set(rule["items"]["properties"])
        assert set(schema["required"]) <= set(level)
    for name, links in level.items():
        if name in {"anchor", "itemDescription"}:
            continue
        assert re.match(r"^https?://[a-zA-z0-9./]+$", name)
        assert isinstance(links, list)
        for link in links:
            assert required <= set(link) <= allowed
            assert re.match(r"^https?://[a-zA-z0-9./]+", link["href"])


def test_a_kind_of_link_can_be_asked_for(village: Village, visitor: FlaskClient) -> None:
    path = f"/01/{GTIN}/10/MAT-01"
    english = {"Accept-Language": "en"}

    pip = visitor.get(f"{path}?linkType=gs1:pip")
    full = visitor.get(f"{path}?linkType=https://gs1.org/voc/traceability", headers=english)
    default = visitor.get(f"{path}?linkType=gs1:defaultLink")
    none = visitor.get(f"{path}?linkType=gs1:nosuch")

    assert pip.status_code == full.status_code == default.status_code == 307
    assert pip.headers["Location"].endswith("?linkType=gs1:pip")
    assert full.headers["Location"].startswith(f"{HOME}/en/truy-xuat/{village.lot_code}?")
    assert default.headers["Location"].startswith(f"{HOME}/truy-xuat/{village.lot_code}?")
    assert none.status_code == 404
    assert "Accept-Language" in pip.headers["Vary"]


def test_the_resolver_describes_itself(visitor: FlaskClient) -> None:
    told = visitor.get("/.well-known/gs1resolver")

    assert told.json is not None
    assert told.json["resolverRoot"] == HOME
    assert told.json["supportedPrimaryKeys"] == ["01", "00", "414"]
    assert told.headers["Access-Control-Allow-Origin"] == "*"


def test_guessing_is_slowed_but_real_codes_never_are(
    village: Village, visitor: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("traceability.views.unknown.UNKNOWN_A_MINUTE", 3)
    unknown = [visitor.get(f"/t/{new_code(TRACE_CODE)}").status_code for _try in range(5)]

    known = [
        visitor.get(f"/t/{village.lot_code}").status_code,
        visitor.get(f"/truy-xuat/{village.lot_code}").status_code,
        visitor.get(f"/01/{GTIN}/10/LA-1").status_code,
    ]
    elsewhere = visitor.get(
        f"/t/{new_code(TRACE_CODE)}", environ_base={"REMOTE_ADDR": "203.0.113.9"}
    )

    assert unknown == [404, 404, 404, 429, 429]
    assert known == [307, 200, 307]
    assert elsewhere.status_code == 404
