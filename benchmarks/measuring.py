"""Measures a path and its floor in turns, so that a slow moment of the machine meets both."""

import cProfile
import gc
import pstats
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from io import StringIO
from statistics import median, quantiles
from time import perf_counter
from typing import Any


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to measure: so many turns of each side, each at least so many seconds.

    When a path has taken `longest` seconds, three rounds have to do.
    """

    rounds: int
    seconds: float
    longest: float = 12.0


FULL = Pace(rounds=5, seconds=0.4)
QUICK = Pace(rounds=3, seconds=0.05)
FEWEST_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two things compared: `jobs` for so many seconds are made before they count."""

    jobs: Callable[[float], Iterable[Any]]
    do: Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class Path:
    """Something the shop does, the floor beneath it, and the share of the floor it should reach."""

    name: str
    unit: str
    floor_is: str
    target: float | None
    product: Side
    floor: Side
    longest_tail: float | None = None
    # Where a job is many things at once, how long one takes says nothing.
    timed: bool = True
    around: Callable[[], AbstractContextManager[Any]] = nullcontext


@dataclass(slots=True)
class Row:
    """One line of the table. `ratio` is product to floor; more is better, whatever the unit."""

    path: str
    database: str
    products: int
    unit: str
    floor_is: str
    target: str
    product: float = 0.0
    floor: float = 0.0
    ratio: float = 0.0
    met: bool | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    operations: int = 0
    ratios: list[float] = field(default_factory=list)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Turn:
    units_per_second: float
    took: list[float]


def compare(path: Path, pace: Pace, *, database: str, products: int) -> Row:
    """Return the row of `path`: medians of both sides over all rounds, after one try of each."""
    row = Row(path.name, database, products, path.unit, path.floor_is, _wanted(path))
    turns: dict[bool, list[_Turn]] = {True: [], False: []}
    started = perf_counter()
    with path.around():
        _turn(path.product, 0)
        _turn(path.floor, 0)
        for number in range(pace.rounds):
            if number >= FEWEST_ROUNDS and perf_counter() - started > pace.longest:
                break
            # Who goes first changes, so that neither always finds the caches warm.
            for is_product in (True, False) if number % 2 == 0 else (False, True):
                side = path.product if is_product else path.floor
                turns[is_product].append(_turn(side, pace.seconds))
    row.product = median(turn.units_per_second for turn in turns[True])
    row.floor = median(turn.units_per_second for turn in turns[False])
    row.ratio = row.product / row.floor
    row.ratios = [
        ours.units_per_second / theirs.units_per_second
        for ours, theirs in zip(turns[True], turns[False], strict=True)
    ]
    took = sorted(one for turn in turns[True] for one in turn.took)
    row.operations = len(took)
    if path.timed:
        row.p50_ms, row.p99_ms = median(took) * 1_000, _percentile_99(took) * 1_000
    if path.target is not None:
        row.met = row.ratio >= path.target and (
            path.longest_tail is None
            or row.p50_ms is None
            or row.p99_ms is None
            or row.p99_ms <= path.longest_tail * row.p50_ms
        )
    return row


def profile(path: Path, *, seconds: float = 2.0, lines: int = 45) -> str:
    """Return where the time of the product's side goes, the dearest functions first."""
    profiler = cProfile.Profile()
    with path.around():
        jobs = path.product.jobs(seconds)
        started = perf_counter()
        with profiler:
            for job in jobs:
                path.product.do(job)
                if perf_counter() - started >= seconds:
                    break
    text = StringIO()
    statistics = pstats.Stats(profiler, stream=text).sort_stats("tottime")
    statistics.print_stats(lines)
    statistics.sort_stats("cumulative").print_stats(lines)
    return text.getvalue()


def _wanted(path: Path) -> str:
    if path.target is None:
        return "–"
    tail = f", p99 ≤ {path.longest_tail:g} × p50" if path.longest_tail else ""
    return f"≥ {path.target:.0%}{tail}"


def _turn(side: Side, seconds: float) -> _Turn:
    """Do jobs until the time is over or they are, at least one."""
    jobs = iter(side.jobs(seconds))
    gc.collect()
    units, took = 0, []
    started = before = perf_counter()
    for job in jobs:
        units += side.do(job)
        now = perf_counter()
        took.append(now - before)
        before = now
        if now - started >= seconds:
            break
    return _Turn(units / (before - started), took)


def _percentile_99(ordered: list[float]) -> float:
    return quantiles(ordered, n=100)[98] if len(ordered) > 1 else ordered[0]
