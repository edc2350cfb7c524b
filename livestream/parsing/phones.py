"""Vietnamese mobile numbers however they are typed: separators, +84, look-alike letters, words."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_DIGIT = "[0-9oil]"
_GAP = r"[ .\-_,/()]{0,3}"
_PHONE = re.compile(
    rf"(?<![0-9])(?:(?<![^\W_])(?:\(?\+?84\)?|0084){_GAP}(?:\(?[0o]\)?{_GAP})?"
    rf"(?P<abroad>[35789](?:{_GAP}{_DIGIT}){{8}})"
    rf"|(?P<home>(?:0|(?<![^\W_])o){_GAP}(?:1(?:{_GAP}{_DIGIT}){{9}}|[35789](?:{_GAP}{_DIGIT}){{8}})))"
    r"(?![0-9])"
)
_NOT_DIGIT = re.compile(r"[^0-9oil]")
_LOOK_ALIKES = str.maketrans("oil", "011")
_VALID = re.compile(r"0[35789]\d{8}")
_DIGITS = 10
_LETTERS_MEANT_AS_DIGITS = 3  # more of them and it is a word, not a number
_OLD_PREFIXES = {
    "0120": "070",
    "0121": "079",
    "0122": "077",
    "0126": "076",
    "0128": "078",
    "0123": "083",
    "0124": "084",
    "0125": "085",
    "0127": "081",
    "0129": "082",
    "0162": "032",
    "0163": "033",
    "0164": "034",
    "0165": "035",
    "0166": "036",
    "0167": "037",
    "0168": "038",
    "0169": "039",
    "0186": "056",
    "0188": "058",
    "0199": "059",
}


SPOKEN_DIGITS = {
    "không": 0,
    "khong": 0,
    "một": 1,
    "mot": 1,
    "hai": 2,
    "ba": 3,
    "bốn": 4,
    "bon": 4,
    "tư": 4,
    "năm": 5,
    "nam": 5,
    "lăm": 5,
    "sáu": 6,
    "sau": 6,
    "bảy": 7,
    "bẩy": 7,
    "bay": 7,
    "tám": 8,
    "tam": 8,
    "chín": 9,
    "chin": 9,
}


class Phone(NamedTuple):
    """A number as `0xxxxxxxxx`, standing at `[start:end]` of the read letters."""

    number: str
    start: int
    end: int


def find_phones(lower: str) -> list[Phone]:
    """Return every mobile number in the read letters, in order."""
    found = []
    for match in _PHONE.finditer(lower):
        digits = _NOT_DIGIT.sub("", match["home"] or "o" + match["abroad"])
        typed = sum(c.isdigit() for c in digits)
        number = as_mobile(digits.translate(_LOOK_ALIKES))
        ends_inside_word = match.group()[-1].isalpha() and lower[match.end() :][:1].isalpha()
        if number and typed >= len(digits) - _LETTERS_MEANT_AS_DIGITS and not ends_inside_word:
            found.append(Phone(number, match.start(), match.end()))
    return found


def as_mobile(digits: str) -> str | None:
    """Return the ten digits of a mobile number, eleven-digit ones of before 2018 renumbered."""
    if len(digits) > _DIGITS and digits[:4] in _OLD_PREFIXES:
        digits = _OLD_PREFIXES[digits[:4]] + digits[4:]
    return digits if _VALID.fullmatch(digits) else None


def spoken_phone(words: Iterable[str]) -> tuple[str, int] | None:
    """Return a number said digit by digit ('không chín tám …') and how many words it took."""
    digits = ""
    spoken = 0
    for length, word in enumerate(words, start=1):
        if word.isdecimal():
            digits += word
        elif word in SPOKEN_DIGITS:
            digits += str(SPOKEN_DIGITS[word])
            spoken += 1
        elif word not in ".-," or not digits:
            return None
        number = as_mobile(digits) if spoken > 1 and len(digits) == _DIGITS else None
        if number is not None:
            return number, length
        if len(digits) > _DIGITS:
            return None
    return None
