"""The one door for tables of others: CSV and XLSX come in as plain text, row by row.

A spreadsheet is a zip of XML, and both can be made to swell a thousandfold: how much is inside,
and how far out its cells lie, is looked at before the reader sees any of it.
"""

import csv
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from io import BytesIO, StringIO
from typing import BinaryIO

import xlsxwriter
from python_calamine import CalamineError, PasswordError, WorksheetNotFound, XmlError, ZipError
from python_calamine import load_workbook as open_workbook

from core.errors import Invalid
from core.i18n import lazy as _
from core.text import clean, has_control_characters, nfc

LONGEST_CELL = 32 * 1024
# How far into a file without a mark its encoding is guessed from.
LOOKED_AT = 400
# Excel takes no more letters on the tab of a sheet.
LONGEST_SHEET_NAME = 31
MOST_MEMBERS = 500
MOST_UNPACKED = 50 * 1024 * 1024
# Small members of honest files are squeezed harder than this; only large ones are weighed.
GREATEST_RATIO = 100
WEIGHED_FROM = 1024 * 1024
# Whole numbers up to here are exact in what a spreadsheet calculates with.
EXACT_BELOW = 1e15

_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_CELL = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,6})([0-9]{1,9})["']""")
_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\br\s*=\s*["']([0-9]{1,9})["']""")
_SHARED = re.compile(rb"<(?:\w+:)?si\b")
_VALUE = re.compile(rb"<(?:\w+:)?v>\s*([0-9]{1,7})\s*<")
_LOCAL_HEADER = 30
_SPACES_BEFORE = " \t\u00a0\ufeff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)*%?")


class BadSheet(Invalid):
    """The file is no table we read, or holds more than a table of people does."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row with its number in the file, counted from 1 as spreadsheets show it."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one table may hold."""

    megabytes: int = 5
    rows: int = 5_000
    columns: int = 60


USUAL = Limits()


def read(data: bytes, *, field: str = "file", limits: Limits = USUAL) -> list[Row]:
    """Return the rows that hold anything, of a CSV file or of an XLSX file's first sheet.

    Every cell is text in NFC: a number without its format (1500000), a moment as ISO says it
    («2026-11-25 10:15:00»). Raises BadSheet with a sentence for whoever chose the file.
    """
    if len(data) > limits.megabytes * 1024 * 1024:
        message = _(
            "The file is larger than %(most)s MB. Split it and send the parts.",
            most=limits.megabytes,
        )
        raise BadSheet(message, field=field)
    if data.startswith(_OLD_EXCEL):
        message = _("This is an old Excel file (.xls). Save it as .xlsx or .csv, then send it.")
        raise BadSheet(message, field=field)
    try:
        rows = _xlsx(data, limits) if data.startswith(_ZIP) else _csv(data, limits)
    except BadSheet as refusal:
        raise BadSheet(refusal.message, field=field) from refusal
    found = [Row(number, cells) for number, cells in enumerate(rows, start=1) if any(cells)]
    if not found:
        raise BadSheet(_("The file is empty."), field=field)
    return found


def write_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows as CSV that Excel opens with its Vietnamese letters and without running it."""
    return b"\xef\xbb\xbf" + csv_lines(rows)


def csv_lines(rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows as `write_csv` does, without the mark at the beginning: for files in pieces."""
    text = StringIO(newline="")
    csv.writer(text).writerows([[without_formula(cell) for cell in row] for row in rows])
    return text.getvalue().encode()


