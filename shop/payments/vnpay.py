"""VNPay 2.1.0 with the merchant account of a producer, or of the operator.

VNPay counts in hundredths of a đồng and writes times as Vietnam's clock shows them. Both stay in
this module. What it signs is the sorted, encoded query; its questions and refunds are signed as
fields in a fixed order with bars between them.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha512
from typing import Any
from urllib.parse import quote_plus

from core import outgoing
from core.clock import VIETNAM, vietnam_day
from core.i18n import lazy as _
from core.money import Money
from core.outgoing import NoAnswer
from core.settings import Settings
from core.text import fold
from shop.payments.gateways import (
    Bill,
    Capabilities,
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
from shop.webhooks import Call, Forged, Reply

VERSION = "2.1.0"
SERVICE = "vnpay"
TRANSACTION = "/merchant_webapi/api/transaction"
PAGE_LIVES = timedelta(minutes=30)
SCALE = 100
SECONDS = 2.8
PATIENT_SECONDS = 10.0
LONGEST_INFO = 255
UNSIGNED = frozenset({"vnp_SecureHash", "vnp_SecureHashType"})
SIGNED_QUERY = (
    "vnp_RequestId vnp_Version vnp_Command vnp_TmnCode vnp_TxnRef vnp_TransactionDate "
    "vnp_CreateDate vnp_IpAddr vnp_OrderInfo"
)
SIGNED_QUERY_ANSWER = (
    "vnp_ResponseId vnp_Command vnp_ResponseCode vnp_Message vnp_TmnCode vnp_TxnRef vnp_Amount "
    "vnp_BankCode vnp_PayDate vnp_TransactionNo vnp_TransactionType vnp_TransactionStatus "
    "vnp_OrderInfo vnp_PromotionCode vnp_PromotionAmount"
)
SIGNED_REFUND = (
    "vnp_RequestId vnp_Version vnp_Command vnp_TmnCode vnp_TransactionType vnp_TxnRef vnp_Amount "
    "vnp_TransactionNo vnp_TransactionDate vnp_CreateBy vnp_CreateDate vnp_IpAddr vnp_OrderInfo"
)
SIGNED_REFUND_ANSWER = (
    "vnp_ResponseId vnp_Command vnp_ResponseCode vnp_Message vnp_TmnCode vnp_TxnRef vnp_Amount "
    "vnp_BankCode vnp_PayDate vnp_TransactionNo vnp_TransactionType vnp_TransactionStatus "
    "vnp_OrderInfo"
)
FINE = "00"
# Taken from the card, but VNPay wants to look at it first.
SUSPICIOUS = "07"
UNKNOWN_THERE = "91"
ASKED_ALREADY = "94"
AILING = frozenset({"98", "99"})
OWN_ADDRESS = "127.0.0.1"

_ACKS = {
    Reception.TAKEN: ("00", "Confirm Success"),
    Reception.UNKNOWN: ("01", "Order not found"),
    Reception.REPEATED: ("02", "Order already confirmed"),
    Reception.WRONG_AMOUNT: ("04", "Invalid amount"),
    Reception.FORGED: ("97", "Invalid checksum"),
    Reception.BROKEN: ("99", "Unknown error"),
}


@dataclass(frozen=True, slots=True)
class Keys:
    """What VNPay gave its merchant."""

    tmn_code: str
    hash_secret: str


class VnpayGateway:
    """VNPay with one merchant account; a Gateway."""

    name = "vnpay"
    capabilities = Capabilities(
        smallest=Money(10_000),
        largest=Money(99_999_999),
        partial_refund=True,
        delayed=False,
        closes=False,
    )

    def __init__(self, keys: Keys, settings: Settings) -> None:
        """Use a merchant's keys and the addresses that stand in the settings."""
        self._keys = keys
        self._pay_url = settings.VNPAY_PAY_URL
        self._api = settings.VNPAY_API_BASE + TRANSACTION

    def create(self, bill: Bill) -> PayPage:
        """Write the address of a page for one attempt; nobody is asked."""
        expires_at = bill.opened_at + PAGE_LIVES
        ref = reference_of(bill)
        said = {
            "vnp_Version": VERSION,
            "vnp_Command": "pay",
            "vnp_TmnCode": self._keys.tmn_code,
            "vnp_Amount": str(bill.amount.dong * SCALE),
            "vnp_CurrCode": "VND",
            "vnp_TxnRef": ref,
            "vnp_OrderInfo": f"Thanh toan don hang {bill.order_code}",
            "vnp_OrderType": "other",
            "vnp_Locale": "en" if bill.language == "en" else "vn",
            "vnp_ReturnUrl": bill.return_url,
            "vnp_IpAddr": bill.ip,
            "vnp_CreateDate": stamp(bill.opened_at),
            "vnp_ExpireDate": stamp(expires_at),
        }
        return PayPage(ref, expires_at, pay_url=signed_url(self._pay_url, said, self._keys))

    def verify(self, call: Call) -> News:
        """Return what an IPN says, or raise Forged; nothing but the hash proves it."""
        said = {name: value for name, value in call.query.items() if name.startswith("vnp_")}
        told = said.get("vnp_SecureHash", "").lower()
        made = sign(canonical(said), self._keys.hash_secret)
        genuine = hmac.compare_digest(told.encode("utf-8", "replace"), made.encode())
        if not genuine or said.get("vnp_TmnCode") != self._keys.tmn_code:
            raise Forged
        ref, number = said.get("vnp_TxnRef", ""), said.get("vnp_TransactionNo", "")
        code, status = said.get("vnp_ResponseCode", ""), said.get("vnp_TransactionStatus", "")
        return News(
            event_id=f"{ref}:{number}:{code}:{status}:{said.get('vnp_Amount', '')}",
            kind="ipn",
            occurred_at=_moment(said.get("vnp_PayDate", "")) or call.now,
            payment=Report(
                standing=_standing(code, status),
                provider_ref=ref,
                payment_ref=number or None,
                amount=_money(said.get("vnp_Amount")),
                currency="vnd",
            ),
        )

    def ack(self, reception: Reception) -> Reply:
        """Answer with the code VNPay waits for; its status is 200 whatever the code says."""
        code, message = _ACKS[reception]
        return Reply({"RspCode": code, "Message": message})

    def query(self, reference: Reference, *, now: datetime) -> Report:
        """Ask where a payment stands; a page nobody has opened is not known there."""
        answer = self._ask(
            {
                "vnp_RequestId": f"hoi{reference.provider_ref}{stamp(now)}"[-32:],
                "vnp_Version": VERSION,
                "vnp_Command": "querydr",
                "vnp_TmnCode": self._keys.tmn_code,
                "vnp_TxnRef": reference.provider_ref,
                "vnp_TransactionDate": stamp(reference.opened_at),
                "vnp_CreateDate": stamp(now),
                "vnp_IpAddr": OWN_ADDRESS,
                "vnp_OrderInfo": f"Hoi giao dich {reference.provider_ref}",
            },
            SIGNED_QUERY,
            SIGNED_QUERY_ANSWER,
            seconds=SECONDS,
        )
        code = answer["vnp_ResponseCode"]
        over = now >= reference.opened_at + PAGE_LIVES
        unpaid = Standing.EXPIRED if over else Standing.OPEN
        if code == UNKNOWN_THERE:
            return Report(unpaid, reference.provider_ref, None, None, "vnd")
        if code != FINE:
            raise _refused(code)
        if answer.get("vnp_TxnRef") != reference.provider_ref:
            raise NoAnswer(SERVICE, "it tells of another payment")
        status = answer.get("vnp_TransactionStatus", "")
        standing = unpaid if status == "01" else _standing(FINE, status)
        number = answer.get("vnp_TransactionNo") or None
        return Report(
            standing, reference.provider_ref, number, _money(answer.get("vnp_Amount")), "vnd"
        )

    def close(self, reference: Reference, *, now: datetime) -> Report:
        """Say where the payment stands: VNPay closes its pages by the clock alone."""
        return self.query(reference, now=now)

    def refund(self, wish: RefundWish) -> RefundReport:
        """Send money back; asked twice on one day, VNPay takes it once.

        Its numbers of requests count for a day. Beyond that nobody can say whether the first one
        went through, so it is not asked again.
        """
        if vietnam_day(wish.asked_at) != vietnam_day(wish.first_asked_at):
            raise GatewayRefused(
                _("VNPay was asked on another day. Look in its merchant page before paying back.")
            )
        whole = wish.amount == wish.paid
        answer = self._ask(
            {
                "vnp_RequestId": f"hoan{wish.refund_id}",
                "vnp_Version": VERSION,
                "vnp_Command": "refund",
                "vnp_TmnCode": self._keys.tmn_code,
                "vnp_TransactionType": "02" if whole else "03",
                "vnp_TxnRef": wish.reference.provider_ref,
                "vnp_Amount": str(wish.amount.dong * SCALE),
                "vnp_TransactionNo": wish.reference.payment_ref or "",
                "vnp_TransactionDate": stamp(wish.reference.opened_at),
                "vnp_CreateBy": fold(wish.asked_by)[:LONGEST_INFO] or "cho phien",
                "vnp_CreateDate": stamp(wish.asked_at),
                "vnp_IpAddr": OWN_ADDRESS,
                "vnp_OrderInfo": f"Hoan tien {wish.reference.memo}",
            },
            SIGNED_REFUND,
            SIGNED_REFUND_ANSWER,
            seconds=PATIENT_SECONDS,
        )
        code, status = answer["vnp_ResponseCode"], answer.get("vnp_TransactionStatus", "")
        reference = answer.get("vnp_TransactionNo") or f"hoan{wish.refund_id}"
        if code == ASKED_ALREADY:
            standing = RefundStanding.PENDING
        elif code != FINE:
            raise _refused(code)
        else:
            standing = {FINE: RefundStanding.SUCCEEDED, "09": RefundStanding.FAILED}.get(
                status, RefundStanding.PENDING
            )
        return RefundReport(standing, f"vnpay {reference}", wish.amount, wish.refund_id)

    def _ask(
        self, said: dict[str, str], signed: str, signed_answer: str, *, seconds: float
    ) -> dict[str, str]:
        """Return what VNPay answers to a question; an answer of substance must be signed."""
        secret = self._keys.hash_secret
        body = {**said, "vnp_SecureHash": sign(in_order(said, signed.split()), secret)}
        answer = outgoing.request(SERVICE, "POST", self._api, json=body, seconds=seconds)
        told: Any = answer.json()
        if not isinstance(told, dict):
            raise NoAnswer(SERVICE, "its answer is no object")
        found = {str(name): "" if one is None else str(one) for name, one in told.items()}
        code = found.get("vnp_ResponseCode", "")
        if not code or code in AILING:
            raise NoAnswer(SERVICE, f"it says {code or 'nothing'}")
        made = sign(in_order(found, signed_answer.split()), secret)
        told_hash = found.get("vnp_SecureHash", "").lower().encode("utf-8", "replace")
        if code == FINE and not hmac.compare_digest(told_hash, made.encode()):
            raise NoAnswer(SERVICE, "its answer is not signed by it")
        return found


