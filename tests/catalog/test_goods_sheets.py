"""A spreadsheet on its way in: looked through first, written once, each row explained."""

import csv
import json
import re
import zipfile
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from accounts.audit import SYSTEM
from accounts.users import Role
from catalog import members, pictures
from catalog.goods_sheets import lines, reading, writing
from catalog.goods_sheets.runs import GoodsImport, GoodsImportRow, ImportState
from catalog.goods_sheets.writing import Outcome
from catalog.products import OcopGroup, Product, ProductState
from catalog.stock import StockItem
from catalog.variants import Variant
from core import outgoing, sheets
from core.clock import utc_now
from core.db import Database
from core.settings import ROOT
from tests.conftest import NOON
from tests.core.test_intake import a_photo
from tests.factories import a_producer, a_product, a_user, a_variant
from tests.shop.selling import run_due
from tests.visits import browser_of, csrf

HOME = "/ban-hang/htx-hoa/hang/bang-tinh"
HEADINGS = ["Mã hàng", "Tên hàng", "Phân loại", "Giá bán", "Đơn vị", "Tồn đầu", "Ảnh"]
GOODS = [
    ["MO-1", "Mật ong", "250 ml", "95.000", "chai", "20", "mo.jpg"],
    ["MO-2", "Mật ong", "500 ml", "180.000", "chai", "12", ""],
    ["", "Trà sen", "", "320000", "hộp", "", ""],
    ["X", "Nem", "", "chín mươi", "gói", "", "khong-co.jpg"],
]


def a_csv(rows: list[list[str]], headings: list[str] = HEADINGS) -> bytes:
    text = StringIO()
    csv.writer(text, delimiter=";").writerows([headings, *rows])
    return text.getvalue().encode("utf-16")


def a_zip(**named: bytes) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, data in named.items():
            packed.writestr(f"ảnh/{name.replace('_', '.')}", data)
    return file.getvalue()


@pytest.fixture
def hoa(app: Flask, database: Database) -> FlaskClient:
    """The browser of whoever keeps the desk of HTX Hoa."""
    with database.transaction() as session:
        owner = a_user(session, role=Role.PRODUCER, name="Chị Hoa")
        place = a_producer(session, name="HTX Hoa", slug="htx-hoa")
        members.add(session, place, owner, actor=SYSTEM, now=NOON)
    return browser_of(app, database, owner)


def send(browser: FlaskClient, data: bytes, *, zipped: bytes | None = None) -> TestResponse:
    form: dict[str, Any] = {
        "csrf_token": csrf(browser, HOME),
        "file": (BytesIO(data), "hàng của nhà.csv"),
    }
    if zipped is not None:
        form["pictures"] = (BytesIO(zipped), "anh.zip")
    return browser.post(HOME, data=form, content_type="multipart/form-data")


def work(app: Flask, database: Database, *, hours: int = 0) -> None:
    run_due(app, database, now=utc_now() + timedelta(hours=hours))


def press(app: Flask, database: Database, browser: FlaskClient, page: str, what: str) -> str:
    """Press a button of the sheet's page as it stands, let the background work, look again."""
    lists = re.findall(r'<select id="(column-\d+)".*?</select>', browser.get(page).text, re.DOTALL)
    marked = re.findall(
        r'<select id="(column-\d+)"(?:(?!</select>).)*?value="(\w+)" selected',
        browser.get(page).text,
        re.DOTALL,
    )
    form = {**dict.fromkeys(lists, ""), **dict(marked), "csrf_token": csrf(browser, page)}
    answer = browser.post(f"{page}/{what}", data=form)
    assert answer.status_code == 303
    work(app, database)
    return browser.get(page).text


