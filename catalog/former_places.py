"""Old addresses: what the ward, district and province of before July 2025 are today.

A former ward may have gone to several communes: every one is told, none is guessed.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from catalog.places import AdminUnit, FormerUnit, Level, alphabet_key, join_place, plain_number
from core.text import clean, fold

LONGEST_TEXT = 200
LONGEST_NAME = 6
MOST_CHOICES = 12
_WARD_TITLES = (("xa",), ("phuong",), ("thi", "tran"), ("p",), ("x",), ("tt",), ("dac", "khu"))
_DISTRICT_TITLES = (("huyen",), ("quan",), ("thi", "xa"), ("thanh", "pho"), ("tp",), ("tx",))
_SHORT_DISTRICT_TITLES = (("h",), ("q",))
_PROVINCE_TITLES = (("tinh",), ("thanh", "pho"), ("tp",), ("t",))
_ALIASES = {"hn": "ha noi", "hcm": "ho chi minh", "tphcm": "ho chi minh", "sai gon": "ho chi minh"}
_WORD = re.compile(r"[^\W\d_]+|\d+")
_Province = aliased(AdminUnit)


@dataclass(frozen=True, slots=True)
class Choice:
    """A commune of today where the old place, or a piece of it, lies now."""

    code: str
    name: str
    province_code: str
    province: str

    @property
    def place(self) -> str:
        """Return «Xã Ô Diên, Hà Nội»."""
        return join_place(self.name, self.province)


@dataclass(frozen=True, slots=True)
class OldPlace:
    """What was recognised: the old names, today's choices, and what stood before (the street)."""

    name: str
    choices: list[Choice]
    street: str


@dataclass(frozen=True, slots=True)
class _Word:
    """One word of what was typed, folded, and where it stands."""

    key: str
    start: int


@dataclass(frozen=True, slots=True)
class _Span:
    """Words from `first` to before `end`; `first` counts the title too."""

    first: int
    end: int
    titled: bool


def list_provinces(session: Session) -> list[str]:
    """Return the 63 provinces and cities of before, in Vietnamese order."""
    return _in_order(session.scalars(select(FormerUnit.province).distinct()))


def list_districts(session: Session, province: str) -> list[str]:
    """Return the districts that a former province had."""
    return _in_order(
        session.scalars(
            select(FormerUnit.district).where(FormerUnit.province == province).distinct()
        )
    )


def list_wards(session: Session, province: str, district: str) -> list[str]:
    """Return the wards and communes that a former district had."""
    return _in_order(
        session.scalars(
            select(FormerUnit.ward)
            .where(FormerUnit.province == province, FormerUnit.district == district)
            .distinct()
        )
    )


def _in_order(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (alphabet_key(name), name))


def choose(session: Session, province: str, district: str, ward: str) -> list[OldPlace]:
    """Return where a ward chosen from the three lists lies now; nothing for an unknown one."""
    rows = session.scalars(
        select(FormerUnit).where(
            FormerUnit.province == province,
            FormerUnit.district == district,
            FormerUnit.ward == ward,
        )
    ).all()
    return _told(session, rows, street="")


def find_today(session: Session, code: str) -> Choice | None:
    """Return the commune in force under this code."""
    return _communes(session, {code}).get(code) if code.isascii() else None


def find(session: Session, text: str) -> list[OldPlace]:
    """Return what an address in free text may mean, the likeliest first; nothing if unknown.

    «Thôn 3, xã Hạ Mỗ, Đan Phượng, Hà Nội», with or without marks, commas and titles. A text that
    names only the district gives every commune the district became.
    """
    typed = clean(text)[:LONGEST_TEXT]
    read = [
        _Word(plain_number(fold(match.group())), match.start()) for match in _WORD.finditer(typed)
    ]
    keys = [word.key for word in read]
    if not keys:
        return []
    rows = session.scalars(select(FormerUnit).where(_may_be_meant(keys))).all()
    best = _likeliest(keys, rows)
    if best is None:
        return _todays(session, typed, read)
    fitting, first = best
    return _told(session, fitting, street=_before(typed, read, first))


def _may_be_meant(keys: list[str]) -> ColumnElement[bool]:
    names = _names_in(keys)
    return FormerUnit.ward_folded.in_(names) | (
        FormerUnit.district_folded.in_(names) & FormerUnit.province_folded.in_(names)
    )


def _names_in(keys: list[str]) -> set[str]:
    """Return every run of words that could be a name."""
    return {
        " ".join(keys[first:end])
        for first in range(len(keys))
        for end in range(first + 1, min(first + LONGEST_NAME, len(keys)) + 1)
    } | {full for short, full in _ALIASES.items() if short in " ".join(keys)}


