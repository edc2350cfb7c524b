"""What the outside says is kept once, and its proof of who it is not at all."""

import threading

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import inbox, sealing
from core.db import Database
from core.inbox import InboxEvent, Outcome
from core.sealing import CannotUnseal
from tests.conftest import NOON

KEY, OLD_KEY, OTHER_KEY = "k" * 40, "o" * 40, "x" * 40


def taken(session: Session, event_id: str = "1", scope: str = "") -> InboxEvent | None:
    headers = {"X-Sign": "a", "Authorization": "Apikey 1", "Secure-Token": "b"}
    return inbox.take(
        session, "sepay", event_id, headers=headers, body=b"{}", now=NOON, scope=scope
    )


def test_an_event_is_kept_once(session: Session) -> None:
    first = taken(session)
    again = taken(session)

    assert first is not None
    assert first.body == b"{}"
    assert again is None


def test_two_connections_may_count_alike(session: Session) -> None:
    assert taken(session, scope="1") is not None
    assert taken(session, scope="2") is not None


def test_what_proves_the_sender_is_not_kept(session: Session) -> None:
    event = taken(session)

    assert event is not None
    assert event.headers == {"X-Sign": "a"}


def test_what_came_of_an_event_stands_beside_it(session: Session) -> None:
    event = taken(session)
    assert event is not None

    inbox.close(session, event, Outcome.FOREIGN, "another shop's")

    assert (event.outcome, event.why) == (Outcome.FOREIGN, "another shop's")
    assert list(inbox.list_newest(session, provider="sepay", limit=5)) == [event]


def test_of_many_that_bring_one_event_at_once_one_takes_it(database: Database) -> None:
    ready = threading.Barrier(8)
    results: list[bool] = []

    def bring() -> None:
        ready.wait()
        with database.transaction() as session:
            results.append(taken(session) is not None)

    threads = [threading.Thread(target=bring) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == [False] * 7 + [True]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(InboxEvent)) == 1


def test_an_event_whose_effect_failed_may_come_again(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as session:
            taken(session)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    with database.transaction() as session:
        assert taken(session) is not None


def test_what_is_sealed_opens_under_its_key_and_no_other() -> None:
    sealed = sealing.seal("khoá bí mật", [OLD_KEY])

    assert "mật" not in sealed
    assert sealing.unseal(sealed, [KEY, OLD_KEY]) == "khoá bí mật"
    with pytest.raises(CannotUnseal):
        sealing.unseal(sealed, [KEY, OTHER_KEY])
    with pytest.raises(CannotUnseal):
        sealing.unseal(sealed[:-4] + "AAA=", [OLD_KEY])
