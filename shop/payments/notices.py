"""What a bank says about one movement on an account, in the same words whoever brings the news."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.clock import VIETNAM
from core.money import Money
from core.text import clean

LONGEST_TEXT = 500
LONGEST_ID = 100
GREATEST = 10**13
_NOT_ACCOUNT = re.compile("[^0-9A-Z]")


class BadNotice(Exception):  # noqa: N818 - what the notice is
    """It is signed, but says nothing that could be a movement of money; a person must look."""


class Direction(enum.StrEnum):
    """Whether money came to the account or left it."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class BankRow:
    """One movement on an account; `txn_id` is the provider's own number of it.

    `sub_account` is a virtual account in front of `account`, if the money came that way.
    """

    provider: str
    txn_id: str
    account: str
    amount: Money
    direction: Direction
    memo: str
    at: datetime
    reference: str | None = None
    sub_account: str | None = None
    counter_name: str | None = None
    counter_account: str | None = None


def plain_account(text: str) -> str:
    """Return an account number without the spaces and dots people and banks write into it."""
    return _NOT_ACCOUNT.sub("", text.upper())


def text_in(data: Mapping[str, Any], *names: str, longest: int = LONGEST_TEXT) -> str | None:
    """Return the first of these fields that says anything, as one tidy line."""
    for name in names:
        value = data.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int):
            continue
        said = clean(str(value)).replace("\n", " ")[:longest].strip()
        if said:
            return said
    return None


def text_of(data: Mapping[str, Any], *names: str, longest: int = LONGEST_ID) -> str:
    """Return what `text_in` finds; BadNotice when none of the fields says anything."""
    said = text_in(data, *names, longest=longest)
    if said is None:
        raise BadNotice(f"{names[0]} is missing")
    return said


def whole_dong(value: Any) -> int:
    """Return a number of đồng, or raise BadNotice: half a đồng and «lots» are none.

    Accepts 599000, 599000.0 and "599000.00", which is how one and the same service writes them.
    """
    if isinstance(value, str):
        value = value.strip()
        match = re.fullmatch(r"(-?[0-9]{1,14})(\.0{1,4})?", value, re.ASCII)
        value = int(match[1]) if match else None
    elif isinstance(value, float) and value.is_integer() and abs(value) < GREATEST:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= GREATEST:
        raise BadNotice("the amount is no whole number of đồng")
    return value


def moment_of(text: str) -> datetime:
    """Return the moment a service wrote as the clock in Vietnam shows it, or with its own zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadNotice("the moment cannot be read") from error
    local = moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM)
    try:
        return local.astimezone(UTC)
    except OverflowError as error:
        raise BadNotice("the moment cannot be read") from error


def signed(amount: int) -> tuple[Money, Direction]:
    """Return the size and the direction of an amount written with its sign; zero is no movement."""
    if amount == 0:
        raise BadNotice("no money moved")
    return Money(abs(amount)), Direction.IN if amount > 0 else Direction.OUT
