"""The running shop with its demo village, and windows to look at it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import create_engine, text

from tests.browser.people import Buyer, Producer
from tests.browser.windows import ARGUMENTS, PHONE, Window
from tests.running import RunningShop, running_shop

HERE = Path(__file__).parent
OpenWindow = Callable[..., Window]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder as needing a browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningShop]:
    """The shop as `./manage run` starts it, with the demo village in it."""
    with running_shop(tmp_path_factory.mktemp("shop")) as shop:
        shop.load_demo()
        yield shop


@pytest.fixture(scope="session")
def village(shop: RunningShop) -> dict[str, Any]:
    """What the demo offers: addresses to scan, feeds, log-ins."""
    return shop.load_demo()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real Chromium; without one these tests are skipped, but never on the build server."""
    program = os.environ.get("CHROME_PATH") or next(
        filter(None, map(shutil.which, ("chromium", "google-chrome"))), None
    )
    if program is None:
        missing = "there is no Chromium: apt-get install chromium, or set CHROME_PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def shop_on_postgresql(postgres_url: str, tmp_path: Path) -> Iterator[RunningShop]:
    """The same shop on a PostgreSQL database of its own."""
    engine = create_engine(
        postgres_url.replace("postgresql:", "postgresql+psycopg:") + "/postgres",
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE shop_browser"))
    engine.dispose()
    with running_shop(tmp_path, database_url=f"{postgres_url}/shop_browser") as shop:
        shop.load_demo()
        yield shop


@pytest.fixture
def open_window(chromium: Browser, shop: RunningShop) -> Iterator[OpenWindow]:
    """Open private windows; when the test is over, nothing may have gone wrong in any of them."""
    with ExitStack() as windows:

        def open_one(kind: dict[str, Any] = PHONE) -> Window:
            return windows.enter_context(Window.open(chromium, shop.address, kind))

        yield open_one


@pytest.fixture
def buyer(open_window: OpenWindow) -> Buyer:
    """Someone with a phone who wants to buy something."""
    return Buyer(open_window(PHONE))


@pytest.fixture
def producer(open_window: OpenWindow, village: dict[str, Any]) -> Producer:
    """Someone of HTX Mẫu, logged in."""
    producer = Producer(open_window(PHONE))
    producer.logs_in_as(village, "producer")
    return producer
