"""The database drivers themselves, for floors: no engine, no pool, no mapping."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from benchmarks.shops import Shop


class Driver:
    """One connection of sqlite3 or psycopg; SQL is written with `?` for both."""

    def __init__(self, shop: Shop) -> None:
        """Connect to the shop's database, set up as the shop sets up its own connections."""
        self._is_sqlite = shop.database.is_sqlite
        self._connection: Any
        if self._is_sqlite:
            self._connection = sqlite3.connect(
                str(shop.database.url.database), isolation_level=None
            )
            for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "cache_size=-16000"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._cursor = self._connection.cursor()
        else:
            url = shop.database.url.set(drivername="postgresql")
            self._connection = psycopg.connect(
                url.render_as_string(hide_password=False), autocommit=True
            )
            self._cursor = self._connection.cursor()

    def begin(self) -> None:
        """Begin to write."""
        self._cursor.execute("BEGIN IMMEDIATE" if self._is_sqlite else "BEGIN")

    def commit(self) -> None:
        """Keep what was written."""
        self._cursor.execute("COMMIT")

    def run(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Run one statement and return the cursor."""
        return self._cursor.execute(sql if self._is_sqlite else sql.replace("?", "%s"), values)

    def number(self, sql: str, values: Sequence[Any]) -> int:
        """Run one statement and return the one number it gives back."""
        return int(self.run(sql, values).fetchone()[0])

    def moment(self, at: datetime) -> Any:
        """Return a time as this database's column takes it."""
        at = at.astimezone(UTC)
        return f"{at:%Y-%m-%d %H:%M:%S.%f}" if self._is_sqlite else at

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()
