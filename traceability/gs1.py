"""GS1 Digital Link: the web address of goods that have a GTIN, read strictly and written one way.

A fault in such an address is told with its reason; nothing is guessed. What the address leads to
is for others to find.
"""

import calendar
import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from catalog.gtin import has_check_digit, to_gtin14
from core.errors import Invalid
from core.i18n import lazy as _

# The 82 characters that GS1 allows in lots, serials and their like.
_ALLOWED = re.compile(r"""[A-Za-z0-9!"%&'()*+,\-./:;<=>?_]+""")
_HOUSE_CODE = re.compile("[A-Z0-9-]{1,20}")
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_NUMERIC = re.compile("[0-9]+")
_SEPARATORS = re.compile("[&;]")
_AI_LENGTHS = range(2, 5)
_LONGEST_VALUE = 90
_MONTHS = range(1, 13)


class Key(enum.StrEnum):
    """What an address is about: goods, a parcel or a place."""

    GTIN = "01"
    SSCC = "00"
    GLN = "414"


_DIGITS = {Key.GTIN: 14, Key.SSCC: 18, Key.GLN: 13}
# Which qualifiers may follow a key, as alternatives: each in this order, any of them left out.
_QUALIFIERS = {Key.GTIN: (("22", "10", "21"), ("235",)), Key.SSCC: (), Key.GLN: (("254",),)}
_LONGEST = {"22": 20, "10": 20, "21": 20, "235": 28, "254": 20}
_DATES = frozenset({"11", "13", "15", "16", "17"})
_ABOUT_GOODS = {
    "30": re.compile("[0-9]{1,8}"),
    **{f"310{places}": re.compile("[0-9]{6}") for places in range(6)},
    "422": re.compile("[0-9]{3}"),
    "427": re.compile("[0-9A-Z]{1,3}"),
    "7007": re.compile("[0-9]{6}([0-9]{6})?"),
    "8008": re.compile("[0-9]{8}([0-9]{2}){0,2}"),
    **dict.fromkeys(_DATES, re.compile("[0-9]{6}")),
}