def count(database: Database, model: Any) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_sheet_is_looked_through_then_written_and_twice_is_once(
    app: Flask, database: Database, hoa: FlaskClient
) -> None:
    photo = a_photo("JPEG")
    page = send(hoa, a_csv(GOODS), zipped=a_zip(mo_jpg=photo)).location

    looked = press(app, database, hoa, page, "xem-thu")
    before = count(database, Product)
    press(app, database, hoa, page, "nhap")
    again = send(hoa, a_csv(GOODS), zipped=a_zip(mo_jpg=photo)).location
    second = press(app, database, hoa, again, "xem-thu")

    assert before == 0
    assert "Ghi 3 dòng" in looked
    assert "Dòng 5" in looked
    assert "khong-co.jpg" in looked
    assert "Không dòng nào thêm hay đổi gì." in second
    with database.reading() as session:
        honey, tea = session.scalars(select(Product).order_by(Product.id))
        kinds = session.scalars(
            select(Variant).where(Variant.product_id == honey.id).order_by(Variant.position)
        ).all()
        pieces = session.scalar(select(func.sum(StockItem.on_hand)))
        hung = pictures.list_of(session, honey.id)
    assert (honey.name, honey.state, tea.name) == ("Mật ong", ProductState.DRAFT, "Trà sen")
    assert [(one.sku, one.name, one.price and one.price.dong) for one in kinds] == [
        ("MO-1", "250 ml", 95_000),
        ("MO-2", "500 ml", 180_000),
    ]
    assert (pieces, len(hung)) == (32, 1)


def test_rows_with_faults_come_back_as_they_were_sent_with_the_fault_named(
    app: Flask, database: Database, hoa: FlaskClient
) -> None:
    page = send(hoa, a_csv(GOODS)).location
    press(app, database, hoa, page, "xem-thu")

    rows = sheets.read(hoa.get(f"{page}/loi.xlsx").data)

    assert rows[0].cells == (*HEADINGS, "Lỗi")
    # The photos of rows that are taken are told of too: no zip came with them.
    assert [row.cells[1] for row in rows[1:]] == ["Mật ong", "Nem"]
    assert rows[2].cells[3] == "chín mươi"
    assert rows[2].cells[-1].startswith("Giá bán: ")


def test_a_changed_cell_changes_and_an_empty_one_leaves(
    app: Flask, database: Database, hoa: FlaskClient
) -> None:
    first = send(hoa, a_csv(GOODS[:3])).location
    press(app, database, hoa, first, "xem-thu")
    press(app, database, hoa, first, "nhap")
    changed = [
        ["mo 2", "Mật ong", "500 ml", "190.000", "", "99", ""],
        ["", "Trà Sen", "", "", "", "", ""],
    ]

    page = send(hoa, a_csv(changed)).location
    looked = press(app, database, hoa, page, "xem-thu")
    press(app, database, hoa, page, "nhap")

    assert "Ghi 2 dòng" in looked
    with database.reading() as session:
        kind = session.scalars(select(Variant).where(Variant.sku == "MO-2")).one()
        names = session.scalars(select(Product.name).order_by(Product.id)).all()
        pieces = session.scalar(select(func.sum(StockItem.on_hand)))
    assert (kind.price and kind.price.dong, kind.unit, pieces) == (190_000, "chai", 32)
    assert names == ["Mật ong", "Trà Sen"]


def test_a_code_that_another_producer_has_is_ones_own_all_the_same(database: Database) -> None:
    with database.transaction() as session:
        other = a_variant(session, product=a_product(session, name="Chè"), sku="A1")
        place = a_producer(session)
        line = lines.read_line(2, ["A1", "Nem"], ["sku", "name"])
        outcomes = [writing.put(session, place, line, actor=SYSTEM, now=NOON)[0] for _ in range(2)]
        own = session.scalars(
            select(Variant.sku).join(Product, Product.id == Variant.product_id)
            .where(Product.producer_id == place.id)
        ).all()  # fmt: skip
        session.refresh(other)

    assert outcomes == [Outcome.ADDED, Outcome.SAME]
    assert own == [f"A1-{place.id}"]


def test_a_sheet_is_stopped_and_goes_no_further(
    app: Flask, database: Database, hoa: FlaskClient
) -> None:
    page = send(hoa, a_csv(GOODS)).location
    press(app, database, hoa, page, "xem-thu")
    hoa.post(f"{page}/nhap", data={"csrf_token": csrf(hoa, page)})

    stopped = hoa.post(f"{page}/thoi", data={"csrf_token": csrf(hoa, page)})
    work(app, database)

    assert stopped.status_code == 303
    assert count(database, Product) == 0
    assert "Đã dừng" in hoa.get(page).text
    assert hoa.post(f"{page}/nhap", data={"csrf_token": csrf(hoa, HOME)}).status_code == 409


