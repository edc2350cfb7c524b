"""How far a lot reaches, over mixings, splittings and circles, both ways."""

import itertools
from collections.abc import Iterable
from time import perf_counter
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM
from catalog.lots import Lot
from core.db import Database
from tests.conftest import NOON
from tests.factories import a_lot, a_step, a_variant
from traceability import events, keeping, reach
from traceability.diary import StepKind
from traceability.edges import LotEdge
from traceability.events import EventKind, TraceEvent
from traceability.keeping import Input
from traceability.reach import Way

BASE = "https://cho.example"
# Ten times the second that the shop promises, for a machine that does much else.
PATIENCE = 10.0
EDGES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40)


def an_event(session: Session) -> TraceEvent:
    """One event that edges can be told by; what it says does not matter here."""
    return events.record(
        session,
        {"type": "ObjectEvent", "eventTime": "2026-11-25T12:00:00.000+07:00"},
        kind=EventKind.STEP,
        base=BASE,
        uid=str(uuid4()),
        lot_id=None,
        actor=SYSTEM,
        now=NOON,
    )


def link(session: Session, edges: Iterable[tuple[int, int]]) -> None:
    """Write edges between lots that exist."""
    event_id = an_event(session).id
    rows = [
        {"input_lot_id": start, "output_lot_id": end, "event_id": event_id}
        for start, end in set(edges)
    ]
    if rows:
        session.execute(insert(LotEdge), rows)


def some_lots(session: Session, count: int) -> list[int]:
    """So many lots of one variant, written in one go."""
    variant = a_variant(session)
    rows = [
        {"variant_id": variant.id, "code": f"N-{number}", "created_at": NOON}
        for number in range(count)
    ]
    session.execute(insert(Lot), rows)
    return sorted(session.scalars(text("SELECT id FROM lot")).all())


def brute_force(start: int, edges: Iterable[tuple[int, int]]) -> set[int]:
    """Everything reached, by going through all edges until nothing is added."""
    found = {start}
    while more := {end for begin, end in edges if begin in found and end not in found}:
        found |= more
    return found


@given(edges=EDGES, start=st.integers(0, 12))
def test_walking_finds_what_brute_force_finds(edges: list[tuple[int, int]], start: int) -> None:
    steps = reach.walk(start, edges)

    assert set(steps) == brute_force(start, edges)
    for one, depth in steps.items():
        if depth:
            assert min(steps[begin] for begin, end in edges if end == one and begin in steps) == (
                depth - 1
            )


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edges=EDGES, start=st.integers(0, 12))
def test_the_closure_of_lots_is_the_brute_force_one_both_ways(
    database: Database, edges: list[tuple[int, int]], start: int
) -> None:
    with database._writer() as session:
        session.begin()
        nodes = some_lots(session, 13)[-13:]
        drawn = {(nodes[one], nodes[other]) for one, other in edges if one != other}
        link(session, drawn)

        down = reach.closure(session, nodes[start], Way.DOWN)
        up = reach.closure(session, nodes[start], Way.UP)

        assert set(down) == brute_force(nodes[start], drawn)
        assert set(up) == brute_force(nodes[start], {(end, begin) for begin, end in drawn})
        session.rollback()


@pytest.mark.parametrize("shape", ["chain", "fan", "circle", "mesh"])
def test_ten_thousand_lots_are_reached_in_good_time(session: Session, shape: str) -> None:
    nodes = some_lots(session, 10_000)
    pairs = {
        "chain": itertools.pairwise(nodes),
        "fan": ((nodes[0], one) for one in nodes[1:]),
        "circle": zip(nodes, [*nodes[1:], nodes[0]], strict=True),
        "mesh": (
            (one, nodes[(number + jump) % len(nodes)])
            for number, one in enumerate(nodes)
            for jump in (1, 13, 101)
        ),
    }[shape]
    link(session, {(one, other) for one, other in pairs if one != other})

    started = perf_counter()
    reached = reach.closure(session, nodes[0], Way.DOWN)
    took = perf_counter() - started
    print(f"{shape}: {took:.3f} s")

    assert len(reached) == 10_000
    assert took < PATIENCE


def test_an_edge_of_a_step_that_never_happened_leads_nowhere(session: Session) -> None:
    variant = a_variant(session)
    salt, sauce = a_lot(session, variant), a_lot(session, variant)
    step = a_step(session, sauce, kind=StepKind.PROCESSING, inputs=[Input(salt.id)])
    assert set(reach.closure(session, salt.id, Way.DOWN)) == {salt.id, sauce.id}

    keeping.correct(session, sauce, step, None, base=BASE, actor=SYSTEM, now=NOON)

    assert set(reach.closure(session, salt.id, Way.DOWN)) == {salt.id}
    assert set(reach.closure(session, sauce.id, Way.UP)) == {sauce.id}