class NotADigitalLink(Invalid):
    """The address is not a GS1 Digital Link of ours; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class DigitalLink:
    """What an address names: the key of its kind and, finer and finer, variant, lot and serial."""

    ai: Key
    key: str
    variant: str | None = None
    lot: str | None = None
    serial: str | None = None
    third_party: str | None = None
    extension: str | None = None

    @property
    def gtin(self) -> str | None:
        """Return the 14 digits, if the address is about goods."""
        return self.key if self.ai is Key.GTIN else None

    @property
    def path(self) -> str:
        """Return the one canonical path of what is named."""
        parts = [self.ai.value, self.key]
        for ai, field in _FIELDS.items():
            value = getattr(self, field)
            if value is not None:
                parts += [ai, quote(value, safe="")]
        return "/" + "/".join(parts)

    def parent(self) -> "DigitalLink | None":
        """Return what is named without the finest part: serial, then lot, then variant."""
        for field in reversed(_FIELDS.values()):
            if getattr(self, field) is not None:
                without: dict[str, Any] = {field: None}
                return replace(self, **without)
        return None


_FIELDS = {"22": "variant", "10": "lot", "21": "serial", "235": "third_party", "254": "extension"}


def parse(path: str, query: str = "") -> DigitalLink:
    """Return what the address names, or raise NotADigitalLink with the reason.

    Both are as they came over the wire, percent-encoded; one slash at the end changes nothing.
    """
    pairs = list(_pairs(path))
    key_ai, number = pairs[0]
    try:
        key = Key(key_ai)
    except ValueError:
        message = _("The address must begin with 01, 00 or 414, not with “%(ai)s”", ai=key_ai)
        raise NotADigitalLink(message) from None
    _check_number(key, number)
    qualifiers = [ai for ai, _value in pairs[1:]]
    _check_order(key, qualifiers)
    for ai, value in pairs[1:]:
        _check_value(ai, value, longest=_LONGEST[ai])
    _check_query(key, query)
    return DigitalLink(key, number, **{_FIELDS[ai]: value for ai, value in pairs[1:]})


def _pairs(path: str) -> Iterator[tuple[str, str]]:
    segments = [_decoded(segment) for segment in path.removesuffix("/").split("/")]
    if not segments[0]:
        del segments[0]
    if not segments or len(segments) % 2 or not all(segments):
        raise NotADigitalLink(_("Every number of a key in the address needs its value after it"))
    return zip(segments[::2], segments[1::2], strict=True)


def _decoded(segment: str) -> str:
    try:
        if not _BROKEN_ESCAPE.search(segment):
            return unquote_to_bytes(segment).decode("ascii")
    except UnicodeDecodeError:
        pass
    message = _("The address holds letters with marks or a broken percent sign")
    raise NotADigitalLink(message)


def _check_number(key: Key, number: str) -> None:
    digits = _DIGITS[key]
    if len(number) != digits or not _NUMERIC.fullmatch(number) or not number.strip("0"):
        message = _(
            "The number after %(ai)s must have exactly %(digits)s digits",
            ai=key.value,
            digits=digits,
        )
        raise NotADigitalLink(message)
    if not has_check_digit(number):
        message = _("The last digit of the number after %(ai)s does not fit", ai=key.value)
        raise NotADigitalLink(message)


def _check_order(key: Key, qualifiers: list[str]) -> None:
    for allowed in ((), *_QUALIFIERS[key]):
        if qualifiers == [ai for ai in allowed if ai in qualifiers]:
            return
    stranger = next((ai for ai in qualifiers if ai not in _LONGEST), None)
    if stranger is not None:
        message = _("“%(ai)s” cannot stand in the path of this address", ai=stranger)
    else:
        message = _("In the address 22, 10 and 21 stand in this order, each once, after 01")
    raise NotADigitalLink(message)


def _check_value(ai: str, value: str, *, longest: int) -> None:
    if len(value) <= longest and _ALLOWED.fullmatch(value):
        return
    message = _(
        "The value after %(ai)s has 1 to %(longest)s letters without marks, digits and signs",
        ai=ai,
        longest=longest,
    )
    raise NotADigitalLink(message)


def _check_query(key: Key, query: str) -> None:
    """Check the attributes after the question mark; keys with a letter are not GS1's."""
    seen = set()
    for pair in filter(None, _SEPARATORS.split(query)):
        ai, _equals, encoded = pair.partition("=")
        if not _NUMERIC.fullmatch(ai):
            continue
        if ai in seen:
            raise NotADigitalLink(_("“%(ai)s” stands twice in the address", ai=ai))
        seen.add(ai)
        if ai == key.value or ai in _LONGEST:
            message = _("“%(ai)s” belongs before the question mark of the address", ai=ai)
            raise NotADigitalLink(message)
        _check_attribute(key, ai, _decoded(encoded))
    if "427" in seen and "422" not in seen:
        raise NotADigitalLink(_("“%(ai)s” cannot stand alone in the address", ai="427"))


def _check_attribute(key: Key, ai: str, value: str) -> None:
    shape = _ABOUT_GOODS.get(ai)
    if shape is None:
        if len(ai) not in _AI_LENGTHS:
            message = _("“%(ai)s” is not the number of a GS1 attribute", ai=ai)
            raise NotADigitalLink(message)
        _check_value(ai, value, longest=_LONGEST_VALUE)
        return
    is_right = key is Key.GTIN and shape.fullmatch(value) is not None
    if is_right and ai in _DATES:
        is_right = _is_date(value, may_be_month=True)
    elif is_right and ai in ("7007", "8008"):
        dates = (value[:6], value[6:]) if ai == "7007" else (value[:6],)
        is_right = all(_is_date(date, may_be_month=False) for date in dates if date)
    if not is_right:
        message = _("The value after %(ai)s is not what GS1 allows there", ai=ai)
        raise NotADigitalLink(message)


def _is_date(text: str, *, may_be_month: bool) -> bool:
    """Say whether YYMMDD is a day; day 00 stands for the end of the month where it may."""
    year, month, day = 2000 + int(text[:2]), int(text[2:4]), int(text[4:])
    if month not in _MONTHS:
        return False
    return (0 if may_be_month else 1) <= day <= calendar.monthrange(year, month)[1]


def is_house_code(text: str) -> bool:
    """Say whether `text` may be a lot or serial of this house: nothing to encode, at most 20."""
    return bool(_HOUSE_CODE.fullmatch(text))


def build(base_url: str, gtin: str, *, lot: str | None = None, serial: str | None = None) -> str:
    """Return the address to print for goods with a GTIN, their lot and serial where there are any.

    InvalidGtin or NotADigitalLink is raised rather than an address that would not resolve.
    """
    link = DigitalLink(Key.GTIN, to_gtin14(gtin), lot=lot, serial=serial)
    for ai, value in (("10", lot), ("21", serial)):
        if value is not None:
            _check_value(ai, value, longest=_LONGEST[ai])
    return base_url.removesuffix("/") + link.path
