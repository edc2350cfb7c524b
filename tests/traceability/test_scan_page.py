"""What a phone shows after a scan, in every state of a lot."""

import re
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM, Actor
from catalog import lots
from catalog.certificates import PaperKind
from catalog.lots import Lot
from catalog.products import Product, ProductState
from core.codes import new_code
from core.db import Database
from shop.carts import CartLine
from tests.conftest import NOON
from tests.factories import a_lot, a_producer, a_product, a_star, a_step, a_variant
from traceability import serials, trace_codes
from traceability.codes import TRACE_CODE


def a_coded_lot(database: Database, *, in_stock: int = 5, **given: object) -> str:
    """A lot of starred honey with its public code."""
    with database.transaction() as session:
        product = a_product(session, name="Mật ong hoa nhãn")
        a_star(session, product)
        variant = a_variant(session, product=product, in_stock=0)
        lot = a_lot(session, variant, in_stock=in_stock, **given)
        return trace_codes.ensure_lot_code(session, lot, now=NOON)


def the_lot(session: Session, code: str) -> Lot:
    found = trace_codes.find_code(session, code)
    assert found is not None
    return session.get_one(Lot, found.lot_id)


def test_a_good_lot_is_said_to_circulate_and_can_be_bought(
    database: Database, visitor: FlaskClient
) -> None:
    code = a_coded_lot(database, code="LO-1")

    page = visitor.get(f"/truy-xuat/{code}")

    assert page.status_code == 200
    assert "<h1>Mã hợp lệ, hàng đang lưu hành</h1>" in page.text
    assert "hàng thật" not in page.text
    assert "OCOP 4 sao" in page.text
    assert "01/11/2027" in page.text
    form = page.text[page.text.index("<form") :]
    assert 'name="lot" value="LO-1"' in form
    assert 'name="then" value="checkout"' in form
    assert "165.000" in form


def test_the_parts_stand_in_the_order_of_their_weight(
    database: Database, visitor: FlaskClient
) -> None:
    code = a_coded_lot(database)
    with database.transaction() as session:
        a_step(session, the_lot(session, code))

    text = visitor.get(f"/truy-xuat/{code}").text

    places = [
        text.index(part)
        for part in (
            "lưu hành</h1>",
            "<h2>Mật ong hoa nhãn",
            "Hạn dùng",
            "<h2>Đường đi của lô hàng",
            "<h2>Giấy tờ",
            "<h2>Ai làm ra",
            "Mua tiếp lô này",
            "Báo hàng có vấn đề",
        )
    ]
    assert places == sorted(places)


def test_the_page_is_public_and_fresh_with_one_late_script(
    database: Database, visitor: FlaskClient
) -> None:
    code = a_coded_lot(database)

    page = visitor.get(f"/truy-xuat/{code}")
    again = visitor.get(f"/truy-xuat/{code}", headers={"If-None-Match": page.headers["ETag"]})

    assert page.headers["Cache-Control"] == "public, max-age=2, stale-if-error=86400"
    assert "Set-Cookie" not in page.headers
    (script,) = re.findall(r"<script [^>]+>", page.text)
    assert script.endswith(" defer>")
    assert "<script" not in visitor.get("/truy-xuat").text
    source = visitor.get(re.findall(r'src="([^"]+)"', script)[0])
    assert len(source.data) <= 1024
    source.close()
    assert again.status_code == 304


def test_a_recall_shows_at_the_next_request(database: Database, visitor: FlaskClient) -> None:
    code = a_coded_lot(database)
    assert "thu hồi</h1>" not in visitor.get(f"/truy-xuat/{code}").text
    with database.transaction() as session:
        lots.recall(session, the_lot(session, code), reason="Ẩm quá mức", actor=SYSTEM, now=NOON)

    page = visitor.get(f"/truy-xuat/{code}")

    assert "<h1>Dừng sử dụng. Lô này đang bị thu hồi</h1>" in page.text
    assert "Ẩm quá mức" in page.text
    assert page.text.count("<li>") >= 3
    for absent in ('class="sao"', "<form", "Offer", "165.000", "OCOP 4 sao"):
        assert absent not in page.text


def test_a_serial_of_a_recalled_lot_is_recalled_even_before_it_was_stuck_on(
    database: Database, visitor: FlaskClient
) -> None:
    code = a_coded_lot(database)
    with database.transaction() as session:
        lot = the_lot(session, code)
        (serial,) = serials.make(session, lot, 1, now=NOON)
        lots.recall(session, lot, reason="Mốc", actor=SYSTEM, now=NOON)

    page = visitor.get(f"/truy-xuat/{serial}")

    assert "thu hồi</h1>" in page.text


