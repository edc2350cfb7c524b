"""The schema comes from numbered migrations, on both databases, also with data in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from core import migrations
from core.db import Database
from wsgi import load_tables

VERSIONS = sorted((migrations.FOLDER / "versions").glob("*.py"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    load_tables()
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/empty.db")
        yield database
        database.close()
        return
    url = request.getfixturevalue("postgres_url")
    admin = create_engine(
        url.replace("postgresql:", "postgresql+psycopg:") + "/postgres",
        isolation_level="AUTOCOMMIT",
    )
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS empty_test WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE empty_test"))
    admin.dispose()
    database = Database(f"{url}/empty_test")
    yield database
    database.close()


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [re.match(r"(\d{4})_", path.name) for path in VERSIONS]

    assert [int(number.group(1)) for number in numbers if number] == list(
        range(1, len(VERSIONS) + 1)
    )


def test_migrating_an_empty_database_gives_what_the_models_say(empty_database: Database) -> None:
    migrations.upgrade(empty_database)

    assert migrations.revision(empty_database) == migrations.head()
    assert migrations.differences(empty_database) == []


def test_migrating_twice_changes_nothing(empty_database: Database) -> None:
    migrations.upgrade(empty_database)
    before = inspect(empty_database.engine).get_table_names()

    migrations.upgrade(empty_database)

    assert inspect(empty_database.engine).get_table_names() == before
