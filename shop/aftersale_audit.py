"""Proof, on the live data, that returns, reviews and gift sets agree with what was sold."""

from collections.abc import Callable, Iterator

from sqlalchemy import ColumnElement, Subquery, and_, func, or_, select
from sqlalchemy.orm import Session

from shop.audit import Finding
from shop.order_states import SellerOrderState
from shop.orders import OrderLine, SellerOrder
from shop.payments.refunds import Refund, RefundReason
from shop.returns import CLAIMING, ReturnLine, ReturnRequest
from shop.reviews import RECEIVED, Review


def find_faults(session: Session) -> list[Finding]:
    """Return every fault of what happens after a sale; none means that all of it is right."""
    return [Finding(rule, what) for rule, check in CHECKS.items() for what in check(session)]


def _pieces_come_back_once(session: Session) -> Iterator[str]:
    """I14: a line counts as returned what its paid-back requests say, and never more than sent."""
    paid_back = _pieces(ReturnRequest.refunded_at.is_not(None))
    claimed = _pieces(ReturnRequest.state.in_(list(CLAIMING)))
    counted, open_ones = func.coalesce(paid_back.c.pieces, 0), func.coalesce(claimed.c.pieces, 0)
    # A parcel that came back whole, undelivered, was asked back by nobody.
    asked_back = SellerOrder.state != SellerOrderState.RETURNED
    for line_id in session.scalars(
        select(OrderLine.id)
        .join(SellerOrder, SellerOrder.id == OrderLine.seller_order_id)
        .outerjoin(paid_back, paid_back.c.line_id == OrderLine.id)
        .outerjoin(claimed, claimed.c.line_id == OrderLine.id)
        .where(
            or_(
                asked_back & (OrderLine.quantity_returned != counted),
                OrderLine.quantity - OrderLine.quantity_cancelled < counted + open_ones,
            )
        )
    ):
        yield f"line {line_id}: more or fewer pieces count as returned than were asked back"


def _returns_are_refunds(session: Session) -> Iterator[str]:
    """I7: what requests paid back of a part is what its refunds for returns say."""
    asked = (
        select(ReturnRequest.seller_order_id, func.sum(ReturnRequest.amount).label("amount"))
        .group_by(ReturnRequest.seller_order_id)
        .subquery()
    )
    refunded = (
        select(Refund.seller_order_id, func.sum(Refund.amount).label("amount"))
        .where(Refund.reason == RefundReason.RETURNED)
        .group_by(Refund.seller_order_id)
        .subquery()
    )
    for part_id in session.scalars(
        select(SellerOrder.id)
        .join(asked, asked.c.seller_order_id == SellerOrder.id)
        .outerjoin(refunded, refunded.c.seller_order_id == SellerOrder.id)
        .where(asked.c.amount != func.coalesce(refunded.c.amount, 0))
    ):
        yield f"part {part_id}: its returns and its refunds for them are not the same money"


def _reviews_are_of_received_goods(session: Session) -> Iterator[str]:
    for review_id in session.scalars(
        select(Review.id)
        .join(OrderLine, OrderLine.id == Review.line_id)
        .join(SellerOrder, SellerOrder.id == OrderLine.seller_order_id)
        .where(
            or_(
                SellerOrder.state.not_in(list(RECEIVED)),
                Review.product_id != OrderLine.product_id,
                Review.producer_id != SellerOrder.producer_id,
            )
        )
    ):
        yield f"review {review_id}: is not of goods that its buyer received"


def _pieces(where: ColumnElement[bool]) -> Subquery:
    return (
        select(ReturnLine.line_id, func.sum(ReturnLine.quantity).label("pieces"))
        .join(ReturnRequest, and_(ReturnRequest.id == ReturnLine.request_id, where))
        .group_by(ReturnLine.line_id)
        .subquery()
    )


CHECKS: dict[str, Callable[[Session], Iterator[str]]] = {
    "pieces come back once": _pieces_come_back_once,
    "returns are refunds": _returns_are_refunds,
    "reviews are of received goods": _reviews_are_of_received_goods,
}
