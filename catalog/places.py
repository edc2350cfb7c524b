"""Provinces and communes as the law names them, with dates: units merge and change names."""

import csv
import enum
import json
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import ForeignKey, Index, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, word
from core.errors import NotFound
from core.i18n import lazy as _
from core.text import fold, nfc, words

TWO_LEVELS_SINCE = date(2025, 7, 1)
TITLES = ("Thành phố ", "Tỉnh ", "Xã ", "Phường ", "Thị trấn ", "Đặc khu ")
OLD_TITLES = (*TITLES, "Thành Phố ", "Quận ", "Huyện ", "Thị xã ", "Thị Xã ")
THREE_LEVELS_UNTIL = date(2025, 6, 30)
_LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}


class Level(enum.StrEnum):
    """The two levels since July 2025."""

    PROVINCE = "province"
    COMMUNE = "commune"


class NoSuchUnit(NotFound):
    """No province or commune has this code."""


class AdminUnit(Base):
    """One unit under its official code: 2 digits for a province, 5 for a commune."""

    __tablename__ = "admin_unit"

    code: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[Level] = mapped_column(word(Level))
    name: Mapped[str]
    name_folded: Mapped[str]
    sort_key: Mapped[str]
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("admin_unit.code"), index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source: Mapped[str]


class FormerUnit(Base):
    """What a commune was called before: several rows where the old one was split.

    `…_folded` are keys to look by; `valid_to` is the last day of the old name.
    """

    __tablename__ = "former_unit"
    __table_args__ = (
        Index("ix_former_unit_name", "ward_folded"),
        Index("ix_former_unit_district", "district_folded"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    old_code: Mapped[str] = mapped_column(index=True)
    ward: Mapped[str]
    ward_folded: Mapped[str]
    district: Mapped[str]
    province: Mapped[str]
    new_code: Mapped[str] = mapped_column(ForeignKey("admin_unit.code"))
    divided: Mapped[bool]
    district_folded: Mapped[str] = mapped_column(server_default="")
    province_folded: Mapped[str] = mapped_column(server_default="")
    valid_to: Mapped[date] = mapped_column(server_default="2025-06-30")


def get_unit(session: Session, code: str) -> AdminUnit:
    """Return the province or commune under `code`, in force or not, or raise NoSuchUnit."""
    unit = session.get(AdminUnit, code)
    if unit is None:
        raise NoSuchUnit(_("There is no province or commune with this code."))
    return unit


def find_unit(session: Session, code: str | None) -> AdminUnit | None:
    """Return the province or commune under `code`, if there is one."""
    return session.get(AdminUnit, code) if code else None


def find_in_force(session: Session, codes: Collection[str]) -> Sequence[AdminUnit]:
    """Return which of these provinces and communes are in force."""
    return session.scalars(
        select(AdminUnit).where(AdminUnit.code.in_(codes), AdminUnit.valid_to.is_(None))
    ).all()


def list_provinces(session: Session) -> list[AdminUnit]:
    """Return the provinces in force, in Vietnamese order."""
    return list(
        session.scalars(
            select(AdminUnit)
            .where(AdminUnit.level == Level.PROVINCE, AdminUnit.valid_to.is_(None))
            .order_by(AdminUnit.sort_key)
        )
    )


def list_communes(session: Session, province_code: str) -> list[AdminUnit]:
    """Return the communes in force of one province, in Vietnamese order; none if unknown."""
    return list(
        session.scalars(
            select(AdminUnit)
            .where(
                AdminUnit.parent_code == province_code,
                AdminUnit.level == Level.COMMUNE,
                AdminUnit.valid_to.is_(None),
            )
            .order_by(AdminUnit.sort_key)
        )
    )


def list_former(session: Session, ward: str) -> list[FormerUnit]:
    """Return the old wards of this name, marks forgiven: where they lie today."""
    return list(session.scalars(select(FormerUnit).where(FormerUnit.ward_folded == name_key(ward))))


def place_names(session: Session, codes: Iterable[str | None]) -> dict[str, str]:
    """Return the full name of each known code."""
    wanted = {code for code in codes if code}
    if not wanted:
        return {}
    rows = session.execute(select(AdminUnit.code, AdminUnit.name).where(AdminUnit.code.in_(wanted)))
    return {code: name for code, name in rows}  # noqa: C416 - dict() of rows is untyped


def place_name(session: Session, commune_code: str | None, province_code: str | None) -> str:
    """Return «Xã Đan Phượng, Hà Nội», whatever of it is known; '' when nothing is."""
    names = place_names(session, [commune_code, province_code])
    return join_place(names.get(commune_code or ""), names.get(province_code or ""))


def join_place(commune: str | None, province: str | None) -> str:
    """Return commune and province as an address says them: the province without its title."""
    return ", ".join(part for part in (commune, bare_name(province or "")) if part)


def known_place(commune: str | None, province: str | None, place_text: str | None) -> str:
    """Return the address of today, or what the source wrote where it leads to no one commune."""
    if commune is None and place_text:
        return place_text
    return join_place(commune, province)


def bare_name(name: str) -> str:
    """Return a unit's name without its title: «Xã Đan Phượng» → «Đan Phượng»."""
    for title in TITLES:
        if name.startswith(title):
            return name.removeprefix(title)
    return name


def name_key(name: str) -> str:
    """Return what names are compared by: no title, no marks, «Phường 05» and «phường 5» alike."""
    bare = nfc(name)
    for title in OLD_TITLES:
        if bare.startswith(title):
            bare = bare.removeprefix(title)
            break
    return " ".join(plain_number(word) for word in words(bare))


def plain_number(word: str) -> str:
    """Return a number without the zeros before it, any other word as it is."""
    return word.lstrip("0") or "0" if word.isdigit() else word


def alphabet_key(name: str) -> str:
    """Return a key that sorts names as Vietnamese does: aăâ… before tones, Đ after D."""
    bases: list[str] = []
    tones: list[str] = []
    for letter in nfc(name).lower():
        shape, tone = _shape_and_tone(letter)
        if shape in _LETTERS:
            bases.append(chr(ord("A") + _LETTERS.index(shape)))
            tones.append(str(_TONES.get(tone, 0)))
        else:
            bases.append(" " if letter.isspace() else letter)
    return "".join(bases) + "  " + "".join(tones)


def _shape_and_tone(letter: str) -> tuple[str, str]:
    """Return (letter with its shape marks, its tone mark): «ằ» → («ă», U+0300)."""
    marks = unicodedata.normalize("NFD", letter)
    tone = next((mark for mark in marks if mark in _TONES), "")
    return nfc("".join(mark for mark in marks if mark != tone)), tone


def load_units(session: Session, folder: Path) -> None:
    """Make the table say what the newest list in `folder` says; doing it again changes nothing.

    A unit that is no longer listed stays, with the list's day as its last: addresses and
    certificates go on naming it.
    """
    newest = max(folder.glob("units-*.json"))
    listed = json.loads(newest.read_text("utf-8"))
    as_of = date.fromisoformat(listed["as_of"])
    known = {code: name for code, name in session.execute(select(AdminUnit.code, AdminUnit.name))}  # noqa: C416 - as above
    rows = list(_rows_of(listed["provinces"]))
    since = as_of if known else TWO_LEVELS_SINCE
    stamp = {"valid_from": since, "valid_to": None, "source": listed["source"]}
    _insert(session, AdminUnit, [{**row, **stamp} for row in rows if row["code"] not in known])
    for row in rows:
        if known.get(row["code"], row["name"]) != row["name"]:
            session.execute(update(AdminUnit).where(AdminUnit.code == row["code"]).values(**row))
    for gone in known.keys() - {row["code"] for row in rows}:
        session.execute(
            update(AdminUnit)
            .where(AdminUnit.code == gone, AdminUnit.valid_to.is_(None))
            .values(valid_to=as_of)
        )
    _load_former(session, folder / "legacy-map.csv")
    session.expire_all()


def _rows_of(provinces: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for province in provinces:
        yield _row(province["code"], Level.PROVINCE, province["name"], None)
        for code, name in province["communes"]:
            yield _row(code, Level.COMMUNE, name, province["code"])


def _row(code: str, level: Level, name: str, parent: str | None) -> dict[str, Any]:
    bare = bare_name(nfc(name))
    return {
        "code": code,
        "level": level,
        "name": nfc(name),
        "name_folded": fold(bare),
        "sort_key": alphabet_key(bare),
        "parent_code": parent,
    }


def _load_former(session: Session, path: Path) -> None:
    keyless = FormerUnit.district_folded == ""
    if session.scalar(select(func.count()).select_from(FormerUnit).where(~keyless)):
        return
    session.execute(delete(FormerUnit))
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            {
                "old_code": row["old_code"],
                "ward": nfc(row["ward"]),
                "ward_folded": name_key(row["ward"]),
                "district": nfc(row["district"]),
                "province": nfc(row["province"]),
                "new_code": row["new_code"],
                "divided": row["divided"] == "1",
                "district_folded": name_key(row["district"]),
                "province_folded": name_key(row["province"]),
                "valid_to": THREE_LEVELS_UNTIL,
            }
            for row in csv.DictReader(file)
        ]
    _insert(session, FormerUnit, rows)


def _insert(session: Session, table: type[Base], rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(table), rows)
