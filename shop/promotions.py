"""What an order takes of vouchers and sales when it is placed, ends, or goes on after all.

Rows are locked after the stock rows, everywhere: orders, parts, stock, voucher, variants of sales.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import sales
from shop import vouchers
from shop.moves import PartMoved
from shop.order_states import SellerOrderState, Verb
from shop.orders import OrderLine, SellerOrder


def give_back(session: Session, order_id: int, part_ids: Collection[int], *, now: datetime) -> None:
    """Let parts that ended count no more in their sales; an order that ended, in its voucher.

    The caller has moved these very parts to their end just now, once, and holds the order's lock.
    """
    sales.give_back(session, _sold_on_sale(session, part_ids))
    alive = session.scalar(
        select(SellerOrder.id)
        .where(SellerOrder.order_id == order_id, SellerOrder.state != SellerOrderState.CANCELLED)
        .limit(1)
    )
    if alive is None:
        vouchers.give_back(session, order_id, now=now)


def follow(session: Session, news: PartMoved) -> None:
    """Count a revived part again: what was promised is kept, even where nothing is left."""
    if news.verb is Verb.REVIVE:
        vouchers.take_again(session, news.order_id)
        sales.take_again(session, _sold_on_sale(session, [news.part_id]))


def _sold_on_sale(session: Session, part_ids: Collection[int]) -> dict[int, int]:
    """Return how many pieces of which sale these parts were placed with."""
    pieces: Counter[int] = Counter()
    for sale_id, quantity in session.execute(
        select(OrderLine.sale_id, OrderLine.quantity).where(
            OrderLine.seller_order_id.in_(part_ids), OrderLine.sale_id.is_not(None)
        )
    ):
        if sale_id is not None:
            pieces[sale_id] += quantity
    return dict(pieces)
