"""The schema comes from numbered migrations, on both databases, also with data in it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from catalog.products import Product
from catalog.stock import StockItem
from core import migrations
from core.db import Database
from core.money import Money
from wsgi import load_tables

VERSIONS = sorted((migrations.FOLDER / "versions").glob("*.py"))
# Written by hand, not by the models: an old schema does not know tomorrow's columns.
ROWS = (
    (
        "INSERT INTO product (id, slug, name, name_lower, ocop_group, state, motif, season_months,"
        " list_price, is_sample, is_synthetic, created_at, updated_at) VALUES (1, 'mat-ong',"
        " 'Mật ong', 'mật ong', 'food', 'live', 'mat-ong', 0, 165000, false, false,"
        " '2026-11-25 05:00:00.000000', '2026-11-25 05:00:00.000000')"
    ),
    (
        "INSERT INTO variant (id, product_id, sku, name, unit, price, price_is_sample, position)"
        " VALUES (1, 1, 'MAT-1', '', 'chai', 165000, false, 0)"
    ),
    "INSERT INTO stock_item (id, variant_id, on_hand, reserved) VALUES (1, 1, 5, 2)",
)


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


def test_the_last_step_keeps_what_was_there(empty_database: Database) -> None:
    before_last = VERSIONS[-2].name[:4]
    migrations.upgrade(empty_database, before_last)
    with empty_database.engine.execution_options(write=True).begin() as connection:
        for statement in ROWS:
            connection.execute(text(statement))

    migrations.upgrade(empty_database)

    with empty_database.reading() as session:
        product = session.scalars(select(Product)).one()
        item = session.scalars(select(StockItem)).one()
    assert (product.name, product.list_price) == ("Mật ong", Money(165_000))
    assert (item.on_hand, item.reserved) == (5, 2)
    assert product.created_at == datetime(2026, 11, 25, 5, tzinfo=UTC)
    assert migrations.differences(empty_database) == []


def test_stock_is_guarded_by_the_database_itself(empty_database: Database) -> None:
    migrations.upgrade(empty_database)
    with empty_database.engine.execution_options(write=True).begin() as connection:
        for statement in ROWS:
            connection.execute(text(statement))

    with pytest.raises(IntegrityError), empty_database.transaction() as session:
        session.execute(update(StockItem).values(reserved=6))
