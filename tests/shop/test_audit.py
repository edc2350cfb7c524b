"""The audit is silent on a right shop and finds every fault planted in it."""

import json

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import Database
from shop.audit import find_faults
from shop.payments import bank_transfer, vietqr
from tests.conftest import NOON
from tests.factories import a_variant
from tests.shop.selling import SELLER, an_order, only_part

PLANTED = {
    "reserved is the sum of holds": "UPDATE stock_item SET reserved = reserved - 1 WHERE id = 1",
    "on hand is the sum of movements": "UPDATE stock_item SET on_hand = on_hand + 1 WHERE id = 1",
    "holds fit the states": "UPDATE reservation SET state = 'released' WHERE id = 1",
    "totals add up": (
        "UPDATE seller_order SET total = total + 1, items_total = items_total + 1 WHERE id = 1"
    ),
    "what was to be paid first is paid": (
        "UPDATE payment SET state = 'awaiting', captured = 0 WHERE method = 'bank_transfer'"
    ),
    "money of ended parts goes back": "UPDATE seller_order SET state = 'cancelled' WHERE id = 2",
    "one cart, one order": "UPDATE cart SET state = 'open' WHERE id = 1",
    "history tells the state": "UPDATE seller_order SET state = 'preparing' WHERE id = 1",
    "an order follows its parts": "UPDATE customer_order SET state = 'expired' WHERE id = 1",
}


def a_busy_shop(session: Session) -> None:
    an_order(session, (a_variant(session, in_stock=5), 2))
    order = an_order(session, (a_variant(session, in_stock=5), 1), payment_method="bank_transfer")
    bank_transfer.confirm_by_hand(
        session, order, only_part(session, order), evidence="thấy", actor=SELLER, now=NOON
    )
    session.flush()


def test_a_right_shop_has_no_faults(session: Session) -> None:
    a_busy_shop(session)

    assert find_faults(session) == []


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_fault_is_found(session: Session, rule: str) -> None:
    a_busy_shop(session)
    session.execute(text(PLANTED[rule]))
    session.expire_all()

    assert rule in {fault.rule for fault in find_faults(session)}


def test_the_command_lists_faults_and_exits_with_one(app: Flask, database: Database) -> None:
    run = app.test_cli_runner().invoke
    with database.transaction() as session:
        a_busy_shop(session)
    clean = run(args=["audit", "--json"])
    with database.transaction() as session:
        session.execute(text(PLANTED["totals add up"]))
    broken = run(args=["audit", "--json"])

    assert (clean.exit_code, json.loads(clean.stdout)) == (0, {"ok": True, "faults": []})
    assert broken.exit_code == 1
    assert json.loads(broken.stdout)["faults"][0]["rule"] == "totals add up"


def test_vietqr_is_built_and_read_by_hand(app: Flask) -> None:
    run = app.test_cli_runner().invoke
    built = run(
        args=["pay", "vietqr", "--bin", "970403", "--account", "0011012345678",
              "--amount", "180000", "--memo", "OC23456789"]
    )  # fmt: skip

    read = run(args=["pay", "vietqr-decode", built.stdout.strip()])

    assert vietqr.decode(built.stdout.strip()).memo == "OC23456789"
    said = json.loads(read.stdout)
    assert (said["bin"], said["account"], said["amount"]) == ("970403", "0011012345678", 180_000)


@pytest.mark.parametrize(
    "args",
    [
        ["vietqr", "--bin", "97", "--account", "0011012345678"],
        ["vietqr", "--bin", "970403", "--account", "0011012345678", "--amount", "0"],
        ["vietqr-decode", "00020101021138"],
        ["vietqr-decode", ""],
    ],
)
def test_what_is_no_vietqr_is_refused_with_one_and_a_reason(app: Flask, args: list[str]) -> None:
    refused = app.test_cli_runner().invoke(args=["pay", *args])

    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert refused.stderr.strip()
