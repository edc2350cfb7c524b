"""A transfer is recognised by the memo in it, whatever the bank made of the words around."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codes import check_character, new_code
from shop.codes import ALPHABET, MEMO, ORDER_CODE, find_memos

CODE = "OC7K2M9QA" + check_character(ALPHABET, "7K2M9QA")
OTHER = "OCB3X8TZW" + check_character(ALPHABET, "B3X8TZW")


def test_an_order_code_has_nine_characters_nobody_confuses() -> None:
    code = new_code(ORDER_CODE)

    assert len(code) == 9
    assert not set(code) & set("01IO")


def test_a_memo_fits_every_bank() -> None:
    memo = new_code(MEMO)

    assert len(memo) == 10
    assert memo.startswith("OC")
    assert memo.isascii()
    assert memo.isalnum()


@pytest.mark.parametrize(
    "bank_text",
    [
        CODE,
        CODE.lower(),
        f"MBVCB.3278907687.{CODE}.CT tu 0071000888888 NGUYEN VAN A toi 1234567890",
        f"IBFT {CODE} chuyen tien",
        f"{CODE}-CHUYEN TIEN-OQCH000TzYp8-MOMO0912345678MOMO",
        f"FT26329123456789 {CODE}",
        f"Đặng Thị Ổi thanh toán {CODE} cảm ơn",
        f"{CODE[:6]} {CODE[6:]}",
        " ".join(CODE),
        f"{CODE[:4]}.{CODE[4:7]}-{CODE[7:]}",
        f"{CODE[:5]}\n{CODE[5:]}",
        f"TKThe:123{CODE}CHUYENTIEN",
        f"{CODE} {CODE} thanh toan {CODE.lower()}",
    ],
)
def test_the_memo_is_found_in_what_banks_write(bank_text: str) -> None:
    assert find_memos(bank_text) == [CODE]


@pytest.mark.parametrize(
    "bank_text",
    ["", "chuyen tien", "hoc phi thang 9", CODE[:-1], CODE[:5] + CODE[6:], CODE.replace("7", "8")],
)
def test_a_memo_that_is_missing_cut_or_mistyped_is_not_guessed(bank_text: str) -> None:
    assert find_memos(bank_text) == []


def test_two_memos_in_one_transfer_are_both_told() -> None:
    assert find_memos(f"{OTHER} va {CODE}") == [OTHER, CODE]


@given(st.text(alphabet=st.characters(exclude_characters="oO")))
def test_words_around_a_memo_do_not_hide_it(noise: str) -> None:
    memo = new_code(MEMO)

    assert memo in find_memos(f"{noise} {memo} {noise}")


@given(st.text())
def test_no_bank_text_breaks_the_search(bank_text: str) -> None:
    assert all(memo.startswith("OC") for memo in find_memos(bank_text))
