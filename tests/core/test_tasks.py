"""The outbox: nothing wanted is lost, nothing is done by two at once, nothing fails unseen."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core import tasks
from core.clock import utc_now
from core.db import Database
from core.settings import ROOT, Settings
from core.storage import FolderStorage
from core.tasks import Hopeless, NotDead, Overtaken, Task, TaskState, Work
from core.worker import Handler, Runner, local_worker
from tests.conftest import NOON


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Say what time it is."""
        return self.now

    def move(self, **delta: float) -> None:
        """Let so much time pass."""
        self.now += timedelta(**delta)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runner_of(
    database: Database, settings: Settings, tmp_path: Path, clock: Clock
) -> Callable[..., Runner]:
    def make(handler: Handler, **given: object) -> Runner:
        values: dict[str, object] = {
            "database": database,
            "settings": settings,
            "storage": FolderStorage(tmp_path / "storage"),
            "handlers": {"test": handler},
            "clock": clock,
        }
        return Runner(**{**values, **given})  # type: ignore[arg-type]

    return make


def wish(database: Database, kind: str = "test", **given: object) -> int:
    """Leave one task and return its number."""
    values: dict[str, object] = {"now": NOON, "payload": {"say": "xin chào"}}
    with database.transaction() as session:
        tasks.enqueue(session, kind, **{**values, **given})  # type: ignore[arg-type]
        session.flush()
        return session.scalars(select(Task.id).order_by(Task.id.desc())).first() or 0


def task(database: Database, number: int) -> Task:
    with database.reading() as session:
        return tasks.get_task(session, number)


def test_a_task_runs_once_and_is_done(database: Database, runner_of: Callable[..., Runner]) -> None:
    seen: list[Work] = []
    number = wish(database)

    ran = runner_of(seen.append).run_due()

    assert ran == 1
    assert [work.payload for work in seen] == [{"say": "xin chào"}]
    assert task(database, number).state is TaskState.DONE
    assert task(database, number).finished_at == NOON


