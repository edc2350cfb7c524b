"""A stand-in for Stripe: Checkout pages, refunds, idempotent replay, signed events.

`python -m demo.standins.stripe PORT WEBHOOK SECRET` serves it; nothing here charges anybody.
"""

import hmac
import json
import random
import re
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from core.clock import utc_now
from demo.standins.serving import Asked, Said, StandIn, hidden_form, page, see_other, until_true

API_VERSION = "2026-10-28.endive"
SECRET = "whsec_of_the_stand_in"  # noqa: S105 - proves nothing but that demo and shop fit
HALF_HOUR, DAY = 30 * 60, 24 * 3600
SMALLEST, LARGEST = 13_000, 99_999_999
MOST_ITEMS = 100
KNOWN = """adaptive_pricing cancel_url client_reference_id customer_email expires_at line_items
locale metadata mode payment_intent_data payment_method_types success_url submit_type ui_mode"""
KNOWN_OF_REFUND = "amount payment_intent charge reason metadata"
# Every field the real objects have; what this stand-in has no use for is null.
SESSION = """after_expiration allow_promotion_codes amount_subtotal amount_total automatic_tax
billing_address_collection cancel_url client_reference_id client_secret consent consent_collection
created currency custom_fields custom_text customer customer_creation customer_details
customer_email expires_at id invoice invoice_creation livemode locale metadata mode object
payment_intent payment_link payment_method_collection payment_method_configuration_details
payment_method_options payment_method_types payment_status phone_number_collection recovered_from
saved_payment_method_options setup_intent shipping_address_collection shipping_cost
shipping_options status submit_type subscription success_url total_details ui_mode url
adaptive_pricing discounts collected_information permissions wallet_options origin_context
currency_conversion customer_account integration_identifier managed_payments"""
REFUND = """amount balance_transaction charge created currency destination_details id metadata
object payment_intent reason receipt_number source_transfer_reversal status transfer_reversal
customer customer_account payment_method"""
CHARGE = """amount amount_captured amount_refunded application application_fee
application_fee_amount balance_transaction billing_details calculated_statement_descriptor captured
created currency customer description disputed failure_balance_transaction failure_code
failure_message fraud_details id livemode metadata object on_behalf_of outcome paid payment_intent
payment_method payment_method_details receipt_email receipt_number receipt_url refunded refunds
review shipping source_transfer statement_descriptor statement_descriptor_suffix status
transfer_data transfer_group source"""
DISPUTE = """amount balance_transactions charge created currency evidence evidence_details id
is_charge_refundable livemode metadata object payment_intent payment_method_details reason status
enhanced_eligibility_types"""


class Refused(Exception):  # noqa: N818 - what Stripe says
    """The request is wrong; `param` names where."""

    def __init__(self, message: str, param: str | None = None, *, status: int = 400) -> None:
        super().__init__(message)
        self.param = param
        self.status = status


@dataclass(slots=True)
class Sending:
    """How events go out: each so often, the newest first, `late` seconds after they happened."""

    duplicates: int = 1
    disorder: bool = False
    late: float = 0.0
    off: bool = False