def test_an_expired_lot_says_for_how_long_and_sells_nothing(
    database: Database, visitor: FlaskClient
) -> None:
    code = a_coded_lot(database, expires_on=date(2026, 11, 1))

    page = visitor.get(f"/truy-xuat/{code}")

    assert "<h1>Đã quá hạn dùng 24 ngày</h1>" in page.text
    assert "<form" not in page.text
    assert "Mua lô mới" in page.text


def test_a_held_lot_is_not_sold(database: Database, visitor: FlaskClient) -> None:
    code = a_coded_lot(database)
    with database.transaction() as session:
        lots.hold(session, the_lot(session, code), reason="Kiểm lại", actor=SYSTEM, now=NOON)

    page = visitor.get(f"/truy-xuat/{code}")

    assert "<h1>Tạm dừng bán, đang kiểm tra lô này</h1>" in page.text
    assert "<form" not in page.text


def test_a_label_not_yet_stuck_on_says_so_until_it_is(
    database: Database, visitor: FlaskClient
) -> None:
    code = a_coded_lot(database)
    with database.transaction() as session:
        (serial,) = serials.make(session, the_lot(session, code), 1, now=NOON)
    before = visitor.get(f"/truy-xuat/{serial}")
    with database.transaction() as session:
        assert serials.activate(session, [serial], now=NOON) == 1
        assert serials.activate(session, [serial], now=NOON) == 0

    after = visitor.get(f"/truy-xuat/{serial}")

    assert "<h1>Tem chưa kích hoạt</h1>" in before.text
    assert "<form" not in before.text
    assert "lưu hành</h1>" in after.text
    assert serial in after.text


