"""Alive, ready and the numbers: true, quick, and telling nothing about people."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from core import migrations, tasks
from core.db import Database
from core.logs import JsonLines
from core.settings import Settings
from core.storage import StorageAway
from tests.conftest import NOON
from tests.postgres import free_port

PHONE = "0912345678"


def change_settings(app: Flask, **changes: object) -> None:
    settings: Settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, **changes)  # type: ignore[arg-type]


def test_a_shop_with_everything_at_hand_is_ready(visitor: FlaskClient) -> None:
    answer = visitor.get("/readyz")

    assert answer.status_code == 200
    assert answer.json == {
        "status": "ok",
        "checks": {"database": "ok", "migrations": "ok", "storage": "ok"},
    }


def test_a_shop_without_database_is_alive_but_not_ready(app: Flask, visitor: FlaskClient) -> None:
    app.extensions["database"] = Database(f"postgresql://shop@127.0.0.1:{free_port()}/gone")

    assert visitor.get("/healthz").status_code == 200
    answer = visitor.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["checks"]["database"] == "away"
    assert answer.headers["Retry-After"] == "5"


def test_a_shop_without_storage_or_queue_is_not_ready(
    app: Flask, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_away() -> None:
        raise StorageAway("bucket")

    monkeypatch.setattr(app.extensions["storage"], "check", is_away)
    change_settings(app, QUEUE_URL=f"redis://127.0.0.1:{free_port()}")

    answer = visitor.get("/readyz")

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["checks"] == {
        "database": "ok",
        "migrations": "ok",
        "storage": "away",
        "queue": "away",
    }


def test_a_database_at_an_older_migration_is_not_ready(
    visitor: FlaskClient, database: Database
) -> None:
    newest = migrations.head()
    _stamp(database, "0000")
    try:
        answer = visitor.get("/readyz")
    finally:
        _stamp(database, newest)

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["checks"]["migrations"] == "migrations are missing"


def _stamp(database: Database, revision: str | None) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})


def test_the_numbers_count_requests_by_route_and_waiting_work(
    visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        tasks.enqueue(session, "test", {}, now=NOON)
    visitor.get("/media/anh/khong-co.webp")
    visitor.get("/khong-co/gi-ca")

    page = visitor.get("/metrics").text

    assert 'shop_requests_total{route="/media/<path:key>",status="404"} 1.0' in page
    assert 'shop_requests_total{route="(none)",status="404"} 1.0' in page
    assert 'shop_request_seconds_count{route="/media/<path:key>"} 1.0' in page
    assert 'shop_tasks{state="dead"} 0.0' in page
    assert "shop_build{version=" in page
    assert "khong-co" not in page


def test_the_numbers_are_for_this_machine_or_the_token_holder(
    app: Flask, visitor: FlaskClient
) -> None:
    far = {"REMOTE_ADDR": "203.0.113.7"}

    assert visitor.get("/metrics").status_code == 200
    assert visitor.get("/metrics", environ_overrides=far).status_code == 404
    assert visitor.get("/metrics", headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 404

    change_settings(app, METRICS_TOKEN="token-1234")
    assert visitor.get("/metrics").status_code == 404
    assert visitor.get("/metrics", headers={"Authorization": "Bearer sai"}).status_code == 404


def test_with_the_token_the_numbers_may_be_read_from_afar(app: Flask, visitor: FlaskClient) -> None:
    change_settings(app, METRICS_TOKEN="token-1234")

    answer = visitor.get(
        "/metrics",
        headers={"Authorization": "Bearer token-1234"},
        environ_overrides={"REMOTE_ADDR": "203.0.113.7"},
    )

    assert answer.status_code == 200


def test_a_request_leaves_one_line_that_names_nobody(
    visitor: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        answer = visitor.get(
            f"/media/{PHONE}.webp?t=TOKEN-{PHONE}&phone={PHONE}", headers={"Cookie": f"sid={PHONE}"}
        )

    lines = [JsonLines().format(record) for record in caplog.records]
    (line,) = [json.loads(line) for line in lines if "shop.request" in line]
    assert PHONE not in "".join(lines)
    assert line["route"] == "/media/<path:key>"
    assert (line["method"], line["status"]) == ("GET", 404)
    assert line["ms"] >= 0
    assert answer.headers["X-Request-Id"]


def test_the_number_of_a_request_is_kept_if_it_has_one(visitor: FlaskClient) -> None:
    given = visitor.get("/healthz", headers={"X-Request-Id": "abcd-1234-efgh"})
    forged = visitor.get("/healthz", headers={"X-Request-Id": "a b;<script>"})

    assert given.headers["X-Request-Id"] == "abcd-1234-efgh"
    assert len(forged.headers["X-Request-Id"]) == 10


def test_a_database_without_any_table_is_not_ready(app: Flask, tmp_path: Path) -> None:
    app.extensions["database"] = Database(f"sqlite:///{tmp_path}/empty.db")

    answer = app.test_client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["checks"]["migrations"] == "migrations are missing"
