"""Goods are taken from the lot that expires first, or from the one in hand; sums stay exact."""

import threading
from collections import Counter
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import picking, stock
from catalog.lots import Lot, LotState
from catalog.picking import Need
from catalog.stock import OPEN, HoldState, OutOfStock, Reservation, StockItem, Wanted
from catalog.variants import Variant
from core.db import Database
from tests.conftest import NOON
from tests.factories import a_lot, a_variant

EARLY, LATE = date(2027, 1, 1), date(2028, 1, 1)


def a_need(session: Session, variant: Variant, quantity: int, lot_id: int | None = None) -> Need:
    [holds] = stock.reserve(
        session, [Wanted(variant.id, quantity, lot_id)], now=NOON, expires_at=None
    )
    stock.commit_holds(session, [hold.id for hold in holds])
    return Need(variant.id, tuple(hold.id for hold in holds), lot_id)


def row_of(session: Session, lot: Lot) -> int:
    return session.scalars(select(StockItem.id).where(StockItem.lot_id == lot.id)).one()


def reserved(session: Session) -> dict[int, int]:
    return {
        item.id: item.reserved
        for item in session.scalars(select(StockItem).execution_options(populate_existing=True))
        if item.reserved
    }


def held(session: Session) -> dict[int, int]:
    sums: Counter[int] = Counter()
    for hold in session.scalars(select(Reservation).where(Reservation.state.in_(OPEN))):
        sums[hold.stock_id] += hold.quantity
    return dict(sums)


def test_the_lot_that_expires_first_is_proposed_once_it_is_free(session: Session) -> None:
    honey = a_variant(session, in_stock=0)
    late = a_lot(session, honey, in_stock=5, expires_on=LATE)
    need = a_need(session, honey, 3)
    early = a_lot(session, honey, in_stock=2, expires_on=EARLY)

    [proposed] = picking.propose(session, [need], now=NOON)

    assert [(one.lot_id, one.quantity) for one in proposed] == [(early.id, 2), (late.id, 1)]


def test_a_lot_the_buyer_chose_is_proposed_before_an_earlier_one(session: Session) -> None:
    honey = a_variant(session, in_stock=0)
    a_lot(session, honey, in_stock=5, expires_on=EARLY)
    chosen = a_lot(session, honey, in_stock=5, expires_on=LATE)
    need = a_need(session, honey, 2, lot_id=chosen.id)

    [proposed] = picking.propose(session, [need], now=NOON)

    assert [(one.code, one.quantity) for one in proposed] == [(chosen.code, 2)]


@pytest.mark.parametrize("state", [LotState.HELD, LotState.RECALLED])
def test_a_stopped_lot_is_not_proposed_though_it_is_held(session: Session, state: LotState) -> None:
    honey = a_variant(session, in_stock=0)
    bad = a_lot(session, honey, in_stock=5, expires_on=EARLY)
    need = a_need(session, honey, 2)
    good = a_lot(session, honey, in_stock=1, expires_on=LATE)
    bad.state = state
    session.flush()

    [proposed] = picking.propose(session, [need], now=NOON)

    assert [(one.lot_id, one.quantity) for one in proposed] == [(good.id, 1)]


def test_goods_without_lots_are_taken_from_their_one_row(session: Session) -> None:
    basket = a_variant(session, in_stock=4)
    need = a_need(session, basket, 2)

    [proposed] = picking.propose(session, [need], now=NOON)

    assert [(one.code, one.quantity) for one in proposed] == [(None, 2)]


def test_a_hold_moves_to_the_lot_in_hand_with_its_state(session: Session) -> None:
    honey = a_variant(session, in_stock=0)
    first = a_lot(session, honey, in_stock=5, expires_on=EARLY)
    second = a_lot(session, honey, in_stock=5, expires_on=LATE)
    need = a_need(session, honey, 3)

    made = picking.exchange(session, [need], [{row_of(session, second): 3}], now=NOON)

    assert made == [[]]
    assert reserved(session) == held(session) == {row_of(session, second): 3}
    assert row_of(session, first) not in reserved(session)
    assert session.get_one(Reservation, need.holds[0]).state is HoldState.COMMITTED