def _likeliest(
    keys: list[str], rows: Collection[FormerUnit]
) -> tuple[list[FormerUnit], int] | None:
    """Return the rows that fit the words best and where their names begin."""
    scored = [(score, first, row) for row in rows for score, first in _fits(keys, row)]
    if not scored:
        return None
    best = max(score for score, _first, _row in scored)
    fitting = {row.id: row for score, _first, row in scored if score == best}
    first = min(first for score, first, _row in scored if score == best)
    return list(fitting.values()), first


def _fits(keys: list[str], row: FormerUnit) -> list[tuple[tuple[int, ...], int]]:
    """Return how well each reading of the words fits this row, best numbers first in the score."""
    province = _last(keys, row.province_folded, _PROVINCE_TITLES, before=len(keys))
    at = province.first if province else len(keys)
    district = _last(
        keys, row.district_folded, (*_DISTRICT_TITLES, *_SHORT_DISTRICT_TITLES), before=at
    )
    at = district.first if district else at
    ward = _last(keys, row.ward_folded, _WARD_TITLES, before=at)
    found: list[tuple[tuple[int, ...], int]] = []
    if ward is not None and (ward.titled or not row.ward_folded.isdigit()):
        touches = ward.end == at
        known = bool(district) + bool(province)
        if known or ward.titled or ward.end == len(keys):
            found.append(((known, 1, ward.titled, touches), ward.first))
    if district is not None and (district.titled or not row.district_folded.isdigit()):
        found.append(((bool(province) + 1, 0, district.titled, 0), district.first))
    return found


def _last(
    keys: list[str], name: str, titles: tuple[tuple[str, ...], ...], *, before: int
) -> _Span | None:
    """Return where `name` stands last in the words before `before`, with a title if it has one."""
    for spelled in (name, *(short for short, full in _ALIASES.items() if full == name)):
        wanted = spelled.split()
        for first in range(before - len(wanted), -1, -1):
            if keys[first : first + len(wanted)] == wanted:
                end = first + len(wanted)
                for title in titles:
                    if tuple(keys[max(0, first - len(title)) : first]) == title:
                        return _Span(first - len(title), end, titled=True)
                return _Span(first, end, titled=False)
    return None


def _before(typed: str, read: list[_Word], first: int) -> str:
    return typed[: read[first].start].strip(" ,.;-\n") if first < len(read) else typed


def _told(session: Session, rows: Collection[FormerUnit], *, street: str) -> list[OldPlace]:
    """Return each old place once with today's communes; a whole district as one place."""
    today = _communes(session, {row.new_code for row in rows})
    wards = {(row.ward, row.district, row.province) for row in rows}
    districts = {(row.district, row.province) for row in rows}
    if len(wards) > MOST_CHOICES and len(districts) > 1:
        return []
    places = []
    if len(districts) == 1 and len(wards) > 1:
        [district] = districts
        codes = {row.new_code for row in rows}
        places.append(OldPlace(", ".join(district), _sorted(today, codes), street))
        return places
    for names in sorted(wards, key=lambda one: alphabet_key(" ".join(one))):
        codes = {row.new_code for row in rows if (row.ward, row.district, row.province) == names}
        places.append(OldPlace(", ".join(names), _sorted(today, codes), street))
    return places


def _todays(session: Session, typed: str, read: list[_Word]) -> list[OldPlace]:
    """Return communes of today that the words name: not every address is an old one."""
    keys = [word.key for word in read]
    units = session.execute(
        select(AdminUnit.code, AdminUnit.name_folded, _Province.name_folded)
        .join(_Province, _Province.code == AdminUnit.parent_code)
        .where(
            AdminUnit.level == Level.COMMUNE,
            AdminUnit.valid_to.is_(None),
            AdminUnit.name_folded.in_(_names_in(keys)),
        )
    ).all()
    for code, name, province_name in units:
        province = _last(keys, province_name, _PROVINCE_TITLES, before=len(keys))
        if province is None:
            continue
        ward = _last(keys, name, _WARD_TITLES, before=province.first)
        if ward is not None:
            found = list(_communes(session, {code}).values())
            return [OldPlace(found[0].place, found, _before(typed, read, ward.first))]
    return []


def _communes(session: Session, codes: Collection[str]) -> dict[str, Choice]:
    rows = session.execute(
        select(AdminUnit.code, AdminUnit.name, _Province.code, _Province.name)
        .join(_Province, _Province.code == AdminUnit.parent_code)
        .where(
            AdminUnit.code.in_(codes),
            AdminUnit.level == Level.COMMUNE,
            AdminUnit.valid_to.is_(None),
        )
    )
    return {code: Choice(code, name, above, province) for code, name, above, province in rows}


def _sorted(today: dict[str, Choice], codes: Collection[str]) -> list[Choice]:
    known = [today[code] for code in codes if code in today]
    return sorted(known, key=lambda one: alphabet_key(one.name))
