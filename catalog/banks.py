"""Banks by BIN, the six digits that never change while names do; and what an account number is."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from core.errors import Invalid, NotFound
from core.i18n import lazy as _
from core.settings import ROOT
from core.words import vietnamese_sort_key

BANKS_FILE = ROOT / "data" / "banks.json"

_SEPARATORS = re.compile(r"[\s.\-]+")
_ACCOUNT_NUMBER = re.compile("[0-9A-Za-z]{6,19}")


class UnknownBank(NotFound):
    """No bank has this BIN."""


class InvalidAccountNumber(Invalid):
    """An account number is 6 to 19 letters and digits."""


@dataclass(frozen=True, slots=True)
class Bank:
    """One bank under its present name. Every one of them can be paid by VietQR."""

    bin: str
    code: str
    short_name: str
    name: str
    sends_vietqr: bool
    former_names: tuple[str, ...]


@lru_cache(maxsize=1)
def banks() -> Mapping[str, Bank]:
    """Return every bank by its BIN, read once."""
    rows = json.loads(BANKS_FILE.read_text("utf-8"))["banks"]
    return MappingProxyType(
        {
            row["bin"]: Bank(
                bin=row["bin"],
                code=row["code"],
                short_name=row["short_name"],
                name=row["name"],
                sends_vietqr=row["vietqr"] == "transfer",
                former_names=tuple(row["former_names"]),
            )
            for row in rows
        }
    )


def find_bank(bank_bin: str) -> Bank | None:
    """Return the bank of this BIN, if there is one."""
    return banks().get(bank_bin)


def get_bank(bank_bin: str) -> Bank:
    """Return the bank of this BIN, or raise UnknownBank."""
    bank = find_bank(bank_bin)
    if bank is None:
        raise UnknownBank(_("There is no bank with the number %(bin)s", bin=bank_bin))
    return bank


def list_transfer_banks() -> list[Bank]:
    """Return the banks at which an account can be paid by VietQR, by their short names."""
    return sorted(banks().values(), key=lambda bank: vietnamese_sort_key(bank.short_name))


def parse_account_number(text: str) -> str:
    """Return an account number as typed without its spaces, dots and dashes."""
    number = _SEPARATORS.sub("", text)
    if not _ACCOUNT_NUMBER.fullmatch(number):
        message = _("An account number has 6 to 19 letters and digits")
        raise InvalidAccountNumber(message, field="bank_account")
    return number
