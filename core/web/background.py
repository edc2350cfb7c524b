"""Builds the worker of an app: embedded in its web process, or alone as `flask worker`."""

from typing import Protocol

from flask import Flask

from core.db import Database
from core.settings import Settings
from core.worker import Runner, local_worker


class Runs(Protocol):
    """What every kind of worker can do."""

    def start(self) -> None:
        """Begin, and return at once."""

    def stop(self, timeout: float = 8.0) -> bool:
        """Take nothing new, wait for what is running; say whether it ended in time."""


def runner_for(app: Flask) -> Runner:
    """Return what runs this app's tasks and schedules, one at a time."""
    settings: Settings = app.config["SETTINGS"]
    database: Database = app.extensions["database"]
    if not database.is_sqlite:
        # Background statements may take a minute; a page's may not.
        database = Database(database.url.render_as_string(hide_password=False), role="job")
    return Runner(
        database=database,
        settings=settings,
        storage=app.extensions["storage"],
        handlers=app.extensions["tasks"],
        schedules=app.extensions["schedules"],
        context=app.app_context,
    )


def embedded_worker(app: Flask) -> Runs | None:
    """Return the worker that lives in a web process, None where the settings want none.

    With a queue it only hands work over: executing it is for `flask worker` processes.
    """
    settings: Settings = app.config["SETTINGS"]
    if not settings.EMBEDDED_WORKER:
        return None
    runner = runner_for(app)
    if settings.QUEUE_URL:
        from core.queue import relay_worker  # noqa: PLC0415 - 20 MB a small shop never loads

        return relay_worker(runner)
    return local_worker(runner)


def standalone_worker(app: Flask, *, threads: int) -> Runs:
    """Return the worker of a `flask worker` process."""
    runner = runner_for(app)
    if app.config["SETTINGS"].QUEUE_URL:
        from core.queue import QueueWorker  # noqa: PLC0415

        return QueueWorker(runner, threads=threads)
    return local_worker(runner, threads=threads)
