"""A guest buys from two producers at once: in cash, and by transfers a bank tells of."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from accounts.audit import SYSTEM
from catalog import stock
from catalog.producers import Producer as Maker
from catalog.products import Product, ProductState
from catalog.variants import Variant
from core.clock import utc_now
from core.db import Database
from demo.standins.banks import BankStandIn, Hook
from shop import connections
from shop.orders import Order, SellerOrder
from shop.payments import payments, sepay
from shop.payments.payments import Payment
from tests.browser.conftest import OpenWindow
from tests.browser.looking import layout_troubles
from tests.browser.people import Buyer, BuyerWithoutScript
from tests.browser.windows import NO_SCRIPT, PHONE
from tests.conftest import SECRET
from tests.running import RunningShop

SAMPLE = "htx-mau"
KEY = "khoa-cua-ngan-hang"
KINDS = [
    pytest.param(PHONE, Buyer, id="phone"),
    pytest.param(NO_SCRIPT, BuyerWithoutScript, id="without script"),
]


@pytest.fixture(scope="module")
def bank() -> Iterator[BankStandIn]:
    """One bank for the whole module: it never gives two movements the same number."""
    with BankStandIn() as server:
        server.sending.duplicates = 3
        yield server


@contextmanager
def database_of(shop: RunningShop) -> Iterator[Database]:
    """The running shop's own database."""
    database = Database(shop.environment["DATABASE_URL"])
    try:
        yield database
    finally:
        database.close()


def slugs_of_two_producers(shop: RunningShop) -> list[str]:
    """Goods with a price and stock: one of the sample producer, one of another."""
    found: dict[bool, str] = {}
    with database_of(shop) as database, database.reading() as session:
        rows = session.execute(
            select(Product.slug, Variant.id, Maker.slug)
            .join(Variant, Variant.product_id == Product.id)
            .join(Maker, Maker.id == Product.producer_id)
            .where(
                Product.state == ProductState.LIVE,
                Product.motif.not_in(["ruou", "mat-ong"]),
                Variant.price.is_not(None),
                Maker.bank_account.is_not(None),
            )
            .order_by(Product.id)
        ).all()
        free = stock.free_of_variants(session, [row[1] for row in rows], now=utc_now())
    for slug, variant_id, maker in rows:
        if free[variant_id] > 6:
            found.setdefault(maker == SAMPLE, slug)
    return [found[True], found[False]]


def fills_cart_and_opens_checkout(buyer: Buyer, shop: RunningShop) -> None:
    for slug in slugs_of_two_producers(shop):
        buyer.opens(f"/san-pham/{slug}")
        buyer.page.get_by_role("button", name="Thêm vào giỏ").first.click()
        buyer.page.wait_for_load_state("networkidle")
    buyer.opens("/dat-hang")
    buyer.writes_address()


def what_is_asked(shop: RunningShop, code: str) -> list[tuple[Payment, Hook]]:
    """Each producer's payment of an order, and where its bank service calls the shop."""
    with database_of(shop) as database, database.transaction() as session:
        parts = list(
            session.scalars(
                select(SellerOrder)
                .join(Order, Order.id == SellerOrder.order_id)
                .where(Order.code == code)
                .order_by(SellerOrder.id)
            )
        )
        hooks = []
        for part in parts:
            opened = connections.open_new(
                session,
                part.producer_id,
                sepay.PROVIDER,
                {"hmac_secret": KEY},
                secrets=[SECRET],
                actor=SYSTEM,
                now=utc_now(),
            )
            token = connections.token_of(opened, [SECRET])
            hooks.append(Hook(f"{shop.address}/webhooks/sepay/{token}", KEY))
        paid = payments.list_of_parts(session, [part.id for part in parts])
        asked = [paid[part.id] for part in parts]
        session.expunge_all()
    return list(zip(asked, hooks, strict=True))


@pytest.mark.parametrize(("kind", "person"), KINDS)
def test_cash_from_two_producers(
    shop: RunningShop, open_window: OpenWindow, kind: dict[str, Any], person: type[Buyer]
) -> None:
    buyer = person(open_window(kind))
    fills_cart_and_opens_checkout(buyer, shop)
    buyer.pays_by("cod")

    buyer.orders()

    assert buyer.reads().count("Chờ xác nhận") >= 2
    assert layout_troubles(buyer.page) == []


@pytest.mark.parametrize(("kind", "person"), KINDS)
def test_transfers_to_two_producers_are_told_by_the_bank(
    shop: RunningShop,
    bank: BankStandIn,
    open_window: OpenWindow,
    kind: dict[str, Any],
    person: type[Buyer],
) -> None:
    buyer = person(open_window(kind))
    fills_cart_and_opens_checkout(buyer, shop)
    buyer.pays_by("bank_transfer")
    code = buyer.orders()
    assert buyer.page.locator(".qr-tra img").count() == 2
    assert layout_troubles(buyer.page) == []

    for payment, hook in what_is_asked(shop, code):
        bank.hooks = {sepay.PROVIDER: hook}
        movement = bank.move(
            payment.amount.dong,
            f"MBVCB.123.{payment.memo}.CT tu 0123 NGUYEN THI HOA",
            account=payment.bank_account or "",
        )
        bank.tell([movement], by=sepay.PROVIDER)

    buyer.page.reload()
    assert buyer.reads().count("Chờ xác nhận") >= 2
    assert "Đã nhận chuyển khoản" in buyer.reads()
    assert buyer.page.locator(".qr-tra img").count() == 0
