"""One run: a shop is started, clients buy, blows fall, and after a plain restart it is judged."""

import random
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from core.clock import utc_now
from core.db import Database
from core.schedules import Schedule
from core.settings import ROOT
from core.tasks import Task, TaskState
from drill import buyers, goods, processes
from drill.bank import Bank
from drill.buyers import Buyer
from drill.goods import Goods
from drill.judging import LONGEST_RECOVERY, Evidence, Verdict, judge
from drill.notes import Notes
from drill.plan import Blow, Fault, faults_of, plan
from drill.post import PostOffice, open_post_office
from drill.processes import Process
from drill.sellers import Desk
from drill.talking import Browser, NoAnswer
from drill.wires import Wire
from shop.order_states import SellerOrderState
from shop.orders import SellerOrder
from tests.postgres import KEEPING_SETTINGS, Postgres, free_port, own_postgres

BUYERS = 5
COMMITS_AT_ONCE = 4
LONGEST_START = 60.0
LONGEST_REST = 40.0
LOOKS = 8
TRIES = 60


class DidNotStart(Exception):  # noqa: N818 - what happened
    """The drilled shop does not answer; its last words are the message."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was asked for."""

    seed: int
    seconds: float
    database: str = "postgresql"
    planted: tuple[str, ...] = ()


@dataclass
class Shop:
    """A shop whose every part can be hurt."""

    goods: Goods
    database: Database
    server: Postgres | None
    web: Process
    worker: Process
    office: PostOffice
    to_shop: Wire
    to_database: Wire | None
    chance: random.Random
    started_in: float = 0.0
    blows: Counter[Fault] = field(default_factory=Counter)

    def hurt(self, fault: Fault) -> None:
        """Let one fault happen."""
        happened = {
            Fault.WEB: lambda: self.web.kill_one_child(self.chance),
            Fault.WORKER: self._kill_worker,
            Fault.DATABASE: self._kill_database,
            Fault.CONNECTION: self._kill_connection,
            Fault.CUT: lambda: self.to_database is not None and self.to_database.cut() > 0,
            Fault.COMMIT: self._lose_commits,
            Fault.CLIENTS: lambda: self.to_shop.cut() > 0,
            Fault.TIME: self.let_hours_pass,
        }[fault]()
        self.blows[fault] += bool(happened)

    def let_hours_pass(self) -> bool:
        """Make holds run out, and everything that waits for its time due at once."""
        past = utc_now() - timedelta(seconds=1)
        for attempt in range(TRIES):
            try:
                with self.database.transaction() as session:
                    session.execute(
                        update(SellerOrder)
                        .where(
                            SellerOrder.state == SellerOrderState.PENDING,
                            SellerOrder.id % 3 == self.chance.randrange(3),
                        )
                        .values(hold_expires_at=past)
                    )
                    session.execute(update(Schedule).values(next_run_at=past, busy_until=None))
                    session.execute(
                        update(Task)
                        .where(Task.state == TaskState.DUE)
                        .values(run_at=past, lease_until=None)
                    )
            except DBAPIError:
                # The database is still mending itself from the blow before.
                time.sleep(0.02 * attempt)
                continue
            return True
        return False

    def stop(self) -> None:
        """End every process without a word."""
        self.web.kill()
        self.worker.kill()

    def restart(self) -> float:
        """Kill everything at once, start it again, and return the seconds until it sells."""
        self.stop()
        if self.server is not None:
            self.server.kill()
        started = time.monotonic()
        if self.server is not None:
            self.server.start()
        self.web.start()
        self.worker.start()
        self.wait_until_it_sells()
        return time.monotonic() - started

    def wait_until_it_sells(self) -> None:
        """Wait until a page that needs the database answers."""
        browser = Browser(self.to_shop.port, self.chance, Notes())
        end = time.monotonic() + LONGEST_START
        while True:
            try:
                browser.get("/gio-hang")
            except NoAnswer as why:
                if time.monotonic() > end or self.web.has_ended:
                    raise DidNotStart(f"{why}: {self.web.log.read_text()[-2_000:]}") from why
                time.sleep(0.05)
                continue
            return

    def rest(self) -> None:
        """Let the background work end; what is retried later is due now."""
        end = time.monotonic() + LONGEST_REST
        for look in count():
            # Hours pass seldom, so that what is being done is not begun again by another.
            if look % LOOKS == 0:
                self.let_hours_pass()
            time.sleep(0.5)
            with self.database.reading() as session:
                due = session.scalar(
                    select(func.count())
                    .select_from(Task)
                    .where(
                        Task.kind.in_(["mail.send", "order.message"]), Task.state == TaskState.DUE
                    )
                )
            if not due or time.monotonic() > end:
                return

    def _kill_worker(self) -> bool:
        self.worker.kill()
        self.worker.start()
        return True

    def _kill_database(self) -> bool:
        if self.server is None:
            return False
        self.server.kill()
        self.server.start()
        return True

    def _kill_connection(self) -> bool:
        return self.server is not None and self.server.kill_one_connection(self.chance)

    def _lose_commits(self) -> bool:
        if self.to_database is None:
            return False
        self.to_database.lose_commits(COMMITS_AT_ONCE)
        return True


