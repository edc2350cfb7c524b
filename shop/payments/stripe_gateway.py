"""Stripe Checkout in whole đồng: VND has no smaller coin there either, so 250.000 ₫ is 250000.

The only module that imports the SDK. It calls through `core.outgoing`, so no answer takes longer
than was said, and it raises nothing of the SDK's: NoAnswer, GatewayRefused or Forged.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import stripe

from core import outgoing
from core.i18n import lazy as _
from core.money import Money, total
from core.outgoing import NoAnswer
from core.settings import Settings
from shop.payments.gateways import (
    Bill,
    Capabilities,
    DisputeReport,
    GatewayRefused,
    News,
    PayPage,
    Reception,
    Reference,
    RefundReport,
    RefundStanding,
    RefundWish,
    Report,
    Standing,
)
from shop.webhooks import Call, Forged, Reply, read_object

API_VERSION = "2026-10-28.endive"
SERVICE = "stripe"
# The page needs 30 minutes at least by Stripe's clock, which may not be ours.
PAGE_LIVES = timedelta(minutes=31)
TOLERANCE = timedelta(minutes=5)
MOST_ITEMS = 100
LONGEST_ITEM_NAME = 250
LONGEST_DESCRIPTION = 1000
CALL_SECONDS = 2.8
PATIENT_SECONDS = 10.0
CHECKOUT = "checkout.session."
REFUNDS = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
DISPUTES = "charge.dispute."

_SESSION_EVENTS = {
    "checkout.session.async_payment_succeeded": Standing.PAID,
    "checkout.session.async_payment_failed": Standing.FAILED,
    "checkout.session.expired": Standing.EXPIRED,
}
_REFUND_WORDS = {
    "pending": RefundStanding.PENDING,
    "requires_action": RefundStanding.PENDING,
    "succeeded": RefundStanding.SUCCEEDED,
    "failed": RefundStanding.FAILED,
    "canceled": RefundStanding.FAILED,
}
_DISPUTE_ENDED = frozenset({"won", "lost", "warning_closed", "prevented"})
_DISPUTE_WON = frozenset({"won", "warning_closed", "prevented"})

# It would send the machine's name and what its last call took, and tell the log of every call.
stripe.enable_telemetry = False
logging.getLogger("stripe").setLevel(logging.WARNING)


class StripeGateway:
    """Checkout with the operator's own keys; a Gateway."""

    name = "stripe"
    capabilities = Capabilities(
        # Stripe takes the worth of half a US dollar at least, and eight digits at most.
        smallest=Money(20_000),
        largest=Money(99_999_999),
        partial_refund=True,
        delayed=True,
        closes=True,
    )

    def __init__(self, settings: Settings) -> None:
        """Use the keys and the address that stand in the settings."""
        self._key = settings.STRIPE_SECRET_KEY
        self._webhook_secrets = settings.STRIPE_WEBHOOK_SECRET
        self._base = settings.STRIPE_API_BASE

    @property
    def live(self) -> bool:
        """Say whether the key moves real money."""
        return "_live_" in self._key

    @cached_property
    def _client(self) -> stripe.StripeClient:
        return stripe.StripeClient(
            self._key,
            stripe_version=API_VERSION,
            base_addresses={"api": self._base},
            max_network_retries=1,
            http_client=_Outgoing(),
        )

    def create(self, bill: Bill) -> PayPage:
        """Open a Checkout page for one attempt; the same attempt asked again is the same page."""
        expires_at = bill.opened_at + PAGE_LIVES
        params = session_params(bill, expires_at)
        session = self._ask(
            lambda: self._client.v1.checkout.sessions.create(
                params,  # type: ignore[arg-type]
                {"idempotency_key": f"order:{bill.order_id}:checkout:{bill.attempt}"},
            ),
            seconds=CALL_SECONDS,
        )
        page, session_id = session.get("url"), session.get("id")
        schemes = ("https://", "http://") if self._base.startswith("http://") else ("https://",)
        if not isinstance(session_id, str) or not str(page).startswith(schemes):
            raise NoAnswer(SERVICE, "a page without an address")
        return PayPage(session_id, expires_at, pay_url=str(page))

    def verify(self, call: Call) -> News:
        """Return what a signed event says; whatever is wrong with it, it is Forged."""
        for secret in self._webhook_secrets:
            try:
                self._client.construct_event(
                    call.body,
                    call.header("stripe-signature"),
                    secret,
                    tolerance=0,
                )
                sent_at = _signed_at(call.header("stripe-signature"))
                break
            except Exception:  # noqa: BLE001, S112 - the SDK raises far more than it says
                continue
        else:
            raise Forged
        # The SDK looks at the past alone; an event of next year could be sent again until then.
        if abs(call.now - sent_at) > TOLERANCE:
            raise Forged
        return _read_event(read_object(call.body))

    def ack(self, reception: Reception) -> Reply:
        """Answer 2xx to all that is signed: Stripe sends anything else again for three days."""
        status = 400 if reception is Reception.FORGED else 200
        return Reply({"received": reception is not Reception.FORGED, "as": reception}, status)

    def query(self, reference: Reference, *, now: datetime) -> Report:  # noqa: ARG002
        """Read the session as it is now."""
        session = self._ask(
            lambda: self._client.v1.checkout.sessions.retrieve(reference.provider_ref),
            seconds=CALL_SECONDS,
        )
        return _read_session(session, None)

    def close(self, reference: Reference, *, now: datetime) -> Report:
        """Expire the session; one that was paid or has ended stays as it is."""
        try:
            session = self._ask(
                lambda: self._client.v1.checkout.sessions.expire(reference.provider_ref),
                seconds=PATIENT_SECONDS,
            )
        except GatewayRefused:
            return self.query(reference, now=now)
        return _read_session(session, None)

    def refund(self, wish: RefundWish) -> RefundReport:
        """Send money back to the card."""
        if wish.reference.payment_ref is None:
            raise GatewayRefused(_("The card payment has no number to send money back to."))
        refund = self._ask(
            lambda: self._client.v1.refunds.create(
                {
                    "payment_intent": str(wish.reference.payment_ref),
                    "amount": wish.amount.dong,
                    "reason": "requested_by_customer",
                    "metadata": {"refund": str(wish.refund_id)},
                },
                {"idempotency_key": f"refund:{wish.refund_id}"},
            ),
            seconds=PATIENT_SECONDS,
        )
        return _read_refund(refund)

    def _ask(self, call: Callable[[], Any], *, seconds: float) -> dict[str, Any]:
        """Return the object of one call as plain JSON."""

        def answered() -> dict[str, Any]:
            try:
                found: dict[str, Any] = call().to_dict(for_json=True)
            except (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError) as error:
                raise NoAnswer(SERVICE, _short(error)) from error
            except stripe.StripeError as error:
                raise _refusal(error) from error
            except (ValueError, TypeError, AttributeError, LookupError) as error:
                raise NoAnswer(SERVICE, "its answer makes no sense") from error
            if not isinstance(found, dict):
                raise NoAnswer(SERVICE, "its answer is no object")
            return found

        return outgoing.ask(SERVICE, answered, seconds=seconds)


