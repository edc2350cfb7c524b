"""A stand-in for VNPay: its page, its IPN calls, its questions and refunds.

`python -m demo.standins.vnpay PORT IPN TMN_CODE SECRET` serves it; nothing here charges anybody.
The signing is written here once more, on purpose: shop and stand-in must not share a mistake.
"""

import hmac
import json
import sys
import threading
from dataclasses import dataclass, field
from hashlib import sha512
from typing import Any
from urllib.parse import parse_qsl, quote_plus
from urllib.request import urlopen

from core.clock import VIETNAM, utc_now
from demo.standins.serving import Asked, Said, StandIn, hidden_form, page, see_other

TMN_CODE = "CHOPHIEN"
SECRET = "SECRETKEY0123456789"  # noqa: S105 - proves nothing but that demo and shop fit
QUERY_ANSWER = """vnp_ResponseId vnp_Command vnp_ResponseCode vnp_Message vnp_TmnCode vnp_TxnRef
vnp_Amount vnp_BankCode vnp_PayDate vnp_TransactionNo vnp_TransactionType vnp_TransactionStatus
vnp_OrderInfo vnp_PromotionCode vnp_PromotionAmount"""
REFUND_ANSWER = QUERY_ANSWER.replace("vnp_PromotionCode vnp_PromotionAmount", "")
QUERY = """vnp_RequestId vnp_Version vnp_Command vnp_TmnCode vnp_TxnRef vnp_TransactionDate
vnp_CreateDate vnp_IpAddr vnp_OrderInfo"""
REFUND = """vnp_RequestId vnp_Version vnp_Command vnp_TmnCode vnp_TransactionType vnp_TxnRef
vnp_Amount vnp_TransactionNo vnp_TransactionDate vnp_CreateBy vnp_CreateDate vnp_IpAddr
vnp_OrderInfo"""


@dataclass(slots=True)
class Transaction:
    """One payment as VNPay keeps it; amounts in hundredths of a đồng."""

    ref: str
    number: str
    amount: int
    info: str
    paid_at: str
    code: str
    status: str
    refunded: int = 0
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)