def reference_of(bill: Bill) -> str:
    """Return what VNPay calls the payment: its memo, and for a later page a number behind it."""
    _first, _dot, again = bill.attempt.partition(".")
    return f"{bill.memo}{again}"


def canonical(said: Mapping[str, str]) -> str:
    """Return the text that is signed: names in order, all encoded, what is empty left out."""
    return "&".join(
        f"{quote_plus(name)}={quote_plus(value)}"
        for name, value in sorted(said.items())
        if value and name not in UNSIGNED
    )


def sign(text: str, secret: str) -> str:
    """Return the hash VNPay makes of `text`."""
    return hmac.new(secret.encode(), text.encode("utf-8", "replace"), sha512).hexdigest()


def in_order(said: Mapping[str, str], names: Sequence[str]) -> str:
    """Return the values in the order in which questions are signed."""
    return "|".join(said.get(name, "") for name in names)


def signed_url(address: str, said: Mapping[str, str], keys: Keys) -> str:
    """Return the address of a page with everything said and its hash."""
    text = canonical(said)
    return f"{address}?{text}&vnp_SecureHash={sign(text, keys.hash_secret)}"


def stamp(moment: datetime) -> str:
    """Return a moment as VNPay writes it."""
    return moment.astimezone(VIETNAM).strftime("%Y%m%d%H%M%S")


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=VIETNAM)
    except ValueError:
        return None


def _standing(code: str, status: str) -> Standing:
    if code == FINE and status == FINE:
        return Standing.PAID
    return Standing.PROCESSING if SUSPICIOUS in (code, status) else Standing.FAILED


def _money(text: str | None) -> Money | None:
    """Return whole đồng, or nothing for a broken đồng or what is no number."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > len(str(1 << 53)):
        return None
    dong, rest = divmod(int(text), SCALE)
    return None if rest else Money(dong)


def _refused(code: str) -> GatewayRefused:
    refused = GatewayRefused(_("VNPay refused this. Look at the order in its merchant page."))
    refused.add_note(f"vnp_ResponseCode {code}")
    return refused
