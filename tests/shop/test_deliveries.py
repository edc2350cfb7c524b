"""Parcels that do not arrive: tried again, sent back, taken back, lost; stock and money exact."""

from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.products import OcopGroup
from catalog.stock import StockItem, StockMovement, Why
from catalog.variants import Variant
from core.money import ZERO, Money
from shop import deliveries, fulfilment, orders, parcel_audit, shipments
from shop.audit import find_faults
from shop.carriers.carrier import Stage
from shop.carriers.manual import BadWaybill
from shop.deliveries import Back, NoReason, UnknownLine
from shop.delivery import DeliveryKind
from shop.moves import TooLate
from shop.order_states import MOVES, PaymentStatus, SellerOrderState, Verb
from shop.orders import Order, SellerOrder
from shop.payments import bank_transfer, payments
from shop.payments.payments import Custody, PaymentState
from shop.payments.refunds import Refund, RefundReason
from shop.shipments import Shipment, WaybillTaken
from tests.conftest import NOON
from tests.factories import a_producer, a_product, a_variant
from tests.shop.selling import SELLER, a_way, an_order, only_part

pytestmark = pytest.mark.usefixtures("app")
BY: dict[str, Any] = {"actor": SELLER, "now": NOON}


def goods(session: Session, *, kind: DeliveryKind = DeliveryKind.POST) -> tuple[Variant, Variant]:
    """Honey and a basket of one producer that sends for 18.000 ₫."""
    producer = a_producer(session)
    a_way(session, producer, kind=kind, free_from=None)
    honey = a_product(session, producer=producer)
    basket = a_product(session, producer=producer, group=OcopGroup.HANDICRAFT)
    return a_variant(session, product=honey), a_variant(session, product=basket, price=90_000)


def sent(
    session: Session, *, kind: DeliveryKind = DeliveryKind.POST, paid: bool = False
) -> tuple[Order, SellerOrder, list[Variant]]:
    """Two jars of honey and a basket on their way."""
    honey, basket = goods(session, kind=kind)
    typed = {"payment_method": "bank_transfer"} if paid else {}
    order = an_order(session, (honey, 2), (basket, 1), **typed)
    part = only_part(session, order)
    if paid:
        bank_transfer.confirm_by_hand(session, order, part, evidence="đã thấy", **BY)
    fulfilment.accept(session, order, part, called_buyer=True, **BY)
    fulfilment.pack(session, order, part, **BY)
    fulfilment.ship(session, order, part, **BY)
    return order, part, [honey, basket]


def coming_back(
    session: Session, *, paid: bool = False
) -> tuple[Order, SellerOrder, list[Variant]]:
    order, part, variants = sent(session, paid=paid)
    deliveries.fail_delivery(session, order, part, why="khách không nghe máy", **BY)
    deliveries.send_back(session, order, part, why="khách không nhận", **BY)
    return order, part, variants


def on_hand(session: Session, variants: list[Variant]) -> list[int]:
    return [
        session.scalars(
            select(func.sum(StockItem.on_hand)).where(StockItem.variant_id == variant.id)
        ).one()
        for variant in variants
    ]


def as_told(session: Session, part: SellerOrder, *, back: Back | None = None) -> dict[int, Back]:
    lines = orders.list_lines(session, [part.id])
    told = deliveries.default_back(session, lines)
    return dict.fromkeys(told, back) if back else told


def test_attempts_are_counted_and_told(session: Session) -> None:
    order, part, _variants = sent(session)

    deliveries.fail_delivery(session, order, part, why="khách hẹn mai", **BY)
    deliveries.redeliver(session, order, part, **BY)
    deliveries.fail_delivery(session, order, part, why="không nghe máy", **BY)

    assert part.failed_attempts == 2
    assert part.state is SellerOrderState.DELIVERY_FAILED


@pytest.mark.parametrize("why", ["", "   "])
def test_a_failed_delivery_needs_its_reason(session: Session, why: str) -> None:
    order, part, _variants = sent(session)

    with pytest.raises(NoReason):
        deliveries.fail_delivery(session, order, part, why=why, **BY)