def drill(run: Run, *, say: Callable[[str], None] = lambda _line: None) -> Verdict:
    """Run the loop once and return the verdict."""
    faults = faults_of(run.database)
    blows = plan(run.seed, run.seconds, faults)
    with opened(run) as shop:
        say(f"seed {run.seed}: {len(blows)} blows within {run.seconds:g} s …")
        notes = Notes()
        _live(run, shop, notes, blows)
        recovered_in = shop.restart()
        _find_out(shop, notes)
        shop.rest()
        shop.stop()
        evidence = Evidence(
            notes,
            shop.office.kept(),
            shop.blows,
            faults,
            shop.to_database.commits_lost if shop.to_database else 0,
            shop.started_in,
            recovered_in,
            processes.audit(shop.web.environment | {"DATABASE_URL": _address(shop.database)}),
        )
        verdict = judge(shop.database, evidence)
        verdict.counted.update({f"blow: {fault}": shop.blows[fault] for fault in faults})
        say(f"back {recovered_in:.1f} s after everything was killed (≤ {LONGEST_RECOVERY:g} s)")
        return verdict


def _live(run: Run, shop: Shop, notes: Notes, blows: list[Blow]) -> None:
    """Let clients buy and desks work while the blows fall."""
    ended = threading.Event()
    clients: list[Buyer | Desk | Bank] = [
        Bank(run.seed, shop.to_shop.port, shop.goods, shop.database, notes, ended.is_set),
        *(
            Buyer(number, run.seed, shop.to_shop.port, shop.goods, notes, ended.is_set)
            for number in range(BUYERS)
        ),
        *(
            Desk(seller, run.seed, shop.to_shop.port, notes, ended.is_set)
            for seller in shop.goods.sellers
        ),
    ]
    threads = [threading.Thread(target=client.run, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    started = time.monotonic()
    for blow in blows:
        time.sleep(max(0.0, started + blow.at - time.monotonic()))
        shop.hurt(blow.fault)
    time.sleep(max(0.0, started + run.seconds - time.monotonic()))
    ended.set()
    for thread in threads:
        thread.join()


def _find_out(shop: Shop, notes: Notes) -> None:
    """Send every form again whose answer never came: the shop says what became of it."""

    def ask(number: int) -> None:
        wish = notes.wishes[number]
        tries = iter(range(TRIES))
        browser = Browser(shop.to_shop.port, random.Random(number), notes, dict(wish.cookies))
        buyers.send(browser, wish, notes, lambda: next(tries, None) is None)
        if wish.codes or wish.refused:
            # This answer came, and nothing was sent after it.
            wish.unanswered = 0

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, [wish.number for wish in notes.wishes if wish.is_open]))


@contextmanager
def opened(run: Run) -> Iterator[Shop]:
    """Start a filled shop of this run and give it; leave nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="cho-phien-drill-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        office, mail_url = stack.enter_context(open_post_office())
        server, wire, url, through = None, None, f"sqlite:///{folder}/shop.db", ""
        if run.database == "postgresql":
            server = stack.enter_context(own_postgres(KEEPING_SETTINGS))
            url = server.create_database("shop")
            wire = Wire(server.port)
            stack.callback(wire.close)
            through = f"postgresql://shop@127.0.0.1:{wire.port}/shop"
        database = Database(url)
        stack.callback(database.close)
        filled = goods.fill(database)
        port = free_port()
        given = processes.environment(
            folder,
            port=port,
            address=f"http://127.0.0.1:{port}",
            database_url=through or url,
            mail_url=mail_url,
        )
        stack.callback(shutil.rmtree, ROOT / "var" / f"metrics-{port}", ignore_errors=True)
        to_shop = Wire(port)
        stack.callback(to_shop.close)
        process = partial(Process, environment=given, log=folder / "log")
        shop = Shop(
            filled,
            database,
            server,
            process(processes.web_command(run.planted)),
            process(processes.worker_command(run.planted)),
            office,
            to_shop,
            wire,
            random.Random(f"blows/{run.seed}"),
        )
        stack.callback(shop.stop)
        started = time.monotonic()
        shop.web.start()
        shop.worker.start()
        shop.wait_until_it_sells()
        shop.started_in = time.monotonic() - started
        yield shop


def _address(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)
