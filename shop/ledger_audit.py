"""Proof, on the live data, that discounts, vouchers, sales and accounts agree to the đồng."""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from catalog.sales import Sale
from catalog.variants import Variant
from core.money import Money
from shop import earnings, ledger
from shop.audit import Finding
from shop.cart_sets import OrderSet
from shop.commissions import CommissionRate
from shop.ledger import EARNED_BACK, HELD_ELSEWHERE, Kind, LedgerEntry
from shop.order_states import SellerOrderState as State
from shop.orders import Order, OrderLine, SellerOrder
from shop.payments.refunds import Refund, RefundState
from shop.payouts import Payout, PayoutKind, PayoutState
from shop.vouchers import Voucher, VoucherRedemption

AT_ONCE = 500
FEES = (Kind.CARRIER_FEE, Kind.TAX_WITHHELD)


def find_faults(session: Session) -> list[Finding]:
    """Return every fault of vouchers, sales and accounts; none means that they are right."""
    return [Finding(rule, what) for rule, check in CHECKS.items() for what in check(session)]


def _discounts_add_up(session: Session) -> Iterator[str]:
    """I5: the discounts of lines are their part's, those at placing their order's."""
    lines = (
        select(
            OrderLine.seller_order_id.label("part"),
            func.sum(OrderLine.discount_share).label("placed"),
            func.sum(OrderLine.discount_share - OrderLine.discount_cancelled).label("now"),
        )
        .group_by(OrderLine.seller_order_id)
        .subquery()
    )
    for part_id in session.scalars(
        select(SellerOrder.id)
        .outerjoin(lines, lines.c.part == SellerOrder.id)
        .where(SellerOrder.discount_total != func.coalesce(lines.c.now, 0))
    ):
        yield f"part {part_id}: its discount is not its lines' together"
    orders = (
        select(SellerOrder.order_id, func.sum(lines.c.placed).label("placed"))
        .join(lines, lines.c.part == SellerOrder.id)
        .group_by(SellerOrder.order_id)
        .subquery()
    )
    for code in session.scalars(
        select(Order.code)
        .outerjoin(orders, orders.c.order_id == Order.id)
        .where(Order.discount_total != func.coalesce(orders.c.placed, 0))
    ):
        yield f"order {code}: its discount is not its lines' together"


def _shares_are_the_voucher(session: Session) -> Iterator[str]:
    """I6: the shares of an order are its voucher's discount, none beyond its line."""
    cost: Any = OrderLine.unit_price * OrderLine.quantity
    for line_id in session.scalars(select(OrderLine.id).where(OrderLine.discount_share > cost)):
        yield f"line {line_id}: more was taken off than it cost"
    sets = (
        select(OrderSet.order_id, func.sum(OrderSet.amount).label("amount"))
        .group_by(OrderSet.order_id)
        .subquery()
    )
    by_voucher: Any = func.coalesce(VoucherRedemption.amount, 0)
    for code in session.scalars(
        select(Order.code)
        .outerjoin(VoucherRedemption, VoucherRedemption.order_id == Order.id)
        .outerjoin(sets, sets.c.order_id == Order.id)
        .where(Order.discount_total != by_voucher + func.coalesce(sets.c.amount, 0))
    ):
        yield f"order {code}: its shares are not what its voucher and gift sets take off"


def _vouchers_count_their_uses(session: Session) -> Iterator[str]:
    """I19: a voucher's counter is its uses; beyond the limit only what went on after all."""
    counts = case((VoucherRedemption.given_back_at.is_(None), 1), else_=0)
    within = case(
        (
            and_(
                VoucherRedemption.given_back_at.is_(None), VoucherRedemption.over_limit.is_(False)
            ),
            1,
        ),
        else_=0,
    )
    uses = (
        select(
            VoucherRedemption.voucher_id,
            func.sum(counts).label("active"),
            func.sum(within).label("within"),
        )
        .group_by(VoucherRedemption.voucher_id)
        .subquery()
    )
    active = func.coalesce(uses.c.active, 0)
    for code, used, counted in session.execute(
        select(Voucher.code, Voucher.used, active)
        .outerjoin(uses, uses.c.voucher_id == Voucher.id)
        .where(or_(Voucher.used != active, uses.c.within > Voucher.usage_limit))
    ):
        yield f"voucher {code}: {used} counted, {counted} orders use it, or more than it allows"
    alive = select(SellerOrder.order_id).where(SellerOrder.state != State.CANCELLED)
    for code in session.scalars(
        select(Order.code)
        .join(VoucherRedemption, VoucherRedemption.order_id == Order.id)
        .where(VoucherRedemption.given_back_at.is_(None) != Order.id.in_(alive))
    ):
        yield f"order {code}: its voucher counts although it ended, or does not although it lives"


def _sales_count_their_pieces(session: Session) -> Iterator[str]:
    """Count the pieces of the sale that is, or was last, on each variant."""
    sold = (
        select(OrderLine.sale_id, func.sum(OrderLine.quantity).label("pieces"))
        .join(SellerOrder, SellerOrder.id == OrderLine.seller_order_id)
        .where(SellerOrder.state != State.CANCELLED)
        .group_by(OrderLine.sale_id)
        .subquery()
    )
    pieces = func.coalesce(sold.c.pieces, 0)
    for variant_id, counted, ordered in session.execute(
        select(Variant.id, Variant.sale_sold, pieces)
        .outerjoin(sold, sold.c.sale_id == Variant.sale_id)
        .where(Variant.sale_id.is_not(None), Variant.sale_sold != pieces)
    ):
        yield f"variant {variant_id}: {counted} counted as sold on sale, {ordered} ordered"
    for line_id in session.scalars(
        select(OrderLine.id)
        .join(Sale, Sale.id == OrderLine.sale_id)
        .where(or_(OrderLine.unit_price != Sale.price, OrderLine.variant_id != Sale.variant_id))
    ):
        yield f"line {line_id}: its price is not that of its sale"


