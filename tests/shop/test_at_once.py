"""Many at the same moment, in threads and in processes of their own: everything happens once."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.stock import StockItem
from core.db import Database
from shop import audit, cancellations, orders
from shop.moves import TooLate
from shop.order_states import SellerOrderState, Verb
from shop.orders import Order, OrderEvent, OrderLine, SellerOrder
from shop.payments import bank_transfer
from shop.payments.payments import Payment
from tests.conftest import NOON
from tests.factories import a_product, a_variant
from tests.shop import racing
from tests.shop.racing import Clients
from tests.shop.selling import SELLER, a_cart, an_order

Act = Callable[[Session, SellerOrder], None]
CLIENTS = 32
RACES = 100


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    """32 people in four processes."""
    with racing.clients() as clients:
        yield clients


def pieces_sold(session: Session) -> int:
    return session.scalar(select(func.coalesce(func.sum(OrderLine.quantity), 0))) or 0


def test_32_clients_on_the_last_50_pieces_sell_exactly_50(
    database: Database, clients: Clients
) -> None:
    with database.transaction() as session:
        honey = a_variant(session, in_stock=50)
        carts = [a_cart(session, (honey, 1)).id for _ in range(3 * CLIENTS)]

    answers = clients.order(database, carts)

    assert answers.pop("sold out") == 3 * CLIENTS - 50
    assert len(answers) == 50
    with database.reading() as session:
        assert pieces_sold(session) == 50
        item = session.scalars(select(StockItem)).one()
        assert (item.on_hand, item.reserved) == (50, 50)
        assert audit.find_faults(session) == []


def test_who_wants_more_than_is_left_gets_nothing_and_takes_nothing(
    database: Database, clients: Clients
) -> None:
    with database.transaction() as session:
        product = a_product(session)
        honey, tea = (a_variant(session, product=product, in_stock=n) for n in (10, 500))
        # Half of the carts name the goods the other way round: nobody may wait for ever.
        carts = [
            a_cart(session, *((honey, 3), (tea, 2))[:: 1 if number % 2 else -1]).id
            for number in range(CLIENTS)
        ]

    answers = clients.order(database, carts)

    assert answers.pop("sold out") == CLIENTS - 3
    assert len(answers) == 3
    with database.reading() as session:
        assert pieces_sold(session) == 3 * 5
        assert audit.find_faults(session) == []


def test_one_cart_ordered_by_32_at_once_is_one_order(database: Database, clients: Clients) -> None:
    with database.transaction() as session:
        cart = a_cart(session, (a_variant(session, in_stock=50), 2)).id

    answers = clients.order(database, [cart] * CLIENTS)

    [(_code, times)] = answers.items()
    assert times == CLIENTS
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 1
        assert session.scalars(select(StockItem.reserved)).one() == 2


def test_paying_and_running_out_at_once_never_give_both(database: Database) -> None:
    late = NOON + timedelta(hours=2, seconds=1)
    with database.transaction() as session:
        honey = a_variant(session, in_stock=RACES)
        part_ids = [
            orders.list_parts(
                session,
                an_order(
                    session, (honey, 1), payment_method="bank_transfer", phone=f"09{n:08d}"
                ).id,
            )[0].id
            for n in range(RACES)
        ]
    ready = threading.Barrier(2)
    raised: list[Exception] = []

    def pay(session: Session, part: SellerOrder) -> None:
        order = session.get_one(Order, part.order_id)
        bank_transfer.confirm_by_hand(session, order, part, evidence="thấy", actor=SELLER, now=late)

    def expire(session: Session, part: SellerOrder) -> None:
        cancellations.expire(session, part, now=late)

    def race(verb: Act) -> None:
        for part_id in part_ids:
            ready.wait()
            try:
                with database.transaction() as session:
                    verb(session, session.get_one(SellerOrder, part_id))
            except TooLate:
                continue
            except Exception as error:  # noqa: BLE001 - the test looks at it
                raised.append(error)

    threads = [threading.Thread(target=race, args=(verb,)) for verb in (pay, expire)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert raised == []
    with database.reading() as session:
        assert audit.find_faults(session) == []
        assert Counter(session.scalars(select(SellerOrder.state))) == {
            SellerOrderState.TO_CONFIRM: RACES
        }
        assert all(row.captured == row.amount for row in session.scalars(select(Payment)))
        for part_id in part_ids:
            told = set(
                session.scalars(
                    select(OrderEvent.verb).where(OrderEvent.seller_order_id == part_id)
                )
            )
            # Paid in time, or ran out and came back to life with the late money; never both.
            assert told - {Verb.PLACE} in ({Verb.PAY}, {Verb.EXPIRE, Verb.REVIVE})
