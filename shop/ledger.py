"""Each producer's account with the shop: signed entries, only ever added. The balance is their sum.

What is owed to the producer is above nothing. A part posts once, when it is completed: what it
earns (`shop.earnings`), less the money that is not with the shop because the producer (or a
carrier for it) has it already. Later refunds post once each. Where every producer is paid on its
own account, only commission and the shop's own vouchers remain to be settled.
"""

import enum
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, event, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, word
from core.money import ZERO, Money, total
from shop import earnings, orders, vouchers
from shop.earnings import Earned, Sold
from shop.moves import PartMoved
from shop.order_states import SellerOrderState, Verb
from shop.orders import Order, SellerOrder
from shop.payments.payments import (
    Custody,
    Payment,
    PaymentMethod,
    PaymentShare,
    PaymentState,
)
from shop.payments.refunds import Refund, RefundReason, RefundState
from shop.vouchers import Funder

# Refunds that take back what was earned; every other was for goods that are not in the sum.
EARNED_BACK = frozenset({RefundReason.RETURNED, RefundReason.DISPUTE, RefundReason.GOODWILL})


class Kind(enum.StrEnum):
    """What an entry is for."""

    SALE = "sale"
    SHIPPING = "shipping"
    DISCOUNT_PLATFORM_FUNDED = "discount_platform_funded"
    COMMISSION = "commission"
    CUSTODY_PRODUCER = "custody_producer"
    COD_CUSTODY_PRODUCER = "cod_custody_producer"
    COD_CUSTODY_CARRIER = "cod_custody_carrier"
    COD_REMITTED = "cod_remitted"
    REFUND = "refund"
    CARRIER_FEE = "carrier_fee"
    TAX_WITHHELD = "tax_withheld"
    PAYOUT = "payout"
    ADJUSTMENT = "adjustment"


HELD_ELSEWHERE = (
    Kind.CUSTODY_PRODUCER,
    Kind.COD_CUSTODY_PRODUCER,
    Kind.COD_CUSTODY_CARRIER,
    Kind.COD_REMITTED,
)


