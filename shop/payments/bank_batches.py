"""Many movements at once, from a statement or a list: each in a short transaction of its own kind.

Those that carry a memo lock their order and go alone, and so do those that another source may have
told of; the others go by the hundred.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from core.money import Money, total
from core.tasks import Work
from shop.codes import find_memos
from shop.payments import bank_rows
from shop.payments.bank_rows import GIVEN, WAITING, BankState, BankTxn, scope_of
from shop.payments.notices import BankRow, Direction, plain_account
from shop.payments.payments import Payment

TOGETHER = 100


@dataclass(frozen=True, slots=True)
class Outlook:
    """What taking these movements would bring: how many are new, and what the new ones are."""

    new: int
    seen: int
    coming_in: int
    with_code: int
    amount_in: Money


@dataclass(frozen=True, slots=True)
class Taken:
    """What taking them brought."""

    new: int
    seen: int
    matched: int
    waiting: int


def look_ahead(session: Session, rows: Sequence[BankRow], producer_id: int | None) -> Outlook:
    """Return what `take_all` would bring, without taking anything."""
    new = list(unseen(session, rows, producer_id))
    coming = [row for row in new if row.direction is Direction.IN]
    memos = {memo for row in coming for memo in find_memos(row.memo)}
    known = set(session.scalars(select(Payment.memo).where(Payment.memo.in_(memos))))
    return Outlook(
        new=len(new),
        seen=len(rows) - len(new),
        coming_in=len(coming),
        with_code=sum(bool(known & set(find_memos(row.memo))) for row in coming),
        amount_in=total(row.amount for row in coming),
    )


def take_all(
    database: Database, rows: Sequence[BankRow], *, producer_id: int | None, now: datetime
) -> Taken:
    """Take every movement that was not kept before; doing it twice changes nothing."""
    with database.reading() as session:
        new = list(unseen(session, rows, producer_id))
        told = _told_by_others(session, new, producer_id)
    plain: list[BankRow] = []
    alone: list[BankRow] = []
    for row in new:
        by_itself = find_memos(row.memo) or bank_rows.fingerprint(row) in told
        (alone if by_itself else plain).append(row)
    stands: list[BankState] = []
    for batch in _batches(iter(plain)):
        with database.transaction() as session:
            stands += bank_rows.keep_plain(session, batch, producer_id=producer_id, now=now)
    for row in alone:
        with database.transaction() as session:
            txn = bank_rows.take(session, row, producer_id=producer_id, now=now)
            stands += [txn.state] if txn is not None else []
    return Taken(
        new=len(stands),
        seen=len(rows) - len(stands),
        matched=sum(state in GIVEN for state in stands),
        waiting=sum(state in WAITING for state in stands),
    )


def unseen(session: Session, rows: Iterable[BankRow], producer_id: int | None) -> Iterator[BankRow]:
    """Give the movements that are not kept yet, by number or by reference and amount."""
    told = list(rows)
    since = min((row.at for row in told), default=None)
    if since is None:
        return
    kept = session.execute(
        select(
            BankTxn.provider, BankTxn.account, BankTxn.txn_id,
            BankTxn.reference, BankTxn.direction, BankTxn.amount,
        ).where(
            BankTxn.scope == scope_of(producer_id),
            BankTxn.at >= since - bank_rows.ONE_TRANSFER_WITHIN,
        )
    ).all()  # fmt: skip
    numbers = {(row.provider, row.account, row.txn_id) for row in kept}
    references = {
        (row.account, row.reference, row.direction, row.amount) for row in kept if row.reference
    }
    for row in told:
        account = plain_account(row.account)
        by_number = (row.provider, account, row.txn_id) in numbers
        by_reference = (account, row.reference, row.direction, row.amount) in references
        if not by_number and not by_reference:
            yield row


def _told_by_others(session: Session, rows: Sequence[BankRow], producer_id: int | None) -> set[str]:
    """Return the fingerprints of movements of this time that another source told of."""
    if not rows:
        return set()
    around = bank_rows.ONE_TRANSFER_WITHIN
    return set(
        session.scalars(
            select(BankTxn.fingerprint).where(
                BankTxn.scope == scope_of(producer_id),
                BankTxn.provider != rows[0].provider,
                BankTxn.at.between(
                    min(row.at for row in rows) - around, max(row.at for row in rows) + around
                ),
            )
        )
    )


def _batches(rows: Iterator[BankRow]) -> Iterator[list[BankRow]]:
    while batch := list(islice(rows, TOGETHER)):
        yield batch


def forget_statement(work: Work) -> None:
    """Delete a statement that was looked at and not taken: it tells of other people too."""
    work.storage.delete(work.payload["key"])
