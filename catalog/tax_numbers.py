"""Tax numbers: 10 digits, 10 and 3 of a branch, or the 12 of a person's own number.

Form and check digit as the tax offices write them (circular 105/2020/TT-BTC); since July 2025 a
household and a person are taxed under the personal number (circular 86/2024/TT-BTC).
"""

import re
import unicodedata
from datetime import date

from catalog.producers import ProducerKind
from core.errors import Invalid
from core.i18n import lazy as _

ORGANISATION, PERSON, BRANCH = 10, 12, 13
FIRST_SERIAL, CHECK_PLACE = 2, 9
WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)
# The fourth digit of a personal number: the century, and whether a man or a woman.
CENTURIES = (1900, 1900, 2000, 2000, 2100, 2100, 2200, 2200, 2300, 2300)
OF_PERSONS = frozenset({ProducerKind.HOUSEHOLD, ProducerKind.GROUP, None})
_DIGITS = re.compile("[0-9]+")
_BETWEEN = re.compile(r"[\s.\-\u2010-\u2015]+")


class WrongTaxNumber(Invalid):
    """This cannot be the tax number of a producer of this kind."""


class WrongPersonalNumber(Invalid):
    """This cannot be a person's number, or not this person's."""


def parse(text: str, *, kind: ProducerKind | None, field: str = "tax_number") -> str:
    """Return the number as it is written: 0123456789, 0123456789-001 or 12 digits.

    Raises WrongTaxNumber, which says what to look at again.
    """
    digits = _digits(text)
    if digits is None or len(digits) not in {ORGANISATION, PERSON, BRANCH}:
        raise WrongTaxNumber(
            _(
                "A tax number has 10 digits, 13 for a branch (10 and 3), or 12 for a household "
                "(the owner's personal number)."
            ),
            field=field,
        )
    if len(digits) == PERSON:
        if kind not in OF_PERSONS:
            raise WrongTaxNumber(
                _("Companies and co-operatives have 10 digits; 12 are for households and people."),
                field=field,
            )
        return parse_person(digits, field=field)
    head, branch = digits[:ORGANISATION], digits[ORGANISATION:]
    serial = head[FIRST_SERIAL:CHECK_PLACE]
    if int(serial) == 0 or branch == "000" or check_digit(head) != head[CHECK_PLACE]:
        raise WrongTaxNumber(
            _("One digit is wrong: compare it with the registration paper, digit by digit."),
            field=field,
        )
    return f"{head}-{branch}" if branch else head


def check_digit(digits: str) -> str:
    """Return the tenth digit that belongs to the first nine; "" if none fits."""
    rest = sum(w * int(d) for w, d in zip(WEIGHTS, digits, strict=False)) % 11
    return str(10 - rest) if rest else ""


def parse_person(text: str, *, born: date | None = None, field: str = "number") -> str:
    """Return a person's twelve digits; with a day of birth, its year must stand in them.

    Raises WrongPersonalNumber.
    """
    digits = _digits(text)
    if digits is None or len(digits) != PERSON or digits.startswith("000"):
        raise WrongPersonalNumber(
            _("The number on the citizen's card has 12 digits and begins with the place of birth."),
            field=field,
        )
    if born is not None and CENTURIES[int(digits[3])] + int(digits[4:6]) != born.year:
        raise WrongPersonalNumber(
            _("The year of birth does not fit this number: compare both with the card."),
            field=field,
        )
    return digits


def _digits(text: str) -> str | None:
    """Return what was typed without blanks, dots and dashes, if digits alone are left."""
    bare = _BETWEEN.sub("", unicodedata.normalize("NFKC", text))
    return bare if bare.isascii() and _DIGITS.fullmatch(bare) else None
