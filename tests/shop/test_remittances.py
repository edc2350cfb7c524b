"""Cash collected at doors: lists of carriers are matched row by row, and nothing comes twice."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
import xlsxwriter
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from accounts.users import Role
from catalog.producers import Producer
from core.db import Database
from core.money import ZERO, Money
from core.sheets import BadSheet
from shop import fulfilment, parcel_audit, remittance_lists, remittances, shipments
from shop.audit import find_faults
from shop.delivery import DeliveryKind
from shop.orders import Order, SellerOrder
from shop.payments import payments
from shop.payments.payments import Custody, Payment, PaymentState
from shop.remittance_lists import Listed, ListedRow, NotAList
from shop.remittances import NothingToHandOver, RemittanceBatch, RowState
from shop.shipments import Shipment
from tests.conftest import NOON
from tests.factories import a_producer, a_product, a_user, a_variant
from tests.shop.selling import SELLER, a_member, a_way, an_order, at_once, hidden, log_in, only_part

pytestmark = pytest.mark.usefixtures("app")
BY: dict[str, Any] = {"actor": SELLER, "now": NOON}


def a_seller(session: Session) -> Producer:
    """A producer that sends by post for 18.000 ₫."""
    producer = a_producer(session, slug="htx-ong")
    a_way(session, producer, free_from=None)
    return producer


def delivered(
    session: Session, producer: Producer, waybill: str, *, hand_over: bool = True
) -> tuple[Order, SellerOrder]:
    """An order of 183.000 ₫ on its way under `waybill`, at the buyer's unless told otherwise."""
    product = a_product(session, producer=producer, name=f"Mật {waybill}")
    order = an_order(session, (a_variant(session, product=product), 1))
    part = only_part(session, order)
    fulfilment.accept(session, order, part, called_buyer=True, **BY)
    fulfilment.pack(session, order, part, **BY)
    shipments.write_waybill(session, order, part, waybill=waybill, carrier_name="VNPost", **BY)
    fulfilment.ship(session, order, part, **BY)
    if hand_over:
        fulfilment.deliver(session, order, part, **BY)
    return order, part


def a_list(*rows: tuple[str, int], digest: str = "a", fee: int = 0) -> Listed:
    return Listed(
        "COD.xlsx",
        digest,
        tuple(
            ListedRow(number, waybill, Money(cod), Money(fee))
            for number, (waybill, cod) in enumerate(rows, start=2)
        ),
        ZERO,
    )


def cash_of(session: Session, part: SellerOrder) -> Payment:
    return payments.list_of_parts(session, [part.id])[part.id]


def states(session: Session, batch: RemittanceBatch) -> list[RowState]:
    return [row.state for row in remittances.list_rows(session, batch)]


def test_each_row_says_what_became_of_it(session: Session) -> None:
    producer = a_seller(session)
    _order, fits = delivered(session, producer, "EB0001")
    _order, differs = delivered(session, producer, "EB0002")
    _order, early = delivered(session, producer, "EB0003", hand_over=False)
    rows = a_list(
        ("EB0001", 183_000), ("EB0002", 180_000), ("EB0003", 183_000), ("EB9999", 50_000),
        ("EB0001", 183_000), fee=18_000,
    )  # fmt: skip

    batch = remittances.take(session, producer.id, rows, **BY)

    assert states(session, batch) == [
        RowState.MATCHED, RowState.DIFFERS, RowState.NOT_DELIVERED, RowState.UNKNOWN,
        RowState.ALREADY,
    ]  # fmt: skip
    assert cash_of(session, fits).state is PaymentState.REMITTED
    assert cash_of(session, fits).custody is Custody.PRODUCER
    assert cash_of(session, differs).state is PaymentState.COLLECTED
    assert cash_of(session, early).state is PaymentState.DUE
    assert (batch.cod_total, batch.fee_total) == (Money(779_000), Money(90_000))
    assert batch.net == Money(689_000)
    assert [*find_faults(session), *parcel_audit.find_faults(session)] == []


def test_the_same_list_again_changes_nothing(session: Session) -> None:
    producer = a_seller(session)
    _order, part = delivered(session, producer, "EB0001")
    rows = a_list(("EB0001", 183_000), ("EB9999", 1_000))
    first = remittances.take(session, producer.id, rows, **BY)
    before = states(session, first)

    again = remittances.take(session, producer.id, rows, **BY)

    assert again.id == first.id
    assert states(session, again) == before
    assert session.scalars(select(func.count()).select_from(RemittanceBatch)).one() == 1
    assert cash_of(session, part).captured == Money(183_000)


