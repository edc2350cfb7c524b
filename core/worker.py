"""Runs due tasks and schedules: as threads beside the web server, or as `flask worker`.

Killing a worker at any moment loses nothing: its leases run out and the work is done again.
"""

import logging
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from core import schedules, tasks
from core.clock import utc_now
from core.db import Database
from core.schedules import Function
from core.settings import Settings
from core.storage import Storage
from core.tasks import Overtaken, Task, Work

Handler = Callable[[Work], None]
log = logging.getLogger(__name__)


class NoHandler(Exception):  # noqa: N818 - kept as the task's last error
    """The tables in wsgi.py name no function for this kind of work."""


class WorkerDied(Exception):  # noqa: N818 - kept as the task's last error
    """Every process that began this task was gone before it ended."""


@dataclass
class Runner:
    """Knows how to run one task or schedule; holds no thread and no state between two."""

    database: Database
    settings: Settings
    storage: Storage
    handlers: Mapping[str, Handler]
    schedules: Sequence[tuple[str, int, Function]] = ()
    context: Callable[[], AbstractContextManager[object]] = nullcontext
    lease: timedelta = tasks.LEASE
    clock: Callable[[], datetime] = utc_now
    running: dict[int, Work] = field(default_factory=dict, init=False)

    def run_due(self) -> int:
        """Run every schedule and task that is due, in this thread; return how many ran."""
        count = 0
        while self.run_one_schedule() or self.run_one_task():
            count += 1
        return count

    def run_one_task(self, task_id: int | None = None) -> bool:
        """Run one due task (or this one); say whether there was one."""
        now = self.clock()
        if task_id is None:
            # A look costs nothing; claiming takes the write lock even when there is no work.
            with self.database.reading() as session:
                if not tasks.any_due(session, now=now):
                    return False
        with self.database.transaction() as session:
            task = tasks.claim(session, now=now, lease=self.lease, task_id=task_id)
        if task is None:
            return False
        work = self._work(task)
        if task.attempts > tasks.MOST_ATTEMPTS:
            # Whoever did it died each time, without a word: nobody else shall die of it.
            self._fail(work, WorkerDied())
        else:
            self._run(work)
        return True

    def run_one_schedule(self) -> bool:
        """Run one schedule whose time has come; say whether there was one."""
        functions = {name: (seconds, function) for name, seconds, function in self.schedules}
        with self.database.reading() as session:
            planned = {row.name for row in schedules.list_schedules(session)}
            due = schedules.list_due(session, now=self.clock())
        if functions.keys() - planned:
            with self.database.transaction() as session:
                schedules.plan(session, list(functions), now=self.clock())
            due = [*due, *(functions.keys() - planned)]
        return any(self._run_schedule(name, *functions[name]) for name in due if name in functions)

    def renew_leases(self) -> None:
        """Keep what is running: a long task is not a dead worker's task."""
        for work in list(self.running.values()):
            with self.database.transaction() as session:
                tasks.renew(session, work, until=self.clock() + self.lease)

    def _work(self, task: Task) -> Work:
        return Work(
            task_id=task.id,
            kind=task.kind,
            payload=task.payload,
            attempt=task.attempts,
            database=self.database,
            settings=self.settings,
            storage=self.storage,
            clock=self.clock,
        )

    def _run(self, work: Work) -> None:
        self.running[work.task_id] = work
        try:
            with self.context():
                self.handlers.get(work.kind, _no_handler)(work)
            if not work.finished:
                with self.database.transaction() as session:
                    tasks.finish(session, work, now=self.clock())
        except Overtaken:
            log.warning("task overtaken", extra={"facts": _facts(work)})
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is the task's fate
            self._fail(work, error)
        finally:
            self.running.pop(work.task_id, None)

    def _fail(self, work: Work, error: Exception) -> None:
        with self.database.transaction() as session:
            state = tasks.fail(session, work, error, now=self.clock())
        gave_up = state is tasks.TaskState.DEAD
        message = "task gave up" if gave_up else "task failed, will be tried again"
        report(message, error, **_facts(work))

    def _run_schedule(self, name: str, seconds: int, function: Function) -> bool:
        now = self.clock()
        with self.database.transaction() as session:
            mark = schedules.take(session, name, now=now)
        if mark is None:
            return False
        reason = None
        try:
            with self.context():
                function(self.database, now)
        except Exception as error:  # noqa: BLE001 - a schedule may never stop the worker
            reason = f"{type(error).__name__}: {error}"[: tasks.LONGEST_ERROR].replace("\x00", "")
            report("schedule failed", error, schedule=name)
        every = timedelta(seconds=seconds)
        with self.database.transaction() as session:
            schedules.end(session, name, mark, now=self.clock(), every=every, error=reason)
        return True


class Worker:
    """Threads that run what is due until they are stopped."""

    def __init__(
        self,
        step: Callable[[], bool],
        *,
        renew: Callable[[], None] = lambda: None,
        close: Callable[[], None] = lambda: None,
        threads: int = 2,
        pause: float = 0.5,
        renew_every: float = 20,
    ) -> None:
        """Call `step` over and over in each thread; it says whether there was anything to do."""
        self._step = step
        self._renew = renew
        self._close = close
        self._pause = pause
        self._stopping = threading.Event()
        # Daemons: what is still running when the process must go is done again after its lease.
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{n}", daemon=True)
            for n in range(threads)
        ]
        self._keeper = threading.Thread(
            target=self._keep, args=(renew_every,), name="worker-leases", daemon=True
        )

    def start(self) -> None:
        """Begin, and return at once."""
        for thread in (*self._threads, self._keeper):
            thread.start()

    def stop(self, timeout: float = 8.0) -> bool:
        """Take nothing new, wait for what is running; say whether all of it ended in time."""
        self._stopping.set()
        deadline = threading.Event()
        timer = threading.Timer(timeout, deadline.set)
        timer.daemon = True
        timer.start()
        for thread in self._threads:
            while thread.is_alive() and not deadline.is_set():
                thread.join(0.05)
        timer.cancel()
        self._close()
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                worked = self._step()
            except Exception as error:  # noqa: BLE001 - the worker outlives whatever is away
                report("worker cannot go on for now", error)
                self._stopping.wait(5)
                continue
            if not worked:
                self._stopping.wait(self._pause)

    def _keep(self, every: float) -> None:
        while not self._stopping.wait(every):
            try:
                self._renew()
            except SQLAlchemyError as error:
                report("leases were not renewed", error)


def local_worker(runner: Runner, *, threads: int = 2) -> Worker:
    """Return a worker that takes tasks straight from the table."""
    return Worker(
        lambda: runner.run_one_schedule() or runner.run_one_task(),
        renew=runner.renew_leases,
        close=runner.database.close,
        threads=threads,
        renew_every=runner.lease.total_seconds() / 3,
    )


def report(message: str, error: Exception, **facts: object) -> None:
    """Log an error by its kind and place, never by its words: they may name people."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    facts["error"] = type(error).__name__
    facts["lines"] = [f"{frame.filename}:{frame.lineno}" for frame in frames]
    log.log(logging.ERROR, message, extra={"facts": facts})


def _no_handler(work: Work) -> None:
    raise NoHandler(work.kind)


def _facts(work: Work) -> dict[str, object]:
    return {"task": work.task_id, "kind": work.kind, "attempt": work.attempt}
