"""Who watches accounts, spoken to over real HTTP: lost, doubled, disordered and broken news."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.serving import make_server

from accounts.audit import SYSTEM
from core import outgoing
from core.clock import utc_now
from core.db import Database
from core.money import Money
from core.outgoing import NoAnswer
from core.settings import Settings
from core.tasks import Hopeless, Task, Work
from demo.standins.banks import API_TOKEN, BankStandIn, Hook
from shop import bank_audit, connections
from shop.audit import find_faults
from shop.payments import bank_batches, bank_refetch
from shop.payments.bank_rows import BankState, BankTxn
from shop.payments.notices import Direction
from shop.payments.payments import Payment
from tests.conftest import SECRET
from tests.shop.bank_money import ACCOUNT, a_row, an_unpaid

KEY = "khoa"
KEYS = {
    "sepay": {"hmac_secret": KEY, "api_token": API_TOKEN},
    "casso": {"checksum_key": KEY, "api_key": API_TOKEN},
    "payos": {"checksum_key": KEY, "client_id": "c1", "api_key": API_TOKEN},
}


@pytest.fixture(autouse=True)
def well() -> Iterator[None]:
    """Let no test inherit a breaker from another."""
    outgoing._breakers.clear()
    yield
    outgoing._breakers.clear()


@pytest.fixture
def bank() -> Iterator[BankStandIn]:
    with BankStandIn() as bank:
        yield bank


def connect(database: Database, producer_id: int, provider: str) -> tuple[int, str]:
    """A connection of the producer; its number and its token."""
    with database.transaction() as session:
        made = connections.open_new(
            session, producer_id, provider, KEYS[provider],
            secrets=[SECRET], actor=SYSTEM, now=utc_now(),
        )  # fmt: skip
        return made.id, str(connections.token_of(made, [SECRET]))


def an_awaited(database: Database) -> tuple[int, int, str]:
    """A producer, a payment it awaits, and the payment's memo."""
    with database.transaction() as session:
        _order, part, payment = an_unpaid(session, now=utc_now())
        return part.producer_id, payment.id, str(payment.memo)


def work_for(database: Database, settings: Settings, bank: BankStandIn, connection_id: int) -> Work:
    here = {
        "SEPAY_API_BASE": bank.url,
        "CASSO_API_BASE": bank.url,
        "PAYOS_API_BASE": bank.url,
    }
    changed = Settings(
        **{**{name: getattr(settings, name) for name in Settings.__dataclass_fields__}, **here}
    )
    return Work(
        1,
        "bank.refetch",
        {"connection_id": connection_id},
        1,
        database,
        changed,
        None,  # type: ignore[arg-type]
    )


def captured(database: Database, payment_id: int) -> Money:
    with database.reading() as session:
        assert find_faults(session) == []
        assert bank_audit.find_faults(session) == []
        return session.get_one(Payment, payment_id).captured


def rows_in(database: Database) -> int:
    with database.reading() as session:
        return int(session.scalar(select(func.count()).select_from(BankTxn)) or 0)


@pytest.mark.parametrize("provider", ["sepay", "casso"])
def test_a_message_that_was_lost_is_caught_at_night(
    database: Database, settings: Settings, bank: BankStandIn, provider: str
) -> None:
    producer_id, payment_id, memo = an_awaited(database)
    connection_id, _token = connect(database, producer_id, provider)
    bank.move(165_000, f"CT DEN {memo}", account=ACCOUNT)
    bank.move(9_000, "phi", account=ACCOUNT, coming_in=False)

    for _night in range(2):
        bank_refetch.refetch(work_for(database, settings, bank, connection_id))

    assert captured(database, payment_id) == Money(165_000)
    assert rows_in(database) == 2


def test_a_statement_after_the_messages_brings_only_what_they_did_not_tell(
    database: Database,
) -> None:
    producer_id, payment_id, memo = an_awaited(database)
    now = utc_now()
    told = [a_row(f"ck {memo}", number="1", at=now), a_row("tien le", 5_000, "2", at=now)]
    written = [
        replace(row, provider="statement", txn_id=f"s{row.txn_id}", reference=f"50 {row.txn_id}")
        for row in told
    ]
    written += [
        replace(written[1], txn_id="s3", reference="50 3"),
        replace(written[1], txn_id="s4", memo="phi", direction=Direction.OUT),
    ]

    bank_batches.take_all(database, told, producer_id=producer_id, now=now)
    first = bank_batches.take_all(database, written, producer_id=producer_id, now=now)
    again = bank_batches.take_all(database, written, producer_id=producer_id, now=now)

    assert (first.new, first.matched, first.waiting) == (4, 0, 1)
    assert (again.new, again.seen) == (0, 4)
    assert captured(database, payment_id) == Money(165_000)


def test_many_pages_are_read_to_the_end(
    database: Database, settings: Settings, bank: BankStandIn
) -> None:
    producer_id, _payment_id, _memo = an_awaited(database)
    connection_id, _token = connect(database, producer_id, "casso")
    for number in range(230):
        bank.move(1_000 + number, f"tien {number}", account=ACCOUNT)

    bank_refetch.refetch(work_for(database, settings, bank, connection_id))

    assert rows_in(database) == 230


@pytest.mark.parametrize("illness", [{"status": 500}, {"garbage": True}, {"hang_up": True}])
def test_a_service_that_is_ill_is_asked_again_later(
    database: Database, settings: Settings, bank: BankStandIn, illness: dict[str, object]
) -> None:
    producer_id, payment_id, memo = an_awaited(database)
    connection_id, _token = connect(database, producer_id, "sepay")
    bank.move(165_000, memo, account=ACCOUNT)
    work = work_for(database, settings, bank, connection_id)

    bank.ail(**illness)
    with pytest.raises(NoAnswer):
        bank_refetch.refetch(work)
    bank.ail()
    bank_refetch.refetch(work)

    assert captured(database, payment_id) == Money(165_000)


