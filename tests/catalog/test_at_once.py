"""Two people press the same button at the same moment: one is first, nobody sees an error page."""

import threading
import time
from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM, Act
from catalog import lots, members
from catalog.lots import Lot, LotCodeTaken
from catalog.members import Member
from core.db import Database
from tests.conftest import NOON
from tests.factories import a_producer, a_user, a_variant

Verb = Callable[[Session], object]


def second_while_first_is_not_kept(database: Database, verb: Verb) -> list[Exception]:
    """Do `verb` twice, the second time before the first is kept; return what the second raised."""
    raised: list[Exception] = []

    def second() -> None:
        try:
            with database.transaction() as session:
                verb(session)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)

    late = threading.Thread(target=second)
    with database.transaction() as session:
        verb(session)
        late.start()
        time.sleep(0.3)
    late.join()
    return raised


def test_a_lot_code_written_by_two_at_once_is_taken_for_the_second(database: Database) -> None:
    with database.transaction() as session:
        honey = a_variant(session).id

    raised = second_while_first_is_not_kept(
        database,
        lambda session: lots.open_lot(
            session, honey, code="L1", produced_on=None, expires_on=None, quantity=1, now=NOON
        ),
    )

    assert [type(error) for error in raised] == [LotCodeTaken]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Lot)) == 1


def test_a_person_added_by_two_at_once_is_one_person_and_one_act(database: Database) -> None:
    with database.transaction() as session:
        place, lan = a_producer(session), a_user(session)

    raised = second_while_first_is_not_kept(
        database, lambda session: members.add(session, place, lan, actor=SYSTEM, now=NOON)
    )

    assert raised == []
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Member)) == 1
        assert session.scalar(select(func.count()).select_from(Act)) == 1
