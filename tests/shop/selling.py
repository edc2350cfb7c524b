"""What the tests of the shop do over and over: fill a cart, order it, read a form."""

import re
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from accounts import sessions
from accounts.audit import Actor
from accounts.users import User
from catalog.members import Member
from catalog.producers import Producer
from catalog.variants import Variant
from core.clock import utc_now
from core.db import Database
from core.money import Money
from core.worker import Runner
from shop import carts, checkout, links, orders
from shop.carts import Cart
from shop.checkout import Buyer
from shop.delivery import DeliveryKind, DeliveryMethod
from shop.orders import Order, SellerOrder
from shop.selling import INTERMEDIARY, Selling
from tests.conftest import NOON, SECRET
from tests.factories import a_commune, a_user

BUYER = Actor(None, "người mua")
SELLER = Actor(None, "Chị Hoa")
FORM = {
    "name": "Nguyễn Thị Ẩn",
    "phone": "0912 345 678",
    "email": "an@example.com",
    "province_code": "01",
    "ward_code": "09784",
    "street": "Thôn 3, số 8",
    "note": "gọi trước",
    "payment_method": "cod",
}


def a_way(session: Session, producer: Producer, **given: Any) -> DeliveryMethod:
    """A way of delivery by post for 18.000 ₫, free from 400.000 ₫ on."""
    values = {
        "producer_id": producer.id,
        "kind": DeliveryKind.POST,
        "name": "Bưu điện",
        "fee": Money(18_000),
        "free_from": Money(400_000),
    }
    way = DeliveryMethod(**{**values, **given})
    session.add(way)
    session.flush()
    return way


def a_cart(session: Session, *wanted: tuple[Variant, int], now: datetime = NOON) -> Cart:
    """A guest's cart with so many of each."""
    a_commune(session)
    cart, _token = carts.open_new(session, user_id=None, now=now)
    for variant, quantity in wanted:
        carts.add(session, cart, variant.id, quantity=quantity, now=now)
    session.flush()
    return cart


def place(
    session: Session,
    cart_id: int,
    *,
    now: datetime = NOON,
    agreed: str = "",
    selling: Selling = INTERMEDIARY,
    **typed: str,
) -> Order:
    """Order a cart as a guest who typed FORM and whatever is given."""
    return checkout.place(
        session,
        cart_id,
        {**FORM, **typed},
        buyer=Buyer(BUYER, "vi", links.order_mark(SECRET, cart_id)),
        agreed_prices=agreed,
        public_url="http://localhost",
        now=now,
        selling=selling,
    )


def an_order(
    session: Session, *wanted: tuple[Variant, int], now: datetime = NOON, **typed: str
) -> Order:
    """An order of so many of each, paid on delivery unless told otherwise."""
    return place(session, a_cart(session, *wanted, now=now).id, now=now, **typed)


def only_part(session: Session, order: Order) -> SellerOrder:
    """The single part of an order."""
    [part] = orders.list_parts(session, order.id)
    return part


def a_member(session: Session, producer: Producer) -> int:
    """A person of the producer; returns the account's id."""
    user = a_user(session)
    session.add(Member(producer_id=producer.id, user_id=user.id, since=NOON))
    session.flush()
    return user.id


def hidden(page: str, name: str) -> str:
    """The value of a hidden field on a page."""
    found = re.search(f'name="{name}" value="([^"]*)"', page)
    assert found is not None, f"no field {name} on the page"
    return found.group(1)


def fill_cart(visitor: FlaskClient, variant_id: int, quantity: int = 1, **more: str) -> Any:
    """Put something into the visitor's cart as a product page does."""
    form = {"variant_id": str(variant_id), "quantity": str(quantity), **more}
    return visitor.post("/gio-hang/them", data=form)


def checkout_form(visitor: FlaskClient, **typed: str) -> dict[str, str]:
    """The filled-in form of the checkout page, with its hidden fields."""
    page = visitor.get("/dat-hang").text
    marks = {name: hidden(page, name) for name in ("cart_token", "csrf_token")}
    return {**FORM, **marks, **typed}


def order_code(session: Session) -> str:
    """The code of the only order there is."""
    return session.scalars(select(Order.code)).one()


class Counted:
    """How many statements ran inside the block."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self.statements: list[str] = []

    def __enter__(self) -> Self:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_error: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, _connection: object, _cursor: object, statement: str, *_more: object) -> None:
        self.statements.append(statement)

    @property
    def queries(self) -> int:
        """The number of statements, without the beginnings of transactions."""
        return len([s for s in self.statements if not s.startswith(("BEGIN", "PRAGMA"))])


def at_once(database: Database, jobs: list[Callable[[Session], object]]) -> list[object]:
    """Run every job in a thread and a transaction of its own; give back what came out of each."""
    ready = threading.Barrier(len(jobs))
    results: list[object] = [None] * len(jobs)

    def run(number: int, job: Callable[[Session], object]) -> None:
        ready.wait()
        try:
            with database.transaction() as session:
                results[number] = job(session)
        except Exception as error:  # noqa: BLE001 - what came out is the claim
            results[number] = error

    threads = [threading.Thread(target=run, args=(number, job)) for number, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def log_in(visitor: FlaskClient, database: Database, user_id: int) -> None:
    """Let the visitor's browser carry a log-in of this person."""
    now = utc_now()
    with database.transaction() as session:
        token = sessions.start(session, session.get_one(User, user_id), device="test", now=now)
    visitor.set_cookie("sid", token)


def run_due(app: Flask, database: Database, *, now: datetime) -> int:
    """Do the background work that is due by then, here; return how many pieces there were."""
    runner = Runner(
        database=database,
        settings=app.config["SETTINGS"],
        storage=app.extensions["storage"],
        handlers=app.extensions["tasks"],
        context=app.app_context,
        clock=lambda: now,
    )
    return runner.run_due()
