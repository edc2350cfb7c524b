"""Money as services tell it and as a producer sees it, sent the way each of them sends it."""

import json
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from accounts.audit import Act, Actor
from accounts.users import Role
from core.clock import VIETNAM, utc_now
from core.db import Database
from core.inbox import InboxEvent, Outcome
from core.money import Money
from core.tasks import Work
from shop import bank_audit, connections
from shop.audit import find_faults
from shop.connections import Connection
from shop.orders import Order
from shop.payments import bank_batches, bank_rows, payos, sepay
from shop.payments.bank_desk import PAGE
from shop.payments.bank_rows import BankState, BankTxn, Why
from shop.payments.payments import Payment, PaymentState
from tests.conftest import SECRET
from tests.factories import a_user
from tests.shop.bank_money import ACCOUNT, a_row, an_unpaid
from tests.shop.selling import Counted, a_member, hidden, log_in

KEY = "khoa-bi-mat"
OWNER = Actor(None, "Chị Hoa")


@dataclass
class Shop:
    """A producer with an order that waits for money, and its connections."""

    producer_id: int
    slug: str
    payment_id: int
    memo: str
    order_code: str
    tokens: dict[str, str]
    member_id: int

    def hook(self, provider: str) -> str:
        """Where the service calls."""
        return f"/webhooks/{provider}/{self.tokens[provider]}"


CREDENTIALS = {
    "sepay": {"hmac_secret": KEY, "api_token": "t1"},
    "casso": {"secure_token": KEY, "api_key": "k1"},
    "payos": {"checksum_key": KEY},
}


@pytest.fixture
def shop(database: Database) -> Shop:
    from catalog.producers import Producer  # noqa: PLC0415

    now = utc_now()
    with database.transaction() as session:
        order, part, payment = an_unpaid(session, now=now)
        tokens = {}
        for provider, keys in CREDENTIALS.items():
            made = connections.open_new(
                session, part.producer_id, provider, keys, secrets=[SECRET], actor=OWNER, now=now
            )
            tokens[provider] = str(connections.token_of(made, [SECRET]))
        producer = session.get_one(Producer, part.producer_id)
        return Shop(
            producer.id,
            producer.slug,
            payment.id,
            str(payment.memo),
            order.code,
            tokens,
            a_member(session, producer),
        )


def body_of(shop: Shop, **changed: Any) -> dict[str, Any]:
    """What SePay says of the whole amount coming in."""
    said: dict[str, Any] = {
        "id": 92704,
        "gateway": "KienLongBank",
        "transactionDate": utc_now().astimezone(VIETNAM).strftime("%Y-%m-%d %H:%M:%S"),
        "accountNumber": ACCOUNT,
        "subAccount": None,
        "code": None,
        "content": f"CT DEN {shop.memo}",
        "transferType": "in",
        "transferAmount": 165_000,
        "accumulated": 1_000_000,
        "referenceCode": "FT26329",
        "description": "",
    }
    return {**said, **changed}


def send_sepay(
    visitor: FlaskClient, shop: Shop, said: dict[str, Any], *, key: str = KEY, address: str = ""
) -> Any:
    body = json.dumps(said).encode()
    stamp = str(int(utc_now().timestamp()))
    headers = {
        "X-SePay-Signature": f"sha256={sepay.sign(key, body, stamp)}",
        "X-SePay-Timestamp": stamp,
        "Content-Type": "application/json",
    }
    return visitor.post(address or shop.hook("sepay"), data=body, headers=headers)


def counted(database: Database, what: type[Any]) -> int:
    with database.reading() as session:
        return int(session.scalar(select(func.count()).select_from(what)) or 0)


def state_of(database: Database, shop: Shop) -> PaymentState:
    with database.reading() as session:
        assert find_faults(session) == []
        assert bank_audit.find_faults(session) == []
        return session.get_one(Payment, shop.payment_id).state


