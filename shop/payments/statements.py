"""A bank statement as the bank's own site exports it: which column is what, and what each row says.

Every bank orders and names its columns otherwise, in Vietnamese, in English or in both at once, and
puts its address above and its totals below. The head is known by its words, whatever stands around.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256

from core import sheets
from core.clock import VIETNAM
from core.errors import Invalid
from core.i18n import lazy as _
from core.money import Money
from core.sheets import Row
from core.text import words
from shop.payments.notices import GREATEST, BankRow, Direction, plain_account

PROVIDER = "statement"
HEAD_WITHIN = 40
LONGEST = 500
FUTURE = timedelta(days=1)
# Each column's role by the words in its head, the surer first; a column has one role, and a role
# goes to the first column that fits its surest words.
ROLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("balance", ("so du", "balance")),
    (
        "credit",
        (
            "ghi co", "phat sinh co", "ps co", "so tien gui", "gui vao", "tien vao", "credit",
            "co tktt", "co",
        ),
    ),
    (
        "debit",
        (
            "ghi no", "phat sinh no", "ps no", "so tien rut", "rut ra", "tien ra", "debit",
            "no tktt", "no",
        ),
    ),
    (
        "date",
        (
            "ngay giao dich", "ngay gd", "transaction date", "ngay phat sinh",
            "thoi gian giao dich", "ngay hach toan", "posting date", "thoi gian",
            "ngay hieu luc", "ngay", "date",
        ),
    ),
    (
        "reference",
        (
            "so tham chieu", "so but toan", "ma giao dich", "transaction number", "transaction no",
            "so giao dich", "reference no", "reference", "so ct", "so chung tu", "doc no", "so gd",
            "ma gd", "so ref", "ref", "seq",
        ),
    ),
    (
        "counter_account",
        ("tai khoan doi ung", "so tk doi ung", "tk doi ung", "corresponsive account"),
    ),
    ("counter_name", ("ten tai khoan doi ung", "doi tac", "remitter", "don vi chuyen")),
    (
        "memo",
        (
            "noi dung", "dien giai", "mo ta", "description", "transactions in detail", "remarks",
            "details", "chi tiet",
        ),
    ),
    ("amount", ("so tien", "amount")),
)  # fmt: skip
_DAY = re.compile(r"\b([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4}|[0-9]{2})\b", re.ASCII)
_ISO_DAY = re.compile(r"\b([0-9]{4})-([0-9]{2})-([0-9]{2})\b", re.ASCII)
_CLOCK = re.compile(r"\b([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?\b", re.ASCII)
_AMOUNT = re.compile(r"([+-]?)([0-9]+(?:[.,][0-9]+)*)(?:vnd|đ|₫|d)?", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile("[0-9A-Za-z][0-9A-Za-z .-]{4,24}[0-9A-Za-z]")
_FOOT = frozenset({"tong", "cong", "total", "du"})


class NotAStatement(Invalid):
    """No row of the file heads the columns of a statement."""


class OtherAccount(Invalid):
    """The statement says that it is of another account."""


class BadLine(Exception):  # noqa: N818 - what the line is
    """One row that cannot be taken; its message tells its writer why."""

    def __init__(self, message: object) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the statement: the movement it tells of, or why it cannot be taken."""

    number: int
    cells: tuple[str, ...]
    row: BankRow | None
    mistake: object | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was read: its head and its lines, good and bad."""

    head: tuple[str, ...]
    lines: list[Line]

    @property
    def rows(self) -> list[BankRow]:
        """Return the movements."""
        return [line.row for line in self.lines if line.row is not None]

    @property
    def failed(self) -> list[Line]:
        """Return the lines that cannot be taken."""
        return [line for line in self.lines if line.mistake is not None]


def read(table: Sequence[Row], *, account: str, now: datetime) -> Statement:
    """Return what the statement of `account` says.

    The same file gives every movement the same number, so that taking it twice changes nothing.
    Raises NotAStatement, or OtherAccount where the file itself names another account.
    """
    position, columns = _head(table)
    _refuse_other(table[:position], account)
    seen: Counter[str] = Counter()
    lines = [
        line
        for row in table[position + 1 :]
        if (line := _line(row, columns, account=account, seen=seen, now=now)) is not None
    ]
    return Statement(table[position].cells, lines)


def write_failed(statement: Statement) -> bytes:
    """Return the lines that could not be taken as a CSV file, each with its reason."""
    width = max([len(statement.head), *(len(line.cells) for line in statement.failed)])
    head = [*_padded(statement.head, width), str(_("Mistake"))]
    rows = [[*_padded(line.cells, width), str(line.mistake)] for line in statement.failed]
    return sheets.write_csv([head, *rows])


def _padded(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))]


def _head(table: Sequence[Row]) -> tuple[int, dict[str, int]]:
    """Return where the head stands and which column is what."""
    for position, row in enumerate(table[:HEAD_WITHIN]):
        columns = _columns(row.cells)
        if {"date", "memo"} <= columns.keys() and columns.keys() & {"credit", "amount"}:
            return position, columns
    raise NotAStatement(
        _(
            "No row heads the columns of a bank statement: day, money in, content. "
            "Export the statement from the bank's site and send it unchanged."
        ),
        field="file",
    )


def _columns(cells: Sequence[str]) -> dict[str, int]:
    heads = [f" {' '.join(words(cell))} " for cell in cells]
    found: dict[str, int] = {}
    for role, phrases in ROLES:
        for phrase in phrases:
            fits = [
                column
                for column, head in enumerate(heads)
                if f" {phrase} " in head and column not in found.values()
            ]
            if fits:
                found[role] = fits[0]
                break
    return found


def _refuse_other(above: Iterable[Row], account: str) -> None:
    named = set()
    for row in above:
        for column, cell in enumerate(row.cells):
            said = f" {' '.join(words(cell))} "
            if " tai khoan " in said or " account " in said or " so tk " in said:
                beside = " ".join(row.cells[column : column + 4])
                named |= {plain_account(number) for number in _NUMBER.findall(beside)}
    numbers = {number for number in named if sum(c.isdigit() for c in number) >= len(number) - 2}
    if numbers and not any(plain_account(account) in number for number in numbers):
        raise OtherAccount(
            _("This is the statement of another account, not of %(account)s.", account=account),
            field="file",
        )


def _line(
    row: Row, columns: Mapping[str, int], *, account: str, seen: Counter[str], now: datetime
) -> Line | None:
    """Return what a row says; None for rows that tell of no movement: totals, blanks, balances."""

    def cell(role: str) -> str:
        column = columns.get(role)
        return row.cells[column] if column is not None and column < len(row.cells) else ""

    if not any(cell(role) for role in ("credit", "debit", "amount")):
        return None
    if not _day_in(cell("date")) and _FOOT & set(words(" ".join(row.cells))):
        return None
    try:
        amount, direction = _money(cell)
        if not amount:
            return None
        at = _moment(cell("date"), now=now)
    except BadLine as wrong:
        return Line(row.number, row.cells, None, wrong.message)
    memo, reference = cell("memo").replace("\n", " ")[:LONGEST], cell("reference")[:100]
    told = reference or "|".join([at.isoformat(), memo, cell("balance")])
    name = f"{sha256(told.encode()).hexdigest()[:24]}:{direction}:{amount}"
    seen[name] += 1
    return Line(
        row.number,
        row.cells,
        BankRow(
            provider=PROVIDER,
            txn_id=f"{name}:{seen[name]}",
            account=account,
            amount=Money(amount),
            direction=direction,
            memo=memo,
            at=at,
            reference=_once(reference, seen[name]),
            counter_name=cell("counter_name")[:100] or None,
            counter_account=cell("counter_account")[:100] or None,
        ),
    )


def _once(reference: str, number: int) -> str | None:
    """Return the reference, told apart where a bank gives one to two equal movements."""
    return (reference if number == 1 else f"{reference} ({number})") or None


def _money(cell: Callable[[str], str]) -> tuple[int, Direction]:
    credit, debit = read_amount(cell("credit")), read_amount(cell("debit"))
    if not credit and not debit and cell("amount"):
        amount = read_amount(cell("amount"))
        return abs(amount), Direction.IN if amount > 0 else Direction.OUT
    if credit and debit:
        raise BadLine(_("Money in and money out stand in one row."))
    # Some banks write what left the account with a minus in its own column too.
    return abs(credit or debit), Direction.IN if credit else Direction.OUT


def read_amount(text: str) -> int:
    """Return an amount however a bank wrote it; nothing and a dash are zero, else BadLine."""
    bare = re.sub(r"[\s\u00a0]", "", text)
    if bare in {"", "-", "–", "0"}:
        return 0
    match = _AMOUNT.fullmatch(bare)
    if match is None:
        raise BadLine(_("The amount “%(text)s” cannot be read.", text=text[:40]))
    pieces = re.split("[.,]", match[2])
    if len(pieces) > 1 and len(pieces[-1]) != 3:  # noqa: PLR2004 - thousands come in threes
        if pieces[-1].strip("0"):
            raise BadLine(_("The amount “%(text)s” is no whole number of đồng.", text=text[:40]))
        pieces = pieces[:-1]
    if any(len(piece) != 3 for piece in pieces[1:]) or (len(pieces) > 1 and len(pieces[0]) > 3):  # noqa: PLR2004
        raise BadLine(_("The amount “%(text)s” cannot be read.", text=text[:40]))
    amount = int("".join(pieces))
    if amount >= GREATEST:
        raise BadLine(_("The amount “%(text)s” cannot be read.", text=text[:40]))
    return -amount if match[1] == "-" else amount


def _moment(text: str, *, now: datetime) -> datetime:
    day = _day_in(text)
    if day is None:
        raise BadLine(
            _("The day “%(text)s” cannot be read. Write it as 25/11/2026.", text=text[:40])
        )
    clock = _CLOCK.search(text)
    try:
        at = time(int(clock[1]), int(clock[2]), int(clock[3] or 0)) if clock else time()
        moment = datetime(*day, at.hour, at.minute, at.second, tzinfo=VIETNAM).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = _("The day “%(text)s” cannot be read. Write it as 25/11/2026.", text=text[:40])
        raise BadLine(message) from error
    if moment > now + FUTURE:
        raise BadLine(_("The day “%(text)s” has not come yet.", text=text[:40]))
    return moment


def _day_in(text: str) -> tuple[int, int, int] | None:
    iso = _ISO_DAY.search(text)
    if iso:
        return int(iso[1]), int(iso[2]), int(iso[3])
    found = _DAY.search(text)
    if found is None:
        return None
    year = int(found[3])
    return (year if year > 99 else 2000 + year), int(found[2]), int(found[1])  # noqa: PLR2004
