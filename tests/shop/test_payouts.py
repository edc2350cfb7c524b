"""Nobody pays out more than is owed, or corrects an account, alone; a statement tells it all."""

import csv
import io
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy.orm import Session

from accounts.audit import Actor
from accounts.users import Role
from catalog.producers import Producer
from core.db import Database
from core.money import ZERO, Money
from shop import commissions, ledger, payouts, statements
from shop.commissions import BadRate, parse_percent
from shop.ledger import Kind
from shop.ledger_audit import find_faults
from shop.payouts import BadAmount, DoneAlready, NoNote, PayoutKind, PayoutState, SameName
from shop.statements import Month
from tests.conftest import NOON
from tests.factories import a_producer, a_user, later
from tests.shop.selling import at_once


def staff(session: Session, name: str) -> Actor:
    """A person of the staff."""
    return Actor(a_user(session, role=Role.STAFF, name=name).id, name)


def owed(session: Session, amount: int = 500_000, *, at: datetime = NOON) -> Producer:
    """A producer to whom the shop owes so much."""
    producer = a_producer(session)
    post(session, producer, amount, at=at)
    return producer


def post(
    session: Session,
    producer: Producer,
    amount: int,
    *,
    at: datetime = NOON,
    note: str | None = None,
    number: int = 1,
) -> None:
    """An entry for a fee the shop paid, or its like."""
    ledger.write(
        session, producer.id, Kind.CARRIER_FEE, Money(amount),
        source=f"test:{producer.id}:{number}", note=note, now=at,
    )  # fmt: skip


def test_what_is_owed_is_paid_out_under_one_name(session: Session) -> None:
    producer = owed(session)

    payout = payouts.write(
        session, producer, PayoutKind.PAID, Money(500_000),
        note="FT26330", actor=staff(session, "An"), now=NOON,
    )  # fmt: skip

    assert payout.state is PayoutState.WRITTEN
    assert ledger.balance_of(session, producer.id) == ZERO
    assert find_faults(session) == []


def test_more_than_is_owed_waits_for_a_second_name(session: Session) -> None:
    producer = owed(session)
    an, binh = staff(session, "An"), staff(session, "Bình")

    payout = payouts.write(
        session, producer, PayoutKind.PAID, Money(500_001), note="FT26330", actor=an, now=NOON
    )
    before = ledger.balance_of(session, producer.id)
    with pytest.raises(SameName):
        payouts.confirm(session, payout, actor=an, now=NOON)
    payouts.confirm(session, payout, actor=binh, now=NOON)

    assert (before, ledger.balance_of(session, producer.id)) == (Money(500_000), Money(-1))
    assert (payout.by_name, payout.second_name) == ("An", "Bình")
    with pytest.raises(DoneAlready):
        payouts.confirm(session, payout, actor=binh, now=NOON)
    assert find_faults(session) == []


def test_what_a_producer_owes_it_can_pay(session: Session) -> None:
    producer = owed(session, -30_000)

    payouts.write(
        session, producer, PayoutKind.RECEIVED, Money(30_000),
        note="FT26331", actor=staff(session, "An"), now=NOON,
    )  # fmt: skip

    assert ledger.balance_of(session, producer.id) == ZERO


@pytest.mark.parametrize("amount", [20_000, -20_000])
def test_a_correction_always_has_two_names(session: Session, amount: int) -> None:
    producer = owed(session)

    payout = payouts.write(
        session, producer, PayoutKind.ADJUSTMENT, Money(amount),
        note="cước tính sai", actor=staff(session, "An"), now=NOON,
    )  # fmt: skip

    assert payout.state is PayoutState.WAITING
    assert [waiting.id for waiting, _producer in payouts.list_waiting(session)] == [payout.id]
    payouts.confirm(session, payout, actor=staff(session, "Bình"), now=NOON)
    assert ledger.balance_of(session, producer.id) == Money(500_000 + amount)
    assert find_faults(session) == []


def test_what_was_dropped_is_never_written(session: Session) -> None:
    producer = owed(session)
    an, binh = staff(session, "An"), staff(session, "Bình")
    payout = payouts.write(
        session, producer, PayoutKind.ADJUSTMENT, Money(1), note="thử", actor=an, now=NOON
    )

    payouts.drop(session, payout, actor=an, now=NOON)

    with pytest.raises(DoneAlready):
        payouts.confirm(session, payout, actor=binh, now=NOON)
    assert ledger.balance_of(session, producer.id) == Money(500_000)


@pytest.mark.parametrize(
    ("kind", "amount"),
    [(PayoutKind.PAID, 0), (PayoutKind.PAID, -5), (PayoutKind.ADJUSTMENT, 0)],
)
def test_nothing_is_no_amount(session: Session, kind: PayoutKind, amount: int) -> None:
    with pytest.raises(BadAmount):
        payouts.write(
            session, owed(session), kind, Money(amount),
            note="FT", actor=staff(session, "An"), now=NOON,
        )  # fmt: skip


def test_money_without_a_reference_is_refused(session: Session) -> None:
    with pytest.raises(NoNote):
        payouts.write(
            session, owed(session), PayoutKind.PAID, Money(1),
            note="  ", actor=staff(session, "An"), now=NOON,
        )  # fmt: skip


