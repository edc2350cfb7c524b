"""Reading what was typed of goods: one table of fields, for the editor's page and for sheets.

Every value comes as text. What cannot be right is told under its field's name, all at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog import labelling
from catalog.alcohol import PURE_TENTHS
from catalog.products import KeepsUnit, OcopGroup
from catalog.sales import DEAREST
from core.errors import Invalid
from core.i18n import lazy as _
from core.money import Money, read_money
from core.text import clean, has_control_characters

LONGEST_NAME = 150
LONGEST_LINE = 200
LONGEST_TEXT = 5_000
HEAVIEST_G = 1_000_000
LONGEST_CM = 1_000
LONGEST_KEEPS = 1_000
NOTHING = {"", "0", "no", "không"}
IN_ENGLISH = ("name", "description", "ingredients", "storage_note", "usage_note")


class BadValues(Invalid):
    """Some of what was typed cannot be right; `problems` says which field and why."""

    def __init__(self, problems: Mapping[str, object]) -> None:
        field, message = next(iter(problems.items()))
        super().__init__(message, field=field)
        self.problems = dict(problems)


class _Wrong(Exception):  # noqa: N818 - a word between the readers below and `read`
    """What was typed cannot be right."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: whose it is and how its text is read."""

    of: str
    read: Callable[[str], Any]


def _line(longest: int) -> Callable[[str], str]:
    def read(typed: str) -> str:
        text = clean(typed.replace("\n", " "))
        if len(text) > longest:
            raise _Wrong(_("Write at most %(most)s letters.", most=longest))
        return text

    return read


def _text(longest: int) -> Callable[[str], str | None]:
    def read(typed: str) -> str | None:
        text = clean(typed.replace("\r\n", "\n"))
        if len(text) > longest:
            raise _Wrong(_("Write at most %(most)s letters.", most=longest))
        return text or None

    return read


def _whole(least: int, most: int) -> Callable[[str], int | None]:
    def read(typed: str) -> int | None:
        digits = clean(typed).replace(".", "").replace(" ", "")
        if not digits:
            return None
        number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else -1  # noqa: PLR2004
        if not least <= number <= most:
            raise _Wrong(
                _("Write a whole number from %(least)s to %(most)s.", least=least, most=most)
            )
        return number

    return read


def _price(typed: str) -> Money | None:
    if not clean(typed):
        return None
    price = read_money(typed)
    if price is None or not Money(0) < price <= DEAREST:
        raise _Wrong(_("Write the price in đồng, for example 165000."))
    return price


def _percent(typed: str) -> int | None:
    text = clean(typed).replace(",", ".").rstrip("% ")
    if not text:
        return None
    whole, _dot, rest = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and rest.isdecimal() | (not rest)):
        raise _Wrong(_("Write the percent as a number, for example 29,5."))
    tenths = int(whole[:4]) * 10 + int(rest[:1] or "0")
    if tenths > PURE_TENTHS:
        raise _Wrong(_("Alcohol by volume lies between 0 and 100 percent."))
    return tenths


def _one_of(kind: Any, words: object) -> Callable[[str], Any]:
    def read(typed: str) -> Any:
        if not typed:
            return None
        if typed not in set(kind):
            raise _Wrong(words)
        return kind(typed)

    return read


FIELDS: dict[str, Field] = {
    "name": Field("product", _line(LONGEST_NAME)),
    "group": Field("product", _one_of(OcopGroup, _("Choose one of the six groups."))),
    "description": Field("product", _text(LONGEST_TEXT)),
    "ingredients": Field("product", _text(LONGEST_TEXT)),
    "storage_note": Field("product", _text(LONGEST_TEXT)),
    "usage_note": Field("product", _text(LONGEST_TEXT)),
    "keeps_for": Field("product", _whole(1, LONGEST_KEEPS)),
    "keeps_unit": Field("product", _one_of(KeepsUnit, _("Choose days, months or years."))),
    "abv": Field("product", _percent),
    "is_health_food": Field("product", lambda typed: clean(typed).lower() not in NOTHING),
    "ad_certificate": Field("product", lambda typed: _line(LONGEST_LINE)(typed) or None),
    "unit": Field("variant", _line(40)),
    "price": Field("variant", _price),
    "weight_g": Field("variant", _whole(1, HEAVIEST_G)),
    "length_cm": Field("variant", _whole(1, LONGEST_CM)),
    "width_cm": Field("variant", _whole(1, LONGEST_CM)),
    "height_cm": Field("variant", _whole(1, LONGEST_CM)),
    **{
        f"label_{name}": Field("label", _text(labelling.LONGEST))
        for name in sorted(labelling.ALL_NAMES)
    },
    **{f"english_{name}": Field("english", _text(LONGEST_TEXT)) for name in IN_ENGLISH},
}


def read(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of `values` as they are stored, or raise BadValues with every problem.

    Names that are no field are left aside; a field that is not there stays as it was.
    """
    found: dict[str, Any] = {}
    problems: dict[str, object] = {}
    for name, field in FIELDS.items():
        if name not in values:
            continue
        try:
            found[name] = field.read(_storable(values[name]))
        except _Wrong as wrong:
            problems[name] = wrong.args[0]
    if problems:
        raise BadValues(problems)
    return found


def _storable(typed: str) -> str:
    if has_control_characters(typed):
        raise _Wrong(_("There are signs in it that cannot be stored. Type it again."))
    return typed
