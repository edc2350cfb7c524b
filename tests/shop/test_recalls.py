"""From a recalled lot to its buyers: told once, called, listed; and sold nowhere meanwhile."""

import csv
import json
import re
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM
from accounts.users import Role
from catalog import members
from catalog.lots import Lot, LotState
from catalog.producers import Producer
from catalog.variants import Variant
from core.clock import utc_now
from core.db import Database
from core.tasks import Task
from livestream import console, shows
from livestream.feeds import feeds, items
from livestream.feeds.feeds import Channel
from shop import fulfilment, recalls
from shop.fulfilment import NotToBeSent
from shop.orders import Order, OrderLine
from tests.factories import a_lot, a_producer, a_product, a_show, a_step, a_user, a_variant
from tests.shop.selling import SELLER, an_order, fill_cart, only_part, run_due
from tests.visits import browser_of, send
from traceability import recall_cases, recall_scope, trace_codes
from traceability import recalls as cases
from traceability.diary import StepKind
from traceability.keeping import Input
from traceability.recall_cases import Case, CaseKind, CaseState

BASE = "http://localhost"
DESK = "/ban-hang/htx-mam/thu-hoi"


class Sauce:
    """A house that bottles sauce from brine: lot NUOC-1 went into MAM-1; OK-1 has nothing of it."""

    def __init__(self, session: Session) -> None:
        now = utc_now()
        producer = a_producer(session, name="HTX Mắm", slug="htx-mam", phone="+84912000111")
        product = a_product(session, producer=producer, name="Nước mắm", slug="nuoc-mam")
        self.bottle = a_variant(session, product=product, in_stock=0, sku="MAM-500")
        self.brine_variant = a_variant(session, product=product, price=None, in_stock=0)
        brine = a_lot(session, self.brine_variant, code="NUOC-1")
        bad = a_lot(session, self.bottle, code="MAM-1", in_stock=10)
        a_step(session, bad, kind=StepKind.PROCESSING, inputs=[Input(brine.id)])
        self.code = trace_codes.ensure_lot_code(session, bad, now=now)
        self.brine_code = trace_codes.ensure_lot_code(session, brine, now=now)
        self.brine, self.bad, self.producer_id = brine.id, bad.id, producer.id
        self.order = an_order(session, (self.bottle, 3), now=now)
        self.unsent = an_order(session, (self.bottle, 2), now=now, email="", name="Trần Văn Chờ")
        part = only_part(session, self.order)
        fulfilment.accept(session, self.order, part, called_buyer=True, actor=SELLER, now=now)
        fulfilment.pack(session, self.order, part, actor=SELLER, now=now)
        fulfilment.ship(session, self.order, part, actor=SELLER, now=now)
        self.part_id = part.id
        a_lot(session, self.bottle, code="OK-1", in_stock=0)
        for one in (self.order, self.unsent):
            session.refresh(one)


@pytest.fixture
def sauce(app: Flask, database: Database) -> Sauce:
    """The house, with one order on its way and one still to be packed."""
    with database.transaction() as session:
        return Sauce(session)


def stop(database: Database, lot_id: int, kind: CaseKind = CaseKind.RECALL) -> int:
    """Stop a lot because of histamine."""
    with database.transaction() as session:
        lot = session.get_one(Lot, lot_id)
        return cases.stop(
            session, lot, kind, reason="Histamin cao", base=BASE, actor=SYSTEM, now=utc_now()
        ).id


def person(app: Flask, database: Database, role: Role = Role.PRODUCER) -> FlaskClient:
    """The browser of someone of the house, or of staff."""
    with database.transaction() as session:
        user = a_user(session, role=role)
        if role is Role.PRODUCER:
            place = session.scalars(select(Producer)).one()
            members.add(session, place, user, actor=SYSTEM, now=utc_now())
    return browser_of(app, database, user)


def mails(database: Database) -> list[dict[str, str]]:
    """The letters about recalls that wait to be sent."""
    with database.reading() as session:
        found = session.scalars(select(Task).where(Task.kind == "mail.send").order_by(Task.id))
        return [one.payload for one in found if str(one.key).startswith("mail:recall:")]


