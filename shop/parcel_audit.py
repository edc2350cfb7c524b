"""Proof that parcels and the cash collected for them agree with their orders."""

from collections.abc import Iterator

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.money import ZERO
from shop.audit import Finding
from shop.carriers.carrier import Stage
from shop.order_states import SellerOrderState, Verb
from shop.orders import OrderEvent, SellerOrder
from shop.payments.payments import Custody, Payment, PaymentMethod, PaymentState
from shop.remittances import RemittanceBatch, RemittanceRow, RowState
from shop.shipments import Shipment

RULE = "parcels and their cash fit their orders"
_S = SellerOrderState


def find_faults(session: Session) -> list[Finding]:
    """Return every parcel, payment and list that says something else than its order."""
    return [
        Finding(RULE, what)
        for check in (_cash, _returned, _parcels, _lists)
        for what in check(session)
    ]


def _cash(session: Session) -> Iterator[str]:
    """Find cash that is not where its parcel is."""
    wrong = or_(
        (Payment.state == PaymentState.REMITTED) & (Payment.custody == Custody.CARRIER),
        (Payment.state == PaymentState.COLLECTED)
        & SellerOrder.state.not_in([_S.DELIVERED, _S.COMPLETED]),
        (Payment.state == PaymentState.DUE)
        & SellerOrder.state.in_([_S.DELIVERED, _S.COMPLETED, _S.RETURNED, _S.CANCELLED]),
    )
    for payment_id, state, part_state in session.execute(
        select(Payment.id, Payment.state, SellerOrder.state)
        .join(SellerOrder, SellerOrder.id == Payment.seller_order_id)
        .where(Payment.method == PaymentMethod.COD, wrong)
        .order_by(Payment.id)
    ):
        yield f"payment {payment_id}: its cash is {state}, but its part is {part_state}"


def _returned(session: Session) -> Iterator[str]:
    """Find parts that came back without having been received, or given up, once."""
    ends = (
        select(OrderEvent.seller_order_id, func.count().label("times"))
        .where(OrderEvent.verb.in_([Verb.RECEIVE_BACK, Verb.LOSE]))
        .group_by(OrderEvent.seller_order_id)
        .subquery()
    )
    for part_id in session.scalars(
        select(SellerOrder.id)
        .outerjoin(ends, ends.c.seller_order_id == SellerOrder.id)
        .where(SellerOrder.state == _S.RETURNED, func.coalesce(ends.c.times, 0) != 1)
        .order_by(SellerOrder.id)
    ):
        yield f"part {part_id}: is returned, but was not taken back or given up once"


def _parcels(session: Session) -> Iterator[str]:
    """Find parts of which two parcels are under way."""
    for part_id in session.scalars(
        select(Shipment.seller_order_id)
        .where(Shipment.state.not_in([Stage.CANCELLED, Stage.DELIVERED, Stage.RETURNED]))
        .group_by(Shipment.seller_order_id)
        .having(func.count() > 1)
        .order_by(Shipment.seller_order_id)
    ):
        yield f"part {part_id}: two of its parcels are under way"


def _lists(session: Session) -> Iterator[str]:
    """Find lists whose sums are not their rows', and rows that fit without their cash."""
    sums = (
        select(
            RemittanceRow.batch_id,
            func.sum(RemittanceRow.cod).label("cod"),
            func.sum(RemittanceRow.fee).label("fee"),
        )
        .group_by(RemittanceRow.batch_id)
        .subquery()
    )
    for batch_id in session.scalars(
        select(RemittanceBatch.id)
        .join(sums, sums.c.batch_id == RemittanceBatch.id)
        .where(
            or_(
                sums.c.cod != RemittanceBatch.cod_total,
                sums.c.fee != RemittanceBatch.fee_total,
            )
        )
        .order_by(RemittanceBatch.id)
    ):
        yield f"list {batch_id}: its sums are not those of its rows"
    for row_id in session.scalars(
        select(RemittanceRow.id)
        .join(Payment, Payment.id == RemittanceRow.payment_id)
        .where(
            RemittanceRow.state == RowState.MATCHED,
            RemittanceRow.expected > ZERO,
            Payment.state != PaymentState.REMITTED,
        )
        .order_by(RemittanceRow.id)
    ):
        yield f"list row {row_id}: fits, but its cash was not handed over"
