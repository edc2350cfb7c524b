"""GHN's calls: unsigned, twice, late, in any order; each is kept once, none is believed."""

import json
import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from catalog.stock import StockMovement, Why
from core import outgoing
from core.clock import utc_now
from core.db import Database
from core.inbox import InboxEvent, Outcome
from core.money import Money
from core.settings import Settings
from core.tasks import Task, TaskState
from core.worker import Runner
from demo.standins.ghn import SHOP, TOKEN, GhnStandIn
from shop import carriage, connections, fulfilment, moves, orders, parcel_audit, shipments
from shop.audit import find_faults
from shop.carriers.carrier import Stage
from shop.delivery import DeliveryKind
from shop.order_states import SellerOrderState
from shop.orders import OrderEvent, SellerOrder
from shop.payments import payments
from shop.payments.payments import Custody, PaymentState
from shop.shipments import Shipment, ShipmentEvent
from tests.conftest import NOON, SECRET
from tests.factories import a_producer, a_product, a_variant
from tests.shop.selling import SELLER, a_way, an_order, only_part

WAY = ("picking", "picked", "storing", "transporting", "delivering", "delivered")


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


class Sent:
    """A packed order that GHN was asked to fetch, and the address GHN calls."""

    def __init__(self, app: Flask, database: Database, carrier: GhnStandIn) -> None:
        self.app, self.database, self.carrier = app, database, carrier
        with database.transaction() as session:
            producer = a_producer(session, slug="htx-ong")
            a_way(session, producer, kind=DeliveryKind.GHN, name="GHN")
            connection = connections.open_new(
                session,
                producer.id,
                "ghn",
                {"token": TOKEN, "shop_id": str(SHOP)},
                secrets=(SECRET,),
                actor=SELLER,
                now=NOON,
            )
            token = connections.token_of(connection, (SECRET,))
            variant = a_variant(session, product=a_product(session, producer=producer))
            order = an_order(session, (variant, 1), now=utc_now())
            part = only_part(session, order)
            by: dict[str, Any] = {"actor": SELLER, "now": utc_now()}
            fulfilment.accept(session, order, part, called_buyer=True, **by)
            fulfilment.pack(session, order, part, **by)
            moves.lock(session, order.id)
            shipments.order_ghn(session, order, part, **by)
            self.part_id, self.order_code = part.id, order.code
        self.address = f"/webhooks/ghn/{token}"

    def work(self) -> None:
        """Do the work that waits."""
        Runner(
            self.database,
            self.app.config["SETTINGS"],
            self.app.extensions["storage"],
            self.app.extensions["tasks"],
            context=self.app.app_context,
        ).run_due()

    def call(self, told: dict[str, Any]) -> int:
        """Let GHN call once; return the status of the answer."""
        visitor: FlaskClient = self.app.test_client()
        return visitor.post(self.address, data=json.dumps(told)).status_code

    @property
    def waybill(self) -> str:
        """The waybill GHN gave."""
        return next(iter(self.carrier.kept.orders))

    def read(self) -> tuple[SellerOrder, Shipment]:
        """The part and its newest parcel as they are now."""
        with self.database.reading() as session:
            part = session.get_one(SellerOrder, self.part_id)
            return part, shipments.list_of_parts(session, [part.id])[part.id][-1]


@pytest.fixture
def sent(app: Flask, database: Database, carrier: GhnStandIn) -> Sent:
    made = Sent(app, database, carrier)
    made.work()
    return made


def test_the_parcel_is_made_after_the_order_was_kept(sent: Sent, carrier: GhnStandIn) -> None:
    _part, parcel = sent.read()
    told = carrier.kept.orders[sent.waybill]

    assert parcel.waybill == sent.waybill
    assert parcel.fee == Money(22_000)
    assert parcel.cod == Money(183_000)
    assert told["cod_amount"] == 183_000
    assert told["client_order_code"] == parcel.code
    assert told["to_ward_name"] == "Xã Đan Phượng"


def test_a_walk_to_the_door_moves_order_stock_and_cash(sent: Sent, carrier: GhnStandIn) -> None:
    statuses = [sent.call(told) for told in carrier.advance(sent.waybill, *WAY)]

    part, parcel = sent.read()
    assert statuses == [200] * len(WAY)
    assert part.state is SellerOrderState.DELIVERED
    assert parcel.state is Stage.DELIVERED
    with sent.database.reading() as session:
        payment = payments.list_of_parts(session, [part.id])[part.id]
        shipped = session.scalars(
            select(func.sum(StockMovement.delta)).where(StockMovement.why == Why.SHIPPED)
        ).one()
        assert (payment.state, payment.custody) == (PaymentState.COLLECTED, Custody.CARRIER)
        assert shipped == -1
        assert [*find_faults(session), *parcel_audit.find_faults(session)] == []