def test_a_hold_is_split_over_lots_and_joined_again(session: Session) -> None:
    honey = a_variant(session, in_stock=0)
    first = row_of(session, a_lot(session, honey, in_stock=5, expires_on=EARLY))
    second = row_of(session, a_lot(session, honey, in_stock=5, expires_on=LATE))
    need = a_need(session, honey, 3)

    [made] = picking.exchange(session, [need], [{first: 1, second: 2}], now=NOON)
    split = held(session)
    both = Need(honey.id, (*need.holds, *(hold.id for hold in made)))
    picking.exchange(session, [both], [{first: 3}], now=NOON)

    assert split == {first: 1, second: 2}
    assert reserved(session) == held(session) == {first: 3}


def test_two_lines_of_one_variant_may_change_places(session: Session) -> None:
    honey = a_variant(session, in_stock=0)
    first = row_of(session, a_lot(session, honey, in_stock=2, expires_on=EARLY))
    second = row_of(session, a_lot(session, honey, in_stock=2, expires_on=LATE))
    needs = [a_need(session, honey, 2), a_need(session, honey, 2)]

    picking.exchange(session, needs, [{second: 2}, {first: 2}], now=NOON)

    assert reserved(session) == held(session) == {first: 2, second: 2}
    assert session.get_one(Reservation, needs[0].holds[0]).stock_id == second


def test_a_lot_with_too_few_free_is_refused_and_nothing_changes(database: Database) -> None:
    with database.transaction() as session:
        honey = a_variant(session, in_stock=0)
        first = row_of(session, a_lot(session, honey, in_stock=5, expires_on=EARLY))
        second = row_of(session, a_lot(session, honey, in_stock=1, expires_on=LATE))
        need = a_need(session, honey, 2)

    with pytest.raises(OutOfStock), database.transaction() as session:
        picking.exchange(session, [need], [{second: 2}], now=NOON)

    with database.reading() as session:
        assert reserved(session) == held(session) == {first: 2}


@pytest.mark.parametrize("state", [LotState.HELD, LotState.RECALLED])
def test_nothing_moves_to_a_stopped_lot(session: Session, state: LotState) -> None:
    honey = a_variant(session, in_stock=0)
    a_lot(session, honey, in_stock=5, expires_on=EARLY)
    need = a_need(session, honey, 2)
    stopped = a_lot(session, honey, in_stock=5, expires_on=LATE, state=state)

    with pytest.raises(OutOfStock):
        picking.exchange(session, [need], [{row_of(session, stopped): 2}], now=NOON)


def test_nothing_moves_to_an_expired_lot(session: Session) -> None:
    honey = a_variant(session, in_stock=0)
    a_lot(session, honey, in_stock=5, expires_on=LATE)
    need = a_need(session, honey, 2)
    expired = a_lot(session, honey, in_stock=5, expires_on=NOON.date())

    with pytest.raises(OutOfStock):
        picking.exchange(session, [need], [{row_of(session, expired): 2}], now=NOON)


def test_a_need_keeps_its_amount(session: Session) -> None:
    honey = a_variant(session, in_stock=0)
    first = row_of(session, a_lot(session, honey, in_stock=5, expires_on=EARLY))
    need = a_need(session, honey, 2)

    with pytest.raises(ValueError, match="another amount"):
        picking.exchange(session, [need], [{first: 3}], now=NOON)


def test_many_packers_on_the_last_jars_of_a_lot_take_exactly_what_is_there(
    database: Database,
) -> None:
    with database.transaction() as session:
        honey = a_variant(session, in_stock=0)
        plenty = row_of(session, a_lot(session, honey, in_stock=24, expires_on=EARLY))
        few = row_of(session, a_lot(session, honey, in_stock=5, expires_on=LATE))
        needs = [a_need(session, honey, 2) for _packer in range(8)]
    won: list[bool] = []
    ready = threading.Barrier(len(needs))

    def pack(need: Need) -> None:
        ready.wait()
        try:
            with database.transaction() as session:
                picking.exchange(session, [need], [{few: 2}], now=NOON)
        except OutOfStock:
            won.append(False)
        else:
            won.append(True)

    packers = [threading.Thread(target=pack, args=(need,)) for need in needs]
    for packer in packers:
        packer.start()
    for packer in packers:
        packer.join()

    assert sorted(won) == [False] * 6 + [True] * 2
    with database.reading() as session:
        assert reserved(session) == held(session) == {plenty: 12, few: 4}
