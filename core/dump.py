"""Every table as lines of JSON, from one moment, and back: the same lines for both databases."""

import enum
import json
import sqlite3
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Date,
    Enum,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    func,
    insert,
    select,
    text,
)

from core.db import Base, Database, MoneyType, UtcDateTime, take_time
from core.money import Money

AT_ONCE = 1_000


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """Give a connection that sees the database as it is now, whatever is written meanwhile.

    SQLite is copied by its online backup first, so that a long reading holds nobody up.
    """
    if not database.is_sqlite:
        engine = database.engine.execution_options(isolation_level="REPEATABLE READ")
        with engine.connect() as connection:
            _without_limits(connection)
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix="cho-phien-") as folder:
        copy = Path(folder) / "copy.db"
        with database.engine.connect() as connection, closing(sqlite3.connect(copy)) as target:
            source: Any = connection.connection.driver_connection
            source.backup(target)
        copied = Database(f"sqlite:///{copy}")
        try:
            with copied.engine.connect() as connection:
                yield connection
        finally:
            copied.close()


def _without_limits(connection: Connection) -> None:
    """Let this transaction take hours and pause while files are packed or unpacked between."""
    take_time(connection)
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


def tables() -> list[Table]:
    """Return every table by name."""
    return [Base.metadata.tables[name] for name in sorted(Base.metadata.tables)]


def lines(connection: Connection, table: Table) -> Iterator[bytes]:
    """Give each row of `table` as one line, in the order of its key."""
    rows = connection.execution_options(stream_results=True).execute(
        select(table).order_by(*table.primary_key.columns), execution_options={"yield_per": AT_ONCE}
    )
    for row in rows:
        plain = [_plain(value) for value in row]
        yield json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def is_empty(connection: Connection) -> bool:
    """Say whether no table holds anything; the clockwork's own rows do not count."""
    return not any(
        connection.scalar(select(func.count()).select_from(table.select().limit(1).subquery()))
        for table in tables()
        if table.name != "schedule"
    )


def clear(connection: Connection) -> None:
    """Empty every table."""
    if connection.dialect.name == "sqlite":
        for table in tables():
            connection.execute(table.delete())
        return
    names = ", ".join(f'"{table.name}"' for table in tables())
    connection.execute(text(f"TRUNCATE {names}"))


@contextmanager
def any_order(connection: Connection) -> Iterator[None]:
    """Let rows come before the rows they point to; at the end every pointer is checked."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        yield
        return
    _without_limits(connection)
    connection.execute(text("SET LOCAL lock_timeout = '10s'"))
    pointers = connection.execute(
        text(
            "SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint"
            " WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"
        )
    ).all()
    for table, name in pointers:
        connection.execute(text(f"ALTER TABLE {table} ALTER CONSTRAINT {name} DEFERRABLE"))
    connection.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    yield
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for table, name in pointers:
        connection.execute(text(f"ALTER TABLE {table} ALTER CONSTRAINT {name} NOT DEFERRABLE"))


def load(connection: Connection, table: Table, rows: Iterable[bytes]) -> int:
    """Write every line back as a row; return how many there were."""
    bare = _without_defaults(table)
    columns = list(table.columns)
    count, left = 0, iter(rows)
    while some := list(islice(left, AT_ONCE)):
        values = [
            {
                column.name: _typed(column, value)
                for column, value in zip(columns, json.loads(line), strict=True)
            }
            for line in some
        ]
        connection.execute(insert(bare), values)
        count += len(some)
    if connection.dialect.name != "sqlite":
        _set_numbering(connection, table)
    return count


def _without_defaults(table: Table) -> Table:
    """Return the table as it must be written back: what was empty stays empty."""
    return Table(
        table.name,
        MetaData(),
        *(
            Column(
                column.name,
                JSON(none_as_null=bool(column.nullable))
                if isinstance(column.type, JSON)
                else column.type,
            )
            for column in table.columns
        ),
    )


def _set_numbering(connection: Connection, table: Table) -> None:
    for column in table.primary_key.columns:
        sequence = connection.scalar(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": f'"{table.name}"', "column": column.name},
        )
        if sequence:
            highest = connection.scalar(select(func.max(column)))
            connection.execute(
                text("SELECT setval(:sequence, :highest, :used)"),
                {"sequence": sequence, "highest": highest or 1, "used": highest is not None},
            )


def _plain(value: Any) -> Any:
    match value:
        case Money():
            value = value.dong
        case enum.Enum():
            value = value.value
        case date():
            value = value.isoformat()
        case Decimal():
            value = str(value)
        case bytes():
            value = b64encode(value).decode()
    return value


def _typed(column: Column[Any], value: Any) -> Any:
    kind = column.type
    match value:
        case int() if isinstance(kind, MoneyType):
            value = Money(value)
        case str() if isinstance(kind, UtcDateTime):
            value = datetime.fromisoformat(value)
        case str() if isinstance(kind, Date):
            value = date.fromisoformat(value)
        case str() if isinstance(kind, Enum) and kind.enum_class is not None:
            value = kind.enum_class(value)
        case str() if isinstance(kind, Numeric):
            value = Decimal(value)
        case str() if isinstance(kind, LargeBinary):
            value = b64decode(value)
    return value
