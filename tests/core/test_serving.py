"""The shop as it is really started: gunicorn with its worker inside, and `flask worker`."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core import mail, tasks
from core.clock import utc_now
from core.db import Database
from core.settings import ROOT
from core.tasks import TaskState
from tests.conftest import SECRET
from tests.postgres import free_port
from tests.servers import listens, wait_until

BIN = Path(sys.executable).parent


def environment(database: Database, folder: Path, **given: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "DATABASE_URL": database.url.render_as_string(hide_password=False),
        "SECRET_KEY": SECRET,
        "STORAGE_DIR": str(folder / "storage"),
        **given,
    }


@contextmanager
def running_shop(database: Database, folder: Path, **given: str) -> Iterator[str]:
    port = free_port()
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [BIN / "gunicorn"],
            cwd=ROOT,
            env=environment(database, folder, PORT=str(port), **given),
            stdout=log,
            stderr=log,
        )
        try:
            wait_until(lambda: server.poll() is not None or listens(port))
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(10) == 0


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
        return str(answer.read().decode())


def queue_a_mail(database: Database) -> None:
    with database.transaction() as session:
        mail.queue_mail(
            session, to="hoa@example.vn", subject="Đơn mới", body="Có đơn.", now=utc_now()
        )


def done(database: Database) -> int:
    with database.reading() as session:
        return len(tasks.list_tasks(session, TaskState.DONE))


def test_the_web_server_also_does_the_background_work(database: Database, tmp_path: Path) -> None:
    queue_a_mail(database)

    with running_shop(database, tmp_path) as shop:
        ready = json.loads(fetch(f"{shop}/readyz"))
        wait_until(lambda: done(database) == 1)

    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert ready["status"] == "ok"
    assert [line["subject"] for line in lines if line["logger"] == "core.mail"] == ["Đơn mới"]
    assert [line["route"] for line in lines if line["logger"] == "shop.request"] == ["/readyz"]
    assert not (tmp_path / ".gunicorn").exists()


def test_without_an_embedded_worker_work_waits(database: Database, tmp_path: Path) -> None:
    queue_a_mail(database)

    with running_shop(database, tmp_path, EMBEDDED_WORKER="0") as shop:
        waiting = fetch(f"{shop}/metrics")

    assert 'shop_tasks{state="due"} 1.0' in waiting
    assert done(database) == 0


def test_several_processes_add_up_their_numbers(database: Database, tmp_path: Path) -> None:
    with running_shop(database, tmp_path, WEB_PROCESSES="2", EMBEDDED_WORKER="0") as shop:
        for _ in range(20):
            fetch(f"{shop}/healthz")
        numbers = fetch(f"{shop}/metrics")

    assert 'shop_requests_total{route="/healthz",status="200"} 20.0' in numbers


def test_the_worker_command_runs_what_is_due_and_ends(database: Database, tmp_path: Path) -> None:
    queue_a_mail(database)

    ended = subprocess.run(
        [BIN / "flask", "worker", "--once"],
        cwd=ROOT,
        env=environment(database, tmp_path),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert ended.stdout.startswith("ran ")
    assert done(database) == 1


def test_the_worker_command_ends_cleanly_when_told(database: Database, tmp_path: Path) -> None:
    worker = subprocess.Popen(
        [BIN / "flask", "worker"],
        cwd=ROOT,
        env=environment(database, tmp_path),
        stderr=subprocess.DEVNULL,
    )
    queue_a_mail(database)
    try:
        wait_until(lambda: done(database) == 1)
    finally:
        worker.send_signal(signal.SIGTERM)

    assert worker.wait(10) == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_unknown_setting_stops_the_start(database: Database, tmp_path: Path) -> None:
    ended = subprocess.run(
        [BIN / "gunicorn", "--check-config"],
        cwd=ROOT,
        env=environment(database, tmp_path, S3_BUKET="sai"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode != 0
    assert "S3_BUKET" in ended.stderr


def test_no_header_moves_a_page_to_another_address(
    postgres_database: Database, tmp_path: Path
) -> None:
    with running_shop(postgres_database, tmp_path) as shop:
        pages = {
            name: urllib.request.Request(f"{shop}{path}", headers={name: value})  # noqa: S310
            for name, path, value in (
                ("PATH_INFO", "/robots.txt", "/healthz"),
                ("SCRIPT_NAME", "/healthz", "/healthz"),
            )
        }
        with urllib.request.urlopen(pages["PATH_INFO"], timeout=10) as answer:  # noqa: S310
            robots = answer.read().decode()
        with urllib.request.urlopen(pages["SCRIPT_NAME"], timeout=10) as answer:  # noqa: S310
            alive = answer.read().decode()

    assert "User-agent" in robots
    assert "ok" in alive