def test_two_people_at_once_pay_out_once(database: Database) -> None:
    with database.transaction() as session:
        producer_id = owed(session).id
        people = [staff(session, f"NV {number}") for number in range(8)]

    def pay_out(session: Session, actor: Actor) -> PayoutState:
        return payouts.write(
            session, session.get_one(Producer, producer_id), PayoutKind.PAID, Money(500_000),
            note="FT26330", actor=actor, now=NOON,
        ).state  # fmt: skip

    states = at_once(database, [partial(pay_out, actor=actor) for actor in people])

    assert states.count(PayoutState.WRITTEN) == 1
    assert states.count(PayoutState.WAITING) == 7
    with database.reading() as session:
        assert ledger.balance_of(session, producer_id) == ZERO
        assert find_faults(session) == []


def test_a_planted_payout_is_found(session: Session) -> None:
    producer = owed(session)
    payouts.write(
        session, producer, PayoutKind.PAID, Money(1),
        note="FT", actor=staff(session, "An"), now=NOON,
    )  # fmt: skip
    ledger.write(
        session, producer.id, Kind.PAYOUT, Money(-7), source="payout:99", note=None, now=NOON
    )

    assert [finding.rule for finding in find_faults(session)] == [
        "acts of people stand in the account"
    ]


def test_a_month_begins_and_ends_in_vietnam(session: Session) -> None:
    producer = a_producer(session)
    edges = [
        datetime(2026, 10, 31, 16, 59, 59, tzinfo=UTC),
        datetime(2026, 10, 31, 17, 0, tzinfo=UTC),
        datetime(2026, 11, 30, 16, 59, 59, tzinfo=UTC),
        datetime(2026, 11, 30, 17, 0, tzinfo=UTC),
    ]
    for number, moment in enumerate(edges):
        post(session, producer, 10**number, at=moment, number=number)

    november = statements.read(session, producer.id, Month(2026, 11))

    assert (november.opening, november.closing) == (Money(1), Money(111))
    assert [row.balance for row in november.rows] == [Money(11), Money(111)]


def test_pages_of_a_month_go_on_with_the_balance(session: Session) -> None:
    producer = a_producer(session)
    for number in range(7):
        post(session, producer, number + 1, number=number)

    balances, after = [], None
    while True:
        page = statements.read(session, producer.id, Month(2026, 11), after=after, limit=3)
        balances += [row.balance.dong for row in page.rows]
        after = page.next_after
        if after is None:
            break

    assert balances == [1, 3, 6, 10, 15, 21, 28]
    assert page.closing == Money(28)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("2026-02", "2026-02"), ("2026-13", "2026-11"), ("nay", "2026-11"), (None, "2026-11")],
)
def test_any_other_month_is_the_present_one(typed: str | None, expected: str) -> None:
    assert str(statements.read_month(typed, now=NOON)) == expected


def test_years_turn() -> None:
    assert (str(Month(2026, 12).next), str(Month(2026, 1).before)) == ("2027-01", "2025-12")


def test_the_file_opens_in_a_spreadsheet_and_runs_nothing(database: Database) -> None:
    with database.transaction() as session:
        producer = a_producer(session)
        post(session, producer, -500, note='=HYPERLINK("http://x")', number=1)
        post(session, producer, 700, note="@nháy", number=2)
        producer_id = producer.id

    data = b"".join(
        statements.write_csv(
            database,
            producer_id,
            Month(2026, 11),
            heads=["Ngày", "Khoản", "Đơn", "Ghi chú", "Số tiền", "Số dư"],
            names={kind: kind.value for kind in Kind},
        )
    )

    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert [row[3:] for row in rows] == [
        ["Ghi chú", "Số tiền", "Số dư"],
        ['\'=HYPERLINK("http://x")', "-500", "-500"],
        ["'@nháy", "700", "200"],
    ]


def test_staff_see_who_is_owed_and_who_owes(session: Session) -> None:
    first, second = owed(session, 500), owed(session, -200)

    balances = statements.list_balances(session, after=0, limit=9)

    assert [(producer.id, balance) for producer, balance in balances] == [
        (first.id, Money(500)),
        (second.id, Money(-200)),
    ]
    assert statements.sum_of_all(session) == (Money(500), Money(200))


@pytest.mark.parametrize(
    ("typed", "rate"), [("0", 0), ("2,5", 250), ("2.5 %", 250), ("12,05%", 1205), ("30", 3000)]
)
def test_a_rate_is_read_as_people_write_it(typed: str, rate: int) -> None:
    assert parse_percent(typed) == rate


@pytest.mark.parametrize("typed", ["", "-1", "30,01", "100", "2,555", "năm", "٣"])
def test_a_rate_that_is_none_is_refused(typed: str) -> None:
    with pytest.raises(BadRate):
        parse_percent(typed)


def test_a_rate_counts_from_its_moment_never_before_it_was_set(session: Session) -> None:
    producer = a_producer(session)
    an = staff(session, "An")
    commissions.set_rate(session, producer, 250, valid_from=NOON, actor=an, now=later(hours=1))
    commissions.set_rate(
        session, producer, 500, valid_from=later(days=1), actor=an, now=later(hours=2)
    )

    rates = [
        commissions.rates_at(session, [producer.id], now=later(hours=hours))[producer.id]
        for hours in (0, 1, 23, 24)
    ]

    assert rates == [0, 250, 250, 500]
