"""Placing an order: the shop's own function, and the bare statements that leave the same rows."""

import random
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from secrets import token_hex
from typing import Any

from sqlalchemy import func, insert, select, update

from accounts.audit import Actor
from benchmarks.drivers import Driver
from benchmarks.measuring import Path, Side
from benchmarks.shops import PUBLIC_URL, Shop
from catalog.alcohol import alcoholic
from catalog.places import AdminUnit, Level
from catalog.producers import Producer
from catalog.products import Product
from catalog.stock import OPEN, Reservation, StockItem
from catalog.variants import Variant
from core.clock import utc_now
from core.codes import new_code
from core.db import Base
from core.text import fold
from shop import checkout, links
from shop.carts import Cart, CartLine
from shop.checkout import Buyer
from shop.codes import ORDER_CODE

SPREAD = 1_000
PLENTY = 10_000_000
FASTEST = 5_000  # orders a second that no side reaches
BUYER = "Nguyễn Thị Ẩn"
STREET = "Thôn 3, số 8"
LETTER = '{"part_id": 1, "template": "new_order", "key": "place"}'

CLOSE_CART = "UPDATE cart SET state = 'ordered', updated_at = ? WHERE id = ? AND state = 'open'"
READ_GOODS = """
SELECT l.variant_id, l.quantity, v.price, v.unit, v.name, p.id, p.name, p.place_text,
       s.id, s.name, i.id, d.id, d.kind, d.name, d.fee
FROM cart_line l
JOIN variant v ON v.id = l.variant_id
JOIN product p ON p.id = v.product_id
JOIN producer s ON s.id = p.producer_id
JOIN stock_item i ON i.variant_id = v.id
JOIN delivery_method d ON d.producer_id = s.id AND d.position = 0
WHERE l.cart_id = ? AND p.state = 'live' AND s.state = 'approved'
"""
HOLD = """
UPDATE stock_item SET reserved = reserved + ? WHERE id = ? AND on_hand - reserved >= ?
"""
ADD_RESERVATION = """
INSERT INTO reservation (stock_id, quantity, state, created_at)
VALUES (?, ?, 'committed', ?) RETURNING id
"""
ADD_ORDER = """
INSERT INTO customer_order (code, token_hash, cart_id, state, payment_status, payment_method,
    buyer_name, buyer_folded, buyer_phone, province_code, commune_code, street, address_text,
    discount_total, total, source, adult, frozen, language, placed_at)
VALUES (?, ?, ?, 'placed', 'cod_due', 'cod', ?, ?, ?, ?, ?, ?, ?, 0, ?, 'web', ?, ?, 'vi', ?)
RETURNING id
"""
ADD_PART = """
INSERT INTO seller_order (order_id, producer_id, producer_name, state, delivery_method_id,
    delivery_kind, delivery_name, weight_g, items_total, discount_total, shipping_fee,
    shipping_discount, total, confirm_by, failed_attempts, reminders, called_buyer)
VALUES (?, ?, ?, 'to_confirm', ?, ?, ?, 0, ?, 0, ?, 0, ?, ?, 0, 0, ?) RETURNING id
"""
ADD_LINE = """
INSERT INTO order_line (seller_order_id, variant_id, product_id, product_name, variant_name, unit,
    unit_price, quantity, quantity_cancelled, quantity_returned, discount_share,
    discount_cancelled, commission_bp, place)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, ?) RETURNING id
"""
ADD_HOLD = "INSERT INTO line_hold (reservation_id, line_id) VALUES (?, ?)"
ADD_PAYMENT = """
INSERT INTO payment (order_id, seller_order_id, method, state, amount, captured, attempt,
    openings, created_at, refund_due, refunded)
VALUES (?, ?, 'cod', 'due', ?, 0, 1, 0, ?, 0, 0) RETURNING id
"""
ADD_SHARE = "INSERT INTO payment_share (payment_id, seller_order_id, amount) VALUES (?, ?, ?)"
ADD_TASK = """
INSERT INTO task (kind, key, payload, state, run_at, attempts, created_at)
VALUES ('order.message', ?, ?, 'due', ?, 0, ?) ON CONFLICT (key) DO NOTHING
"""
ADD_EVENT = """
INSERT INTO order_event (order_id, seller_order_id, at, verb, to_state, actor_name, detail)
VALUES (?, ?, ?, 'place', 'to_confirm', ?, '{}')
"""


