"""Home, villages, communes, makers, and what machines ask for: the same for everyone."""

import json
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
import time_machine
from flask.testing import FlaskClient

from catalog import producers, villages
from core.db import Database
from shop.views import machines
from tests.conftest import NOON
from tests.factories import a_commune, a_listed_product, a_producer
from tests.queries import counted

PUBLIC = (
    "/",
    "/san-pham",
    "/san-pham/mat-ong",
    "/lang/ba-giang",
    "/xa/09784",
    "/nha-san-xuat/htx-mot",
    "/cach-xep-thu-tu",
    "/sitemap.xml",
    "/robots.txt",
    "/manifest.webmanifest",
)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Stop the clock: seasons depend on the month."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def village(database: Database) -> Database:
    """One village with one maker and one product that is in season in November."""
    with database.transaction() as session:
        a_commune(session)
        place = villages.add(
            session,
            "Bá Giang",
            source="https://nguon.example/bai",
            commune_code="09784",
            former_commune="Hồng Hà",
            craft="Đậu phụ",
        )
        maker = a_producer(session, name="HTX Một", village_id=place.id)
        a_listed_product(
            session,
            "Mật ong",
            price=90_000,
            producer=maker,
            village_id=place.id,
            season_months=1 << 10,
        )
    return database


def test_public_pages_may_be_kept_and_set_no_cookie(
    village: Database, visitor: FlaskClient
) -> None:
    for address in PUBLIC:
        answer = visitor.get(address)
        assert answer.status_code == 200, address
        assert answer.headers["Cache-Control"].startswith("public, max-age="), address
        assert "Set-Cookie" not in answer.headers, address
        assert "csrf_token" not in answer.text, address
        assert "cookie" not in answer.headers.get("Vary", "").lower(), address


def test_refusals_are_never_kept(village: Database, visitor: FlaskClient) -> None:
    for address in ("/san-pham/x", "/xa/00000", "/xa/01", "/lang/x", "/nha-san-xuat/x"):
        answer = visitor.get(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store"), address


def test_the_first_page_leads_everywhere(village: Database, visitor: FlaskClient) -> None:
    page = visitor.get("/").text

    assert "Quét mã trên gói" in page
    assert "Đang vào vụ" in page
    for address in (
        "/san-pham/mat-ong",
        "/san-pham?nhom=food",
        "/xa/09784",
        "/lang/ba-giang",
    ):
        assert f'href="{address}"' in page, address


def test_an_empty_shop_has_a_first_page(visitor: FlaskClient) -> None:
    assert visitor.get("/").status_code == 200


@pytest.mark.parametrize(
    ("languages", "status"),
    [("en-GB,en;q=0.9", 302), ("vi,en;q=0.8", 200), ("fr", 200), ("", 200), ("en;q=0.2,vi", 200)],
)
def test_only_the_first_page_looks_at_the_browsers_language(
    village: Database, visitor: FlaskClient, languages: str, status: int
) -> None:
    headers = {"Accept-Language": languages}

    answer = visitor.get("/", headers=headers)

    assert answer.status_code == status
    assert answer.location == ("/en" if status == 302 else None)
    assert "Accept-Language" in answer.headers["Vary"]
    assert visitor.get("/san-pham", headers=headers).status_code == 200


def test_who_chose_vietnamese_is_not_sent_back(village: Database, visitor: FlaskClient) -> None:
    headers = {"Accept-Language": "en", "Referer": "http://localhost/en"}

    assert visitor.get("/", headers=headers).status_code == 200


def test_english_pages_link_to_english_pages(village: Database, visitor: FlaskClient) -> None:
    page = visitor.get("/en/san-pham").text

    assert '<html lang="en">' in page
    assert 'href="/en/san-pham/mat-ong"' in page
    assert "₫90,000" in page
    assert '<link rel="canonical" href="http://localhost/en/san-pham">' in page
    assert '<link rel="alternate" hreflang="vi" href="http://localhost/san-pham">' in page


def test_a_village_a_commune_and_a_maker_show_their_goods(
    village: Database, visitor: FlaskClient
) -> None:
    for address in ("/lang/ba-giang", "/xa/09784", "/nha-san-xuat/htx-mot"):
        page = visitor.get(address).text
        assert 'href="/san-pham/mat-ong"' in page, address
    assert "Đậu phụ" in visitor.get("/lang/ba-giang").text
    assert "nguon.example" not in visitor.get("/lang/ba-giang").text


def test_a_renamed_maker_keeps_its_old_address(village: Database, visitor: FlaskClient) -> None:
    with village.transaction() as session:
        maker = producers.get_by_slug(session, "htx-mot")
        producers.rename(session, maker, "HTX Hai", now=NOON)

    answer = visitor.get("/nha-san-xuat/htx-mot")

    assert (answer.status_code, answer.location) == (301, "/nha-san-xuat/htx-hai")


def test_the_ranking_rules_are_public(visitor: FlaskClient) -> None:
    page = visitor.get("/cach-xep-thu-tu").text

    assert "Không ai trả tiền để được xếp trước" in page
    assert "36 tháng" in page


def addresses(xml: str) -> list[str]:
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    return [found.text or "" for found in ET.fromstring(xml).iter(f"{space}loc")]  # noqa: S314


def test_the_sitemap_names_every_page_in_both_languages(
    village: Database, visitor: FlaskClient
) -> None:
    named = addresses(visitor.get("/sitemap.xml").text)

    for address in (
        "/",
        "/san-pham/mat-ong",
        "/lang/ba-giang",
        "/xa/09784",
        "/nha-san-xuat/htx-mot",
    ):
        assert f"http://localhost{address}" in named
        assert f"http://localhost/en{address}" in named


def test_a_large_sitemap_comes_in_parts(
    village: Database, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "PART", 1)
    with village.transaction() as session:
        a_listed_product(session, "Chè xanh")

    parts = addresses(visitor.get("/sitemap.xml").text)
    pages = [
        page
        for part in parts
        for page in addresses(visitor.get(part.removeprefix("http://localhost")).text)
    ]

    assert len(parts) == 3
    assert "http://localhost/san-pham/che-xanh" in pages
    assert len(pages) == len(set(pages))
    for part in ("-1", "99999999999999999999", "x"):
        assert visitor.get(f"/sitemap.xml?phan={part}").status_code == 200


def test_robots_stay_out_of_carts_and_desks(visitor: FlaskClient) -> None:
    text = visitor.get("/robots.txt").text

    assert "Disallow: /gio-hang" in text
    assert "Disallow: /en/dat-hang" in text
    assert "Sitemap: http://localhost/sitemap.xml" in text


def test_the_manifest_is_json(visitor: FlaskClient) -> None:
    answer = visitor.get("/manifest.webmanifest")

    assert answer.mimetype == "application/manifest+json"
    assert json.loads(answer.text)["name"] == "Chợ Phiên"


@pytest.mark.parametrize("rows", [10, 200])
def test_the_first_page_asks_six_questions_at_most(
    village: Database, visitor: FlaskClient, rows: int
) -> None:
    with village.transaction() as session:
        maker = a_producer(session)
        for number in range(rows):
            a_listed_product(
                session, f"Chè {number}", price=1_000, producer=maker, season_months=number % 4096
            )

    with counted(village) as asked:
        visitor.get("/")

    assert len(asked) <= 6
