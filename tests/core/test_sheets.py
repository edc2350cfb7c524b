"""Tables of others come in as text, whatever wrote them; those made to hurt do not come in."""

import zipfile
import zlib
from io import BytesIO
from typing import Any

import pytest
import xlsxwriter

from core import sheets
from core.sheets import BadSheet

ROWS = [["Ngày", "Ghi có"], ["25/11/2026", "1.500.000"], ["", ""], ["26/11/2026", "20.000"]]


def workbook(*rows: list[Any]) -> bytes:
    """A spreadsheet with these rows, as another program writes it."""
    file = BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                form = day if hasattr(cell, "year") else None
                sheet.write(number, column, cell, form)
    return file.getvalue()


def repacked(data: bytes, **changed: bytes) -> bytes:
    """The same spreadsheet with some members exchanged or added."""
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for name in {*old.namelist(), *changed}:
            content = changed[name] if name in changed else old.read(name)
            new.writestr(name, content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_csv_is_read_however_it_was_saved(delimiter: str, encoding: str) -> None:
    text = "\r\n".join(delimiter.join(row) for row in ROWS)

    rows = sheets.read(text.encode(encoding))

    assert [(row.number, row.cells) for row in rows] == [
        (1, ("Ngày", "Ghi có")),
        (2, ("25/11/2026", "1.500.000")),
        (4, ("26/11/2026", "20.000")),
    ]


def test_the_windows_letters_of_before_are_read() -> None:
    saved = b"Ng\xe0y,\xd0\xfd\xf5\xccng"

    assert sheets.read(saved)[0].cells == ("Ngày", "Đường")


def test_a_quoted_cell_may_hold_the_delimiter_and_a_line_end() -> None:
    rows = sheets.read(b'a;b\n"1;2";"x\ny"\n')

    assert rows[1].cells == ("1;2", "x\ny")


def test_a_spreadsheet_gives_plain_numbers_and_days() -> None:
    from datetime import datetime  # noqa: PLC0415

    data = workbook(["Số", "Ngày"], [1_500_000, datetime(2026, 11, 25)], [0.5, None])  # noqa: DTZ001

    rows = sheets.read(data)

    assert [row.cells for row in rows] == [
        ("Số", "Ngày"),
        ("1500000", "2026-11-25"),
        ("0.5",),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n,,\n",
        b"PK\x03\x04 no zip at all",
        b"\xd0\xcf\x11\xe0 old excel",
        b"a,b\x00c\n" * 3,
        bytes(range(128, 256)) * 5,
        b"x" * (sheets.USUAL.megabytes * 1024 * 1024 + 1),
        b"a\n" * (sheets.USUAL.rows + 5),
        b",".join([b"a"] * 61),
        b"a," + b"x" * 33_000,
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(BadSheet) as refused:
        sheets.read(data)

    assert refused.value.field == "file"


def test_a_cell_far_out_is_refused_before_the_reader_sees_it() -> None:
    xml = (
        b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/'
        b'spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    )

    with pytest.raises(BadSheet):
        sheets.read(repacked(workbook(["a"]), **{"xl/worksheets/sheet1.xml": xml}))


def test_a_bomb_is_refused_though_it_lies_about_its_size() -> None:
    honest = repacked(workbook(["a"]), **{"xl/sharedStrings.xml": b" " * 60_000_000})
    size = (60_000_000).to_bytes(4, "little")
    lying = honest.replace(size, (1_000).to_bytes(4, "little"))

    for data in (honest, lying):
        with pytest.raises(BadSheet):
            sheets.read(data)


def test_one_long_text_in_very_many_cells_is_refused() -> None:
    rows = [["đ" * 20_000] * 50 for _row in range(200)]

    with pytest.raises(BadSheet):
        sheets.read(workbook(*rows))
    assert len(sheets.read(workbook(*[["đ" * 200] * 50 for _row in range(200)]))) == 200


def test_a_spreadsheet_with_entities_or_too_many_members_is_refused() -> None:
    book = workbook(["a"])
    entity = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><sst/>'

    with pytest.raises(BadSheet):
        sheets.read(repacked(book, **{"xl/sharedStrings.xml": entity}))
    with pytest.raises(BadSheet):
        sheets.read(repacked(book, **{f"xl/x{number}.xml": b"" for number in range(501)}))


def test_what_is_written_is_read_back_and_runs_nowhere() -> None:
    written = sheets.write_csv([["Tên", "=1+1"], ["+84912", "-5"], ["\u00a0@x", "ổi"]])

    assert [row.cells for row in sheets.read(written)] == [
        ("Tên", "'=1+1"),
        ("+84912", "-5"),
        ("'\u00a0@x".replace("\u00a0", " "), "ổi"),
    ]
    assert zlib.crc32(written)


@pytest.mark.parametrize("text", ["=1+1", "@x", "+84 912", "'=1", "-5", "Mật ong", "'tis", ""])
def test_what_was_made_harmless_is_read_as_it_was_typed(text: str) -> None:
    assert sheets.as_typed(sheets.without_formula(text)) == text.replace("'=", "=")
