"""Cash that carriers collected at doors, on its way to whom it belongs: lists, matched row by row.

A list is kept as it came. A row that fits hands the cash over once; every other row says why not
and may be looked at again, so taking the same list twice changes nothing.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from catalog.producers import Producer
from core.db import Base, word
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _
from core.money import ZERO, Money, total
from core.text import clean
from shop import ledger, moves
from shop.order_states import Verb
from shop.orders import Order, SellerOrder
from shop.payments import payments
from shop.payments.payments import Custody, Payment, PaymentMethod, PaymentState
from shop.remittance_lists import Listed
from shop.shipments import Shipment

# After so long cash of a delivered parcel should have come.
EXPECTED_WITHIN = timedelta(days=14)
LONGEST_NOTE = 200
MOST_SHOWN = 200
FAILED = PaymentState.FAILED

describe(
    {
        "cod.list": _("took a carrier's list of cash"),
        "cod.hand": _("wrote down cash that a carrier handed over"),
    }
)


class RowState(enum.StrEnum):
    """What became of a row."""

    MATCHED = "matched"
    DIFFERS = "differs"
    NOT_DELIVERED = "not_delivered"
    UNKNOWN = "unknown"
    ALREADY = "already"


SETTLED = frozenset({RowState.MATCHED, RowState.ALREADY})


class NoSuchList(NotFound):
    """There is no such list, or it is another producer's."""


class NothingToHandOver(Conflict):
    """No carrier holds cash of this order."""


class NoNote(Invalid):
    """Whoever settles by hand says how it was seen."""


