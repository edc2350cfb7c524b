"""Compressed GS1 Digital Links: read, never written; what we print is short enough as it is.

The last part of the address is a number in letters: for each element its AI, four bits a digit, and
its value in as few bits as its kind needs. Tables and bit widths are those of GS1's standard.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_HEX = "0123456789ABCDEF"
_PACKED = re.compile(r"[A-Za-z0-9_-]{3,200}")
_BITS_A_LETTER = 6
_NUMERIC, _LOWER_HEX, _UPPER_HEX, _SIX_BITS, _ASCII = range(5)
_OUR_KEYS = ("01", "00", "414")
_QUALIFIERS = ("22", "10", "21", "235", "254")
_PADDING = 8


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of a value: digits or any sign, so many of them or up to so many."""

    signs: int
    fixed: bool
    numeric: bool


def _digits(count: int) -> _Part:
    return _Part(count, fixed=True, numeric=True)


def _up_to_digits(most: int) -> _Part:
    return _Part(most, fixed=False, numeric=True)


def _up_to_signs(most: int) -> _Part:
    return _Part(most, fixed=False, numeric=False)


# What stands behind each AI that a link of ours may carry.
_VALUES: dict[str, tuple[_Part, ...]] = {
    "00": (_digits(18),),
    "01": (_digits(14),),
    "414": (_digits(13),),
    **{ai: (_up_to_signs(20),) for ai in ("10", "21", "22", "254")},
    "235": (_up_to_signs(28),),
    **{ai: (_digits(6),) for ai in ("11", "12", "13", "15", "16", "17")},
    "30": (_up_to_digits(8),),
    **{f"{kind}{places}": (_digits(6),) for kind in ("310", "320") for places in range(6)},
    "422": (_digits(3),),
    "427": (_up_to_signs(3),),
    "7003": (_digits(10),),
    "7007": (_digits(6), _up_to_digits(6)),
    "8008": (_digits(8), _up_to_digits(4)),
    "90": (_up_to_signs(30),),
    **{f"9{digit}": (_up_to_signs(90),) for digit in range(1, 10)},
}
# Sequences that often come together have a number of their own.
_SEQUENCES: dict[str, tuple[str, ...]] = {
    "0A": ("01", "22"),
    "0B": ("01", "10"),
    "0C": ("01", "21"),
    "0D": ("01", "17"),
    "0E": ("01", "7003"),
    "0F": ("01", "30"),
    "1A": ("01", "10", "21", "17"),
    "1B": ("01", "15"),
    "1C": ("01", "11"),
    "1D": ("01", "16"),
    "1E": ("01", "91"),
    "1F": ("01", "10", "15"),
    **{f"2{'ABCDEF'[places]}": ("01", f"310{places}") for places in range(6)},
    **{f"3{'ABCDEF'[places]}": ("01", f"320{places}") for places in range(6)},
    "9D": ("414", "254"),
}
_LENGTHS = {ai[:2]: len(ai) for ai in _VALUES}


class _NotPacked(Exception):  # noqa: N818 - said of the letters
    """These letters are no compressed link."""


class _Bits:
    """The letters as one number, read from its front."""

    def __init__(self, letters: str) -> None:
        self._text = "".join(f"{_LETTERS.index(letter):06b}" for letter in letters)
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._text) - self._at

    def take(self, count: int) -> int:
        """Return the next `count` bits as a number."""
        if count > self.left:
            raise _NotPacked
        piece = self._text[self._at : self._at + count]
        self._at += count
        return int(piece or "0", 2)


def unpack(path: str) -> tuple[str, str] | None:
    """Return path and query of the link whose compressed form ends `path`, or None if none does.

    What stands uncompressed before the last part stays. The values are for others to check.
    """
    *plain, last = path.strip("/").split("/")
    if not _PACKED.fullmatch(last) or len(plain) % 2:
        return None
    try:
        found = list(_elements(_Bits(last)))
    except _NotPacked:
        return None
    before = list(zip(plain[::2], plain[1::2], strict=True))
    keys = [ai for ai, _value in (*before, *found) if ai in _OUR_KEYS]
    if len(keys) != 1 or (before and before[0][0] != keys[0]):
        return None
    return _written(before, found)


def _written(before: list[tuple[str, str]], found: list[tuple[str, str]]) -> tuple[str, str]:
    order = (*_OUR_KEYS, *_QUALIFIERS)
    in_path = [pair for pair in found if pair[0] in order]
    in_path.sort(key=lambda pair: order.index(pair[0]))
    pieces = [*before, *((ai, quote(value, safe="")) for ai, value in in_path)]
    rest = [f"{ai}={quote(value, safe='')}" for ai, value in found if ai not in order]
    return "/" + "/".join(f"{ai}/{value}" for ai, value in pieces), "&".join(rest)


def _elements(bits: _Bits) -> Iterator[tuple[str, str]]:
    # What is left at the end only fills the last letter.
    while bits.left >= _PADDING:
        first = f"{bits.take(8):02X}"
        if first in _SEQUENCES:
            for ai in _SEQUENCES[first]:
                yield ai, _value(bits, ai)
            continue
        if first not in _LENGTHS:
            raise _NotPacked
        ai = first + "".join(f"{bits.take(4):X}" for _digit in range(_LENGTHS[first] - 2))
        if ai not in _VALUES:
            raise _NotPacked
        yield ai, _value(bits, ai)
    if bits.take(bits.left):
        raise _NotPacked


def _value(bits: _Bits, ai: str) -> str:
    return "".join(_part(bits, part) for part in _VALUES[ai])


def _part(bits: _Bits, part: _Part) -> str:
    coding = _NUMERIC if part.numeric else bits.take(3)
    signs = part.signs if part.fixed else bits.take(_length_bits(part.signs))
    if signs > part.signs:
        raise _NotPacked
    if coding == _NUMERIC:
        number = str(bits.take(_number_bits(signs))) if signs else ""
        if len(number) > signs:
            raise _NotPacked
        return number.zfill(signs)
    if coding in (_LOWER_HEX, _UPPER_HEX):
        text = "".join(_HEX[bits.take(4)] for _sign in range(signs))
        return text.lower() if coding == _LOWER_HEX else text
    if coding == _SIX_BITS:
        return "".join(_LETTERS[bits.take(6)] for _sign in range(signs))
    if coding == _ASCII:
        return "".join(chr(bits.take(7)) for _sign in range(signs))
    raise _NotPacked


def _length_bits(most: int) -> int:
    return math.ceil(math.log2(most) + 0.01)


def _number_bits(digits: int) -> int:
    return math.ceil(digits * math.log2(10) + 0.01)