@pytest.mark.parametrize("seed", range(6))
def test_a_storm_of_calls_leaves_what_is_true(sent: Sent, carrier: GhnStandIn, seed: int) -> None:
    chance = random.Random(seed)
    calls = carrier.advance(sent.waybill, *WAY[:-1], "delivery_fail", "storing", "delivering")
    calls += carrier.advance(sent.waybill, "delivered")
    storm = calls * 3
    chance.shuffle(storm)

    statuses = {sent.call(told) for told in storm}

    part, parcel = sent.read()
    assert statuses == {200}
    assert (part.state, parcel.state) == (SellerOrderState.DELIVERED, Stage.DELIVERED)
    with sent.database.reading() as session:
        assert session.scalars(select(func.count()).select_from(ShipmentEvent)).one() == len(calls)
        verbs = session.scalars(select(OrderEvent.verb)).all()
        assert (verbs.count("ship"), verbs.count("deliver")) == (1, 1)
        assert [*find_faults(session), *parcel_audit.find_faults(session)] == []


def test_calls_at_the_same_moment_move_once(sent: Sent, carrier: GhnStandIn) -> None:
    told = carrier.advance(sent.waybill, "picked", "delivering", "delivered")
    jobs = [lambda _session, one=one: sent.call(one) for one in told * 3]

    answers = _in_threads(jobs)

    part, _parcel = sent.read()
    assert set(answers) <= {200, 503}
    for one in told:
        assert sent.call(one) == 200
    assert sent.read()[0].state is SellerOrderState.DELIVERED
    with sent.database.reading() as session:
        assert session.scalars(select(OrderEvent.verb)).all().count("deliver") == 1
        assert [*find_faults(session), *parcel_audit.find_faults(session)] == []
    assert part.id == sent.part_id


def test_only_what_ghn_says_itself_counts(sent: Sent, carrier: GhnStandIn) -> None:
    [told] = carrier.advance(sent.waybill, "picked")

    sent.call({**told, "Status": "delivered"})

    part, parcel = sent.read()
    assert part.state is SellerOrderState.SHIPPED
    assert parcel.state is Stage.PICKED_UP


@pytest.mark.parametrize(
    "change",
    [{"ShopID": 1}, {"ShopID": None}, {"OrderCode": None}, {"OrderCode": "../../etc"}],
    ids=str,
)
def test_a_forged_call_is_refused_and_keeps_nothing(
    sent: Sent, carrier: GhnStandIn, change: dict[str, Any]
) -> None:
    [told] = carrier.advance(sent.waybill, "picked")
    asked = len(carrier.asked)

    assert sent.call({**told, **change}) == 400

    assert len(carrier.asked) == asked
    with sent.database.reading() as session:
        assert session.scalars(select(InboxEvent)).all() == []


def test_another_address_hears_nothing(sent: Sent, carrier: GhnStandIn, app: Flask) -> None:
    [told] = carrier.advance(sent.waybill, "picked")

    answer = app.test_client().post("/webhooks/ghn/wrong", data=json.dumps(told))

    assert answer.status_code == 404


def test_a_parcel_of_nobody_here_is_kept_and_left_alone(sent: Sent, carrier: GhnStandIn) -> None:
    [told] = carrier.advance(sent.waybill, "picked")

    assert sent.call({**told, "OrderCode": "LSTRANGE", "ClientOrderCode": "X"}) == 200

    with sent.database.reading() as session:
        assert session.scalars(select(InboxEvent.outcome)).one() is Outcome.FOREIGN
    assert sent.read()[0].state is SellerOrderState.READY


def test_while_ghn_is_away_the_call_comes_again(sent: Sent, carrier: GhnStandIn) -> None:
    [told] = carrier.advance(sent.waybill, "picked")
    carrier.ail(status=500, times=1)

    assert sent.call(told) == 503
    assert sent.call(told) == 200
    assert sent.read()[0].state is SellerOrderState.SHIPPED


def test_an_unknown_word_is_kept_and_moves_nothing(sent: Sent, carrier: GhnStandIn) -> None:
    [told] = carrier.advance(sent.waybill, "teleported")

    assert sent.call(told) == 200

    part, parcel = sent.read()
    assert (part.state, parcel.state) == (SellerOrderState.READY, Stage.CREATED)
    with sent.database.reading() as session:
        assert session.scalars(select(ShipmentEvent.outcome)).one() == shipments.UNKNOWN


