"""Stripe, GHN, the bank's service and the mail server all ill at once: the shop goes on.

No page waits for them longer than 3.5 seconds, no order is lost, and whoever needs none of them
notices nothing.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any, Self

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from core import outgoing
from core.clock import utc_now
from core.db import Database
from core.settings import Settings
from core.tasks import Task, TaskState
from core.worker import Runner
from demo.standins.banks import BankStandIn
from demo.standins.ghn import GhnStandIn
from demo.standins.stripe import StripeStandIn
from shop import connections
from shop.audit import find_faults
from shop.delivery import DeliveryKind
from shop.orders import Order
from shop.payments import bank_refetch
from tests.conftest import SECRET
from tests.factories import a_commune, a_producer, a_product, a_variant
from tests.shop.selling import FORM, SELLER, a_way, fill_cart, hidden

LONGEST = 3.5
ILLNESSES: list[dict[str, Any]] = [
    {"delay": 8.0},
    {"drip": True},
    {"garbage": True},
    {"status": 500},
    {"hang_up": True},
]
NAMES = ["late", "dripping", "garbage", "out of order", "hanging up"]
# Both databases are the same to whoever waits for others; one of them is enough.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def no_memory_of_outages() -> None:
    outgoing.forget()


class SilentPost:
    """A mail server that takes the call and never says a word."""

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self._server.getsockname()[1]}"
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.close()


class Others:
    """Everybody the shop talks to."""

    def __init__(self, stripe: StripeStandIn, ghn: GhnStandIn, bank: BankStandIn) -> None:
        self.stripe, self.ghn, self.bank = stripe, ghn, bank
        self.mail = ""

    def ail(self, **illness: Any) -> None:
        """Let all of them ail in the same way."""
        for one in (self.stripe, self.ghn, self.bank):
            one.ail(**illness)


@pytest.fixture
def others() -> Iterator[Others]:
    with ExitStack() as stack:
        others = Others(
            stack.enter_context(StripeStandIn()),
            stack.enter_context(GhnStandIn()),
            stack.enter_context(BankStandIn()),
        )
        others.mail = stack.enter_context(SilentPost()).url
        yield others


@pytest.fixture
def settings(settings: Settings, others: Others) -> Settings:
    return replace(
        settings,
        SELLING_MODE="direct",
        STRIPE_SECRET_KEY="sk_test_1",
        STRIPE_WEBHOOK_SECRET=(SECRET,),
        STRIPE_API_BASE=others.stripe.url,
        GHN_API_BASE=others.ghn.url,
        SEPAY_API_BASE=others.bank.url,
        MAIL_URL=others.mail,
    )


@pytest.fixture
def jar(database: Database) -> int:
    """A jar whose producer sends with GHN and reads its account through SePay."""
    with database.transaction() as session:
        a_commune(session)
        producer = a_producer(session, name="HTX Ong", slug="htx-ong")
        a_way(session, producer, kind=DeliveryKind.GHN, name="GHN")
        for provider, keys in (
            ("ghn", {"token": "t" * 36, "shop_id": "885"}),
            ("sepay", {"hmac_secret": SECRET, "api_token": "t1"}),
        ):
            connections.open_new(
                session, producer.id, provider, keys, secrets=[SECRET], actor=SELLER, now=utc_now()
            )
        product = a_product(session, producer=producer)
        return a_variant(session, product=product, price=200_000, in_stock=50).id


def timed(ask: Callable[[], Any]) -> tuple[Any, float]:
    """The answer, and how long it took."""
    begun = time.monotonic()
    answer = ask()
    return answer, time.monotonic() - begun


def order(visitor: FlaskClient, jar: int, method: str) -> tuple[Any, float]:
    """Order a jar; the answer, and the longest any page of it took."""
    fill_cart(visitor, jar)
    form = {**FORM, "payment_method": method}
    page, waited = timed(lambda: visitor.get("/dat-hang", query_string=form))
    longest = waited
    for _press in range(2):
        marks = {name: hidden(page.text, name) for name in ("cart_token", "csrf_token")}
        page, waited = timed(partial(visitor.post, "/dat-hang", data={**form, **marks}))
        longest = max(longest, waited)
        if page.status_code == 303:
            break
    return page, longest


@pytest.mark.parametrize("illness", ILLNESSES, ids=NAMES)
def test_whoever_pays_by_card_waits_little_and_loses_nothing(
    app: Flask, database: Database, others: Others, jar: int, illness: dict[str, Any]
) -> None:
    others.ail(**illness)

    answer, longest = order(app.test_client(), jar, "stripe")

    assert longest < LONGEST
    assert answer.status_code == 303
    assert "/don-hang/" in answer.headers["Location"]
    page, waited = timed(lambda: app.test_client().get(answer.headers["Location"]))
    assert (page.status_code, waited < LONGEST) == (200, True)
    with database.reading() as session:
        assert len(session.scalars(select(Order)).all()) == 1
        assert find_faults(session) == []


def test_whoever_needs_none_of_them_notices_nothing(
    app: Flask, database: Database, others: Others, jar: int
) -> None:
    others.ail(delay=8.0)
    waiting = [
        threading.Thread(target=order, args=(app.test_client(), jar, "stripe")) for _n in range(4)
    ]
    for thread in waiting:
        thread.start()
    answers = []
    while any(thread.is_alive() for thread in waiting):
        answers += [
            timed(partial(app.test_client().get, path))
            for path in ("/", "/san-pham", "/gio-hang", "/tra-cuu", "/healthz")
        ]
    for thread in waiting:
        thread.join()

    assert {page.status_code for page, _waited in answers} == {200}
    waits = sorted(waited for _page, waited in answers)
    assert waits[len(waits) // 2] < 0.5
    assert waits[-1] < LONGEST


def test_cash_is_ordered_while_all_of_them_are_away(
    app: Flask, database: Database, others: Others, jar: int
) -> None:
    others.ail(hang_up=True)

    answer, longest = order(app.test_client(), jar, "cod")

    assert longest < LONGEST
    assert answer.status_code == 303
    with database.reading() as session:
        assert len(session.scalars(select(Order)).all()) == 1
        assert session.scalars(select(Task).where(Task.kind == "mail.send")).first() is not None


def test_the_background_tries_again_later_and_goes_on(
    app: Flask, database: Database, others: Others, jar: int
) -> None:
    others.ail(status=500)
    order(app.test_client(), jar, "cod")
    with app.app_context():
        bank_refetch.ask_all(database, utc_now())
    runner = Runner(
        database,
        app.config["SETTINGS"],
        app.extensions["storage"],
        app.extensions["tasks"],
        context=app.app_context,
    )

    _count, took = timed(runner.run_due)

    with database.reading() as session:
        left = session.scalars(select(Task).where(Task.state == TaskState.DUE)).all()
        assert {task.kind for task in left} >= {"mail.send", "bank.refetch"}
        assert all(task.attempts == 1 and task.last_error for task in left)
        assert took < 30 * len(left)
