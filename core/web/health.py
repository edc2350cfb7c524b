"""Alive, ready, and the numbers: three addresses for whoever watches over the shop."""

import hmac
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from sqlalchemy import text

from core import migrations
from core.db import Database
from core.settings import Settings
from core.storage import Storage, StorageAway
from core.web import metrics
from core.web.requests import database, error_page, public
from core.worker import report

blueprint = Blueprint("health", __name__)
SECONDS = {"database": 1.0, "migrations": 1.0, "storage": 3.0, "queue": 2.0}
LEAST_FREE_SHARE = 0.05
LEAST_FREE_BYTES = 1_000_000_000
# A check that hangs keeps its thread; when all are kept, the next checks are late as they should.
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="ready")


@blueprint.get("/healthz")
@public
def alive() -> Response:
    """Say that this process answers; nothing else is touched."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def ready() -> Response:
    """Say whether orders can be taken: database, migrations, storage and queue; 503 if not."""
    checks = _checks(current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001
    running = {name: _threads.submit(check) for name, check in checks.items()}
    results = {name: _result(name, future) for name, future in running.items()}
    fine = all(result == "ok" for result in results.values())
    response = jsonify(status="ok" if fine else "unready", checks=results)
    response.status_code = 200 if fine else 503
    if not fine:
        response.headers["Retry-After"] = "5"
    return response


@blueprint.get("/metrics")
@public
def numbers() -> Response:
    """Give the numbers to whoever holds METRICS_TOKEN; without one, to this machine only."""
    if not _may_read_numbers():
        return error_page(404)
    return metrics.answer(current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001


def _may_read_numbers() -> bool:
    settings: Settings = current_app.config["SETTINGS"]
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    # A proxy on this machine comes from loopback too: what it forwards is not local.
    forwarded = {"X-Forwarded-For", "Forwarded", "X-Real-Ip"} & set(request.headers.keys())
    try:
        local = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
    return local and not forwarded


def _checks(app: Flask) -> dict[str, Callable[[], str]]:
    settings: Settings = app.config["SETTINGS"]
    shop, storage = database(), app.extensions["storage"]
    checks: dict[str, Callable[[], str]] = {
        "database": lambda: _database(shop),
        "migrations": lambda: _migrations(shop),
        "storage": lambda: _storage(storage, settings),
    }
    if settings.QUEUE_URL:
        checks["queue"] = lambda: _queue(settings.QUEUE_URL)
    return checks


def _result(name: str, future: Future[str]) -> str:
    try:
        return future.result(SECONDS[name])
    except TooLate:
        return "too slow"
    except Exception as error:  # noqa: BLE001 - whatever is wrong there, we are not ready
        report("not ready", error, check=name)
        return "away"


def _database(shop: Database) -> str:
    with shop.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    return "ok"


def _migrations(shop: Database) -> str:
    return "ok" if migrations.revision(shop) == _newest_migration() else "migrations are missing"


@lru_cache(maxsize=1)
def _newest_migration() -> str | None:
    return migrations.head()


def _storage(storage: Storage, settings: Settings) -> str:
    try:
        storage.check()
    except StorageAway as error:
        report("not ready", error, check="storage")
        return "away"
    if not settings.S3_BUCKET:
        disk = shutil.disk_usage(Path(settings.STORAGE_DIR))
        if disk.free < min(LEAST_FREE_BYTES, disk.total * LEAST_FREE_SHARE):
            return "disk full"
    return "ok"


def _queue(url: str) -> str:
    from core.queue import reachable  # noqa: PLC0415 - 20 MB a small shop never loads

    return "ok" if reachable(url) else "away"
