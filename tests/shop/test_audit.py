"""The audit is silent on a right shop and finds every fault planted in it."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import Database
from shop import cancellations, fulfilment
from shop.audit import CHECKS, find_faults
from shop.payments import bank_transfer, vietqr
from tests.conftest import NOON
from tests.factories import a_variant
from tests.shop.selling import SELLER, an_order, only_part

# Each rule with a fault that breaks it. Part 1 waits for its producer's yes (cash), part 2 was paid
# by transfer and declined (its money went back), part 3 waits for its transfer, part 4 was sent.
PLANTED = {
    "nothing is sold twice": "UPDATE stock_item SET reserved = on_hand, on_hand = 0 WHERE id = 1",
    "reserved is the sum of holds": "UPDATE stock_item SET reserved = reserved - 1 WHERE id = 1",
    "on hand is the sum of movements": "UPDATE stock_item SET on_hand = on_hand + 1 WHERE id = 1",
    "holds fit the states": "UPDATE reservation SET state = 'released' WHERE id = 1",
    "what left was set aside": "UPDATE stock_movement SET delta = -2 WHERE why = 'shipped'",
    "only what was sent comes back": (
        "UPDATE order_line SET quantity_returned = 1 WHERE seller_order_id = 1"
    ),
    "one cart, one order": "UPDATE cart SET state = 'open' WHERE id = 1",
    "every move is in the table": (
        "UPDATE order_event SET from_state = 'pending' WHERE seller_order_id = 4 AND verb = 'ship'"
    ),
    "paid in time, or ran out": (
        "UPDATE order_event SET verb = 'expire' WHERE seller_order_id = 2 AND verb = 'decline'"
    ),
    "what waits has a clock": "UPDATE seller_order SET hold_expires_at = NULL WHERE id = 3",
    "history tells the state": "UPDATE seller_order SET state = 'preparing' WHERE id = 1",
    "an order follows its parts": "UPDATE customer_order SET state = 'expired' WHERE id = 1",
    "parts hold their lines": "UPDATE order_line SET product_name = '' WHERE id = 1",
    "totals add up": (
        "UPDATE seller_order SET total = total + 1, items_total = items_total + 1 WHERE id = 1"
    ),
    "what was to be paid first is paid": (
        "UPDATE seller_order SET state = 'to_confirm' WHERE id = 3"
    ),
    "money of ended parts goes back": (
        "UPDATE payment SET captured = captured + 1 WHERE seller_order_id = 2"
    ),
    "refunds are what goes back": (
        "UPDATE payment SET refunded = refunded - 1 WHERE seller_order_id = 2"
    ),
    "no part gets back more than it paid": (
        "UPDATE refund SET amount = amount + 1 WHERE seller_order_id = 2"
    ),
    "payments are what their money says": (
        "UPDATE payment SET state = 'awaiting' WHERE seller_order_id = 2"
    ),
    "the payment status follows": (
        "UPDATE customer_order SET payment_status = 'paid' WHERE id = 3"
    ),
}
BY_TRANSFER: dict[str, Any] = {"payment_method": "bank_transfer"}


def a_busy_shop(session: Session) -> None:
    an_order(session, (a_variant(session, in_stock=5), 2))
    declined = an_order(session, (a_variant(session, in_stock=5), 1), **BY_TRANSFER)
    part = only_part(session, declined)
    bank_transfer.confirm_by_hand(session, declined, part, evidence="thấy", actor=SELLER, now=NOON)
    cancellations.decline(session, declined, part, reason="hết hàng", actor=SELLER, now=NOON)
    bank_transfer.pay_back(session, declined, part, reference="FT1", actor=SELLER, now=NOON)
    an_order(session, (a_variant(session, in_stock=5), 1), **BY_TRANSFER)
    sent = an_order(session, (a_variant(session, in_stock=5), 1))
    part = only_part(session, sent)
    fulfilment.accept(session, sent, part, called_buyer=True, actor=SELLER, now=NOON)
    fulfilment.pack(session, sent, part, actor=SELLER, now=NOON)
    fulfilment.ship(session, sent, part, actor=SELLER, now=NOON)
    session.flush()


def test_a_right_shop_has_no_faults(session: Session) -> None:
    a_busy_shop(session)

    assert find_faults(session) == []


def test_every_rule_has_a_fault_that_breaks_it() -> None:
    assert PLANTED.keys() == CHECKS.keys()


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_fault_is_found(session: Session, rule: str) -> None:
    a_busy_shop(session)
    if rule == "nothing is sold twice":
        # What the database itself forbids can only be planted without its watch.
        _drop_check(session, "stock_item", "never_oversold")
    session.execute(text(PLANTED[rule]))
    session.expire_all()

    assert rule in {fault.rule for fault in find_faults(session)}


def _drop_check(session: Session, table: str, name: str) -> None:
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA ignore_check_constraints = ON"))
    else:
        session.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{name}"))


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
