"""Proof, on the live data, that stock, money and orders agree: nothing is repaired, all is told.

Every check asks for the rows that break one rule and says each in one line, the oldest first. An
empty answer means that the rule holds. The checks of vouchers, accounts and bank rows stand beside
(`shop.ledger_audit`, `shop.bank_audit`); `flask audit` asks them all.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from shop import audit_money, audit_orders, audit_stock

CHECKS = audit_stock.CHECKS | audit_orders.CHECKS | audit_money.CHECKS


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule with the thing that breaks it."""

    rule: str
    what: str


def find_faults(session: Session) -> list[Finding]:
    """Return every fault of the whole shop; none means that stock, money and orders are right."""
    return [Finding(rule, what) for rule, check in CHECKS.items() for what in check(session)]
