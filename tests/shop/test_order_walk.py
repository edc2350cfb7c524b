"""Whatever is done to orders, in whatever order: stock, money and orders agree after each step."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import text

from core import events
from core.db import Base, Database
from tests.shop.walking import OrderWalk
from wsgi import SUBSCRIPTIONS, named

STEPS = 40
DONE_AT_LEAST_ONCE = {"order", "accept", "pack", "money exact", "call off"}


@pytest.fixture(autouse=True)
def _listening() -> None:
    events.subscribe((named(news), named(handler)) for news, handler in SUBSCRIPTIONS)


def walk(machine: type[OrderWalk], walks: int) -> Counter[str]:
    """Walk so many times; return how often what was done, and what was refused."""
    machine.done = Counter()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=walks,
            stateful_step_count=STEPS,
            deadline=None,
            # Making a failing walk shorter takes minutes; it is printed whole.
            phases=[Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return machine.done


def test_walks_on_sqlite(sqlite_template: Path, tmp_path: Path) -> None:
    class OnSqlite(OrderWalk):
        def __init__(self) -> None:
            path = tmp_path / "walk.db"
            for leftover in tmp_path.glob("walk.db*"):
                leftover.unlink()
            shutil.copy(sqlite_template, path)
            type(self).database = Database(f"sqlite:///{path}")
            super().__init__()

        def teardown(self) -> None:
            self.database.close()

    done = walk(OnSqlite, 12)

    assert done.keys() >= DONE_AT_LEAST_ONCE


def test_walks_on_postgresql(postgres_database: Database) -> None:
    class OnPostgresql(OrderWalk):
        database = postgres_database

        def teardown(self) -> None:
            names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
            with self.database.engine.begin() as connection:
                connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))

    done = walk(OnPostgresql, 3)

    assert done["order"] > 0