def test_a_signed_message_pays_the_order_and_is_answered_as_sepay_wants(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    answer = send_sepay(visitor, shop, body_of(shop))

    assert (answer.status_code, answer.json) == (200, {"success": True})
    assert state_of(database, shop) is PaymentState.SUCCEEDED
    with database.reading() as session:
        event = session.scalars(select(InboxEvent)).one()
        assert event.outcome is Outcome.DONE
        assert (
            session.scalars(select(Connection).where(Connection.provider == "sepay")).one().seen_at
        )


def test_the_same_message_again_is_answered_the_same_and_changes_nothing(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    for _time in range(3):
        assert send_sepay(visitor, shop, body_of(shop)).status_code == 200

    assert (counted(database, InboxEvent), counted(database, BankTxn)) == (1, 1)
    assert state_of(database, shop) is PaymentState.SUCCEEDED


def test_24_equal_messages_at_once_pay_once(app: Flask, database: Database, shop: Shop) -> None:
    said, ready, statuses = body_of(shop), Barrier(24), []

    def send() -> None:
        ready.wait()
        statuses.append(send_sepay(app.test_client(), shop, said).status_code)

    threads = [Thread(target=send) for _number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Who waited too long for a connection is told to come again, and does.
    assert set(statuses) <= {200, 503}
    assert send_sepay(app.test_client(), shop, said).status_code == 200
    with database.reading() as session:
        payment = session.get_one(Payment, shop.payment_id)
        assert (payment.captured, payment.refund_due) == (Money(165_000), Money(0))
    assert (counted(database, InboxEvent), counted(database, BankTxn)) == (1, 1)
    assert state_of(database, shop) is PaymentState.SUCCEEDED


def test_forged_messages_are_refused_and_leave_nothing(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    said = body_of(shop)
    wrong_key = send_sepay(visitor, shop, said, key="khac")
    unsigned = visitor.post(shop.hook("sepay"), json=said)
    garbage = visitor.post(shop.hook("casso"), data=b"\xff\xfe{", headers={"secure-token": KEY})
    no_object = visitor.post(shop.hook("payos"), json=["a"])
    bad_header = visitor.post(
        shop.hook("sepay"), json=said, headers={"X-SePay-Signature": "sha256=\u00e9"}
    )

    for answer in (wrong_key, unsigned, garbage, no_object, bad_header):
        assert answer.status_code == 400
    assert (counted(database, InboxEvent), counted(database, BankTxn)) == (0, 0)
    assert state_of(database, shop) is PaymentState.AWAITING


def test_an_address_of_nobody_and_one_that_was_shut_answer_alike(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    with database.transaction() as session:
        for one in connections.list_open(session, shop.producer_id):
            connections.revoke(session, one, actor=OWNER, now=utc_now())

    said = body_of(shop)
    for address in (shop.hook("sepay"), "/webhooks/sepay/x", "/webhooks/sepay", "/webhooks/x/y"):
        assert send_sepay(visitor, shop, said, address=address).status_code == 404
    assert counted(database, BankTxn) == 0


def test_a_token_opens_the_address_of_its_own_service_only(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    address = f"/webhooks/sepay/{shop.tokens['casso']}"

    assert send_sepay(visitor, shop, body_of(shop), address=address).status_code == 404
    assert visitor.get(shop.hook("sepay")).status_code == 404


def test_a_signed_message_that_makes_no_sense_is_kept_for_a_person(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    answer = send_sepay(visitor, shop, body_of(shop, transferAmount="lots"))

    assert answer.status_code == 200
    with database.reading() as session:
        event = session.scalars(select(InboxEvent)).one()
        assert (event.outcome, event.why) == (
            Outcome.NEEDS_A_LOOK,
            "the amount is no whole number of đồng",
        )
    assert state_of(database, shop) is PaymentState.AWAITING


def test_casso_and_payos_pay_as_well_and_the_same_transfer_only_once(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    moment = utc_now().astimezone(VIETNAM).strftime("%Y-%m-%d %H:%M:%S")
    casso = {
        "error": 0,
        "data": [
            {
                "id": 1,
                "tid": "FT26329",
                "description": f"ck {shop.memo}",
                "amount": 165_000,
                "when": moment,
                "bank_sub_acc_id": ACCOUNT,
            }
        ],
    }
    data = {
        "orderCode": 1,
        "amount": 165_000,
        "description": f"CK {shop.memo}",
        "accountNumber": ACCOUNT,
        "reference": "FT26329",
        "transactionDateTime": moment,
        "currency": "VND",
        "paymentLinkId": "abc",
        "code": "00",
        "desc": "success",
    }

    first = visitor.post(shop.hook("casso"), json=casso, headers={"Secure-Token": KEY})
    second = visitor.post(
        shop.hook("payos"),
        json={"code": "00", "data": data, "signature": payos.sign(KEY, data)},
    )

    assert (first.status_code, second.status_code) == (200, 200)
    assert (counted(database, InboxEvent), counted(database, BankTxn)) == (2, 1)
    assert state_of(database, shop) is PaymentState.SUCCEEDED


def test_the_buyers_page_says_what_is_missing_and_its_qr_asks_for_that(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    import zxingcpp  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    from shop import links  # noqa: PLC0415
    from shop.payments import vietqr  # noqa: PLC0415

    with database.reading() as session:
        order = session.scalars(select(Order)).one()
    mark = links.order_mark(SECRET, order.cart_id)
    address = f"/don-hang/{order.code}"
    before = visitor.get(f"{address}/tinh-trang?t={mark}").text
    send_sepay(visitor, shop, body_of(shop, transferAmount=100_000))

    page = visitor.get(f"{address}?t={mark}")
    picture = visitor.get(f"{address}/qr/{shop.payment_id}.png?t={mark}")

    assert "65.000" in page.text
    [code] = zxingcpp.read_barcodes(Image.open(BytesIO(picture.data)))
    assert vietqr.decode(code.text).amount == Money(65_000)
    assert visitor.get(f"{address}/tinh-trang?t={mark}").text != before


def desk(visitor: FlaskClient, database: Database, shop: Shop) -> str:
    log_in(visitor, database, shop.member_id)
    return f"/ban-hang/{shop.slug}"


def test_a_producer_gives_money_without_a_code_to_the_suggested_order(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    send_sepay(visitor, shop, body_of(shop, content="tien mat ong"))
    home = desk(visitor, database, shop)
    page = visitor.get(f"{home}/doi-soat").text
    assert shop.order_code in page
    assert "tien mat ong" in page

    form = {
        "csrf_token": hidden(page, "csrf_token"),
        "payment_id": hidden(page, "payment_id"),
    }
    with database.reading() as session:
        row_id = session.scalars(select(BankTxn.id)).one()
    answer = visitor.post(f"{home}/doi-soat/{row_id}/gan", data=form)

    assert answer.status_code == 303
    assert state_of(database, shop) is PaymentState.SUCCEEDED
    again = visitor.post(f"{home}/doi-soat/{row_id}/gan", data=form)
    assert again.status_code == 409


def test_a_wrong_code_is_told_in_place_and_money_is_sent_back_by_reference(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    send_sepay(visitor, shop, body_of(shop, content="nham", transferAmount=1_000))
    home = desk(visitor, database, shop)
    page = visitor.get(f"{home}/doi-soat").text
    csrf = {"csrf_token": hidden(page, "csrf_token")}
    with database.reading() as session:
        row_id = session.scalars(select(BankTxn.id)).one()
    base = f"{home}/doi-soat/{row_id}"

    for code in ("KHONGCO", ""):
        assert visitor.post(f"{base}/gan", data={**csrf, "code": code}).status_code == 422
    assert visitor.post(f"{base}/tra", data=csrf).status_code == 303
    assert "1.000" in visitor.get(f"{home}/doi-soat?muc=tra-lai").text
    assert visitor.post(f"{base}/bo", data=csrf).status_code == 303
    assert visitor.post(f"{base}/tra", data=csrf).status_code == 303
    assert visitor.post(f"{base}/da_tra", data={**csrf, "reference": ""}).status_code == 422
    done = visitor.post(f"{base}/da_tra", data={**csrf, "reference": "FT99"})

    assert done.status_code == 303
    assert "FT99" in visitor.get(f"{home}/doi-soat?muc=xong").text
    assert state_of(database, shop) is PaymentState.AWAITING
    with database.reading() as session:
        verbs = set(session.scalars(select(Act.verb).where(Act.subject == f"bank:{row_id}")))
    assert verbs == {"bank.owed_back", "bank.undone", "bank.sent_back"}


def test_another_producers_money_does_not_exist_on_this_desk(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    with database.transaction() as session:
        _order, part, _payment = an_unpaid(session, phone="0987654321")
        other = bank_rows.take(
            session, a_row("bi mat"), producer_id=part.producer_id, now=utc_now()
        )
        assert other is not None
        row_id = other.id
    home = desk(visitor, database, shop)
    page = visitor.get(f"{home}/doi-soat").text
    form = {
        "csrf_token": hidden(
            visitor.get(f"{home}/ket-noi", follow_redirects=True).text, "csrf_token"
        )
    }

    assert "bi mat" not in page
    assert visitor.post(f"{home}/doi-soat/{row_id}/rieng", data=form).status_code == 404


def test_staff_sees_everybodys_money_and_acts_on_behalf(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    send_sepay(visitor, shop, body_of(shop, content="luong"))
    with database.transaction() as session:
        staff_id = a_user(session, role=Role.STAFF, name="Anh Tư").id
        row_id = session.scalars(select(BankTxn.id)).one()
    log_in(visitor, database, staff_id)
    page = visitor.get("/quan-tri/doi-soat").text
    assert "luong" in page

    form = {"csrf_token": hidden(page, "csrf_token")}
    assert visitor.post(f"/quan-tri/doi-soat/{row_id}/rieng", data=form).status_code == 303

    with database.reading() as session:
        act = session.scalars(select(Act).where(Act.verb == "bank.set_aside")).one()
        assert (act.actor_name, act.scope) == ("Anh Tư", f"producer:{shop.producer_id}")
        assert act.on_behalf_of is not None
        assert session.get_one(BankTxn, row_id).why is Why.SET_ASIDE


def test_a_long_queue_costs_no_question_for_each_row(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    def fill(start: int, count: int) -> None:
        with database.transaction() as session:
            for number in range(start, start + count):
                bank_rows.take(
                    session, a_row("x", number=str(number)), producer_id=shop.producer_id,
                    now=utc_now(),
                )  # fmt: skip

    home = desk(visitor, database, shop)
    fill(0, 2)
    with Counted(database) as few:
        visitor.get(f"{home}/doi-soat")
    fill(2, PAGE + 5)
    with Counted(database) as many:
        page = visitor.get(f"{home}/doi-soat").text

    assert many.queries == few.queries
    assert page.count('class="the stack"') == PAGE
    assert "sau=" in page


STATEMENT = """Ngày giao dịch;Ghi nợ;Ghi có;Nội dung;Số tham chiếu
{day};;165.000;{memo} mua mat ong;FT1
{day};20.000;;Phi;FT2
{day};;7.000;khong ro;FT3
hôm nào;;5.000;lỗi;FT4
"""


def test_a_statement_is_looked_at_first_then_taken_and_again_changes_nothing(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    home = desk(visitor, database, shop)
    day = utc_now().astimezone(VIETNAM).strftime("%d/%m/%Y")
    text = STATEMENT.format(day=day, memo=shop.memo)

    def look() -> Any:
        csrf = hidden(visitor.get(f"{home}/sao-ke").text, "csrf_token")
        form = {"csrf_token": csrf, "file": (BytesIO(text.encode()), "sao-ke.csv")}
        return visitor.post(f"{home}/sao-ke", data=form)

    first = look()
    assert first.status_code == 200
    assert counted(database, BankTxn) == 0
    digest = hidden(first.text, "digest")
    failed = visitor.get(f"{home}/sao-ke/{digest}/dong-loi.csv")
    assert "hôm nào" in failed.data.decode("utf-8-sig")
    assert "165.000" not in failed.text
    form = {"csrf_token": hidden(first.text, "csrf_token"), "digest": digest}
    taken = visitor.post(f"{home}/sao-ke/nhan", data=form)

    assert taken.status_code == 303
    assert counted(database, BankTxn) == 3
    assert state_of(database, shop) is PaymentState.SUCCEEDED
    assert visitor.post(f"{home}/sao-ke/nhan", data=form).status_code == 303
    again = look()
    assert 'name="digest"' not in again.text
    assert counted(database, BankTxn) == 3


def test_a_statement_that_cannot_be_read_is_refused_with_a_sentence(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    home = desk(visitor, database, shop)
    csrf = hidden(visitor.get(f"{home}/sao-ke").text, "csrf_token")

    for data in (b"PK\x03\x04", b"a;b\n1;2\n", b""):
        form = {"csrf_token": csrf, "file": (BytesIO(data), "x.xlsx")}
        assert visitor.post(f"{home}/sao-ke", data=form).status_code == 422
    assert visitor.post(f"{home}/sao-ke", data={"csrf_token": csrf}).status_code == 422
    wrong = {"csrf_token": csrf, "digest": "../../x"}
    assert visitor.post(f"{home}/sao-ke/nhan", data=wrong).status_code in {303, 404}


def test_one_desk_cannot_take_what_another_sent(
    visitor: FlaskClient, app: Flask, database: Database, shop: Shop
) -> None:
    app.extensions["storage"].put(f"private/sao-ke/producer-999/{'a' * 64}.bin", b"x")
    home = desk(visitor, database, shop)

    assert visitor.get(f"{home}/sao-ke/{'a' * 64}/dong-loi.csv").status_code == 404


def test_a_statement_nobody_took_is_deleted(app: Flask, database: Database, shop: Shop) -> None:
    storage = app.extensions["storage"]
    storage.put("private/sao-ke/producer-1/x.bin", b"x")

    bank_batches.forget_statement(
        Work(1, "bank.forget_statement", {"key": "private/sao-ke/producer-1/x.bin"}, 1,
             database, app.config["SETTINGS"], storage)
    )  # fmt: skip

    assert not storage.exists("private/sao-ke/producer-1/x.bin")


def test_connections_are_shown_after_the_password_only_and_work_until_shut(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    home = desk(visitor, database, shop)
    page = visitor.get(f"{home}/ket-noi").text
    assert f"http://localhost{shop.hook('sepay')}" in page
    assert KEY not in page

    csrf = {"csrf_token": hidden(page, "csrf_token")}
    empty = visitor.post(f"{home}/ket-noi", data={**csrf, "provider": "payos"})
    unknown = visitor.post(f"{home}/ket-noi", data={**csrf, "provider": "nobody"})
    made = visitor.post(
        f"{home}/ket-noi", data={**csrf, "provider": "payos", "checksum_key": "another"}
    )
    assert (empty.status_code, unknown.status_code, made.status_code) == (422, 422, 303)
    with database.reading() as session:
        first = connections.list_open(session, shop.producer_id)[0]
    change = {**csrf, "name": "SePay chính", "hmac_secret": "moi"}
    assert visitor.post(f"{home}/ket-noi/{first.id}", data=change).status_code == 303
    assert send_sepay(visitor, shop, body_of(shop)).status_code == 400
    assert send_sepay(visitor, shop, body_of(shop), key="moi").status_code == 200
    assert visitor.post(f"{home}/ket-noi/{first.id}/dong", data=csrf).status_code == 303
    assert send_sepay(visitor, shop, body_of(shop), key="moi").status_code == 404


def test_connections_ask_for_the_password_first(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    home = desk(visitor, database, shop)
    with database.transaction() as session:
        from accounts.sessions import LoginSession  # noqa: PLC0415

        for one in session.scalars(select(LoginSession)):
            one.proved_at = utc_now() - timedelta(hours=1)

    assert visitor.get(f"{home}/ket-noi").status_code == 303


def test_keys_at_rest_are_sealed(database: Database, shop: Shop) -> None:
    with database.reading() as session:
        rows = session.scalars(select(Connection)).all()

    for row in rows:
        assert KEY not in row.sealed_credentials
        assert shop.tokens[row.provider] not in row.sealed_token + row.token_hash
        assert connections.credentials(row, ["x" * 40]) == {}


def test_the_state_words_of_money_are_all_shown(
    visitor: FlaskClient, database: Database, shop: Shop
) -> None:
    home = desk(visitor, database, shop)
    for state in BankState:
        for number, why in enumerate([None, *Why]):
            with database.transaction() as session:
                row = bank_rows.take(
                    session, a_row("x", number=f"{state}{number}"), producer_id=shop.producer_id,
                    now=utc_now(),
                )  # fmt: skip
                assert row is not None
                row.state, row.why = state, why

    for tab in ("can-xem", "tra-lai", "thieu-thua", "khop", "xong"):
        assert visitor.get(f"{home}/doi-soat?muc={tab}").status_code == 200
