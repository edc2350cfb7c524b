"""The diary keeps what was written, as it was written, by whom."""

import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from accounts.audit import Actor
from core.clock import VIETNAM
from core.errors import Invalid
from tests.conftest import NOON
from tests.factories import a_lot, a_step, a_variant
from traceability.diary import Step, list_steps, read_quantity, steps_of_lots


def test_a_line_keeps_text_time_and_zone(session: Session) -> None:
    lot = a_lot(session, a_variant(session))
    at = datetime(2026, 11, 24, 8, 30, 15, 123_456, VIETNAM)

    step = a_step(
        session,
        lot,
        happened_at=at,
        note=unicodedata.normalize("NFD", "  Sấy lạnh   14 giờ "),
        quantity=Decimal("0.5"),
        actor=Actor(None, "Anh Minh", on_behalf_of="HTX Mẫu"),
    )
    session.expire(step)

    (kept,) = list_steps(session, lot.id)
    assert kept.note == "Sấy lạnh 14 giờ"
    assert kept.happened_at == datetime(2026, 11, 24, 1, 30, 15, 123_000, UTC)
    assert kept.zone_offset == "+07:00"
    assert kept.quantity == Decimal("0.500")
    assert (kept.entered_by_name, kept.on_behalf_of) == ("Anh Minh", "HTX Mẫu")


def test_lines_stand_in_the_order_things_happened(session: Session) -> None:
    lot = a_lot(session, a_variant(session))
    late = a_step(session, lot, happened_at=NOON - timedelta(hours=1))
    early = a_step(session, lot, happened_at=NOON - timedelta(days=9))
    empty = a_lot(session, a_variant(session))

    diaries = steps_of_lots(session, [lot.id, empty.id])

    assert diaries == {lot.id: [early, late], empty.id: []}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"happened_at": NOON + timedelta(days=1)}, "happened_at"),
        ({"quantity": Decimal(0)}, "quantity"),
        ({"quantity": Decimal(-1)}, "quantity"),
        ({"quantity": Decimal("NaN")}, "quantity"),
        ({"quantity": Decimal("1.2345")}, "quantity"),
        ({"quantity": Decimal(10) ** 12}, "quantity"),
        ({"unit": ""}, "unit"),
        ({"place": "x" * 121}, "place"),
        ({"note": "x" * 501}, "note"),
    ],
)
def test_a_line_that_cannot_be_true_is_refused(
    session: Session, given: dict[str, object], field: str
) -> None:
    lot = a_lot(session, a_variant(session))

    with pytest.raises(Invalid) as refused:
        a_step(session, lot, **given)

    assert refused.value.field == field
    assert session.query(Step).count() == 0


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("", None),
        ("42", Decimal(42)),
        ("0,5", Decimal("0.5")),
        ("1.200", Decimal(1200)),
        ("1.200,5", Decimal("1200.5")),
        ("1.5", Decimal("1.5")),
        (" 12 ", Decimal(12)),
    ],
)
def test_numbers_are_read_as_vietnam_writes_them(typed: str, number: Decimal | None) -> None:
    assert read_quantity(typed) == number


@pytest.mark.parametrize("typed", ["nhiều", "-1", "1,2,3", "1e9", "٤٢", "1.20,0.0"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        read_quantity(typed)
