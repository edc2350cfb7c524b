"""What every payment gateway can do for us, whoever it is: open a page, prove news, ask, pay back.

A gateway speaks its own dialect (signatures, amounts times a hundred, times in Vietnam's zone, an
answer of its own to every message) and hides it: outside it there are only Money and the words
below. It keeps nothing and decides nothing; `shop.payments.card_payments` does.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from core.errors import Conflict
from core.money import Money
from shop.webhooks import Call, Reply


class GatewayRefused(Conflict):
    """The gateway answered, and its answer is no; trying the same again cannot help."""


class Standing(enum.StrEnum):
    """Where the gateway says that a payment stands."""

    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"


class RefundStanding(enum.StrEnum):
    """Where the gateway says that money going back stands."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Reception(enum.StrEnum):
    """What we made of a message; each gateway wants it said in its own words."""

    TAKEN = "taken"
    REPEATED = "repeated"
    UNKNOWN = "unknown"
    WRONG_AMOUNT = "wrong_amount"
    FORGED = "forged"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a gateway can do.

    Amounts it takes, refunds of a part, money that may arrive days later, and pages that can be
    closed before they expire by themselves.
    """

    smallest: Money
    largest: Money
    partial_refund: bool
    delayed: bool
    closes: bool

    def takes(self, amount: Money) -> bool:
        """Say whether this much can be paid through the gateway."""
        return self.smallest <= amount <= self.largest


@dataclass(frozen=True, slots=True)
class Item:
    """One line the buyer sees on the gateway's page."""

    name: str
    unit_price: Money
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Bill:
    """All a gateway needs to open a page for one attempt at one payment.

    `attempt` counts the ways tried at one order and, behind a point, the pages opened for this one.
    """

    payment_id: int
    order_id: int
    order_code: str
    memo: str
    attempt: str
    amount: Money
    items: tuple[Item, ...]
    language: str
    email: str | None
    ip: str
    return_url: str
    cancel_url: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class PayPage:
    """Where the buyer pays: an address to go to, or a code to scan."""

    provider_ref: str
    expires_at: datetime
    pay_url: str = ""
    qr_text: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a gateway knows a payment by, and what it wants to hear when it is asked about it."""

    provider_ref: str
    payment_ref: str | None
    memo: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What a gateway says of one payment; `payment_ref` is the money's own number there.

    `payment_id` and `order_code` are what we had written on the bill, when the gateway repeats it.
    """

    standing: Standing
    provider_ref: str
    payment_ref: str | None
    amount: Money | None
    currency: str
    live: bool | None = None
    payment_id: int | None = None
    order_code: str | None = None


@dataclass(frozen=True, slots=True)
class RefundWish:
    """Money to send back: the row that asks, of a payment that was paid in full as `paid`.

    `first_asked_at` is when the gateway was first told, and `asked_at` now.
    """

    refund_id: int
    amount: Money
    paid: Money
    reference: Reference
    reason: str
    first_asked_at: datetime
    asked_at: datetime
    asked_by: str


@dataclass(frozen=True, slots=True)
class RefundReport:
    """What a gateway says of money going back; `refund_id` is our row, when it names it."""

    standing: RefundStanding
    reference: str
    amount: Money | None
    refund_id: int | None = None
    payment_ref: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class DisputeReport:
    """A buyer's bank takes the money back: `open` until the bank has decided, then `won` or not."""

    reference: str
    payment_ref: str | None
    amount: Money | None
    reason: str
    open: bool
    won: bool


@dataclass(frozen=True, slots=True)
class News:
    """One proven message of a gateway: about a payment, a refund, a dispute, or nothing of ours."""

    event_id: str
    kind: str
    occurred_at: datetime
    payment: Report | None = None
    refunds: tuple[RefundReport, ...] = ()
    dispute: DisputeReport | None = None
    live: bool | None = None
    told: Mapping[str, str] = field(default_factory=dict)


class Gateway(Protocol):
    """One provider with the credentials of one account."""

    name: str
    capabilities: Capabilities

    def create(self, bill: Bill) -> PayPage:
        """Open a page for `bill`, or raise NoAnswer or GatewayRefused."""

    def verify(self, call: Call) -> News:
        """Return what a message says once its sender is proved, or raise Forged."""

    def ack(self, reception: Reception) -> Reply:
        """Return what this provider wants to hear."""

    def query(self, reference: Reference, *, now: datetime) -> Report:
        """Ask where a payment stands, or raise NoAnswer or GatewayRefused."""

    def close(self, reference: Reference, *, now: datetime) -> Report:
        """Close the page if it is open still; return where the payment stands after that."""

    def refund(self, wish: RefundWish) -> RefundReport:
        """Send money back; the same row asked twice sends it once."""
