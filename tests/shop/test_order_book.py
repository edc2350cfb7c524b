"""Staff find any order, see all of it, act for either side, and know what waits."""

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM, Actor
from accounts.users import Role
from core.clock import utc_now
from core.db import Database
from shop import cancellations, freezing, fulfilment, order_book, queues
from shop.cancellations import NoReason
from shop.order_book import Filters, Need
from shop.order_states import OrderState, PaymentStatus, SellerOrderState
from shop.orders import NoSuchOrder, Order, OrderEvent, SellerOrder
from shop.payments import bank_transfer
from shop.payments.payments import PaymentMethod
from shop.shipments import Shipment
from tests.conftest import NOON
from tests.factories import a_lot, a_producer, a_product, a_user, a_variant, later
from tests.queries import counted
from tests.shop.selling import SELLER, an_order, hidden, log_in, only_part

S = SellerOrderState
STAFF = Actor(None, "Nhân viên", on_behalf_of="HTX")


def an_order_of(session: Session, name: str | None = None, **typed: Any) -> Order:
    maker = a_producer(session, **({"name": name} if name else {}))
    jar = a_variant(session, product=a_product(session, producer=maker), in_stock=0)
    a_lot(session, jar, code=f"LO-{maker.id}", in_stock=9)
    return an_order(session, (jar, 1), **typed)


def codes(session: Session, **filters: object) -> set[str]:
    entries, _following = order_book.list_page(
        session,
        Filters(**filters),
        now=NOON,  # type: ignore[arg-type]
    )
    return {entry.order.code for entry in entries}


def test_orders_are_filtered_by_what_is_stored_of_them(session: Session) -> None:
    cash = an_order_of(session)
    transfer = an_order_of(session, payment_method="bank_transfer", phone="0987654321")

    assert codes(session) == {cash.code, transfer.code}
    assert codes(session, state=OrderState.PENDING_PAYMENT) == {transfer.code}
    assert codes(session, payment=PaymentStatus.COD_DUE) == {cash.code}
    assert codes(session, part=S.TO_CONFIRM) == {cash.code}
    assert codes(session, method=PaymentMethod.BANK_TRANSFER) == {transfer.code}
    assert codes(session, part=S.TO_CONFIRM, method=PaymentMethod.BANK_TRANSFER) == set()


def test_orders_are_filtered_by_producer_commune_and_day(session: Session) -> None:
    first = an_order_of(session, name="HTX Ổi Đan Phượng")
    second = an_order_of(session, name="HTX Chè", now=later(NOON, days=-3), phone="0987654321")
    today = NOON.date()

    assert codes(session, producer="oi dan") == {first.code}
    assert codes(session, commune="09784") == {first.code, second.code}
    assert codes(session, commune="00001") == set()
    assert codes(session, since=today, until=today) == {first.code}
    assert codes(session, until=today - timedelta(days=1)) == {second.code}


def test_a_filter_of_state_and_producer_speaks_of_one_part(session: Session) -> None:
    makers = [a_producer(session, name=name) for name in ("HTX Mật", "HTX Nấm")]
    goods = [
        a_variant(session, product=a_product(session, producer=maker), in_stock=3)
        for maker in makers
    ]
    order = an_order(session, (goods[0], 1), (goods[1], 1))
    part = session.scalars(select(SellerOrder).where(SellerOrder.producer_id == makers[0].id)).one()
    fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)

    assert codes(session, producer="mat", part=S.PREPARING) == {order.code}
    assert codes(session, producer="nam", part=S.PREPARING) == set()


def test_the_orders_with_goods_of_a_lot_are_found_also_after_they_left(session: Session) -> None:
    order = an_order_of(session)
    an_order_of(session, phone="0987654321")
    part = only_part(session, order)
    fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)
    fulfilment.pack(session, order, part, actor=SELLER, now=NOON)
    fulfilment.ship(session, order, part, actor=SELLER, now=NOON)

    assert codes(session, lot=f"lo-{part.producer_id}") == {order.code}


def test_an_order_is_found_by_its_waybill(session: Session) -> None:
    order = an_order_of(session)
    an_order_of(session, phone="0987654321")
    part = only_part(session, order)
    session.add(
        Shipment(
            seller_order_id=part.id, producer_id=part.producer_id, code="X1", carrier="post",
            carrier_name="Bưu điện", waybill="VN123456", weight_g=1, created_at=NOON,
        )
    )  # fmt: skip
    session.flush()

    assert codes(session, query="vn123456") == {order.code}