class Oversold(Exception):  # noqa: N818 - what happened
    """More is reserved than reservations say, or than lies on the shelf."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A cart to be ordered, with a phone of its own: a phone orders only so often in an hour."""

    cart_id: int
    phone: str
    province_code: str
    commune_code: str

    @property
    def typed(self) -> dict[str, str]:
        """Return what the buyer's form would send."""
        return {
            "name": BUYER,
            "phone": self.phone,
            "province_code": self.province_code,
            "ward_code": self.commune_code,
            "street": STREET,
            "payment_method": "cod",
        }


def paths(shop: Shop) -> Iterator[Path]:
    """Give an order of one line: of one of many products, and of the one everybody wants."""
    stock_up(shop)
    variants = sold_variants(shop)
    with closing(Driver(shop)) as driver:
        yield _path(shop, driver, f"place order, {len(variants)} products", variants)
        yield _path(shop, driver, "place order, one hot product", variants[:1])


def stock_up(shop: Shop) -> None:
    """Put so much of everything on the shelf that no turn runs out."""
    with shop.database.transaction() as session:
        session.execute(update(StockItem).values(on_hand=PLENTY))


def sold_variants(shop: Shop) -> list[int]:
    """Return variants that anybody may order, kept in one stock row each."""
    only_row = (
        select(StockItem.variant_id)
        .group_by(StockItem.variant_id)
        .having(func.count() == 1, func.max(StockItem.lot_id).is_(None))
    )
    with shop.database.reading() as session:
        return list(
            session.scalars(
                select(Variant.id)
                .join(Product, Product.id == Variant.product_id)
                .join(Producer, Producer.id == Product.producer_id)
                .where(Variant.price.is_not(None), Variant.id.in_(only_row), ~alcoholic())
                .order_by(Variant.id.desc())
                .limit(SPREAD)
            )
        )


def _path(shop: Shop, driver: Driver, name: str, variants: list[int]) -> Path:
    carts = Carts(shop, variants)
    return Path(
        name,
        "orders/s",
        "the bare statements of the same order through the driver, one transaction",
        # The target is set for many clients at once: `benchmarks.crowd`.
        None,
        Side(carts.for_turn, ordering(shop)),
        Side(carts.for_turn, bare_ordering(shop, driver)),
        # Refusals and names are translated in the language of a request.
        around=shop.app.test_request_context,
    )


class Carts:
    """Makes carts of one line, each with a thing taken by chance."""

    def __init__(self, shop: Shop, variants: list[int]) -> None:
        """Choose among `variants`; everybody lives in the first commune of the first province."""
        self._shop = shop
        self._chance = random.Random(7)
        self._phones = count(1)
        with shop.database.reading() as session:
            self._prices: dict[int, Any] = {
                row.id: row.price
                for row in session.execute(
                    select(Variant.id, Variant.price).where(Variant.id.in_(variants))
                )
            }
            commune = session.scalars(
                select(AdminUnit)
                .where(AdminUnit.level == Level.COMMUNE, AdminUnit.valid_to.is_(None))
                .order_by(AdminUnit.code)
                .limit(1)
            ).one()
        self._place = (commune.parent_code or "", commune.code)

    def for_turn(self, seconds: float) -> Iterable[Wish]:
        """Return more new carts than can be ordered in so many seconds."""
        return self.fill(1 + int(seconds * FASTEST))

    def fill(self, number: int) -> list[Wish]:
        """Return so many new carts."""
        now = utc_now()
        with self._shop.database.transaction() as session:
            ids = session.scalars(
                insert(Cart).returning(Cart.id),
                [
                    {"token_hash": token_hex(16), "created_at": now, "updated_at": now}
                    for _ in range(number)
                ],
            ).all()
            session.execute(
                insert(CartLine),
                [
                    {
                        "cart_id": cart_id,
                        "variant_id": (variant := self._chance.choice(list(self._prices))),
                        "quantity": 1 + cart_id % 3,
                        "seen_price": self._prices[variant],
                        "added_at": now,
                    }
                    for cart_id in ids
                ],
            )
        return [Wish(cart_id, f"09{next(self._phones):08d}", *self._place) for cart_id in ids]


