"""A telephone number may be typed in any way and is always the same number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.phones import InvalidPhone, last4, parse_phone, show_phone

MOBILES = st.from_regex("0(3[2-9]|7[06-9]|8[1-8]|9[0-8])[0-9]{7}", fullmatch=True)


@pytest.mark.parametrize(
    "text",
    [
        "0912345678",
        "+84912345678",
        "84912345678",
        "0084912345678",
        " 0912 345 678 ",
        "0912.345.678",
        "091-234-5678",
        "(+84) 912 345 678",
        "+84 (0) 912 345 678",
        "0912\u00a0345\u00a0678",
        "０９１２３４５６７８",
    ],
)
def test_a_number_may_be_typed_in_any_way(text: str) -> None:
    assert parse_phone(text) == "+84912345678"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "không có",
        "091234567",
        "09123456789",
        "000",
        "0000000000",
        "0123456789",
        "01212345678",
        "02438251234",
        "0602345678",
        "+14155552671",
        "0912 CALL NOW",
        "0912345678 ext 5",
        "0912345678, 0987654321",
        "tel:0912345678",
        "0912345678;ext=1",
        "+",
        "()",
        "1900545415",
        "113",
    ],
)
def test_what_is_no_mobile_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidPhone) as refused:
        parse_phone(text)

    assert refused.value.field == "phone"


def test_the_refusal_names_the_field_that_was_asked_for() -> None:
    with pytest.raises(InvalidPhone) as refused:
        parse_phone("x", field="receiver_phone")

    assert refused.value.field == "receiver_phone"


@given(MOBILES)
def test_what_is_shown_is_read_back(local: str) -> None:
    e164 = parse_phone(local)

    assert e164 == "+84" + local[1:]
    assert parse_phone(show_phone(e164)) == e164
    assert last4(e164) == local[-4:]


@given(st.text())
def test_no_text_is_anything_but_read_or_refused(text: str) -> None:
    try:
        assert parse_phone(text).startswith("+84")
    except InvalidPhone:
        return


def test_a_number_is_shown_in_three_parts() -> None:
    assert show_phone("+84912345678") == "0912 345 678"


def test_what_was_never_a_mobile_number_is_shown_as_it_is() -> None:
    assert show_phone("+842438251234") == "+842438251234"
