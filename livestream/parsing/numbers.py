"""Number words as people say them: 'mười hai', 'hai mươi lăm', 'nửa chục'."""

from collections.abc import Sequence
from typing import NamedTuple

from livestream.parsing.phones import SPOKEN_DIGITS
from livestream.parsing.tokens import Kind, Token

_TEN = 10
_CARDINALS = {word: value for word, value in SPOKEN_DIGITS.items() if value} | {
    "mười": 10,
    "muoi": 10,
}
_TENS = frozenset({"mươi", "muoi", "mưoi"})
_ENDINGS = {"mốt": 1, "một": 1, "mot": 1, "lăm": 5, "lam": 5, "nhăm": 5, "tư": 4, "tu": 4}
_NEED_UNIT = frozenset({"nam", "sau", "bay", "tam", "chin", "lăm"})
_UNSURE_ALONE = frozenset({"năm", "chín", "tư"})
MULTIPLES = {"chục": 10, "chuc": 10, "tá": 12, "ta": 12, "cặp": 2, "cap": 2, "đôi": 2, "doi": 2}
MARKED_MULTIPLES = frozenset({"chục", "tá", "cặp", "đôi"})


class Spoken(NamedTuple):
    """A number said in words: its value, how many tokens it took, and how sure it is alone."""

    value: int
    length: int
    needs_unit: bool
    unsure: bool


def spoken_number(tokens: Sequence[Token], at: int) -> Spoken | None:
    """Return the number whose words start at `tokens[at]`, up to 99."""
    first = _word(tokens, at)
    value = _CARDINALS.get(first)
    if value is None:
        return None
    length = 1
    second = _word(tokens, at + 1)
    if value == _TEN and _ENDINGS.get(second, _CARDINALS.get(second, _TEN)) < _TEN:
        value += _ENDINGS.get(second, _CARDINALS.get(second, 0))
        length = 2
    elif 1 < value < _TEN and second in _TENS:
        value *= _TEN
        length = 2
        third = _word(tokens, at + 2)
        ending = _ENDINGS.get(third, _CARDINALS.get(third, _TEN))
        if ending < _TEN:
            value += ending
            length = 3
    alone = length == 1
    plain = tokens[at].spelling.plain
    return Spoken(
        value,
        length,
        needs_unit=alone and first in _NEED_UNIT,
        unsure=alone and (first in _UNSURE_ALONE or plain),
    )


def _word(tokens: Sequence[Token], at: int) -> str:
    if at < len(tokens) and tokens[at].kind is Kind.WORD and tokens[at].words == 1:
        return tokens[at].text
    return ""
