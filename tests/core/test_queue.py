"""Many workers over a real Valkey or RabbitMQ: each task done once, none lost with its worker."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core import tasks
from core.clock import utc_now
from core.db import Database
from core.queue import QueueWorker, Relay, reachable
from core.settings import ROOT, Settings
from core.storage import FolderStorage
from core.tasks import Task, TaskState, Work
from core.worker import Runner
from tests.core.test_tasks import wish
from tests.postgres import free_port
from tests.servers import RABBIT, running_rabbitmq, running_valkey, wait_until


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with running_valkey() as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq_url() -> Iterator[str]:
    if not RABBIT.exists():
        missing = "rabbitmq-server is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with running_rabbitmq() as url:
        yield url


@pytest.fixture(params=["valkey_url", "rabbitmq_url"])
def queue_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


def a_runner(database: Database, url: str, folder: Path, **given: object) -> Runner:
    values: dict[str, object] = {
        "database": database,
        "settings": Settings(QUEUE_URL=url),
        "storage": FolderStorage(folder),
        "handlers": {"test": leave_a_mark},
        "lease": timedelta(seconds=2),
    }
    return Runner(**{**values, **given})  # type: ignore[arg-type]


def leave_a_mark(work: Work) -> None:
    """Write one row of effect together with the completion."""
    with work.finishing() as session:
        tasks.enqueue(session, "mark", {"of": work.task_id}, now=utc_now() + timedelta(days=1))


def count(database: Database, kind: str, state: TaskState) -> int:
    with database.reading() as session:
        found = select(func.count()).where(Task.kind == kind, Task.state == state)
        return session.scalar(found) or 0


def test_every_task_is_done_once(database: Database, queue_url: str, tmp_path: Path) -> None:
    for _ in range(30):
        wish(database, now=utc_now())
    workers = [QueueWorker(a_runner(database, queue_url, tmp_path), threads=2) for _ in range(2)]

    for worker in workers:
        worker.start()
    try:
        wait_until(lambda: count(database, "test", TaskState.DONE) == 30)
    finally:
        for worker in workers:
            worker.stop()

    assert count(database, "mark", TaskState.DUE) == 30


def test_a_number_that_comes_twice_is_done_once(
    database: Database, queue_url: str, tmp_path: Path
) -> None:
    runner = a_runner(database, queue_url, tmp_path)
    number = wish(database, now=utc_now())
    with closing(Relay(runner)) as relay:
        relay.hand_over()
        with database.transaction() as session:
            tasks.take_back(session, [number])
        relay.hand_over()

    worker = QueueWorker(runner, threads=2)
    worker.start()
    try:
        wait_until(lambda: count(database, "test", TaskState.DONE) == 1)
        wish(database, now=utc_now())
        wait_until(lambda: count(database, "test", TaskState.DONE) == 2)
    finally:
        worker.stop()

    assert count(database, "mark", TaskState.DUE) == 2


def test_a_task_is_handed_over_once_while_it_lies_in_the_queue(
    database: Database, queue_url: str, tmp_path: Path
) -> None:
    wish(database, now=utc_now())
    with closing(Relay(a_runner(database, queue_url, tmp_path))) as relay:
        assert relay.hand_over()
        assert not relay.hand_over()


def test_without_the_queue_work_stays_due(database: Database, tmp_path: Path) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}"
    number = wish(database, now=utc_now())
    runner = a_runner(database, nowhere, tmp_path)

    with closing(Relay(runner)) as relay, pytest.raises(Exception, match=r"refused|connect"):
        relay.hand_over()

    with database.reading() as session:
        assert tasks.get_task(session, number).handed_until is None
    assert not reachable(nowhere)
    assert runner.run_one_task()


KILLED = """
import sys, time
from datetime import timedelta
from pathlib import Path
from core import queue
from core.db import Database
from core.queue import QueueWorker
from core.settings import Settings
from core.storage import FolderStorage
from core.worker import Runner

# It may be killed between marking a task as handed over and sending it: then nobody has it until
# this time is over.
queue.HANDED = timedelta(seconds=3)

def begins(work):
    Path(sys.argv[3]).write_text("begun")
    time.sleep(600)

worker = QueueWorker(Runner(
    Database(sys.argv[1]), Settings(QUEUE_URL=sys.argv[2]), FolderStorage(Path(sys.argv[4])),
    {"test": begins}, lease=timedelta(seconds=2),
), threads=1)
worker.start()
time.sleep(600)
"""


def test_the_work_of_a_killed_worker_is_done_by_another(
    database: Database, queue_url: str, tmp_path: Path
) -> None:
    for _ in range(3):
        wish(database, now=utc_now())
    begun = tmp_path / "begun"
    url = database.url.render_as_string(hide_password=False)
    victim = subprocess.Popen(
        [sys.executable, "-c", KILLED, url, queue_url, str(begun), str(tmp_path)], cwd=ROOT
    )
    try:
        wait_until(begun.exists)
    finally:
        victim.kill()
        victim.wait()
    done_by_the_dead = count(database, "test", TaskState.DONE)

    worker = QueueWorker(a_runner(database, queue_url, tmp_path), threads=2)
    worker.start()
    try:
        wait_until(lambda: count(database, "test", TaskState.DONE) == 3, 90)
    finally:
        worker.stop()

    assert done_by_the_dead == 0
    assert count(database, "mark", TaskState.DUE) == 3


def test_a_queue_that_is_there_is_seen(queue_url: str) -> None:
    assert reachable(queue_url)
