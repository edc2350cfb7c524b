"""Codes that people read aloud and type: random, with a check character that finds every slip.

The check is computed in the field of 32 elements, one for each character of an alphabet. Each
place counts with another power of one generator, so any one wrong character and any two characters
that changed places are found. Arithmetic modulo 32 could not do both.
"""

import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

FIELD_SIZE = 32
# x^5 + x^2 + 1, with which doubling goes round all 31 elements but zero.
_REDUCTION = 0b100101
_LONGEST_BODY = FIELD_SIZE - 2


@dataclass(frozen=True)
class CodeSpec:
    """The shape of one kind of code: a fixed prefix, `length` random characters and a check.

    `readings` says how characters outside the alphabet are meant ('O' → '0'), if they are.
    """

    alphabet: str
    length: int
    prefix: str = ""
    readings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a shape whose check would not find what it promises to find."""
        if len(self.alphabet) != FIELD_SIZE or len(set(self.alphabet)) != FIELD_SIZE:
            message = f"an alphabet has {FIELD_SIZE} different characters"
            raise ValueError(message)
        if not 1 <= self.length <= _LONGEST_BODY:
            message = f"a code has 1 to {_LONGEST_BODY} random characters"
            raise ValueError(message)


def random_code(alphabet: str, length: int) -> str:
    """Return `length` unguessable characters of `alphabet`."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def check_character(alphabet: str, body: str) -> str:
    """Return the character that completes `body`; every character must be of `alphabet`."""
    total = 0
    for character in body:
        total = _double(total ^ alphabet.index(character))
    return alphabet[total]


def _double(element: int) -> int:
    doubled = element << 1
    return doubled ^ _REDUCTION if doubled >= FIELD_SIZE else doubled


def new_code(spec: CodeSpec) -> str:
    """Return a new code of this kind; the caller's unique column says whether it is taken."""
    body = random_code(spec.alphabet, spec.length)
    return spec.prefix + body + check_character(spec.alphabet, body)


def is_well_formed(spec: CodeSpec, text: str) -> bool:
    """Say whether `text` is exactly a code of this kind, its check character included."""
    if not text.startswith(spec.prefix):
        return False
    body = text[len(spec.prefix) :]
    if len(body) != spec.length + 1 or any(c not in spec.alphabet for c in body):
        return False
    return check_character(spec.alphabet, body[:-1]) == body[-1]


def normalise(spec: CodeSpec, text: str) -> str:
    """Return what someone meant who typed `text`: capitals, no spaces or dashes, read as told.

    Nothing is refused here: ask is_well_formed about the answer.
    """
    typed = unicodedata.normalize("NFKC", text).upper()
    kept = "".join(c for c in typed if not c.isspace() and unicodedata.category(c) != "Pd")
    prefix = spec.prefix if kept.startswith(spec.prefix) else ""
    return prefix + "".join(spec.readings.get(c, c) for c in kept[len(prefix) :])
