"""Ready-made things for tests: every detail the claim is not about is filled in here."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from accounts.audit import SYSTEM, Actor
from accounts.users import Role, User
from catalog import products, stock
from catalog.certificates import Certificate, PaperKind
from catalog.lots import Lot
from catalog.places import AdminUnit, Level
from catalog.producers import Producer, ProducerKind, ProducerState
from catalog.products import OcopGroup, Product, ProductState
from catalog.variants import Variant
from core.money import Money
from core.text import fold, slugify
from livestream import shows
from livestream.shows import Show, ShowItem, ShowState
from shop import remittances, shipments
from shop.delivery import DeliveryKind, DeliveryMethod
from shop.orders import Order, SellerOrder
from shop.remittance_lists import Listed, ListedRow
from tests.conftest import NOON
from traceability import keeping
from traceability.diary import Step, StepKind
from traceability.keeping import Line

_numbers = count(1)


def a_user(session: Session, *, role: Role = Role.BUYER, **given: object) -> User:
    """A person with a phone."""
    number = next(_numbers)
    values: dict[str, object] = {
        "name": f"Người {number}",
        "phone": f"+849{number:08d}",
        "role": role,
        "created_at": NOON,
    }
    user = User(**{**values, **given})
    session.add(user)
    session.flush()
    return user


def a_province(session: Session, *, code: str = "01", name: str = "Thành phố Hà Nội") -> AdminUnit:
    """A province, made once per code."""
    return session.get(AdminUnit, code) or _unit(session, code, Level.PROVINCE, name, None)


def a_commune(session: Session, *, code: str = "09784", name: str = "Xã Đan Phượng") -> AdminUnit:
    """A commune of Hà Nội, made once per code."""
    province = a_province(session)
    return session.get(AdminUnit, code) or _unit(session, code, Level.COMMUNE, name, province.code)


def _unit(session: Session, code: str, level: Level, name: str, parent: str | None) -> AdminUnit:
    unit = AdminUnit(
        code=code,
        level=level,
        name=name,
        name_folded=fold(name),
        sort_key=fold(name),
        parent_code=parent,
        valid_from=date(2025, 7, 1),
        source="test",
    )
    session.add(unit)
    session.flush()
    return unit


def a_producer(session: Session, **given: object) -> Producer:
    """An approved co-operative in Đan Phượng that takes bank transfers."""
    number = next(_numbers)
    commune = a_commune(session)
    name = str(given.get("name", f"HTX Thử {number}"))
    values: dict[str, object] = {
        "slug": slugify(name),
        "name": name,
        "name_folded": fold(name),
        "kind": ProducerKind.COOPERATIVE,
        "state": ProducerState.APPROVED,
        "province_code": commune.parent_code,
        "commune_code": commune.code,
        "bank_bin": "970403",
        "bank_account": "0011012345678",
        "bank_holder": "HTX THU",
        "created_at": NOON,
    }
    producer = Producer(**{**values, **given})
    session.add(producer)
    session.flush()
    return producer


def a_product(session: Session, *, producer: Producer | None = None, **given: object) -> Product:
    """A live food product; give it variants and stock with `a_variant`."""
    number = next(_numbers)
    producer = producer or a_producer(session)
    name = str(given.get("name", f"Mật ong thử {number}"))
    values: dict[str, object] = {
        "slug": f"{slugify(name)}-{number}",
        "name": name,
        "name_lower": name.lower(),
        "group": OcopGroup.FOOD,
        "state": ProductState.LIVE,
        "producer_id": producer.id,
        "province_code": producer.province_code,
        "commune_code": producer.commune_code,
        "motif": "mat-ong",
        "created_at": NOON,
        "updated_at": NOON,
    }
    product = Product(**{**values, **given})
    session.add(product)
    session.flush()
    return product


def a_variant(
    session: Session,
    *,
    product: Product | None = None,
    price: int | None = 165_000,
    in_stock: int = 10,
    lot: Lot | None = None,
    **given: object,
) -> Variant:
    """A variant for sale with so many in stock (lot-less unless `lot` is given later)."""
    number = next(_numbers)
    product = product or a_product(session)
    values: dict[str, object] = {
        "product_id": product.id,
        "sku": f"THU-{number}",
        "unit": "hũ",
        "price": Money(price) if price is not None else None,
    }
    variant = Variant(**{**values, **given})
    session.add(variant)
    session.flush()
    if variant.price is not None and (
        product.list_price is None or variant.price < product.list_price
    ):
        product.list_price = variant.price
    if in_stock:
        item = stock.item_for(session, variant.id, lot.id if lot else None)
        stock.move(session, item, in_stock, why=stock.Why.RECEIVED, now=NOON, actor_id=None)
    session.flush()
    return variant


def a_lot(session: Session, variant: Variant, *, in_stock: int = 0, **given: object) -> Lot:
    """A lot of `variant` with so many of it in stock."""
    number = next(_numbers)
    values: dict[str, object] = {
        "variant_id": variant.id,
        "code": f"LO-{number:04d}",
        "produced_on": date(2026, 11, 1),
        "expires_on": date(2027, 11, 1),
        "created_at": NOON,
    }
    lot = Lot(**{**values, **given})
    session.add(lot)
    session.flush()
    if in_stock:
        item = stock.item_for(session, variant.id, lot.id)
        stock.move(session, item, in_stock, why=stock.Why.RECEIVED, now=NOON, actor_id=None)
    return lot


def a_star(
    session: Session, product: Product, stars: int = 4, *, issued: date | None = None
) -> Certificate:
    """An OCOP certificate of so many stars, valid at NOON unless issued long ago."""
    issued = issued or date(2025, 8, 14)
    paper = Certificate(
        product_id=product.id,
        kind=PaperKind.OCOP,
        stars=stars,
        number="813/QĐ-UBND",
        issuer="UBND thành phố",
        issued_on=issued,
        expires_on=issued.replace(year=issued.year + 3),
    )
    session.add(paper)
    session.flush()
    return paper


def later(moment: datetime = NOON, **delta: float) -> datetime:
    """A moment after `moment`."""
    return moment + timedelta(**delta)


def a_step(session: Session, lot: Lot, **given: Any) -> Step:
    """A harvest written down by a person of the producer."""
    actor, now = given.pop("actor", Actor(None, "Chị Hoa")), given.pop("now", NOON)
    values: dict[str, Any] = {
        "kind": StepKind.HARVEST,
        "happened_at": NOON - timedelta(days=1),
        "place": "Đồi sau nhà",
        "quantity": Decimal(42),
        "unit": "kg",
        "note": None,
    }
    line = Line(**{**values, **given})
    return keeping.keep(session, lot, line, base="https://cho.example", actor=actor, now=now)


def a_listed_product(
    session: Session, name: str, *, price: int | None = None, in_stock: int = 10, **given: Any
) -> Product:
    """A product published through the catalogue's own verbs, so that search finds it."""
    producer = given.pop("producer", None) or a_producer(session)
    values: dict[str, Any] = {
        "now": NOON,
        "motif": "mat-ong",
        "group": OcopGroup.FOOD,
        "producer": producer,
        "province_code": producer.province_code,
        "commune_code": producer.commune_code,
    }
    product = products.add(session, name, **{**values, **given})
    products.publish(session, product, now=NOON)
    if price is not None:
        a_variant(session, product=product, price=price, in_stock=in_stock)
    return product