class _Outgoing(stripe.HTTPClient):
    """Carries the SDK's calls through the one way out."""

    name = "outgoing"

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        **_usage: Any,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Return body, status and headers, or raise the SDK's own word for an outage."""
        try:
            answer = outgoing.fetch(SERVICE, method, url, headers=headers, data=post_data)
            return answer.body.decode(), answer.status, answer.headers
        except (OSError, UnicodeDecodeError, NoAnswer) as error:
            again = isinstance(error, OSError)
            raise stripe.APIConnectionError(  # type: ignore[no-untyped-call]
                str(error)[:200], should_retry=again
            ) from error

    def close(self) -> None:
        """Nothing is kept open between calls."""


def session_params(bill: Bill, expires_at: datetime) -> dict[str, Any]:
    """Return the wish for a Checkout page; its items add up to the amount, or are one item."""
    marks = {"order": bill.order_code, "payment": str(bill.payment_id)}
    items = [
        {
            "price_data": {
                "currency": "vnd",
                "unit_amount": item.unit_price.dong,
                "product_data": {"name": item.name[:LONGEST_ITEM_NAME]},
            },
            "quantity": item.quantity,
        }
        for item in bill.items
        if item.unit_price.dong > 0
    ]
    adds_up = total(item.unit_price * item.quantity for item in bill.items) == bill.amount
    if not adds_up or not 0 < len(items) <= MOST_ITEMS or min(_prices(bill)) < 0:
        whole = {"name": f"Chợ Phiên {bill.order_code}"}
        price = {"currency": "vnd", "unit_amount": bill.amount.dong, "product_data": whole}
        items = [{"price_data": price, "quantity": 1}]
    params: dict[str, Any] = {
        "mode": "payment",
        "locale": "en" if bill.language == "en" else "vi",
        "payment_method_types": ["card"],
        "adaptive_pricing": {"enabled": False},
        "line_items": items,
        "client_reference_id": bill.order_code,
        "success_url": bill.return_url,
        "cancel_url": bill.cancel_url,
        "expires_at": int(expires_at.timestamp()),
        "metadata": marks,
        # A session's marks are not copied to the money itself.
        "payment_intent_data": {
            "metadata": marks,
            "description": f"Chợ Phiên {bill.order_code}"[:LONGEST_DESCRIPTION],
        },
    }
    if bill.email:
        params["customer_email"] = bill.email
    return params


