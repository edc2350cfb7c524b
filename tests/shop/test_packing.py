"""The packer takes the lot that expires first or the one in hand; lines keep what was taken."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Act
from catalog.lots import LotState
from core.db import Database
from shop import audit, fulfilment, moves, orders, packing
from shop.fulfilment import NotToBeSent
from shop.moves import TooLate
from shop.order_states import SellerOrderState
from shop.orders import Order, OrderEvent, OrderLine, SellerOrder
from shop.packing import InHand, WrongLot
from tests.conftest import NOON
from tests.factories import a_lot, a_variant
from tests.shop.selling import SELLER, an_order, at_once, only_part
from traceability import trace_codes

EARLY, LATE = date(2027, 1, 1), date(2028, 1, 1)


class Parcel:
    """Three jars of honey ordered from lot LO-1, with five of LO-2 beside it."""

    def __init__(self, session: Session, quantity: int = 3) -> None:
        self.session = session
        self.jar = a_variant(session, in_stock=0, gtin="09521234000013")
        self.first = a_lot(session, self.jar, code="LO-1", in_stock=5, expires_on=EARLY)
        self.second = a_lot(session, self.jar, code="LO-2", in_stock=5, expires_on=LATE)
        self.order = an_order(session, (self.jar, quantity))
        self.part = only_part(session, self.order)
        fulfilment.accept(session, self.order, self.part, called_buyer=True, actor=SELLER, now=NOON)
        [self.line] = orders.list_lines(session, [self.part.id])

    def take(self, *codes: tuple[str, int | None]) -> list[str]:
        """Take these lots, so many of each."""
        taken = [InHand(self.line.id, code, quantity) for code, quantity in codes]
        return packing.take_in_hand(
            self.session, self.order, self.part, taken, actor=SELLER, now=NOON
        )

    def pack(self) -> bool:
        """Say that it is packed."""
        return fulfilment.pack(self.session, self.order, self.part, actor=SELLER, now=NOON)

    @property
    def lots(self) -> dict[str | None, int]:
        """The lots the line holds now."""
        [picks] = orders.lots_of_lines(self.session, [self.line.id]).values()
        return {pick.code: pick.quantity for pick in picks}


@pytest.fixture
def parcel(session: Session) -> Parcel:
    """A parcel to pack."""
    return Parcel(session)


def test_the_page_shows_what_is_held_and_nothing_better(parcel: Parcel) -> None:
    [line] = packing.list_lines(parcel.session, parcel.part, now=NOON)

    assert [(pick.code, pick.quantity) for pick in line.held] == [("LO-1", 3)]
    assert (line.by_lots, line.better, line.short, line.stopped) == (True, False, 0, frozenset())


def test_an_earlier_lot_that_came_since_is_proposed_and_taken(parcel: Parcel) -> None:
    a_lot(parcel.session, parcel.jar, code="LO-0", in_stock=2, expires_on=date(2026, 12, 20))

    [line] = packing.list_lines(parcel.session, parcel.part, now=NOON)
    packing.take_proposed(parcel.session, parcel.order, parcel.part, actor=SELLER, now=NOON)

    assert line.better
    assert parcel.lots == {"LO-0": 2, "LO-1": 1}
    assert audit.find_faults(parcel.session) == []


def test_the_whole_line_comes_from_the_lot_that_was_scanned(parcel: Parcel) -> None:
    assert parcel.take(("lo-2", None)) == ["LO-2"]

    assert parcel.lots == {"LO-2": 3}
    assert audit.find_faults(parcel.session) == []


def test_a_line_is_split_over_lots(parcel: Parcel) -> None:
    parcel.take(("LO-2", 1))
    split = parcel.lots
    parcel.take(("LO-2", 2))

    assert split == {"LO-1": 2, "LO-2": 1}
    assert parcel.lots == {"LO-1": 1, "LO-2": 2}
    assert audit.find_faults(parcel.session) == []


def test_scanning_the_lot_that_is_held_only_confirms_it(parcel: Parcel) -> None:
    parcel.take(("LO-1", None))

    assert parcel.lots == {"LO-1": 3}
    assert not parcel.session.scalars(select(Act).where(Act.verb == "order.change_lot")).all()


@pytest.mark.parametrize(
    "typed",
    [
        " lo-2 ",
        "https://id.example/01/09521234000013/10/LO-2",
        "http://localhost/01/09521234000013/10/LO-2/21/ABC",
    ],
)
def test_a_lot_is_known_by_its_code_or_by_the_address_in_its_qr(parcel: Parcel, typed: str) -> None:
    assert parcel.take((typed, None)) == ["LO-2"]


def test_a_lot_is_known_by_the_public_code_on_its_label(parcel: Parcel) -> None:
    code = trace_codes.ensure_lot_code(parcel.session, parcel.second, now=NOON)

    by_code = parcel.take((code, 1))
    by_address = parcel.take((f"https://cho.example/t/{code}", None))

    assert (by_code, by_address) == (["LO-2"], ["LO-2"])


def test_an_unknown_lot_is_refused_at_its_field(parcel: Parcel) -> None:
    with pytest.raises(WrongLot) as refusal:
        parcel.take(("LO-9", None))

    assert refusal.value.field == f"lot-{parcel.line.id}"
    assert parcel.lots == {"LO-1": 3}


@pytest.mark.parametrize("state", [LotState.HELD, LotState.RECALLED])
def test_a_stopped_lot_in_hand_is_refused(parcel: Parcel, state: LotState) -> None:
    parcel.second.state = state
    parcel.session.flush()

    with pytest.raises(WrongLot):
        parcel.take(("LO-2", None))


def test_an_expired_lot_in_hand_is_refused(parcel: Parcel) -> None:
    parcel.second.expires_on = NOON.date()
    parcel.session.flush()

    with pytest.raises(WrongLot):
        parcel.take(("LO-2", None))


def test_a_lot_that_others_have_ordered_is_refused(database: Database) -> None:
    with database.transaction() as session:
        parcel = Parcel(session)
        an_order(session, (parcel.jar, 5), phone="0987654321")  # two of LO-1, three of LO-2
        an_order(session, (parcel.jar, 2), phone="0987654321")
        order_id, part_id, line_id = parcel.order.id, parcel.part.id, parcel.line.id

    with pytest.raises(WrongLot), database.transaction() as session:
        packing.take_in_hand(
            session,
            session.get_one(Order, order_id),
            session.get_one(SellerOrder, part_id),
            [InHand(line_id, "LO-2", None)],
            actor=SELLER,
            now=NOON,
        )

    with database.reading() as session:
        assert audit.find_faults(session) == []


@pytest.mark.parametrize("quantity", [0, -1, 4])
def test_a_line_takes_at_least_one_and_at_most_its_own(parcel: Parcel, quantity: int) -> None:
    with pytest.raises(WrongLot) as refusal:
        parcel.take(("LO-2", quantity))

    assert refusal.value.field == f"so-{parcel.line.id}"


def test_packing_writes_the_lots_into_the_history(parcel: Parcel) -> None:
    parcel.take(("LO-2", 1))
    parcel.pack()

    event = parcel.session.scalars(select(OrderEvent).where(OrderEvent.verb == "pack")).one()
    assert event.detail == {"lots": {"LO-1": 2, "LO-2": 1}}


def test_a_recalled_lot_is_not_packed_until_another_is_taken(parcel: Parcel) -> None:
    parcel.first.state = LotState.RECALLED
    parcel.session.flush()

    with pytest.raises(NotToBeSent):
        parcel.pack()
    [line] = packing.list_lines(parcel.session, parcel.part, now=NOON)
    packing.take_proposed(parcel.session, parcel.order, parcel.part, actor=SELLER, now=NOON)

    assert line.stopped == {"LO-1"}
    assert parcel.pack()
    assert parcel.lots == {"LO-2": 3}


def test_a_packed_parcel_may_still_change_its_lot_before_it_leaves(parcel: Parcel) -> None:
    parcel.pack()
    parcel.take(("LO-2", None))
    fulfilment.ship(parcel.session, parcel.order, parcel.part, actor=SELLER, now=NOON)

    assert parcel.lots == {"LO-2": 3}
    with pytest.raises(TooLate):
        parcel.take(("LO-1", None))
    assert audit.find_faults(parcel.session) == []


def test_what_no_sellable_lot_can_give_is_told(parcel: Parcel) -> None:
    for lot in (parcel.first, parcel.second):
        lot.state = LotState.HELD
    parcel.session.flush()

    [line] = packing.list_lines(parcel.session, parcel.part, now=NOON)
    packing.take_proposed(parcel.session, parcel.order, parcel.part, actor=SELLER, now=NOON)

    assert (line.short, line.better) == (3, False)
    assert parcel.lots == {"LO-1": 3}


def test_goods_without_lots_are_packed_without_a_word_of_lots(session: Session) -> None:
    basket = a_variant(session, in_stock=5)
    order = an_order(session, (basket, 2))
    part = only_part(session, order)
    fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)

    [line] = packing.list_lines(session, part, now=NOON)
    fulfilment.pack(session, order, part, actor=SELLER, now=NOON)

    assert (line.by_lots, line.better) == (False, False)
    assert part.state is SellerOrderState.READY


def test_another_line_of_the_form_is_not_this_orders(parcel: Parcel) -> None:
    with pytest.raises(TooLate):
        packing.take_in_hand(
            parcel.session,
            parcel.order,
            parcel.part,
            [InHand(parcel.line.id + 1, "LO-2")],
            actor=SELLER,
            now=NOON,
        )


def test_packers_at_the_last_jars_of_a_lot_never_take_more_than_there_are(
    database: Database,
) -> None:
    with database.transaction() as session:
        jar = a_variant(session, in_stock=0)
        a_lot(session, jar, code="LO-1", in_stock=12, expires_on=EARLY)
        a_lot(session, jar, code="LO-2", in_stock=5, expires_on=LATE)
        made = [an_order(session, (jar, 2), phone=f"0912{n:06}") for n in range(6)]
        parts = [only_part(session, order) for order in made]
        for order, part in zip(made, parts, strict=True):
            fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)
        lines = [orders.list_lines(session, [part.id])[0].id for part in parts]
        ids = list(zip((o.id for o in made), (p.id for p in parts), lines, strict=True))

    def pack(order_id: int, part_id: int, line_id: int) -> Any:
        def job(session: Session) -> Sequence[str]:
            moves.lock(session, order_id)
            return packing.take_in_hand(
                session,
                session.get_one(Order, order_id),
                session.get_one(SellerOrder, part_id),
                [InHand(line_id, "LO-2")],
                actor=SELLER,
                now=NOON,
            )

        return job

    results = at_once(database, [pack(*one) for one in ids])

    assert sum(result == ["LO-2"] for result in results) == 2
    assert {type(result) for result in results} == {list, WrongLot}
    with database.reading() as session:
        assert audit.find_faults(session) == []
        line_ids = list(session.scalars(select(OrderLine.id)))
        assert (
            sum(
                pick.quantity
                for picks in orders.lots_of_lines(session, line_ids).values()
                for pick in picks
                if pick.code == "LO-2"
            )
            == 4
        )
