"""VNPay: the published hash, its own codes, and each producer's money on its own account."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from accounts.audit import Actor
from core import outgoing, tasks
from core.clock import utc_now
from core.db import Database
from core.inbox import InboxEvent, Outcome
from core.money import Money
from core.outgoing import NoAnswer
from core.settings import Settings
from core.tasks import Task, TaskState, Work
from demo.standins.serving import Said
from demo.standins.vnpay import SECRET, TMN_CODE, VnpayStandIn
from shop import connections
from shop.audit import find_faults
from shop.order_states import SellerOrderState
from shop.orders import Order, SellerOrder
from shop.payments import refunds
from shop.payments.gateways import (
    Bill,
    GatewayRefused,
    Reference,
    RefundStanding,
    RefundWish,
    Standing,
)
from shop.payments.payments import Custody, Payment, PaymentState
from shop.payments.refunds import RefundReason, RefundState
from shop.payments.vnpay import Keys, VnpayGateway, canonical, sign
from tests.conftest import SECRET as SHOP_SECRET
from tests.factories import a_commune, a_producer, a_product, a_variant
from tests.shop.selling import SELLER, a_way, checkout_form, fill_cart, hidden

S = SellerOrderState
VECTOR = (
    "vnp_Amount=25000000&vnp_Command=pay&vnp_CreateDate=20261123180000&vnp_CurrCode=VND"
    "&vnp_ExpireDate=20261123183000&vnp_IpAddr=127.0.0.1&vnp_Locale=vn"
    "&vnp_OrderInfo=Thanh+toan+don+hang+DH7K2M9Q&vnp_OrderType=other"
    "&vnp_ReturnUrl=https%3A%2F%2Focop.example%2Fvnpay%2Freturn%3Fx%3D1"
    "&vnp_TmnCode=DEMO1234&vnp_TxnRef=DH7K2M9Q&vnp_Version=2.1.0"
)
VECTOR_HASH = (
    "50ce3a5067153ab62f27f25175a928980de61b1f5b27859f8b8023915dac0363"
    "d6bfbb57d5bdbc591a70db579874df7d043b585666d0443b8034e024f7e5f104"
)


@pytest.fixture(autouse=True)
def no_memory_of_outages() -> None:
    outgoing.forget()


@pytest.fixture
def vnpay() -> Iterator[VnpayStandIn]:
    with VnpayStandIn() as server:
        yield server


def a_gateway(vnpay: VnpayStandIn, secret: str = SECRET) -> VnpayGateway:
    settings = Settings(VNPAY_PAY_URL=vnpay.pay_url, VNPAY_API_BASE=vnpay.url)
    return VnpayGateway(Keys(TMN_CODE, secret), settings)


def a_bill(**given: Any) -> Bill:
    bill = Bill(
        payment_id=7,
        order_id=5,
        order_code="DH7K2M9Q",
        memo="OC7K2M9QX3",
        attempt="1",
        amount=Money(250_000),
        items=(),
        language="vi",
        email=None,
        ip="127.0.0.1",
        return_url="https://ocop.example/vnpay/return?x=1",
        cancel_url="https://ocop.example/",
        opened_at=utc_now(),
    )
    return replace(bill, **given)


def said_by(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def test_the_published_hash_is_ours() -> None:
    said = dict(parse_qsl(VECTOR))

    assert canonical(said) == VECTOR
    assert sign(canonical(said), "SECRETKEY0123456789") == VECTOR_HASH


def test_a_page_asks_what_the_published_one_asks() -> None:
    settings = Settings(VNPAY_PAY_URL="https://pay.example/vpcpay.html")
    gateway = VnpayGateway(Keys("DEMO1234", "SECRETKEY0123456789"), settings)
    bill = a_bill(memo="DH7K2M9Q", opened_at=datetime(2026, 11, 23, 11, 0, tzinfo=UTC))

    page = gateway.create(bill)

    assert page.pay_url == f"https://pay.example/vpcpay.html?{VECTOR}&vnp_SecureHash={VECTOR_HASH}"
    assert page.provider_ref == "DH7K2M9Q"


def test_a_later_page_has_a_name_of_its_own(vnpay: VnpayStandIn) -> None:
    page = a_gateway(vnpay).create(a_bill(attempt="2.3"))

    assert page.provider_ref == "OC7K2M9QX33"
    assert vnpay.read(urlsplit(page.pay_url).query) is not None


def a_reference(page: Any, opened_at: datetime, number: str | None = None) -> Reference:
    return Reference(page.provider_ref, number, "OC7K2M9QX3", opened_at)


def test_asking_tells_what_became_of_a_page(vnpay: VnpayStandIn) -> None:
    gateway, bill = a_gateway(vnpay), a_bill()
    page = gateway.create(bill)
    reference = a_reference(page, bill.opened_at)

    unknown = gateway.query(reference, now=bill.opened_at)
    over = gateway.query(reference, now=bill.opened_at + timedelta(minutes=31))
    vnpay.pay(said_by(page.pay_url))
    report = gateway.query(reference, now=bill.opened_at)

    assert (unknown.standing, over.standing) == (Standing.OPEN, Standing.EXPIRED)
    assert (report.standing, report.amount) == (Standing.PAID, Money(250_000))


def a_wish(page: Any, number: str, *, dong: int, days: int = 0) -> RefundWish:
    now = utc_now()
    return RefundWish(
        9, Money(dong), Money(250_000), a_reference(page, now, number), "cancelled",
        now - timedelta(days=days), now, "Chị Hoà",
    )  # fmt: skip


def test_a_refund_asked_twice_goes_out_once(vnpay: VnpayStandIn) -> None:
    gateway = a_gateway(vnpay)
    page = gateway.create(a_bill())
    number = vnpay.pay(said_by(page.pay_url))["vnp_TransactionNo"]

    first = gateway.refund(a_wish(page, number, dong=50_000))
    again = gateway.refund(a_wish(page, number, dong=50_000))

    assert (first.standing, again.standing) == (RefundStanding.PENDING, RefundStanding.PENDING)
    assert vnpay.transactions[page.provider_ref].refunded == 5_000_000


def test_a_refund_is_not_asked_for_again_on_another_day(vnpay: VnpayStandIn) -> None:
    gateway = a_gateway(vnpay)
    page = gateway.create(a_bill())
    number = vnpay.pay(said_by(page.pay_url))["vnp_TransactionNo"]

    with pytest.raises(GatewayRefused):
        gateway.refund(a_wish(page, number, dong=50_000, days=1))

    assert vnpay.transactions[page.provider_ref].refunded == 0


@pytest.mark.parametrize(
    "answer",
    [
        "[]",
        "x",
        "{}",
        '{"vnp_ResponseCode": "99"}',
        '{"vnp_ResponseCode": "00", "vnp_TransactionStatus": "00", "vnp_Amount": "25000000"}',
    ],
)
def test_an_answer_without_a_hash_or_sense_is_no_answer(
    vnpay: VnpayStandIn, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(vnpay, "answer", lambda _asked: Said(answer))
    bill = a_bill()
    gateway = a_gateway(vnpay)

    with pytest.raises(NoAnswer):
        gateway.query(a_reference(gateway.create(bill), bill.opened_at), now=bill.opened_at)


def test_a_wrong_secret_is_refused_by_vnpay(vnpay: VnpayStandIn) -> None:
    gateway, bill = a_gateway(vnpay, "another"), a_bill()

    with pytest.raises(GatewayRefused):
        gateway.query(a_reference(gateway.create(bill), bill.opened_at), now=bill.opened_at)


class Market:
    """Two producers with VNPay accounts of their own, one buyer."""

    def __init__(self, app: Flask, database: Database, vnpay: VnpayStandIn) -> None:
        self.app, self.database, self.vnpay = app, database, vnpay
        self.visitor: FlaskClient = app.test_client()
        self.tokens: list[str] = []
        self.variants: list[int] = []
        with database.transaction() as session:
            a_commune(session)
            for name in ("HTX Ong", "HTX Nấm"):
                producer = a_producer(session, name=name)
                a_way(session, producer)
                product = a_product(session, producer=producer)
                self.variants.append(a_variant(session, product=product, price=100_000).id)
                connection = connections.open_new(
                    session, producer.id, "vnpay",
                    {"tmn_code": TMN_CODE, "hash_secret": SECRET},
                    secrets=(SHOP_SECRET,), actor=Actor(None, "Chị Hoa"), now=utc_now(),
                )  # fmt: skip
                self.tokens.append(connections.token_of(connection, (SHOP_SECRET,)) or "")

    def order(self, *numbers: int) -> Any:
        """Order a jar of each of these producers, paid by VNPay."""
        for number in numbers:
            fill_cart(self.visitor, self.variants[number])
        form = checkout_form(self.visitor, payment_method="vnpay")
        return self.visitor.post("/dat-hang", data=form)

    def tell(self, told: dict[str, str], *, token: str | None = None) -> dict[str, str]:
        """Bring an IPN; give back what the shop says."""
        address = f"/webhooks/vnpay/{token or self.tokens[0]}"
        answer = self.visitor.get(address, query_string=told)
        assert answer.status_code == 200
        said: dict[str, str] = answer.get_json()
        return said

    def look(self) -> list[tuple[SellerOrderState, PaymentState, Money]]:
        """Each part with its payment."""
        with self.database.reading() as session:
            assert find_faults(session) == []
            rows = session.execute(
                select(SellerOrder, Payment)
                .join(Payment, Payment.seller_order_id == SellerOrder.id)
                .order_by(SellerOrder.id)
            ).all()
            return [(part.state, payment.state, payment.captured) for part, payment in rows]


@pytest.fixture
def settings(settings: Settings, vnpay: VnpayStandIn) -> Settings:
    return replace(settings, VNPAY_PAY_URL=vnpay.pay_url, VNPAY_API_BASE=vnpay.url)


@pytest.fixture
def market(app: Flask, database: Database, vnpay: VnpayStandIn) -> Market:
    return Market(app, database, vnpay)


def test_ordering_of_one_producer_leads_to_its_page(market: Market) -> None:
    answer = market.order(0)

    page = answer.headers["Location"]
    told = market.vnpay.pay(said_by(page))
    said = market.tell(told)

    assert page.startswith(market.vnpay.pay_url)
    assert said_by(page)["vnp_Amount"] == "11800000"
    assert said == {"RspCode": "00", "Message": "Confirm Success"}
    assert market.look() == [(S.TO_CONFIRM, PaymentState.SUCCEEDED, Money(118_000))]
    with market.database.reading() as session:
        payment = session.scalars(select(Payment)).one()
        assert (payment.custody, payment.provider_ref) == (Custody.PRODUCER, payment.memo)


def test_the_return_address_pays_nothing_of_what_it_says(market: Market) -> None:
    page = said_by(market.order(0).headers["Location"])
    invented = {**page, "vnp_ResponseCode": "00", "vnp_TransactionStatus": "00"}

    market.visitor.get(f"{page['vnp_ReturnUrl']}&{urlencode(invented)}")
    before = market.look()
    market.vnpay.pay(page)
    market.visitor.get(page["vnp_ReturnUrl"])

    assert before == [(S.PENDING, PaymentState.OPEN, Money(0))]
    assert market.look() == [(S.TO_CONFIRM, PaymentState.SUCCEEDED, Money(118_000))]


def test_said_again_it_was_known_already(market: Market) -> None:
    told = market.vnpay.pay(said_by(market.order(0).headers["Location"]))

    first, second = market.tell(told), market.tell(told)

    assert (first["RspCode"], second["RspCode"]) == ("00", "02")
    assert market.look() == [(S.TO_CONFIRM, PaymentState.SUCCEEDED, Money(118_000))]


@pytest.mark.parametrize("amount", ["11800100", "11799900", "118000", "1180000000", "11800050"])
def test_another_amount_never_pays(market: Market, amount: str) -> None:
    page = said_by(market.order(0).headers["Location"])
    market.vnpay.pay(page)
    done = market.vnpay.transactions[page["vnp_TxnRef"]]

    said = market.tell(market.vnpay.news(done, vnp_Amount=amount))

    assert said["RspCode"] == "04"
    assert market.look() == [(S.PENDING, PaymentState.OPEN, Money(0))]
    with market.database.reading() as session:
        assert session.scalars(select(InboxEvent.outcome)).all() == [Outcome.NEEDS_A_LOOK]


def test_a_hash_that_does_not_fit_changes_nothing(market: Market) -> None:
    told = market.vnpay.pay(said_by(market.order(0).headers["Location"]))

    for change in (
        {"vnp_Amount": "100"},
        {"vnp_SecureHash": "0" * 128},
        {"vnp_SecureHash": "chữ"},
        {"vnp_Extra": "1"},
    ):
        assert market.tell({**told, **change})["RspCode"] == "97"

    assert market.tell({})["RspCode"] == "97"
    assert market.look() == [(S.PENDING, PaymentState.OPEN, Money(0))]


def test_a_payment_of_another_account_is_not_found(market: Market) -> None:
    told = market.vnpay.pay(said_by(market.order(0).headers["Location"]))

    said = market.tell(told, token=market.tokens[1])

    assert said["RspCode"] == "01"
    assert market.look() == [(S.PENDING, PaymentState.OPEN, Money(0))]


def test_an_unknown_payment_is_not_found(market: Market) -> None:
    page = said_by(market.order(0).headers["Location"])
    market.vnpay.pay(page)
    done = market.vnpay.transactions[page["vnp_TxnRef"]]

    assert market.tell(market.vnpay.news(done, vnp_TxnRef="OC22222222"))["RspCode"] == "01"


def test_a_try_that_failed_may_be_made_again(market: Market) -> None:
    answer = market.order(0)
    page = said_by(answer.headers["Location"])

    said = market.tell(market.vnpay.pay(page, code="24"))
    failed = market.look()
    own = page["vnp_ReturnUrl"].replace("/tra-xong/1", "")
    order_page = market.visitor.get(own)
    again = market.visitor.post(
        page["vnp_ReturnUrl"].replace("/tra-xong/", "/tra-online/"),
        data={"csrf_token": hidden(order_page.text, "csrf_token")},
    )
    second = said_by(again.headers["Location"])
    market.tell(market.vnpay.pay(second))

    assert said["RspCode"] == "00"
    assert failed == [(S.PENDING, PaymentState.FAILED, Money(0))]
    assert second["vnp_TxnRef"] == f"{page['vnp_TxnRef']}2"
    assert market.look() == [(S.TO_CONFIRM, PaymentState.SUCCEEDED, Money(118_000))]


def test_each_producer_is_paid_by_itself(market: Market) -> None:
    answer = market.order(0, 1)

    with market.database.reading() as session:
        assert session.scalars(select(Order)).one().code in answer.headers["Location"]
    page = market.visitor.get(answer.headers["Location"]).text

    assert page.count("tra-online-") == 2
    assert [state for _part, state, _money in market.look()] == [PaymentState.CREATED] * 2


def test_vnpay_is_offered_only_when_every_producer_has_it(market: Market) -> None:
    with market.database.transaction() as session:
        connection = connections.find_open(session, 2, "vnpay")
        assert connection is not None
        connections.revoke(session, connection, actor=Actor(None, "Chị Hoa"), now=utc_now())
    fill_cart(market.visitor, market.variants[0])
    alone = 'value="vnpay"' in market.visitor.get("/dat-hang").text
    fill_cart(market.visitor, market.variants[1])

    assert alone
    assert 'value="vnpay"' not in market.visitor.get("/dat-hang").text


def test_a_shut_address_answers_no_more(market: Market) -> None:
    assert market.visitor.get("/webhooks/vnpay/unknown").status_code == 404
    assert market.visitor.get("/webhooks/vnpay").status_code == 404


def test_a_refund_goes_through_the_producers_account(market: Market) -> None:
    page = said_by(market.order(0).headers["Location"])
    market.tell(market.vnpay.pay(page))
    with market.database.transaction() as session:
        part, payment = session.scalars(select(SellerOrder)).one(), session.scalars(select(Payment))
        refund = refunds.request(
            session, payment.one(), part, Money(20_000), reason=RefundReason.GOODWILL,
            actor=SELLER, now=utc_now(),
        )  # fmt: skip
        refund_id = refund.id

    _run(market, refunds.SEND)

    assert market.vnpay.transactions[page["vnp_TxnRef"]].refunded == 2_000_000
    with market.database.reading() as session:
        refund = session.get_one(refunds.Refund, refund_id)
        assert refund.state is RefundState.PENDING


def _run(market: Market, kind: str) -> None:
    with market.database.transaction() as session:
        task_id = session.scalars(
            select(Task.id).where(Task.kind == kind, Task.state == TaskState.DUE)
        ).one()
        task = tasks.claim(session, now=utc_now() + timedelta(seconds=1), task_id=task_id)
        assert task is not None
        work = Work(
            task.id, task.kind, task.payload, task.attempts, market.database,
            market.app.config["SETTINGS"], market.app.extensions["storage"],
        )  # fmt: skip
    market.app.extensions["tasks"][kind](work)
