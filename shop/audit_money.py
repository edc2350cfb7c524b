"""Proof that money is right: sums agree, what is owed is paid, what is not kept goes back."""

from collections.abc import Callable, Iterator
from itertools import groupby

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from core.money import ZERO
from shop.order_states import SellerOrderState as State
from shop.orders import Order, OrderLine, SellerOrder
from shop.payments import payments
from shop.payments.payments import (
    PREPAID,
    UNPAID,
    Payment,
    PaymentMethod,
    PaymentShare,
    PaymentState,
)
from shop.payments.refunds import OPEN as REFUND_OPEN
from shop.payments.refunds import Refund, RefundReason, RefundState

# Money that went back after the parcel had left: the part goes on without it.
AFTER_SENDING = (
    RefundReason.RETURNED,
    RefundReason.LOST,
    RefundReason.DISPUTE,
    RefundReason.GOODWILL,
)
AT_ONCE = 1_000
FULL = frozenset({PaymentState.SUCCEEDED, PaymentState.COLLECTED, PaymentState.REMITTED})


def _totals_add_up(session: Session) -> Iterator[str]:
    """I5: a part is its lines and its delivery, a payment its shares, an order its parts."""
    of_lines = (
        select(
            OrderLine.seller_order_id.label("part"),
            func.sum(
                OrderLine.unit_price * (OrderLine.quantity - OrderLine.quantity_cancelled)
            ).label("goods"),
            func.sum(OrderLine.discount_share - OrderLine.discount_cancelled).label("discount"),
        )
        .group_by(OrderLine.seller_order_id)
        .subquery()
    )
    rows = session.execute(
        select(SellerOrder.id, SellerOrder.total)
        .outerjoin(of_lines, of_lines.c.part == SellerOrder.id)
        .where(
            or_(
                of_lines.c.goods.is_(None),
                SellerOrder.items_total != of_lines.c.goods,
                SellerOrder.discount_total != of_lines.c.discount,
                SellerOrder.total
                != SellerOrder.items_total
                - SellerOrder.discount_total
                + SellerOrder.shipping_fee
                - SellerOrder.shipping_discount,
            )
        )
    )
    for part_id, amount in rows:
        yield f"part {part_id}: its total {amount.dong} is not its lines and delivery together"
    shares = (
        select(PaymentShare.payment_id, func.sum(PaymentShare.amount).label("total"))
        .group_by(PaymentShare.payment_id)
        .subquery()
    )
    for payment_id in session.scalars(
        select(Payment.id)
        .outerjoin(shares, shares.c.payment_id == Payment.id)
        .where(or_(shares.c.total.is_(None), shares.c.total != Payment.amount))
    ):
        yield f"payment {payment_id}: its shares do not add up to what it asks for"
    cut = (
        select(
            OrderLine.seller_order_id.label("part"),
            func.sum(
                OrderLine.unit_price * OrderLine.quantity_cancelled - OrderLine.discount_cancelled
            ).label("amount"),
        )
        .group_by(OrderLine.seller_order_id)
        .subquery()
    )
    placed = (
        select(
            SellerOrder.order_id,
            func.sum(SellerOrder.total + func.coalesce(cut.c.amount, 0)).label("total"),
        )
        .outerjoin(cut, cut.c.part == SellerOrder.id)
        .group_by(SellerOrder.order_id)
        .subquery()
    )
    for code in session.scalars(
        select(Order.code)
        .outerjoin(placed, placed.c.order_id == Order.id)
        .where(or_(placed.c.total.is_(None), Order.total != placed.c.total))
        .order_by(Order.id)
    ):
        yield f"order {code}: its total is not its parts together, with what was taken out since"


def _prepaid_is_paid(session: Session) -> Iterator[str]:
    """I8: what was to be paid first and goes on is paid, counted by what stays of the money."""
    net = (
        select(
            Payment.order_id,
            func.sum(Payment.captured - Payment.refund_due - Payment.refunded).label("net"),
        )
        .where(Payment.method.in_([*PREPAID]))
        .group_by(Payment.order_id)
        .subquery()
    )
    gone_back = (
        select(Refund.seller_order_id, func.sum(Refund.amount).label("amount"))
        .where(Refund.reason.in_(AFTER_SENDING))
        .group_by(Refund.seller_order_id)
        .subquery()
    )
    # One part of an order may be paid at the door, another first.
    by_cash = select(Payment.seller_order_id).where(
        Payment.method == PaymentMethod.COD, Payment.seller_order_id.is_not(None)
    )
    owed = (
        select(
            SellerOrder.order_id,
            func.sum(SellerOrder.total - func.coalesce(gone_back.c.amount, 0)).label("owed"),
        )
        .outerjoin(gone_back, gone_back.c.seller_order_id == SellerOrder.id)
        .where(
            SellerOrder.state.not_in([State.PENDING, State.CANCELLED]),
            SellerOrder.id.not_in(by_cash),
        )
        .group_by(SellerOrder.order_id)
        .subquery()
    )
    for code in session.scalars(
        select(Order.code)
        .join(owed, owed.c.order_id == Order.id)
        .outerjoin(net, net.c.order_id == Order.id)
        .where(func.coalesce(net.c.net, 0) < owed.c.owed)
    ):
        yield f"order {code}: goes on, but its money has not arrived"