def test_a_row_that_was_too_early_fits_later(session: Session) -> None:
    producer = a_seller(session)
    order, part = delivered(session, producer, "EB0001", hand_over=False)
    rows = a_list(("EB0001", 183_000))
    batch = remittances.take(session, producer.id, rows, **BY)
    fulfilment.deliver(session, order, part, **BY)

    handed = remittances.look_again(session, batch, to=Custody.PRODUCER, **BY)

    assert handed == 1
    assert states(session, batch) == [RowState.MATCHED]


def test_another_list_that_names_the_parcel_again_hands_nothing_over(session: Session) -> None:
    producer = a_seller(session)
    delivered(session, producer, "EB0001")
    remittances.take(session, producer.id, a_list(("EB0001", 183_000)), **BY)

    again = remittances.take(session, producer.id, a_list(("EB0001", 183_000), digest="b"), **BY)

    assert states(session, again) == [RowState.ALREADY]


def test_the_parcels_of_another_producer_are_unknown(session: Session) -> None:
    producer = a_seller(session)
    _order, part = delivered(session, producer, "EB0001")
    other = a_producer(session)

    batch = remittances.take(session, other.id, a_list(("EB0001", 183_000)), **BY)

    assert states(session, batch) == [RowState.UNKNOWN]
    assert cash_of(session, part).state is PaymentState.COLLECTED


def test_a_row_that_differs_is_settled_with_a_word_on_why(session: Session) -> None:
    producer = a_seller(session)
    _order, part = delivered(session, producer, "EB0001")
    batch = remittances.take(session, producer.id, a_list(("EB0001", 180_000)), **BY)
    [row] = remittances.list_rows(session, batch)

    remittances.accept_row(
        session, batch, row.id, note="bưu cục trừ 3.000 phí", to=Custody.PRODUCER, **BY
    )

    assert (row.state, row.note) == (RowState.MATCHED, "bưu cục trừ 3.000 phí")
    assert cash_of(session, part).state is PaymentState.REMITTED
    with pytest.raises(NothingToHandOver):
        remittances.accept_row(session, batch, row.id, note="lại", to=Custody.PRODUCER, **BY)


def test_cash_is_written_down_by_hand_once(session: Session) -> None:
    producer = a_seller(session)
    order, part = delivered(session, producer, "EB0001")

    first = remittances.hand_over(session, order, part, note="bưu tá đưa tiền mặt", **BY)
    again = remittances.hand_over(session, order, part, note="bưu tá đưa tiền mặt", **BY)

    assert (first, again) == (True, False)
    assert remittances.list_out(session, producer.id, now=NOON) == []


def test_cash_that_is_with_the_producer_waits_for_nobody(session: Session) -> None:
    producer = a_producer(session)
    a_way(session, producer, kind=DeliveryKind.SELF)
    product = a_product(session, producer=producer)
    order = an_order(session, (a_variant(session, product=product), 1))
    part = only_part(session, order)
    fulfilment.accept(session, order, part, called_buyer=True, **BY)
    for act in (fulfilment.pack, fulfilment.ship, fulfilment.deliver):
        act(session, order, part, **BY)

    assert remittances.list_out(session, producer.id, now=NOON) == []
    assert not remittances.hand_over(session, order, part, note="đã cầm", **BY)


def test_cash_is_late_after_fourteen_days(session: Session) -> None:
    producer = a_seller(session)
    order, _part = delivered(session, producer, "EB0001")
    last, late = NOON + timedelta(days=14), NOON + timedelta(days=14, seconds=1)

    [waiting] = remittances.list_out(session, producer.id, now=last)

    assert not waiting.is_late
    assert remittances.list_out(session, None, now=last, only_late=True) == []
    [told] = remittances.list_out(session, None, now=late, only_late=True)
    assert (told.code, told.amount, told.waybill) == (order.code, Money(183_000), "EB0001")


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**5)), min_size=1, max_size=9))
def test_the_sums_of_a_list_add_up(amounts: list[tuple[int, int]]) -> None:
    lines = "\n".join(f"EB{n:04},{cod},{fee}" for n, (cod, fee) in enumerate(amounts))

    listed = remittance_lists.read(f"Mã vận đơn,Tiền COD,Phí\n{lines}".encode(), name="a.csv")

    assert [row.cod.dong for row in listed.rows] == [cod for cod, _fee in amounts]
    assert [row.fee.dong for row in listed.rows] == [fee for _cod, fee in amounts]


def test_a_carriers_own_sheet_is_read_with_its_headings() -> None:
    listed = remittance_lists.read(_sheet(), name="doi-soat.xlsx")

    assert [(row.number, row.waybill) for row in listed.rows] == [(4, "LABC12"), (5, "LABC13")]
    assert [row.cod for row in listed.rows] == [Money(183_000), Money(1_250_000)]
    assert listed.rows[0].fee == Money(22_000)
    assert listed.promo == Money(5_000)


