"""GHN: what is sent to it, what its answers mean, and that nobody waits for it too long."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.producers import Producer
from core import outgoing
from core.db import Database
from core.money import Money
from core.outgoing import NoAnswer
from core.settings import Settings
from demo.standins.ghn import SHOP, TOKEN, GhnStandIn
from shop import carrier_fees, connections
from shop.carriers import ghn
from shop.carriers.carrier import CarrierRefused, Parcel, Stage, To
from shop.carriers.ghn_client import Ghn
from shop.delivery import DeliveryKind
from shop.orders import OrderEvent, SellerOrder
from tests.conftest import NOON, SECRET
from tests.factories import a_commune, a_producer, a_product, a_variant
from tests.shop.selling import SELLER, a_way, checkout_form, fill_cart, hidden

HANOI = To("01", "09784", "Thành phố Hà Nội", "Xã Đan Phượng", "Thôn 3", "Chị Ẩn", "+84912345678")


@pytest.fixture(autouse=True)
def no_memory_of_outages() -> None:
    outgoing.forget()


@pytest.fixture
def carrier() -> Iterator[GhnStandIn]:
    with GhnStandIn() as standing:
        yield standing


@pytest.fixture
def settings(settings: Settings, carrier: GhnStandIn) -> Settings:
    return replace(settings, GHN_API_BASE=carrier.url)


def client_of(carrier: GhnStandIn) -> Ghn:
    return Ghn(carrier.url, TOKEN, str(SHOP))


def a_parcel(**given: Any) -> Parcel:
    values = {"code": "ABC-1-1", "to": HANOI, "weight_g": 1_200, "value": Money(300_000)}
    return Parcel(**{**values, **given})


def test_the_new_addresses_of_two_levels_are_sent() -> None:
    body = ghn.order_body(a_parcel(cod=Money(318_000)))

    assert body["is_new_to_address"] is True
    assert body["to_ward_name"] == "Xã Đan Phượng"
    assert body["to_province_name"] == "Thành phố Hà Nội"
    assert body["to_phone"] == "0912345678"
    assert body["client_order_code"] == "ABC-1-1"
    assert (body["cod_amount"], body["insurance_value"]) == (318_000, 300_000)
    assert body["required_note"] == "CHOXEMHANGKHONGTHU"
    assert not {"to_district_id", "to_ward_code"} & set(body)


def test_what_ghn_would_not_take_is_said_before_it_is_asked() -> None:
    for unfit in (
        a_parcel(weight_g=50_001),
        a_parcel(cod=Money(50_000_001)),
        a_parcel(code="x" * 51),
    ):
        with pytest.raises(CarrierRefused):
            ghn.order_body(unfit)

    assert ghn.order_body(a_parcel(value=Money(9_000_000)))["insurance_value"] == 5_000_000


@pytest.mark.parametrize(
    ("word", "stage"),
    [
        ("ready_to_pick", Stage.CREATED),
        ("picked", Stage.PICKED_UP),
        ("sorting", Stage.IN_TRANSIT),
        ("delivering", Stage.OUT_FOR_DELIVERY),
        ("delivery_fail", Stage.WAITING_REDELIVERY),
        ("return_transporting", Stage.RETURNING),
        ("lost", Stage.PROBLEM),
        ("teleported", None),
    ],
)
def test_words_mean_stages_and_unknown_words_nothing(word: str, stage: Stage | None) -> None:
    call = {"OrderCode": "LABC", "Status": word, "ShopID": 1, "Time": "2026-11-25T05:00:00Z"}

    [event] = ghn.tracking_events(json.dumps(call).encode(), "1")

    assert event.stage is stage
    assert event.raw_status == word


@given(st.binary(max_size=200) | st.text(max_size=60).map(str.encode))
def test_nonsense_is_no_call_of_ghn(raw: bytes) -> None:
    with pytest.raises(CarrierRefused):
        ghn.tracking_events(raw, "1")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_an_answer_of_any_shape_is_read_or_is_none(data: Any) -> None:
    for read in (ghn.read_fee, ghn.read_made, ghn.read_detail):
        try:
            read(data)
        except ghn.NotGhn:
            continue


def test_the_same_code_gives_the_same_waybill(carrier: GhnStandIn) -> None:
    client = client_of(carrier)

    first, again = client.create(a_parcel()), client.create(a_parcel())

    assert first == again
    assert first.fee == Money(27_000)
    assert len(carrier.kept.orders) == 1
    assert client.quote(a_parcel()) == Money(27_000)


def test_an_answer_lost_on_the_way_makes_no_second_order(carrier: GhnStandIn) -> None:
    client = client_of(carrier)
    carrier.ail(lose=True, times=1)

    with pytest.raises(NoAnswer):
        client.create(a_parcel())
    client.create(a_parcel())

    assert len(carrier.kept.orders) == 1


def test_a_parcel_is_called_off_twice_but_not_once_it_was_fetched(carrier: GhnStandIn) -> None:
    client = client_of(carrier)
    waybill = client.create(a_parcel()).waybill
    other = client.create(a_parcel(code="ABC-1-2")).waybill
    carrier.advance(other, "picked")

    client.cancel(waybill)
    client.cancel(waybill)

    assert client.track(waybill).stage is Stage.CANCELLED
    with pytest.raises(CarrierRefused):
        client.cancel(other)
    assert client.label(other).startswith(f"{carrier.url}/a5/public-api/printA5?token=")


def test_an_address_in_conflict_is_said_in_plain_words(carrier: GhnStandIn) -> None:
    odd = To(**{**{f: getattr(HANOI, f) for f in HANOI.__slots__}, "street": "Số 404, đường A"})

    with pytest.raises(CarrierRefused) as refused:
        client_of(carrier).create(a_parcel(to=odd))

    assert "leave the house number out" in str(refused.value.message)


def test_a_wrong_token_is_said_as_what_to_mend(carrier: GhnStandIn) -> None:
    with pytest.raises(CarrierRefused) as refused:
        Ghn(carrier.url, "wrong", str(SHOP)).create(a_parcel())

    assert "Copy it again" in str(refused.value.message)


@pytest.mark.parametrize(
    "illness",
    [{"delay": 5.0}, {"drip": True}, {"garbage": True}, {"status": 500}, {"hang_up": True}],
    ids=str,
)
def test_an_ill_carrier_holds_nobody_longer_than_three_seconds(
    carrier: GhnStandIn, illness: dict[str, Any]
) -> None:
    carrier.ail(**illness)
    began = monotonic()

    with pytest.raises(NoAnswer):
        client_of(carrier).quote(a_parcel())

    assert monotonic() - began < 3.5


def test_a_buyer_sees_and_pays_the_carriers_own_fee(
    visitor: FlaskClient, database: Database, carrier: GhnStandIn
) -> None:
    _a_ghn_producer(database)
    form = _filled(visitor, database)

    page = visitor.post("/dat-hang", data={**form, "choose_province": "1"})
    answer = visitor.post("/dat-hang", data=_with_token(form, page.text))

    assert "27.000" in page.text
    assert answer.status_code == 303
    assert _fee_of_the_order(database) == Money(27_000)
    assert len(carrier.asked) == 1


def test_without_an_answer_the_producers_own_fee_counts_and_is_said(
    visitor: FlaskClient, database: Database, carrier: GhnStandIn
) -> None:
    _a_ghn_producer(database)
    form = _filled(visitor, database)
    carrier.ail(status=500)

    page = visitor.post("/dat-hang", data={**form, "choose_province": "1"})
    answer = visitor.post("/dat-hang", data=_with_token(form, page.text))

    assert "30.000" in page.text
    assert "GHN chưa trả lời" in page.text
    assert answer.status_code == 303
    assert _fee_of_the_order(database) == Money(30_000)
    with database.reading() as session:
        placed = session.scalars(select(OrderEvent).where(OrderEvent.verb == "place")).one()
        assert placed.detail["own_fee_because"] == "no_answer"


def test_without_script_the_exact_fee_is_shown_before_it_is_charged(
    visitor: FlaskClient, database: Database, carrier: GhnStandIn
) -> None:
    _a_ghn_producer(database)
    form = _filled(visitor, database)

    asked = visitor.post("/dat-hang", data=form)
    placed = visitor.post("/dat-hang", data=_with_token(form, asked.text))

    assert asked.status_code == 409
    assert "27.000" in asked.text
    assert placed.status_code == 303


def test_an_answer_is_kept_half_an_hour_and_no_longer(
    database: Database, settings: Settings, carrier: GhnStandIn
) -> None:
    producer_id, way_id = _a_ghn_producer(database)
    question = carrier_fees.Question(way_id, producer_id, HANOI, 1_200, Money(165_000))

    for minutes in (0, 29, 31):
        carrier_fees.learn(database, [question], settings, now=NOON + timedelta(minutes=minutes))

    assert len(carrier.asked) == 2
    carrier_fees.forget_old(database, NOON + timedelta(hours=2))
    with database.reading() as session:
        assert session.scalars(select(carrier_fees.CarrierFee)).all() == []


def test_ghn_that_is_not_connected_is_not_asked(
    database: Database, settings: Settings, carrier: GhnStandIn
) -> None:
    with database.transaction() as session:
        producer = a_producer(session)
        way = a_way(session, producer, kind=DeliveryKind.GHN)
        question = carrier_fees.Question(way.id, producer.id, HANOI, 500, Money(100_000))

    carrier_fees.learn(database, [question], settings, now=NOON)

    with database.reading() as session:
        told = carrier_fees.list_told(session, [question], now=NOON)[way.id]
    assert (told.amount, told.said) == (Money(18_000), "not_connected")
    assert carrier.asked == []


def _a_ghn_producer(database: Database) -> tuple[int, int]:
    with database.transaction() as session:
        producer = a_producer(session, slug="htx-ong")
        way = a_way(
            session, producer, kind=DeliveryKind.GHN, name="GHN", fee=Money(30_000), free_from=None
        )
        connections.open_new(
            session,
            producer.id,
            "ghn",
            {"token": TOKEN, "shop_id": str(SHOP)},
            secrets=(SECRET,),
            actor=SELLER,
            now=NOON,
        )
        return producer.id, way.id


def _filled(visitor: FlaskClient, database: Database) -> dict[str, str]:
    with database.transaction() as session:
        a_commune(session)
        variant_id = _goods(session)
    fill_cart(visitor, variant_id)
    return checkout_form(visitor)


def _goods(session: Session) -> int:
    producer = session.scalars(select(Producer)).one()
    return a_variant(session, product=a_product(session, producer=producer), weight_g=1_200).id


def _with_token(form: dict[str, str], page: str) -> dict[str, str]:
    return form | {"cart_token": hidden(page, "cart_token")}


def _fee_of_the_order(database: Database) -> Money:
    with database.reading() as session:
        return session.scalars(select(SellerOrder.shipping_fee)).one()