def test_nothing_is_sent_back_before_it_was_tried(session: Session) -> None:
    order, part, _variants = sent(session)

    with pytest.raises(TooLate):
        deliveries.send_back(session, order, part, why="thôi", **BY)


def test_food_is_written_off_and_the_rest_goes_on_the_shelf(session: Session) -> None:
    order, part, variants = coming_back(session)

    deliveries.receive_back(session, order, part, back=as_told(session, part), **BY)

    assert part.state is SellerOrderState.RETURNED
    assert on_hand(session, variants) == [8, 10]
    moved = session.execute(
        select(StockMovement.why, func.sum(StockMovement.delta))
        .where(StockMovement.why.in_([Why.RETURNED, Why.LOSS]))
        .group_by(StockMovement.why)
    ).all()
    assert dict(moved) == {Why.RETURNED: 3, Why.LOSS: -2}
    assert [line.quantity_returned for line in orders.list_lines(session, [part.id])] == [2, 1]
    assert [*find_faults(session), *parcel_audit.find_faults(session)] == []


def test_all_may_be_sold_again_if_someone_says_so(session: Session) -> None:
    order, part, variants = coming_back(session)

    deliveries.receive_back(
        session, order, part, back=as_told(session, part, back=Back.RESTOCK), **BY
    )

    assert on_hand(session, variants) == [10, 10]


def test_every_line_needs_a_decision(session: Session) -> None:
    order, part, variants = coming_back(session)
    told = as_told(session, part)

    for wrong in ({}, dict(list(told.items())[:1]), {**told, 0: Back.RESTOCK}):
        with pytest.raises(UnknownLine):
            deliveries.receive_back(session, order, part, back=wrong, **BY)

    assert part.state is SellerOrderState.RETURNING
    assert on_hand(session, variants) == [8, 9]


def test_taking_back_twice_moves_goods_once(session: Session) -> None:
    order, part, variants = coming_back(session)
    back = as_told(session, part, back=Back.RESTOCK)

    first = deliveries.receive_back(session, order, part, back=back, **BY)
    again = deliveries.receive_back(session, order, part, back=back, **BY)

    assert (first, again) == (True, False)
    assert on_hand(session, variants) == [10, 10]


def test_cash_of_a_returned_parcel_is_due_no_more(session: Session) -> None:
    order, part, _variants = coming_back(session)

    deliveries.receive_back(session, order, part, back=as_told(session, part), **BY)

    payment = payments.list_of_parts(session, [part.id])[part.id]
    session.refresh(order)
    assert (payment.state, payment.captured) == (PaymentState.FAILED, ZERO)
    assert order.payment_status is PaymentStatus.NONE
    assert session.scalars(select(Refund)).all() == []


@pytest.mark.parametrize(("own_fault", "amount"), [(False, 420_000), (True, 438_000)])
def test_what_was_paid_for_goods_goes_back_and_the_fee_only_for_ones_own_fault(
    session: Session, *, own_fault: bool, amount: int
) -> None:
    order, part, _variants = coming_back(session, paid=True)

    deliveries.receive_back(
        session, order, part, back=as_told(session, part), own_fault=own_fault, **BY
    )

    refund = session.scalars(select(Refund)).one()
    assert refund.amount == Money(amount)
    assert refund.shipping == Money(amount - 420_000)
    assert refund.reason is RefundReason.RETURNED
    assert sum(refund.lines.values()) == 420_000
    assert [*find_faults(session), *parcel_audit.find_faults(session)] == []


@pytest.mark.parametrize("paid", [True, False])
def test_a_lost_parcel_is_written_off_refunded_whole_and_claimed(
    session: Session, *, paid: bool
) -> None:
    order, part, variants = sent(session, paid=paid)

    deliveries.lose(session, order, part, claim="GHN báo mất, đã gửi khiếu nại", **BY)

    refunds = session.scalars(select(Refund)).all()
    assert part.state is SellerOrderState.RETURNED
    assert on_hand(session, variants) == [8, 9]
    assert [refund.amount for refund in refunds] == ([Money(438_000)] if paid else [])
    parcel = shipments.find_current(session, part.id)
    assert parcel is not None
    assert parcel.claim == "GHN báo mất, đã gửi khiếu nại"
    assert [*find_faults(session), *parcel_audit.find_faults(session)] == []


