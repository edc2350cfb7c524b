"""A stand-in for who watches bank accounts: SePay, Casso and payOS, with signed calls and lists.

`python -m demo.standins.banks PORT` serves the lists; no money ever moves.
"""

import json
import random
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from core.clock import VIETNAM, utc_now
from demo.standins.serving import Asked, Said, StandIn, until_true
from shop.payments import casso, payos, sepay

API_TOKEN = "token-of-the-bank-stand-in"  # noqa: S105 - proves nothing but that demo and shop fit
BANK = "Ngân hàng minh hoạ"
MOMENT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement on an account, as the bank has it."""

    number: int
    account: str
    amount: int
    memo: str
    reference: str
    at: datetime
    coming_in: bool = True

    @property
    def moment(self) -> str:
        """Return the moment as these services write it."""
        return self.at.astimezone(VIETNAM).strftime(MOMENT)


@dataclass(frozen=True, slots=True)
class Hook:
    """Where one service calls, and the key it signs with."""

    address: str
    key: str


@dataclass(slots=True)
class Sending:
    """How calls go out: each so often, the newest first, or not at all."""

    duplicates: int = 1
    disorder: bool = False
    off: bool = False


@dataclass(slots=True)
class Kept:
    """All movements, where payOS was told to call, and how each call was answered."""

    movements: list[Movement] = field(default_factory=list)
    registered: list[str] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)


class BankStandIn(StandIn):
    """A bank whose accounts three services watch; `hooks` says where each of them calls."""

    def __init__(
        self, port: int = 0, *, hooks: Mapping[str, Hook] | None = None, seed: int = 1
    ) -> None:
        """Stand ready at `port`, or at a free one."""
        super().__init__(port)
        self.hooks = dict(hooks or {})
        self.kept = Kept()
        self.sending = Sending()
        self._chance = random.Random(seed)  # noqa: S311 - the order of calls of a play

    def answer(self, asked: Asked) -> Said:
        """Answer as the service does whose address was asked for."""
        if asked.path == sepay.LIST_PATH:
            return self._sepay_list(asked)
        if asked.path == casso.LIST_PATH:
            return self._casso_list(asked)
        if asked.path == payos.REGISTER_PATH:
            return self._register(asked)
        return Said({"error": "not found"}, 404)

    def move(
        self,
        amount: int,
        memo: str,
        *,
        account: str,
        at: datetime | None = None,
        coming_in: bool = True,
    ) -> Movement:
        """Let money move on an account; nobody is told yet."""
        with self.lock:
            number = 92_000 + len(self.kept.movements)
            reference = f"FT{number}"
            movement = Movement(
                number, account, amount, memo, reference, at or utc_now(), coming_in
            )
            self.kept.movements.append(movement)
        return movement

    def tell(self, movements: Iterable[Movement], *, by: str) -> None:
        """Let one service tell the shop: again, in any order, until the shop has taken it."""
        calls = [one for one in movements for _again in range(self.sending.duplicates)]
        if self.sending.disorder:
            self._chance.shuffle(calls)
        for movement in calls:
            if not self.sending.off:
                until_true(lambda one=movement: self.call(one, by=by) < 500, tries=7, pause=0.1)  # type: ignore[misc]

    def call(self, movement: Movement, *, by: str, key: str | None = None) -> int:
        """Call once; return how it was answered, 599 for not at all."""
        hook = self.hooks[by]
        body, headers = signed_call(movement, by=by, key=key or hook.key)
        headers = {"Content-Type": "application/json", **headers}
        request = Request(hook.address, body, headers)  # noqa: S310 - an address of our own
        try:
            with urlopen(request, timeout=10) as response:  # noqa: S310
                status = int(response.status)
        except HTTPError as error:
            status = error.code
            error.close()
        except OSError:
            status = 599
        with self.lock:
            self.kept.answered.append(status)
        return status

    def _sepay_list(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") != f"Bearer {API_TOKEN}":
            return Said({"status": 401, "error": "Unauthorized"}, 401)
        since, until = (asked.query[f"transaction_date_{end}"] for end in ("min", "max"))
        found = [one for one in self.kept.movements if since <= one.moment <= until]
        return Said({"status": 200, "error": None, "transactions": [_listed(one) for one in found]})

    def _casso_list(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") != f"Apikey {API_TOKEN}":
            return Said({"error": 401, "message": "unauthorized", "data": None}, 401)
        page, size = int(asked.query["page"]), int(asked.query["pageSize"])
        since = asked.query["fromDate"]
        found = [one for one in self.kept.movements if since <= one.moment[:10]]
        shown = found[(page - 1) * size : page * size]
        records = [_casso(one) for one in shown]
        pages = max(1, -(-len(found) // size))
        data = {"page": page, "pageSize": size, "totalPages": pages, "records": records}
        return Said({"error": 0, "message": "success", "data": data})

    def _register(self, asked: Asked) -> Said:
        if asked.headers.get("x-api-key") != API_TOKEN or not asked.headers.get("x-client-id"):
            return Said({"code": "401", "desc": "unauthorized"}, 401)
        address = json.loads(asked.body)["webhookUrl"]
        self.kept.registered.append(address)
        return Said({"code": "00", "desc": "success", "data": {"webhookUrl": address}})


def signed_call(movement: Movement, *, by: str, key: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a service's call about a movement, proved with its key."""
    now = utc_now()
    if by == sepay.PROVIDER:
        body = json.dumps(_sepay(movement)).encode()
        stamp = str(int(now.timestamp()))
        signature = sepay.sign(key, body, stamp)
        return body, {"X-SePay-Signature": f"sha256={signature}", "X-SePay-Timestamp": stamp}
    if by == casso.PROVIDER:
        said = {"error": 0, "data": _casso(movement)}
        stamp = str(int(now.timestamp() * 1000))
        return json.dumps(said).encode(), {
            "X-Casso-Signature": f"t={stamp},v1={casso.sign(key, said, stamp)}"
        }
    data = _payos(movement)
    said = {"code": "00", "desc": "success", "success": True, "data": data}
    return json.dumps({**said, "signature": payos.sign(key, data)}).encode(), {}


