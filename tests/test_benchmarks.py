"""The benchmarks run whole and say everything they promise; how fast anything is is not tested."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from benchmarks import lighthouse, ordering, reporting, running, shops, starting
from benchmarks.calling import WrongAnswer, call, environ
from benchmarks.drivers import Driver
from benchmarks.measuring import Pace, Row
from benchmarks.measuring import Path as MeasuredPath
from benchmarks.pages import BUDGETS
from benchmarks.running import Run, measure_shop
from benchmarks.shops import Shop

ONE_OF_EACH = Run(databases=("sqlite",), sizes=(30,), pace=Pace(rounds=1, seconds=0))
PATHS = {
    "product page",
    "list, first page",
    "search",
    "home, again",
    "scan page, again",
    "feed from scratch",
    "place order, one hot product",
    "comment ingest",
    "log append",
    "log verify",
    "label run, PDF",
    "label code, SVG",
    "label code, PNG",
    "photo, every size",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("bench")
    with shops.open_shop(f"sqlite:///{folder / 'shop.db'}", 30, folder) as shop:
        yield shop


def test_every_path_is_measured_beside_its_floor(shop: Shop) -> None:
    families = (*running.IN_EVERY_SHOP, *running.IN_THE_LARGEST, *running.WITHOUT_DATABASE)

    rows = list(measure_shop(ONE_OF_EACH, shop, families))

    assert [row.error for row in rows if row.error] == []
    assert {row.path for row in rows} >= PATHS
    assert_complete(rows)


def test_start_and_memory_are_measured_from_outside(shop: Shop) -> None:
    rows = [starting.start_row(shop, 1), starting.memory_row(shop, 100.0)]

    assert {row.path for row in rows} == {starting.START, starting.MEMORY}
    assert_complete(rows)


def assert_complete(rows: list[Row]) -> None:
    for row in rows:
        assert row.product > 0, row
        assert row.floor > 0, row
        assert row.ratio > 0, row
        assert row.operations > 0, row
        assert row.floor_is, row
        assert row.target, row
        assert row.path in reporting.table_of(rows)


def test_the_bare_order_leaves_the_same_rows_as_ours(shop: Shop) -> None:
    ordering.stock_up(shop)
    carts = ordering.Carts(shop, ordering.sold_variants(shop))
    first, second = carts.fill(2)

    def added(by: Callable[[ordering.Wish], int], wish: ordering.Wish) -> dict[str, int]:
        before = ordering.counted_rows(shop)
        by(wish)
        return {
            table: count - before[table]
            for table, count in ordering.counted_rows(shop).items()
            if count != before[table]
        }

    with shop.app.test_request_context(), closing(Driver(shop)) as driver:
        ours = added(ordering.ordering(shop), first)
        bare = added(ordering.bare_ordering(shop, driver), second)

    assert bare == ours
    ordering.refuse_oversold(shop)


def test_anything_but_a_page_is_refused(shop: Shop) -> None:
    with pytest.raises(WrongAnswer, match="404"):
        call(shop.app, environ("/khong-co-trang-nay"))


def test_a_path_that_fails_is_a_row_that_says_why(shop: Shop) -> None:
    def broken(_shop: Shop) -> Iterator[MeasuredPath]:
        raise RuntimeError("no such page")

    rows = list(measure_shop(ONE_OF_EACH, shop, (broken, *running.WITHOUT_DATABASE)))

    assert rows[0].error == "RuntimeError: no such page"
    assert {row.path for row in rows[1:]} >= {"label run, PDF", "label code, SVG"}
    assert "failed" in reporting.table_of(rows)


def test_a_budget_names_everything_that_is_over_it() -> None:
    heavy = lighthouse.Seen(
        "scan", "/", runs=1, lcp_ms=1_600, tbt_ms=10, cls=0.1, bytes=80_000, requests=13
    )
    light = lighthouse.Seen(
        "scan", "/", runs=1, lcp_ms=1_400, tbt_ms=0, cls=0.0, bytes=50_000, requests=9
    )

    assert len(BUDGETS["scan"].exceeded(heavy)) == 5
    assert BUDGETS["scan"].exceeded(light) == []