class LedgerEntry(Base):
    """One posting; `source` names what it is for ('part:17') and has each kind once."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("kind", "source"),
        Index("ix_ledger_entry_of", "producer_id", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"))
    kind: Mapped[Kind] = mapped_column(word(Kind))
    amount: Mapped[Money]
    source: Mapped[str]
    part_id: Mapped[int | None] = mapped_column(ForeignKey("seller_order.id"), index=True)
    order_code: Mapped[str | None]
    note: Mapped[str | None]
    at: Mapped[datetime]


class LedgerChangedError(RuntimeError):
    """A ledger is only added to: a wrong entry is set right by another one."""


@event.listens_for(LedgerEntry, "before_update")
@event.listens_for(LedgerEntry, "before_delete")
def _refuse_change(_mapper: Any, _connection: Any, entry: LedgerEntry) -> None:
    raise LedgerChangedError(f"ledger entry {entry.id} cannot be changed")


def balance_of(session: Session, producer_id: int) -> Money:
    """Return what the shop owes the producer now (below nothing: the producer owes the shop)."""
    return (
        session.scalar(
            select(func.sum(LedgerEntry.amount)).where(LedgerEntry.producer_id == producer_id)
        )
        or ZERO
    )


def list_of_part(session: Session, part_id: int) -> list[LedgerEntry]:
    """Return what was posted for a part, in the order it was."""
    return list(
        session.scalars(
            select(LedgerEntry).where(LedgerEntry.part_id == part_id).order_by(LedgerEntry.id)
        )
    )


def follow(session: Session, news: PartMoved) -> None:
    """Post what happened to a part: its completion, and money paid back of a completed one."""
    if news.verb not in {Verb.COMPLETE, Verb.PAY_BACK}:
        return
    part = session.get_one(SellerOrder, news.part_id)
    if part.state is not SellerOrderState.COMPLETED:
        return
    order = session.get_one(Order, news.order_id)
    if news.verb is Verb.COMPLETE:
        post_completed(session, order, part, now=news.now)
    for refund in list_earned_back(session, part.id):
        post_refund(session, refund, now=news.now)


def post_completed(session: Session, order: Order, part: SellerOrder, *, now: datetime) -> bool:
    """Post what a completed part earned, once; False when it was posted before.

    Σ = goods paid + shop's own discount + carriage − commission − what is held elsewhere.
    """
    source = f"part:{part.id}"
    if _kinds_of(session, source):
        return False
    lines = list_sold(session, order.id, part.id)
    earned = earnings.of_part(lines.values(), part.shipping_fee - part.shipping_discount)
    amounts = {
        Kind.SALE: earned.goods,
        Kind.SHIPPING: earned.shipping,
        Kind.DISCOUNT_PLATFORM_FUNDED: earned.given_by_platform,
        Kind.COMMISSION: earned.commission,
    }
    for payment, held in list_held(session, part.id):
        kind = _kind_held(payment)
        if kind is not None:
            amounts[kind] = amounts.get(kind, ZERO) - held
    for kind, amount in amounts.items():
        if amount or kind is Kind.SALE:
            _post(session, part, order.code, kind, amount, source=source, now=now)
    session.flush()
    return True


def post_refund(session: Session, refund: Refund, *, now: datetime) -> bool:
    """Post what a refund took of what a completed part had earned, once.

    False where it was posted before, has not gone out, or was for goods that never were in the sum
    (cut, cancelled, paid twice). Who held the money has paid it back: that weighs it up again.
    """
    part = session.get(SellerOrder, refund.seller_order_id) if refund.seller_order_id else None
    if part is None or refund.state is not RefundState.SUCCEEDED:
        return False
    source = f"refund:{refund.id}"
    is_in_the_sum = refund.reason in EARNED_BACK and _kinds_of(session, f"part:{part.id}")
    if not is_in_the_sum or _kinds_of(session, source):
        return False
    order = session.get_one(Order, refund.order_id)
    change = change_by(session, order.id, part.id, refund)
    amounts = {
        Kind.REFUND: change.goods,
        Kind.COMMISSION: change.commission,
        Kind.DISCOUNT_PLATFORM_FUNDED: change.given_by_platform,
    }
    kind_held = _kind_held(session.get_one(Payment, refund.payment_id))
    if kind_held is not None:
        amounts[kind_held] = refund.amount
    for kind, amount in amounts.items():
        if amount:
            _post(session, part, order.code, kind, amount, source=source, now=now)
    session.flush()
    return True


def post_remitted(session: Session, payment: Payment, *, now: datetime) -> bool:
    """Post that a carrier gave the shop the cash of a completed part: it is payable now.

    Cash that a carrier gave to the producer itself needs no posting: it was counted as held.
    """
    if payment.custody is not Custody.OPERATOR or payment.seller_order_id is None:
        return False
    part = session.get_one(SellerOrder, payment.seller_order_id)
    waiting = session.scalar(
        select(func.sum(LedgerEntry.amount)).where(
            LedgerEntry.part_id == part.id, LedgerEntry.kind == Kind.COD_CUSTODY_CARRIER
        )
    )
    source = f"payment:{payment.id}"
    if not waiting or _kinds_of(session, source):
        return False
    code = session.get_one(Order, payment.order_id).code
    _post(session, part, code, Kind.COD_REMITTED, -waiting, source=source, now=now)
    session.flush()
    return True


def post_fee(
    session: Session, order: Order, part: SellerOrder, kind: Kind, fee: Money, *, now: datetime
) -> bool:
    """Post a carrier's fee, or a tax, that the shop paid for the producer; once for a part."""
    source = f"part:{part.id}"
    if kind not in {Kind.CARRIER_FEE, Kind.TAX_WITHHELD}:
        raise ValueError(f"{kind} is not a fee")
    if not fee or kind in _kinds_of(session, source):
        return False
    _post(session, part, order.code, kind, -fee, source=source, now=now)
    session.flush()
    return True


def write(
    session: Session,
    producer_id: int,
    kind: Kind,
    amount: Money,
    *,
    source: str,
    note: str | None,
    now: datetime,
) -> LedgerEntry:
    """Add an entry that belongs to no part: a payout, an adjustment."""
    entry = LedgerEntry(
        producer_id=producer_id, kind=kind, amount=amount, source=source, note=note, at=now
    )
    session.add(entry)
    session.flush()
    return entry