def test_looking_first_tells_orders_and_changes_nothing(
    app: Flask, database: Database, sauce: Sauce
) -> None:
    with database.reading() as session:
        scope = recall_scope.of_lot(session, sauce.brine)
        touched = recalls.touched(session, [line.lot.id for line in scope.made])

    assert touched.orders == sorted([sauce.order.code, sauce.unsent.code])
    assert (touched.pieces_out, touched.pieces_waiting) == (3, 2)
    assert (scope.on_hand, scope.reserved) == (7, 2)


def test_nothing_of_a_stopped_lot_is_sold_in_shop_show_or_feed(
    app: Flask, database: Database, visitor: FlaskClient, sauce: Sauce
) -> None:
    with database.transaction() as session:
        show = a_show(session, producer=session.get_one(Producer, sauce.producer_id))
        variant = session.get_one(Variant, sauce.bottle.id)
        shows.add_item(
            session, show, code="A1", variant_id=variant.id, name="Nước mắm", unit="chai",
            live_price=variant.price, cap=5,  # type: ignore[arg-type]
        )  # fmt: skip

    stop(database, sauce.brine, CaseKind.HOLD)

    with database.reading() as session:
        [line] = console.list_lines(session, show.id, now=utc_now())
        fed = {item.variant_id: item.free for item in items.each_item(session, now=utc_now())}
    fill_cart(visitor, sauce.bottle.id)
    assert line.left == 0
    assert fed[sauce.bottle.id] == 0
    assert 'action="/gio-hang/them"' not in visitor.get(f"/truy-xuat/{sauce.code}").text
    with database.reading() as session:
        assert session.scalars(select(Order.id)).all() == [sauce.order.id, sauce.unsent.id]


def test_a_channel_is_told_in_the_same_breath(app: Flask, database: Database, sauce: Sauce) -> None:
    with database.transaction() as session:
        feeds.ensure_feed(session, Channel.META)

    stop(database, sauce.brine, CaseKind.HOLD)
    run_due(app, database, now=utc_now())

    with database.reading() as session:
        token = session.scalars(select(feeds.Feed.token)).one()
    with app.test_client().get(f"/feeds/{token}/meta.csv") as file:
        [row] = csv.DictReader(StringIO(file.data.decode("utf-8-sig")))
    assert row["availability"] == "out of stock"


def test_the_desk_and_staff_are_told_what_waits(
    app: Flask, database: Database, sauce: Sauce
) -> None:
    case_id = stop(database, sauce.brine)
    owner, staff = person(app, database), person(app, database, Role.STAFF)
    page = f"{DESK}/{case_id}"

    send(owner, f"{page}/xin-go", page=page, reason="Kiểm lại đạt")

    home = owner.get("/ban-hang/htx-mam").text
    assert "2 người mua cần gọi báo thu hồi" in home
    assert "1 lệnh thu hồi chờ người thứ hai" in home
    assert "Thu hồi chờ người thứ hai" in staff.get("/quan-tri/don-hang/viec-can-xu-ly").text


def test_goods_set_aside_before_do_not_leave_after(
    app: Flask, database: Database, sauce: Sauce
) -> None:
    with database.transaction() as session:
        part = only_part(session, sauce.unsent)
        fulfilment.accept(
            session, sauce.unsent, part, called_buyer=True, actor=SELLER, now=utc_now()
        )

    stop(database, sauce.brine)

    with database.transaction() as session, pytest.raises(NotToBeSent):
        fulfilment.pack(session, sauce.unsent, only_part(session, sauce.unsent), actor=SELLER,
                        now=utc_now())  # fmt: skip


def test_each_buyer_gets_one_letter_however_often_it_is_sent(
    app: Flask, database: Database, sauce: Sauce
) -> None:
    stop(database, sauce.brine)

    run_due(app, database, now=utc_now())
    run_due(app, database, now=utc_now() + timedelta(minutes=11))

    [letter] = mails(database)
    assert letter["to"] == "an@example.com"
    assert sauce.order.code in letter["subject"]
    assert "Thu hồi" in letter["subject"]
    assert "lô MAM-1" in letter["body"]
    assert "Histamin cao" in letter["body"]
    assert "Ngừng dùng" in letter["body"]


