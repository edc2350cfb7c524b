"""A thousand people scan; afterwards neither database, storage nor logs know any of them.

The shop runs as it does for real, in a process of its own, because its server writes logs as well.
"""

import json
import random
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.running import RunningShop, running_shop

SCANS = 1_000
# Behind one trusted proxy, which tells the visitor's address.
PROXIED = {"TRUSTED_PROXIES": "1", "LOG_LEVEL": "DEBUG"}
PLACES = ("21.028511,105.804817", "geo-21.0285")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("privacy")


@pytest.fixture(scope="module")
def shop(place: Path) -> Iterator[RunningShop]:
    with running_shop(place, **PROXIED) as shop:
        yield shop


def visitors() -> list[tuple[str, str]]:
    """A thousand addresses and devices, each unlike every other."""
    chance = random.Random(4)
    people = []
    for number in range(SCANS):
        network = chance.choice(("14.161", "27.72", "113.190", "171.250"))
        address = f"{network}.{100 + number // 7}.{100 + number % 150}"
        device = f"MAY-{number:04d}-{chance.getrandbits(40):010x}"
        people.append((address, f"Mozilla/5.0 (Linux; Android 13; {device})"))
    return people


def test_a_thousand_scans_leave_no_address_agent_or_place(shop: RunningShop, place: Path) -> None:
    village = shop.load_demo()
    codes = [urlsplit(link).path for link in village["trace_links"]]
    people = visitors()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: _scan(shop, one, codes), enumerate(people)))
    shop.flask("worker", "--once")

    seen, counted = _rows(place / "shop.db")
    assert answers.count(204) == SCANS
    assert counted == seen == SCANS
    written = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert any(path.name == "shop.log" for path in written)
    assert any(path.name.startswith("shop.db") for path in written)
    for word in _telling(people):
        found = [path.name for path, content in written.items() if word.encode() in content]
        assert found == [], f"{word!r} is kept"


def _scan(shop: RunningShop, numbered: tuple[int, tuple[str, str]], codes: list[str]) -> int:
    number, (address, agent) = numbered
    code = codes[number % len(codes)].rstrip("/").rpartition("/")[2]
    connection = HTTPConnection("127.0.0.1", shop.port, timeout=60)
    headers = {
        "Host": urlsplit(shop.address).netloc,
        "User-Agent": agent,
        "X-Forwarded-For": address,
        "X-Forwarded-Proto": "http",
        "Origin": shop.address,
        "Sec-Fetch-Site": "same-origin",
    }
    if number % 10 == 0:
        # One in ten comes by the printed address, with what apps hang on it.
        connection.request("GET", f"/t/{code}?ll={PLACES[0]}&gps={PLACES[1]}", headers=headers)
        connection.getresponse().read()
        connection.request("GET", f"/truy-xuat/{code}?ll={PLACES[0]}", headers=headers)
        connection.getresponse().read()
    if number % 50 == 0:
        # What the server itself must complain about.
        connection.request("GET", "/khong-co-%ff", headers=headers)
        connection.getresponse().read()
        connection.request("POST", "/xac-thuc", urlencode({"id": code, "pin": "1"}), {
            **headers, "Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
        connection.getresponse().read()
    form = urlencode({"id": code})
    connection.request(
        "POST", "/quet", form, {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    )
    status = connection.getresponse().status
    connection.close()
    return status


def _rows(path: Path) -> tuple[int, int]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        seen: Any = database.execute("SELECT count(*) FROM scan_seen").fetchone()
        counted: Any = database.execute("SELECT sum(n) FROM scan_daily").fetchone()
    return int(seen[0]), int(counted[0])


def _telling(people: list[tuple[str, str]]) -> list[str]:
    """What would name somebody: whole addresses, their networks, devices, places."""
    addresses = [address for address, _agent in people]
    networks = {address.rpartition(".")[0] + "." for address in addresses}
    devices = [agent.rpartition("; ")[2].rstrip(")") for _address, agent in people]
    return [*addresses, *networks, *devices, *PLACES]


def test_broken_requests_are_not_quoted_in_the_logs(shop: RunningShop, place: Path) -> None:
    for line in (
        b"GET /truy-xuat/%00 HTTP/1.1\r\nHost: 171.250.9.9\r\nUser-Agent: MAY-HONG\r\n\r\n",
        b"KHONG-PHAI-HTTP MAY-HONG 171.250.9.9\r\n\r\n",
        b"POST /quet HTTP/1.1\r\nHost: x\r\nContent-Length: MAY-HONG\r\n\r\n",
    ):
        connection = HTTPConnection("127.0.0.1", shop.port, timeout=10)
        connection.connect()
        assert connection.sock is not None
        connection.sock.sendall(line)
        connection.sock.settimeout(10)
        connection.sock.recv(1000)
        connection.close()

    log = (place / "shop.log").read_text()
    assert "171.250.9.9" not in log
    assert "MAY-HONG" not in log


def test_each_line_of_the_log_is_of_a_route_and_nothing_more(
    shop: RunningShop, place: Path
) -> None:
    lines = [json.loads(line) for line in (place / "shop.log").read_text().splitlines()]
    requests = [line for line in lines if line.get("logger") == "shop.request"]

    assert requests
    for line in requests:
        assert set(line) <= {
            "at", "level", "logger", "message", "request_id", "route", "method", "status", "ms",
        }  # fmt: skip
