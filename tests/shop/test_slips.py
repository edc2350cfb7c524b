"""Slips and labels say in Vietnamese what packer and postman need, and nothing else."""

import tracemalloc

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from catalog.picking import Pick
from catalog.products import Product
from core.db import Database
from core.paper import A6, Paper
from shop import cancellations, fulfilment, orders, slips
from shop.orders import Order, SellerOrder
from shop.shipments import Shipment
from shop.slips import Form, NotToBePrinted
from tests.conftest import NOON
from tests.factories import a_lot, a_producer, a_product, a_variant
from tests.queries import counted
from tests.shop.printed import codes_on, pages_of, words_on
from tests.shop.selling import SELLER, an_order, only_part

BOTH = (Form.SLIP, Form.LABEL)


@pytest.fixture(autouse=True)
def words(app: Flask) -> object:
    """Print with the shop's translations."""
    with app.app_context():
        yield


def a_parcel(session: Session, **typed: str) -> tuple[Order, SellerOrder]:
    maker = a_producer(session, name="HTX Ổi Đường Tiến Vua", phone="+84987654321")
    honey = a_product(session, producer=maker, name="Mật ong bạc hà")
    jar = a_variant(session, product=honey, in_stock=0, unit="lọ", name="500 g")
    a_lot(session, jar, code="MO-2611-01", in_stock=9)
    order = an_order(session, (jar, 2), **typed)
    return order, only_part(session, order)


def printed(session: Session, part: SellerOrder, *forms: Form) -> bytes:
    return slips.print_parts(session, [part.id], forms or BOTH, now=NOON)


def test_the_slip_tells_sender_receiver_goods_lots_and_sum(session: Session) -> None:
    order, part = a_parcel(session)

    [page] = pages_of(printed(session, part, Form.SLIP))

    text = words_on(page)
    for said in (
        "Phiếu đóng gói",
        order.code,
        "Người gửi: HTX Ổi Đường Tiến Vua · 0987 654 321",
        "Người nhận: Nguyễn Thị Ẩn · 0912 345 678",
        "Thôn 3, số 8",
        "Khách dặn: gọi trước",
        "2 × Mật ong bạc hà 500 g",
        "Lô MO-2611-01 × 2",
        str(part.total).replace("\u00a0", " "),
    ):
        assert said in text


def test_the_label_tells_the_postman_what_to_collect(session: Session) -> None:
    _order, part = a_parcel(session)

    [page] = pages_of(printed(session, part, Form.LABEL))

    text = words_on(page)
    assert "Thu hộ (COD)" in text
    assert str(part.total).replace("\u00a0", " ") in text
    assert "đồng" in text
    assert [round(float(side) / 72 * 25.4) for side in page.mediabox[2:]] == [105, 148]


def test_the_label_carries_the_waybill_once_there_is_one(session: Session) -> None:
    _order, part = a_parcel(session)
    session.add(
        Shipment(
            seller_order_id=part.id, producer_id=part.producer_id, code="X1", carrier="post",
            carrier_name="Bưu điện", waybill="VN123456", weight_g=1, created_at=NOON,
        )
    )  # fmt: skip
    session.flush()

    [page] = pages_of(printed(session, part, Form.LABEL))

    assert "Mã vận đơn VN123456" in words_on(page)


def test_the_label_of_a_paid_order_says_to_collect_nothing(session: Session) -> None:
    _order, part = a_parcel(session)
    fulfilment_states(session, part)

    [page] = pages_of(printed(session, part, Form.LABEL))

    assert "Đã trả tiền. Không thu." in words_on(page)
    assert "Thu hộ" not in words_on(page)


def fulfilment_states(session: Session, part: SellerOrder) -> None:
    """Let the parcel be handed over: its cash is collected then."""
    order = session.get_one(Order, part.order_id)
    fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)
    fulfilment.pack(session, order, part, actor=SELLER, now=NOON)
    fulfilment.ship(session, order, part, actor=SELLER, now=NOON)
    fulfilment.deliver(session, order, part, actor=SELLER, now=NOON)


