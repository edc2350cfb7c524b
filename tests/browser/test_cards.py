"""A guest pays by card on the stand-in's page, with and without script, and when it is ill."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from demo.standins.stripe import SECRET, StripeStandIn
from tests.browser.people import Buyer, BuyerWithoutScript
from tests.browser.windows import DESKTOP, NO_SCRIPT, PHONE, Window
from tests.running import RunningShop, running_shop

GOODS = "Nấm hương khô sấy lạnh"


@pytest.fixture(scope="module")
def stripe() -> Iterator[StripeStandIn]:
    with StripeStandIn() as server:
        yield server


@pytest.fixture(scope="module")
def card_shop(
    stripe: StripeStandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningShop]:
    """The demo village as one operator's shop that takes cards; Stripe calls it like a real one."""
    with running_shop(
        tmp_path_factory.mktemp("cards"),
        SELLING_MODE="direct",
        STRIPE_SECRET_KEY="sk_test_1",
        STRIPE_WEBHOOK_SECRET=SECRET,
        STRIPE_API_BASE=stripe.url,
    ) as shop:
        stripe.webhook = f"{shop.address}/webhooks/stripe"
        stripe.sending.duplicates = 3
        stripe.sending.disorder = True
        shop.load_demo()
        yield shop


@pytest.fixture(autouse=True)
def well_again(stripe: StripeStandIn) -> Iterator[None]:
    yield
    stripe.ail()


def orders_by_card(buyer: Buyer) -> None:
    """Go from the shelf to the moment after the order was sent."""
    buyer.opens("/san-pham")
    buyer.opens_card(GOODS)
    buyer.buys_now()
    buyer.writes_address()
    buyer.pays_by("stripe")
    with buyer.page.expect_navigation():
        buyer.page.locator("main button.chinh").click()


@pytest.mark.parametrize(
    ("kind", "who"),
    [(PHONE, Buyer), (DESKTOP, Buyer), (NO_SCRIPT, BuyerWithoutScript)],
    ids=["phone", "desktop", "no script"],
)
def test_a_guest_pays_by_card(
    chromium: Browser,
    card_shop: RunningShop,
    stripe: StripeStandIn,
    kind: dict[str, object],
    who: type[Buyer],
) -> None:
    window = Window.open(chromium, card_shop.address, kind)
    buyer = who(window)

    orders_by_card(buyer)
    assert buyer.page.url.startswith(f"{stripe.url}/pay/")
    buyer.page.get_by_role("button", name="Go back").click()
    buyer.page.get_by_role("button", name="Thanh toán bằng thẻ").click()
    buyer.page.get_by_role("button", name="Pay", exact=True).click()
    buyer.page.wait_for_url("**/don-hang/**")

    assert "Đã trả tiền" in buyer.reads()
    assert "Chờ xác nhận" in buyer.reads()
    assert _foreign(window, stripe) == []
    window.context.close()


def test_an_ill_stripe_leaves_an_order_that_can_be_paid_later(
    chromium: Browser, card_shop: RunningShop, stripe: StripeStandIn
) -> None:
    window = Window.open(chromium, card_shop.address, PHONE)
    buyer = Buyer(window)
    stripe.ail(drip=True)

    orders_by_card(buyer)

    assert "Đơn đã đặt xong" in buyer.reads()
    stripe.ail()
    buyer.page.get_by_role("button", name="Thanh toán bằng thẻ").click()
    buyer.page.get_by_role("button", name="Pay", exact=True).click()
    buyer.page.wait_for_url("**/don-hang/**")
    assert "Đã trả tiền" in buyer.reads()
    window.context.close()


def _foreign(window: Window, stripe: StripeStandIn) -> list[str]:
    """What went wrong, but for going to Stripe itself."""
    return [one for one in window.troubles if stripe.url not in one]