def a_show(session: Session, *, producer: Producer | None = None, **given: object) -> Show:
    """A live show of a producer, on air since NOON."""
    producer = producer or a_producer(session)
    number = next(_numbers)
    values: dict[str, object] = {
        "slug": f"phien-{number}",
        "title": f"Phiên thử {number}",
        "producer_id": producer.id,
        "state": ShowState.LIVE,
        "starts_at": NOON,
    }
    show = Show(**{**values, **given})
    session.add(show)
    session.flush()
    return show


def an_item(
    session: Session, show: Show, code: str, *, in_stock: int = 10, cap: int | None = None
) -> ShowItem:
    """An item of a show with so many in the shop's own stock."""
    variant = a_variant(session, in_stock=in_stock)
    return shows.add_item(
        session,
        show,
        code=code,
        variant_id=variant.id,
        name=f"Mật ong {code}",
        unit="chai",
        live_price=Money(150_000),
        cap=in_stock if cap is None else cap,
    )


def a_switched_off_way(session: Session, producer: Producer) -> DeliveryMethod:
    """A way of delivery that buyers are no longer offered."""
    way = DeliveryMethod(
        producer_id=producer.id,
        kind=DeliveryKind.POST,
        name="Gửi bưu điện",
        fee=Money(20_000),
        is_on=False,
    )
    session.add(way)
    session.flush()
    return way


def a_parcel_with_cash(
    session: Session, order: Order, part_id: int, *, now: datetime, text: str = ""
) -> tuple[int, int, int]:
    """A parcel with a waybill and a carrier's list that names another; their ids and the row's."""
    part = session.get_one(SellerOrder, part_id)
    parcel = shipments.write_waybill(
        session,
        order,
        part,
        waybill="EB123456789VN",
        carrier_name=f"VNPost{text}",
        actor=SYSTEM,
        now=now,
    )
    row = ListedRow(2, "EB000000001VN", Money(18_000), Money(0))
    listed = Listed(f"COD{text}", "0" * 64, (row,), Money(0))
    batch = remittances.take(session, part.producer_id, listed, actor=SYSTEM, now=now)
    [kept] = remittances.list_rows(session, batch)
    return parcel.id, batch.id, kept.id