def _rates_are_those_of_the_day(session: Session) -> Iterator[str]:
    """I16: every line has the commission rate of the moment it was ordered."""
    rate = aliased(CommissionRate)
    of_the_day = (
        select(rate.rate_bp)
        .where(rate.producer_id == SellerOrder.producer_id, rate.valid_from <= Order.placed_at)
        .order_by(rate.valid_from.desc(), rate.id.desc())
        .limit(1)
        .correlate(SellerOrder, Order)
        .scalar_subquery()
    )
    for line_id, frozen in session.execute(
        select(OrderLine.id, OrderLine.commission_bp)
        .join(SellerOrder, SellerOrder.id == OrderLine.seller_order_id)
        .join(Order, Order.id == SellerOrder.order_id)
        .where(OrderLine.commission_bp != func.coalesce(of_the_day, 0))
    ):
        yield f"line {line_id}: its commission of {frozen} is not the rate of its day"


def _parts_post_once(session: Session) -> Iterator[str]:
    """I15: what a completed part posted is its formula; no other part posted anything."""
    posted = select(LedgerEntry.part_id).where(LedgerEntry.part_id.is_not(None))
    for part_id in session.scalars(
        select(SellerOrder.id).where(
            SellerOrder.id.in_(posted), SellerOrder.state != State.COMPLETED
        )
    ):
        yield f"part {part_id}: stands in the account but is not completed"
    after = 0
    while parts := session.execute(
        select(SellerOrder, Order.id)
        .join(Order, Order.id == SellerOrder.order_id)
        .where(SellerOrder.state == State.COMPLETED, SellerOrder.id > after)
        .order_by(SellerOrder.id)
        .limit(AT_ONCE)
    ).all():
        for part, order_id in parts:
            yield from _faults_of_part(session, part, order_id)
        after = parts[-1][0].id


def _faults_of_part(session: Session, part: SellerOrder, order_id: int) -> Iterator[str]:
    entries = ledger.list_of_part(session, part.id)
    if not any(entry.source == f"part:{part.id}" for entry in entries):
        yield f"part {part.id}: is completed but not in the account"
        return
    if any(entry.producer_id != part.producer_id for entry in entries):
        yield f"part {part.id}: stands in another producer's account"
    sold = ledger.list_sold(session, order_id, part.id)
    expected = earnings.of_part(sold.values(), part.shipping_fee - part.shipping_discount).whole
    for refund in ledger.list_earned_back(session, part.id):
        expected += ledger.change_by(session, order_id, part.id, refund).whole
    earned = sum(
        entry.amount.dong for entry in entries if entry.kind not in {*HELD_ELSEWHERE, *FEES}
    )
    if earned != expected.dong:
        yield f"part {part.id}: {earned} posted, but it earned {expected.dong}"
    held = -sum(entry.amount.dong for entry in entries if entry.kind in HELD_ELSEWHERE)
    elsewhere = ledger.held_elsewhere(session, part.id).dong
    if held != elsewhere:
        yield f"part {part.id}: {held} posted as held elsewhere, but {elsewhere} is"


def _refunds_post_once(session: Session) -> Iterator[str]:
    """I15: every refund that takes back earnings is posted, no other is."""
    posted = set(
        session.scalars(
            select(LedgerEntry.source).where(LedgerEntry.source.like("refund:%")).distinct()
        )
    )
    expected = {
        f"refund:{refund_id}"
        for refund_id in session.scalars(
            select(Refund.id)
            .join(SellerOrder, SellerOrder.id == Refund.seller_order_id)
            .where(
                Refund.state == RefundState.SUCCEEDED,
                Refund.reason.in_(list(EARNED_BACK)),
                SellerOrder.state == State.COMPLETED,
            )
        )
    }
    for source in sorted(posted ^ expected):
        yield f"{source}: stands in the account and should not, or should and does not"


def _acts_of_people_stand_in_the_account(session: Session) -> Iterator[str]:
    """I15: what was written by hand is in the ledger once, with two names where two are asked."""
    written = {
        f"payout:{payout.id}": (payout.producer_id, payout.amount)
        for payout in session.scalars(select(Payout).where(Payout.state == PayoutState.WRITTEN))
    }
    found: dict[str, tuple[int, Money]] = {
        entry.source: (entry.producer_id, entry.amount)
        for entry in session.scalars(
            select(LedgerEntry).where(LedgerEntry.kind.in_([Kind.PAYOUT, Kind.ADJUSTMENT]))
        )
    }
    for source in sorted(written.keys() | found.keys()):
        if written.get(source) != found.get(source):
            yield f"{source}: the account and what was written by hand disagree"
    for payout_id in session.scalars(
        select(Payout.id).where(
            Payout.kind == PayoutKind.ADJUSTMENT,
            Payout.state == PayoutState.WRITTEN,
            or_(Payout.second_id.is_(None), Payout.second_id == Payout.by_id),
        )
    ):
        yield f"payout:{payout_id}: a correction with one name only"


CHECKS: dict[str, Callable[[Session], Iterator[str]]] = {
    "discounts add up": _discounts_add_up,
    "shares are the voucher's discount": _shares_are_the_voucher,
    "vouchers count their uses": _vouchers_count_their_uses,
    "sales count their pieces": _sales_count_their_pieces,
    "rates are those of the day": _rates_are_those_of_the_day,
    "completed parts post once, by the formula": _parts_post_once,
    "refunds post once": _refunds_post_once,
    "acts of people stand in the account": _acts_of_people_stand_in_the_account,
}