class RemittanceBatch(Base):
    """One list: what was collected, less the carrier's fees, plus what it gives back, is `net`."""

    __tablename__ = "remittance_batch"
    __table_args__ = (
        UniqueConstraint("producer_id", "digest"),
        CheckConstraint("net = cod_total - fee_total + promo", name="adds_up"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"))
    digest: Mapped[str]
    name: Mapped[str]
    cod_total: Mapped[Money]
    fee_total: Mapped[Money]
    promo: Mapped[Money]
    net: Mapped[Money]
    created_at: Mapped[datetime]
    actor_name: Mapped[str]


class RemittanceRow(Base):
    """One parcel of a list; `expected` is what its order says was collected."""

    __tablename__ = "remittance_row"
    __table_args__ = (
        UniqueConstraint("batch_id", "number"),
        Index("ix_remittance_row_payment", "payment_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("remittance_batch.id"))
    number: Mapped[int]
    waybill: Mapped[str]
    cod: Mapped[Money]
    fee: Mapped[Money]
    state: Mapped[RowState] = mapped_column(word(RowState))
    expected: Mapped[Money | None]
    order_code: Mapped[str | None]
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"))
    note: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class CashOut:
    """Cash a carrier holds: of which order, how much, since when, under which waybill."""

    producer_id: int
    producer_name: str
    code: str
    amount: Money
    since: datetime
    carrier_name: str | None
    waybill: str | None
    is_late: bool


def list_out(
    session: Session, producer_id: int | None, *, now: datetime, only_late: bool = False
) -> list[CashOut]:
    """Return the cash carriers hold, of one producer or of all, the oldest first."""
    late = now - EXPECTED_WITHIN
    found = (
        select(SellerOrder, Order.code, Payment, Shipment.carrier_name, Shipment.waybill)
        .join(Payment, Payment.seller_order_id == SellerOrder.id)
        .join(Order, Order.id == SellerOrder.order_id)
        .outerjoin(
            Shipment,
            Shipment.id
            == select(Shipment.id)
            .where(Shipment.seller_order_id == SellerOrder.id)
            .order_by(Shipment.id.desc())
            .limit(1)
            .correlate(SellerOrder)
            .scalar_subquery(),
        )
        .where(Payment.state == PaymentState.COLLECTED, Payment.custody == Custody.CARRIER)
        .order_by(Payment.captured_at, Payment.id)
        .limit(MOST_SHOWN)
    )
    if producer_id is not None:
        found = found.where(SellerOrder.producer_id == producer_id)
    if only_late:
        found = found.where(Payment.captured_at < late)
    return [
        CashOut(
            part.producer_id,
            part.producer_name,
            code,
            payment.captured,
            since,
            carrier_name,
            waybill,
            since < late,
        )
        for part, code, payment, carrier_name, waybill in session.execute(found)
        if (since := payment.captured_at) is not None
    ]


def list_batches(session: Session, producer_id: int) -> list[RemittanceBatch]:
    """Return the lists of a producer, the newest first."""
    return list(
        session.scalars(
            select(RemittanceBatch)
            .where(RemittanceBatch.producer_id == producer_id)
            .order_by(RemittanceBatch.id.desc())
            .limit(MOST_SHOWN)
        )
    )


def get_batch(session: Session, producer_id: int, batch_id: int) -> RemittanceBatch:
    """Return a list of this producer, or raise NoSuchList."""
    batch = session.get(RemittanceBatch, batch_id)
    if batch is None or batch.producer_id != producer_id:
        raise NoSuchList(_("There is no such list."))
    return batch


def list_rows(session: Session, batch: RemittanceBatch) -> list[RemittanceRow]:
    """Return the rows of a list, as they stand in it."""
    return list(
        session.scalars(
            select(RemittanceRow)
            .where(RemittanceRow.batch_id == batch.id)
            .order_by(RemittanceRow.number)
        )
    )


def take(
    session: Session,
    producer_id: int,
    listed: Listed,
    *,
    to: Custody = Custody.PRODUCER,
    actor: Actor,
    now: datetime,
) -> RemittanceBatch:
    """Keep a carrier's list and hand over the cash of every row that fits.

    The same list again gives the same batch, and only rows that were open are tried anew.
    """
    # One list of a producer at a time: the same file may be sent twice at once.
    session.execute(
        select(Producer.id).where(Producer.id == producer_id).with_for_update(key_share=True)
    )
    known = session.scalar(
        select(RemittanceBatch).where(
            RemittanceBatch.producer_id == producer_id, RemittanceBatch.digest == listed.digest
        )
    )
    batch = known or _keep(session, producer_id, listed, actor=actor, now=now)
    look_again(session, batch, to=to, actor=actor, now=now)
    return batch


def _keep(
    session: Session, producer_id: int, listed: Listed, *, actor: Actor, now: datetime
) -> RemittanceBatch:
    cod, fees = total(row.cod for row in listed.rows), total(row.fee for row in listed.rows)
    batch = RemittanceBatch(
        producer_id=producer_id,
        digest=listed.digest,
        name=listed.name,
        cod_total=cod,
        fee_total=fees,
        promo=listed.promo,
        net=cod - fees + listed.promo,
        created_at=now,
        actor_name=actor.name,
    )
    session.add(batch)
    session.flush()  # gives the list its id
    session.add_all(
        RemittanceRow(
            batch_id=batch.id,
            number=row.number,
            waybill=row.waybill,
            cod=row.cod,
            fee=row.fee,
            state=RowState.UNKNOWN,
        )
        for row in listed.rows
    )
    record(session, actor, "cod.list", f"producer:{producer_id}", now=now, list=listed.name)
    session.flush()
    return batch


def look_again(
    session: Session, batch: RemittanceBatch, *, to: Custody, actor: Actor, now: datetime
) -> int:
    """Try every open row of a list; return how many handed their cash over now."""
    handed = 0
    for row in list_rows(session, batch):
        if row.state not in SETTLED:
            handed += _match(session, batch.producer_id, row, to=to, actor=actor, now=now)
    session.flush()
    return handed


def _match(
    session: Session,
    producer_id: int,
    row: RemittanceRow,
    *,
    to: Custody,
    actor: Actor,
    now: datetime,
) -> bool:
    found = _find(session, producer_id, row.waybill)
    if found is None:
        row.state = RowState.UNKNOWN
        return False
    part, order = found
    payment = _cash_of(session, part)
    row.order_code = order.code
    row.expected = payment.amount if payment and payment.state is not FAILED else ZERO
    row.payment_id = payment.id if payment else None
    if payment is not None and payment.state is PaymentState.REMITTED:
        row.state = RowState.ALREADY
    elif row.cod != row.expected:
        row.state = RowState.DIFFERS
    elif payment is not None and payment.state is PaymentState.DUE:
        row.state = RowState.NOT_DELIVERED
    elif payment is None or row.expected == ZERO:
        # Paid before it was sent, or come back: the list names it for its fee only.
        row.state = RowState.MATCHED
    else:
        handed = _hand_over(session, part, payment, to=to, note=row.waybill, actor=actor, now=now)
        row.state = RowState.MATCHED if handed else RowState.DIFFERS
        return handed
    return False


def _find(session: Session, producer_id: int, waybill: str) -> tuple[SellerOrder, Order] | None:
    row = session.execute(
        select(SellerOrder, Order)
        .join(Order, Order.id == SellerOrder.order_id)
        .join(Shipment, Shipment.seller_order_id == SellerOrder.id)
        .where(
            Shipment.producer_id == producer_id,
            (Shipment.waybill == waybill) | (Shipment.code == waybill),
        )
        .order_by(Shipment.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def _cash_of(session: Session, part: SellerOrder) -> Payment | None:
    """Return the cash payment of a part, due or collected; None when it was paid otherwise."""
    return session.scalar(
        select(Payment)
        .where(Payment.seller_order_id == part.id, Payment.method == PaymentMethod.COD)
        .order_by(Payment.id.desc())
        .limit(1)
    )


def _hand_over(
    session: Session,
    part: SellerOrder,
    payment: Payment,
    *,
    to: Custody,
    note: str,
    actor: Actor,
    now: datetime,
) -> bool:
    if not payments.remit(session, payment, to=to):
        return False
    moves.note(
        session,
        part,
        Verb.RECEIVE_MONEY,
        actor=actor,
        now=now,
        before=part.state,
        detail={"handed_over": payment.captured.dong, "by": note, "payment": payment.id},
    )
    ledger.post_remitted(session, payment, now=now)
    return True


def accept_row(
    session: Session,
    batch: RemittanceBatch,
    row_id: int,
    *,
    note: str,
    to: Custody,
    actor: Actor,
    now: datetime,
) -> bool:
    """Take a row that differs as settled: all the cash counts as handed over, the note says why.

    Raises NoNote, NoSuchList for a row of another list, NothingToHandOver.
    """
    told = _note(note)
    row = session.get(RemittanceRow, row_id)
    if row is None or row.batch_id != batch.id:
        raise NoSuchList(_("There is no such list."))
    payment = session.get(Payment, row.payment_id) if row.payment_id else None
    if payment is None or payment.seller_order_id is None:
        raise NothingToHandOver(_("No carrier holds cash of this order."))
    part = session.get_one(SellerOrder, payment.seller_order_id)
    if not _hand_over(session, part, payment, to=to, note=told, actor=actor, now=now):
        raise NothingToHandOver(_("No carrier holds cash of this order."))
    changed = session.scalar(
        update(RemittanceRow)
        .where(RemittanceRow.id == row.id)
        .values(state=RowState.MATCHED, note=told)
        .returning(RemittanceRow.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(row)
    return changed is not None


def hand_over(
    session: Session,
    order: Order,
    part: SellerOrder,
    *,
    note: str,
    to: Custody = Custody.PRODUCER,
    actor: Actor,
    now: datetime,
) -> bool:
    """Write down by hand that a carrier gave the cash of one order; False if that was known.

    The caller holds the order's lock. Raises NoNote, or NothingToHandOver.
    """
    told = _note(note)
    payment = _cash_of(session, part)
    if payment is None or payment.state not in {PaymentState.COLLECTED, PaymentState.REMITTED}:
        raise NothingToHandOver(_("No carrier holds cash of this order."))
    if not _hand_over(session, part, payment, to=to, note=told, actor=actor, now=now):
        return False
    record(session, actor, "cod.hand", f"order:{order.code}", now=now, note=told)
    return True


def _note(text: str) -> str:
    told = clean(text)[:LONGEST_NOTE]
    if not told:
        raise NoNote(_("Write how the money was seen."), field="note")
    return told


def counts(rows: Sequence[RemittanceRow]) -> dict[RowState, int]:
    """Return how many rows stand how."""
    return {state: sum(row.state is state for row in rows) for state in RowState}
