"""Amounts are read as a Vietnamese bookkeeper reads them; names stand as in a dictionary."""

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import Money
from core.words import amount_in_words, vietnamese_sort_key

# Read by the npm package read-vietnamese-number 2.3.1 (MIT); it writes tỉ where we write tỷ.
READ_BY_OTHERS = [
    (0, "không"),
    (1, "một"),
    (5, "năm"),
    (10, "mười"),
    (11, "mười một"),
    (14, "mười bốn"),
    (15, "mười lăm"),
    (20, "hai mươi"),
    (21, "hai mươi mốt"),
    (24, "hai mươi tư"),
    (25, "hai mươi lăm"),
    (31, "ba mươi mốt"),
    (34, "ba mươi tư"),
    (35, "ba mươi lăm"),
    (44, "bốn mươi tư"),
    (54, "năm mươi tư"),
    (100, "một trăm"),
    (101, "một trăm lẻ một"),
    (104, "một trăm lẻ bốn"),
    (105, "một trăm lẻ năm"),
    (110, "một trăm mười"),
    (111, "một trăm mười một"),
    (115, "một trăm mười lăm"),
    (121, "một trăm hai mươi mốt"),
    (124, "một trăm hai mươi tư"),
    (404, "bốn trăm lẻ bốn"),
    (1_000, "một nghìn"),
    (1_001, "một nghìn không trăm lẻ một"),
    (1_005, "một nghìn không trăm lẻ năm"),
    (1_015, "một nghìn không trăm mười lăm"),
    (1_100, "một nghìn một trăm"),
    (1_404, "một nghìn bốn trăm lẻ bốn"),
    (10_000, "mười nghìn"),
    (11_000, "mười một nghìn"),
    (15_000, "mười lăm nghìn"),
    (21_000, "hai mươi mốt nghìn"),
    (105_000, "một trăm lẻ năm nghìn"),
    (165_000, "một trăm sáu mươi lăm nghìn"),
    (250_000, "hai trăm năm mươi nghìn"),
    (1_000_000, "một triệu"),
    (1_000_005, "một triệu không trăm lẻ năm"),
    (1_005_000, "một triệu không trăm lẻ năm nghìn"),
    (1_015_000, "một triệu không trăm mười lăm nghìn"),
    (4_004_004, "bốn triệu không trăm lẻ bốn nghìn không trăm lẻ bốn"),
    (10_000_000, "mười triệu"),
    (10_000_005, "mười triệu không trăm lẻ năm"),
    (100_000_000, "một trăm triệu"),
    (123_456_789, "một trăm hai mươi ba triệu bốn trăm năm mươi sáu nghìn bảy trăm tám mươi chín"),
    (1_000_000_000, "một tỷ"),
    (1_000_000_001, "một tỷ không trăm lẻ một"),
    (1_000_015_000, "một tỷ không trăm mười lăm nghìn"),
    (2_000_000_000, "hai tỷ"),
    (21_000_000_000, "hai mươi mốt tỷ"),
    (105_000_000_000, "một trăm lẻ năm tỷ"),
    (1_000_000_000_000, "một nghìn tỷ"),
    (1_005_000_000_000, "một nghìn không trăm lẻ năm tỷ"),
    (1_000_000_000_000_000, "một triệu tỷ"),
    (1_000_000_000_000_000_000, "một tỷ tỷ"),
    (
        9_999_999_999_999,
        (
            "chín nghìn chín trăm chín mươi chín tỷ chín trăm chín mươi chín triệu "
            "chín trăm chín mươi chín nghìn chín trăm chín mươi chín"
        ),
    ),
    (-50_000, "âm năm mươi nghìn"),
]


@pytest.mark.parametrize(("dong", "words"), READ_BY_OTHERS)
def test_amounts_are_read_as_others_read_them(dong: int, words: str) -> None:
    assert amount_in_words(Money(dong)) == f"{words} đồng"


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_different_amounts_are_read_differently(one: int, two: int) -> None:
    assert (amount_in_words(Money(one)) == amount_in_words(Money(two))) == (one == two)


# As ICU's Vietnamese collation has them.
SORTED_NAMES = [
    "A",
    "An",
    "An Bình",
    "An Khê",
    "Anh",
    "Ăn",
    "Ân",
    "Ba",
    "Bà",
    "Bả",
    "Bã",
    "Bá",
    "Bạ",
    "Bà Rịa",
    "Bá Thước",
    "Ba Vì",
    "Dan",
    "Dừa",
    "Đan Phượng",
    "Đường",
    "Em",
    "Ếch",
    "Hoà",
    "Hòa Bình",
    "Ô Diên",
    "Ơ",
    "Ư",
    "Vĩnh Long",
    "Y Tý",
]


def test_names_stand_in_the_order_of_the_alphabet() -> None:
    shuffled = random.Random(7).sample(SORTED_NAMES, len(SORTED_NAMES))

    assert sorted(shuffled, key=vietnamese_sort_key) == SORTED_NAMES


def test_small_letters_stand_before_capitals_and_spaces_before_all() -> None:
    words = ["ba", "Ba", "ba ba", "ba-ba", "ba2", "baa"]

    shuffled = random.Random(7).sample(words, len(words))

    assert sorted(shuffled, key=vietnamese_sort_key) == words


def test_composed_and_decomposed_names_are_one() -> None:
    decomposed = unicodedata.normalize("NFD", "Ứng Hoà")

    assert vietnamese_sort_key(decomposed) == vietnamese_sort_key("Ứng Hoà")


@given(st.text())
def test_every_text_has_a_key_of_digits_and_small_letters(name: str) -> None:
    assert not set(vietnamese_sort_key(name)) - set("0123456789abcdefghijklmnopqrstuvwxyz")
