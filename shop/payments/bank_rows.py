"""What came to the accounts: every movement a bank told of, once, and where each đồng of it went.

A transfer is known by the memo of its payment and by nothing else; what carries no memo, two, or
an unknown one waits for a person. Nothing here is ever deleted.
"""

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from accounts import audit
from accounts.audit import SYSTEM, Actor
from core.clock import vietnam_day
from core.db import Base, word
from core.errors import Conflict, NotFound
from core.i18n import lazy as _
from core.money import ZERO, Money
from core.text import words
from shop import moves
from shop.codes import find_memos
from shop.orders import Order, SellerOrder
from shop.payments import receipts
from shop.payments.notices import BankRow, Direction, plain_account
from shop.payments.payments import Custody, Payment, PaymentMethod
from shop.payments.receipts import Receipt

ONE_TRANSFER_WITHIN = timedelta(days=3)

audit.describe({"bank.assigned": _("gave a transfer to an order")})


class BankState(enum.StrEnum):
    """Where a movement stands; unmatched and ambiguous ones wait for a person."""

    MATCHED = "matched"
    SHORT = "short"
    OVER = "over"
    LATE = "late"
    UNMATCHED = "unmatched"
    AMBIGUOUS = "ambiguous"
    RESOLVED = "resolved"


class Why(enum.StrEnum):
    """Why a movement stands where it stands, if its state does not say it."""

    NO_CODE = "no_code"
    UNKNOWN_CODE = "unknown_code"
    TWO_CODES = "two_codes"
    WRONG_ACCOUNT = "wrong_account"
    NOT_A_TRANSFER = "not_a_transfer"
    MAYBE_REPEATED = "maybe_repeated"
    REPEATED = "repeated"
    CONFIRMED_BEFORE = "confirmed_before"
    OUTGOING = "outgoing"
    SET_ASIDE = "set_aside"
    RETURNED = "returned"


WAITING = (BankState.UNMATCHED, BankState.AMBIGUOUS)
GIVEN = (BankState.MATCHED, BankState.SHORT, BankState.OVER, BankState.LATE)
STATES = {
    Receipt.PAID: BankState.MATCHED,
    Receipt.OVER: BankState.OVER,
    Receipt.SHORT: BankState.SHORT,
    Receipt.REVIVED: BankState.LATE,
    Receipt.OWED_BACK: BankState.LATE,
}


class NoSuchRow(NotFound):
    """There is no such movement, or it is on another's account."""


class AlreadyGiven(Conflict):
    """This money has been given to an order, sent back or put aside meanwhile."""


class NoSuchPayment(NotFound):
    """No transfer of this seller has this code."""


