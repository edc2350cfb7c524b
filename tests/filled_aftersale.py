"""What happens after a sale, for the claims that walk every address: one of everything."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM
from catalog.producers import Producer
from catalog.products import Product
from catalog.variants import Variant
from shop import gift_sets, season_calls
from shop.gift_sets import GiftSet
from shop.orders import Order, OrderLine
from shop.returns import ReturnLine, ReturnReason, ReturnRequest, ReturnState
from shop.reviews import Review
from tests.conftest import SECRET


def after_sale(
    session: Session,
    order: Order,
    part_id: int,
    producer: Producer,
    product: Product,
    variant: Variant,
    *,
    now: datetime,
    text: str,
) -> dict[str, Any]:
    """Leave a review, a return request, who waits for goods, and gift sets; say what fills what."""
    line = session.scalars(select(OrderLine).where(OrderLine.seller_order_id == part_id)).one()
    review = Review(
        line_id=line.id, product_id=product.id, producer_id=producer.id, author=f"Hoa{text}",
        stars=4, words=f"Thơm{text}", photo_keys=[], reports=1, written_at=now,
    )  # fmt: skip
    asked = ReturnRequest(
        order_id=order.id, seller_order_id=part_id, producer_id=producer.id,
        state=ReturnState.REQUESTED, reason=ReturnReason.BROKEN, words=f"Vỡ{text}", photo_keys=[],
        pay_to=f"VCB 0011{text}"[:200], asked_at=now - timedelta(days=3),
        answer_by=now - timedelta(days=1),
    )  # fmt: skip
    session.add_all([review, asked])
    session.flush()
    session.add(ReturnLine(request_id=asked.id, line_id=line.id, quantity=1))
    phone = season_calls.ask(session, product.id, way="0912345678", language="vi", now=now)
    own = _a_set(session, producer.id, variant, now, text)
    anyones = _a_set(session, None, variant, now, text)
    return {
        "line": line.id,
        "review_id": review.id,
        "request_id": asked.id,
        "number": 1,
        "call_id": phone.id,
        "mark": season_calls.call_mark(SECRET, phone.id),
        "gift_sets.slug": own.slug,
        "set_id": own.id,
        "staff_sets.set_id": anyones.id,
        "reviews.code": order.code,
        "returns.code": order.code,
        "desk_cuts.code": order.code,
    }


def _a_set(
    session: Session, producer_id: int | None, variant: Variant, now: datetime, text: str
) -> GiftSet:
    gift = gift_sets.make(
        session, name=f"Giỏ quà{text}"[:100], story=f"Tết{text}", items={variant.id: 2}, price=None,
        producer_id=producer_id, agreed=False, actor=SYSTEM, now=now,
    )  # fmt: skip
    gift_sets.publish(session, gift, actor=SYSTEM, now=now)
    return gift