class VnpayStandIn(StandIn):
    """The stand-in; with an `ipn` address it tells what happens there."""

    def __init__(
        self, port: int = 0, *, ipn: str = "", tmn_code: str = TMN_CODE, secret: str = SECRET
    ) -> None:
        """Listen at `port`, or at a free one."""
        super().__init__(port)
        self.ipn, self.tmn_code, self.secret = ipn, tmn_code, secret
        self.transactions: dict[str, Transaction] = {}
        self.told: list[dict[str, str]] = []

    @property
    def pay_url(self) -> str:
        """Return the address of its page."""
        return f"{self.url}/paymentv2/vpcpay.html"

    def is_api(self, path: str) -> bool:
        """Say whether programs call this address."""
        return path.startswith("/merchant_webapi/")

    def answer(self, asked: Asked) -> Said:
        """Answer as VNPay does."""
        if asked.path == "/paymentv2/vpcpay.html":
            return self._page(asked)
        if asked.path == "/merchant_webapi/api/transaction":
            with self.lock:
                return Said(self._transaction(json.loads(asked.body)))
        return Said({}, 404)

    def read(self, query: str) -> dict[str, str] | None:
        """Return what an address of its page says, None when it is not signed."""
        said = dict(parse_qsl(query, keep_blank_values=True))
        told = said.pop("vnp_SecureHash", "")
        return said if hmac.compare_digest(told, self.sign(said)) else None

    def sign(self, said: dict[str, str]) -> str:
        """Return the hash of a query."""
        pairs = [f"{quote_plus(name)}={quote_plus(said[name])}" for name in sorted(said)]
        return self.hash("&".join(pair for pair in pairs if not pair.endswith("=")))

    def hash(self, text: str) -> str:
        """Return the hash of a text under the merchant's secret."""
        return hmac.new(self.secret.encode(), text.encode(), sha512).hexdigest()

    def pay(self, said: dict[str, str], *, code: str = "00") -> dict[str, str]:
        """Do what the buyer does on the page; return what is told, signed."""
        with self.lock:
            number = str(14_000_000 + len(self.transactions))
            done = Transaction(
                ref=said["vnp_TxnRef"],
                number=number,
                amount=int(said["vnp_Amount"]),
                info=said["vnp_OrderInfo"],
                paid_at=utc_now().astimezone(VIETNAM).strftime("%Y%m%d%H%M%S"),
                code=code,
                status="00" if code == "00" else "02",
            )
            self.transactions.setdefault(done.ref, done)
            told = self.news(self.transactions[done.ref])
        if self.ipn:
            timer = threading.Timer(0.0, self.call, (told,))
            timer.daemon = True
            timer.start()
        return told

    def news(self, done: Transaction, **otherwise: str) -> dict[str, str]:
        """Return a signed IPN about a transaction."""
        said = {
            "vnp_TmnCode": self.tmn_code,
            "vnp_Amount": str(done.amount),
            "vnp_BankCode": "NCB",
            "vnp_BankTranNo": f"VNP{done.number}",
            "vnp_CardType": "ATM",
            "vnp_PayDate": done.paid_at,
            "vnp_OrderInfo": done.info,
            "vnp_TransactionNo": done.number,
            "vnp_ResponseCode": done.code,
            "vnp_TransactionStatus": done.status,
            "vnp_TxnRef": done.ref,
            **otherwise,
        }
        return {**said, "vnp_SecureHash": self.sign(said)}

    def call(self, told: dict[str, str]) -> dict[str, str]:
        """Call the shop's IPN address once; return what it said."""
        with urlopen(f"{self.ipn}?{_query(told)}", timeout=10) as response:  # noqa: S310
            said: dict[str, str] = json.load(response)
        self.told.append(said)
        return said

    def _page(self, asked: Asked) -> Said:
        said = self.read(_query(dict(asked.query)))
        if said is None:
            return page("Invalid signature", "<p>97</p>")
        if asked.method != "POST":
            amount = f"{int(said['vnp_Amount']) // 100:,}".replace(",", ".")
            buttons = {"00": "Pay", "51": "Pay with an empty account", "24": "Go back"}
            form = hidden_form(f"{asked.path}?{_query(dict(asked.query))}", buttons)
            return page("Stand-in for VNPay: nobody is charged", f"<p>{amount} ₫</p>{form}")
        told = self.pay(said, code=dict(asked.form()).get("do", "24"))
        join = "&" if "?" in said["vnp_ReturnUrl"] else "?"
        return see_other(f"{said['vnp_ReturnUrl']}{join}{_query(told)}")

    def _transaction(self, said: dict[str, Any]) -> dict[str, Any]:
        refund = said.get("vnp_Command") == "refund"
        names = (REFUND if refund else QUERY).split()
        made = self.hash("|".join(str(said.get(name, "")) for name in names))
        if not hmac.compare_digest(str(said.get("vnp_SecureHash")), made):
            return {"vnp_ResponseCode": "97", "vnp_Message": "Invalid checksum"}
        done = self.transactions.get(str(said.get("vnp_TxnRef")))
        if done is None:
            return {"vnp_ResponseCode": "91", "vnp_Message": "Transaction not found"}
        status = done.status
        if refund:
            amount, request = int(said["vnp_Amount"]), str(said["vnp_RequestId"])
            if request in done.requests:
                return {"vnp_ResponseCode": "94", "vnp_Message": "Request duplicated"}
            if done.status != "00" or done.refunded + amount > done.amount:
                return {"vnp_ResponseCode": "95", "vnp_Message": "Refused"}
            done.requests[request] = said
            done.refunded += amount
            status = "05"
        told = {
            "vnp_ResponseId": f"r{len(self.asked)}",
            "vnp_Command": said["vnp_Command"],
            "vnp_ResponseCode": "00",
            "vnp_Message": "Success",
            "vnp_TmnCode": self.tmn_code,
            "vnp_TxnRef": done.ref,
            "vnp_Amount": said.get("vnp_Amount") if refund else str(done.amount),
            "vnp_BankCode": "NCB",
            "vnp_PayDate": done.paid_at,
            "vnp_TransactionNo": done.number,
            "vnp_TransactionType": said.get("vnp_TransactionType", "01"),
            "vnp_TransactionStatus": status,
            "vnp_OrderInfo": said["vnp_OrderInfo"],
        }
        names = (REFUND_ANSWER if refund else QUERY_ANSWER).split()
        text = "|".join(str(told.get(name, "")) for name in names)
        return {**told, "vnp_SecureHash": self.hash(text)}


def _query(said: dict[str, str]) -> str:
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in said.items())


if __name__ == "__main__":
    VnpayStandIn(
        int(sys.argv[1]), ipn=sys.argv[2], tmn_code=sys.argv[3], secret=sys.argv[4]
    ).serve()
