"""A producer's statement: one month of its account, from the opening to the closing balance."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from catalog.producers import Producer
from core.clock import VIETNAM
from core.db import Database
from core.money import ZERO, Money
from core.web.paging import read_cursor, write_cursor
from shop.ledger import Kind, LedgerEntry

PER_PAGE = 100
AT_ONCE = 1_000
LAST_MONTH = 12
FIRST_YEAR, LAST_YEAR = 2000, 2999
# What a spreadsheet would take for a formula.
RISKY = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Month:
    """One month of Vietnam's calendar."""

    year: int
    month: int

    @property
    def starts_at(self) -> datetime:
        """Return its first moment."""
        return datetime(self.year, self.month, 1, tzinfo=VIETNAM).astimezone(UTC)

    @property
    def ends_at(self) -> datetime:
        """Return the first moment after it."""
        return self.next.starts_at

    @property
    def next(self) -> "Month":
        """Return the month after it."""
        return Month(self.year + self.month // LAST_MONTH, self.month % LAST_MONTH + 1)

    @property
    def before(self) -> "Month":
        """Return the month before it."""
        if self.month == 1:
            return Month(self.year - 1, LAST_MONTH)
        return Month(self.year, self.month - 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


@dataclass(frozen=True, slots=True)
class Row:
    """One entry with what the balance was after it."""

    entry: LedgerEntry
    balance: Money


@dataclass(frozen=True, slots=True)
class Statement:
    """One page of a month. `opening` and `closing` are the month's; `sums` its total by kind."""

    month: Month
    opening: Money
    closing: Money
    sums: dict[Kind, Money]
    rows: list[Row]
    next_after: tuple[datetime, int] | None


def month_of(now: datetime) -> Month:
    """Return the month of Vietnam's calendar at this moment."""
    local = now.astimezone(VIETNAM)
    return Month(local.year, local.month)


def read_month(text: str | None, *, now: datetime) -> Month:
    """Read «2026-11»; anything else is the present month."""
    year, _dash, month = (text or "").partition("-")
    if year.isdecimal() and month.isdecimal() and len(year) == len("2026"):
        found = Month(int(year), int(month[:2]))
        if FIRST_YEAR <= found.year <= LAST_YEAR and 1 <= found.month <= LAST_MONTH:
            return found
    return month_of(now)


def read(
    session: Session,
    producer_id: int,
    month: Month,
    *,
    after: tuple[datetime, int] | None = None,
    limit: int = PER_PAGE,
) -> Statement:
    """Return one page of a producer's month, after the mark (moment, id) of the last row seen."""
    opening = _sum(session, producer_id, LedgerEntry.at < month.starts_at)
    in_month = (LedgerEntry.at >= month.starts_at) & (LedgerEntry.at < month.ends_at)
    of_kinds = session.execute(
        select(LedgerEntry.kind, func.sum(LedgerEntry.amount))
        .where(LedgerEntry.producer_id == producer_id, in_month)
        .group_by(LedgerEntry.kind)
    )
    sums: dict[Kind, Money] = {kind: amount for kind, amount in of_kinds}  # noqa: C416 - rows
    balance = opening
    if after is not None:
        balance += _sum(session, producer_id, in_month & ~_beyond(after))
    found = list(
        session.scalars(
            select(LedgerEntry)
            .where(LedgerEntry.producer_id == producer_id, in_month)
            .where(_beyond(after) if after is not None else LedgerEntry.id > 0)
            .order_by(LedgerEntry.at, LedgerEntry.id)
            .limit(limit + 1)
        )
    )
    rows = []
    for entry in found[:limit]:
        balance += entry.amount
        rows.append(Row(entry, balance))
    last = rows[-1].entry if len(found) > limit else None
    return Statement(
        month=month,
        opening=opening,
        closing=Money(opening.dong + sum(amount.dong for amount in sums.values())),
        sums=sums,
        rows=rows,
        next_after=(last.at, last.id) if last else None,
    )


def list_balances(session: Session, *, after: int, limit: int) -> list[tuple[Producer, Money]]:
    """Return producers whose account has entries, by id beyond `after`, with their balances."""
    sums = (
        select(LedgerEntry.producer_id, func.sum(LedgerEntry.amount).label("balance"))
        .where(LedgerEntry.producer_id > after)
        .group_by(LedgerEntry.producer_id)
        .order_by(LedgerEntry.producer_id)
        .limit(limit)
        .subquery()
    )
    rows = session.execute(
        select(Producer, sums.c.balance)
        .join(sums, sums.c.producer_id == Producer.id)
        .order_by(Producer.id)
    )
    return [(producer, balance) for producer, balance in rows]


def sum_of_all(session: Session) -> tuple[Money, Money]:
    """Return what the shop owes to producers, and what producers owe to the shop, altogether."""
    balances = (
        select(func.sum(LedgerEntry.amount).label("balance"))
        .group_by(LedgerEntry.producer_id)
        .subquery()
    )
    owed = session.scalar(select(func.sum(balances.c.balance)).where(balances.c.balance > ZERO))
    owing = session.scalar(select(func.sum(balances.c.balance)).where(balances.c.balance < ZERO))
    return owed or ZERO, -(owing or ZERO)


def write_csv(
    database: Database,
    producer_id: int,
    month: Month,
    *,
    heads: list[str],
    names: dict[Kind, str],
) -> Iterator[bytes]:
    """Give the whole month as a CSV that spreadsheets open, piece by piece in little memory.

    Begins with the mark of UTF-8; no text in it is taken for a formula. `heads` are six column
    names, `names` what kinds are called.
    """
    yield b"\xef\xbb\xbf" + _lines([heads])
    after: tuple[datetime, int] | None = None
    while True:
        with database.reading() as session:
            page = read(session, producer_id, month, after=after, limit=AT_ONCE)
        yield _lines(
            [
                [
                    f"{row.entry.at.astimezone(VIETNAM):%Y-%m-%d %H:%M:%S}",
                    _safe(names[row.entry.kind]),
                    _safe(row.entry.order_code or ""),
                    _safe(row.entry.note or ""),
                    row.entry.amount.dong,
                    row.balance.dong,
                ]
                for row in page.rows
            ]
        )
        if page.next_after is None:
            return
        after = page.next_after


def write_mark(after: tuple[datetime, int]) -> str:
    """Return the cursor of the page after this row."""
    moment, last_id = after
    return write_cursor([moment.isoformat(), last_id])


def read_mark(text: str | None) -> tuple[datetime, int] | None:
    """Return the mark of a cursor; None for anything that is not one (first page)."""
    mark = read_cursor(text, (str, int))
    if mark is None:
        return None
    try:
        moment = datetime.fromisoformat(str(mark[0]))
        return (moment.astimezone(UTC), int(mark[1] or 0)) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _lines(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(RISKY) else text


def _beyond(mark: tuple[datetime, int]) -> ColumnElement[bool]:
    moment, last_id = mark
    return (LedgerEntry.at > moment) | ((LedgerEntry.at == moment) & (LedgerEntry.id > last_id))


def _sum(session: Session, producer_id: int, where: ColumnElement[bool]) -> Money:
    return (
        session.scalar(
            select(func.sum(LedgerEntry.amount)).where(
                LedgerEntry.producer_id == producer_id, where
            )
        )
        or ZERO
    )
