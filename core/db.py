"""The database: column types, the base class, and `transaction()`, the only place that commits.

SQLite and PostgreSQL are both first-class. SQLite writers take the write lock at BEGIN: with a
plain BEGIN two writers can both read, then fail on upgrade. Readers never wait for a writer.
"""

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Date,
    DateTime,
    Dialect,
    Engine,
    Enum,
    MetaData,
    Row,
    Select,
    TypeDecorator,
    bindparam,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from core.money import Money


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment. Naive values are refused; both databases give back UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; SQLite keeps no zone, so it gets the naive UTC reading."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"a naive time cannot be stored: {value!r}"
            raise TypeError(message)
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give back an aware UTC moment."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class MoneyType(TypeDecorator[Money]):
    """Whole đồng in a 64-bit integer."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Store the number of đồng."""
        return None if value is None else value.dong

    def process_result_value(self, value: int | None, dialect: Dialect) -> Money | None:  # noqa: ARG002
        """Give back Money."""
        return None if value is None else Money(int(value))


def word(kind: type[enum.StrEnum]) -> Enum:
    """Return the column type for one word of `kind`: its value, checked by the database."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=40,
        name=kind.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    """Every table of the house; constraint names are fixed so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), Money: MoneyType()}  # noqa: RUF012


class Database:
    """One database: an engine for readers, the same engine for writers, and their sessions."""

    def __init__(self, url: str, *, role: str = "web") -> None:
        """Open `url`; `role` (web, job) chooses how long a statement may take (PostgreSQL)."""
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(url) if self.is_sqlite else _postgresql(url, role)
        self._reader = sessionmaker(self.engine, expire_on_commit=False)
        self._writer = sessionmaker(
            self.engine.execution_options(write=True), expire_on_commit=False
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Give a session whose work is kept whole at the end, or not at all if it raises."""
        with self._writer() as session:
            with session.begin():
                yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session for reading; nothing it does is kept."""
        with self._reader() as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Give a session for reading in which all questions see one moment, however long it takes.

        SQLite's readers always do.
        """
        with self._reader() as session:
            if not self.is_sqlite:
                connection = session.connection(
                    execution_options={"isolation_level": "REPEATABLE READ"}
                )
                take_time(connection)
                for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                    connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
            yield session

    def close(self) -> None:
        """Give every connection back; the next use opens new ones."""
        self.engine.dispose()


# The day on which a question is asked that was built once, for any day.
TODAY: Any = bindparam("today", type_=Date())


def ask(
    session: Session, question: Select[*tuple[Any, ...]], values: Mapping[str, Any]
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the rows of a question for columns; `values` may say more than it wants to know.

    Goes past the loading of entities, which takes longer than the database does.
    """
    session.flush()
    return session.connection().execute(question, values).all()


def in_batches(ids: Iterable[int], size: int = 1_000) -> Iterator[list[int]]:
    """Give ids in ascending order, as many at once as one statement may name."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def take_time(connection: Connection) -> None:
    """Let this connection wait as long as its statements take, until it is given back."""
    if connection.dialect.name != "sqlite":
        waiting: Any = connection.connection.driver_connection
        waiting.patience = None


def _sqlite(url: str) -> Engine:
    path = make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_size=20, max_overflow=20, pool_timeout=5)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "busy_timeout=10000",
            "cache_size=-16000",
            "mmap_size=134217728",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writes = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: str, role: str) -> Engine:
    from core.patience import ImpatientConnection  # noqa: PLC0415 - a shop on SQLite never needs it

    statement_ms, patience = {"web": (4_000, 6.0), "job": (60_000, 65.0)}[role]
    options = (
        f"-c statement_timeout={statement_ms} -c lock_timeout=2000"
        " -c idle_in_transaction_session_timeout=10000 -c timezone=UTC"
    )
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        # Together as many as a web process has threads: a pool does not serve in turn, and of busy
        # threads that share too few connections one may wait its two seconds out.
        pool_size=5,
        max_overflow=11,
        pool_timeout=2,
        pool_recycle=300,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 2, "options": options},
    )

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: object, _record: object, words: Any, named: Any) -> ImpatientConnection:
        return ImpatientConnection.connect(*words, **named)

    @event.listens_for(engine, "connect")
    @event.listens_for(engine, "checkin")
    def _be_impatient(connection: ImpatientConnection | None, _record: object) -> None:
        if connection is not None:
            connection.patience = patience

    return engine