def test_both_forms_carry_the_code_of_the_order_for_a_scanner(session: Session) -> None:
    order, part = a_parcel(session)

    pages = pages_of(printed(session, part))

    assert [codes_on(page) for page in pages] == [[order.code], [order.code]]


def test_what_the_desk_wrote_for_itself_is_never_printed(session: Session) -> None:
    _order, part = a_parcel(session)
    part.internal_note = "khách hay bom hàng"
    session.flush()

    pages = pages_of(printed(session, part))

    assert not [page for page in pages if "bom" in words_on(page)]


def test_sample_goods_are_marked_on_both_forms(session: Session) -> None:
    _order, part = a_parcel(session)
    session.execute(update(Product).values(is_sample=True))

    pages = pages_of(printed(session, part))

    assert all("«minh hoạ»" in words_on(page) for page in pages)


def test_real_goods_carry_no_mark(session: Session) -> None:
    _order, part = a_parcel(session)

    pages = pages_of(printed(session, part))

    assert not [page for page in pages if "minh hoạ" in words_on(page)]


def test_an_order_that_ended_is_not_printed(session: Session) -> None:
    order, part = a_parcel(session)
    cancellations.decline(session, order, part, reason="hết", actor=SELLER, now=NOON)

    with pytest.raises(NotToBePrinted):
        printed(session, part)


def test_a_long_order_goes_on_to_a_second_page(session: Session) -> None:
    maker = a_producer(session)
    goods = [
        a_variant(session, product=a_product(session, producer=maker, name=f"Hàng số {number}"))
        for number in range(20)
    ]
    part = only_part(session, an_order(session, *[(one, 1) for one in goods]))

    pages = pages_of(printed(session, part, Form.SLIP))

    text = " ".join(words_on(page) for page in pages)
    assert len(pages) > 1
    assert all(f"Hàng số {number}" in text for number in range(20))


def test_a_label_is_one_page_however_long_the_address(session: Session) -> None:
    _order, part = a_parcel(session, street="Ngách 12/34 ngõ 56 " * 10, note="gọi trước " * 20)

    pages = pages_of(printed(session, part, Form.LABEL))

    assert len(pages) == 1
    assert "Thu hộ (COD)" in words_on(pages[0])


def test_letters_the_font_lacks_are_told_and_break_nothing() -> None:
    paper = Paper(A6, title="thử")
    paper.begin_page()

    paper.text("Chị Hoa 漢 😀 Ẳ Ặ Ỡ")

    assert words_on(pages_of(paper.finish())[0]) == "Chị Hoa ? ? Ẳ Ặ Ỡ"


def test_a_print_of_many_orders_asks_as_often_as_its_pages_need(database: Database) -> None:
    with database.transaction() as session:
        jar = a_variant(session, in_stock=500)
        part_ids = [
            only_part(session, an_order(session, (jar, 1), phone=f"0912{n:06}")).id
            for n in range(40)
        ]

    with database.reading() as session, counted(database) as asked:
        data = slips.print_parts(session, part_ids, BOTH, now=NOON)

    assert len(pages_of(data)) == 80
    assert len(asked) <= 2 * 7


def test_a_hundred_orders_are_printed_in_little_memory(database: Database) -> None:
    with database.transaction() as session:
        jar = a_variant(session, in_stock=500)
        part_id = only_part(session, an_order(session, (jar, 1))).id
    with database.reading() as session:
        slips.print_parts(session, [part_id], BOTH, now=NOON)
        tracemalloc.start()
        slips.print_parts(session, [part_id] * 100, BOTH, now=NOON)
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 10_000_000


def test_a_line_keeps_its_lots_after_the_parcel_left(session: Session) -> None:
    _order, part = a_parcel(session)
    fulfilment_states(session, part)
    [line] = orders.list_lines(session, [part.id])

    lots = orders.lots_of_lines(session, [line.id])

    [pick] = lots[line.id]
    assert isinstance(pick, Pick)
    assert (pick.code, pick.quantity) == ("MO-2611-01", 2)
