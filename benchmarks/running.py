"""One run: which paths are measured in which shop, and what becomes of those that fail."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath

from benchmarks import (
    browsing,
    commenting,
    crowd,
    feeding,
    importing,
    labels,
    ordering,
    picturing,
    proving,
    recalling,
    shops,
    starting,
)
from benchmarks.measuring import Pace, Path, Row, compare, profile
from benchmarks.shops import Shop

Paths = Callable[[Shop], Iterator[Path]]

# Every path there is. What grows with the goods is measured in each shop, the rest in one.
IN_EVERY_SHOP: tuple[Paths, ...] = (browsing.paths, feeding.paths)
IN_THE_LARGEST: tuple[Paths, ...] = (
    ordering.paths,
    crowd.paths,
    commenting.paths,
    proving.paths,
    recalling.paths,
    importing.paths,
)
WITHOUT_DATABASE: tuple[Paths, ...] = (labels.paths, picturing.paths)


@dataclass(frozen=True, slots=True)
class Run:
    """What was asked for; `only` is a part of the names of the paths wanted."""

    databases: tuple[str, ...]
    sizes: tuple[int, ...]
    pace: Pace
    only: str = ""
    profiled: bool = False

    @property
    def largest(self) -> int:
        """Return the size in which everything is measured."""
        return max(self.sizes)


def measure(run: Run, folder: FilePath) -> Iterator[Row]:
    """Give the rows of every database and size; PostgreSQL is measured in the largest shop."""
    if "sqlite" in run.databases:
        with shops.sqlite_shops(run.sizes, folder) as opened:
            yield from _sqlite_rows(run, opened)
    if "postgresql" in run.databases:
        with shops.postgresql_shops((run.largest,), folder) as opened:
            for shop in opened:
                yield from measure_shop(run, shop, (*IN_EVERY_SHOP, *IN_THE_LARGEST))


def _sqlite_rows(run: Run, opened: Iterator[Shop]) -> Iterator[Row]:
    small = 0.0
    for shop in opened:
        is_largest = shop.products == run.largest
        more = (*IN_THE_LARGEST, *WITHOUT_DATABASE) if is_largest else ()
        yield from measure_shop(run, shop, (*IN_EVERY_SHOP, *more))
        if run.only in starting.MEMORY:
            small = small or starting.feed_memory(shop)
            if is_largest:
                yield starting.memory_row(shop, small)
        if is_largest and run.only in starting.START:
            yield starting.start_row(shop, run.pace.rounds)


def measure_shop(run: Run, shop: Shop, families: tuple[Paths, ...]) -> Iterator[Row]:
    """Give the rows of one shop; what cannot be measured is a row that says why."""
    for family in families:
        try:
            for path in family(shop):
                if run.only in path.name:
                    print(f"  {path.name} ({shop.kind}, {shop.products:,}) …", file=sys.stderr)
                    yield compare(path, run.pace, database=shop.kind, products=shop.products)
                    if run.profiled:
                        print(profile(path))
        except Exception as error:  # noqa: BLE001 - told in the table, exit code 1
            row = Row(family.__module__, shop.kind, shop.products, "", "", "")
            row.error = f"{type(error).__name__}: {error}"
            yield row
    ordering.refuse_oversold(shop)