def list_sold(session: Session, order_id: int, part_id: int) -> dict[int, Sold]:
    """Return the lines of a part as they were sent, each with who paid for its discount."""
    used = vouchers.find_redemption(session, order_id)
    by_platform = used is not None and used[1].funded_by is Funder.PLATFORM
    return {
        line.id: Sold(
            line.amount,
            line.discount,
            # A gift set's lower price is its producers' own; no voucher counts for its parts.
            by_platform and line.set_name is None,
            line.commission_bp,
        )
        for line in orders.list_lines(session, [part_id])
        if line.wanted
    }


def list_held(session: Session, part_id: int) -> list[tuple[Payment, Money]]:
    """Return what arrived for a part, payment by payment, less what was never for its goods."""
    rows = session.execute(
        select(Payment, PaymentShare.amount)
        .join(PaymentShare, PaymentShare.payment_id == Payment.id)
        .where(PaymentShare.seller_order_id == part_id, Payment.captured > ZERO)
        .order_by(Payment.id)
    ).all()
    aside = _set_aside(session, part_id, {payment.id for payment, _share in rows})
    held = []
    for payment, share in rows:
        arrived = payment.captured
        if payment.seller_order_id is None:
            arrived = share if payment.state is PaymentState.SUCCEEDED else ZERO
        held.append((payment, arrived - aside.get(payment.id, ZERO)))
    return held


def _set_aside(session: Session, part_id: int, payment_ids: Collection[int]) -> dict[int, Money]:
    """Return what of each payment goes, or went, back for other reasons than these goods."""
    rows = session.execute(
        select(Refund.payment_id, func.sum(Refund.amount))
        .where(
            Refund.payment_id.in_(payment_ids),
            Refund.seller_order_id == part_id,
            Refund.reason.not_in(list(EARNED_BACK)),
        )
        .group_by(Refund.payment_id)
    )
    return {payment_id: amount for payment_id, amount in rows}  # noqa: C416 - rows are no pairs


def list_earned_back(session: Session, part_id: int) -> list[Refund]:
    """Return the refunds of a part that went out and took back what it had earned, in order."""
    return list(
        session.scalars(
            select(Refund)
            .where(
                Refund.seller_order_id == part_id,
                Refund.state == RefundState.SUCCEEDED,
                Refund.reason.in_(list(EARNED_BACK)),
            )
            .order_by(Refund.settled_at, Refund.id)
        )
    )


def change_by(session: Session, order_id: int, part_id: int, refund: Refund) -> Earned:
    """Return what one refund changed, after those that went out before it."""
    before: dict[int, Money] = {}
    for other in list_earned_back(session, part_id):
        if other.id == refund.id:
            break
        for line_id, back in _lines_of(other):
            before[line_id] = before.get(line_id, ZERO) + back
    sold = list_sold(session, order_id, part_id)
    return earnings.of_refund(refund.amount, sold, before, dict(_lines_of(refund)))


def _lines_of(refund: Refund) -> Iterable[tuple[int, Money]]:
    return ((int(line_id), Money(int(dong))) for line_id, dong in refund.lines.items())


def _kind_held(payment: Payment) -> Kind | None:
    """Return under which kind money that is not with the shop is counted; None if it is."""
    if payment.custody is Custody.CARRIER:
        return Kind.COD_CUSTODY_CARRIER
    if payment.custody is Custody.PRODUCER:
        is_cod = payment.method is PaymentMethod.COD
        return Kind.COD_CUSTODY_PRODUCER if is_cod else Kind.CUSTODY_PRODUCER
    return None


def held_elsewhere(session: Session, part_id: int) -> Money:
    """Return what of a part's money, that stays, is with its producer or a carrier today."""
    back: dict[int, Money] = defaultdict(lambda: ZERO)
    for refund in list_earned_back(session, part_id):
        back[refund.payment_id] += refund.amount
    return total(
        held - back[payment.id]
        for payment, held in list_held(session, part_id)
        if _kind_held(payment) is not None
    )


def _kinds_of(session: Session, source: str) -> set[Kind]:
    return set(session.scalars(select(LedgerEntry.kind).where(LedgerEntry.source == source)))


def _post(
    session: Session,
    part: SellerOrder,
    code: str,
    kind: Kind,
    amount: Money,
    *,
    source: str,
    now: datetime,
) -> None:
    session.add(
        LedgerEntry(
            producer_id=part.producer_id,
            kind=kind,
            amount=amount,
            source=source,
            part_id=part.id,
            order_code=code,
            at=now,
        )
    )