@dataclass(slots=True)
class Kept:
    """Everything this stand-in remembers."""

    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    charges: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    replays: dict[str, tuple[str, Said]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    delivered: list[int] = field(default_factory=list)


class StripeStandIn(StandIn):
    """The stand-in; with a `webhook` address it tells what happens there, signed with `secret`."""

    def __init__(self, port: int = 0, *, webhook: str = "", secret: str = SECRET) -> None:
        """Listen at `port`, or at a free one."""
        super().__init__(port)
        self.webhook = webhook
        self.secret = secret
        self.sending = Sending()
        self.refund_status = "succeeded"
        self.kept = Kept()

    def answer(self, asked: Asked) -> Said:
        """Answer as Stripe does."""
        try:
            with self.lock:
                if asked.path.startswith("/pay/"):
                    return self._pay_page(asked)
                return self._once(asked) if asked.method == "POST" else self._route(asked)
        except Refused as refused:
            said = {"type": "invalid_request_error", "message": str(refused)}
            param = {"param": refused.param} if refused.param else {}
            return Said({"error": {**said, **param}}, refused.status)

    def _once(self, asked: Asked) -> Said:
        """Answer a repeated key with the first answer, whatever that was."""
        key = asked.headers.get("idempotency-key", "")
        kept = self.kept.replays.get(key)
        wanted = f"{asked.path}?{asked.body.decode()}"
        if kept is not None:
            if kept[0] != wanted:
                message = "Keys for idempotent requests can only be used with the same parameters."
                return Said({"error": {"type": "idempotency_error", "message": message}}, 400)
            return Said(kept[1].body, kept[1].status, headers={"Idempotent-Replayed": "true"})
        said = self._route(asked)
        if key:
            self.kept.replays[key] = (wanted, Said(json.loads(said.raw), said.status))
        return said

    def _route(self, asked: Asked) -> Said:
        if not asked.headers.get("authorization", "").startswith("Bearer sk_"):
            raise Refused("No API key was given.", status=401)
        form = nested(asked.form()) if asked.method == "POST" else {}
        at = re.fullmatch(r"/v1/(checkout/sessions|refunds)(?:/(\w+)(/expire)?)?", asked.path)
        if at is None:
            raise Refused(f"Unrecognized request URL ({asked.method}: {asked.path}).", status=404)
        kind, thing, expire = at.groups()
        if kind == "refunds":
            return Said(self._refund(form) if thing is None else _of(self.kept.refunds, thing))
        if thing is None:
            return Said(self._session(form))
        session = _of(self.kept.sessions, thing)
        return Said(self._expire(session) if expire else session)

    def _session(self, form: dict[str, Any]) -> dict[str, Any]:
        _refuse_unknown(form, KNOWN)
        items = form.get("line_items") or []
        now = int(utc_now().timestamp())
        expires_at = int(form.get("expires_at") or now + DAY)
        amount = sum(
            _whole(item["price_data"]["unit_amount"]) * _whole(item["quantity"]) for item in items
        )
        if form.get("mode") != "payment" or not 0 < len(items) <= MOST_ITEMS:
            raise Refused("Between 1 and 100 line items are needed in payment mode.", "line_items")
        if any(item["price_data"].get("currency") != "vnd" for item in items):
            raise Refused("Only VND is taken here.", "line_items[0][price_data][currency]")
        if not SMALLEST <= amount <= LARGEST:
            raise Refused("The total is too small or has more than eight digits.", "line_items")
        if not HALF_HOUR <= expires_at - now <= DAY:
            raise Refused("`expires_at` is 30 minutes to 24 hours from now.", "expires_at")
        session = blank(
            SESSION,
            id=new_id("cs_test_"),
            object="checkout.session",
            amount_subtotal=amount,
            amount_total=amount,
            automatic_tax={"enabled": False, "liability": None, "status": None, "provider": None},
            cancel_url=form.get("cancel_url"),
            client_reference_id=form.get("client_reference_id"),
            created=now,
            currency="vnd",
            custom_fields=[],
            customer_email=form.get("customer_email"),
            expires_at=expires_at,
            livemode=False,
            locale=form.get("locale"),
            metadata=form.get("metadata") or {},
            mode="payment",
            payment_method_options={},
            payment_method_types=form.get("payment_method_types") or ["card"],
            payment_status="unpaid",
            shipping_options=[],
            status="open",
            success_url=form["success_url"],
            ui_mode="hosted_page",
        )
        session["url"] = f"{self.url}/pay/{session['id']}"
        self.kept.sessions[session["id"]] = session
        return session

    def _expire(self, session: dict[str, Any]) -> dict[str, Any]:
        if session["status"] != "open":
            raise Refused("Only a session that is open can be expired.")
        session.update(status="expired", url=None)
        self.tell("checkout.session.expired", session)
        return session

    def _refund(self, form: dict[str, Any]) -> dict[str, Any]:
        _refuse_unknown(form, KNOWN_OF_REFUND)
        charge = _of(self.kept.charges, form.get("payment_intent", ""))
        left = charge["amount"] - charge["amount_refunded"]
        amount = _whole(form.get("amount", left))
        if not 0 < amount <= left:
            raise Refused(f"Refund amount ({amount}) is greater than what is left ({left}).")
        refund = blank(
            REFUND,
            id=new_id("re_"),
            object="refund",
            amount=amount,
            charge=charge["id"],
            created=int(utc_now().timestamp()),
            currency="vnd",
            metadata=form.get("metadata") or {},
            payment_intent=charge["payment_intent"],
            reason=form.get("reason"),
            status=self.refund_status,
        )
        self.kept.refunds[refund["id"]] = refund
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self.tell("refund.created", refund)
        self.tell("charge.refunded", charge)
        return refund

    def finish_refund(self, refund_id: str, status: str) -> None:
        """Let a pending refund succeed or fail, and tell it."""
        with self.lock:
            refund = self.kept.refunds[refund_id]
            refund["status"] = status
            self.tell("refund.failed" if status == "failed" else "refund.updated", refund)

    def pay(self, session_id: str, *, how: str = "pay") -> dict[str, Any]:
        """Do what the buyer does on the page: pay, later (arrives by `arrive`), or decline."""
        with self.lock:
            session = self.kept.sessions[session_id]
            if session["status"] != "open":
                return session
            if how == "decline":
                intent = {"id": new_id("pi_"), "object": "payment_intent", "status": "canceled"}
                self.tell("payment_intent.payment_failed", intent)
                return session
            charge = blank(
                CHARGE,
                id=new_id("ch_"),
                object="charge",
                amount=session["amount_total"],
                amount_captured=session["amount_total"],
                amount_refunded=0,
                captured=True,
                created=int(utc_now().timestamp()),
                currency="vnd",
                disputed=False,
                livemode=False,
                metadata=session["metadata"],
                paid=True,
                payment_intent=new_id("pi_"),
                refunded=False,
                status="succeeded",
            )
            self.kept.charges[charge["payment_intent"]] = charge
            session.update(status="complete", url=None, payment_intent=charge["payment_intent"])
            session["payment_status"] = "unpaid" if how == "later" else "paid"
            self.tell("checkout.session.completed", session)
            return session

    def arrive(self, session_id: str, *, succeeded: bool = True) -> None:
        """Let money that was on its way arrive, or fail."""
        with self.lock:
            session = self.kept.sessions[session_id]
            session["payment_status"] = "paid" if succeeded else "unpaid"
            word = "succeeded" if succeeded else "failed"
            self.tell(f"checkout.session.async_payment_{word}", session)

    def dispute(self, payment_intent: str, *, kind: str = "created", status: str) -> None:
        """Let the buyer's bank take the money back, or decide about it."""
        with self.lock:
            charge = self.kept.charges[payment_intent]
            thing = blank(
                DISPUTE,
                id=f"dp_{payment_intent[3:]}",
                object="dispute",
                amount=charge["amount"],
                balance_transactions=[],
                charge=charge["id"],
                created=int(utc_now().timestamp()),
                currency="vnd",
                is_charge_refundable=False,
                livemode=False,
                metadata={},
                payment_intent=payment_intent,
                reason="general",
                status=status,
            )
            self.tell(f"charge.dispute.{kind}", thing)

    def tell(self, kind: str, thing: dict[str, Any]) -> dict[str, Any]:
        """Make an event, and send it if there is somebody to hear it."""
        event = {
            "api_version": API_VERSION,
            "created": int(utc_now().timestamp()),
            "data": {"object": json.loads(json.dumps(thing))},
            "id": new_id("evt_"),
            "livemode": False,
            "object": "event",
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        self.kept.events.append(event)
        if self.webhook and not self.sending.off:
            copies = [event] * self.sending.duplicates
            if self.sending.disorder:
                copies += random.sample(self.kept.events, min(3, len(self.kept.events)))
                random.shuffle(copies)
            timer = threading.Timer(self.sending.late, self._send, (copies,))
            timer.daemon = True
            timer.start()
        return event

    def _send(self, events: Iterable[dict[str, Any]]) -> None:
        for event in events:
            until_true(lambda event=event: self.post(event), tries=5, pause=0.2)  # type: ignore[misc]

    def post(self, event: dict[str, Any]) -> bool:
        """Send one event once; say whether it was taken."""
        body = json.dumps(event).encode()
        headers = {"Content-Type": "application/json", "Stripe-Signature": self.sign(body)}
        request = Request(self.webhook, body, headers)  # noqa: S310 - an address of our own
        try:
            with urlopen(request, timeout=10) as response:  # noqa: S310
                status = int(response.status)
        except HTTPError as error:
            status = error.code
            error.close()
        except OSError:
            return False
        self.kept.delivered.append(status)
        return status < 300

    def sign(self, body: bytes, *, at: int | None = None) -> str:
        """Return the signature header of a body, as of now or of `at`."""
        moment = int(utc_now().timestamp()) if at is None else at
        made = hmac.new(self.secret.encode(), f"{moment}.".encode() + body, sha256).hexdigest()
        return f"t={moment},v1={made}"

    def _pay_page(self, asked: Asked) -> Said:
        session = _of(self.kept.sessions, asked.path.removeprefix("/pay/"))
        if asked.method == "POST":
            how = dict(asked.form()).get("do", "")
            if how == "cancel":
                return see_other(str(session["cancel_url"]))
            self.pay(session["id"], how=how)
            if how == "decline":
                return see_other(f"{self.url}/pay/{session['id']}")
            back = str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])
            return see_other(back)
        buttons = {"pay": "Pay", "decline": "Pay with a card without money", "cancel": "Go back"}
        amount = f"{session['amount_total']:,}".replace(",", ".")
        form = hidden_form(asked.path, buttons) if session["status"] == "open" else "<p>Closed.</p>"
        return page("Stand-in for Stripe: nobody is charged", f"<p>{amount} ₫</p>{form}")


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return `a[b][0]=c` as the lists and objects it means."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        steps = re.findall(r"[^\[\]]+", name)
        at = tree
        for step in steps[:-1]:
            at = at.setdefault(step, {})
        at[steps[-1]] = value
    return {name: _listed(value) for name, value in tree.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_listed(value[name]) for name in sorted(value, key=int)]
    return {name: _listed(one) for name, one in value.items()}


def blank(fields: str, **given: Any) -> dict[str, Any]:
    """Return an object with every field the real one has."""
    return {**dict.fromkeys(fields.split()), **given}


_counts: dict[str, int] = defaultdict(int)


def new_id(prefix: str) -> str:
    """Return an id nobody has."""
    _counts[prefix] += 1
    return f"{prefix}{_counts[prefix]:04d}{random.getrandbits(64):016x}"


def _of(things: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    if name not in things:
        raise Refused(f"No such object: '{name}'", status=404)
    return things[name]


def _whole(text: Any) -> int:
    if not re.fullmatch(r"\d{1,12}", str(text)):
        raise Refused(f"Invalid integer: {text}")
    return int(text)


def _refuse_unknown(form: dict[str, Any], known: str) -> None:
    for name in form:
        if name not in known.split():
            raise Refused(f"Received unknown parameter: {name}", name)


if __name__ == "__main__":
    StripeStandIn(int(sys.argv[1]), webhook=sys.argv[2], secret=sys.argv[3]).serve()
