"""The many spellings of one GS1 identifier, brought to one: a canonical GS1 Digital Link.

EPC URNs (`urn:epc:id:…`, `class`, `idpat`) and Digital Links on any host become the address below
https://id.gs1.org with the finest level only: no variant, no lot beside a serial, no query. The
shapes are those of the EPC Tag Data Standard and of the GS1 Digital Link syntax, read as strictly
as the reference for event hashes reads them: what does not fit is nobody's identifier.
"""

import re
from collections.abc import Callable

from catalog.gtin import check_digit

CANONICAL = "https://id.gs1.org"
_ESCAPED = {"!": "%21", "(": "%28", ")": "%29", "*": "%2A", "+": "%2B", ",": "%2C", ":": "%3A"}
_SERIAL = r"(?:%[0-9A-Fa-f]{2}|[!')(*+,.0-9:;=A-Za-z_-])"
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_PART = r"(?:%[0-9A-Fa-f]{2}|[0-9A-Z-])"
_PREFIX = r"(?P<prefix>\d{6,12})"
Build = Callable[[re.Match[str]], str]


def normalise(text: str) -> str | None:
    """Return the canonical Digital Link of an identifier, or None when `text` is none."""
    if text.startswith("urn:epc:"):
        return _of_urn(text)
    return _of_link(text) if text.startswith(("http://", "https://")) else None


def _of_urn(text: str) -> str | None:
    for shape, length, build in _URNS:
        found = shape.fullmatch(text)
        if found is None:
            continue
        return f"{CANONICAL}/{build(found)}" if _fits(found, length) else None
    return None


def _fits(found: re.Match[str], length: int | None) -> bool:
    """Say whether company prefix and reference have `length` digits, or at most -`length`."""
    if length is None:
        return True
    prefix = len(found["prefix"])
    if length < 0:
        return prefix + len(_ESCAPE.sub("x", found["serial"])) <= -length
    return prefix + len(found["ref"]) == length


def _gtin(found: re.Match[str]) -> str:
    # The first digit of the item reference is the GTIN's indicator and leads it.
    body = found["ref"][0] + found["prefix"] + found["ref"][1:]
    return body + check_digit(body)


def _plain(found: re.Match[str]) -> str:
    body = found["prefix"] + found["ref"]
    return body + check_digit(body)


def _sscc(found: re.Match[str]) -> str:
    body = found["ref"][0] + found["prefix"] + found["ref"][1:]
    return f"00/{body}{check_digit(body)}"


def _sgln(found: re.Match[str]) -> str:
    extension = "" if found["serial"] == "0" else f"/254/{_escape(found['serial'])}"
    return f"414/{_plain(found)}{extension}"


def _grai(found: re.Match[str]) -> str:
    body = "0" + found["prefix"] + found["ref"]
    return f"8003/{body}{check_digit(body)}{_serial(found)}"


def _serial(found: re.Match[str]) -> str:
    return _escape(found.groupdict().get("serial") or "")


def _escape(text: str) -> str:
    return "".join(_ESCAPED.get(letter, letter) for letter in text)


def _urn(kind: str, rest: str) -> re.Pattern[str]:
    return re.compile(f"urn:epc:{kind}:{_PREFIX}{rest}", re.ASCII)


def _with_serial(longest: int) -> str:
    return rf"\.(?P<ref>\d*)\.(?P<serial>{_SERIAL}{{1,{longest}}})"