def test_the_whole_book_goes_page_by_page_in_few_questions(database: Database) -> None:
    with database.transaction() as session:
        jar = a_variant(session, in_stock=500)
        made = [
            an_order(session, (jar, 1), phone=f"0912{n:06}").code
            for n in range(order_book.PAGE + 5)
        ]

    with database.reading() as session, counted(database) as asked:
        first, following = order_book.list_page(session, Filters(), now=NOON)
    with database.reading() as session:
        second, end = order_book.list_page(session, Filters(), before=following, now=NOON)

    assert [one.order.code for one in (*first, *second)] == made[::-1]
    assert end is None
    assert len(asked) == 2


def test_money_that_should_have_gone_back_is_found_after_three_days(session: Session) -> None:
    order = an_order_of(session, payment_method="bank_transfer")
    part = only_part(session, order)
    bank_transfer.confirm_by_hand(
        session, order, part, evidence="thấy lúc 10:15", actor=SELLER, now=NOON
    )
    cancellations.decline(session, order, part, reason="hết", actor=SELLER, now=NOON)

    soon = order_book.count_needing(session, Need.REFUND, now=later(NOON, days=2), most=9)
    late = order_book.count_needing(session, Need.REFUND, now=later(NOON, days=4), most=9)

    assert (soon, late) == (0, 1)


def test_stopped_and_unanswered_orders_are_found(session: Session) -> None:
    stopped, silent = an_order_of(session), an_order_of(session, phone="0987654321")
    freezing.freeze(session, stopped, why="tranh chấp", actor=SYSTEM, now=NOON)
    session.execute(
        update(SellerOrder).where(SellerOrder.order_id == silent.id).values(reminders=1)
    )

    assert codes(session, need=Need.DISPUTE) == {stopped.code}
    assert codes(session, need=Need.ANSWER) == {silent.code}


def test_the_heaps_count_what_waits(session: Session) -> None:
    stopped = an_order_of(session)
    freezing.freeze(session, stopped, why="tranh chấp", actor=SYSTEM, now=NOON)

    found = {one.name: one.count for one in queues.list_queues(session, now=NOON)}

    assert found.pop("Orders stopped because of a dispute") == 1
    assert set(found.values()) == {0}


@pytest.mark.parametrize("prepared", [False, True])
def test_staff_call_an_order_off_for_the_side_whose_act_it_is(
    session: Session, *, prepared: bool
) -> None:
    order = an_order_of(session)
    part = only_part(session, order)
    if prepared:
        fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)

    cancellations.call_off(session, order, part, reason="khách nhờ", actor=STAFF, now=NOON)

    event = session.scalars(
        select(OrderEvent)
        .where(OrderEvent.seller_order_id == part.id)
        .order_by(OrderEvent.id.desc())
        .limit(1)
    ).one()
    assert part.state is S.CANCELLED
    assert (event.verb, event.on_behalf_of) == ("decline" if prepared else "cancel", "HTX")
    assert part.ended_why == "khách nhờ"


def test_staff_say_why_they_call_an_order_off(session: Session) -> None:
    order = an_order_of(session)

    with pytest.raises(NoReason):
        cancellations.call_off(
            session, order, only_part(session, order), reason=" ", actor=STAFF, now=NOON
        )


def test_there_is_no_file_on_an_order_that_does_not_exist(session: Session) -> None:
    with pytest.raises(NoSuchOrder):
        order_book.get(session, "NIX")


@pytest.fixture
def staff(database: Database, visitor: FlaskClient) -> FlaskClient:
    """The browser of a member of staff, freshly logged in."""
    with database.transaction() as session:
        person = a_user(session, role=Role.STAFF).id
    log_in(visitor, database, person)
    return visitor


def post(browser: FlaskClient, page: str, address: str, **form: str) -> object:
    token = hidden(browser.get(page).text, "csrf_token")
    return browser.post(address, data={"csrf_token": token, **form}, follow_redirects=True)


def test_the_page_of_an_order_shows_all_and_calls_a_part_off(
    database: Database, staff: FlaskClient
) -> None:
    with database.transaction() as session:
        order = an_order_of(session, now=utc_now())
        code, part_id = order.code, only_part(session, order).id
    page = f"/quan-tri/don-hang/{code}"

    shown = staff.get(page).text
    wordless = post(staff, page, f"{page}/{part_id}/huy", reason=" ")
    done = post(staff, page, f"{page}/{part_id}/huy", reason="khách nhờ")

    assert "Nguyễn Thị Ẩn" in shown
    assert "Huỷ phần hàng này" in shown
    assert "Lô <b" in shown
    assert wordless.status_code == 422
    assert "khách nhờ" in done.text
    assert "thay mặt" in done.text
    with database.reading() as session:
        assert session.get_one(SellerOrder, part_id).state is S.CANCELLED


