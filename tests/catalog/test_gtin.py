"""A GTIN is accepted only when it is one, may leave the shop and is the seller's to use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.gtin import (
    INSIDE_ONE_SHOP,
    NEEDS_CERTIFICATE,
    InvalidGtin,
    check_digit,
    has_check_digit,
    is_example,
    is_valid_gtin,
    refuse_reason,
    to_gtin14,
)

BODIES = st.sampled_from([7, 11, 12, 13]).flatmap(
    lambda length: st.text("0123456789", min_size=length, max_size=length).filter(
        lambda body: body.strip("0")
    )
)


@pytest.mark.parametrize(
    "gtin", ["96385074", "036000291452", "4006381333931", "9521234543213", "00012345600012"]
)
def test_known_numbers_are_valid(gtin: str) -> None:
    assert is_valid_gtin(gtin)


@pytest.mark.parametrize(
    "text",
    ["", "0", "4006381333930", "400638133393", "40063813339310", "400638133393a", "4006381 333931"]
    + ["0" * length for length in (8, 12, 13, 14)]
    + ["４００６３８１３３３９３１", "123456789", "4006381333931\n"],
)
def test_what_is_no_gtin_is_refused(text: str) -> None:
    assert not is_valid_gtin(text)
    assert refuse_reason(text, certified=True) is not None
    with pytest.raises(InvalidGtin):
        to_gtin14(text)


@given(BODIES, st.data())
def test_any_one_wrong_digit_is_found(body: str, data: st.DataObject) -> None:
    gtin = body + check_digit(body)
    position = data.draw(st.integers(0, len(gtin) - 1))
    wrong = data.draw(st.sampled_from("0123456789".replace(gtin[position], "")))

    assert is_valid_gtin(gtin)
    assert not is_valid_gtin(gtin[:position] + wrong + gtin[position + 1 :])


@given(BODIES)
def test_zeros_in_front_change_nothing(body: str) -> None:
    gtin = body + check_digit(body)

    padded = to_gtin14(gtin)

    assert len(padded) == 14
    assert is_valid_gtin(padded)
    assert int(padded) == int(gtin)


def test_location_and_parcel_numbers_share_the_check_digit() -> None:
    assert has_check_digit("0614141123452")
    assert has_check_digit("106141412345678908")
    assert not has_check_digit("")


@pytest.mark.parametrize(
    "body",
    [
        "200000000001",
        "299999999999",
        "020000000001",
        "040000000001",
        "0200001",
        "2000001",
        "050000000001",
        "981000000001",
        "990000000001",
        "20000000001",
        "40000000001",
    ],
)
def test_a_number_for_one_shop_or_for_coupons_never_goes_on_goods(body: str) -> None:
    assert refuse_reason(body + check_digit(body), certified=True) is INSIDE_ONE_SHOP


@pytest.mark.parametrize("body", ["893000000001", "1893000000001"])
def test_a_vietnamese_number_needs_its_certificate(body: str) -> None:
    gtin = body + check_digit(body)

    assert refuse_reason(gtin, certified=False) is NEEDS_CERTIFICATE
    assert refuse_reason(gtin, certified=True) is None


@pytest.mark.parametrize("gtin", ["96385074", "036000291452", "4006381333931", "9521234543213"])
def test_any_other_number_may_be_sold_under(gtin: str) -> None:
    assert refuse_reason(gtin, certified=False) is None


def test_gs1_keeps_a_range_for_examples() -> None:
    assert is_example("9521234543213")
    assert is_example("09521234543213")
    assert not is_example("4006381333931")
    assert not is_example("9521234543214")
