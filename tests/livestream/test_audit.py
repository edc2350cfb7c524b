"""`flask audit` knows live claims too: silent on a right show, loud on every planted fault."""

import json

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import Database
from livestream.audit import find_faults
from shop.audit import find_faults as find_shop_faults
from tests.factories import a_show, a_variant, an_item, later
from tests.livestream.test_shows import a_comment, say
from tests.shop.selling import an_order

PLANTED = {
    "what a show holds is the sum of its claims": "UPDATE live_item SET held = held + 1",
    "a claim holds what it says": "UPDATE live_claim SET state = 'released' WHERE state = 'held'",
    "every hold has one owner": "DELETE FROM line_hold",
}


def a_busy_show(session: Session) -> None:
    an_order(session, (a_variant(session), 2))
    show = a_show(session)
    an_item(session, show, "A1", in_stock=5)
    say(session, show, a_comment("A1 4", user="first"))
    say(session, show, a_comment("A1 3", user="second"))
    say(session, show, a_comment("bỏ 1 A1", user="first", at=later(minutes=2)))
    session.flush()


def test_a_right_show_has_no_faults(session: Session) -> None:
    a_busy_show(session)

    assert find_faults(session) == []
    assert find_shop_faults(session) == []


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_fault_is_found(session: Session, rule: str) -> None:
    a_busy_show(session)
    session.execute(text("UPDATE live_item SET cap = cap + 1"))
    session.execute(text(PLANTED[rule]))
    session.expire_all()

    assert rule in {fault.rule for fault in find_faults(session)}


def test_the_command_proves_the_shows_too(app: Flask, database: Database) -> None:
    run = app.test_cli_runner().invoke
    with database.transaction() as session:
        a_busy_show(session)
    clean = run(args=["audit", "--json"])
    with database.transaction() as session:
        session.execute(text("UPDATE live_claim SET quantity = quantity + 1 WHERE state = 'held'"))
    broken = run(args=["audit", "--json"])

    assert (clean.exit_code, json.loads(clean.stdout)) == (0, {"ok": True, "faults": []})
    assert broken.exit_code == 1
