"""Judging single values of an EPCIS document: each fault with its path and its reason."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.gtin import has_check_digit
from core.i18n import lazy as _
from traceability import epcis_words as words
from traceability import epcs

_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*", re.ASCII)
_HEX = re.compile(r"[A-Fa-f0-9]+")
_OLD_CBV = re.compile(r"urn:epcglobal:cbv|https?://ns\.gs1\.org/cbv/")
_GS1_VOC = re.compile(r"https?://(?:www\.)?gs1\.org/voc/")
# Keys whose last digit checks the others, and where it stands.
_CHECKED = {"00": 18, "01": 14, "253": 13, "255": 13, "414": 13, "417": 13}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, where: a JSON path from the document's root, and the reason for people."""

    path: str
    reason: object

    def __str__(self) -> str:
        """Tell both in one line."""
        return f"{self.path}: {self.reason}"


class Values:
    """Remembers every fault with its path."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, path: str, reason: object) -> None:
        """Add a fault."""
        self.faults.append(Fault(path, reason))

    def maybe(
        self, thing: Mapping[str, Any], path: str, name: str, judge: Callable[[str, Any], None]
    ) -> None:
        """Judge a field if it is there."""
        if name in thing:
            judge(f"{path}.{name}", thing[name])

    def each(
        self, path: str, thing: Mapping[str, Any], name: str, *, single: bool = False
    ) -> Iterable[tuple[str, Any]]:
        """Give the items of a list with their paths; one that is no list is a fault."""
        if name not in thing:
            return []
        place, value = f"{path}.{name}", thing[name]
        if single and not isinstance(value, list):
            return [(place, value)]
        if not self.is_list(place, value):
            return []
        return [(f"{place}[{number}]", one) for number, one in enumerate(value)]

    def require(self, path: str, thing: Mapping[str, Any], names: Iterable[str]) -> None:
        """Ask for fields."""
        for name in names:
            if name not in thing:
                self.fault(f"{path}.{name}", _("This is missing."))

    def names(
        self,
        path: str,
        thing: Mapping[str, Any],
        known: Iterable[str],
        *,
        extensions: bool = True,
    ) -> None:
        """Refuse names that are neither known nor an extension."""
        for name in thing:
            if name in known or (extensions and _URI.fullmatch(name)):
                continue
            reason = _(
                "Nobody knows this name; one of your own needs a prefix, as in ocop:variety."
            )
            self.fault(f"{path}.{name}", reason)

    def is_object(self, path: str, value: Any) -> bool:
        """Say whether this is an object; a fault if not."""
        if isinstance(value, Mapping):
            return True
        self.fault(path, _("This is an object in braces."))
        return False

    def is_list(self, path: str, value: Any) -> bool:
        """Say whether this is a list; a fault if not."""
        if isinstance(value, list):
            return True
        self.fault(path, _("This is a list in brackets."))
        return False

    def time(self, path: str, value: Any) -> None:
        """Ask for an instant with its zone."""
        if isinstance(value, str) and _TIME.fullmatch(value):
            try:
                datetime.fromisoformat(value.upper())
            except ValueError:
                pass
            else:
                return
        self.fault(path, _("A time has a zone: 2026-05-02T07:30:00.000+07:00."))

    def uri(self, path: str, value: Any) -> None:
        """Ask for an address."""
        if not (isinstance(value, str) and _URI.fullmatch(value)):
            self.fault(path, _("This is an address (URI), such as https://… or urn:…"))

    def identifier(self, path: str, value: Any) -> None:
        """Ask for an address; a GS1 number in it must have a right check digit."""
        before = len(self.faults)
        self.uri(path, value)
        if len(self.faults) != before:
            return
        link = epcs.normalise(value)
        if link is None:
            return
        key, _slash, rest = link.removeprefix(f"{epcs.CANONICAL}/").partition("/")
        digits = _CHECKED.get(key)
        if digits is not None and not has_check_digit(rest[:digits]):
            self.fault(path, _("The check digit of this number is wrong."))

    def number(self, path: str, value: Any) -> None:
        """Ask for a number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(path, _("This is a number, without quotation marks."))

    def text(self, path: str, value: Any) -> None:
        """Ask for text."""
        if not isinstance(value, str):
            self.fault(path, _("This is text."))

    def flag(self, path: str, value: Any) -> None:
        """Ask for true or false."""
        if not isinstance(value, bool):
            self.fault(path, _("This is true or false."))

    def hex(self, path: str, value: Any) -> None:
        """Ask for hexadecimal digits."""
        if not (isinstance(value, str) and _HEX.fullmatch(value)):
            self.fault(path, _("These are hexadecimal digits."))

    def component(self, path: str, value: Any) -> None:
        """Ask for a component of a vector."""
        self.word_of(words.COMPONENTS)(path, value)

    def measurement(self, path: str, value: Any) -> None:
        """Ask for what a sensor measures."""
        self.word_of(words.MEASUREMENTS, forbidden=_GS1_VOC)(path, value)

    def alert(self, path: str, value: Any) -> None:
        """Ask for what a sensor warns of."""
        self.word_of(words.ALERTS, forbidden=_GS1_VOC)(path, value)

    def word_of(
        self, known: frozenset[str], *, forbidden: re.Pattern[str] = _OLD_CBV
    ) -> Callable[[str, Any], None]:
        """Return the judge of a word: one of the known, or an address of your own."""

        def judge(path: str, value: Any) -> None:
            if isinstance(value, str) and value in known:
                return
            own = isinstance(value, str) and _URI.fullmatch(value) and not forbidden.match(value)
            if not own:
                self.fault(path, _("The standard does not know this word."))

        return judge
