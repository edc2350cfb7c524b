"""Stock is held, given back and shipped exactly once, on both databases."""

import threading
from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog import stock
from catalog.lots import LotState
from catalog.stock import Reservation, StockItem, StockMovement, Wanted
from core.db import Database
from tests.conftest import NOON
from tests.factories import a_lot, a_variant


def test_reserving_takes_from_the_lot_that_expires_first(session: Session) -> None:
    honey = a_variant(session, in_stock=0)
    later_lot = a_lot(session, honey, in_stock=5, expires_on=NOON.date().replace(year=2028))
    early_lot = a_lot(session, honey, in_stock=2, expires_on=NOON.date().replace(year=2027))

    [holds] = stock.reserve(session, [Wanted(honey.id, 3)], now=NOON, expires_at=None)

    by_lot = {session.get_one(StockItem, h.stock_id).lot_id: h.quantity for h in holds}
    assert by_lot == {early_lot.id: 2, later_lot.id: 1}


@pytest.mark.parametrize("state", [LotState.HELD, LotState.RECALLED])
def test_held_and_recalled_lots_are_not_sold(session: Session, state: LotState) -> None:
    honey = a_variant(session, in_stock=0)
    a_lot(session, honey, in_stock=5, state=state)

    with pytest.raises(stock.OutOfStock):
        stock.reserve(session, [Wanted(honey.id, 1)], now=NOON, expires_at=None)


def test_expired_lots_are_not_sold(session: Session) -> None:
    honey = a_variant(session, in_stock=0)
    a_lot(session, honey, in_stock=5, expires_on=NOON.date())

    assert stock.free_of_variants(session, [honey.id], now=NOON) == {honey.id: 0}


def test_out_of_stock_says_how_many_are_left(session: Session) -> None:
    honey = a_variant(session, in_stock=2)

    with pytest.raises(stock.OutOfStock) as refusal:
        stock.reserve(session, [Wanted(honey.id, 3)], now=NOON, expires_at=None)

    assert refusal.value.left == 2


def test_releasing_twice_gives_back_once(session: Session) -> None:
    honey = a_variant(session, in_stock=5)
    [[hold]] = stock.reserve(session, [Wanted(honey.id, 3)], now=NOON, expires_at=None)

    first = stock.release(session, [hold.id])
    second = stock.release(session, [hold.id])

    assert (first, second) == (1, 0)
    assert stock.free_of_variants(session, [honey.id], now=NOON) == {honey.id: 5}


def test_shipping_shrinks_the_shelf_and_writes_a_movement(session: Session) -> None:
    honey = a_variant(session, in_stock=5)
    [[hold]] = stock.reserve(session, [Wanted(honey.id, 3)], now=NOON, expires_at=None)

    stock.consume(session, [hold.id], now=NOON, actor_id=None, note="đơn thử")
    stock.consume(session, [hold.id], now=NOON, actor_id=None, note="đơn thử")

    item = session.scalars(select(StockItem).where(StockItem.variant_id == honey.id)).one()
    session.refresh(item)
    assert (item.on_hand, item.reserved) == (2, 0)
    moved = session.scalar(
        select(func.sum(StockMovement.delta)).where(StockMovement.stock_id == item.id)
    )
    assert moved == item.on_hand


def test_counting_is_refused_when_something_was_sold_meanwhile(session: Session) -> None:
    honey = a_variant(session, in_stock=5)
    item = stock.item_for(session, honey.id, None)
    stock.move(session, item, -1, why=stock.Why.LOSS, now=NOON, actor_id=None)

    with pytest.raises(stock.StockChangedMeanwhile):
        stock.count(session, item, 7, expected_before=5, now=NOON, actor_id=None)


def test_no_more_is_taken_away_than_is_free(session: Session) -> None:
    honey = a_variant(session, in_stock=5)
    stock.reserve(session, [Wanted(honey.id, 4)], now=NOON, expires_at=None)
    item = stock.item_for(session, honey.id, None)

    with pytest.raises(stock.NotEnoughOnHand):
        stock.move(session, item, -2, why=stock.Why.LOSS, now=NOON, actor_id=None)


def test_many_buyers_at_once_never_get_more_than_there_is(database: Database) -> None:
    with database.transaction() as session:
        honey = a_variant(session, in_stock=20)
        variant_id = honey.id
    sold: list[int] = []

    def buy() -> None:
        for _try in range(5):
            try:
                with database.transaction() as session:
                    stock.reserve(session, [Wanted(variant_id, 1)], now=NOON, expires_at=None)
                sold.append(1)
            except stock.OutOfStock:
                pass

    buyers = [threading.Thread(target=buy) for _n in range(8)]
    for buyer in buyers:
        buyer.start()
    for buyer in buyers:
        buyer.join()

    with database.reading() as session:
        held = session.scalar(select(func.sum(Reservation.quantity)))
        item = session.scalars(select(StockItem)).one()
    assert len(sold) == 20
    assert held == item.reserved == 20


def test_a_line_of_any_lot_leaves_the_chosen_lot_to_who_chose_it(session: Session) -> None:
    variant = a_variant(session, in_stock=0)
    first = a_lot(session, variant, in_stock=5, expires_on=date(2027, 1, 1))
    second = a_lot(session, variant, in_stock=5, expires_on=date(2027, 6, 1))

    any_lot, chosen = stock.reserve(
        session,
        [Wanted(variant.id, 5), Wanted(variant.id, 5, first.id)],
        now=NOON,
        expires_at=None,
    )

    lots = [session.get_one(StockItem, hold.stock_id).lot_id for hold in (*any_lot, *chosen)]
    assert lots == [second.id, first.id]


def test_some_of_what_is_held_goes_back_and_the_rest_stays(session: Session) -> None:
    variant = a_variant(session, in_stock=0)
    a_lot(session, variant, in_stock=2, expires_on=date(2027, 1, 1))
    a_lot(session, variant, in_stock=5, expires_on=date(2027, 6, 1))
    [holds] = stock.reserve(session, [Wanted(variant.id, 6)], now=NOON, expires_at=None)

    freed = stock.release_some(session, [hold.id for hold in holds], 3)

    assert freed == 3
    assert stock.free_of_variants(session, [variant.id], now=NOON)[variant.id] == 4
    assert stock.release(session, [hold.id for hold in holds]) == 1
    assert stock.free_of_variants(session, [variant.id], now=NOON)[variant.id] == 7
