"""Compressed Digital Links are read; whatever is none stays a page that is not there."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from core.db import Database
from tests.traceability.house import a_house
from traceability.gs1_packed import _LETTERS, unpack

HOME = "http://localhost"


@pytest.mark.parametrize(
    ("packed", "path", "query"),
    [
        # Printed in the standard.
        ("ARHKVAdpQg", "/01/09780345418913", ""),
        # Written by GS1's JavaScript toolkit and by gs1-compression alike.
        ("ARBCUPJjZCDGWdqLn-N5CzdlboL-g", "/01/08938505974194/10/LO1/21/7K3QX9", "17=261231"),
        ("ARFRq4pxGiDIWd9q", "/01/09521234000013/10/LO-1", ""),
        # Leading zeros of a lot of digits stay.
        ("ARFRq4pxGiAIA9g", "/01/09521234000013/10/0123", ""),
    ],
)
def test_what_others_wrote_is_read(packed: str, path: str, query: str) -> None:
    assert unpack("/" + packed) == (path, query)
    assert unpack(f"/{packed}/") == (path, query)


@pytest.mark.parametrize(
    "letters", ["khong-co-trang-nay", "gioi-thieu-ve-cho", "ARHKVAdpQgA", "A" * 200]
)
def test_other_letters_are_none(letters: str) -> None:
    assert unpack("/" + letters) is None


@given(st.text(alphabet=_LETTERS, max_size=60))
def test_any_letters_are_read_or_left(letters: str) -> None:
    found = unpack("/" + letters)

    assert found is None or found[0].startswith("/")


@given(
    gtin=st.integers(0, 10**14 - 1),
    lot=st.text(alphabet="0123456789", min_size=1, max_size=20),
)
def test_a_lot_of_digits_comes_back_as_it_was_packed(gtin: int, lot: str) -> None:
    bits = f"{0x01:08b}{gtin:047b}{0x10:08b}000{len(lot):05b}"
    bits += f"{int(lot):0{_bits_of(len(lot))}b}"
    bits += "0" * (-len(bits) % 6)
    packed = "".join(_LETTERS[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6))

    assert unpack("/" + packed) == (f"/01/{gtin:014d}/10/{lot}", "")


def _bits_of(digits: int) -> int:
    return (10**digits - 1).bit_length()


def test_a_compressed_link_leads_where_the_long_one_does(
    app: Flask, database: Database, visitor: FlaskClient
) -> None:
    house = a_house(app, database, gtin="09521234000013")
    path = "/ARFRq4pxGiDIWd9q"

    to_product = visitor.get(f"{path}?utm=1")
    linkset = visitor.get(f"{path}?linkType=linkset")
    options = visitor.options(path)

    assert to_product.status_code == 307
    assert to_product.headers["Location"] == (
        f"{HOME}/truy-xuat/{house.product_code}?ma=LO-1&utm=1"
    )
    same = f'<{HOME}/01/09521234000013/10/LO-1>; rel="owl:sameAs"'
    assert same in to_product.headers.getlist("Link")
    assert same in options.headers.getlist("Link")
    assert linkset.json is not None
    assert [level["anchor"] for level in linkset.json["linkset"]] == [f"{HOME}/01/09521234000013"]


def test_half_a_link_may_be_compressed(
    app: Flask, database: Database, visitor: FlaskClient
) -> None:
    house = a_house(app, database, gtin="09521234000013")
    packed = _packed_lot("MAT-01")

    answer = visitor.get(f"/01/09521234000013/{packed}")

    assert answer.headers["Location"] == f"{HOME}/truy-xuat/{house.lot_code}"


def _packed_lot(lot: str) -> str:
    bits = f"{0x10:08b}011{len(lot):05b}" + "".join(f"{_LETTERS.index(sign):06b}" for sign in lot)
    bits += "0" * (-len(bits) % 6)
    return "".join(_LETTERS[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6))


def test_a_wrong_check_digit_is_told_and_no_link_is_not_found(visitor: FlaskClient) -> None:
    wrong = f"{0x01:08b}{9521234000014:047b}"
    wrong += "0" * (-len(wrong) % 6)
    packed = "".join(_LETTERS[int(wrong[at : at + 6], 2)] for at in range(0, len(wrong), 6))

    assert visitor.get("/" + packed).status_code == 400
    assert visitor.get("/khong-co-trang-nay").status_code == 404