class BankTxn(Base):
    """One movement. `amount` is what was given to a payment, is owed or was sent back, and is left.

    `scope` names whose account it was: a producer's, or (`producer_id` empty) the operator's.
    """

    __tablename__ = "bank_txn"
    __table_args__ = (
        UniqueConstraint("scope", "provider", "account", "txn_id"),
        UniqueConstraint("scope", "account", "reference", "direction", "amount"),
        Index("ix_bank_txn_queue", "scope", "state", "id"),
        Index("ix_bank_txn_state", "state", "id"),
        Index("ix_bank_txn_at", "scope", "at"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint(
            "allocated >= 0 AND return_due >= 0 AND returned >= 0 AND unallocated >= 0",
            name="not_negative",
        ),
        CheckConstraint(
            "amount = allocated + return_due + returned + unallocated", name="every_dong"
        ),
        CheckConstraint("(payment_id IS NULL) = (allocated = 0)", name="given_to_a_payment"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str]
    producer_id: Mapped[int | None] = mapped_column(ForeignKey("producer.id"))
    provider: Mapped[str]
    txn_id: Mapped[str]
    account: Mapped[str]
    sub_account: Mapped[str | None]
    direction: Mapped[Direction] = mapped_column(word(Direction))
    amount: Mapped[Money]
    memo: Mapped[str]
    reference: Mapped[str | None]
    counter_name: Mapped[str | None]
    counter_account: Mapped[str | None]
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    fingerprint: Mapped[str] = mapped_column(index=True)
    state: Mapped[BankState] = mapped_column(word(BankState))
    why: Mapped[Why | None] = mapped_column(word(Why))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"), index=True)
    repeats_id: Mapped[int | None] = mapped_column(ForeignKey("bank_txn.id"), index=True)
    allocated: Mapped[Money] = mapped_column(default=ZERO)
    return_due: Mapped[Money] = mapped_column(default=ZERO)
    returned: Mapped[Money] = mapped_column(default=ZERO)
    unallocated: Mapped[Money]
    return_reference: Mapped[str | None]
    handled_by: Mapped[str | None]
    handled_at: Mapped[datetime | None]


# Made once: an alias of a table takes longer to make than its question takes to answer.
_OURS = aliased(BankTxn)


def scope_of(producer_id: int | None) -> str:
    """Return the name of the owner of an account, in keys that may not hold nothing."""
    return f"producer:{producer_id}" if producer_id is not None else "operator"


def get(session: Session, row_id: int, *, producer_id: int | None) -> BankTxn:
    """Return a movement on this owner's account, or raise NoSuchRow."""
    found = session.get(BankTxn, row_id)
    if found is None or found.producer_id != producer_id:
        raise NoSuchRow(_("There is no such movement on the account."))
    return found


def get_of_any(session: Session, row_id: int) -> BankTxn:
    """Return a movement on anybody's account, or raise NoSuchRow."""
    found = session.get(BankTxn, row_id)
    if found is None:
        raise NoSuchRow(_("There is no such movement on the account."))
    return found


def take(
    session: Session, row: BankRow, *, producer_id: int | None, now: datetime
) -> BankTxn | None:
    """Keep a movement and let its money do what its memo says; None when it was kept before.

    A movement is the same when its provider says so by number, or another one by the bank's
    reference and the amount. Money of exactly one known memo, on the account that memo was printed
    for, goes through `receipts.receive`; all other waits.
    """
    txn = _keep(session, row, producer_id=producer_id, now=now)
    if txn is None:
        return None
    found = _read(session, txn)
    if not isinstance(found, Payment):
        repeated = _find_told(session, txn, BankTxn.fingerprint == txn.fingerprint)
        if repeated is not None:
            return _put_to(session, txn, repeated)
        return _stand(session, txn, *found)
    moves.lock(session, found.order_id)
    repeated = _find_told(session, txn, BankTxn.payment_id == found.id)
    if repeated is None:
        _give(session, txn, found, actor=SYSTEM, now=now)
        return txn
    if repeated.fingerprint == txn.fingerprint:
        return _put_to(session, txn, repeated)
    return _stand(session, txn, BankState.AMBIGUOUS, Why.MAYBE_REPEATED)


def keep_plain(
    session: Session, rows: Sequence[BankRow], *, producer_id: int | None, now: datetime
) -> list[BankState]:
    """Keep movements without any memo, which only wait, in one statement; return the new states.

    For those that no other source may have told of: whoever calls has looked.
    """
    stands = {
        Direction.IN: {"state": BankState.UNMATCHED, "why": Why.NO_CODE},
        Direction.OUT: {"state": BankState.RESOLVED, "why": Why.OUTGOING},
    }
    kept = session.scalars(
        _insert(session)(BankTxn)
        .values(
            [
                {**_columns(row, producer_id=producer_id, now=now), **stands[row.direction]}
                for row in rows
            ]
        )
        .on_conflict_do_nothing()
        .returning(BankTxn.state)
    )
    return list(kept)


def _read(session: Session, txn: BankTxn) -> Payment | tuple[BankState, Why]:
    """Return the payment this movement is for, or where it stands because there is none."""
    memos = find_memos(txn.memo)
    payment = _payment_of(session, memos[0], txn.producer_id) if len(memos) == 1 else None
    if txn.direction is Direction.OUT:
        return BankState.RESOLVED, Why.OUTGOING
    if len(memos) > 1:
        return BankState.AMBIGUOUS, Why.TWO_CODES
    if payment is None:
        return BankState.UNMATCHED, Why.UNKNOWN_CODE if memos else Why.NO_CODE
    if payment.method is not PaymentMethod.BANK_TRANSFER:
        return BankState.UNMATCHED, Why.NOT_A_TRANSFER
    if plain_account(payment.bank_account or "") not in {txn.account, txn.sub_account}:
        return BankState.UNMATCHED, Why.WRONG_ACCOUNT
    return payment


def assign(
    session: Session, txn: BankTxn, payment: Payment, *, actor: Actor, now: datetime
) -> BankTxn:
    """Give a movement that waits to a payment of the same seller, because a person knows.

    Raises AlreadyGiven when the movement waits no longer.
    """
    session.flush()
    moves.lock(session, payment.order_id)
    _give(session, txn, payment, actor=actor, now=now)
    txn.handled_by, txn.handled_at = actor.name, now
    session.flush()
    order = session.get_one(Order, payment.order_id)
    audit.record(
        session, actor, "bank.assigned", f"order:{order.code}", now=now,
        order=order.code, amount=str(txn.amount), reference=txn.reference or txn.txn_id,
    )  # fmt: skip
    return txn


def get_payment(session: Session, code: str, producer_id: int | None) -> Payment:
    """Return the transfer of this seller that a memo, or the code of its order, names."""
    for memo in find_memos(code):
        found = _payment_of(session, memo, producer_id)
        if found is not None:
            return found
    wanted = select(Payment).join(Order, Order.id == Payment.order_id)
    if producer_id is not None:
        wanted = wanted.join(SellerOrder, SellerOrder.id == Payment.seller_order_id).where(
            SellerOrder.producer_id == producer_id
        )
    else:
        wanted = wanted.where(Payment.seller_order_id.is_(None))
    named = session.scalars(
        wanted.where(
            Order.code == "".join(words(code)).upper(),
            Payment.method == PaymentMethod.BANK_TRANSFER,
        )
        .order_by(Payment.id.desc())
        .limit(1)
    ).one_or_none()
    if named is None:
        raise NoSuchPayment(_("No order paid by transfer has this code here."))
    return named


def _keep(
    session: Session, row: BankRow, *, producer_id: int | None, now: datetime
) -> BankTxn | None:
    row_id = session.scalar(
        _insert(session)(BankTxn)
        .values(**_columns(row, producer_id=producer_id, now=now))
        .on_conflict_do_nothing()
        .returning(BankTxn.id)
    )
    return None if row_id is None else session.get_one(BankTxn, row_id)


def _insert(session: Session) -> Any:
    return sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert


def _columns(row: BankRow, *, producer_id: int | None, now: datetime) -> dict[str, Any]:
    account = plain_account(row.account)
    return {
        "scope": scope_of(producer_id),
        "producer_id": producer_id,
        "provider": row.provider,
        "txn_id": row.txn_id,
        "account": account,
        "sub_account": plain_account(row.sub_account) if row.sub_account else None,
        "direction": row.direction,
        "amount": row.amount,
        "memo": row.memo,
        "reference": row.reference,
        "counter_name": row.counter_name,
        "counter_account": row.counter_account,
        "at": row.at,
        "received_at": now,
        "fingerprint": fingerprint(row),
        "state": BankState.UNMATCHED,
        "why": None,
        "allocated": ZERO,
        "return_due": ZERO,
        "returned": ZERO,
        "unallocated": row.amount,
    }


def fingerprint(row: BankRow) -> str:
    """Return what two sources' words about one movement have in common."""
    said = "".join(words(row.memo))
    day = vietnam_day(row.at).isoformat()
    text = f"{plain_account(row.account)}|{row.direction}|{row.amount.dong}|{day}|{said}"
    return sha256(text.encode()).hexdigest()[:32]


def _stand(session: Session, txn: BankTxn, state: BankState, why: Why | None) -> BankTxn:
    txn.state, txn.why = state, why
    session.flush()
    return txn


def _payment_of(session: Session, memo: str, producer_id: int | None) -> Payment | None:
    """Return the payment of this memo if this seller is paid by it."""
    payment = session.scalar(select(Payment).where(Payment.memo == memo))
    if payment is None:
        return None
    seller = (
        session.get_one(SellerOrder, payment.seller_order_id).producer_id
        if payment.seller_order_id is not None
        else None
    )
    return payment if seller == producer_id else None


def _find_told(session: Session, txn: BankTxn, same: ColumnElement[bool]) -> BankTxn | None:
    """Return a movement that another provider told of and that may be this one under its number.

    Each of theirs stands for one of ours: as many transfers as one provider tells of are real.
    """
    taken = select(_OURS.id).where(_OURS.repeats_id == BankTxn.id, _OURS.provider == txn.provider)
    return session.scalars(
        select(BankTxn)
        .where(
            same,
            BankTxn.scope == txn.scope,
            BankTxn.provider != txn.provider,
            BankTxn.direction == txn.direction,
            BankTxn.amount == txn.amount,
            BankTxn.repeats_id.is_(None),
            BankTxn.id != txn.id,
            BankTxn.at.between(txn.at - ONE_TRANSFER_WITHIN, txn.at + ONE_TRANSFER_WITHIN),
            ~taken.exists(),
        )
        .order_by(BankTxn.id)
        .limit(1)
    ).one_or_none()


def _put_to(session: Session, txn: BankTxn, other: BankTxn) -> BankTxn:
    txn.repeats_id = other.id
    return _stand(session, txn, BankState.RESOLVED, Why.REPEATED)


def _give(session: Session, txn: BankTxn, payment: Payment, *, actor: Actor, now: datetime) -> None:
    """Let the movement's money arrive for the payment; the caller holds the order's lock."""
    given_before = session.scalar(
        select(func.sum(BankTxn.allocated)).where(BankTxn.payment_id == payment.id)
    )
    given = session.scalar(
        update(BankTxn)
        .where(
            BankTxn.id == txn.id,
            BankTxn.state.in_(WAITING),
            BankTxn.direction == Direction.IN,
            BankTxn.unallocated == BankTxn.amount,
        )
        .values(allocated=BankTxn.amount, unallocated=ZERO, payment_id=payment.id)
        .returning(BankTxn.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(txn)
    if given is None:
        raise AlreadyGiven(_("This money has been dealt with meanwhile. Look at it again."))
    session.refresh(payment)
    # What a person said had arrived before its bank row was seen: the same money, told twice.
    by_word = payment.captured - (given_before or ZERO)
    new = txn.amount - min(txn.amount, max(ZERO, by_word))
    if not new:
        _stand(session, txn, BankState.MATCHED, Why.CONFIRMED_BEFORE)
        return
    receipt = receipts.receive(
        session,
        payment,
        new,
        evidence=f"{txn.provider} {txn.reference or txn.txn_id}",
        custody=Custody.PRODUCER if txn.producer_id is not None else Custody.OPERATOR,
        actor=actor,
        now=now,
    )
    _stand(session, txn, STATES[receipt], None)
    if receipt is not Receipt.SHORT:
        _complete_short(session, payment)


def _complete_short(session: Session, payment: Payment) -> None:
    session.execute(
        update(BankTxn)
        .where(BankTxn.payment_id == payment.id, BankTxn.state == BankState.SHORT)
        .values(state=BankState.MATCHED)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
