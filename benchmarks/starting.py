"""What is measured from outside: processor time of a start, memory of a feed build."""

import json
import subprocess
import sys
from dataclasses import asdict
from statistics import median

from benchmarks.measuring import Row
from benchmarks.shops import Shop
from core.settings import ROOT, Settings

START = "start of the application"
MEMORY = "memory of a feed build"
LONGEST_START = 1.0
MOST_MEMORY = 150.0
FLAT = 0.8
BARE_START = """
import time
import flask, flask_babel, flask_login, sqlalchemy.orm
flask.Flask("bare")
print(time.process_time())
"""
MAKE_APP = """
import json, sys, time
from core.settings import Settings
from wsgi import create_app
create_app(Settings(**json.loads(sys.argv[1])))
print(time.process_time())
"""
BUILD_FEED = """
import json, resource, sys
from pathlib import Path
from core.clock import utc_now
from core.db import Database
from core.settings import Settings
from livestream.feeds.building import write_files
from livestream.feeds.jobs import surroundings
from wsgi import create_app
settings = Settings(**json.loads(sys.argv[1]))
app = create_app(settings)
with app.test_request_context(), Database(settings.DATABASE_URL, role="job").reading() as session:
    around = surroundings(settings, now=utc_now())
    write_files(session, Path(settings.STORAGE_DIR) / "memory", "meta", around=around)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak / (1024 * 1024 if sys.platform == "darwin" else 1024))
"""


class DidNotRun(Exception):  # noqa: N818 - what happened
    """The measured program failed; its last words are the message."""


def start_row(shop: Shop, rounds: int) -> Row:
    """Return the row of importing and building the application, in seconds of processor time."""
    row = Row(
        START,
        shop.kind,
        shop.products,
        "s CPU",
        "importing Flask, Flask-Babel, Flask-Login and SQLAlchemy, making an empty application",
        f"≤ {LONGEST_START:g} s",
    )
    _printed(MAKE_APP, shop.settings)
    pairs = [
        (_printed(MAKE_APP, shop.settings), _printed(BARE_START, shop.settings))
        for _ in range(rounds)
    ]
    row.product = median(ours for ours, _floor in pairs)
    row.floor = median(floor for _ours, floor in pairs)
    row.ratios = [floor / ours for ours, floor in pairs]
    row.ratio = row.floor / row.product
    row.operations = rounds
    row.met = row.product <= LONGEST_START
    return row


def memory_row(shop: Shop, small: float) -> Row:
    """Return the row of the peak of a process that builds the feed, against the small shop's."""
    row = Row(
        MEMORY,
        shop.kind,
        shop.products,
        "MiB peak",
        "the same build in the smallest shop of this run: memory must not grow with the goods",
        f"≤ {MOST_MEMORY:g} MiB, ≥ {FLAT:.0%}",
    )
    row.product, row.floor = feed_memory(shop), small
    row.ratio = row.floor / row.product
    row.operations = 1
    row.met = row.product <= MOST_MEMORY and row.ratio >= FLAT
    return row


def feed_memory(shop: Shop) -> float:
    """Return the peak memory, in MiB, of a process of its own that builds the feed once."""
    return _printed(BUILD_FEED, shop.settings)


def _printed(program: str, settings: Settings) -> float:
    command = [sys.executable, "-c", program, json.dumps(asdict(settings))]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise DidNotRun(done.stderr[-2_000:])
    return float(done.stdout)