def ordering(shop: Shop) -> Any:
    """Return the function that places an order as the checkout page does."""

    def do(wish: Wish) -> int:
        mark = links.order_mark(shop.settings.SECRET_KEY, wish.cart_id)
        with shop.database.transaction() as session:
            checkout.place(
                session,
                wish.cart_id,
                wish.typed,
                buyer=Buyer(Actor(None, "người mua"), "vi", mark),
                agreed_prices="",
                public_url=PUBLIC_URL,
                now=utc_now(),
            )
        return 1

    return do


def bare_ordering(shop: Shop, driver: Driver) -> Any:
    """Return the function that writes the rows of an order and nothing else."""

    def do(wish: Wish) -> int:
        now = driver.moment(utc_now())
        mark = links.order_mark(shop.settings.SECRET_KEY, wish.cart_id)
        driver.begin()
        driver.run(CLOSE_CART, (now, wish.cart_id))
        [goods] = driver.run(READ_GOODS, (wish.cart_id,)).fetchall()
        variant, quantity, price, unit, size, product, name, place = goods[:8]
        seller, seller_name, stock_row, way, kind, way_name, fee = goods[8:]
        driver.run(HOLD, (quantity, stock_row, quantity))
        hold = driver.number(ADD_RESERVATION, (stock_row, quantity, now))
        items = price * quantity
        order = driver.number(
            ADD_ORDER,
            (new_code(ORDER_CODE), links.mark_hash(mark), wish.cart_id, BUYER, fold(BUYER),
             wish.phone, wish.province_code, wish.commune_code, STREET, STREET, items + fee,
             False, False, now),
        )  # fmt: skip
        part = driver.number(
            ADD_PART,
            (order, seller, seller_name, way, kind, way_name, items, fee, items + fee, now, False),
        )
        line = driver.number(
            ADD_LINE, (part, variant, product, name, size, unit, price, quantity, place)
        )
        driver.run(ADD_HOLD, (hold, line))
        payment = driver.number(ADD_PAYMENT, (order, part, items + fee, now))
        driver.run(ADD_SHARE, (payment, part, items + fee))
        driver.run(ADD_EVENT, (order, part, now, "người mua"))
        driver.run(ADD_TASK, (f"message:{part}", LETTER, now, now))
        driver.commit()
        return 1

    return do


def refuse_oversold(shop: Shop) -> None:
    """Raise Oversold unless every reserved piece has its reservation and lies on the shelf."""
    with shop.database.reading() as session:
        reserved, over = session.execute(
            select(
                func.coalesce(func.sum(StockItem.reserved), 0),
                func.count().filter(StockItem.reserved > StockItem.on_hand),
            )
        ).one()
        held = session.scalar(
            select(func.coalesce(func.sum(Reservation.quantity), 0)).where(
                Reservation.state.in_(OPEN)
            )
        )
    if over or reserved != held:
        raise Oversold(f"{over} rows oversold; reserved {reserved}, held {held}")


def counted_rows(shop: Shop) -> dict[str, int]:
    """Return how many rows each table holds, to show that both sides leave the same."""
    with shop.database.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }
