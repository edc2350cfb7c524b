"""The numbers of a producer's day: what came in, what is to be done, what money is still out."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from core.clock import VIETNAM, vietnam_day
from core.money import ZERO, Money
from shop.order_states import SellerOrderState
from shop.orders import Order, SellerOrder
from shop.payments.payments import Custody, Payment, PaymentState

# A parcel that has not left so long after it was ordered is late.
LATE = timedelta(hours=48)
_S = SellerOrderState
ON_THE_ROAD = (_S.SHIPPED, _S.DELIVERY_FAILED)


@dataclass(frozen=True, slots=True)
class Day:
    """Orders since midnight and their sum; parcels to pack, late ones, and cash not yet in hand."""

    orders: int
    amount: Money
    to_pack: int
    late: int
    cash_out: Money


def read(session: Session, producer_id: int, *, now: datetime) -> Day:
    """Return the numbers of the day in Vietnam that `now` belongs to."""
    midnight = datetime.combine(vietnam_day(now), time(), VIETNAM)
    came = session.execute(
        select(func.count(), func.sum(SellerOrder.total))
        .join(Order, Order.id == SellerOrder.order_id)
        .where(
            SellerOrder.producer_id == producer_id,
            SellerOrder.state != _S.CANCELLED,
            Order.placed_at >= midnight,
        )
    ).one()
    late = Order.placed_at < now - LATE
    waiting = session.execute(
        select(
            func.sum(case((SellerOrder.state == _S.PREPARING, 1), else_=0)),
            func.sum(case((late, 1), else_=0)),
        )
        .join(Order, Order.id == SellerOrder.order_id)
        .where(
            SellerOrder.producer_id == producer_id,
            SellerOrder.state.in_([_S.PREPARING, _S.READY]),
        )
    ).one()
    return Day(
        orders=came[0],
        amount=came[1] or ZERO,
        to_pack=int(waiting[0] or 0),
        late=int(waiting[1] or 0),
        cash_out=_cash_out(session, producer_id),
    )


def _cash_out(session: Session, producer_id: int) -> Money:
    """Return the cash of parcels on the road, and what carriers took and have not handed over."""
    return (
        session.scalar(
            select(func.sum(Payment.amount))
            .join(SellerOrder, SellerOrder.id == Payment.seller_order_id)
            .where(
                SellerOrder.producer_id == producer_id,
                or_(
                    and_(Payment.state == PaymentState.DUE, SellerOrder.state.in_(ON_THE_ROAD)),
                    and_(
                        Payment.state == PaymentState.COLLECTED,
                        Payment.custody == Custody.CARRIER,
                    ),
                ),
            )
        )
        or ZERO
    )
