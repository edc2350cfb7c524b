"""Clients in processes of their own that order carts at the same moment; run by the race tests."""

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from core.db import Database
from core.settings import ROOT
from shop.checkout import SoldOutMeanwhile
from tests.shop.selling import place
from wsgi import load_tables

PROCESSES = 4
THREADS = 8


class Clients:
    """So many threads in so many processes, ready to run."""

    def __init__(self, programs: "Sequence[subprocess.Popen[str]]") -> None:
        self._programs = programs

    def order(self, database: Database, cart_ids: Sequence[int]) -> Counter[str]:
        """Order these carts, all clients at once; return how often each answer came.

        An answer is the order's code, "sold out" or what any other error said.
        """
        url = database.url.render_as_string(hide_password=False)
        for number, program in enumerate(self._programs):
            shares = [
                cart_ids[number * THREADS + thread :: PROCESSES * THREADS]
                for thread in range(THREADS)
            ]
            _tell(program, {"url": url, "shares": shares})
        assert [_hear(program) for program in self._programs] == ["ready"] * PROCESSES
        for program in self._programs:
            _tell(program, "go")
        return Counter(answer for program in self._programs for answer in _hear(program))


@contextmanager
def clients() -> Iterator[Clients]:
    """Start the processes; end them after."""
    programs = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.shop.racing"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _number in range(PROCESSES)
    ]
    try:
        yield Clients(programs)
    finally:
        for program in programs:
            # The end of its input is the end of its work.
            program.communicate(timeout=30)


def _tell(program: "subprocess.Popen[str]", what: object) -> None:
    assert program.stdin is not None
    program.stdin.write(json.dumps(what) + "\n")
    program.stdin.flush()


def _hear(program: "subprocess.Popen[str]") -> Any:
    assert program.stdout is not None
    return json.loads(program.stdout.readline())


def main() -> None:
    """Run one race after the other, each as it is told."""
    load_tables()
    for line in sys.stdin:
        job = json.loads(line)
        database = Database(job["url"])
        print(json.dumps(_race(database, job["shares"])), flush=True)
        database.close()


def _race(database: Database, shares: list[list[int]]) -> list[str]:
    """Get ready, wait for the word, order; return what came out."""
    answers: list[str] = []
    gate = threading.Barrier(len(shares) + 1)

    def order(share: list[int]) -> None:
        # The first connection is opened before the race begins.
        with database.reading() as session:
            session.connection()
        gate.wait()
        gate.wait()
        answers.extend(_place(database, cart_id) for cart_id in share)

    threads = [threading.Thread(target=order, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    gate.wait()
    print('"ready"', flush=True)
    sys.stdin.readline()
    gate.wait()
    for thread in threads:
        thread.join()
    return answers


def _place(database: Database, cart_id: int) -> str:
    try:
        with database.transaction() as session:
            return place(session, cart_id, phone=f"09{cart_id:08d}").code
    except SoldOutMeanwhile:
        return "sold out"
    except Exception as error:  # noqa: BLE001 - what came out is the claim
        return f"{type(error).__name__}: {error}"[:300]


if __name__ == "__main__":
    main()
