"""Parts of orders move by the table only, each move once, with its event, and nothing leaks."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Act, Actor
from catalog import stock
from catalog.lots import LotState
from catalog.stock import HoldState, Reservation
from core.db import Database
from core.money import Money
from shop import cancellations, fulfilment, orders
from shop.audit import find_faults
from shop.cancellations import NoReason
from shop.fulfilment import NotToBeSent
from shop.moves import TooLate
from shop.order_states import MOVES, TERMINAL, Ended, OrderState, SellerOrderState, Verb
from shop.orders import Order, OrderEvent, SellerOrder
from shop.payments import bank_transfer, payments
from shop.payments.bank_transfer import NoEvidence, NotATransfer
from shop.payments.payments import PaymentState
from shop.payments.receipts import Receipt
from tests.conftest import NOON
from tests.factories import a_lot, a_producer, a_product, a_variant, later
from tests.shop.selling import BUYER, SELLER, an_order, at_once, only_part

S = SellerOrderState


def a_transfer(session: Session, in_stock: int = 5, quantity: int = 2) -> tuple[Order, SellerOrder]:
    honey = a_variant(session, in_stock=in_stock)
    order = an_order(session, (honey, quantity), payment_method="bank_transfer")
    return order, only_part(session, order)


def confirm(session: Session, order: Order, part: SellerOrder, **given: object) -> Receipt | None:
    values: dict[str, object] = {"evidence": "thấy trên ứng dụng", "actor": SELLER, "now": NOON}
    return bank_transfer.confirm_by_hand(session, order, part, **{**values, **given})  # type: ignore[arg-type]


def free(session: Session, part: SellerOrder) -> int:
    [line] = orders.list_lines(session, [part.id])
    return stock.free_of_variants(session, [line.variant_id], now=NOON)[line.variant_id]


def money(session: Session, part: SellerOrder) -> payments.Payment:
    payment = payments.list_of_parts(session, [part.id])[part.id]
    session.refresh(payment)
    return payment


def test_every_state_can_still_end_and_terminal_ones_stay_ended() -> None:
    built = {to for _froms, to in MOVES.values()} | {S.PENDING}
    leaving = {state for froms, _to in MOVES.values() for state in froms}

    assert built - TERMINAL - {S.DELIVERED} <= leaving
    assert {verb for verb, (froms, _to) in MOVES.items() if froms & TERMINAL} == {Verb.REVIVE}


def test_the_way_of_a_cod_parcel_ends_with_its_cash_collected(session: Session) -> None:
    order = an_order(session, (a_variant(session, in_stock=5), 2))
    part = only_part(session, order)
    helper = Actor(None, "Anh Tổ", on_behalf_of="HTX Thử")

    fulfilment.accept(session, order, part, called_buyer=True, actor=helper, now=NOON)
    fulfilment.pack(session, order, part, actor=SELLER, now=NOON)
    fulfilment.ship(session, order, part, actor=SELLER, now=NOON)
    fulfilment.deliver(session, order, part, actor=SELLER, now=NOON)

    assert (part.state, part.called_buyer, order.state) == (S.DELIVERED, True, OrderState.PLACED)
    assert money(session, part).state is PaymentState.COLLECTED
    item = session.scalars(select(stock.StockItem)).one()
    session.refresh(item)
    assert (item.on_hand, item.reserved) == (3, 0)
    told = session.scalars(select(OrderEvent).order_by(OrderEvent.id)).all()
    assert [one.verb for one in told] == ["place", "accept", "pack", "ship", "deliver"]
    assert (told[1].actor_name, told[1].on_behalf_of) == ("Anh Tổ", "HTX Thử")
    assert find_faults(session) == []


def test_repeating_a_move_changes_nothing(session: Session) -> None:
    order = an_order(session, (a_variant(session), 1))
    part = only_part(session, order)

    first = fulfilment.accept(session, order, part, called_buyer=False, actor=SELLER, now=NOON)
    second = fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)

    assert (first, second, part.called_buyer) == (True, False, False)


@pytest.mark.parametrize("facts", [{"state": LotState.RECALLED}, {"expires_on": NOON.date()}])
def test_goods_of_a_stopped_lot_do_not_leave_even_if_ordered_before(
    session: Session, facts: dict[str, object]
) -> None:
    honey = a_variant(session, in_stock=0)
    lot = a_lot(session, honey, in_stock=5)
    order = an_order(session, (honey, 2))
    part = only_part(session, order)
    fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)
    fulfilment.pack(session, order, part, actor=SELLER, now=NOON)
    for name, value in facts.items():
        setattr(lot, name, value)

    with pytest.raises(NotToBeSent):
        fulfilment.ship(session, order, part, actor=SELLER, now=NOON)

    cancellations.decline(session, order, part, reason="lô thu hồi", actor=SELLER, now=NOON)
    assert part.state is S.CANCELLED
    assert find_faults(session) == []


def test_a_move_out_of_turn_is_refused(session: Session) -> None:
    order = an_order(session, (a_variant(session), 1))
    part = only_part(session, order)

    with pytest.raises(TooLate):
        fulfilment.ship(session, order, part, actor=SELLER, now=NOON)

    assert part.state is S.TO_CONFIRM


def test_declining_gives_the_goods_back_and_says_why(session: Session) -> None:
    order = an_order(session, (a_variant(session, in_stock=5), 2))
    part = only_part(session, order)

    with pytest.raises(NoReason):
        cancellations.decline(session, order, part, reason="  ", actor=SELLER, now=NOON)
    cancellations.decline(session, order, part, reason="Hết vụ", actor=SELLER, now=NOON)

    assert (part.state, part.ended, part.ended_why) == (S.CANCELLED, Ended.DECLINED, "Hết vụ")
    assert free(session, part) == 5
    assert (order.state, money(session, part).state) == (
        OrderState.CANCELLED,
        PaymentState.CANCELLED,
    )
    assert find_faults(session) == []


def test_the_buyer_cancels_only_what_nobody_is_preparing(session: Session) -> None:
    busy = a_variant(session, product=a_product(session, producer=a_producer(session)), in_stock=5)
    idle = a_variant(session, product=a_product(session, producer=a_producer(session)), in_stock=5)
    order = an_order(session, (busy, 1), (idle, 1))
    first, second = orders.list_parts(session, order.id)
    fulfilment.accept(session, order, first, called_buyer=False, actor=SELLER, now=NOON)

    ended = cancellations.cancel(session, order, actor=BUYER, now=NOON)

    assert (ended, first.state, second.state) == (1, S.PREPARING, S.CANCELLED)
    assert order.state is OrderState.PLACED
    assert find_faults(session) == []


def test_money_that_arrived_commits_the_goods_and_starts_the_clock(session: Session) -> None:
    order, part = a_transfer(session)

    assert confirm(session, order, part) is Receipt.PAID
    assert confirm(session, order, part, now=later(hours=1)) is None

    assert (part.state, part.confirm_by, order.state) == (
        S.TO_CONFIRM,
        later(hours=24),
        OrderState.PLACED,
    )
    assert session.scalars(select(Reservation.state)).all() == [HoldState.COMMITTED]
    assert money(session, part).evidence == "thấy trên ứng dụng"
    assert [act.verb for act in session.scalars(select(Act))] == ["payment.confirmed"]
    assert find_faults(session) == []


def test_money_is_not_believed_without_a_word(session: Session) -> None:
    order, part = a_transfer(session)

    with pytest.raises(NoEvidence):
        confirm(session, order, part, evidence=" ")


def test_cash_on_delivery_is_not_confirmed_as_a_transfer(session: Session) -> None:
    order = an_order(session, (a_variant(session), 1))

    with pytest.raises(NotATransfer):
        confirm(session, order, only_part(session, order))


def test_an_unpaid_part_expires_only_after_its_hold(session: Session) -> None:
    order, part = a_transfer(session)

    with pytest.raises(TooLate):
        cancellations.expire(session, part, now=later(minutes=119))
    cancellations.expire(session, part, now=later(hours=2))

    assert (part.state, part.ended, order.state) == (
        S.CANCELLED,
        Ended.EXPIRED,
        OrderState.EXPIRED,
    )
    assert (free(session, part), money(session, part).state) == (5, PaymentState.EXPIRED)
    assert find_faults(session) == []


def test_late_money_revives_a_part_whose_goods_are_still_there(session: Session) -> None:
    order, part = a_transfer(session)
    cancellations.expire(session, part, now=later(hours=2))

    confirm(session, order, part, now=later(hours=3))

    assert (part.state, part.ended, order.state) == (S.TO_CONFIRM, None, OrderState.PLACED)
    assert part.confirm_by == later(hours=27)
    assert (free(session, part), money(session, part).refund_due) == (3, Money(0))
    assert find_faults(session) == []


def test_late_money_for_sold_goods_is_owed_back_and_paid_back_once(session: Session) -> None:
    order, part = a_transfer(session, in_stock=2)
    cancellations.expire(session, part, now=later(hours=2))
    [line] = orders.list_lines(session, [part.id])
    jar = session.get_one(stock.StockItem, 1)
    stock.move(session, jar, -1, why=stock.Why.LOSS, now=NOON, actor_id=None)

    confirm(session, order, part, now=later(hours=3))

    assert (part.state, order.state) == (S.CANCELLED, OrderState.EXPIRED)
    assert money(session, part).refund_due == part.total
    assert stock.free_of_variants(session, [line.variant_id], now=NOON)[line.variant_id] == 1
    assert find_faults(session) == []

    back = [
        bank_transfer.pay_back(
            session, order, part, reference="FT26", actor=SELLER, now=later(hours=4)
        )
        for _time in range(2)
    ]

    assert back == [True, False]
    assert (money(session, part).refund_due, money(session, part).refunded) == (
        Money(0),
        part.total,
    )
    assert find_faults(session) == []


def test_a_paid_order_that_is_declined_is_owed_back(session: Session) -> None:
    order, part = a_transfer(session)
    confirm(session, order, part)

    cancellations.decline(session, order, part, reason="Vỡ chai", actor=SELLER, now=NOON)

    assert money(session, part).refund_due == part.total
    assert find_faults(session) == []


def test_money_for_a_cancelled_order_is_owed_back_not_revived(session: Session) -> None:
    order, part = a_transfer(session)
    cancellations.cancel(session, order, actor=BUYER, now=NOON)

    confirm(session, order, part)

    assert (part.state, order.state) == (S.CANCELLED, OrderState.CANCELLED)
    assert money(session, part).refund_due == part.total
    assert find_faults(session) == []


def test_the_timers_end_what_is_due_and_may_run_twice(database: Database) -> None:
    with database.transaction() as session:
        unpaid = a_transfer(session)[1].id
        unanswered = only_part(session, an_order(session, (a_variant(session), 1))).id

    for moment in (later(minutes=30), later(hours=3), later(hours=3), later(hours=30)):
        cancellations.expire_due(database, moment)
        cancellations.time_out_due(database, moment)

    with database.reading() as session:
        ended = {part.id: part.ended for part in session.scalars(select(SellerOrder))}
        assert ended == {unpaid: Ended.EXPIRED, unanswered: Ended.TIMED_OUT}
        assert find_faults(session) == []


def test_each_part_of_a_transfer_order_lives_by_itself(session: Session) -> None:
    paid = a_variant(session, product=a_product(session, producer=a_producer(session)))
    left = a_variant(session, product=a_product(session, producer=a_producer(session)))
    order = an_order(session, (paid, 1), (left, 1), payment_method="bank_transfer")
    first, second = orders.list_parts(session, order.id)

    confirm(session, order, first)
    cancellations.expire(session, second, now=later(hours=2))

    assert (first.state, second.state, order.state) == (
        S.TO_CONFIRM,
        S.CANCELLED,
        OrderState.PLACED,
    )
    assert find_faults(session) == []


def test_expiry_and_payment_at_the_same_moment_never_both_happen(database: Database) -> None:
    for _time in range(20):
        with database.transaction() as session:
            order, part = a_transfer(session, in_stock=2)
            order_id, part_id = order.id, part.id

        def pay(session: Session, order_id: int = order_id, part_id: int = part_id) -> bool:
            receipt = confirm(
                session,
                session.get_one(Order, order_id),
                session.get_one(SellerOrder, part_id),
                now=later(hours=2),
            )
            return receipt is not None

        def end(session: Session, part_id: int = part_id) -> bool:
            part = session.get_one(SellerOrder, part_id)
            return cancellations.expire(session, part, now=later(hours=2))

        results = at_once(database, [pay, end])

        with database.transaction() as session:
            part = session.get_one(SellerOrder, part_id)
            verbs = set(
                session.scalars(
                    select(OrderEvent.verb).where(OrderEvent.seller_order_id == part_id)
                )
            )
            # Paid first: the timer finds nothing. Ended first: the money revives it, by its name.
            assert part.state is S.TO_CONFIRM, results
            assert verbs in ({"place", "pay"}, {"place", "expire", "revive"}), (verbs, results)
            assert find_faults(session) == []
            session.get_one(Order, order_id).buyer_phone = "+84900000000"


def test_two_parts_ending_at_once_end_the_whole_order(database: Database) -> None:
    for number in range(8):
        with database.transaction() as session:
            pair = [
                (a_variant(session, product=a_product(session, producer=a_producer(session))), 1)
                for _part in range(2)
            ]
            order = an_order(
                session, *pair, payment_method="bank_transfer", phone=f"091234567{number}"
            )
            order_id = order.id
            part_ids = [part.id for part in orders.list_parts(session, order_id)]

        at_once(
            database,
            [
                lambda session, part_id=part_id: cancellations.expire(
                    session, session.get_one(SellerOrder, part_id), now=later(hours=2)
                )
                for part_id in part_ids
            ],
        )

        with database.reading() as session:
            assert session.get_one(Order, order_id).state is OrderState.EXPIRED