def test_a_parcel_never_leaves_its_last_stage(sent: Sent, carrier: GhnStandIn) -> None:
    for told in carrier.advance(sent.waybill, "picked", "delivered"):
        sent.call(told)

    for told in carrier.advance(sent.waybill, "delivering", "return", "lost"):
        assert sent.call(told) == 200

    part, parcel = sent.read()
    assert (part.state, parcel.state) == (SellerOrderState.DELIVERED, Stage.DELIVERED)


def test_a_parcel_that_goes_back_waits_for_the_producers_eyes(
    sent: Sent, carrier: GhnStandIn
) -> None:
    calls = carrier.advance(sent.waybill, "picked", "delivering")
    calls += carrier.advance(
        sent.waybill, "delivery_fail", "waiting_to_return", "returning", "returned",
        reason="Khách không nghe máy",
    )  # fmt: skip

    for told in calls:
        sent.call(told)

    part, parcel = sent.read()
    assert part.state is SellerOrderState.RETURNING
    assert parcel.state is Stage.RETURNED
    assert part.failed_attempts == 1


@pytest.mark.parametrize("word", ["lost", "damage", "exception"])
def test_bad_news_waits_for_staff(sent: Sent, carrier: GhnStandIn, word: str) -> None:
    for said in ("picked", word):
        for told in carrier.advance(sent.waybill, said):
            sent.call(told)

    part, parcel = sent.read()
    assert parcel.needs_look
    assert part.state is SellerOrderState.SHIPPED


def test_a_parcel_that_comes_back_in_part_waits_for_people(sent: Sent, carrier: GhnStandIn) -> None:
    [told] = carrier.advance(sent.waybill, "picked")

    sent.call({**told, "IsPartialReturn": True})

    assert sent.read()[1].needs_look


def test_silent_parcels_are_asked_about(sent: Sent, carrier: GhnStandIn) -> None:
    carrier.advance(sent.waybill, "picked", "delivering")
    with sent.database.transaction() as session:
        session.scalars(select(Shipment)).one().created_at = utc_now() - timedelta(days=1)

    carriage.ask_about_silent(sent.database, utc_now())
    sent.work()

    assert sent.read()[0].state is SellerOrderState.SHIPPED


def test_calling_off_reaches_ghn_and_another_may_be_asked(sent: Sent, carrier: GhnStandIn) -> None:
    with sent.database.transaction() as session:
        order, part = orders.get_part(session, sent.order_code, sent.read()[0].producer_id)
        moves.lock(session, order.id)
        parcel = shipments.find_current(session, part.id)
        assert parcel is not None
        shipments.call_off(session, parcel, now=utc_now())

    sent.work()

    assert carrier.kept.orders[sent.waybill]["status"] == "cancel"
    assert sent.read()[1].state is Stage.CANCELLED
    with sent.database.transaction() as session:
        order, part = orders.get_part(session, sent.order_code, sent.read()[0].producer_id)
        moves.lock(session, order.id)
        again = shipments.order_ghn(session, order, part, actor=SELLER, now=utc_now())
        assert again.code.endswith("-2")


def test_a_refusal_is_read_by_the_producer_in_its_words(
    app: Flask, database: Database, carrier: GhnStandIn
) -> None:
    made = Sent(app, database, carrier)
    with database.transaction() as session:
        order, _part = orders.get_part(session, made.order_code, made.read()[0].producer_id)
        order.street = "Số 404, đường A"

    made.work()

    _part, parcel = made.read()
    assert parcel.state is Stage.CANCELLED
    assert parcel.refused is not None
    assert "bỏ số nhà" in parcel.refused


def test_a_lost_answer_is_asked_again_and_makes_one_parcel(
    app: Flask, database: Database, carrier: GhnStandIn
) -> None:
    made = Sent(app, database, carrier)
    carrier.ail(lose=True, times=1)

    made.work()
    with database.transaction() as session:
        task = session.scalars(select(Task).where(Task.kind == "carriers.create")).one()
        assert task.state is TaskState.DUE
        task.run_at = utc_now() - timedelta(days=1)
    made.work()

    assert len(carrier.kept.orders) == 1
    assert made.read()[1].waybill == made.waybill


def _in_threads(jobs: list[Any]) -> list[Any]:
    answers: list[Any] = [None] * len(jobs)

    def run(number: int) -> None:
        answers[number] = jobs[number](None)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
