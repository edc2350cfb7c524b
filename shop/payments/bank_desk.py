"""Money that waits for a person: the queue with what it might be, and what a person can decide."""

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, and_, func, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from accounts import audit
from accounts.audit import Actor
from catalog.duties import Duty
from catalog.producers import Producer
from core.errors import Invalid
from core.i18n import lazy as _
from core.i18n import mark
from core.money import ZERO
from core.text import clean
from shop.orders import Order, SellerOrder
from shop.payments.bank_rows import (
    WAITING,
    AlreadyGiven,
    BankState,
    BankTxn,
    Why,
    scope_of,
)
from shop.payments.notices import Direction
from shop.payments.payments import Payment, PaymentMethod, PaymentState

PAGE = 20
MOST_SUGGESTED = 3
LOOKED_AT = 300
LONGEST_NOTE = 200
BEFORE, AFTER = timedelta(days=14), timedelta(hours=1)
AWAITED = (PaymentState.AWAITING, PaymentState.PARTIAL, PaymentState.EXPIRED)

audit.describe(
    {
        "bank.set_aside": _("put money aside that is for no order"),
        "bank.owed_back": _("decided to send money back"),
        "bank.sent_back": _("sent money back"),
        "bank.undone": _("took a decision on money back"),
    }
)


class NoReference(Invalid):
    """Money sent back is known by the bank's reference."""


class Tab(enum.StrEnum):
    """The heaps of the page; their values stand in the address."""

    WAITING = "can-xem"
    RETURN = "tra-lai"
    UNUSUAL = "thieu-thua"
    MATCHED = "khop"
    DONE = "xong"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A transfer that is awaited and that this money might be."""

    payment: Payment
    order: Order


@dataclass(frozen=True, slots=True)
class Shown:
    """One movement in the list with all its line shows."""

    row: BankTxn
    order: Order | None
    producer: Producer | None
    suggestions: list[Suggestion]


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of one heap, the newest first, with the number in every heap that needs a person."""

    tab: Tab
    counts: dict[Tab, int]
    rows: list[Shown]
    next_before: int | None


def tab_of(text: str | None) -> Tab:
    """Return the heap the address names, else the one that waits."""
    return Tab(text) if text in set(Tab) else Tab.WAITING


def list_page(
    session: Session, producer_id: int | None, tab: Tab, *, before: int | None = None, whole: bool
) -> QueuePage:
    """Return a page of one owner's movements, or of everybody's (`whole`, for staff)."""
    owners = [] if whole else [BankTxn.scope == scope_of(producer_id)]
    wanted = select(BankTxn).where(_in_tab(tab), *owners)
    if before is not None:
        wanted = wanted.where(BankTxn.id < before)
    found = session.scalars(wanted.order_by(BankTxn.id.desc()).limit(PAGE + 1)).all()
    shown = found[:PAGE]
    named = _orders_of(session, {row.payment_id for row in shown if row.payment_id is not None})
    sellers = _producers_of(session, {row.producer_id for row in shown}) if whole else {}
    maybe = suggest(session, shown) if tab is Tab.WAITING else {}
    return QueuePage(
        tab,
        count_tabs(session, owners),
        [
            Shown(
                row,
                named.get(row.payment_id or 0),
                sellers.get(row.producer_id or 0),
                maybe.get(row.id, []),
            )
            for row in shown
        ],
        shown[-1].id if len(found) > PAGE else None,
    )


def count_tabs(session: Session, owners: Collection[ColumnElement[bool]]) -> dict[Tab, int]:
    """Return how many movements lie in the heaps that need a person."""
    needy = (Tab.WAITING, Tab.RETURN)
    row = session.execute(
        select(*[func.count().filter(_in_tab(tab)) for tab in needy])
        .select_from(BankTxn)
        .where(or_(BankTxn.state.in_(WAITING), BankTxn.return_due > ZERO), *owners)
    ).one()
    return dict(zip(needy, row, strict=True))


def tell_duties(session: Session, producer_id: int) -> list[Duty]:
    """Return the money that waits for this producer's word."""
    counts = count_tabs(session, [BankTxn.scope == scope_of(producer_id)])
    sentences = {
        Tab.WAITING: mark("%(count)s transfers of unknown orders"),
        Tab.RETURN: mark("%(count)s transfers to send back"),
    }
    return [
        Duty("desk_bank.index", (("muc", tab.value),), "tien", sentence, counts[tab])
        for tab, sentence in sentences.items()
        if counts[tab]
    ]