def write_xlsx(rows: Iterable[Sequence[str]], file: BinaryIO, *, name: str) -> None:
    """Write rows as a spreadsheet whose every cell is text, a few rows in memory at a time.

    The first row is the heading and stays in sight; nothing in a cell is ever run as a formula.
    """
    book = xlsxwriter.Workbook(
        file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet(name[:LONGEST_SHEET_NAME])
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write_string(number, column, cell[: LONGEST_CELL - 1], None if number else bold)
    book.close()


def without_formula(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula; numbers stay numbers."""
    bare = text.lstrip(_SPACES_BEFORE)
    if text.startswith(_FORMULA) or bare.startswith(_FORMULA):
        return text if _NUMBER.fullmatch(text) else "'" + text
    return text


def as_typed(text: str) -> str:
    """Return what `without_formula` was given for this text."""
    return text[1:] if text.startswith("'") and without_formula(text[1:]) == text else text


def _csv(data: bytes, limits: Limits) -> list[tuple[str, ...]]:
    text = _decoded(data)
    lines = [line for line in text.splitlines() if line.strip()][:20]
    reader = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(lines))
    rows: list[tuple[str, ...]] = []
    try:
        for cells in reader:
            if len(rows) > limits.rows:
                raise _too_many(limits)
            rows.append(_tidy(cells, limits))
    except csv.Error as error:
        raise BadSheet(_("The file cannot be read as a table. Save it as .xlsx.")) from error
    return rows


def _decoded(data: bytes) -> str:
    """Return the text of a CSV however it was saved: UTF-8, UTF-16, or the Windows of before."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif data[1:LOOKED_AT:2].count(0) > len(data[1:LOOKED_AT:2]) // 3:
        encodings = ["utf-16-le"]
    else:
        encodings = ["utf-8-sig", "cp1258"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not has_control_characters(text):
            return nfc(text)
    raise BadSheet(_("The file is no text. Save it as .xlsx, or as .csv in UTF-8."))


def _delimiter(lines: list[str]) -> str:
    """Return what most lines are cut by into the same number of pieces."""

    def agreement(delimiter: str) -> tuple[int, int]:
        cuts = Counter(len(cells) for cells in csv.reader(lines, delimiter=delimiter))
        [(width, number)] = cuts.most_common(1) or [(1, 0)]
        return (number if width > 1 else 0, width)

    try:
        return max(",;\t", key=agreement)
    except csv.Error:
        return ","


def _xlsx(data: bytes, limits: Limits) -> list[tuple[str, ...]]:
    _look_inside(data, limits)
    try:
        with open_workbook(BytesIO(data)) as workbook:
            sheet = workbook.get_sheet_by_index(0)
            if sheet.total_height > limits.rows or sheet.total_width > limits.columns:
                raise _too_many(limits)
            return [
                _tidy([_text_of(cell) for cell in row], limits)
                for row in sheet.to_python(skip_empty_area=False)
            ]
    except PasswordError as error:
        raise BadSheet(_("The file is locked by a password. Save it without one.")) from error
    except (CalamineError, WorksheetNotFound, XmlError, ZipError, ValueError, IndexError) as error:
        raise _not_excel() from error


def _look_inside(data: bytes, limits: Limits) -> None:
    """Refuse a spreadsheet that swells, that is none, or whose cells lie far out."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as packed:
            members = packed.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError) as error:
        raise _not_excel() from error
    names = [member.filename for member in members]
    if len(names) != len(set(names)) or "xl/workbook.xml" not in names:
        raise _not_excel()
    if len(members) > MOST_MEMBERS:
        raise _too_many(limits)
    left = MOST_UNPACKED
    sheets: list[bytes] = []
    texts: list[int] = []
    for member in members:
        content = _unpacked(data, member, left, limits)
        left -= len(content)
        if len(content) > WEIGHED_FROM and len(content) > GREATEST_RATIO * member.compress_size:
            raise _too_many(limits)
        if member.filename.lower().endswith((".xml", ".rels", ".vml")):
            _refuse_tricks(content, limits)
            sheets += [content] if b"sheetData" in content else []
            texts += _lengths(content) if b"sst" in content else []
    # One long text that a hundred thousand cells point to is written out as often.
    pointed = (int(value) for sheet in sheets for value in _VALUE.findall(sheet))
    if sum(texts[number] for number in pointed if number < len(texts)) > MOST_UNPACKED:
        raise _too_many(limits)


def _unpacked(data: bytes, member: zipfile.ZipInfo, most: int, limits: Limits) -> bytes:
    """Return what a member really holds: the size a zip tells of itself may be a lie."""
    header = data[member.header_offset : member.header_offset + _LOCAL_HEADER]
    if len(header) < _LOCAL_HEADER or not header.startswith(_ZIP) or member.flag_bits & 1:
        raise _not_excel()
    start = member.header_offset + _LOCAL_HEADER
    start += int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    packed = data[start : start + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        content = packed
    elif member.compress_type == zipfile.ZIP_DEFLATED:
        unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = unpacking.decompress(packed, most + 1)
        except zlib.error as error:
            raise _not_excel() from error
    else:
        raise _not_excel()
    if len(content) > most:
        raise _too_many(limits)
    if len(content) != member.file_size:
        raise _not_excel()
    return content


def _refuse_tricks(xml: bytes, limits: Limits) -> None:
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml or b"\x00" in xml:
        raise _not_excel()
    for column, row in _CELL.findall(xml):
        if int(row) > limits.rows or _column_number(column) > limits.columns:
            raise _too_many(limits)
    for row in _ROW.findall(xml):
        if int(row) > limits.rows:
            raise _too_many(limits)


def _lengths(shared: bytes) -> list[int]:
    """Return how long each of the texts is that cells point to by number."""
    return [len(text) for text in _SHARED.split(shared)[1:]]


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _text_of(cell: str | float | bool | time | date | datetime | timedelta) -> str:  # noqa: FBT001
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < EXACT_BELOW else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    return str(cell)


def _tidy(cells: Sequence[str], limits: Limits) -> tuple[str, ...]:
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) > limits.columns or any(len(cell) > LONGEST_CELL for cell in cells):
        raise _too_many(limits)
    if any(has_control_characters(cell) for cell in cells):
        raise BadSheet(_("The file holds characters that cannot be read."))
    return tuple(clean(cell) for cell in cells)


def _too_many(limits: Limits) -> BadSheet:
    return BadSheet(
        _(
            "The file is too large: at most %(rows)s rows and %(columns)s columns. Split it and"
            " send the parts.",
            rows=limits.rows,
            columns=limits.columns,
        )
    )


def _not_excel() -> BadSheet:
    return BadSheet(_("The file cannot be read as a table. Save it as .xlsx."))
