"""What is to be known of the money of parts before it is counted: read for many parts at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.money import ZERO, Money, total
from shop import earnings, orders
from shop.earnings import Earned, Sold
from shop.orders import SellerOrder
from shop.payments.payments import Custody, Payment, PaymentShare, PaymentState
from shop.payments.refunds import Refund, RefundReason, RefundState
from shop.vouchers import Funder, Voucher, VoucherRedemption

# Refunds that take back what was earned; every other was for goods that are not in the sum.
EARNED_BACK = frozenset({RefundReason.RETURNED, RefundReason.DISPUTE, RefundReason.GOODWILL})
ELSEWHERE = frozenset({Custody.PRODUCER, Custody.CARRIER})


@dataclass(slots=True)
class PartMoney:
    """The lines of a part as they were sent, what arrived for it, and what went back of that.

    `held` leaves out what was never for these goods (cut, paid twice); `back` is in its order.
    """

    shipping: Money
    sold: dict[int, Sold] = field(default_factory=dict)
    held: list[tuple[Payment, Money]] = field(default_factory=list)
    back: list[Refund] = field(default_factory=list)

    @property
    def earned(self) -> Earned:
        """Return what the part earned, before anything went back."""
        return earnings.of_part(self.sold.values(), self.shipping)

    def change_by(self, refund: Refund) -> Earned:
        """Return what one of its refunds changed, after those that went out before it."""
        before: dict[int, Money] = defaultdict(lambda: ZERO)
        for other in self.back:
            if other.id == refund.id:
                break
            for line_id, money in _lines_of(other):
                before[line_id] += money
        return earnings.of_refund(refund.amount, self.sold, before, dict(_lines_of(refund)))

    @property
    def elsewhere(self) -> Money:
        """Return what of the money that stays is with the producer or a carrier today."""
        gone: dict[int, Money] = defaultdict(lambda: ZERO)
        for refund in self.back:
            gone[refund.payment_id] += refund.amount
        return total(
            held - gone[payment.id] for payment, held in self.held if payment.custody in ELSEWHERE
        )


def read(session: Session, parts: Collection[SellerOrder]) -> dict[int, PartMoney]:
    """Return the money of each part; five questions, however many parts."""
    found = {part.id: PartMoney(part.shipping_fee - part.shipping_discount) for part in parts}
    order_of = {part.id: part.order_id for part in parts}
    by_platform = _funded_by_platform(session, order_of.values())
    for line in orders.list_lines(session, list(found)):
        if line.wanted:
            found[line.seller_order_id].sold[line.id] = Sold(
                line.amount,
                line.discount,
                # A gift set's lower price is its producers' own; no voucher counts for its parts.
                order_of[line.seller_order_id] in by_platform and line.set_name is None,
                line.commission_bp,
            )
    aside = _set_aside(session, list(found))
    for part_id, payment, share in session.execute(
        select(PaymentShare.seller_order_id, Payment, PaymentShare.amount)
        .join(Payment, Payment.id == PaymentShare.payment_id)
        .where(PaymentShare.seller_order_id.in_(list(found)), Payment.captured > ZERO)
        .order_by(Payment.id)
    ):
        arrived = payment.captured
        if payment.seller_order_id is None:
            arrived = share if payment.state is PaymentState.SUCCEEDED else ZERO
        found[part_id].held.append((payment, arrived - aside.get((part_id, payment.id), ZERO)))
    for refund in session.scalars(
        select(Refund)
        .where(
            Refund.seller_order_id.in_(list(found)),
            Refund.state == RefundState.SUCCEEDED,
            Refund.reason.in_(list(EARNED_BACK)),
        )
        .order_by(Refund.settled_at, Refund.id)
    ):
        if refund.seller_order_id is not None:
            found[refund.seller_order_id].back.append(refund)
    return found


def _funded_by_platform(session: Session, order_ids: Iterable[int]) -> set[int]:
    """Return which of these orders used a voucher of the shop itself."""
    return set(
        session.scalars(
            select(VoucherRedemption.order_id)
            .join(Voucher, Voucher.id == VoucherRedemption.voucher_id)
            .where(
                VoucherRedemption.order_id.in_(set(order_ids)),
                Voucher.funded_by == Funder.PLATFORM,
            )
        )
    )


def _set_aside(session: Session, part_ids: Collection[int]) -> dict[tuple[int | None, int], Money]:
    """Return what of each part's payments goes, or went, back for other reasons than its goods."""
    rows = session.execute(
        select(Refund.seller_order_id, Refund.payment_id, func.sum(Refund.amount))
        .where(Refund.seller_order_id.in_(part_ids), Refund.reason.not_in(list(EARNED_BACK)))
        .group_by(Refund.seller_order_id, Refund.payment_id)
    )
    return {(part_id, payment_id): amount for part_id, payment_id, amount in rows}


def _lines_of(refund: Refund) -> Iterable[tuple[int, Money]]:
    return ((int(line_id), Money(int(dong))) for line_id, dong in refund.lines.items())
