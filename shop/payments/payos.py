"""payOS: one JSON object for each payment, with the signature inside the body.

The signature is an HMAC-SHA256 of `key=value` pairs of `data`, sorted by key and joined by «&».
Any 2xx means taken. Its payment links carry words of the payer too, so a transfer is matched by
the memo like every other.
"""

import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from shop.payments.notices import (
    BadNotice,
    BankRow,
    moment_of,
    signed,
    text_in,
    text_of,
    whole_dong,
)

PROVIDER = "payos"
PAID = "00"
REGISTER_PATH = "/confirm-webhook"


def is_genuine(said: Mapping[str, Any], keys: Mapping[str, str]) -> bool:
    """Say whether payOS sent this."""
    key, data, given = keys.get("checksum_key"), said.get("data"), said.get("signature")
    if not key or not isinstance(data, dict) or not isinstance(given, str):
        return False
    return hmac.compare_digest(given.encode("utf-8", "replace"), sign(key, data).encode())


def sign(key: str, data: Mapping[str, Any]) -> str:
    """Return the hexadecimal signature of `data`."""
    pairs = "&".join(f"{name}={_written(data[name])}" for name in sorted(data))
    return hmac.new(key.encode(), pairs.encode(), sha256).hexdigest()


def _written(value: Any) -> str:
    if value is None or value in ("undefined", "null"):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        inner = [dict(sorted(one.items())) if isinstance(one, dict) else one for one in value]
        return json.dumps(inner, separators=(",", ":"), ensure_ascii=False)
    return str(value)


def event_id(said: Mapping[str, Any]) -> str:
    """Return what a repeat is known by: the payment link and the bank's reference."""
    return _number(_data(said))


def row_of(said: Mapping[str, Any]) -> BankRow:
    """Return the movement a webhook tells of; BadNotice when nothing was paid."""
    data = _data(said)
    if data.get("code") != PAID or data.get("currency", "VND") != "VND":
        raise BadNotice("nothing was paid in đồng")
    amount, direction = signed(whole_dong(data.get("amount")))
    return BankRow(
        provider=PROVIDER,
        txn_id=_number(data),
        account=text_of(data, "accountNumber"),
        amount=amount,
        direction=direction,
        memo=text_in(data, "description") or "",
        at=moment_of(text_of(data, "transactionDateTime")),
        reference=text_in(data, "reference", longest=100),
        sub_account=text_in(data, "virtualAccountNumber", longest=100),
        counter_name=text_in(data, "counterAccountName", longest=100),
        counter_account=text_in(data, "counterAccountNumber", longest=100),
    )


def refusal(answer: Any) -> str | None:
    """Return why payOS did not do what was asked, None when it did."""
    code = answer.get("code") if isinstance(answer, dict) else None
    return None if code == PAID else str(code)


def _data(said: Mapping[str, Any]) -> dict[str, Any]:
    data = said.get("data")
    if not isinstance(data, dict):
        raise BadNotice("there is no data")
    return data


def _number(data: Mapping[str, Any]) -> str:
    return f"{text_of(data, 'paymentLinkId')}:{text_of(data, 'reference')}"[:100]