def _sheet() -> bytes:
    file = BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    for number, row in enumerate(
        [
            ["Đối soát COD tuần 47"],
            [],
            ["STT", "Mã đơn GHN", "Người nhận", "Tiền thu hộ (đ)", "Tổng phí", "Khuyến mãi"],
            [1, "LABC12", "Chị Ẩn", 183_000, -22_000, 5_000],
            [2, "labc 13", "Anh Đức", "1.250.000", "27.000", ""],
            ["", "Tổng", "", 1_433_000, 49_000, 5_000],
        ]
    ):
        sheet.write_row(number, 0, row)
    book.close()
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", b"a,b\n1,2", "Mã vận đơn,Tiền COD\nEB1,nhiều".encode(), "Mã vận đơn,Tiền COD\n".encode()],
)
def test_what_is_no_list_is_refused_in_words(data: bytes) -> None:
    with pytest.raises((NotAList, BadSheet)):
        remittance_lists.read(data, name="x.csv")


def test_one_list_sent_twice_at_once_is_kept_once(database: Database) -> None:
    with database.transaction() as session:
        producer = a_seller(session)
        delivered(session, producer, "EB0001")
        producer_id = producer.id
    rows = a_list(("EB0001", 183_000))

    came = at_once(
        database,
        [lambda session: remittances.take(session, producer_id, rows, **BY).id for _n in range(4)],
    )

    assert len(set(map(str, came))) == 1
    with database.reading() as session:
        assert session.scalars(select(func.count()).select_from(RemittanceBatch)).one() == 1


def test_the_desk_takes_a_list_and_shows_what_is_out(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        producer = a_seller(session)
        order, _part = delivered(session, producer, "EB0001")
        delivered(session, producer, "EB0002")
        member, code = a_member(session, producer), order.code
    desk = app.test_client()
    log_in(desk, database, member)
    page = desk.get("/ban-hang/htx-ong/tien-cod").text
    token = hidden(page, "csrf_token")
    data = "Mã vận đơn;Tiền thu hộ;Phí\nEB0001;183.000;18.000\nEB7777;5.000;0\n".encode()

    taken = desk.post(
        "/ban-hang/htx-ong/tien-cod",
        data={"csrf_token": token, "file": (BytesIO(data), "COD.csv")},
    )
    shown = desk.get(taken.headers["Location"]).text
    wrong = desk.post(
        "/ban-hang/htx-ong/tien-cod",
        data={"csrf_token": token, "file": (BytesIO(b"a,b\n1,2\n"), "x.csv")},
    )

    assert code in page
    assert taken.status_code == 303
    assert "khớp" in shown
    assert "mã vận đơn lạ" in shown
    assert wrong.status_code == 422
    assert code not in desk.get("/ban-hang/htx-ong/tien-cod").text.split("da-nop")[0]


def test_staff_see_late_cash_and_give_up_what_is_lost(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        producer = a_seller(session)
        _order, part = delivered(session, producer, "EB0001", hand_over=False)
        parcel = shipments.find_current(session, part.id)
        assert parcel is not None
        parcel.needs_look = True
        session.flush()
        staff, parcel_id, part_id = a_user(session, role=Role.STAFF).id, parcel.id, part.id
    visitor = app.test_client()
    log_in(visitor, database, staff)
    page = visitor.get("/quan-tri/giao-hang").text
    token = hidden(page, "csrf_token")
    path = f"/quan-tri/giao-hang/{parcel_id}/mat-hang"

    without = visitor.post(path, data={"csrf_token": token, "why": ""})
    given_up = visitor.post(path, data={"csrf_token": token, "why": "GHN đền 100%"})

    assert "EB0001" in page
    assert without.status_code == 422
    assert given_up.status_code == 303
    with database.reading() as session:
        assert session.get_one(SellerOrder, part_id).state == "returned"
    assert "EB0001" not in visitor.get("/quan-tri/giao-hang").text


def test_the_audit_sees_cash_and_parcels_that_do_not_fit(session: Session) -> None:
    producer = a_seller(session)
    order, part = delivered(session, producer, "EB0001")
    batch = remittances.take(session, producer.id, a_list(("EB0001", 183_000)), **BY)
    assert parcel_audit.find_faults(session) == []

    cash_of(session, part).state = PaymentState.DUE
    batch.cod_total, batch.net = Money(1), Money(1)
    shipments.write_waybill(session, order, part, waybill="EB0001", carrier_name="", **BY)
    session.add_all(
        Shipment(
            seller_order_id=part.id, producer_id=producer.id, code=f"x{n}", carrier="manual",
            carrier_name="x", weight_g=1, created_at=NOON,
        )
        for n in range(2)
    )  # fmt: skip
    session.flush()

    told = {finding.what for finding in parcel_audit.find_faults(session)}
    assert len(told) == 4
