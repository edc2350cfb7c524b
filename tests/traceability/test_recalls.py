"""Stopping lots: everywhere at once, with all that was made of them, and ended by two people."""

import json
from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM, Actor
from accounts.users import Role, User
from catalog import stock
from catalog.lots import AlreadyRecalled, Lot, LotState, NoReason
from catalog.stock import OutOfStock, Wanted
from catalog.variants import Variant
from core import events as news
from core.db import Database
from core.settings import Settings
from core.storage import storage_for
from core.tasks import Work
from tests.conftest import NOON
from tests.factories import a_lot, a_step, a_user, a_variant, later
from tests.shop.selling import at_once
from traceability import (
    events,
    lot_proof,
    proving,
    recall_cases,
    recall_scope,
    recalls,
    serials,
    told_lots,
)
from traceability.diary import StepKind
from traceability.edges import LotEdge
from traceability.events import EventKind, TraceEvent
from traceability.keeping import Input, LotsLinked
from traceability.recall_cases import Case, CaseKind, CaseState
from traceability.recalls import NeedsASecond, NotInThatState, WrongCode

BASE = "https://cho.example"
ASKED = "Kết quả kiểm nghiệm đạt"


@pytest.fixture(autouse=True)
def _spreading() -> Iterator[None]:
    news.subscribe([(LotsLinked, recalls.spread)])
    yield
    news.subscribe([])


@pytest.fixture
def sauce(session: Session) -> Variant:
    """Fish sauce, sold in bottles."""
    return a_variant(session, in_stock=0)


def made_of(session: Session, lot: Lot, *inputs: Lot) -> None:
    """Write into the lot's diary that it was made of others."""
    a_step(session, lot, kind=StepKind.PROCESSING, inputs=[Input(one.id) for one in inputs])


def a_person(session: Session, role: Role = Role.PRODUCER) -> tuple[User, Actor]:
    """Someone of the producer."""
    user = a_user(session, role=role)
    return user, Actor(user.id, user.name)


def stop(session: Session, lot: Lot, kind: CaseKind = CaseKind.RECALL) -> Case:
    """Stop a lot for mould."""
    return recalls.stop(session, lot, kind, reason="Mốc", base=BASE, actor=SYSTEM, now=NOON)


def states(session: Session, *lots: Lot) -> list[str]:
    """The states of lots as the database has them now."""
    found = []
    for lot in lots:
        session.refresh(lot)
        found.append(lot.state.value)
    return found


def test_a_recall_of_salt_reaches_the_sauce_two_makings_away_and_stops_there(
    session: Session, sauce: Variant
) -> None:
    salt, brine, bottled, other = (a_lot(session, sauce, in_stock=5) for _ in range(4))
    made_of(session, brine, salt)
    made_of(session, bottled, brine)

    case = stop(session, salt)

    assert states(session, salt, brine, bottled, other) == ["recalled"] * 3 + ["active"]
    assert recall_cases.lots_of(session, case.id) == {salt.id: 0, brine.id: 1, bottled.id: 2}
    assert bottled.recall_reason == "Mốc"
    assert stock.free_of_variants(session, [sauce.id], now=NOON) == {sauce.id: 5}


def test_nothing_is_done_by_looking_first(session: Session, sauce: Variant) -> None:
    salt, bottled = a_lot(session, sauce, in_stock=3), a_lot(session, sauce, in_stock=4)
    made_of(session, bottled, salt)
    serials.make(session, bottled, 2, now=NOON)
    [[hold]] = stock.reserve(session, [Wanted(sauce.id, 2, bottled.id)], now=NOON, expires_at=None)

    scope = recall_scope.of_lot(session, salt.id)
    upwards = recall_scope.of_lot(session, bottled.id)

    assert [(line.lot.id, line.steps) for line in scope.made] == [(salt.id, 0), (bottled.id, 1)]
    assert (scope.serials, scope.on_hand, scope.reserved) == (2, 7, hold.quantity)
    assert [line.lot.id for line in upwards.made_from] == [salt.id]
    assert states(session, salt, bottled) == ["active", "active"]


def test_every_lot_has_its_event_in_the_log_once(session: Session, sauce: Variant) -> None:
    salt, bottled = a_lot(session, sauce), a_lot(session, sauce)
    made_of(session, bottled, salt)

    stop(session, salt)
    stop(session, salt)
    stop(session, bottled)

    told = session.scalars(select(TraceEvent).where(TraceEvent.kind == EventKind.RECALL)).all()
    assert sorted(one.lot_id or 0 for one in told) == sorted([salt.id, bottled.id])
    said = [json.loads(one.body) for one in told]
    assert {one["disposition"] for one in said} == {"recalled"}
    assert all(one["persistentDisposition"] == {"set": ["recalled"]} for one in said)
    assert list(proving.find_event_faults(session)) == []


def test_a_stopped_lot_cannot_be_ordered(session: Session, sauce: Variant) -> None:
    lot = a_lot(session, sauce, in_stock=5)

    stop(session, lot, CaseKind.HOLD)

    with pytest.raises(OutOfStock):
        stock.reserve(session, [Wanted(sauce.id, 1)], now=NOON, expires_at=None)