def test_a_wish_that_was_rolled_back_never_existed(
    database: Database, runner_of: Callable[..., Runner]
) -> None:
    def wishes_and_breaks() -> None:
        with database.transaction() as session:
            tasks.enqueue(session, "test", {}, now=NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        wishes_and_breaks()

    assert runner_of(lambda _: None).run_due() == 0


def test_the_same_key_is_wished_only_once(database: Database) -> None:
    wish(database, key="mail:order:1")
    wish(database, key="mail:order:1")

    with database.reading() as session:
        assert len(tasks.list_tasks(session, TaskState.DUE)) == 1


def test_a_task_for_later_waits(
    database: Database, runner_of: Callable[..., Runner], clock: Clock
) -> None:
    wish(database, run_at=NOON + timedelta(hours=1))
    runner = runner_of(lambda _: None)

    early = runner.run_due()
    clock.move(hours=1)

    assert (early, runner.run_due()) == (0, 1)


def test_effect_and_completion_are_kept_together_or_not_at_all(
    database: Database, runner_of: Callable[..., Runner]
) -> None:
    def breaks_inside(work: Work) -> None:
        with work.finishing() as session:
            tasks.enqueue(session, "effect", {}, now=NOON)
            session.flush()
            raise ValueError("nửa đường")

    number = wish(database)
    runner_of(breaks_inside).run_one_task()

    with database.reading() as session:
        assert [t.kind for t in tasks.list_tasks(session, TaskState.DUE)] == ["test"]
    assert task(database, number).last_error == "ValueError: nửa đường"


def test_a_failing_task_pauses_longer_each_time_and_then_waits_for_a_person(
    database: Database, runner_of: Callable[..., Runner], clock: Clock
) -> None:
    def fails(_work: Work) -> None:
        raise ConnectionError("máy chủ thư không trả lời")

    number, runner, pauses = wish(database), runner_of(fails), []

    while task(database, number).state is TaskState.DUE:
        before = clock.now
        clock.now = max(clock.now, task(database, number).run_at)
        pauses.append((clock.now - before).total_seconds() / 60)
        runner.run_one_task()

    assert [round(a / b, 1) for a, b in zip(pauses[1:], [1, 5, 30, 240, 1440], strict=True)] == [
        pytest.approx(1, abs=0.21)
    ] * 5
    assert task(database, number).state is TaskState.DEAD
    assert task(database, number).attempts == 6
    assert task(database, number).last_error == "ConnectionError: máy chủ thư không trả lời"


def test_hopeless_work_is_given_up_at_once(
    database: Database, runner_of: Callable[..., Runner]
) -> None:
    def gives_up(_work: Work) -> None:
        raise Hopeless("địa chỉ không có")

    number = wish(database)
    runner_of(gives_up).run_one_task()

    assert task(database, number).state is TaskState.DEAD


def test_a_kind_nobody_handles_is_kept_and_seen(
    database: Database, runner_of: Callable[..., Runner]
) -> None:
    number = wish(database, kind="lạ")

    runner_of(lambda _: None).run_one_task()

    assert task(database, number).last_error == "NoHandler: lạ"


def test_a_dead_task_can_be_started_again_and_only_a_dead_one(
    database: Database, runner_of: Callable[..., Runner]
) -> None:
    outcomes = [Hopeless("hỏng"), None]

    def second_time_lucky(_work: Work) -> None:
        outcome = outcomes.pop(0)
        if outcome:
            raise outcome

    number, runner = wish(database), runner_of(second_time_lucky)
    runner.run_due()
    with database.transaction() as session:
        tasks.replay(session, number, now=NOON)
    runner.run_due()

    assert task(database, number).state is TaskState.DONE
    with pytest.raises(NotDead), database.transaction() as session:
        tasks.replay(session, number, now=NOON)


def test_one_task_is_never_given_to_two(database: Database) -> None:
    number = wish(database)

    with database.transaction() as session:
        first = tasks.claim(session, now=NOON)
    with database.transaction() as session:
        second = tasks.claim(session, now=NOON + timedelta(seconds=59))
    with database.transaction() as session:
        after_the_lease = tasks.claim(session, now=NOON + timedelta(seconds=60))

    assert first is not None
    assert second is None
    assert after_the_lease is not None
    assert (first.id, after_the_lease.id, after_the_lease.attempts) == (number, number, 2)


def test_who_was_overtaken_keeps_nothing(
    database: Database, runner_of: Callable[..., Runner], clock: Clock
) -> None:
    def is_slow(work: Work) -> None:
        clock.move(minutes=5)
        with database.transaction() as session:
            assert tasks.claim(session, now=clock.now) is not None
        with work.finishing() as session:
            tasks.enqueue(session, "effect", {}, now=NOON)

    number = wish(database)
    runner_of(is_slow).run_one_task()

    assert task(database, number).state is TaskState.DUE
    with database.reading() as session:
        assert len(tasks.list_tasks(session, TaskState.DUE)) == 1


def test_finishing_twice_is_refused(database: Database, runner_of: Callable[..., Runner]) -> None:
    refused = []

    def finishes_twice(work: Work) -> None:
        with work.finishing():
            pass
        try:
            with work.finishing():
                pass
        except Overtaken:
            refused.append(True)

    wish(database)
    runner_of(finishes_twice).run_one_task()

    assert refused == [True]


def test_waiting_work_is_counted(database: Database, runner_of: Callable[..., Runner]) -> None:
    def fails(_work: Work) -> None:
        raise Hopeless("hỏng")

    wish(database)
    runner_of(fails).run_due()
    wish(database)
    wish(database, run_at=NOON + timedelta(hours=1))

    with database.reading() as session:
        assert tasks.count_waiting(session, now=NOON) == {"due": 1, "later": 1, "dead": 1}


def test_finished_tasks_are_forgotten_after_a_month(
    database: Database, runner_of: Callable[..., Runner]
) -> None:
    wish(database)
    runner_of(lambda _: None).run_due()

    tasks.forget_finished(database, NOON + timedelta(days=29))
    with database.reading() as session:
        kept = len(tasks.list_tasks(session, TaskState.DONE))
    tasks.forget_finished(database, NOON + timedelta(days=31))

    with database.reading() as session:
        assert (kept, len(tasks.list_tasks(session, TaskState.DONE))) == (1, 0)


def test_threads_share_the_work_without_doubling_it(
    database: Database, runner_of: Callable[..., Runner]
) -> None:
    done: list[int] = []

    def counts(work: Work) -> None:
        with work.finishing():
            done.append(work.task_id)

    numbers = [wish(database, now=utc_now()) for _ in range(40)]
    worker = local_worker(runner_of(counts, clock=utc_now), threads=4)
    worker.start()
    _until(lambda: len(done) == 40)
    ended = worker.stop()

    assert ended
    assert sorted(done) == numbers


def test_a_long_task_keeps_its_lease(database: Database, runner_of: Callable[..., Runner]) -> None:
    attempts: list[int] = []

    def is_long(work: Work) -> None:
        attempts.append(work.attempt)
        time.sleep(1.5)

    number = wish(database, now=utc_now())
    worker = local_worker(
        runner_of(is_long, clock=utc_now, lease=timedelta(seconds=0.6)), threads=2
    )
    worker.start()
    _until(lambda: task(database, number).state is TaskState.DONE)
    worker.stop()

    assert attempts == [1]


KILLED = """
import os, signal, sys, time
from datetime import timedelta
from pathlib import Path
from core.db import Database
from core.settings import Settings
from core.storage import FolderStorage
from core.worker import Runner

def begins(work):
    Path(sys.argv[2]).write_text(str(work.attempt))
    time.sleep(60)

Runner(
    Database(sys.argv[1]), Settings(), FolderStorage(Path(sys.argv[3])), {"test": begins},
    lease=timedelta(seconds=2),
).run_one_task()
"""


def test_the_work_of_a_killed_worker_is_done_again(
    database: Database, runner_of: Callable[..., Runner], tmp_path: Path
) -> None:
    number = wish(database, now=utc_now())
    begun = tmp_path / "begun"
    url = database.url.render_as_string(hide_password=False)
    victim = subprocess.Popen(
        [sys.executable, "-c", KILLED, url, str(begun), str(tmp_path)], cwd=ROOT
    )
    try:
        _until(begun.exists)
    finally:
        victim.kill()
        victim.wait()
    attempts: list[int] = []
    runner = runner_of(lambda work: attempts.append(work.attempt), clock=utc_now)

    too_early = runner.run_one_task()
    _until(runner.run_one_task)

    assert not too_early
    assert attempts == [2]
    assert task(database, number).state is TaskState.DONE


def _until(what: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def test_a_task_that_kills_its_worker_every_time_waits_for_a_person(
    database: Database, runner_of: Callable[..., Runner], clock: Clock
) -> None:
    seen: list[Work] = []
    number = wish(database)
    for _death in range(tasks.MOST_ATTEMPTS):
        with database.transaction() as session:
            assert tasks.claim(session, now=clock()) is not None
        clock.move(seconds=61)

    runner_of(seen.append).run_due()

    assert seen == []
    assert task(database, number).state is TaskState.DEAD
    assert "WorkerDied" in str(task(database, number).last_error)
