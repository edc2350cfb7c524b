"""The log only grows; what stands in it can be proven, and what was changed in it is named."""

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from core.db import Database
from tests.conftest import NOON
from tests.shop.selling import at_once
from traceability import log, merkle
from traceability.log import LogEntry, LogNode, NoSuchEntry


def entries(*numbers: int) -> list[str]:
    return [f"sự kiện {number}" for number in numbers]


def test_an_empty_log_has_the_root_of_nothing(session: Session) -> None:
    assert log.head(session) == log.Head(0, merkle.EMPTY_ROOT)
    assert list(log.find_faults(session)) == []


def test_entries_are_added_at_the_end_however_they_come(session: Session) -> None:
    firsts = [log.append(session, entries(*batch), now=NOON) for batch in ([0], [1, 2], [3])]

    assert firsts == [0, 1, 3]
    assert [log.get_entry(session, number).entry for number in range(4)] == entries(0, 1, 2, 3)
    assert log.get_entry(session, 2).entry == "sự kiện 2"


def test_every_entry_and_every_older_log_is_proven(session: Session) -> None:
    log.append(session, entries(*range(21)), now=NOON)
    root = log.head(session).root

    for position in range(21):
        leaf = merkle.leaf_hash(f"sự kiện {position}".encode())
        proof = log.inclusion_proof(session, position, 21)
        assert merkle.verify_inclusion(leaf, position, 21, proof, root)
    for old in range(1, 22):
        proof = log.consistency_proof(session, old, 21)
        assert merkle.verify_consistency(old, 21, log.root_at(session, old), root, proof)


def test_a_proof_takes_as_few_questions_for_a_long_log_as_for_a_short_one(
    session: Session,
) -> None:
    log.append(session, entries(*range(3_000)), now=NOON)
    session.expire_all()

    proof = log.inclusion_proof(session, 1_234, 3_000)

    leaf = merkle.leaf_hash(b"s\xe1\xbb\xb1 ki\xe1\xbb\x87n 1234")
    assert merkle.verify_inclusion(leaf, 1_234, 3_000, proof, log.head(session).root)
    assert list(log.find_faults(session)) == []


def test_what_is_beyond_the_end_is_not_proven(session: Session) -> None:
    log.append(session, entries(0), now=NOON)

    for ask in (
        lambda: log.inclusion_proof(session, 1, 1),
        lambda: log.inclusion_proof(session, 0, 2),
        lambda: log.consistency_proof(session, 0, 1),
        lambda: log.consistency_proof(session, 1, 2),
        lambda: log.root_at(session, 2),
        lambda: log.get_entry(session, 1),
    ):
        with pytest.raises(NoSuchEntry):
            ask()


def test_a_changed_entry_is_named(session: Session) -> None:
    log.append(session, entries(*range(5)), now=NOON)
    session.execute(update(LogEntry).where(LogEntry.position == 3).values(entry="sửa"))
    session.expire_all()

    assert list(log.find_faults(session)) == ["log entry 3: its text is not the one that was added"]


def test_an_entry_rewritten_with_its_hash_still_breaks_the_root(session: Session) -> None:
    log.append(session, entries(*range(5)), now=NOON)
    forged = {"entry": "sửa", "leaf": merkle.leaf_hash("sửa".encode())}
    session.execute(update(LogEntry).where(LogEntry.position == 3).values(**forged))
    session.expire_all()

    assert list(log.find_faults(session)) == [
        "log: the root of the entries is not the one of the head"
    ]


def test_a_missing_entry_is_named(session: Session) -> None:
    log.append(session, entries(*range(5)), now=NOON)
    session.execute(text("DELETE FROM log_entry WHERE position = 2"))
    session.expire_all()

    assert list(log.find_faults(session)) == ["log entry 2: is missing"]


def test_writers_at_once_leave_one_log_without_gaps(database: Database) -> None:
    with database.transaction() as session:
        log.append(session, entries(0), now=NOON)

    results = at_once(
        database,
        [lambda session, n=n: log.append(session, entries(n, n), now=NOON) for n in range(8)],
    )

    assert sorted(results) == list(range(1, 17, 2))
    with database.reading() as session:
        assert log.head(session).size == 17
        assert session.query(LogNode).count() == 1
        assert list(log.find_faults(session)) == []
