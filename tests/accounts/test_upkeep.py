"""What staff see of the background work, and that they alone can start it again."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from accounts.users import Role
from core import tasks
from core.db import Database
from core.tasks import Task, TaskState
from tests.conftest import NOON
from tests.factories import a_user
from tests.visits import browser_of, send

PAGE = "/quan-tri/viec-nen"


def a_dead_task(database: Database) -> int:
    with database.transaction() as session:
        tasks.enqueue(session, "mail.send", {"to": "hoa@example.vn"}, now=NOON)
        session.flush()
        values = {"state": TaskState.DEAD, "attempts": 6, "last_error": "MailRefused: <b>đầy</b>"}
        return session.scalar(update(Task).values(**values).returning(Task.id)) or 0


def test_staff_see_what_gave_up_and_start_it_again(app: Flask, database: Database) -> None:
    number = a_dead_task(database)
    with database.transaction() as session:
        staff = a_user(session, role=Role.STAFF)
    browser = browser_of(app, database, staff)

    page = browser.get(PAGE)
    answer = send(browser, f"{PAGE}/{number}/chay-lai", page=PAGE)

    assert "MailRefused: &lt;b&gt;đầy&lt;/b&gt;" in page.text
    assert "hoa@example.vn" not in page.text
    assert (answer.status_code, answer.location) == (303, PAGE)
    with database.reading() as session:
        assert tasks.get_task(session, number).state is TaskState.DUE
    assert "mail.send" in browser.get("/quan-tri/nhat-ky-viec").text


def test_what_has_not_given_up_is_not_started_twice(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        staff = a_user(session, role=Role.STAFF)
        tasks.enqueue(session, "mail.send", {}, now=NOON, run_at=NOON + timedelta(days=9))
    browser = browser_of(app, database, staff)

    answer = send(browser, f"{PAGE}/1/chay-lai")

    assert answer.status_code == 409
    assert send(browser, f"{PAGE}/999/chay-lai").status_code == 404


@pytest.mark.parametrize("role", [Role.BUYER, Role.PRODUCER, Role.HELPER, None])
def test_the_page_is_for_staff_only(app: Flask, database: Database, role: Role | None) -> None:
    number = a_dead_task(database)
    person = None
    if role is not None:
        with database.transaction() as session:
            person = a_user(session, role=role)
    browser = browser_of(app, database, person)

    assert browser.get(PAGE).status_code in {303, 404}
    assert send(browser, f"{PAGE}/{number}/chay-lai").status_code in {303, 404}
    with database.reading() as session:
        assert tasks.get_task(session, number).state is TaskState.DEAD
