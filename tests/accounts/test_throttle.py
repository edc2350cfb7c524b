"""Counters of tries: they refuse in time, forget in time, and hold no address."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import throttle
from accounts.throttle import AccountLocked, LoginTry, TooManyTries, TryCounter
from core.db import Database
from tests.conftest import NOON, SECRET

HERE = LoginTry("an", "net-1")


def refused(session: Session, attempt: LoginTry, now: datetime) -> TooManyTries:
    """The refusal of a try; as in a request, what it counted is rolled back."""
    with pytest.raises(TooManyTries) as refusal:
        with session.begin_nested():
            throttle.begin_login(session, attempt, now=now)
    return refusal.value


def fail(session: Session, attempt: LoginTry, *, times: int, seconds_apart: int = 0) -> None:
    for n in range(times):
        throttle.begin_login(session, attempt, now=NOON + timedelta(seconds=n * seconds_apart))


def test_what_is_allowed_so_often_is_refused_once_more_and_allowed_later(session: Session) -> None:
    for _ in range(5):
        throttle.allow(session, "lookup:x", limit=5, seconds=900, now=NOON)

    with pytest.raises(TooManyTries) as refusal:
        throttle.allow(session, "lookup:x", limit=5, seconds=900, now=NOON + timedelta(minutes=1))
    throttle.allow(session, "lookup:y", limit=5, seconds=900, now=NOON)
    throttle.allow(session, "lookup:x", limit=5, seconds=900, now=NOON + timedelta(minutes=15))

    assert refusal.value.retry_after == 14 * 60


def test_after_five_wrong_passwords_each_next_wait_is_twice_as_long(session: Session) -> None:
    fail(session, HERE, times=5)
    waits, now = [], NOON
    for _ in range(3):
        waits.append(refused(session, HERE, now).retry_after)
        now += timedelta(seconds=waits[-1])
        throttle.begin_login(session, HERE, now=now)

    assert waits == [2, 4, 8]


def test_the_wait_ends_at_fifteen_minutes(session: Session) -> None:
    session.add(TryCounter(key=HERE.own_key, count=70, window_ends_at=NOON + timedelta(minutes=1)))
    session.flush()
    throttle.begin_login(session, HERE, now=NOON)

    assert refused(session, HERE, NOON).retry_after == 15 * 60


def test_five_minutes_of_quiet_give_five_tries_again(session: Session) -> None:
    fail(session, HERE, times=4)

    for _ in range(4):
        throttle.begin_login(session, HERE, now=NOON + timedelta(minutes=5))


def test_one_network_may_try_ten_passwords_in_five_minutes(session: Session) -> None:
    for n in range(10):
        throttle.begin_login(session, LoginTry(f"account {n}", "net-1"), now=NOON)

    with pytest.raises(TooManyTries):
        throttle.begin_login(session, LoginTry("account 11", "net-1"), now=NOON)
    throttle.begin_login(session, LoginTry("account 11", "net-2"), now=NOON)


def test_everyone_together_may_try_a_thousand(session: Session) -> None:
    session.add(
        TryCounter(key=throttle.EVERYONE, count=1_000, window_ends_at=NOON + timedelta(minutes=1))
    )
    session.flush()

    with pytest.raises(TooManyTries):
        throttle.begin_login(session, HERE, now=NOON)
    throttle.begin_login(session, LoginTry("an", "net-1", known_device="may"), now=NOON)


def test_a_hundred_wrong_in_a_row_lock_the_account_until_it_has_a_new_password(
    session: Session,
) -> None:
    for n in range(100):
        throttle.begin_login(session, LoginTry("an", f"net-{n}"), now=NOON)

    with pytest.raises(AccountLocked):
        throttle.begin_login(session, LoginTry("an", "net-x"), now=NOON + timedelta(days=300))
    throttle.unlock_account(session, "an")
    throttle.begin_login(session, LoginTry("an", "net-x"), now=NOON + timedelta(days=300))


def test_the_owners_device_is_not_locked_out_by_a_stranger(session: Session) -> None:
    session.add(
        TryCounter(key=HERE.account_key, count=100, window_ends_at=NOON + timedelta(days=1))
    )
    session.flush()

    throttle.begin_login(session, LoginTry("an", "net-1", known_device="may"), now=NOON)

    with pytest.raises(AccountLocked):
        throttle.begin_login(session, HERE, now=NOON)


def test_a_right_password_clears_what_was_counted(session: Session) -> None:
    fail(session, HERE, times=4)

    throttle.forgive_login(session, HERE)

    session.expire_all()
    left = {row.key: row.count for row in session.scalars(select(TryCounter))}
    assert left == {throttle.EVERYONE: 3, HERE.network_key: 3}


def test_addresses_of_one_network_are_one_and_none_can_be_read_back() -> None:
    def net(address: str | None) -> str:
        return throttle.network_of(SECRET, address)

    assert net("203.0.113.7") == net("203.0.113.250") == net("::ffff:203.0.113.9")
    assert net("203.0.113.7") != net("203.0.114.7")
    assert net("2001:db8:1:100::1") == net("2001:db8:1:1ff:ffff::9")
    assert net("2001:db8:1:100::1") != net("2001:db8:1:200::1")
    assert net(None) == net("not an address")
    assert "203.0.113" not in net("203.0.113.7")
    assert net("203.0.113.7") != throttle.network_of("another secret", "203.0.113.7")


def test_a_hundred_tries_at_once_do_not_slip_through(database: Database) -> None:
    passed, refused = [], []

    def attempt() -> None:
        try:
            with database.transaction() as session:
                throttle.begin_login(session, HERE, now=NOON)
            passed.append(1)
        except TooManyTries:
            refused.append(1)

    crowd = [threading.Thread(target=attempt) for _ in range(20)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    assert (len(passed), len(refused)) == (5, 15)


def test_old_counters_are_forgotten(session: Session) -> None:
    throttle.allow(session, "old", limit=1, seconds=60, now=NOON)
    throttle.allow(session, "new", limit=1, seconds=600, now=NOON)

    throttle.forget_old(session, now=NOON + timedelta(minutes=2))

    assert session.scalars(select(TryCounter.key)).all() == ["new"]