def _sepay(one: Movement) -> dict[str, Any]:
    return {
        "id": one.number,
        "gateway": BANK,
        "transactionDate": one.moment,
        "accountNumber": one.account,
        "subAccount": None,
        "code": None,
        "content": one.memo,
        "transferType": "in" if one.coming_in else "out",
        "transferAmount": one.amount,
        "accumulated": 0,
        "referenceCode": one.reference,
        "description": one.memo,
    }


def _listed(one: Movement) -> dict[str, Any]:
    return {
        "id": str(one.number),
        "bank_brand_name": BANK,
        "account_number": one.account,
        "transaction_date": one.moment,
        "amount_in": f"{one.amount if one.coming_in else 0}.00",
        "amount_out": f"{0 if one.coming_in else one.amount}.00",
        "accumulated": "0.00",
        "transaction_content": one.memo,
        "reference_number": one.reference,
        "code": None,
        "sub_account": None,
    }


def _casso(one: Movement) -> dict[str, Any]:
    return {
        "id": one.number,
        "reference": one.reference,
        "tid": one.reference,
        "description": one.memo,
        "amount": one.amount if one.coming_in else -one.amount,
        "runningBalance": 0,
        "transactionDateTime": one.moment,
        "when": one.moment,
        "accountNumber": one.account,
        "bankSubAccId": one.account,
        "bankName": BANK,
        "virtualAccountNumber": "",
        "counterAccountName": "NGUOI MUA MINH HOA",
        "counterAccountNumber": "",
    }


def _payos(one: Movement) -> dict[str, Any]:
    return {
        "orderCode": one.number,
        "amount": one.amount,
        "description": one.memo,
        "accountNumber": one.account,
        "reference": one.reference,
        "transactionDateTime": one.moment,
        "currency": "VND",
        "paymentLinkId": f"link{one.number}",
        "code": "00",
        "desc": "success",
        "counterAccountName": None,
        "counterAccountNumber": None,
        "virtualAccountNumber": None,
    }


if __name__ == "__main__":
    BankStandIn(int(sys.argv[1])).serve()
