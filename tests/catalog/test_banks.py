"""A bank is known by its BIN, whatever it is called this year."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.banks import (
    InvalidAccountNumber,
    UnknownBank,
    banks,
    find_bank,
    get_bank,
    list_transfer_banks,
    parse_account_number,
)


def test_a_bank_is_found_by_its_bin() -> None:
    assert get_bank("970436").short_name == "Vietcombank"


def test_a_bank_that_changed_its_name_is_shown_under_the_new_one() -> None:
    vikki = get_bank("970406")

    assert vikki.short_name == "Vikki Bank"
    assert vikki.former_names == ("DongA Bank",)


def test_an_unknown_bin_is_told_apart_from_a_bank() -> None:
    assert find_bank("123456") is None
    with pytest.raises(UnknownBank):
        get_bank("123456")


def test_every_bank_is_listed_once_in_order() -> None:
    listed = list_transfer_banks()

    assert {bank.bin for bank in listed} == set(banks())
    assert len(listed) == len(banks()) == 58
    assert all(len(bank.bin) == 6 and bank.bin.isdigit() for bank in listed)
    assert [bank.short_name for bank in listed[:2]] == ["AB Bank", "ACB"]


def test_an_account_number_may_be_typed_as_it_is_printed() -> None:
    assert parse_account_number(" 0011 0123.456-78 ") == "0011012345678"


def test_an_account_name_keeps_its_letters() -> None:
    assert parse_account_number("99MM24011M34875080") == "99MM24011M34875080"


@pytest.mark.parametrize("text", ["", "12345", "1" * 20, "số của tôi", "00110123456７8"])
def test_what_is_no_account_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidAccountNumber) as refused:
        parse_account_number(text)

    assert refused.value.field == "bank_account"


@given(st.from_regex("[0-9A-Za-z]{6,19}", fullmatch=True))
def test_an_account_number_means_itself(number: str) -> None:
    assert parse_account_number(number) == number