def test_a_killed_worker_leaves_rows_that_another_goes_on_from(
    app: Flask, database: Database, hoa: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [[f"S-{n}", f"Hàng {n}", "", "1000", "gói", "5", ""] for n in range(45)]
    page = send(hoa, a_csv(rows)).location
    press(app, database, hoa, page, "xem-thu")
    put = writing.put
    done: list[str] = []

    def dies(*words: Any, **named: Any) -> Any:
        if len(done) == 30:
            done.append("dead")
            raise SystemExit
        done.append("row")
        return put(*words, **named)

    monkeypatch.setattr(writing, "put", dies)
    hoa.post(f"{page}/nhap", data={"csrf_token": csrf(hoa, page)})
    with pytest.raises(SystemExit):
        work(app, database)
    with database.reading() as session:
        half = session.scalars(select(GoodsImport)).one().rows_done
    later = count(database, Product)
    work(app, database, hours=1)

    assert (half, later) == (20, 20)
    assert count(database, Product) == 45
    with database.reading() as session:
        sheet = session.scalars(select(GoodsImport)).one()
        pieces = session.scalar(select(func.sum(StockItem.on_hand)))
    assert (sheet.state, sheet.added, pieces) == (ImportState.DONE, 45, 45 * 5)


def test_the_real_goods_of_the_programme_come_in_through_the_screen(
    app: Flask, database: Database, hoa: FlaskClient
) -> None:
    data = (ROOT / "data" / "ocop-products.csv").read_bytes()
    page = send(hoa, data).location

    looked = press(app, database, hoa, page, "xem-thu")
    press(app, database, hoa, page, "nhap")

    rows = len(sheets.read(data)) - 1
    with database.reading() as session:
        sheet = session.scalars(select(GoodsImport)).one()
        told = session.scalars(select(GoodsImportRow)).all()
        herbal = session.scalars(select(Product).where(Product.group == OcopGroup.HERBAL)).first()
    assert sheet.rows == rows > 200
    assert sheet.added + sheet.refused == rows
    assert all(row.told for row in told)
    # The source names some goods of two makers alike: one producer cannot have both.
    assert sheet.refused == len([row for row in told if row.outcome is Outcome.REFUSED]) < 12
    assert herbal is not None
    assert "Ghi " in looked


def test_what_goes_out_comes_in_again_and_changes_nothing(
    app: Flask, database: Database, hoa: FlaskClient
) -> None:
    first = send(
        hoa, a_csv([*GOODS[:3], ["=1", "=HYPERLINK(1)", "", "5000", "@x", "", ""]])
    ).location
    press(app, database, hoa, first, "xem-thu")
    press(app, database, hoa, first, "nhap")

    for name in ("tat-ca.xlsx", "tat-ca.csv"):
        page = send(hoa, hoa.get(f"{HOME}/{name}").data).location
        looked = press(app, database, hoa, page, "xem-thu")

        assert "Không dòng nào thêm hay đổi gì." in looked, name
    assert sheets.read(hoa.get(f"{HOME}/mau.xlsx").data)[0].cells[:2] == ("Mã hàng", "Tên hàng")


def merged_and_dated() -> bytes:
    """A sheet with a title over merged cells, a formula, and a day where a unit belongs."""
    file = BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    sheet.merge_range(0, 0, 0, 3, "BẢNG GIÁ THÁNG 11")
    sheet.write_row(2, 0, ["Tên hàng", "Giá bán", "Đơn vị", "Mã hàng"])
    sheet.write_row(3, 0, ["Mật ong", None, "chai", "M"])
    sheet.write_formula(3, 1, "=100000+65000", None, 165_000)
    sheet.write_row(4, 0, ["Trà", 90_000, None, "T"])
    sheet.write(4, 2, 46_000, book.add_format({"num_format": "dd/mm/yyyy"}))
    sheet.write_row(5, 0, ["Trà", 90_000, "hộp", "t"])
    book.close()
    return file.getvalue()


def test_titles_formulas_days_and_doubles_are_read_or_explained(
    app: Flask, database: Database, hoa: FlaskClient
) -> None:
    page = send(hoa, merged_and_dated()).location

    press(app, database, hoa, page, "xem-thu")

    with database.reading() as session:
        told = {row.number: row.told for row in session.scalars(select(GoodsImportRow))}
        sheet = session.scalars(select(GoodsImport)).one()
    assert (sheet.headings_at, sheet.rows, sheet.added) == (3, 3, 1)
    assert told[5][0][0] == "unit"
    assert "ngày tháng" in told[5][0][1]
    assert "dòng 5" in told[6][0][1]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xd0\xcf\x11\xe0" + b"x" * 600,
        b"PK\x03\x04" + b"x" * 600,
        a_csv([]),
        a_csv([["A", "x" * 40_000]]),
    ],
)
def test_what_is_no_sheet_is_refused_in_words(hoa: FlaskClient, data: bytes) -> None:
    answer = send(hoa, data)

    assert answer.status_code == 422
    assert 'class="loi' in answer.text