def test_a_hold_writes_to_nobody(app: Flask, database: Database, sauce: Sauce) -> None:
    stop(database, sauce.brine, CaseKind.HOLD)

    run_due(app, database, now=utc_now() + timedelta(minutes=11))

    assert mails(database) == []


def test_the_desk_looks_types_the_code_and_recalls(
    app: Flask, database: Database, visitor: FlaskClient, sauce: Sauce
) -> None:
    owner = person(app, database)
    page = f"{DESK}/lo/{sauce.brine}"
    lot_page = owner.get(f"/ban-hang/htx-mam/so-lo/{sauce.brine}").text
    look = owner.get(page).text

    slip = send(owner, page, page=page, kind="recall", reason="Histamin cao", code="NUOC-9")
    done = send(owner, page, page=page, kind="recall", reason="Histamin cao", code="nuoc-1")

    assert page in lot_page
    assert "Đã gửi cho người mua" in look
    assert slip.status_code == 422
    assert done.status_code == 303
    shown = owner.get(done.location).text
    assert "Đã gọi 0 trên 2 đơn" in shown
    assert "Nguyễn Thị Ẩn" in shown
    scanned = visitor.get(f"/truy-xuat/{sauce.code}").text
    assert "đang bị thu hồi" in scanned or "thu hồi" in scanned
    assert "Histamin cao" in scanned


def test_calls_are_ticked_and_can_be_taken_back(
    app: Flask, database: Database, sauce: Sauce
) -> None:
    case_id = stop(database, sauce.brine)
    owner = person(app, database)
    page = f"{DESK}/{case_id}"

    send(owner, f"{page}/goi/{sauce.part_id}", page=page, called="1")
    send(owner, f"{page}/goi/{sauce.part_id}", page=page, called="1")
    after = owner.get(page).text
    send(owner, f"{page}/goi/{sauce.part_id}", page=page, called="0")

    assert "Đã gọi 1 trên 2 đơn" in after
    assert "Đã gọi 0 trên 2 đơn" in owner.get(page).text