def test_a_key_the_service_does_not_accept_waits_for_a_person(
    database: Database, settings: Settings, bank: BankStandIn
) -> None:
    producer_id, _payment_id, _memo = an_awaited(database)
    with database.transaction() as session:
        keys = {**KEYS["sepay"], "api_token": "wrong"}
        made = connections.open_new(
            session, producer_id, "sepay", keys, secrets=[SECRET], actor=SYSTEM, now=utc_now()
        )
        connection_id = made.id

    with pytest.raises(Hopeless):
        bank_refetch.refetch(work_for(database, settings, bank, connection_id))


def test_every_connection_is_asked_once_a_day_and_a_shut_one_not_at_all(
    database: Database, settings: Settings, bank: BankStandIn
) -> None:
    producer_id, _payment_id, _memo = an_awaited(database)
    connection_id, _token = connect(database, producer_id, "sepay")
    for _time in range(3):
        bank_refetch.ask_all(database, utc_now())
    with database.transaction() as session:
        asked = session.scalars(select(Task).where(Task.kind == "bank.refetch")).all()
        assert [task.payload["connection_id"] for task in asked] == [connection_id]
        one = connections.get(session, producer_id, connection_id)
        connections.revoke(session, one, actor=SYSTEM, now=utc_now())

    bank_refetch.refetch(work_for(database, settings, bank, connection_id))

    assert bank.asked == []


def test_payos_is_told_our_address_once_its_keys_are_here(
    database: Database, settings: Settings, bank: BankStandIn
) -> None:
    producer_id, _payment_id, _memo = an_awaited(database)
    connection_id, token = connect(database, producer_id, "payos")
    with database.reading() as session:
        waiting = session.scalars(select(Task).where(Task.kind == "bank.register")).one()

    bank_refetch.register(work_for(database, settings, bank, waiting.payload["connection_id"]))

    assert bank.kept.registered == [f"http://localhost/webhooks/payos/{token}"]
    bank.ail(status=400)
    with pytest.raises(Hopeless):
        bank_refetch.register(work_for(database, settings, bank, connection_id))


@pytest.fixture
def served(app: Flask) -> Iterator[str]:
    """The shop on a real port."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_three_services_doubled_and_in_disorder_pay_each_order_once(
    database: Database, bank: BankStandIn, served: str
) -> None:
    awaited = []
    for number in range(4):
        with database.transaction() as session:
            _order, part, payment = an_unpaid(session, now=utc_now(), phone=f"091234567{number}")
            awaited.append((part.producer_id, payment.id, str(payment.memo)))
    for producer_id, _payment_id, memo in awaited:
        for provider in KEYS:
            _id, token = connect(database, producer_id, provider)
            bank.hooks[provider] = Hook(f"{served}/webhooks/{provider}/{token}", KEY)
        bank.sending.duplicates, bank.sending.disorder = 3, True
        halves = [bank.move(amount, f"ck {memo}", account=ACCOUNT) for amount in (65_000, 100_000)]
        for provider in KEYS:
            bank.tell(halves, by=provider)

    assert set(bank.kept.answered) == {200}
    for _producer_id, payment_id, _memo in awaited:
        assert captured(database, payment_id) == Money(165_000)
    assert rows_in(database) == 8


def test_a_forged_call_over_the_wire_is_refused(
    database: Database, bank: BankStandIn, served: str
) -> None:
    producer_id, payment_id, memo = an_awaited(database)
    for provider in KEYS:
        _id, token = connect(database, producer_id, provider)
        bank.hooks[provider] = Hook(f"{served}/webhooks/{provider}/{token}", KEY)
        movement = bank.move(165_000, memo, account=ACCOUNT)

        assert bank.call(movement, by=provider, key="another") == 400

    assert captured(database, payment_id) == Money(0)
    assert rows_in(database) == 0


def test_money_to_the_operator_pays_the_whole_order(
    database: Database, bank: BankStandIn, served: str
) -> None:
    from shop.payments import payments  # noqa: PLC0415
    from shop.selling import Account, Selling, SellingMode  # noqa: PLC0415
    from tests.factories import a_variant  # noqa: PLC0415
    from tests.shop.selling import a_cart, place  # noqa: PLC0415

    own = Account("970436", "5550001112223", "HTX SAN")
    with database.transaction() as session:
        cart = a_cart(session, (a_variant(session), 1), (a_variant(session), 1), now=utc_now())
        order = place(
            session, cart.id, now=utc_now(), payment_method="bank_transfer",
            selling=Selling(SellingMode.DIRECT, own),
        )  # fmt: skip
        [payment] = payments.list_all_of_order(session, order.id)
        payment_id, memo, amount = payment.id, str(payment.memo), payment.amount
        made = connections.open_new(
            session, None, "sepay", KEYS["sepay"], secrets=[SECRET], actor=SYSTEM, now=utc_now()
        )
        token = connections.token_of(made, [SECRET])
    bank.hooks["sepay"] = Hook(f"{served}/webhooks/sepay/{token}", KEY)

    bank.tell([bank.move(amount.dong, memo, account=own.number)], by="sepay")

    assert captured(database, payment_id) == amount
    with database.reading() as session:
        assert session.scalars(select(BankTxn.state)).one() is BankState.MATCHED
        assert {part.state for part in payments.list_paid_parts(session, payment)} == {"to_confirm"}
