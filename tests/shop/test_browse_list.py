"""The list of goods as a page: every parameter that makes sense counts, no other ever breaks it."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask.testing import FlaskClient

from core.db import Database
from tests.conftest import NOON
from tests.factories import a_listed_product, a_producer, a_province, a_star
from tests.queries import counted


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Stop the clock: badges depend on the day."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def market(database: Database) -> Database:
    """Thirty products of one maker, three of them with stars."""
    with database.transaction() as session:
        maker = a_producer(session, name="HTX Gần")
        a_province(session, code="19", name="Tỉnh Thái Nguyên")
        for number in range(30):
            product = a_listed_product(
                session,
                f"Chè số {number:02d}",
                price=10_000 + 1_000 * number,
                in_stock=number % 2,
                producer=maker,
                season_months=1 << (number % 12),
            )
            if number < 3:
                a_star(session, product, 3 + number)
    return database


def names(page: str) -> list[str]:
    return re.findall(r"<b>(Chè số \d\d)</b>", page)


def next_page(page: str) -> str | None:
    link = re.search(r'rel="next" href="([^"]+)"', page)
    return link.group(1).replace("&amp;", "&") if link else None


def test_the_list_goes_on_until_everything_was_shown(
    market: Database, visitor: FlaskClient
) -> None:
    first = visitor.get("/san-pham").text
    second = visitor.get(next_page(first) or "").text

    assert names(first) + names(second) == [f"Chè số {number:02d}" for number in range(29, -1, -1)]
    assert next_page(second) is None


def test_the_next_page_keeps_the_filters(market: Database, visitor: FlaskClient) -> None:
    page = visitor.get("/san-pham?q=che&sap-xep=gia-tang&tinh=01&con-hang=&sao=nine").text

    kept = parse_qs(urlsplit(next_page(page) or "").query)
    kept.pop("sau")
    assert kept == {"q": ["che"], "sap-xep": ["gia-tang"], "tinh": ["01"]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=so+29", ["29"]),
        ("sao=4", ["01"]),
        ("gia-den=11000", ["01", "00"]),
        ("gia-tu=38.000+₫", ["29", "28"]),
        ("gia-den=11000&con-hang=1", ["01"]),
        ("mua=1&gia-den=25000&sap-xep=gia-giam", ["12", "00"]),
        ("nhom=food&nha-san-xuat=htx-gan&xa=09784&tinh=01&gia-den=10000", ["00"]),
        ("nhom=handicraft", []),
        ("tinh=19", []),
        ("gia-tu=20000&gia-den=10000", []),
    ],
)
def test_filters_work_from_the_address(
    market: Database, visitor: FlaskClient, query: str, expected: list[str]
) -> None:
    page = visitor.get(f"/san-pham?{query}").text

    assert names(page) == [f"Chè số {number}" for number in expected]


NONSENSE = [
    "sao=9&mua=13&nhom=xyz&xa=abc&tinh=zz&lang=khong-co&nha-san-xuat=khong-co&sap-xep=hop",
    "gia-tu=-5&gia-den=1e9&con-hang=2&mua=0&sao=",
    "gia-tu=99999999999999999999&gia-den=١٢٣",
    "q=%25%27%22%3B--&sau=../../etc/passwd",
    "q=" + "a" * 3000,
    "sau=W10&sau=W10&q=%F0%9F%8D%AF",
    "mua=%C2%B2&sao=%E2%91%A3",
    "xa=09784'&tinh=01%20OR%201=1",
    "lang[]=x&sao[$gt]=1&" + "&".join(f"p{n}=1" for n in range(100)),
]


def test_nonsense_is_ignored(market: Database, visitor: FlaskClient) -> None:
    for query in NONSENSE:
        answer = visitor.get(f"/san-pham?{query}")

        assert answer.status_code == 200, query
    whole = visitor.get("/san-pham").text
    assert names(visitor.get(f"/san-pham?{NONSENSE[0]}").text) == names(whole)


def test_unreadable_input_is_refused_not_stumbled_over(
    market: Database, visitor: FlaskClient
) -> None:
    for query in ("q=%00", "sau=%00", "%00=1"):
        assert visitor.get(f"/san-pham?{query}").status_code == 400, query
    assert visitor.get("/san-pham?q=%FF%FE&tinh=%C3%28").status_code < 500


def test_each_filter_that_is_on_can_be_taken_off(market: Database, visitor: FlaskClient) -> None:
    page = visitor.get("/san-pham?sao=4&con-hang=1&xa=09784").text

    chips = re.findall(r'class="chip" href="([^"]+)">([^<]+?) <', page)
    assert [label for _url, label in chips] == ["Xã Đan Phượng", "OCOP 4 sao", "Chỉ hàng còn"]
    assert "sao" not in chips[1][0]
    assert "xa=09784" in chips[1][0]


def test_communes_can_be_chosen_once_a_province_is(market: Database, visitor: FlaskClient) -> None:
    without, within = visitor.get("/san-pham").text, visitor.get("/san-pham?tinh=01").text

    assert 'name="xa"' not in without
    assert '<option value="09784">Xã Đan Phượng</option>' in within
    assert "Thái Nguyên" not in without


def test_nothing_found_says_so(market: Database, visitor: FlaskClient) -> None:
    page = visitor.get("/san-pham?q=xyzxyz").text

    assert "Chưa có hàng nào hợp." in page
    assert 'content="noindex,follow"' in page


@pytest.mark.parametrize("rows", [10, 200])
def test_a_list_asks_five_questions_at_most(
    database: Database, visitor: FlaskClient, rows: int
) -> None:
    with database.transaction() as session:
        maker = a_producer(session)
        for number in range(rows):
            product = a_listed_product(
                session, f"Chè số {number:02d}", price=10_000, producer=maker
            )
            if number == 0:
                a_star(session, product, 4)

    for query in ("", "?q=che", "?sap-xep=sao", "?sap-xep=gia-tang&con-hang=1", "?tinh=01&sao=4"):
        with counted(database) as asked:
            visitor.get(f"/san-pham{query}")
        assert len(asked) <= 5, query