def test_a_recall_is_never_softened_to_a_hold(session: Session, sauce: Variant) -> None:
    lot = a_lot(session, sauce)
    stop(session, lot)

    with pytest.raises(AlreadyRecalled):
        stop(session, lot, CaseKind.HOLD)

    assert states(session, lot) == ["recalled"]


def test_a_recall_takes_the_place_of_a_hold(session: Session, sauce: Variant) -> None:
    lot = a_lot(session, sauce)
    hold = stop(session, lot, CaseKind.HOLD)

    case = stop(session, lot)

    assert states(session, lot) == ["recalled"]
    assert (hold.state, case.state) == (CaseState.REPLACED, CaseState.OPEN)


def test_a_reason_is_needed(session: Session, sauce: Variant) -> None:
    lot = a_lot(session, sauce)

    with pytest.raises(NoReason):
        recalls.stop(session, lot, CaseKind.RECALL, reason="  ", base=BASE, actor=SYSTEM, now=NOON)


def test_what_is_written_down_late_joins_the_recall(session: Session, sauce: Variant) -> None:
    salt, bottled, carton = (a_lot(session, sauce) for _ in range(3))
    made_of(session, carton, bottled)
    case = stop(session, salt)

    made_of(session, bottled, salt)

    assert states(session, bottled, carton) == ["recalled", "recalled"]
    assert recall_cases.lots_of(session, case.id) == {salt.id: 0, bottled.id: 1, carton.id: 2}


def test_a_recall_ends_only_when_a_second_person_agrees(session: Session, sauce: Variant) -> None:
    lot = a_lot(session, sauce, in_stock=5)
    case = stop(session, lot)
    _, hoa = a_person(session)
    _, binh = a_person(session)

    recalls.ask_to_lift(session, case, reason=ASKED, actor=hoa, now=NOON)
    with pytest.raises(NeedsASecond):
        recalls.lift(session, case, role=Role.PRODUCER, base=BASE, actor=hoa, now=NOON)
    assert states(session, lot) == ["recalled"]
    freed = recalls.lift(session, case, role=Role.PRODUCER, base=BASE, actor=binh, now=NOON)

    assert freed == [lot.id]
    assert states(session, lot) == ["active"]
    assert (lot.recall_reason, lot.recalled_at) == (None, None)
    assert (case.asked_by_name, case.lifted_by_name) == (hoa.name, binh.name)
    last = events.list_of_lot(session, lot.id)[-1].event
    assert last["persistentDisposition"] == {"unset": ["recalled"]}


def test_a_helper_asks_but_does_not_agree(session: Session, sauce: Variant) -> None:
    case = stop(session, a_lot(session, sauce))
    _, hoa = a_person(session)
    user, _ = a_person(session, Role.HELPER)
    helper = Actor(user.id, user.name, on_behalf_of="HTX Thử")
    recalls.ask_to_lift(session, case, reason=ASKED, actor=hoa, now=NOON)

    with pytest.raises(NeedsASecond):
        recalls.lift(session, case, role=Role.HELPER, base=BASE, actor=helper, now=NOON)

    assert case.state is CaseState.ASKED


def test_the_end_of_a_case_can_be_refused(session: Session, sauce: Variant) -> None:
    lot = a_lot(session, sauce)
    case = stop(session, lot)
    _, hoa = a_person(session)
    _, binh = a_person(session)
    recalls.ask_to_lift(session, case, reason=ASKED, actor=hoa, now=NOON)

    recalls.keep_up(session, case, actor=binh, now=later(hours=1))

    with pytest.raises(NotInThatState):
        recalls.lift(session, case, role=Role.PRODUCER, base=BASE, actor=binh, now=NOON)
    assert states(session, lot) == ["recalled"]


def test_a_lot_of_two_recalls_is_sold_again_after_the_second(
    session: Session, sauce: Variant
) -> None:
    salt, fish, bottled = (a_lot(session, sauce) for _ in range(3))
    made_of(session, bottled, salt, fish)
    first, second = stop(session, salt), stop(session, fish)
    held = stop(session, a_lot(session, sauce), CaseKind.HOLD)
    _, hoa = a_person(session)
    _, binh = a_person(session)

    for case in (first, held):
        recalls.ask_to_lift(session, case, reason=ASKED, actor=hoa, now=NOON)
    recalls.lift(session, first, role=Role.PRODUCER, base=BASE, actor=binh, now=NOON)
    assert states(session, salt, fish, bottled) == ["active", "recalled", "recalled"]
    recalls.ask_to_lift(session, second, reason=ASKED, actor=binh, now=NOON)
    recalls.lift(session, second, role=Role.STAFF, base=BASE, actor=hoa, now=NOON)

    assert states(session, salt, fish, bottled) == ["active"] * 3


