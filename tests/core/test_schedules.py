"""What runs by the clock runs once per turn, whoever and however many try."""

from datetime import datetime, timedelta
from pathlib import Path

from core import schedules
from core.db import Database
from core.settings import Settings
from core.storage import FolderStorage
from core.worker import Runner
from tests.conftest import NOON
from tests.core.test_tasks import Clock


def runner(database: Database, clock: Clock, function: schedules.Function, folder: Path) -> Runner:
    return Runner(
        database=database,
        settings=Settings(),
        storage=FolderStorage(folder),
        handlers={},
        schedules=[("dọn", 3600, function)],
        clock=clock,
    )


def test_a_schedule_runs_at_once_and_then_every_so_often(
    database: Database, tmp_path: Path
) -> None:
    clock, runs = Clock(), list[datetime]()
    clerk = runner(database, clock, lambda _db, now: runs.append(now), tmp_path)

    clerk.run_due()
    clock.move(minutes=59)
    clerk.run_due()
    clock.move(minutes=1)
    clerk.run_due()

    assert runs == [NOON, NOON + timedelta(hours=1)]


def test_one_missed_turn_is_made_up_once(database: Database, tmp_path: Path) -> None:
    clock, runs = Clock(), list[datetime]()
    clerk = runner(database, clock, lambda _db, now: runs.append(now), tmp_path)
    clerk.run_due()

    clock.move(days=3)
    clerk.run_due()

    assert len(runs) == 2


def test_of_two_only_one_takes_a_turn(database: Database) -> None:
    with database.transaction() as session:
        schedules.plan(session, ["dọn"], now=NOON)
    with database.transaction() as session:
        first = schedules.take(session, "dọn", now=NOON)
    with database.transaction() as session:
        second = schedules.take(session, "dọn", now=NOON)

    assert first is not None
    assert second is None


def test_a_turn_whose_runner_died_is_taken_again(database: Database) -> None:
    with database.transaction() as session:
        schedules.plan(session, ["dọn"], now=NOON)
        schedules.take(session, "dọn", now=NOON)

    with database.transaction() as session:
        again = schedules.take(session, "dọn", now=NOON + schedules.LEASE)

    assert again is not None


def test_a_failing_schedule_is_tried_again_soon_and_says_why(
    database: Database, tmp_path: Path
) -> None:
    def fails(_database: Database, _now: datetime) -> None:
        raise ValueError("hỏng")

    clock = Clock()
    runner(database, clock, fails, tmp_path).run_due()

    with database.reading() as session:
        (row,) = schedules.list_schedules(session)
    assert row.last_error == "ValueError: hỏng"
    assert row.next_run_at == NOON + schedules.SOON


def test_planning_again_changes_nothing(database: Database) -> None:
    for moment in (NOON, NOON + timedelta(days=1)):
        with database.transaction() as session:
            schedules.plan(session, ["dọn", "đếm"], now=moment)

    with database.reading() as session:
        assert {row.next_run_at for row in schedules.list_schedules(session)} == {NOON}
