"""A line of the diary is an event with its hash in the log; corrections are added, never edited."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog.lots import Lot
from tests.conftest import NOON
from tests.factories import a_lot, a_producer, a_product, a_step, a_variant
from traceability import edges, epcis, epcis_rules, event_hash, events, keeping, log, proving
from traceability.diary import Step, StepKind
from traceability.events import Commitment, EventKind, TraceEvent
from traceability.keeping import AlreadyCorrected, Input, Line, NotAnInput

BASE = "https://cho.example"
HOA = Actor(None, "Chị Hoa")


def a_line(kind: StepKind = StepKind.PROCESSING, **given: Any) -> Line:
    return Line(**{"kind": kind, "happened_at": NOON - timedelta(hours=1), **given})


def keep(session: Session, lot: Lot, line: Line) -> Step:
    return keeping.keep(session, lot, line, base=BASE, actor=HOA, now=NOON)


def two_lots(session: Session) -> tuple[Lot, Lot]:
    producer = a_producer(session)
    return (
        a_lot(session, a_variant(session, product=a_product(session, producer=producer))),
        a_lot(session, a_variant(session, product=a_product(session, producer=producer))),
    )


def event_of(session: Session, step: Step) -> TraceEvent:
    return events.of_steps(session, [step.id])[step.id]


@pytest.mark.parametrize("kind", list(StepKind))
def test_every_kind_of_line_is_a_right_epcis_event(session: Session, kind: StepKind) -> None:
    lot = a_lot(session, a_variant(session))

    keep(session, lot, a_line(kind, quantity=Decimal("42.5"), unit="kg"))

    document = epcis.document(events.list_of_lot(session, lot.id), base=BASE, now=NOON)
    assert epcis_rules.find_faults(document) == []
    [event] = document["epcisBody"]["eventList"]
    assert event_hash.document_hashes(document) == [event["eventID"]]


def test_nothing_about_a_person_and_no_free_text_is_in_the_event(session: Session) -> None:
    lot = a_lot(session, a_variant(session))

    step = keep(session, lot, a_line(place="nhà bà Lan", note="con bà Lan đảo chè"))

    body = event_of(session, step).body
    assert "Lan" not in body
    assert "Hoa" not in body
    kept = {one.field: one.value for one in session.scalars(select(Commitment))}
    assert kept == {"entered_by": "Chị Hoa", "place": "nhà bà Lan", "note": "con bà Lan đảo chè"}


def test_the_log_holds_the_hash_and_the_commitments(session: Session) -> None:
    lot = a_lot(session, a_variant(session))

    event = event_of(session, keep(session, lot, a_line(note="đảo tay")))

    said = json.loads(log.get_entry(session, event.log_position).entry)
    assert said["event"] == event.event_hash
    assert set(said["private"]) == {"entered_by", "note"}
    assert "đảo tay" not in json.dumps(said, ensure_ascii=False)
    assert list(proving.find_event_faults(session)) == []


def test_the_same_line_sent_twice_by_a_phone_is_one(session: Session) -> None:
    lot = a_lot(session, a_variant(session))
    line = a_line(uid=str(uuid4()))

    first, second = keep(session, lot, line), keep(session, lot, line)

    assert first.id == second.id
    assert log.head(session).size == 1


def test_lots_that_went_in_are_inputs_and_edges(session: Session) -> None:
    tea, jar = two_lots(session)

    step = keep(session, jar, a_line(inputs=[Input(tea.id, Decimal(12), "kg")]))

    event = event_of(session, step).event
    assert event["type"] == "TransformationEvent"
    assert event["inputQuantityList"][0]["quantity"] == 12
    [edge] = edges.inputs_of(session, [jar.id])
    assert (edge.input_lot_id, edge.quantity) == (tea.id, Decimal(12))
    assert [one.output_lot_id for one in edges.outputs_of(session, [tea.id])] == [jar.id]


def test_a_lot_is_not_made_of_itself_nor_of_a_strangers(session: Session) -> None:
    tea, jar = two_lots(session)
    strange = a_lot(session, a_variant(session, product=a_product(session, name="Của nhà khác")))

    for inputs in ([Input(jar.id)], [Input(strange.id)], [Input(tea.id), Input(tea.id)]):
        with pytest.raises(NotAnInput):
            keep(session, jar, a_line(inputs=inputs))
    with pytest.raises(NotAnInput):
        keep(session, jar, a_line(StepKind.HARVEST, inputs=[Input(tea.id)]))


def test_a_correction_declares_the_old_line_wrong_and_writes_the_new(session: Session) -> None:
    lot = a_lot(session, a_variant(session))
    wrong = keep(session, lot, a_line(quantity=Decimal(10), unit="kg"))
    before = event_of(session, wrong).body

    right = keeping.correct(
        session, lot, wrong, a_line(quantity=Decimal(12), unit="kg"),
        base=BASE, actor=HOA, now=NOON,
    )  # fmt: skip

    assert right is not None
    assert keeping.corrected_steps(session, lot.id) == {wrong.id}
    assert event_of(session, wrong).body == before
    [declared] = session.scalars(select(TraceEvent).where(TraceEvent.kind == EventKind.DECLARATION))
    said = declared.event["errorDeclaration"]
    assert said["reason"] == "incorrect_data"
    assert said["correctiveEventIDs"] == [event_of(session, right).event_hash]
    assert declared.event_hash == event_of(session, wrong).event_hash
    document = epcis.document(events.list_of_lot(session, lot.id), base=BASE, now=NOON)
    assert epcis_rules.find_faults(document) == []
    assert list(proving.find_event_faults(session)) == []


def test_a_line_is_declared_wrong_once(session: Session) -> None:
    lot = a_lot(session, a_variant(session))
    wrong = keep(session, lot, a_line())
    keeping.correct(session, lot, wrong, None, base=BASE, actor=HOA, now=NOON)

    with pytest.raises(AlreadyCorrected):
        keeping.correct(session, lot, wrong, None, base=BASE, actor=HOA, now=NOON)


def test_words_changed_behind_our_back_are_named(session: Session) -> None:
    lot = a_lot(session, a_variant(session))
    first, second = a_step(session, lot), a_step(session, lot, note="khô đều")
    changed = event_of(session, first)
    forged = json.loads(changed.body)
    forged["quantityList"][0]["quantity"] = 420
    session.execute(
        update(TraceEvent).where(TraceEvent.id == changed.id).values(body=events.canonical(forged))
    )
    session.execute(update(Commitment).where(Commitment.field == "note").values(value="ẩm mốc"))
    session.expire_all()

    told = list(proving.find_event_faults(session))

    assert told == [
        f"trace event {changed.id}: its words are not those of its hash",
        f"trace event {event_of(session, second).id}: «note» is not what was committed to",
    ]
