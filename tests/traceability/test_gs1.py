"""A Digital Link is read as GS1 writes it; anything else is refused with its reason."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.gtin import InvalidGtin
from traceability.gs1 import (
    DigitalLink,
    Key,
    NotADigitalLink,
    build,
    is_house_code,
    parse,
)

GTIN = "09521234543213"
SSCC = "106141412345678908"
GLN = "0614141123452"
VALUES = st.text(
    string.ascii_letters + string.digits + "!\"%&'()*+,-./:;<=>?_", min_size=1, max_size=20
)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (f"/01/{GTIN}", DigitalLink(Key.GTIN, GTIN)),
        (f"/01/{GTIN}/", DigitalLink(Key.GTIN, GTIN)),
        (f"/01/{GTIN}/10/LO-1", DigitalLink(Key.GTIN, GTIN, lot="LO-1")),
        (f"/01/{GTIN}/21/S1", DigitalLink(Key.GTIN, GTIN, serial="S1")),
        (
            f"/01/{GTIN}/22/A/10/LO1/21/S1/",
            DigitalLink(Key.GTIN, GTIN, variant="A", lot="LO1", serial="S1"),
        ),
        (f"/01/{GTIN}/10/A%2fB%25", DigitalLink(Key.GTIN, GTIN, lot="A/B%")),
        (f"/01/{GTIN}/235/TPX1", DigitalLink(Key.GTIN, GTIN, third_party="TPX1")),
        (f"/00/{SSCC}", DigitalLink(Key.SSCC, SSCC)),
        (f"/414/{GLN}", DigitalLink(Key.GLN, GLN)),
        (f"/414/{GLN}/254/KHO-2", DigitalLink(Key.GLN, GLN, extension="KHO-2")),
    ],
)
def test_a_right_address_is_read(path: str, named: DigitalLink) -> None:
    assert parse(path) == named


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/foo",
        "/01",
        "/01/",
        f"/01//{GTIN}",
        f"/01/{GTIN}//",
        f"/01/{GTIN}/10",
        f"/01/{GTIN}/10/",
        "/01/09521234543214",
        "/01/9521234543213",
        "/01/0952123454321x",
        "/01/" + "0" * 14,
        "/01/０9521234543213",
        f"/gtin/{GTIN}",
        f"/1/{GTIN}",
        f"/8006/{GTIN}",
        f"/01/{GTIN}/21/S1/10/LO1",
        f"/01/{GTIN}/10/LO1/22/A",
        f"/01/{GTIN}/10/LO1/10/LO2",
        f"/01/{GTIN}/10/LO1/235/T",
        f"/01/{GTIN}/17/261231",
        f"/01/{GTIN}/lot/LO1",
        f"/01/{GTIN}/254/X",
        f"/01/{GTIN}/10/L%C3%B4",
        f"/01/{GTIN}/10/Lô",
        f"/01/{GTIN}/10/A%20B",
        f"/01/{GTIN}/10/A B",
        f"/01/{GTIN}/10/A%2",
        f"/01/{GTIN}/10/A%00",
        f"/01/{GTIN}/10/A%23",
        f"/01/{GTIN}/10/" + "A" * 21,
        "/00/106141412345678907",
        f"/00/{SSCC[:-1]}",
        f"/00/{SSCC}/10/A",
        "/414/0614141123453",
        f"/414/{GLN}/10/A",
    ],
)
def test_a_wrong_address_is_refused_with_a_reason(path: str) -> None:
    with pytest.raises(NotADigitalLink) as refused:
        parse(path)

    assert str(refused.value)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "17=261231",
        "17=260200",
        "17=280229",
        "15=261231&11=260101;13=260102",
        "3103=000500",
        "30=12",
        "422=704",
        "422=704&427=HN",
        "7007=260101260131",
        "8008=26010112",
        "99=abc",
        "utm_source=zalo&utm_source=zalo",
        "linkType=gs1:pip&context=a",
        "linkType=tất cả",
    ],
)
def test_right_attributes_and_other_peoples_keys_are_accepted(query: str) -> None:
    assert parse(f"/01/{GTIN}/10/LO1", query).lot == "LO1"


@pytest.mark.parametrize(
    "query",
    [
        "10=LO1",
        "21=S1",
        f"01={GTIN}",
        "17=261331",
        "17=260230",
        "17=270229",
        "17=26123",
        "17=",
        "17",
        "17=261231&17=261231",
        "3103=0.500",
        "427=HN",
        "7007=260100",
        "8008=26010",
        "99=a%20b",
        "1=x",
        "12345=x",
        "98=%",
    ],
)
def test_wrong_attributes_are_refused(query: str) -> None:
    with pytest.raises(NotADigitalLink):
        parse(f"/01/{GTIN}", query)


def test_dates_are_about_goods_not_about_places() -> None:
    with pytest.raises(NotADigitalLink):
        parse(f"/414/{GLN}", "17=261231")


@given(st.none() | VALUES, st.none() | VALUES)
def test_what_is_printed_is_read_back(lot: str | None, serial: str | None) -> None:
    address = build("https://ocop.example", GTIN, lot=lot, serial=serial)

    read = parse(address.removeprefix("https://ocop.example"))
    assert (read.gtin, read.lot, read.serial) == (GTIN, lot, serial)
    assert parse(read.path) == read


@given(st.text(), st.text())
def test_no_address_is_anything_but_read_or_refused(path: str, query: str) -> None:
    for attempt in (path, f"/01/{GTIN}/10/{path}"):
        try:
            assert parse(attempt, query).path
        except NotADigitalLink:
            continue


def test_a_printed_address_is_short_and_plain() -> None:
    address = build("https://ocop.vn/", "9521234543213", lot="M-26", serial="7K3QX9M2PD4")

    assert address == f"https://ocop.vn/01/{GTIN}/10/M-26/21/7K3QX9M2PD4"


def test_goods_without_a_right_gtin_get_no_such_address() -> None:
    with pytest.raises(InvalidGtin):
        build("https://ocop.vn", "9521234543214")


@pytest.mark.parametrize("lot", ["", "Lô 1", "A" * 21])
def test_a_lot_that_would_not_resolve_is_not_printed(lot: str) -> None:
    with pytest.raises(NotADigitalLink):
        build("https://ocop.vn", GTIN, lot=lot)


def test_walking_up_goes_from_serial_to_lot_to_goods() -> None:
    link: DigitalLink | None = parse(f"/01/{GTIN}/22/A/10/LO1/21/S1")

    paths = []
    while link is not None:
        paths.append(link.path)
        link = link.parent()

    assert paths == [
        f"/01/{GTIN}/22/A/10/LO1/21/S1",
        f"/01/{GTIN}/22/A/10/LO1",
        f"/01/{GTIN}/22/A",
        f"/01/{GTIN}",
    ]


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("LO-2026-01", True),
        ("A" * 20, True),
        ("", False),
        ("a", False),
        ("A" * 21, False),
        ("Ô", False),
    ],
)
def test_lots_of_the_house_need_no_encoding(text: str, *, fits: bool) -> None:
    assert is_house_code(text) is fits
