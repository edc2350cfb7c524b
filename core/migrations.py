"""Migrations: numbered steps in `migrations/versions`, run by Alembic's Python API."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from core.db import Base, Database, take_time
from core.settings import ROOT

FOLDER = ROOT / "migrations"
# Any number: it only has to be the same in every process that might migrate at once.
ADVISORY_LOCK = 7_204_451


class BrokenReference(Exception):  # noqa: N818 - what was found
    """A migration would leave a row that points at nothing; nothing of it was kept."""


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the schema to revision `to`; of two processes at once, one works and one waits.

    PostgreSQL: a lock the shop's own traffic holds is waited for one second at most, so that a
    migration never queues the whole shop behind itself.
    """
    with _alone(database), _writing(database) as connection:
        command.upgrade(_config(connection), to)


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    """Let one process migrate at a time; SQLite's write lock does that by itself."""
    if database.is_sqlite:
        yield
        return
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        take_time(connection)
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SET lock_timeout = 0"))
        connection.execute(text(f"SELECT pg_advisory_lock({ADVISORY_LOCK})"))
        try:
            yield
        finally:
            connection.execute(text(f"SELECT pg_advisory_unlock({ADVISORY_LOCK})"))
            connection.execute(text("RESET statement_timeout"))
            connection.execute(text("RESET lock_timeout"))


@contextmanager
def _writing(database: Database) -> Iterator[Connection]:
    if database.is_sqlite:
        with _rebuilding(database) as connection:
            yield connection
        return
    with database.engine.execution_options(write=True).begin() as connection:
        take_time(connection)
        connection.execute(text("SET LOCAL lock_timeout = '1s'"))
        connection.execute(text("SET LOCAL statement_timeout = '60s'"))
        yield connection


@contextmanager
def _rebuilding(database: Database) -> Iterator[Connection]:
    """Let tables be rebuilt that others point at: SQLite changes a table by making it anew.

    References are not watched meanwhile, which can only be said outside a transaction; all of them
    are checked before anything is kept.
    """
    with database.engine.execution_options(write=True).connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                if broken is not None:
                    raise BrokenReference(f"{broken[0]} row {broken[1]} points at no {broken[2]}")
        finally:
            driver.execute("PRAGMA foreign_keys = ON")


def revision(database: Database) -> str | None:
    """Return the revision this database is at, None for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """Return the newest revision in the folder."""
    return ScriptDirectory(str(FOLDER)).get_current_head()


def differences(database: Database) -> list[object]:
    """Return what the models say and the migrated database does not; empty when they agree."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def draft(database: Database, name: str) -> Path:
    """Write the next numbered migration from the difference between models and `database`."""
    newest = head()
    number = f"{int(newest or 0) + 1:04d}"
    with _writing(database) as connection:
        script = command.revision(
            _config(connection), message=name, autogenerate=True, rev_id=number
        )
    if script is None or isinstance(script, list):
        message = "exactly one migration was expected"
        raise RuntimeError(message)
    return Path(str(script.path))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
