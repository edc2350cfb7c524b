"""The proof about bank money names the row that breaks it: planted faults are found, each alone."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.money import Money
from shop import bank_audit
from shop.payments.payments import Payment
from tests.factories import a_producer
from tests.shop.bank_money import a_row, an_unpaid, bring


@pytest.mark.parametrize(
    "fault",
    [
        "UPDATE bank_txn SET state = 'unmatched' WHERE id = :given",
        "UPDATE bank_txn SET state = 'matched' WHERE id = :waiting",
        "UPDATE bank_txn SET unallocated = 0, return_due = amount WHERE id = :waiting",
        "UPDATE bank_txn SET direction = 'out' WHERE id = :given",
        "UPDATE bank_txn SET repeats_id = :waiting WHERE id = :given",
        "UPDATE bank_txn SET producer_id = :other WHERE id = :given",
        "UPDATE payment SET captured = 164999 WHERE id = :payment",
    ],
)
def test_a_planted_fault_is_found(session: Session, fault: str) -> None:
    _order, part, payment = an_unpaid(session)
    given = bring(session, a_row(str(payment.memo)), part)
    waiting = bring(session, a_row("x", number="2"), part)
    assert given is not None
    assert waiting is not None
    assert bank_audit.find_faults(session) == []
    names: dict[str, Any] = {
        "given": given.id,
        "waiting": waiting.id,
        "other": a_producer(session).id,
        "payment": payment.id,
    }

    session.execute(text(fault), {name: names[name] for name in names if f":{name}" in fault})

    assert bank_audit.find_faults(session) != []


def test_money_given_by_hand_needs_no_row(session: Session) -> None:
    payment = an_unpaid(session)[2]
    payment.captured = Money(165_000)
    session.flush()

    assert bank_audit.find_faults(session) == []
    assert session.get_one(Payment, payment.id).captured == Money(165_000)
