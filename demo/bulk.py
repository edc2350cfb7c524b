"""Generated products for load tests: marked synthetic, spread over communes, groups and seasons."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from catalog import producers, search
from catalog.certificates import OCOP_MONTHS, Certificate, PaperKind, months_after
from catalog.illustrations import motif_for
from catalog.places import AdminUnit, Level, bare_name
from catalog.producers import Producer
from catalog.products import OcopGroup, Product, ProductState
from catalog.search import ProductWord
from catalog.stock import StockItem, StockMovement, Why
from catalog.variants import Variant
from core.clock import vietnam_day
from core.text import slugify
from demo.village import NO_UNIT, open_for_business, sample_price

BATCH = 1_000
MAKERS = 40
GOODS = (
    ("Mật ong", OcopGroup.FOOD), ("Chè", OcopGroup.FOOD), ("Gạo", OcopGroup.FOOD),
    ("Bưởi", OcopGroup.FOOD), ("Nem", OcopGroup.FOOD), ("Miến dong", OcopGroup.FOOD),
    ("Nước mắm", OcopGroup.FOOD), ("Nấm hương", OcopGroup.FOOD), ("Bún khô", OcopGroup.FOOD),
    ("Cà phê", OcopGroup.FOOD), ("Rượu nếp", OcopGroup.BEVERAGE), ("Nước mơ", OcopGroup.BEVERAGE),
    ("Tinh dầu quế", OcopGroup.HERBAL), ("Trà thảo dược", OcopGroup.HERBAL),
    ("Giỏ mây tre", OcopGroup.HANDICRAFT), ("Bình gốm", OcopGroup.HANDICRAFT),
    ("Khăn lụa", OcopGroup.HANDICRAFT), ("Hoa đồng tiền", OcopGroup.ORNAMENTAL),
)  # fmt: skip
TRAITS = ("sạch", "sấy lạnh", "thượng hạng", "truyền thống", "hữu cơ", "vụ mới", "đặc biệt")


def add_synthetic(session: Session, count: int, *, now: datetime) -> int:
    """Make the shop hold `count` synthetic products; return how many were added."""
    there = session.scalar(
        select(func.count()).select_from(Product).where(Product.is_synthetic.is_(True))
    )
    first = there or 0
    if first >= count:
        return 0
    communes = session.execute(
        select(AdminUnit.code, AdminUnit.name, AdminUnit.parent_code)
        .where(AdminUnit.level == Level.COMMUNE)
        .order_by(AdminUnit.code)
    ).all()
    makers = _makers(session, [tuple(row) for row in communes], now=now)
    for start in range(first, count, BATCH):
        _add_batch(session, range(start, min(start + BATCH, count)), makers, now=now)
    return count - first


def _makers(
    session: Session, communes: list[tuple[Any, ...]], *, now: datetime
) -> list[tuple[Producer, str]]:
    """Return the synthetic producers, each with its commune's name, making them the first time."""
    made = []
    for number in range(MAKERS):
        code, commune, province = communes[number * len(communes) // MAKERS]
        name = f"Nhà sản xuất thử {number + 1:02d}"
        producer = producers.find_by_slug(session, slugify(name))
        if producer is None:
            producer = producers.add(
                session, name, now=now, commune_code=code, province_code=province
            )
            producer.is_sample = True
            open_for_business(session, producer)
        made.append((producer, commune))
    return made


def _add_batch(
    session: Session, numbers: range, makers: list[tuple[Producer, str]], *, now: datetime
) -> None:
    names, rows = [], []
    for number in numbers:
        luck = _luck(number)
        producer, commune = makers[luck[0] % MAKERS]
        thing, group = GOODS[luck[1] % len(GOODS)]
        trait = TRAITS[luck[2] % len(TRAITS)]
        name = f"{thing} {trait} {bare_name(commune)} số {number + 1}"
        names.append((name, producer.name, commune))
        rows.append(
            {
                "slug": f"thu-{slugify(name)}",
                "name": name,
                "name_lower": name.lower(),
                "group": group,
                "state": ProductState.LIVE,
                "producer_id": producer.id,
                "province_code": producer.province_code,
                "commune_code": producer.commune_code,
                "motif": motif_for(name, group),
                "season_months": (0b111 << luck[3] % 10) if luck[4] % 3 == 0 else 0,
                "list_price": sample_price(group, luck[8:]),
                "is_sample": True,
                "is_synthetic": True,
                "created_at": now,
                "updated_at": now,
            }
        )
    ids = session.scalars(insert(Product).returning(Product.id, sort_by_parameter_order=True), rows)
    made = list(zip(ids.all(), numbers, names, rows, strict=True))
    _sell(session, [(product_id, number, row) for product_id, number, _n, row in made], now=now)
    _certify(session, [(product_id, number) for product_id, number, _n, _r in made], now=now)
    words = [
        word
        for product_id, _number, (name, *more), _row in made
        for word in search.word_rows(product_id, name, more)
    ]
    session.execute(insert(ProductWord), words)


def _sell(session: Session, made: list[tuple[int, int, dict[str, Any]]], *, now: datetime) -> None:
    variant_ids = session.scalars(
        insert(Variant).returning(Variant.id, sort_by_parameter_order=True),
        [
            {
                "product_id": product_id,
                "sku": f"THU-{number + 1:06d}",
                "unit": NO_UNIT,
                "price": row["list_price"],
                "price_is_sample": True,
            }
            for product_id, number, row in made
        ],
    ).all()
    pieces = [_luck(number)[5] % 10 * 20 for _product, number, _row in made]
    stock_ids = session.scalars(
        insert(StockItem).returning(StockItem.id, sort_by_parameter_order=True),
        [
            {"variant_id": variant_id, "on_hand": on_hand, "reserved": 0}
            for variant_id, on_hand in zip(variant_ids, pieces, strict=True)
        ],
    ).all()
    session.execute(
        insert(StockMovement),
        [
            {
                "stock_id": stock_id,
                "delta": on_hand,
                "why": Why.RECEIVED,
                "at": now,
                "is_sample": True,
            }
            for stock_id, on_hand in zip(stock_ids, pieces, strict=True)
            if on_hand
        ],
    )


def _certify(session: Session, made: list[tuple[int, int]], *, now: datetime) -> None:
    """Give every fourth product a sample certificate, some of them expired."""
    papers = []
    for product_id, number in made:
        luck = _luck(number)
        if luck[6] % 4 == 0:
            issued = vietnam_day(now) - timedelta(days=luck[7] * 6)
            papers.append(
                {
                    "product_id": product_id,
                    "kind": PaperKind.OCOP,
                    "stars": 3 + luck[7] % 3,
                    "issued_on": issued,
                    "expires_on": months_after(issued, OCOP_MONTHS),
                    "is_sample": True,
                }
            )
    if papers:
        session.execute(insert(Certificate), papers)


def _luck(number: int) -> bytes:
    return sha256(f"synthetic {number}".encode()).digest()
