"""What is said to Stripe fits its published schemas, and whatever it says back is survived."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import stripe
from jsonschema import Draft202012Validator

from core import outgoing
from core.clock import utc_now
from core.money import Money
from core.outgoing import NoAnswer
from core.settings import ROOT, Settings
from demo.standins import stripe as standin
from demo.standins.stripe import SECRET, StripeStandIn, nested
from shop.payments.gateways import (
    Bill,
    GatewayRefused,
    Item,
    Reception,
    Reference,
    RefundStanding,
    RefundWish,
    Standing,
)
from shop.payments.stripe_gateway import StripeGateway, session_params
from shop.webhooks import Call, Forged

OFFICIAL = ROOT.parent / "shared" / "data" / "payments" / "stripe-spec-subset.json"


@pytest.fixture(scope="module")
def official() -> dict[str, Any]:
    """The published schemas of requests and examples of answers."""
    if not OFFICIAL.exists():
        assert not os.environ.get("CI"), f"{OFFICIAL} is missing"
        pytest.skip("the published schemas are not beside this checkout")
    found: dict[str, Any] = json.loads(OFFICIAL.read_text("utf-8"))
    return found


@pytest.fixture(autouse=True)
def no_memory_of_outages() -> None:
    outgoing.forget()


@pytest.fixture
def server() -> Iterator[StripeStandIn]:
    with StripeStandIn() as server:
        yield server


@pytest.fixture
def gateway(server: StripeStandIn) -> StripeGateway:
    return StripeGateway(keys(server))


def keys(server: StripeStandIn, *secrets: str) -> Settings:
    return Settings(
        SELLING_MODE="direct",
        STRIPE_SECRET_KEY="sk_test_1",
        STRIPE_WEBHOOK_SECRET=secrets or (SECRET,),
        STRIPE_API_BASE=server.url,
    )


def a_bill(**given: Any) -> Bill:
    bill = Bill(
        payment_id=7,
        order_id=5,
        order_code="ABCDEFGH2",
        memo="OC1234567",
        attempt="1",
        amount=Money(250_000),
        items=(Item("Mật ong rừng 500 ml", Money(110_000), 2), Item("Giao hàng", Money(30_000))),
        language="vi",
        email="an@example.com",
        ip="203.0.113.9",
        return_url="https://shop.example/xong?a={CHECKOUT_SESSION_ID}",
        cancel_url="https://shop.example/thoi",
        opened_at=utc_now(),
    )
    return replace(bill, **given)


def a_reference(provider_ref: str, payment_ref: str | None = None) -> Reference:
    return Reference(provider_ref, payment_ref, "OC1234567", utc_now())


def a_wish(payment_ref: str, *, refund_id: int = 3, dong: int = 100_000) -> RefundWish:
    return RefundWish(
        refund_id, Money(dong), Money(250_000), a_reference("cs", payment_ref), "cancelled",
        utc_now(), utc_now(), "Chị Hoa",
    )  # fmt: skip


def typed(schema: dict[str, Any], value: Any) -> Any:
    """A form's text read as the numbers and truths the schema says it holds."""
    kind = schema.get("type")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        options = [one for one in schema.get("anyOf", []) if one.get("type") == "object"]
        known = known or (options[0].get("properties", {}) if options else {})
        return {name: typed(known.get(name, {}), one) for name, one in value.items()}
    if isinstance(value, list):
        return [typed(schema.get("items", {}), one) for one in value]
    if kind == "integer" and str(value).lstrip("-").isdigit():
        return int(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def assert_fits(official: dict[str, Any], request: str, form: dict[str, Any]) -> None:
    schema = official["request_schemas"][request]
    Draft202012Validator(schema).validate(typed(schema, form))


def assert_looks_like(example: Any, body: Any, where: str = "") -> None:
    """The same fields, each empty or of a kind the published example has."""
    assert set(body) == set(example), where
    for name, value in body.items():
        if value is not None and example[name] is not None:
            assert type(value) is type(example[name]), f"{where}.{name}"


def test_what_we_ask_fits_the_published_schemas(
    official: dict[str, Any], server: StripeStandIn, gateway: StripeGateway
) -> None:
    page = gateway.create(a_bill())
    session = server.pay(page.provider_ref)
    gateway.refund(a_wish(session["payment_intent"]))
    second = gateway.create(a_bill(attempt="1.2", language="en", email=None))
    gateway.close(a_reference(second.provider_ref), now=utc_now())

    asked = [(one.path, nested(one.form())) for one in server.asked if one.method == "POST"]

    assert [path for path, _form in asked] == [
        "/v1/checkout/sessions",
        "/v1/refunds",
        "/v1/checkout/sessions",
        f"/v1/checkout/sessions/{second.provider_ref}/expire",
    ]
    assert_fits(official, "POST /v1/checkout/sessions", asked[0][1])
    assert_fits(official, "POST /v1/refunds", asked[1][1])
    assert_fits(official, "POST /v1/checkout/sessions", asked[2][1])
    assert_fits(official, "POST /v1/checkout/sessions/{session}/expire", asked[3][1])


def test_what_the_stand_in_answers_looks_like_the_published_examples(
    official: dict[str, Any], server: StripeStandIn, gateway: StripeGateway
) -> None:
    page = gateway.create(a_bill())
    session = server.pay(page.provider_ref)
    gateway.refund(a_wish(session["payment_intent"]))
    server.dispute(session["payment_intent"], status="needs_response")

    examples = official["fixtures"]

    assert_looks_like(examples["checkout.session"], session)
    assert_looks_like(examples["refund"], next(iter(server.kept.refunds.values())))
    for event in server.kept.events:
        assert_looks_like(examples["event"], event)
        assert event["type"] in official["webhook_event_types"]
        thing = event["data"]["object"]
        assert_looks_like(examples[thing["object"]], thing, event["type"])


def test_the_published_examples_are_understood_as_events(
    official: dict[str, Any], gateway: StripeGateway, server: StripeStandIn
) -> None:
    for kind, name in (
        ("checkout.session.completed", "checkout.session"),
        ("charge.refunded", "charge"),
        ("refund.updated", "refund"),
        ("charge.dispute.created", "dispute"),
        ("payout.paid", "payout"),
    ):
        event = {**official["fixtures"]["event"], "type": kind}
        event["data"] = {"object": official["fixtures"][name]}

        news = gateway.verify(a_call(server, json.dumps(event).encode()))

        assert news.kind == kind


def test_dong_are_sent_as_they_are(server: StripeStandIn, gateway: StripeGateway) -> None:
    page = gateway.create(a_bill())

    session = server.kept.sessions[page.provider_ref]

    assert (session["amount_total"], session["currency"]) == (250_000, "vnd")
    assert page.pay_url == f"{server.url}/pay/{page.provider_ref}"


def test_a_session_and_its_money_carry_the_order(
    server: StripeStandIn, gateway: StripeGateway
) -> None:
    gateway.create(a_bill())

    form, headers = nested(server.asked[0].form()), server.asked[0].headers

    assert form["metadata"] == {"order": "ABCDEFGH2", "payment": "7"}
    assert form["payment_intent_data"]["metadata"] == form["metadata"]
    assert headers["idempotency-key"] == "order:5:checkout:1"
    assert headers["stripe-version"] == "2026-10-28.endive"


@pytest.mark.parametrize(
    "items",
    [
        (),
        tuple(Item(f"Món {number}", Money(2_000)) for number in range(125)),
        (Item("Mật ong", Money(300_000)), Item("Giảm giá", Money(-50_000))),
        (Item("Mật ong", Money(240_000)),),
    ],
    ids=["none", "more than a hundred", "a discount", "not the amount"],
)
def test_items_that_cannot_be_shown_become_one(items: tuple[Item, ...]) -> None:
    params = session_params(a_bill(items=items), utc_now())

    [item] = params["line_items"]

    assert (item["price_data"]["unit_amount"], item["quantity"]) == (250_000, 1)


def test_a_lost_answer_asked_again_is_the_same_page(
    server: StripeStandIn, gateway: StripeGateway
) -> None:
    bill = a_bill()
    server.ail(lose=True, times=1)

    page = gateway.create(bill)
    again = gateway.create(bill)

    assert page.provider_ref == again.provider_ref
    assert len(server.kept.sessions) == 1


def test_the_same_attempt_with_another_amount_is_refused(gateway: StripeGateway) -> None:
    bill = a_bill()
    gateway.create(bill)

    with pytest.raises(GatewayRefused):
        gateway.create(replace(bill, amount=Money(250_001), items=()))


def test_a_refund_asked_twice_goes_out_once(server: StripeStandIn, gateway: StripeGateway) -> None:
    session = server.pay(gateway.create(a_bill()).provider_ref)
    server.ail(lose=True, times=1)

    first = gateway.refund(a_wish(session["payment_intent"]))
    again = gateway.refund(a_wish(session["payment_intent"]))

    assert (first.standing, first.amount) == (RefundStanding.SUCCEEDED, Money(100_000))
    assert first.reference == again.reference
    assert len(server.kept.refunds) == 1


def test_more_than_was_paid_is_refused(server: StripeStandIn, gateway: StripeGateway) -> None:
    session = server.pay(gateway.create(a_bill()).provider_ref)

    with pytest.raises(GatewayRefused):
        gateway.refund(a_wish(session["payment_intent"], dong=250_001))


def test_a_page_that_was_paid_is_not_closed(server: StripeStandIn, gateway: StripeGateway) -> None:
    page = gateway.create(a_bill())
    server.pay(page.provider_ref)

    report = gateway.close(a_reference(page.provider_ref), now=utc_now())

    assert (report.standing, report.amount) == (Standing.PAID, Money(250_000))


@pytest.mark.parametrize(
    "illness",
    [{"delay": 5}, {"drip": True}, {"status": 500}, {"garbage": True}, {"hang_up": True}],
    ids=["late", "dripping", "out of order", "garbage", "hanging up"],
)
def test_an_ill_stripe_holds_nobody(
    server: StripeStandIn, gateway: StripeGateway, illness: dict[str, Any]
) -> None:
    server.ail(**illness)
    begun = time.monotonic()

    with pytest.raises(NoAnswer):
        gateway.create(a_bill())

    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("body", ["[]", "null", "{}", '"x"', '{"object": "list"}', "{"])
def test_an_answer_without_sense_is_no_answer(
    server: StripeStandIn, gateway: StripeGateway, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "answer", lambda _asked: standin.Said(body))

    with pytest.raises(NoAnswer):
        gateway.create(a_bill())


def a_call(server: StripeStandIn, body: bytes, signature: str | None = None) -> Call:
    return Call(
        provider="stripe",
        token=None,
        method="POST",
        headers={"stripe-signature": server.sign(body) if signature is None else signature},
        query={},
        body=body,
        settings=keys(server),
        database=None,  # type: ignore[arg-type]
        storage=None,  # type: ignore[arg-type]
        now=utc_now(),
    )


EVENT = {
    "id": "evt_1", "object": "event", "type": "ping", "created": 1, "livemode": False,
    "data": {"object": {}},
}  # fmt: skip


def test_the_sdk_signs_as_the_stand_in_does(server: StripeStandIn, gateway: StripeGateway) -> None:
    body = json.dumps(EVENT)
    signature = stripe.WebhookSignature.generate_signature_header(body, SECRET)

    assert gateway.verify(a_call(server, body.encode(), signature)).event_id == "evt_1"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"not json",
        b"\xff\xfe\x00",
        json.dumps({**EVENT, "object": "list"}).encode(),
        json.dumps({**EVENT, "id": 5}).encode(),
        json.dumps({**EVENT, "data": []}).encode(),
        json.dumps({**EVENT, "created": "x"}).encode(),
        json.dumps(EVENT).encode("utf-16"),
        b'{"a": NaN}',
        b"[" * 20_000,
        json.dumps({**EVENT, "id": "evt\x00"}).encode(),
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(
    server: StripeStandIn, gateway: StripeGateway, body: bytes
) -> None:
    with pytest.raises(Forged):
        gateway.verify(a_call(server, body))


@pytest.mark.parametrize(
    "signature",
    ["", "t=1,v1=0", "chữ ký", "t=,v1=", "v0=1", "t=99999999999999999999,v1=0", ",,,", "t=1"],
)
def test_what_is_not_signed_is_refused(
    server: StripeStandIn, gateway: StripeGateway, signature: str
) -> None:
    with pytest.raises(Forged):
        gateway.verify(a_call(server, json.dumps(EVENT).encode(), signature))


def test_another_body_under_the_signature_is_refused(
    server: StripeStandIn, gateway: StripeGateway
) -> None:
    signature = server.sign(json.dumps(EVENT).encode())

    with pytest.raises(Forged):
        gateway.verify(a_call(server, json.dumps({**EVENT, "id": "evt_2"}).encode(), signature))


@pytest.mark.parametrize("minutes", [-6, 6, 60, 500_000])
def test_a_signature_of_another_time_is_refused(
    server: StripeStandIn, gateway: StripeGateway, minutes: int
) -> None:
    body = json.dumps(EVENT).encode()
    at = int((utc_now() + timedelta(minutes=minutes)).timestamp())

    with pytest.raises(Forged):
        gateway.verify(a_call(server, body, server.sign(body, at=at)))


def test_both_secrets_are_good_while_they_are_exchanged(server: StripeStandIn) -> None:
    body = json.dumps(EVENT).encode()

    news = StripeGateway(keys(server, "whsec_new", SECRET)).verify(a_call(server, body))

    assert news.event_id == "evt_1"


def test_only_a_forged_message_is_answered_with_no(gateway: StripeGateway) -> None:
    statuses = {reception: gateway.ack(reception).status for reception in Reception}

    assert statuses.pop(Reception.FORGED) == 400
    assert set(statuses.values()) == {200}
