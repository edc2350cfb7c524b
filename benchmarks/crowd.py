"""Many clients at once: 32 of them, in processes of their own, order carts until none is left.

`python -m benchmarks.crowd` is one such process; it is told on its input what to do.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path as FilePath
from queue import Empty, SimpleQueue
from typing import Any

from benchmarks import ordering
from benchmarks.drivers import Driver
from benchmarks.measuring import Path, Side
from benchmarks.ordering import Wish
from benchmarks.shops import Shop, attach
from core.settings import ROOT

PROCESSES = 4
THREADS = 8
ORDERS = 320  # of a turn, ten for each client
BARE_ORDERS = 960
TARGET = 0.40


class CrowdFailed(Exception):  # noqa: N818 - what happened
    """An order of the crowd failed; its words are the message."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Carts that all clients order together, by our function or by the bare statements."""

    wishes: tuple[Wish, ...]
    bare: bool


class Crowd:
    """The processes, waiting for batches."""

    def __init__(self, programs: "Sequence[subprocess.Popen[str]]") -> None:
        """Keep the running programs."""
        self._programs = programs

    def order(self, batch: Batch) -> int:
        """Let all clients order the batch; return how many orders that were."""
        for number, program in enumerate(self._programs):
            share = [asdict(wish) for wish in batch.wishes[number :: len(self._programs)]]
            _tell(program, {"wishes": share, "bare": batch.bare})
        said = [_hear(program) for program in self._programs]
        failed = [one["error"] for one in said if one["error"]]
        if failed:
            raise CrowdFailed(failed[0])
        return sum(int(one["orders"]) for one in said)


@contextmanager
def gathered(shop: Shop) -> Iterator[Crowd]:
    """Start the processes on this shop's database; end them after."""
    url = shop.database.url.render_as_string(hide_password=False)
    programs = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.crowd", url, str(shop.folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _number in range(PROCESSES)
    ]
    try:
        yield Crowd(programs)
    finally:
        for program in programs:
            program.communicate(timeout=60)


def paths(shop: Shop) -> Iterator[Path]:
    """Give an order of one line by 32 clients, where writers work side by side: PostgreSQL."""
    if shop.database.is_sqlite:
        return
    ordering.stock_up(shop)
    variants = ordering.sold_variants(shop)
    with gathered(shop) as crowd:
        yield _path(shop, crowd, f"place order, 32 clients, {len(variants)} products", variants)
        yield _path(shop, crowd, "place order, 32 clients, one hot product", variants[:1])


def _path(shop: Shop, crowd: Crowd, name: str, variants: list[int]) -> Path:
    carts = ordering.Carts(shop, variants)

    def side(orders: int, *, bare: bool) -> Side:
        return Side(lambda _seconds: [Batch(tuple(carts.fill(orders)), bare)], crowd.order)

    return Path(
        name,
        "orders/s",
        "the bare statements of the same order through the driver, by as many clients",
        TARGET,
        side(ORDERS, bare=False),
        side(BARE_ORDERS, bare=True),
        timed=False,
    )


def _tell(program: "subprocess.Popen[str]", what: object) -> None:
    if program.stdin is None:
        raise CrowdFailed("no input")
    program.stdin.write(json.dumps(what) + "\n")
    program.stdin.flush()


def _hear(program: "subprocess.Popen[str]") -> dict[str, Any]:
    line = program.stdout.readline() if program.stdout else ""
    if not line:
        raise CrowdFailed("a process of the crowd ended")
    said: dict[str, Any] = json.loads(line)
    return said


def main(url: str, folder: str) -> None:
    """Order one batch after the other, each with all threads."""
    with attach(url, FilePath(folder)) as shop:
        drivers = [Driver(shop) for _thread in range(THREADS)]
        for line in sys.stdin:
            job = json.loads(line)
            print(json.dumps(_order(shop, drivers, job)), flush=True)
        for driver in drivers:
            driver.close()


def _order(shop: Shop, drivers: Sequence[Driver], job: dict[str, Any]) -> dict[str, Any]:
    waiting: SimpleQueue[Wish] = SimpleQueue()
    for wish in job["wishes"]:
        waiting.put(Wish(**wish))
    orders: list[int] = []
    errors: list[str] = []

    def work(driver: Driver) -> None:
        do = ordering.bare_ordering(shop, driver) if job["bare"] else ordering.ordering(shop)
        with shop.app.test_request_context():
            while not errors:
                try:
                    orders.append(do(waiting.get_nowait()))
                except Empty:
                    return
                except Exception as error:  # noqa: BLE001 - told to who measures
                    errors.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=work, args=(driver,)) for driver in drivers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"orders": len(orders), "error": errors[0] if errors else ""}


if __name__ == "__main__":
    main(*sys.argv[1:])
