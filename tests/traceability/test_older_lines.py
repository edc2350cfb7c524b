"""Lines written before there was a log are taken in once, as they stand."""

from sqlalchemy.orm import Session

from accounts.audit import Actor
from tests.conftest import NOON
from tests.factories import a_lot, a_step, a_variant
from traceability import diary, events, log, older_lines, proving
from traceability.diary import StepKind


def test_every_line_without_an_event_gets_one_and_only_one(session: Session) -> None:
    lot = a_lot(session, a_variant(session))
    a_step(session, lot)
    before = [
        diary.write_step(
            session, lot, kind=StepKind.PACKING, happened_at=NOON, place=None, quantity=None,
            unit=None, note="trước khi có sổ", actor=Actor(None, "Chị Hoa"), now=NOON,
        )
        for _time in range(3)
    ]  # fmt: skip

    first = older_lines.take_in(session, base="https://cho.example", now=NOON)
    again = older_lines.take_in(session, base="https://cho.example", now=NOON)

    assert (first, again) == (3, 0)
    assert set(events.of_steps(session, [one.id for one in before])) == {one.id for one in before}
    assert log.head(session).size == 4
    assert proving.find_faults(session) == []