def test_a_file_beyond_the_limits_is_refused_before_it_is_read() -> None:
    for data in (b"x" * (21 * 1024 * 1024), b"a;b\n" * 10_010):
        with pytest.raises(sheets.BadSheet, match=r"20|10001"):
            reading.read(data)


def test_a_zip_that_is_none_is_refused_and_broken_photos_are_told(
    app: Flask, database: Database, hoa: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        ["A", "Nem", "", "1000", "gói", "", "a.jpg; http://10.0.0.1/b.jpg; https://cho.example/c"]
    ]
    answers = {"https://cho.example/c": outgoing.Answer("x", 404, {}, b"")}
    real = outgoing.get_public

    def get(url: str, **named: Any) -> outgoing.Answer:
        return answers[url] if url in answers else real(url, **named)

    monkeypatch.setattr(outgoing, "get_public", get)

    assert send(hoa, a_csv(rows), zipped=b"no zip").status_code == 422
    page = send(hoa, a_csv(rows), zipped=a_zip(a_jpg=b"no photo")).location
    press(app, database, hoa, page, "xem-thu")
    press(app, database, hoa, page, "nhap")

    with database.reading() as session:
        [row] = session.scalars(select(GoodsImportRow))
        assert session.scalars(select(Product)).one().name == "Nem"
    assert row.outcome is Outcome.ADDED
    assert [words.partition(": ")[0] for _column, words in row.told] == [
        "a.jpg", "http://10.0.0.1/b.jpg", "https://cho.example/c",
    ]  # fmt: skip


def test_columns_must_make_sense_and_other_desks_see_nothing(
    app: Flask, database: Database, hoa: FlaskClient
) -> None:
    page = send(hoa, a_csv(GOODS)).location
    with database.transaction() as session:
        stranger = a_user(session, role=Role.PRODUCER)
        place = a_producer(session, slug="htx-khac")
        members.add(session, place, stranger, actor=SYSTEM, now=NOON)
    other = browser_of(app, database, stranger)

    nameless = hoa.post(f"{page}/xem-thu", data={"csrf_token": csrf(hoa, page), "column-0": "sku"})
    twice = hoa.post(
        f"{page}/xem-thu",
        data={"csrf_token": csrf(hoa, page), "column-0": "name", "column-1": "name"},
    )

    assert (nameless.status_code, twice.status_code) == (422, 422)
    assert "tên hàng" in nameless.text
    assert other.get(page.replace("htx-hoa", "htx-khac")).status_code == 404
    assert other.get(page).status_code == 404


def test_the_command_looks_first_then_writes_and_reports(
    app: Flask, database: Database, hoa: FlaskClient, tmp_path: Path
) -> None:
    sheet, report = tmp_path / "hang.csv", tmp_path / "loi.xlsx"
    sheet.write_bytes(a_csv(GOODS))
    command = ["catalog", "import", str(sheet), "--producer", "htx-hoa"]
    run = app.test_cli_runner().invoke

    looked = run(args=[*command, "--dry-run", "--json"])
    left = count(database, Product)
    written = run(args=[*command, "--report", str(report)])
    again = run(args=[*command, "--json"])
    nobody = run(args=[*command[:-1], "khong-co"])

    assert (looked.exit_code, written.exit_code, nobody.exit_code) == (1, 1, 1)
    assert json.loads(looked.stdout)["added"] == 3
    assert left == 0
    assert count(database, Product) == 2
    assert json.loads(again.stdout)["same"] == 3
    assert sheets.read(report.read_bytes())[-1].cells[1] == "Nem"
