"""Vietnamese words in order, and amounts in words as invoices have them."""

import unicodedata

from core.money import Money
from core.text import nfc

_DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_AFTER_TEN = {5: "lăm"}
_AFTER_TENS = {1: "mốt", 4: "tư", 5: "lăm"}
_GROUPS = ("", " nghìn", " triệu")
_BILLION = 10**9

_HORN, _BREVE, _HAT = _SHAPES = ("\u031b", "\u0306", "\u0302")
# The letters of the alphabet that a mark makes: ă, â, ê, ô, ơ, ư come after their plain ones.
_LETTERS = {
    "a" + _BREVE: "a1",
    "a" + _HAT: "a2",
    "e" + _HAT: "e1",
    "o" + _HAT: "o1",
    "o" + _HORN: "o2",
    "u" + _HORN: "u1",
    "đ": "d1",
}
# Thanh ngang, huyền, hỏi, ngã, sắc, nặng: the order of dictionaries.
_TONES = {"\u0300": "1", "\u0309": "2", "\u0303": "3", "\u0301": "4", "\u0323": "5"}


def vietnamese_sort_key(text: str) -> str:
    """Return a key by which names stand as in a Vietnamese dictionary.

    Letters decide first (a ă â … d đ e ê …), then tones, then case. The key holds only digits and
    small ASCII letters, so that every database compares it alike.
    """
    letters, tones, cases = "", "", ""
    for character in nfc(text):
        lowered = character.lower()
        parts = unicodedata.normalize("NFD", lowered)
        plain, marks = parts[0], parts[1:]
        letters += _letter(plain + "".join(mark for mark in marks if mark in _SHAPES))
        tones += next((_TONES[mark] for mark in marks if mark in _TONES), "0")
        cases += "0" if character == lowered else "1"
    # The key's parts are parted by 0, which sorts before everything a letter can begin with.
    return f"{letters}0{tones}{cases}"


def _letter(letter: str) -> str:
    if letter in _LETTERS:
        return _LETTERS[letter]
    plain = letter[0]
    if plain.isascii() and plain.isalpha():
        return plain + "0"
    if plain.isascii() and plain.isdigit():
        return "3" + plain
    if plain.isspace():
        return "10"
    if unicodedata.category(plain)[0] in "PS":
        return "20"
    return f"z9{ord(plain):06x}"


def amount_in_words(amount: Money) -> str:
    """Write an amount in words: 165.000 ₫ is "một trăm sáu mươi lăm nghìn đồng"."""
    sign = "âm " if amount.dong < 0 else ""
    return f"{sign}{_number(abs(amount.dong), full=False)} đồng"


def _number(number: int, *, full: bool) -> str:
    """Read a number; `full` says its leading zeros too: something greater was read before it."""
    billions, rest = divmod(number, _BILLION)
    if billions:
        head = f"{_number(billions, full=full)} tỷ"
        return f"{head} {_number(rest, full=True)}" if rest else head
    words: list[str] = []
    for power in (2, 1, 0):
        group = rest // 1000**power % 1000
        if group:
            words.append(_below_thousand(group, full=full or bool(words)) + _GROUPS[power])
    return " ".join(words) or _DIGITS[0]


def _below_thousand(number: int, *, full: bool) -> str:
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    words = []
    if hundreds or full:
        words.append(f"{_DIGITS[hundreds]} trăm")
    if tens == 1:
        words.append("mười")
    elif tens:
        words.append(f"{_DIGITS[tens]} mươi")
    elif ones and words:
        words.append("lẻ")
    if ones:
        words.append(_ones(ones, tens))
    return " ".join(words)


def _ones(ones: int, tens: int) -> str:
    """Read the last digit, which changes its sound after tens."""
    if tens > 1:
        return _AFTER_TENS.get(ones, _DIGITS[ones])
    return _AFTER_TEN.get(ones, _DIGITS[ones]) if tens else _DIGITS[ones]
