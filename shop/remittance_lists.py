"""A carrier's list of cash as its website exports it: which column is what, read and checked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from core import sheets
from core.errors import Invalid
from core.i18n import lazy as _
from core.money import ZERO, Money
from core.sheets import Row
from core.text import clean, words

MOST_ROWS = 2_000
LONGEST_NAME = 120
HEAD_WITHIN = 20
GREATEST = 1_000_000_000
# Columns by the names carriers give them, folded; the first that is found in a heading counts.
COLUMNS: dict[str, tuple[str, ...]] = {
    "waybill": (
        "ma van don", "ma don ghn", "ma don hang ghn", "so hieu buu gui", "ma buu gui",
        "ma phieu gui", "order code", "waybill", "tracking",
    ),
    "cod": ("tien thu ho", "thu ho", "tien cod", "cod amount", "cod"),
    "fee": ("tong phi", "phi dich vu", "phi giao", "cuoc", "phi", "fee"),
    "promo": ("khuyen mai", "giam gia", "promo"),
}  # fmt: skip
_AMOUNT = re.compile(r"-?[0-9]{1,3}(?:[.,][0-9]{3})+|-?[0-9]{1,12}")


class NotAList(Invalid):
    """The file holds no column of waybills and of cash, or an amount that cannot be read."""


@dataclass(frozen=True, slots=True)
class ListedRow:
    """One parcel of a list, with its row in the file."""

    number: int
    waybill: str
    cod: Money
    fee: Money


@dataclass(frozen=True, slots=True)
class Listed:
    """A whole list; `digest` is the same for the same file."""

    name: str
    digest: str
    rows: tuple[ListedRow, ...]
    promo: Money


def read(data: bytes, *, name: str) -> Listed:
    """Return the list in a CSV or XLSX file, or raise BadSheet or NotAList with the row to mend."""
    table = sheets.read(data)
    start, columns = _head(table)
    rows: list[ListedRow] = []
    promo = ZERO
    for row in table[start + 1 :]:
        waybill = _cell(row, columns, "waybill").upper().replace(" ", "")
        if not waybill or not any(letter.isdigit() for letter in waybill):
            continue  # the sums beneath the list
        cod, fee = _money(row, columns, "cod"), _money(row, columns, "fee")
        promo += _money(row, columns, "promo")
        rows.append(ListedRow(row.number, waybill[:60], cod, fee))
    if not rows or len(rows) > MOST_ROWS:
        raise NotAList(
            _("The file needs between 1 and %(most)s parcels.", most=MOST_ROWS), field="file"
        )
    digest = sha256(data).hexdigest()
    return Listed(clean(name)[:LONGEST_NAME] or digest[:8], digest, tuple(rows), promo)


def _head(table: Sequence[Row]) -> tuple[int, dict[str, int]]:
    for position, row in enumerate(table[:HEAD_WITHIN]):
        names = [" ".join(words(cell)) for cell in row.cells]
        columns = {role: found for role in COLUMNS if (found := _column(names, role)) is not None}
        if "waybill" in columns and "cod" in columns:
            return position, columns
    raise NotAList(
        _("The file needs a column “Mã vận đơn” and a column “Tiền thu hộ”."), field="file"
    )


def _column(names: Sequence[str], role: str) -> int | None:
    for alias in COLUMNS[role]:
        for index, name in enumerate(names):
            if name == alias or name.startswith(f"{alias} "):
                return index
    return None


def _cell(row: Row, columns: dict[str, int], role: str) -> str:
    index = columns.get(role)
    return row.cells[index] if index is not None and index < len(row.cells) else ""


def _money(row: Row, columns: dict[str, int], role: str) -> Money:
    text = re.sub(r"[\s ₫đĐ]", "", _cell(row, columns, role))
    if text in {"", "-", "–"}:
        return ZERO
    if not _AMOUNT.fullmatch(text):
        raise NotAList(
            _("Row %(number)s: “%(text)s” is no amount.", number=row.number, text=text[:30]),
            field="file",
        )
    # Some lists write fees with a minus, as what is taken off.
    amount = abs(int(re.sub(r"[.,]", "", text)))
    if amount > GREATEST:
        raise NotAList(
            _("Row %(number)s: “%(text)s” is no amount.", number=row.number, text=text[:30]),
            field="file",
        )
    return Money(amount)