def _money_of_ended_parts_goes_back(session: Session) -> Iterator[str]:
    """I18: of what was cancelled or ran out no money stays."""
    alive = select(PaymentShare.payment_id).join(
        SellerOrder, SellerOrder.id == PaymentShare.seller_order_id
    )
    for payment_id in session.scalars(
        select(Payment.id).where(
            Payment.id.not_in(alive.where(SellerOrder.state != State.CANCELLED)),
            Payment.captured != Payment.refunded + Payment.refund_due,
        )
    ):
        yield f"payment {payment_id}: all was cancelled, but its money is not owed back"


def _refunds_are_the_sums(session: Session) -> Iterator[str]:
    """I7: what goes back of a payment is its refunds, and never more than came in."""
    sums = (
        select(
            Refund.payment_id,
            func.sum(case((Refund.state.in_(list(REFUND_OPEN)), Refund.amount))).label("due"),
            func.sum(case((Refund.state == RefundState.SUCCEEDED, Refund.amount))).label("sent"),
        )
        .group_by(Refund.payment_id)
        .subquery()
    )
    for payment_id in session.scalars(
        select(Payment.id)
        .outerjoin(sums, sums.c.payment_id == Payment.id)
        .where(
            or_(
                Payment.refund_due != func.coalesce(sums.c.due, 0),
                Payment.refunded != func.coalesce(sums.c.sent, 0),
                Payment.refund_due + Payment.refunded > Payment.captured,
            )
        )
    ):
        yield f"payment {payment_id}: its refunds do not add up, or are more than came in"


def _no_part_gets_back_more_than_it_paid(session: Session) -> Iterator[str]:
    """I7: of a part, and of an order, no more goes back than came in."""
    back = (
        select(Refund.seller_order_id.label("part"), func.sum(Refund.amount).label("amount"))
        .where(Refund.seller_order_id.is_not(None))
        .group_by(Refund.seller_order_id)
        .subquery()
    )
    alone = (
        select(Payment.seller_order_id.label("part"), func.sum(Payment.captured).label("amount"))
        .where(Payment.seller_order_id.is_not(None))
        .group_by(Payment.seller_order_id)
        .subquery()
    )
    shared = (
        select(
            PaymentShare.seller_order_id.label("part"), func.sum(Payment.captured).label("amount")
        )
        .join(Payment, Payment.id == PaymentShare.payment_id)
        .where(Payment.seller_order_id.is_(None))
        .group_by(PaymentShare.seller_order_id)
        .subquery()
    )
    came = func.coalesce(alone.c.amount, 0) + func.coalesce(shared.c.amount, 0)
    for part_id in session.scalars(
        select(back.c.part)
        .outerjoin(alone, alone.c.part == back.c.part)
        .outerjoin(shared, shared.c.part == back.c.part)
        .where(back.c.amount > came)
        .order_by(back.c.part)
    ):
        yield f"part {part_id}: more goes back than came in"
    for refund_id in session.scalars(
        select(Refund.id)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.order_id != Payment.order_id)
        .order_by(Refund.id)
    ):
        yield f"refund {refund_id}: goes back on another order's payment"


def _states_of_payments_fit_their_money(session: Session) -> Iterator[str]:
    """I8: a payment that counts as made has all its money, one that waits has not."""
    for payment_id, state in session.execute(
        select(Payment.id, Payment.state)
        .where(
            or_(
                Payment.state.in_(list(FULL)) & (Payment.captured == ZERO),
                Payment.state.in_([PaymentState.CREATED, PaymentState.AWAITING, PaymentState.DUE])
                & (Payment.captured != ZERO),
                (Payment.captured > ZERO) & Payment.custody.is_(None),
                (Payment.captured > ZERO) & Payment.captured_at.is_(None),
            )
        )
        .order_by(Payment.id)
    ):
        yield f"payment {payment_id}: is {state}, which its money does not say"
    waiting = (
        select(PaymentShare.seller_order_id)
        .join(Payment, Payment.id == PaymentShare.payment_id)
        .where(Payment.state.in_(list(UNPAID)))
    )
    for part_id in session.scalars(
        select(SellerOrder.id)
        .where(SellerOrder.state == State.PENDING, SellerOrder.id.not_in(waiting))
        .order_by(SellerOrder.id)
    ):
        yield f"part {part_id}: waits for money that nothing asks for"


def _payment_status_follows(session: Session) -> Iterator[str]:
    """I8: what lists show as paid is what the payments say."""
    rows = session.execute(
        select(
            Order.code, Order.payment_status, Payment.state, Payment.method, Payment.captured,
            Payment.refund_due, Payment.refunded,
        )
        .join(Payment, Payment.order_id == Order.id)
        .order_by(Order.id)
        .execution_options(yield_per=AT_ONCE)
    )  # fmt: skip
    for (code, stored), of_order in groupby(rows, key=lambda row: (row[0], row[1])):
        if payments.status_of(list(of_order)) is not stored:
            yield f"order {code}: shows {stored}, which its payments do not say"


CHECKS: dict[str, Callable[[Session], Iterator[str]]] = {
    "totals add up": _totals_add_up,
    "what was to be paid first is paid": _prepaid_is_paid,
    "money of ended parts goes back": _money_of_ended_parts_goes_back,
    "refunds are what goes back": _refunds_are_the_sums,
    "no part gets back more than it paid": _no_part_gets_back_more_than_it_paid,
    "payments are what their money says": _states_of_payments_fit_their_money,
    "the payment status follows": _payment_status_follows,
}