def _prices(bill: Bill) -> list[int]:
    return [item.unit_price.dong for item in bill.items] or [0]


def _signed_at(header: str) -> datetime:
    """Return the moment that was signed, the first one named, as the SDK takes it."""
    pairs = [piece.split("=", 2) for piece in header.split(",")]
    return datetime.fromtimestamp(int(next(pair[1] for pair in pairs if pair[0] == "t")), UTC)


def _read_event(event: dict[str, Any]) -> News:
    data = event.get("data")
    thing = data.get("object") if isinstance(data, dict) else None
    event_id, kind, created = event.get("id"), event.get("type"), event.get("created")
    if (
        event.get("object") != "event"
        or not isinstance(event_id, str)
        or not isinstance(kind, str)
        or not event_id
        or not isinstance(thing, dict)
        or type(created) is not int
        or not 0 <= created < 1 << 33
    ):
        raise Forged
    live = event.get("livemode")
    news: dict[str, Any] = {
        "event_id": event_id,
        "kind": kind,
        "occurred_at": datetime.fromtimestamp(created, UTC),
        "live": live if isinstance(live, bool) else None,
    }
    if kind.startswith(CHECKOUT) and thing.get("object") == "checkout.session":
        news["payment"] = _read_session(thing, _SESSION_EVENTS.get(kind))
    elif kind in REFUNDS and thing.get("object") == "refund":
        news["refunds"] = (_read_refund(thing),)
    elif kind == "charge.refunded":
        held = thing.get("refunds")
        listed = held.get("data") if isinstance(held, dict) else None
        refunds = [one for one in listed or [] if isinstance(one, dict)]
        news["refunds"] = tuple(_read_refund(one) for one in refunds)
    elif kind.startswith(DISPUTES):
        news["dispute"] = _read_dispute(thing)
    return News(**news)


def _read_session(session: Mapping[str, Any], told: Standing | None) -> Report:
    """Return what a session says of itself; the event's name only adds what it cannot say."""
    status, paid = session.get("status"), session.get("payment_status")
    if paid == "paid":
        standing = Standing.PAID
    elif status == "expired" or told is Standing.EXPIRED:
        standing = Standing.EXPIRED
    elif told is Standing.FAILED:
        standing = Standing.FAILED
    elif status == "complete":
        standing = Standing.PROCESSING
    else:
        standing = Standing.OPEN
    marks = session.get("metadata")
    marks = marks if isinstance(marks, dict) else {}
    live = session.get("livemode")
    return Report(
        standing=standing,
        provider_ref=_text(session.get("id")) or "",
        payment_ref=_id_of(session.get("payment_intent")),
        amount=_money(session.get("amount_total")),
        currency=(_text(session.get("currency")) or "").lower(),
        live=live if isinstance(live, bool) else None,
        payment_id=_number(marks.get("payment")),
        order_code=_text(marks.get("order")),
    )


def _read_refund(refund: Mapping[str, Any]) -> RefundReport:
    marks = refund.get("metadata")
    marks = marks if isinstance(marks, dict) else {}
    return RefundReport(
        standing=_REFUND_WORDS.get(str(refund.get("status")), RefundStanding.PENDING),
        reference=_text(refund.get("id")) or "",
        amount=_money(refund.get("amount")),
        refund_id=_number(marks.get("refund")),
        payment_ref=_id_of(refund.get("payment_intent")),
        why=_text(refund.get("failure_reason")),
    )


def _read_dispute(dispute: Mapping[str, Any]) -> DisputeReport:
    status = str(dispute.get("status"))
    return DisputeReport(
        reference=_text(dispute.get("id")) or "",
        payment_ref=_id_of(dispute.get("payment_intent")),
        amount=_money(dispute.get("amount")),
        reason=_text(dispute.get("reason")) or "",
        open=status not in _DISPUTE_ENDED,
        won=status in _DISPUTE_WON,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_ITEM_NAME else None


def _id_of(value: object) -> str | None:
    """Return an id, also out of the object itself where it was sent in its place."""
    return _text(value.get("id")) if isinstance(value, dict) else _text(value)


def _number(value: object) -> int | None:
    text = _text(value)
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None  # noqa: PLR2004


def _money(value: object) -> Money | None:
    return Money(value) if type(value) is int and abs(value) < 1 << 53 else None


def _refusal(error: stripe.StripeError) -> Exception:
    # 409: the same key is being answered elsewhere at this very moment.
    if error.http_status == 409:  # noqa: PLR2004
        return NoAnswer(SERVICE, _short(error))
    refused = GatewayRefused(_("The card service refused this. Choose another way to pay."))
    refused.add_note(_short(error))
    return refused


def _short(error: stripe.StripeError) -> str:
    return f"{type(error).__name__} {error.http_status} {error.code}: {error.user_message}"[:300]