def test_the_file_and_the_report_name_what_went_where(
    app: Flask, database: Database, sauce: Sauce
) -> None:
    case_id = stop(database, sauce.brine)
    owner = person(app, database)

    file = owner.get(f"{DESK}/{case_id}/nguoi-mua.csv")
    lots_file = owner.get(f"{DESK}/{case_id}/lo.csv")
    report = owner.get(f"{DESK}/{case_id}/bao-cao").text
    words = owner.get(f"{DESK}/{case_id}").text

    of_lots = list(csv.reader(StringIO(lots_file.data.decode("utf-8-sig"))))[1:]
    assert [(row[0], row[1], row[7]) for row in of_lots] == [
        ("NUOC-1", sauce.brine_code, "0"),
        ("MAM-1", sauce.code, "3"),
    ]
    assert re.search(r"HTX Mắm thu hồi Nước mắm[^,]*, lô MAM-1\.", words)
    rows = list(csv.reader(StringIO(file.data.decode("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == [sauce.order.code, sauce.unsent.code]
    assert [row[6:9] for row in rows[1:]] == [["MAM-1", "3", "đã gửi"], ["MAM-1", "2", "chưa gửi"]]
    assert "NUOC-1" in report
    assert "0912 000 111" in report
    assert "3 đã gửi khách" in report
    assert sauce.order.code in report
    assert "Nguyễn Thị Ẩn" not in report


def test_the_desk_ends_a_recall_with_two_people(
    app: Flask, database: Database, sauce: Sauce
) -> None:
    case_id = stop(database, sauce.brine)
    one, other = person(app, database), person(app, database, Role.STAFF)
    page = f"{DESK}/{case_id}"

    send(one, f"{page}/xin-go", page=page, reason="Kiểm lại đạt")
    alone = send(one, f"{page}/dong-y-go", page=page)
    send(other, f"{page}/dong-y-go", page=page)

    assert alone.status_code == 422
    with database.reading() as session:
        assert session.get_one(Case, case_id).state is CaseState.LIFTED
        assert session.get_one(Lot, sauce.bad).state is LotState.ACTIVE
    assert "Thu hồi" in other.get("/quan-tri/thu-hoi").text


def test_stopping_and_taking_the_buyers_along_ask_for_the_password_again(
    app: Flask, database: Database, sauce: Sauce
) -> None:
    case_id = stop(database, sauce.brine)
    owner = person(app, database)

    with time_machine.travel(utc_now() + timedelta(minutes=11)):
        look = owner.get(f"{DESK}/lo/{sauce.bad}")
        file = owner.get(f"{DESK}/{case_id}/nguoi-mua.csv")
        shown = owner.get(f"{DESK}/{case_id}")

    assert {look.status_code, file.status_code} <= {302, 303}
    assert shown.status_code == 200


def test_another_house_sees_nothing_of_it(app: Flask, database: Database, sauce: Sauce) -> None:
    case_id = stop(database, sauce.brine)
    with database.transaction() as session:
        other = a_producer(session, name="HTX Khác", slug="htx-khac")
        user = a_user(session, role=Role.PRODUCER)
        members.add(session, other, user, actor=SYSTEM, now=utc_now())
    browser = browser_of(app, database, user)

    for page in (f"{case_id}", f"lo/{sauce.brine}", f"{case_id}/nguoi-mua.csv"):
        assert browser.get(f"/ban-hang/htx-khac/thu-hoi/{page}").status_code == 404
        assert browser.get(f"{DESK}/{page}").status_code == 404


def test_the_status_of_a_code_is_public_json(
    app: Flask, database: Database, visitor: FlaskClient, sauce: Sauce
) -> None:
    before = visitor.get(f"/truy-xuat/{sauce.code}/thu-hoi.json").json
    stop(database, sauce.brine)
    after = visitor.get(f"/truy-xuat/{sauce.code}/thu-hoi.json")
    with database.transaction() as session:
        product_id = session.scalars(select(OrderLine.product_id)).first() or 0
        code = trace_codes.ensure_product_code(session, product_id, now=utc_now())
    of_product = visitor.get(f"/truy-xuat/{code}/thu-hoi.json").json

    assert before is not None
    assert before["status"] == "none"
    assert after.headers["Access-Control-Allow-Origin"] == "*"
    told = after.json
    assert told is not None
    [lot] = told["lots"]
    assert (told["status"], lot["lot"], lot["reason"]) == ("recalled", "MAM-1", "Histamin cao")
    assert lot["event"].startswith("ni:///sha-256;")
    assert of_product is not None
    assert {one["lot"] for one in of_product["lots"]} == {"MAM-1", "NUOC-1"}
    assert visitor.get("/truy-xuat/7K3QX9M2PD7/thu-hoi.json").status_code == 404


def test_the_command_looks_first_and_then_recalls(
    app: Flask, database: Database, sauce: Sauce
) -> None:
    flask = app.test_cli_runner()

    dry = flask.invoke(args=["trace", "recall", sauce.brine_code, "--dry-run", "--json"])
    with database.reading() as session:
        assert session.get_one(Lot, sauce.bad).state is LotState.ACTIVE
    done = flask.invoke(args=["trace", "recall", "NUOC-1", "--reason", "Histamin cao", "--json"])
    wrong = flask.invoke(args=["trace", "recall", "KHONG-CO"])

    told = json.loads(dry.stdout)
    assert told["totals"] == {
        "lots": 2, "serials": 0, "cartons": 0, "on_hand": 7, "reserved": 2, "orders": 2,
        "pieces_sent": 3, "pieces_waiting": 2,
    }  # fmt: skip
    assert [one["lot"] for one in told["lots"]] == ["NUOC-1", "MAM-1"]
    assert json.loads(done.stdout)["case"]
    assert {one["state"] for one in json.loads(done.stdout)["lots"]} == {"recalled"}
    with database.reading() as session:
        assert session.get_one(Lot, sauce.bad).state is LotState.RECALLED
        assert [one.lots for one in recall_cases.list_cases(session)] == [2]
    assert wrong.exit_code != 0
