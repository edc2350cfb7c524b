"""Shops to measure: a database of their own, the demo village and N generated products."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy import create_engine, func, select, text

from catalog.products import Product
from core.db import Base, Database
from core.settings import Settings
from tests.postgres import running_postgres
from wsgi import create_app, load_tables

SECRET = "benchmarks-only-0123456789-abcdefghijklmn"  # noqa: S105 - guards nothing
PUBLIC_URL = "http://localhost"


@dataclass(frozen=True, slots=True)
class Shop:
    """One filled shop; `products` counts the generated ones, `total` all."""

    app: Flask
    database: Database
    settings: Settings
    folder: Path
    kind: str
    products: int
    total: int


def settings_for(url: str, folder: Path) -> Settings:
    """Return the settings of a shop on this database that keeps its files in `folder`."""
    return Settings(
        PUBLIC_URL=PUBLIC_URL,
        DATABASE_URL=url,
        SECRET_KEY=SECRET,
        STORAGE_DIR=str(folder / "storage"),
        EMBEDDED_WORKER=False,
    )


@contextmanager
def open_shop(url: str, products: int, folder: Path) -> Iterator[Shop]:
    """Open the shop on `url`, filled by the demo loader until it has `products` generated ones."""
    database = Database(url)
    load_tables()
    Base.metadata.create_all(database.engine)
    settings = settings_for(url, folder)
    with Path(os.devnull).open("w") as nowhere:
        # The shop writes its log lines as ever, so that they cost what they cost, but to nowhere.
        with redirect_stderr(nowhere):
            app = create_app(settings)
        loaded = app.test_cli_runner().invoke(
            args=["demo", "load", "--products", str(products), "--json"]
        )
        if loaded.exception is not None:
            raise loaded.exception
        if not database.is_sqlite:
            # A living server does this by itself within a minute.
            with database.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.execute(text("ANALYZE"))
        with database.reading() as session:
            total = session.scalar(select(func.count()).select_from(Product)) or 0
        kind = "sqlite" if database.is_sqlite else "postgresql"
        try:
            yield Shop(app, database, settings, folder, kind, products, total)
        finally:
            app.extensions["database"].close()
            database.close()


@contextmanager
def attach(url: str, folder: Path) -> Iterator[Shop]:
    """Open a shop that another process filled and keeps; it is left as it is."""
    database = Database(url)
    load_tables()
    settings = settings_for(url, folder)
    app = create_app(settings)
    kind = "sqlite" if database.is_sqlite else "postgresql"
    try:
        yield Shop(app, database, settings, folder, kind, 0, 0)
    finally:
        app.extensions["database"].close()
        database.close()


@contextmanager
def sqlite_shops(sizes: tuple[int, ...], folder: Path) -> Iterator[Iterator[Shop]]:
    """Give an SQLite shop of each size, ascending; each starts as a copy of the one before."""

    def shops() -> Iterator[Shop]:
        before: Path | None = None
        for size in sorted(sizes):
            path = folder / f"shop-{size}.db"
            if before is not None:
                shutil.copy(before, path)
            with open_shop(f"sqlite:///{path}", size, folder) as shop:
                with shop.database.engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                pristine = folder / f"pristine-{size}.db"
                shutil.copy(path, pristine)
                yield shop
            before = pristine

    yield shops()


@contextmanager
def postgresql_shops(sizes: tuple[int, ...], folder: Path) -> Iterator[Iterator[Shop]]:
    """Give a PostgreSQL shop of each size, on one server of our own."""
    with ExitStack() as stack:
        server = stack.enter_context(running_postgres())

        def shops() -> Iterator[Shop]:
            for size in sorted(sizes):
                _create_database(server, f"shop_{size}")
                with open_shop(f"{server}/shop_{size}", size, folder) as shop:
                    yield shop

        yield shops()


def _create_database(server: str, name: str) -> None:
    engine = create_engine(
        server.replace("postgresql:", "postgresql+psycopg:") + "/postgres",
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
