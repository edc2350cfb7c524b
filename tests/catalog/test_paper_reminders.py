"""Papers that run out: a letter 90 and 30 days ahead, once each, and a duty on the desk."""

from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from catalog import paper_reminders
from catalog.certificates import Certificate, PaperKind, PaperState
from catalog.members import Member
from catalog.producers import Producer
from catalog.products import Product
from core.clock import vietnam_day
from core.db import Database
from core.tasks import Task
from tests.conftest import NOON
from tests.factories import a_product, a_star, a_user
from tests.shop.selling import run_due

TODAY = vietnam_day(NOON)


@pytest.fixture
def honey(database: Database) -> Product:
    """Honey with four stars, of a producer with one person who has an e-mail address."""
    with database.transaction() as session:
        product = a_product(session, name="Mật ong")
        user = a_user(session, email="hoa@example.com")
        session.add(Member(producer_id=product.producer_id or 0, user_id=user.id, since=NOON))
        a_star(session, product)
        return product


def ends_in(database: Database, days: int) -> None:
    """Let the only paper end in so many days."""
    with database.transaction() as session:
        session.execute(update(Certificate).values(expires_on=TODAY + timedelta(days=days)))


def letters(app: Flask, database: Database, *, days: int = 0) -> list[str]:
    """Run the clock's work so many days later, and return the subjects of all letters so far."""
    now = NOON + timedelta(days=days)
    for _twice in range(2):
        paper_reminders.remind_due(database, now)
    run_due(app, database, now=now)
    with database.reading() as session:
        found = session.scalars(select(Task).where(Task.kind == "mail.send").order_by(Task.id))
        return [str(one.payload["subject"]) for one in found]


def test_nobody_is_written_to_before_the_ninetieth_day(
    app: Flask, database: Database, honey: Product
) -> None:
    ends_in(database, 91)

    assert letters(app, database) == []


def test_a_letter_comes_ninety_and_thirty_days_ahead_once_each(
    app: Flask, database: Database, honey: Product
) -> None:
    ends_in(database, 90)

    first = letters(app, database)
    again = letters(app, database, days=20)
    second = letters(app, database, days=61)
    last = letters(app, database, days=89)

    day = f"{TODAY + timedelta(days=89):%d/%m/%Y}"
    assert first == [f"Chứng nhận OCOP của Mật ong hết hạn ngày {day}"]
    assert again == first
    assert second == first * 2
    assert last == second


def test_a_paper_that_is_handed_in_late_gets_one_letter(
    app: Flask, database: Database, honey: Product
) -> None:
    ends_in(database, 10)

    assert len(letters(app, database)) == 1


def test_a_paper_that_has_a_successor_needs_no_letter(
    app: Flask, database: Database, honey: Product
) -> None:
    ends_in(database, 20)
    with database.transaction() as session:
        a_star(session, session.get_one(Product, honey.id), issued=date(2026, 11, 1))

    assert letters(app, database) == []


def test_a_withdrawn_paper_gets_no_letter(app: Flask, database: Database, honey: Product) -> None:
    ends_in(database, 20)
    with database.transaction() as session:
        session.execute(update(Certificate).values(state=PaperState.WITHDRAWN))

    assert letters(app, database) == []


@pytest.mark.parametrize(
    ("days", "said"), [(91, None), (90, "run out within"), (1, "run out within"), (0, "have run")]
)
def test_the_desk_says_what_runs_out(
    database: Database, honey: Product, days: int, said: str | None
) -> None:
    ends_in(database, days)

    with time_machine.travel(NOON), database.reading() as session:
        place = session.scalars(select(Producer)).one()
        told = paper_reminders.tell_duties(session, place.id)

    assert [said is not None and said in one.sentence for one in told] == [True] * bool(said)


def test_kinds_are_kept_apart(app: Flask, database: Database, honey: Product) -> None:
    ends_in(database, 20)
    with database.transaction() as session:
        session.add(
            Certificate(product_id=honey.id, kind=PaperKind.VIETGAP, issued_on=date(2026, 1, 1))
        )

    assert len(letters(app, database)) == 1
