"""Casso: webhook V2 signed over the body with its keys in order, V1 with a plain secret header.

V2 tells of one movement, V1 of a list. 200 means taken. The signature is an HMAC-SHA512 of the
millisecond, a dot, and the body written anew: keys sorted at every level, no spaces, letters as
they are.
"""

import hmac
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256, sha512
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

PROVIDER = "casso"
FUTURE = timedelta(minutes=5)
LIST_PATH = "/v2/transactions"
A_PAGE = 100
MOST_PAGES = 50
_HEADER = re.compile("t=([0-9]{10,14}),v1=([0-9a-f]{128})", re.ASCII)


def is_genuine(
    headers: Mapping[str, str], said: Mapping[str, Any], keys: Mapping[str, str], *, now: datetime
) -> bool:
    """Say whether Casso sent this: by the signature where its key was given, else by the token.

    A message signed more than five minutes ahead of our clock is refused.
    """
    key = keys.get("checksum_key")
    if key:
        found = _HEADER.fullmatch(headers.get("x-casso-signature", "").replace(" ", ""))
        if found is None:
            return False
        ahead = int(found[1]) > (now + FUTURE).timestamp() * 1000
        return hmac.compare_digest(found[2], sign(key, said, found[1])) and not ahead
    token = keys.get("secure_token")
    given = headers.get("secure-token", "")
    return bool(token) and hmac.compare_digest(
        given.encode("utf-8", "replace"), str(token).encode()
    )


def sign(key: str, said: Mapping[str, Any], stamp: str) -> str:
    """Return the hexadecimal signature of a body at the millisecond `stamp`."""
    text = json.dumps(
        _as_javascript_writes(said), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hmac.new(key.encode(), f"{stamp}.{text}".encode(), sha512).hexdigest()


def _as_javascript_writes(value: Any) -> Any:
    """Return `value` with 1.0 as 1: the other side signs what its language would write."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _as_javascript_writes(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_as_javascript_writes(one) for one in value]
    return value


def event_id(said: Mapping[str, Any], body: bytes) -> str:
    """Return the number by which a repeat is known; a list is known by its content."""
    data = said.get("data")
    if isinstance(data, dict):
        return f"{text_of(data, 'id')}:{text_in(data, 'reference', longest=100) or ''}"
    return sha256(body).hexdigest()


def rows_of(said: Mapping[str, Any]) -> list[BankRow]:
    """Return the movements a webhook tells of: one (V2) or a list of them (V1)."""
    data = said.get("data")
    listed = data if isinstance(data, list) else [data]
    return [_row(one) for one in listed]


def list_query(since: date, until: date, *, page: int) -> dict[str, str]:
    """Return how to ask for one page of the movements of these days."""
    return {
        "fromDate": since.isoformat(),
        "toDate": until.isoformat(),
        "page": str(page),
        "pageSize": str(A_PAGE),
        "sort": "ASC",
    }


def rows_listed(answer: Any) -> Iterator[BankRow]:
    """Give the movements of one page; what cannot be read is passed over."""
    for said in _page(answer).get("records") or []:
        try:
            yield _row(said)
        except BadNotice:
            continue


def pages_of(answer: Any) -> int:
    """Return how many pages there are."""
    pages = _page(answer).get("totalPages")
    return min(pages, MOST_PAGES) if isinstance(pages, int) else 1


def _page(answer: Any) -> dict[str, Any]:
    data = answer.get("data") if isinstance(answer, dict) else None
    return data if isinstance(data, dict) else {}


def _row(said: Any) -> BankRow:
    if not isinstance(said, dict):
        raise BadNotice("an entry is no object")
    amount, direction = signed(whole_dong(said.get("amount")))
    return BankRow(
        provider=PROVIDER,
        txn_id=text_of(said, "id", "tid"),
        account=text_of(said, "accountNumber", "subAccId", "bank_sub_acc_id", "bankSubAccId"),
        amount=amount,
        direction=direction,
        memo=text_in(said, "description") or "",
        at=moment_of(text_of(said, "transactionDateTime", "when")),
        reference=text_in(said, "reference", "tid", longest=100),
        sub_account=text_in(said, "virtualAccountNumber", "virtualAccount", longest=100),
        counter_name=text_in(said, "counterAccountName", "corresponsiveName", longest=100),
        counter_account=text_in(said, "counterAccountNumber", "corresponsiveAccount", longest=100),
    )
