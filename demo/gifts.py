"""Sample gift sets: one of the sample co-operative's own goods, one together with real goods.

Only the first has a lower price: nobody asked the real producers for one.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM
from catalog.producers import Producer
from catalog.products import Product
from catalog.stock import StockItem
from catalog.variants import Variant
from core.money import Money
from shop import gift_sets

OWN = (("Nấm hương khô sấy lạnh", 2), ("Miến dong phơi nắng", 2), ("Giỏ mây tre đan tay", 1))
OWN_PRICE = Money(550_000)
TOGETHER = (("Trà sen ướp hương", 1), ("Giỏ mây tre đan tay", 1))
NEIGHBOURS = 2


def load(session: Session, producer: Producer, *, now: datetime) -> None:
    """Offer both sets, each marked as an illustration."""
    _offer(
        session,
        name="Hương đồng (mẫu)",
        story="Minh hoạ: nấm hương, miến dong trong giỏ mây đan tay, của một hợp tác xã.",
        items=_of_sample(session, producer, OWN),
        price=OWN_PRICE,
        producer_id=producer.id,
        now=now,
    )
    _offer(
        session,
        name="Ba làng (mẫu)",
        story="Minh hoạ: hàng của nhiều nhà sản xuất gom một giỏ, mỗi nhà gửi gói của mình.",
        items={**_of_sample(session, producer, TOGETHER), **_of_neighbours(session)},
        price=None,
        producer_id=None,
        now=now,
    )


def _offer(
    session: Session,
    *,
    name: str,
    story: str,
    items: dict[int, int],
    price: Money | None,
    producer_id: int | None,
    now: datetime,
) -> None:
    gift = gift_sets.make(
        session,
        name=name,
        story=story,
        items=items,
        price=price,
        producer_id=producer_id,
        agreed=False,
        actor=SYSTEM,
        now=now,
        is_sample=True,
    )
    gift_sets.publish(session, gift, actor=SYSTEM, now=now)


def _of_sample(
    session: Session, producer: Producer, wanted: tuple[tuple[str, int], ...]
) -> dict[int, int]:
    variants = dict(
        session.execute(
            select(Product.name, Variant.id)
            .join(Variant, Variant.product_id == Product.id)
            .where(Product.producer_id == producer.id)
        ).all()
    )
    return {variants[name]: count for name, count in wanted}


def _of_neighbours(session: Session) -> dict[int, int]:
    """Return one piece each of the first real goods that are there and may be promoted."""
    found = session.execute(
        select(Variant.id, Product.producer_id)
        .join(Product, Product.id == Variant.product_id)
        .join(Producer, Producer.id == Product.producer_id)
        .join(StockItem, StockItem.variant_id == Variant.id)
        .where(Producer.is_demo, ~Producer.is_sample, StockItem.on_hand > 0)
        .where(Product.motif != "ruou", Variant.price.is_not(None))
        .order_by(Variant.id)
    ).all()
    by_producer: dict[int | None, int] = {}
    for variant_id, producer_id in found:
        by_producer.setdefault(producer_id, variant_id)
    return dict.fromkeys(list(by_producer.values())[:NEIGHBOURS], 1)