def test_a_part_of_another_order_is_not_touched_under_this_one(
    database: Database, staff: FlaskClient
) -> None:
    with database.transaction() as session:
        order = an_order_of(session, now=utc_now())
        other = only_part(session, an_order_of(session, phone="0987654321", now=utc_now())).id
        page = f"/quan-tri/don-hang/{order.code}"

    answer = post(staff, page, f"{page}/{other}/huy", reason="nhầm")

    assert answer.status_code == 404


def test_staff_stop_an_order_and_let_it_go_on(database: Database, staff: FlaskClient) -> None:
    with database.transaction() as session:
        page = f"/quan-tri/don-hang/{an_order_of(session, now=utc_now()).code}"

    stopped = post(staff, page, f"{page}/dung", why="ngân hàng hỏi")
    going = post(staff, page, f"{page}/cho-di-tiep")

    assert "Đã dừng đơn" in stopped.text
    assert "Đơn đi tiếp" in going.text


def test_staff_give_a_parcel_up_as_lost(database: Database, staff: FlaskClient) -> None:
    with database.transaction() as session:
        order = an_order_of(session, now=utc_now())
        part = only_part(session, order)
        for verb in (fulfilment.pack, fulfilment.ship):
            if part.state is S.TO_CONFIRM:
                fulfilment.accept(
                    session, order, part, called_buyer=True, actor=SELLER, now=utc_now()
                )
            verb(session, order, part, actor=SELLER, now=utc_now())
        page, part_id = f"/quan-tri/don-hang/{order.code}", part.id

    post(staff, page, f"{page}/{part_id}/mat-hang", claim="đền 165.000")

    with database.reading() as session:
        assert session.get_one(SellerOrder, part_id).state is S.RETURNED


def test_the_file_opens_in_excel_and_runs_nothing(database: Database, staff: FlaskClient) -> None:
    with database.transaction() as session:
        code = an_order_of(session, name="=HYPERLINK(1)").code
        an_order_of(session, payment_method="bank_transfer", phone="0987654321")

    answer = staff.get("/quan-tri/don-hang/tai-ve.csv?cach=cod")

    assert answer.data.startswith(b"\xef\xbb\xbf")
    head, *rows = list(csv.reader(StringIO(answer.data.decode("utf-8-sig"))))
    assert head[0] == "Mã đơn"
    assert [row[0] for row in rows] == [code]
    assert "'=HYPERLINK(1)" in rows[0]
    assert "0912 345 678" in rows[0]


def test_a_long_file_is_read_some_hundred_orders_at_a_time(
    database: Database, monkeypatch: pytest.MonkeyPatch, app: object
) -> None:
    monkeypatch.setattr(order_book, "ROWS_AT_ONCE", 2)
    with database.transaction() as session:
        for n in range(5):
            an_order_of(session, phone=f"091234567{n}")

    with app.app_context():
        lots = list(order_book.rows_of_csv(database, Filters(), now=NOON))

    assert [len(rows) for rows in lots] == [1, 2, 2, 1]


@pytest.mark.parametrize(
    "query",
    ["", "?q=nguyen", "?don=x&tien=x&phan=x&cach=x&tu=x&den=x&viec=x&sau=x", "?tu=0001-01-01"],
)
def test_the_list_takes_any_address(database: Database, staff: FlaskClient, query: str) -> None:
    with database.transaction() as session:
        code = an_order_of(session, now=utc_now()).code

    page = staff.get(f"/quan-tri/don-hang{query}")

    assert page.status_code == 200
    assert code in page.text


def test_the_page_of_heaps_leads_to_the_orders_that_wait(
    database: Database, staff: FlaskClient
) -> None:
    with database.transaction() as session:
        order = an_order_of(session, now=utc_now())
        freezing.freeze(session, order, why="tranh chấp", actor=SYSTEM, now=utc_now())
        code = order.code

    heaps = staff.get("/quan-tri/don-hang/viec-can-xu-ly").text
    listed = staff.get("/quan-tri/don-hang?viec=tranh-chap").text

    assert "/quan-tri/don-hang?viec=tranh-chap" in heaps
    assert code in listed


@pytest.mark.parametrize("address", ["", "/viec-can-xu-ly", "/tai-ve.csv", "/ABCDEFGH2"])
def test_nobody_but_staff_reads_the_book(
    database: Database, visitor: FlaskClient, address: str
) -> None:
    with database.transaction() as session:
        person = a_user(session, role=Role.PRODUCER).id
    log_in(visitor, database, person)

    answer = visitor.get(f"/quan-tri/don-hang{address}")

    assert answer.status_code in {302, 303, 403, 404}