def test_a_lot_that_is_held_besides_stays_held(session: Session, sauce: Variant) -> None:
    salt, bottled = a_lot(session, sauce), a_lot(session, sauce)
    made_of(session, bottled, salt)
    stop(session, bottled, CaseKind.HOLD)
    case = stop(session, salt)
    _, hoa = a_person(session)
    _, binh = a_person(session)
    assert states(session, salt, bottled) == ["recalled", "recalled"]

    recalls.ask_to_lift(session, case, reason=ASKED, actor=hoa, now=NOON)
    recalls.lift(session, case, role=Role.PRODUCER, base=BASE, actor=binh, now=NOON)

    assert states(session, salt, bottled) == ["active", "held"]
    last = events.list_of_lot(session, bottled.id)[-1].event
    assert last["disposition"] == "non_sellable_other"
    assert last["persistentDisposition"] == {"unset": ["recalled"]}
    assert list(lot_proof.find_faults(session)) == []


def test_a_slip_stops_nothing(session: Session, sauce: Variant) -> None:
    lot = a_lot(session, sauce, code="LO-7")

    recalls.check_code(lot, " lo-7 ")
    with pytest.raises(WrongCode):
        recalls.check_code(lot, "LO-77")


def test_two_who_agree_at_once_end_it_once(database: Database) -> None:
    with database.transaction() as session:
        lot = a_lot(session, a_variant(session))
        case_id = stop(session, lot).id
        actors = [a_person(session)[1] for _ in range(3)]
        case = session.get_one(Case, case_id)
        recalls.ask_to_lift(session, case, reason=ASKED, actor=actors[0], now=NOON)
    stale = []
    for actor in actors[1:]:
        with database.transaction() as session:
            case = session.get_one(Case, case_id)
            try:
                recalls.lift(session, case, role=Role.STAFF, base=BASE, actor=actor, now=NOON)
            except NotInThatState:
                stale.append(actor)

    assert stale == [actors[2]]


def stop_by_id(session: Session, *, lot_id: int) -> int:
    """Recall a lot in a transaction of one's own."""
    return stop(session, session.get_one(Lot, lot_id)).id


def make_by_id(made_id: int, of_id: int, session: Session) -> None:
    """Write down in a transaction of one's own that one lot was made of another."""
    made_of(session, session.get_one(Lot, made_id), session.get_one(Lot, of_id))


def test_a_line_written_in_the_same_moment_does_not_slip_through(database: Database) -> None:
    for _try in range(5):
        with database.transaction() as session:
            variant = a_variant(session)
            salt, bottled = a_lot(session, variant), a_lot(session, variant)

        outcomes = at_once(
            database,
            [partial(stop_by_id, lot_id=salt.id), partial(make_by_id, bottled.id, salt.id)],
        )

        assert [one for one in outcomes if isinstance(one, Exception)] == []
        with database.reading() as session:
            assert session.get_one(Lot, bottled.id).state is LotState.RECALLED


def many_made_of(session: Session, first: Lot, count: int) -> list[int]:
    """So many lots that were all made of the first, as one line of the diary says."""
    rows = [
        {"variant_id": first.variant_id, "code": f"N-{number}", "created_at": NOON}
        for number in range(count)
    ]
    made = list(session.scalars(insert(Lot).returning(Lot.id), rows))
    link = a_step(session, first)
    event_id = events.of_steps(session, [link.id])[link.id].id
    session.execute(
        insert(LotEdge),
        [{"input_lot_id": first.id, "output_lot_id": one, "event_id": event_id} for one in made],
    )
    return made


def test_many_lots_are_stopped_at_once_and_their_books_follow_in_order(
    settings: Settings, database: Database
) -> None:
    work = Work(
        1, told_lots.KIND, {}, 1, database, settings, storage_for(settings), lambda: later(hours=3)
    )
    with database.transaction() as session:
        first = a_lot(session, a_variant(session))
        made = many_made_of(session, first, told_lots.AT_ONCE + 50)
        others = [a_person(session)[1] for _ in range(2)]

    with database.transaction() as session:
        case = stop(session, session.get_one(Lot, first.id), CaseKind.HOLD)
    with database.reading() as session:
        active = session.scalars(select(Lot.id).where(Lot.state == LotState.ACTIVE)).all()
        waiting = told_lots.count_waiting(session, [first.id, *made])
        begun = [one.event["disposition"] for one in events.list_of_lot(session, first.id)][-1]
    with database.transaction() as session:
        case = session.get_one(Case, case.id)
        recalls.ask_to_lift(session, case, reason=ASKED, actor=others[0], now=later(hours=1))
        recalls.lift(session, case, role=Role.STAFF, base=BASE, actor=others[1], now=later(hours=2))
    told_lots.run(work)

    assert (active, waiting, begun) == ([], 51, "non_sellable_other")
    with database.reading() as session:
        for lot_id in (first.id, made[0], made[-1]):
            told = [one.event for one in events.list_of_lot(session, lot_id)][-2:]
            assert [one["bizStep"] for one in told] == ["holding", "inspecting"]
            assert [one["eventTime"][11:16] for one in told] == ["12:00", "14:00"]
        assert told_lots.count_waiting(session, made) == 0
        assert list(proving.find_event_faults(session)) == []