def test_stars_vanish_on_the_day_the_paper_runs_out(
    database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        product = a_product(session)
        a_star(session, product, issued=date(2023, 11, 25))
        lot = a_lot(session, a_variant(session, product=product, in_stock=0))
        code = trace_codes.ensure_lot_code(session, lot, now=NOON)

    page = visitor.get(f"/truy-xuat/{code}")

    assert 'class="sao"' not in page.text
    assert "hết hạn" in page.text


def test_a_sold_out_lot_offers_the_goods_but_not_the_lot(
    database: Database, visitor: FlaskClient
) -> None:
    code = a_coded_lot(database, in_stock=0)

    page = visitor.get(f"/truy-xuat/{code}")

    assert "<form" not in page.text
    assert "Xem hàng này trong chợ" in page.text


def test_the_code_of_withdrawn_goods_still_answers(
    database: Database, visitor: FlaskClient
) -> None:
    code = a_coded_lot(database)
    with database.transaction() as session:
        found = trace_codes.find_code(session, code)
        assert found is not None
        session.get_one(Product, found.product_id).state = ProductState.WITHDRAWN

    page = visitor.get(f"/truy-xuat/{code}")

    assert page.status_code == 200
    assert "<form" not in page.text
    assert "không còn bán" in page.text


def test_a_product_code_lists_its_lots_with_recalled_ones_marked(
    database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        product = a_product(session)
        variant = a_variant(session, product=product)
        bad = a_lot(session, variant, code="XAU-1")
        a_lot(session, variant, code="TOT-1")
        lots.recall(session, bad, reason="Mốc", actor=SYSTEM, now=NOON)
        code = trace_codes.ensure_product_code(session, product.id, now=NOON)

    page = visitor.get(f"/truy-xuat/{code}")

    assert "<h1>Mã hàng có trong sổ</h1>" in page.text
    assert re.search(r"XAU-1</b> <span class=\"tem xau\">thu hồi", page.text)
    assert "TOT-1" in page.text


def test_who_wrote_on_behalf_is_named(database: Database, visitor: FlaskClient) -> None:
    code = a_coded_lot(database)
    with database.transaction() as session:
        helper = Actor(None, "Anh Minh", on_behalf_of="HTX Mẫu")
        a_step(session, the_lot(session, code), actor=helper)

    page = visitor.get(f"/truy-xuat/{code}")

    assert "Anh Minh ghi, thay mặt HTX Mẫu" in page.text


def test_samples_are_labelled(database: Database, visitor: FlaskClient) -> None:
    real = a_coded_lot(database)
    sample = a_coded_lot(database, is_sample=True)

    assert "minh-hoa" not in visitor.get(f"/truy-xuat/{real}").text
    assert "Minh hoạ" in visitor.get(f"/truy-xuat/{sample}").text


@pytest.mark.parametrize("steps", [2, 200])
def test_a_page_costs_four_queries_however_long_the_diary(
    database: Database, visitor: FlaskClient, steps: int
) -> None:
    code = a_coded_lot(database)
    with database.transaction() as session:
        lot = the_lot(session, code)
        for _number in range(steps):
            a_step(session, lot)
        (serial,) = serials.make(session, lot, 1, now=NOON, activated=True)
    asked: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def _note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            asked.append(statement)

    for path in (code, serial, f"{code}?ma=LA-1"):
        asked.clear()
        page = visitor.get(f"/truy-xuat/{path}")

        assert page.status_code == 200
        assert len(asked) <= 4
    event.remove(database.engine, "before_cursor_execute", _note)


def test_unknown_codes_get_the_same_bytes(visitor: FlaskClient) -> None:
    one, two = new_code(TRACE_CODE), new_code(TRACE_CODE)

    first, second = visitor.get(f"/truy-xuat/{one}"), visitor.get(f"/truy-xuat/{two}")

    assert first.status_code == second.status_code == 404
    assert grouped(one) in first.text
    assert first.text.replace(grouped(one), "").replace(one, "") == second.text.replace(
        grouped(two), ""
    ).replace(two, "")
    assert "<h1>Mã lạ, chưa thấy trong sổ</h1>" in first.text


def grouped(code: str) -> str:
    return f"{code[:4]} {code[4:8]} {code[8:]}"


@pytest.mark.parametrize("typed", ["ABC", "7K3QX9M2PD8", "xin-chào", "0" * 60, "<b>", "%2e%2e"])
def test_a_malformed_code_looks_the_same(visitor: FlaskClient, typed: str) -> None:
    page = visitor.get(f"/truy-xuat/{typed}")

    assert page.status_code == 404
    assert 'class="phan la"' in page.text
    assert "<b>&lt;" not in page.text


def test_a_code_may_be_typed_in_small_letters_and_groups(
    database: Database, visitor: FlaskClient
) -> None:
    code = a_coded_lot(database)

    sent = visitor.get("/truy-xuat", query_string={"ma": f" {grouped(code).lower()} "})
    mended = visitor.get(f"/truy-xuat/{code.lower()}?ma=X1&_external=1&code=2")

    assert sent.headers["Location"] == f"/truy-xuat/{code}"
    assert mended.status_code == 301
    assert mended.headers["Location"] == f"/truy-xuat/{code}?ma=X1&_external=1&code=2"


def test_a_known_number_is_never_called_unknown(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        product = a_product(session)
        lot = a_lot(session, a_variant(session, product=product), code="LO-9")
        (serial,) = serials.make(session, lot, 1, now=NOON)
        code = trace_codes.ensure_product_code(session, product.id, now=NOON)

    for known in ("LO-9", serial):
        assert "Mã hàng có trong sổ" in visitor.get(f"/truy-xuat/{code}?ma={known}").text
    page = visitor.get(f"/truy-xuat/{code}?ma=LO-8")
    assert "<h1>Số lạ, không có trong sổ</h1>" in page.text
    assert "LO-8" in page.text
    assert 'class="sao"' not in page.text


def test_the_page_has_an_english_side(database: Database, visitor: FlaskClient) -> None:
    code = a_coded_lot(database)

    page = visitor.get(f"/en/truy-xuat/{code}")

    assert '<html lang="en">' in page.text
    assert "Valid code, goods in circulation" in page.text
    assert f'href="/truy-xuat/{code}"' in page.text


def test_papers_show_until_when_they_count(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        product = a_product(session)
        paper = a_star(session, product)
        paper.kind, paper.stars = PaperKind.FOOD_SAFETY, None
        lot = a_lot(session, a_variant(session, product=product))
        code = trace_codes.ensure_lot_code(session, lot, now=NOON)

    page = visitor.get(f"/truy-xuat/{code}")

    assert "còn hạn đến 13/08/2028" in page.text


def test_the_makers_phone_is_one_tap_away(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        producer = a_producer(session, phone="+84912345678")
        lot = a_lot(session, a_variant(session, product=a_product(session, producer=producer)))
        code = trace_codes.ensure_lot_code(session, lot, now=NOON)

    page = visitor.get(f"/truy-xuat/{code}")

    assert 'href="tel:+84912345678"' in page.text
    assert "Xã Đan Phượng, Hà Nội" in page.text


def test_buying_from_the_scan_page_leads_to_checkout_with_that_lot(
    database: Database, visitor: FlaskClient
) -> None:
    code = a_coded_lot(database, code="LO-5")
    page = visitor.get(f"/truy-xuat/{code}")
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))

    answer = visitor.post("/gio-hang/them", data=fields)

    assert answer.status_code == 303
    assert answer.location == "/dat-hang"
    with database.reading() as session:
        line = session.scalars(select(CartLine)).one()
        assert (line.quantity, line.lot_id) == (1, the_lot(session, code).id)
