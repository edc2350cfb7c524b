"""Rows of other people's sheets: read as they meant it, or told what to mend."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.goods_sheets import columns, lines, reading
from catalog.goods_sheets.columns import COLUMNS
from catalog.goods_sheets.lines import normal_sku, read_line
from core import sheets
from core.text import nfc


@pytest.mark.parametrize(
    ("headings", "meant"),
    [
        # KiotViet, Sapo, Haravan and Shopee name their columns so; the last is our source of data.
        (
            ["Mã hàng", "Tên hàng hóa", "Nhóm hàng(3 Cấp)", "Giá bán", "Tồn kho", "ĐVT"],
            ["sku", "name", "group", "price", "stock", "unit"],
        ),
        (
            ["Tên sản phẩm*", "Mã SKU*", "Giá trị thuộc tính 1", "Giá bán lẻ", "Khối lượng (g)"],
            ["name", "sku", "kind", "price", "weight_g"],
        ),
        (
            ["Title", "Body (HTML)", "Option1 Value", "Variant SKU", "Variant Price", "Image Src"],
            ["name", "description", "kind", "sku", "price", "pictures"],
        ),
        (["MA_SP", "TEN_SP", "DANH_MUC", "TRONG_LUONG"], ["sku", "name", "group", "weight_g"]),
        (["product", "producer", "price_vnd", "ocop_group"], ["name", None, "price", "group"]),
        (["Tên", "Tên hàng", "Ghi chú nội bộ"], ["name", None, None]),
    ],
)
def test_headings_of_common_tools_are_known(headings: list[str], meant: list[str | None]) -> None:
    assert columns.guess(headings) == meant


def test_our_own_headings_are_all_known() -> None:
    assert columns.guess([one.heading for one in COLUMNS.values()]) == list(COLUMNS)


def said(**cells: str) -> lines.GoodsLine:
    given = {"name": "Mật ong", **cells}
    return read_line(7, list(given.values()), list(given))


@pytest.mark.parametrize(
    ("column", "typed", "kept"),
    [
        ("weight_g", "500", {"weight_g": "500"}),
        ("weight_g", "1.500", {"weight_g": "1500"}),
        ("weight_g", "1,5 kg", {"weight_g": "1500"}),
        ("weight_g", "3 lạng", {"weight_g": "300"}),
        ("keeps", "12 tháng", {"keeps_for": "12", "keeps_unit": "month"}),
        ("keeps", "3 ngày", {"keeps_for": "3", "keeps_unit": "day"}),
        ("keeps", "2 năm kể từ ngày sản xuất", {"keeps_for": "2", "keeps_unit": "year"}),
        ("group", "Thủ công mỹ nghệ", {"group": "handicraft"}),
        ("group", "do uong", {"group": "beverage"}),
        ("price", "165.000 đ", {"price": "165.000 đ"}),
        (
            "description",
            "<p>Ngọt &amp; thơm</p><ul><li>1</li></ul>",
            {"description": "Ngọt & thơm\n1\n"},
        ),
    ],
)
def test_what_people_write_is_understood(column: str, typed: str, kept: dict[str, str]) -> None:
    line = said(**{column: typed})

    assert line.problems == []
    assert {name: line.values[name] for name in kept} == kept


@pytest.mark.parametrize(
    ("column", "typed", "keeps_out"),
    [
        ("price", "#REF!", True),
        ("price", "2026-11-25 00:00:00", True),
        ("price", "mười nghìn", True),
        ("price", "-5", True),
        ("unit", "2026-05-01", True),
        ("weight_g", "nửa cân", True),
        ("keeps", "31/12/2027", True),
        ("stock", "nhiều", True),
        ("stock", "-3", True),
        ("abv", "250", True),
        ("name", "x" * 500, True),
        ("kind", "x" * 80, True),
        ("group", "Mật ong >> Mật ong rừng", False),
    ],
)
def test_what_cannot_be_right_is_told_at_its_column(
    column: str, typed: str, *, keeps_out: bool
) -> None:
    line = said(**{column: typed})

    assert [problem.column for problem in line.problems] == [column]
    assert line.can_be_taken is not keeps_out


def test_the_same_goods_twice_in_one_file_are_told_with_their_row() -> None:
    rows = [
        ["A-1", "Mật ong", ""],
        ["a 1", "Mật ong rừng", ""],
        ["", "Trà", "to"],
        ["", "trà", "TO"],
    ]
    found = [read_line(n, row, ["sku", "name", "kind"]) for n, row in enumerate(rows, start=2)]

    lines.same_twice(found)

    assert [line.can_be_taken for line in found] == [True, False, True, False]
    assert "2" in str(found[1].problems[0].message)


@given(st.text(max_size=60))
def test_a_code_is_the_same_again_of_itself(text: str) -> None:
    code = normal_sku(text)

    assert normal_sku(code) == code
    assert code == "" or code.isascii()


@given(st.dictionaries(st.sampled_from(list(COLUMNS)), st.text(max_size=200)))
def test_no_row_makes_it_stumble(cells: dict[str, str]) -> None:
    line = read_line(1, list(cells.values()), list(cells))

    assert line.can_be_taken in {True, False}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_way_of_saving_a_table_gives_the_same_rows(encoding: str, delimiter: str) -> None:
    text = f"Bảng giá 2026{delimiter}\nMã hàng{delimiter}Tên hàng\nA1{delimiter}Nem Phùng\n"

    read = reading.read(nfc(text).encode(encoding))

    assert read.headings == ("Mã hàng", "Tên hàng")
    assert (read.headings_at, read.columns) == (2, ["sku", "name"])
    assert read.rows == [sheets.Row(3, ("A1", "Nem Phùng"))]
