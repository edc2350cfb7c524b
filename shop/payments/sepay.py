"""SePay: one JSON object for each movement, proved by an API key or by an HMAC of the body.

developer.sepay.vn: the answer must be 200 or 201 with `{"success": true}` within 30 s; else it is
sent again, up to seven times. `id` names the movement and is the same in the list of movements.
"""

import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from core.money import Money
from shop.payments.notices import (
    BadNotice,
    BankRow,
    Direction,
    moment_of,
    signed,
    text_in,
    text_of,
    whole_dong,
)

PROVIDER = "sepay"
FUTURE = timedelta(minutes=5)
LIST_PATH = "/userapi/transactions/list"
MOST_LISTED = 5_000
_SIGNATURE = re.compile("sha256=([0-9a-f]{64})", re.ASCII)
_SECONDS = re.compile("[0-9]{10}", re.ASCII)


def is_genuine(
    headers: Mapping[str, str], body: bytes, keys: Mapping[str, str], *, now: datetime
) -> bool:
    """Say whether SePay sent this: by the HMAC key where one was given, else by the API key.

    A message signed more than five minutes ahead of our clock is refused; an old one is not, since
    it may be a repeat, and what repeats is known by its number.
    """
    secret = keys.get("hmac_secret")
    if secret:
        found = _SIGNATURE.fullmatch(headers.get("x-sepay-signature", ""))
        stamp = headers.get("x-sepay-timestamp", "")
        if found is None or not _SECONDS.fullmatch(stamp):
            return False
        right = sign(secret, body, stamp)
        ahead = int(stamp) > (now + FUTURE).timestamp()
        return hmac.compare_digest(found[1], right) and not ahead
    key = keys.get("api_key")
    given = headers.get("authorization", "")
    return bool(key) and hmac.compare_digest(
        given.encode("utf-8", "replace"), f"Apikey {key}".encode()
    )


def sign(secret: str, body: bytes, stamp: str) -> str:
    """Return the hexadecimal signature of `body` at the second `stamp`."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest()


def event_id(said: Mapping[str, Any]) -> str:
    """Return the number by which a repeat is known."""
    return text_of(said, "id")


def row_of(said: Mapping[str, Any]) -> BankRow:
    """Return the movement a webhook tells of."""
    amount, _direction = signed(whole_dong(said.get("transferAmount")))
    try:
        direction = Direction(str(said.get("transferType")))
    except ValueError as error:
        raise BadNotice("money neither came in nor went out") from error
    return BankRow(
        provider=PROVIDER,
        txn_id=text_of(said, "id"),
        account=text_of(said, "accountNumber"),
        amount=amount,
        direction=direction,
        memo=text_in(said, "content", "description") or "",
        at=moment_of(text_of(said, "transactionDate")),
        reference=text_in(said, "referenceCode", longest=100),
        sub_account=text_in(said, "subAccount", longest=100),
    )


def list_query(since: date, until: date) -> dict[str, str]:
    """Return how to ask for the movements of these days, both included."""
    return {
        "transaction_date_min": f"{since.isoformat()} 00:00:00",
        "transaction_date_max": f"{until.isoformat()} 23:59:59",
        "limit": str(MOST_LISTED),
    }


def rows_listed(answer: Any) -> Iterator[BankRow]:
    """Give the movements of a list; what cannot be read is passed over, it will not get better."""
    listed = answer.get("transactions") if isinstance(answer, dict) else None
    for said in listed if isinstance(listed, list) else []:
        try:
            yield _listed(said)
        except BadNotice:
            continue


def _listed(said: Any) -> BankRow:
    if not isinstance(said, dict):
        raise BadNotice("an entry is no object")
    came, left = whole_dong(said.get("amount_in")), whole_dong(said.get("amount_out"))
    amount, direction = signed(came or -left)
    return BankRow(
        provider=PROVIDER,
        txn_id=text_of(said, "id"),
        account=text_of(said, "account_number"),
        amount=Money(amount.dong),
        direction=direction,
        memo=text_in(said, "transaction_content") or "",
        at=moment_of(text_of(said, "transaction_date")),
        reference=text_in(said, "reference_number", longest=100),
        sub_account=text_in(said, "sub_account", longest=100),
    )