@pytest.mark.parametrize(
    ("kind", "custody"),
    [(DeliveryKind.SELF, Custody.PRODUCER), (DeliveryKind.POST, Custody.CARRIER)],
)
def test_whoever_brought_the_goods_holds_the_cash(
    session: Session, kind: DeliveryKind, custody: Custody
) -> None:
    order, part, _variants = sent(session, kind=kind)

    fulfilment.deliver(session, order, part, **BY)

    payment = payments.list_of_parts(session, [part.id])[part.id]
    assert (payment.state, payment.custody) == (PaymentState.COLLECTED, custody)


def test_goods_sent_by_post_are_a_parcel_that_follows_its_order(session: Session) -> None:
    order, part, _variants = sent(session)
    parcel = shipments.find_current(session, part.id)
    assert parcel is not None
    stages = [parcel.state]

    deliveries.fail_delivery(session, order, part, why="vắng nhà", **BY)
    stages.append(parcel.state)
    deliveries.redeliver(session, order, part, **BY)
    stages.append(parcel.state)
    fulfilment.deliver(session, order, part, **BY)
    stages.append(parcel.state)

    assert stages == [
        Stage.PICKED_UP, Stage.WAITING_REDELIVERY, Stage.OUT_FOR_DELIVERY, Stage.DELIVERED,
    ]  # fmt: skip
    assert parcel.cod == part.total


def test_who_brings_it_itself_has_no_parcel(session: Session) -> None:
    _order, part, _variants = sent(session, kind=DeliveryKind.SELF)

    assert shipments.find_current(session, part.id) is None


def test_a_waybill_is_written_down_once(session: Session) -> None:
    order, part, _variants = sent(session)

    parcel = shipments.write_waybill(
        session, order, part, waybill=" eb 123456789 vn ", carrier_name="VNPost", **BY
    )

    assert (parcel.waybill, parcel.carrier_name) == ("EB123456789VN", "VNPost")
    assert session.scalars(select(func.count()).select_from(Shipment)).one() == 1
    with pytest.raises(BadWaybill):
        shipments.write_waybill(session, order, part, waybill="??", carrier_name="", **BY)


def test_one_waybill_is_not_written_on_two_orders(session: Session) -> None:
    honey, _basket = goods(session)
    orders_made = [an_order(session, (honey, 1), phone=f"091234567{n}") for n in range(2)]
    first, second = (only_part(session, order) for order in orders_made)
    shipments.write_waybill(session, orders_made[0], first, waybill="EB1234", carrier_name="", **BY)

    with pytest.raises(WaybillTaken):
        shipments.write_waybill(
            session, orders_made[1], second, waybill="EB1234", carrier_name="", **BY
        )


def test_every_proposal_is_a_path_of_the_table() -> None:
    for ways in deliveries.PROPOSALS.values():
        for start, verbs in ways.items():
            for verb, following in pairwise(verbs):
                assert MOVES[verb][1] in MOVES[following][0]
            if verbs:
                assert start in MOVES[verbs[0]][0]
                assert Verb.RECEIVE_BACK not in verbs


def test_a_carrier_may_skip_words(session: Session) -> None:
    honey, _basket = goods(session)
    order = an_order(session, (honey, 1))
    part = only_part(session, order)
    fulfilment.accept(session, order, part, called_buyer=True, **BY)
    fulfilment.pack(session, order, part, **BY)

    fits = deliveries.propose(session, order, part, Stage.DELIVERED, why="", **BY)

    assert fits
    assert part.state is SellerOrderState.DELIVERED
    assert [*find_faults(session), *parcel_audit.find_faults(session)] == []


@pytest.mark.parametrize("stage", list(Stage))
def test_what_does_not_fit_the_order_changes_nothing(session: Session, stage: Stage) -> None:
    honey, _basket = goods(session)
    order = an_order(session, (honey, 1))
    part = only_part(session, order)

    fits = deliveries.propose(session, order, part, stage, why="lạ", **BY)

    assert part.state is SellerOrderState.TO_CONFIRM
    assert fits == (stage in {Stage.CREATED, Stage.CANCELLED})
