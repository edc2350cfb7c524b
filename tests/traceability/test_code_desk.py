"""Pages behind codes, numbers of places and cartons: written at the desk, found by their codes."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from accounts.audit import SYSTEM
from catalog import lots
from catalog.lots import Lot
from core.db import Database
from tests.conftest import NOON
from tests.factories import a_lot, a_producer, a_product, a_variant
from tests.traceability.house import GTIN, House, a_house
from traceability import serials, trace_codes
from traceability.cartons import Carton
from traceability.gs1_places import Gs1Place
from traceability.link_targets import LinkTarget, WrongLink, plain_address

HOME = "http://localhost"
GLN = "9521234567899"
SSCC = "395212345678901236"
VIDEO = "https://video.example/mat-ong?v=1#t=5"


@pytest.fixture
def house(app: Flask, database: Database) -> House:
    return a_house(app, database)


def hang(house: House, href: str, *, kind: str = "relatedVideo", **more: str) -> int:
    return house.sends(
        "/trang-cua-ma",
        product_id=str(house.product_id),
        kind=kind,
        href=href,
        **{"title": "Cách quay mật", **more},
    ).status_code


def led_to(visitor: FlaskClient, kind: str, path: str = "", **headers: str) -> tuple[int, str]:
    mark = "&" if "?" in path else "?"
    answer = visitor.get(
        f"/01/{GTIN}{path}{mark}linkType=gs1:{kind}",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    place = answer.headers.get("Location", "")
    return answer.status_code, place.partition("?")[0].partition("#")[0]


def test_a_page_is_found_by_its_type_at_every_level(house: House, visitor: FlaskClient) -> None:
    assert hang(house, VIDEO) == 303

    for path in ("", "/10/MAT-01", "/10/LA-99"):
        answer = visitor.get(f"/01/{GTIN}{path}?linkType=gs1:relatedVideo&x=1")

        assert answer.status_code == 307
        assert answer.headers["Location"].startswith("https://video.example/mat-ong?v=1&")
        assert answer.headers["Location"].endswith("&x=1#t=5")
    own = visitor.get(f"/t/{house.lot_code}?linkType=https://gs1.org/voc/relatedVideo")
    assert own.headers["Location"].startswith("https://video.example/")
    assert (
        visitor.get(f"/01/{GTIN}").headers["Location"] == f"{HOME}/truy-xuat/{house.product_code}"
    )


def test_language_then_media_type_then_context_choose_among_pages(
    house: House, visitor: FlaskClient
) -> None:
    hang(house, "https://a.example/vi", kind="instructions", language="vi")
    hang(house, "https://a.example/fr", kind="instructions", language="fr")
    hang(house, "https://a.example/fr.pdf", kind="instructions", language="fr",
         media="application/pdf")  # fmt: skip
    hang(house, "https://a.example/fr-kids", kind="instructions", language="fr", context="kids",
         media="text/html")  # fmt: skip

    def asked(query: str = "", **headers: str) -> tuple[int, str]:
        return led_to(visitor, "instructions", query, **headers)

    assert asked() == (307, "https://a.example/vi")
    assert asked(Accept_Language="de, fr;q=0.5, vi;q=0.2", Accept="application/pdf") == (
        307,
        "https://a.example/fr.pdf",
    )
    assert asked("?context=kids", Accept_Language="fr", Accept="text/html") == (
        307,
        "https://a.example/fr-kids",
    )
    assert asked(Accept_Language="fr", Accept="text/html") == (307, "https://a.example/fr")


def test_pages_alike_are_all_named(house: House, visitor: FlaskClient) -> None:
    hang(house, "https://a.example/1", kind="recipeInfo", language="vi", title="Chè mật ong")
    hang(house, "https://a.example/2", kind="recipeInfo", language="vi", title="Bánh mật ong")

    answer = visitor.get(f"/01/{GTIN}?linkType=gs1:recipeInfo")

    assert answer.status_code == 300
    assert 'href="https://a.example/1"' in answer.text
    assert "Bánh mật ong" in answer.text
    assert "Location" not in answer.headers
    assert led_to(visitor, "nosuch") == (404, "")


def test_a_page_taken_off_is_led_to_no_more(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    hang(house, VIDEO)
    with database.reading() as session:
        link_id = session.scalars(select(LinkTarget.id)).one()

    house.sends(f"/trang-cua-ma/{link_id}/bo")

    assert led_to(visitor, "relatedVideo") == (404, "")


@pytest.mark.parametrize(
    "href",
    [
        "http://video.example/",
        "javascript:alert(1)",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "https://user:pass@video.example/",
        "https://video.example:8443/",
        "https://video.example\\@evil.example/",
        "https://video.example/<b>",
        "https://video.example/ a",
        "https://ví-dụ.example/",
        "//video.example/",
        "https://",
        "https://video.example/" + "a" * 500,
        "https://1.2.3/",
    ],
)
def test_only_plain_addresses_of_named_sites_are_taken(href: str) -> None:
    with pytest.raises(WrongLink):
        plain_address(href)


def test_the_form_says_what_is_wrong(house: House, database: Database) -> None:
    refused = [
        hang(house, "http://x.example/"),
        hang(house, VIDEO, kind="traceability"),
        hang(house, VIDEO, title=" "),
        hang(house, VIDEO, language="xx"),
        hang(house, VIDEO, media="text/evil"),
        hang(house, VIDEO, context="a b"),
    ]

    assert refused == [422] * 6
    with database.reading() as session:
        assert session.scalars(select(LinkTarget)).all() == []


def test_nobody_hangs_pages_on_codes_of_others(house: House, database: Database) -> None:
    with database.transaction() as session:
        foreign = a_product(session, producer=a_producer(session)).id

    answer = house.sends(
        "/trang-cua-ma", product_id=str(foreign), kind="homepage", href=VIDEO, title="X"
    )

    assert answer.status_code == 422
    with database.reading() as session:
        assert session.scalars(select(LinkTarget)).all() == []


def test_a_place_and_its_part_are_found_by_their_number(house: House, visitor: FlaskClient) -> None:
    part_first = house.sends("/noi-va-thung/noi", gln=GLN, extension="KHO-1", name="Kho")
    house.sends("/noi-va-thung/noi", gln="952 1234 567899", name="Xưởng quay mật")
    house.sends("/noi-va-thung/noi", gln=GLN, extension="kho-1", name="Kho lạnh")

    def place(path: str) -> str:
        answer = visitor.get(f"/414/{GLN}{path}")
        assert answer.status_code == 307
        return answer.headers["Location"].removeprefix(HOME)

    assert part_first.status_code == 422
    assert place("") == place("/") == f"/truy-xuat/noi/{GLN}"
    assert place("/254/KHO-1") == f"/truy-xuat/noi/{GLN}?phan=KHO-1"
    assert place("/254/KHONG?utm=1") == f"/truy-xuat/noi/{GLN}?ma=KHONG&utm=1"
    page = visitor.get(place("/254/KHO-1")).text
    assert "<h1>Kho lạnh</h1>" in page
    assert "Xưởng quay mật" in page
    assert "HTX Thử" in page
    linkset = visitor.get(f"/414/{GLN}/254/KHO-1?linkType=linkset").json
    assert linkset is not None
    assert [one["anchor"] for one in linkset["linkset"]] == [
        f"{HOME}/414/{GLN}",
        f"{HOME}/414/{GLN}/254/KHO-1",
    ]


@pytest.mark.parametrize("gln", ["9521234567890", "123", "0000000000000", "952123456789A", ""])
def test_a_wrong_gln_is_refused(house: House, database: Database, gln: str) -> None:
    assert house.sends("/noi-va-thung/noi", gln=gln, name="Xưởng").status_code == 422
    with database.reading() as session:
        assert session.scalars(select(Gs1Place)).all() == []


def test_a_number_names_one_place_of_one_producer(house: House, database: Database) -> None:
    with database.transaction() as session:
        other = a_producer(session)
        session.add(Gs1Place(gln=GLN, producer_id=other.id, name="Nơi khác", created_at=NOON))

    again = house.sends("/noi-va-thung/noi", gln=GLN, name="Xưởng")
    part = house.sends("/noi-va-thung/noi", gln=GLN, extension="A", name="Kho")

    assert again.status_code == part.status_code == 422


def test_a_carton_shows_the_lots_and_packages_inside(
    house: House, database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        lot = session.get_one(Lot, house.lot_id)
        (serial,) = serials.make(session, lot, 1, now=NOON, activated=True)
        a_lot(session, session.get_one(trace_codes.Variant, house.variant_id), code="MAT-02")
    inside = f"{HOME}/01/{GTIN}/10/MAT-01/21/{serial}\nmat-02"

    packed = house.sends("/noi-va-thung/thung", sscc=SSCC, inside=inside)
    again = house.sends("/noi-va-thung/thung", sscc=SSCC, inside="MAT-02")

    answer = visitor.get(f"/00/{SSCC}?utm=1")
    page = visitor.get(answer.headers["Location"])
    assert (packed.status_code, again.status_code) == (303, 422)
    assert answer.status_code == 307
    assert answer.headers["Location"] == f"{HOME}/truy-xuat/thung/{SSCC}?utm=1"
    assert serial in page.text
    assert "MAT-02" in page.text
    assert "bị thu hồi" not in page.text
    with database.transaction() as session:
        recalled = session.get_one(Lot, house.lot_id)
        lots.recall(session, recalled, reason="Mốc", actor=SYSTEM, now=NOON)
    assert "1 lô trong thùng bị thu hồi" in visitor.get(f"/truy-xuat/thung/{SSCC}").text


@pytest.mark.parametrize("inside", ["", "KHAC-01", "MAT-01 KHAC-01", "' OR 1=1"])
def test_only_own_lots_go_into_a_carton(house: House, database: Database, inside: str) -> None:
    with database.transaction() as session:
        a_lot(session, a_variant(session), code="KHAC-01")

    answer = house.sends("/noi-va-thung/thung", sscc=SSCC, inside=inside)

    assert answer.status_code == 422
    with database.reading() as session:
        assert session.scalars(select(Carton)).all() == []