_REF = r"\.(?P<ref>\d*)"
_ASSET = rf"\.(?P<serial>{_SERIAL}{{1,24}})"
# Company prefix and asset reference have at most 30 characters together, in any proportion.
_LONGEST_ASSET = -30
# The shape of each URN, how many digits company prefix and reference have together, and its link.
_URNS: tuple[tuple[re.Pattern[str], int | None, Build], ...] = (
    (_urn("id:sgtin", _with_serial(20)), 13, lambda m: f"01/{_gtin(m)}/21/{_serial(m)}"),
    (_urn("class:lgtin", _with_serial(20)), 13, lambda m: f"01/{_gtin(m)}/10/{_serial(m)}"),
    (_urn("id:upui", _with_serial(28)), 13, lambda m: f"01/{_gtin(m)}/235/{_serial(m)}"),
    (_urn("idpat:(?:sgtin|upui)", rf"{_REF}\.\*"), 13, lambda m: f"01/{_gtin(m)}"),
    (_urn("id:sscc", _REF), 17, _sscc),
    (_urn("id:sgln", _with_serial(20)), 12, _sgln),
    (_urn("id:pgln", _REF), 12, lambda m: f"417/{_plain(m)}"),
    (_urn("id:grai", _with_serial(16)), 12, _grai),
    (_urn("idpat:grai", rf"{_REF}\.\*"), 12, _grai),
    (_urn("id:giai", _ASSET), _LONGEST_ASSET, lambda m: f"8004/{m['prefix']}{_serial(m)}"),
    (_urn("id:gsrn", _REF), 17, lambda m: f"8018/{_plain(m)}"),
    (_urn("id:gsrnp", _REF), 17, lambda m: f"8017/{_plain(m)}"),
    (_urn("id:gdti", _with_serial(17)), 12, lambda m: f"253/{_plain(m)}{_serial(m)}"),
    (_urn("idpat:gdti", rf"{_REF}\.\*"), 12, lambda m: f"253/{_plain(m)}"),
    (
        _urn("id:sgcn", r"\.(?P<ref>\d*)\.(?P<serial>\d{1,12})"),
        12,
        lambda m: f"255/{_plain(m)}{m['serial']}",
    ),
    (_urn("idpat:sgcn", rf"{_REF}\.\*"), 12, lambda m: f"255/{_plain(m)}"),
    (
        _urn("id:cpi", rf"\.(?P<part>{_PART}{{1,24}})\.(?P<serial>\d{{1,12}})"),
        None,
        lambda m: f"8010/{_escape(m['prefix'] + m['part'])}/8011/{m['serial']}",
    ),
    (
        _urn("idpat:cpi", rf"\.(?P<part>{_PART}{{1,24}})\.\*"),
        None,
        lambda m: f"8010/{_escape(m['prefix'] + m['part'])}",
    ),
    (_urn("id:ginc", _ASSET), _LONGEST_ASSET, lambda m: f"401/{m['prefix']}{_serial(m)}"),
    (_urn("id:gsin", _REF), 16, lambda m: f"402/{_plain(m)}"),
    (
        _urn(
            "id:itip", rf"{_REF}\.(?P<piece>\d\d)\.(?P<total>\d\d)\.(?P<serial>{_SERIAL}{{1,20}})"
        ),
        13,
        lambda m: f"8006/{_gtin(m)}{m['piece']}{m['total']}/21/{_serial(m)}",
    ),
    (
        _urn("idpat:itip", rf"{_REF}\.(?P<piece>\d\d)\.(?P<total>\d\d)\.\*"),
        13,
        lambda m: f"8006/{_gtin(m)}{m['piece']}{m['total']}",
    ),
)
_SHORT_NAMES = {
    "gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017",
    "gsrn": "8018", "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402",
    "grai": "8003", "giai": "8004", "cpv": "22", "lot": "10", "ser": "21",
}  # fmt: skip
_KEYS = (
    "00", "01", "253", "255", "401", "402", "414", "417",
    "8003", "8004", "8006", "8010", "8017", "8018",
)  # fmt: skip
_HOST = re.compile(r"https?://[^/?#]*\.[^/?#]*(?P<path>/[^?#]*)")
_BEGINS_A_KEY = re.compile(r"\d{4}.+", re.ASCII)
_TEXT = r"[\"'.0-9;-?A-Z_a-z-]"
# What may follow a key, the finest level only, in the one order there is.
_LINKS = re.compile(
    "|".join(
        (
            r"00/\d{18}",
            rf"01/\d{{14}}(?:/(?:21|10)/{_TEXT}{{0,20}}|/235/{_TEXT}{{0,28}})?",
            rf"253/\d{{13}}{_TEXT}{{0,17}}",
            r"255/\d{13,25}",
            rf"401/{_TEXT}{{0,30}}",
            r"402/\d{17}",
            rf"414/\d{{13}}(?:/254/{_TEXT}{{0,20}})?",
            r"417/\d{13}",
            rf"8003/\d{{14}}{_TEXT}{{0,16}}",
            rf"8004/{_TEXT}{{0,30}}",
            rf"8006/\d{{18}}(?:/(?:21|10)/{_TEXT}{{0,20}})?",
            r"8010/[#/0-9A-Z-]{0,30}(?:/8011/\d{0,12})?",
            r"80(?:17|18)/\d{18}",
        )
    ),
    re.ASCII,
)
GTIN_DIGITS = 14
_SHORTER_GTINS = (8, 12, 13)


def _of_link(text: str) -> str | None:
    found = _HOST.match(text)
    if found is None:
        return None
    segments = [_SHORT_NAMES.get(one, one) for one in found["path"].split("/")[1:]]
    start = _where_the_key_is(segments)
    if start is None:
        return None
    rest = segments[start:]
    if any("%" in one for one in rest):
        return None
    if rest[0] == "01" and rest[1].isdigit() and len(rest[1]) in _SHORTER_GTINS:
        rest[1] = rest[1].zfill(GTIN_DIGITS)
    if rest[0] in {"01", "8006"}:
        rest = [*rest[:2], *_finest(rest[2:])]
    link = "/".join(rest)
    return f"{CANONICAL}/{link}" if _LINKS.fullmatch(link) else None


def _where_the_key_is(segments: list[str]) -> int | None:
    for key in _KEYS:
        for place, segment in enumerate(segments[:-1]):
            if segment == key and _BEGINS_A_KEY.fullmatch(segments[place + 1]):
                return place
    return None


def _finest(qualifiers: list[str]) -> list[str]:
    """Return the qualifiers without the variant, and without the lot where there is a serial."""
    if qualifiers[:1] == ["22"]:
        qualifiers = qualifiers[2:]
    return qualifiers[2:] if qualifiers[:1] == ["10"] and qualifiers[2:3] == ["21"] else qualifiers