def suggest(session: Session, rows: Sequence[BankTxn]) -> dict[int, list[Suggestion]]:
    """Return, for each movement that waits, the awaited transfers of its amount, the nearest first.

    One question for all of them, however many there are.
    """
    waiting = [row for row in rows if row.direction is Direction.IN and row.unallocated]
    if not waiting:
        return {}
    seller = func.coalesce(SellerOrder.producer_id, 0)
    net = Payment.captured - Payment.refund_due - Payment.refunded
    missing = type_coerce(Payment.amount - net, BigInteger)
    candidates = session.execute(
        select(Payment, Order, seller)
        .join(Order, Order.id == Payment.order_id)
        .outerjoin(SellerOrder, SellerOrder.id == Payment.seller_order_id)
        .where(
            Payment.method == PaymentMethod.BANK_TRANSFER,
            Payment.state.in_(AWAITED),
            missing.in_({row.amount.dong for row in waiting}),
            seller.in_({row.producer_id or 0 for row in waiting}),
            Payment.created_at.between(
                min(row.at for row in waiting) - BEFORE, max(row.at for row in waiting) + AFTER
            ),
        )
        .order_by(Payment.id.desc())
        .limit(LOOKED_AT)
    ).all()
    found: dict[int, list[Suggestion]] = {}
    for row in waiting:
        fitting = [
            Suggestion(payment, order)
            for payment, order, owner in candidates
            if owner == (row.producer_id or 0)
            and payment.missing == row.amount
            and row.at - BEFORE <= payment.created_at <= row.at + AFTER
        ]
        fitting.sort(key=lambda one: abs(row.at - one.payment.created_at))
        found[row.id] = fitting[:MOST_SUGGESTED]
    return found


def set_aside(session: Session, row: BankTxn, *, actor: Actor, now: datetime) -> None:
    """Say that this money is for no order: it stays where it is and asks nobody any more."""
    _decide(
        session, row, _waits(),
        state=BankState.RESOLVED, why=Why.SET_ASIDE, handled_by=actor.name, handled_at=now,
    )  # fmt: skip
    _record(session, actor, "bank.set_aside", row, now=now)


def owe_back(session: Session, row: BankTxn, *, actor: Actor, now: datetime) -> None:
    """Decide to send all of this money back; it is a duty until the bank's reference is known."""
    _decide(
        session, row, _waits(),
        state=BankState.RESOLVED, why=Why.RETURNED, handled_by=actor.name, handled_at=now,
        return_due=BankTxn.unallocated, unallocated=ZERO,
    )  # fmt: skip
    _record(session, actor, "bank.owed_back", row, now=now)


def send_back(
    session: Session, row: BankTxn, *, reference: str, actor: Actor, now: datetime
) -> None:
    """Say that the money was sent back under the bank's reference. Raises NoReference."""
    note = clean(reference)[:LONGEST_NOTE]
    if not note:
        raise NoReference(
            _("Write the bank's reference of the money sent back."), field="reference"
        )
    _decide(
        session, row, BankTxn.return_due > ZERO,
        returned=BankTxn.return_due, return_due=ZERO, return_reference=note,
        handled_by=actor.name, handled_at=now,
    )  # fmt: skip
    _record(session, actor, "bank.sent_back", row, now=now, reference=note)


def undo(session: Session, row: BankTxn, *, actor: Actor, now: datetime) -> None:
    """Take a decision back that nothing has followed: put aside, or to be sent back and not sent.

    Money given to an order cannot be taken from it here: its refund is how it goes back.
    """
    aside = and_(BankTxn.why == Why.SET_ASIDE, BankTxn.state == BankState.RESOLVED)
    _decide(
        session, row, or_(aside, BankTxn.return_due > ZERO),
        state=BankState.UNMATCHED, why=Why.NO_CODE, handled_by=None, handled_at=None,
        unallocated=BankTxn.amount, return_due=ZERO,
    )  # fmt: skip
    _record(session, actor, "bank.undone", row, now=now)


def _in_tab(tab: Tab) -> ColumnElement[bool]:
    if tab is Tab.WAITING:
        return BankTxn.state.in_(WAITING)
    if tab is Tab.RETURN:
        return BankTxn.return_due > ZERO
    if tab is Tab.UNUSUAL:
        return BankTxn.state.in_([BankState.SHORT, BankState.OVER, BankState.LATE])
    if tab is Tab.MATCHED:
        return BankTxn.state == BankState.MATCHED
    return and_(BankTxn.state == BankState.RESOLVED, BankTxn.return_due == ZERO)


def _waits() -> ColumnElement[bool]:
    return and_(BankTxn.state.in_(WAITING), BankTxn.direction == Direction.IN)


def _decide(session: Session, row: BankTxn, only_if: ColumnElement[bool], **values: object) -> None:
    decided = session.scalar(
        update(BankTxn)
        .where(BankTxn.id == row.id, only_if)
        .values(**values)
        .returning(BankTxn.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(row)
    if decided is None:
        raise AlreadyGiven(_("This money has been dealt with meanwhile. Look at it again."))


def _record(
    session: Session, actor: Actor, verb: str, row: BankTxn, *, now: datetime, **detail: object
) -> None:
    audit.record(
        session, actor, verb, f"bank:{row.id}", now=now,
        amount=str(row.amount), **{"reference": row.reference or row.txn_id, **detail},
    )  # fmt: skip


def _orders_of(session: Session, payment_ids: Collection[int]) -> dict[int, Order]:
    rows = session.execute(
        select(Payment.id, Order)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.id.in_(payment_ids))
    )
    return {payment_id: order for payment_id, order in rows}  # noqa: C416 - rows are no pairs


def _producers_of(session: Session, producer_ids: Collection[int | None]) -> dict[int, Producer]:
    wanted = [one for one in producer_ids if one is not None]
    rows = session.scalars(select(Producer).where(Producer.id.in_(wanted)))
    return {producer.id: producer for producer in rows}
