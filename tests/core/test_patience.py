"""A database that is frozen, not gone: requests end, and the shop is back when it is."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from core.db import Database, take_time
from core.settings import Settings
from wsgi import create_app

SHORT = 1.0


@contextmanager
def frozen(process: int) -> Iterator[None]:
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_frozen_server_is_given_up_and_the_next_question_has_a_new_connection(
    postgres_database: Database,
) -> None:
    database = Database(postgres_database.url.render_as_string(hide_password=False))
    with database.reading() as session:
        server = session.scalar(text("SELECT pg_backend_pid()"))
        waiting = session.connection().connection.driver_connection
        waiting.patience = SHORT  # type: ignore[union-attr]

        begun = time.monotonic()
        with frozen(int(server or 0)), pytest.raises(OperationalError):
            session.scalar(text("SELECT 1"))
        took = time.monotonic() - begun

    assert SHORT <= took < SHORT + 1
    with database.reading() as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) != server
    database.close()


def test_a_page_over_frozen_connections_answers_within_nine_seconds(
    postgres_database: Database, settings: Settings
) -> None:
    database = Database(postgres_database.url.render_as_string(hide_password=False))
    app = create_app(
        replace(settings, DATABASE_URL=database.url.render_as_string(hide_password=False))
    )
    app.extensions["database"] = database
    with database.reading() as session:
        server = session.scalar(text("SELECT pg_backend_pid()"))
    answers: list[int] = []

    with frozen(int(server or 0)):
        # A thread, so that a page that never answers is a failure and no hanging suite.
        asked = Thread(
            target=lambda: answers.append(app.test_client().get("/san-pham").status_code),
            daemon=True,
        )
        asked.start()
        asked.join(9)

    assert answers
    database.close()


def test_a_server_that_works_on_is_waited_for_where_that_was_said(
    postgres_database: Database,
) -> None:
    database = Database(postgres_database.url.render_as_string(hide_password=False))
    with database.engine.connect() as connection:
        waiting = connection.connection.driver_connection
        waiting.patience = SHORT / 10  # type: ignore[union-attr]

        take_time(connection)

        connection.execute(text("SELECT pg_sleep(0.5)"))
    assert waiting is not None
    assert waiting.patience == 6
    database.close()
