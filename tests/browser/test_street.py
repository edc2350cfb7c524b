"""The whole street: from a search to the producer's yes, in the ways people really go."""

import csv
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from shop.payments import vietqr
from tests.browser.conftest import OpenWindow
from tests.browser.people import Buyer, BuyerWithoutScript, Producer, read_qr
from tests.browser.windows import DESKTOP, NO_SCRIPT, PHONE, Window
from tests.running import RunningShop

# Goods that no live show sells: a replay must not empty the shelf under another test.
MUSHROOMS = "Nấm hương khô sấy lạnh"
BASKET = "Giỏ mây tre đan tay"


def test_words_without_marks_find_goods_with_marks(buyer: Buyer) -> None:
    buyer.searches("mat ong")

    assert buyer.cards()
    assert all("mật ong" in card.lower() for card in buyer.cards())


def test_the_filter_of_five_stars_shows_holders_of_five_stars_alone(buyer: Buyer) -> None:
    buyer.opens("/san-pham")
    buyer.filters(sao="5")

    assert buyer.cards()
    assert all("OCOP 5 sao" in card for card in buyer.cards())


def test_a_code_on_a_pack_leads_to_an_order_that_is_paid_and_accepted(
    buyer: Buyer, producer: Producer, open_window: OpenWindow
) -> None:
    buyer.searches("nam huong kho")
    buyer.opens_card(MUSHROOMS)
    assert "OCOP 4 sao" in buyer.reads()

    buyer.follows("Xem đủ nhật ký và chứng cứ của lô")
    assert "Mã hợp lệ, hàng đang lưu hành" in buyer.reads()
    seen_in_shop = urlsplit(buyer.page.url).path

    printed = buyer.scans(producer.shows_the_code_of_lot("2611-07"))
    assert "/01/09521234000013/10/2611-07" in printed.lower()
    buyer.opens(printed)
    assert urlsplit(buyer.page.url).path == seen_in_shop

    buyer.page.locator("main form button.chinh").click()
    buyer.page.wait_for_url("**/dat-hang")
    buyer.writes_address()
    buyer.pays_by("bank_transfer")
    code = buyer.orders()
    to_pay = buyer.reads_what_to_pay()
    shown = vietqr.decode(buyer.scans(buyer.page.locator(".qr-tra img")))
    assert (shown.amount.dong, shown.memo, shown.account) == (
        to_pay.amount,
        to_pay.memo,
        to_pay.account,
    )
    with buyer.page.expect_download() as saving:
        buyer.page.get_by_role("link", name="Lưu ảnh QR").click()
    assert vietqr.decode(read_qr(saving.value.path().read_bytes())) == shown

    producer.opens_order(code)
    producer.confirms_the_money("app ngân hàng 10:15")
    buyer.page.get_by_text("Chờ xác nhận").wait_for()
    producer.accepts()
    buyer.page.get_by_role("heading", name=f"Đơn {code}").wait_for()

    buyer.page.reload()
    assert "Đang chuẩn bị" in buyer.reads()
    assert "Đã nhận chuyển khoản" in buyer.reads()
    stranger = Buyer(open_window(PHONE))
    stranger.opens(f"/don-hang/{code}")
    assert "Nguyễn Thị Hoa" not in stranger.reads()


def test_the_feed_of_the_shop_reads_back_as_its_goods(
    shop: RunningShop, village: dict[str, Any], buyer: Buyer
) -> None:
    shop.flask("feeds", "build")

    answer = buyer.page.request.get(village["feeds"]["meta"])

    rows = list(csv.DictReader(StringIO(answer.text())))
    assert answer.status == 200
    assert rows
    honey = next(row for row in rows if row["title"].startswith("Mật ong hoa nhãn"))
    assert honey["price"].endswith(" VND")
    buyer.opens(honey["link"])
    assert "Mật ong hoa nhãn" in buyer.reads()


def test_without_script_the_same_purchase_is_paid_on_delivery(
    open_window: OpenWindow, producer: Producer
) -> None:
    buyer = BuyerWithoutScript(open_window(NO_SCRIPT))
    buyer.searches("gio may tre dan")
    buyer.opens_card(BASKET)
    buyer.presses("Thêm vào giỏ")
    assert BASKET in buyer.reads()
    buyer.page.locator("[name=quantity]").fill("2")
    buyer.presses("Cập nhật")
    assert "300.000 ₫" in buyer.reads()

    buyer.follows("Đặt hàng", exact=True)
    buyer.writes_address()
    buyer.pays_by("cod")
    code = buyer.orders()

    assert "Chờ xác nhận" in buyer.reads()
    producer.opens_order(code)
    producer.accepts()
    buyer.page.reload()
    assert "Đang chuẩn bị" in buyer.reads()


def test_a_slip_at_the_checkout_loses_nothing_that_was_typed(open_window: OpenWindow) -> None:
    buyer = BuyerWithoutScript(open_window(NO_SCRIPT))
    buyer.searches("nam huong kho")
    buyer.opens_card(MUSHROOMS)
    buyer.buys_now()
    buyer.page.get_by_label("Họ và tên").fill("Nguyễn Thị Hoa")
    buyer.page.get_by_label("Số điện thoại").fill("0912 345")
    buyer.page.locator("main button.chinh").click()

    told = buyer.page.locator(".loi li").all_inner_texts()
    assert buyer.page.title().startswith("Lỗi:")
    assert told == buyer.page.locator(".loi-o").all_inner_texts()
    assert buyer.page.get_by_label("Họ và tên").input_value() == "Nguyễn Thị Hoa"
    for link in buyer.page.locator(".loi li a").all():
        target = (link.get_attribute("href") or "#")[1:]
        assert buyer.page.locator(f"[id='{target}']").count() == 1


@pytest.mark.parametrize("kind", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_keyboard_alone_buys(open_window: OpenWindow, kind: dict[str, Any]) -> None:
    buyer = Buyer(open_window(kind))
    buyer.searches("gio may tre dan")
    buyer.opens_card(BASKET)

    _tab_to(buyer, "button[value=cart]")
    buyer.page.keyboard.press("Enter")
    buyer.page.wait_for_url("**/gio-hang")
    _tab_to(buyer, "a[href='/dat-hang']")
    buyer.page.keyboard.press("Enter")
    buyer.page.wait_for_url("**/dat-hang")
    for field, typed in {"phone": "0912345678", "name": "Nguyễn Thị Hoa"}.items():
        _tab_to(buyer, f"[name={field}]")
        buyer.page.keyboard.type(typed)
    _tab_to(buyer, "[name=province_code]")
    _choose(buyer, "01")
    with buyer.page.expect_navigation():
        buyer.page.keyboard.press("Tab")
    _tab_to(buyer, "[name=ward_code]")
    _choose(buyer, "09784")
    _tab_to(buyer, "[name=street]")
    buyer.page.keyboard.type("Thôn 3")
    _tab_to(buyer, "main button.chinh")
    buyer.page.keyboard.press("Enter")

    buyer.page.wait_for_url("**/don-hang/**")
    assert BASKET in buyer.reads()


def _tab_to(buyer: Buyer, selector: str) -> None:
    """Press Tab until the focus stands there, as someone without a mouse does."""
    for _ in range(80):
        buyer.page.keyboard.press("Tab")
        if buyer.page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    message = f"{selector} is not reached by Tab"
    raise AssertionError(message)


def _choose(buyer: Buyer, value: str) -> None:
    """Press the arrow until the list in focus stands at `value`; no step may leave the page."""
    for _ in range(200):
        buyer.page.keyboard.press("ArrowDown")
        if buyer.page.evaluate("() => document.activeElement.value") == value:
            return
    message = f"{value} is not in the list"
    raise AssertionError(message)


def test_english_is_one_link_away_and_stays(buyer: Buyer) -> None:
    buyer.searches("nam huong kho")
    buyer.opens_card(MUSHROOMS)
    with buyer.page.expect_navigation():
        buyer.page.get_by_role("link", name="English").click()

    assert urlsplit(buyer.page.url).path.startswith("/en/san-pham/")
    assert buyer.page.locator("html").get_attribute("lang") == "en"
    buyer.presses("Add to cart")
    assert urlsplit(buyer.page.url).path == "/en/gio-hang"
    assert "Total with delivery" in buyer.reads()
    with buyer.page.expect_navigation():
        buyer.page.get_by_role("link", name="Tiếng Việt").click()
    assert "Tổng cộng" in buyer.reads()


def test_a_helpers_act_is_announced_and_written_down(
    open_window: OpenWindow, village: dict[str, Any], producer: Producer
) -> None:
    helper = Producer(open_window(PHONE))
    helper.logs_in_as(village, "helper")
    helper.opens("/ban-hang/htx-mau/so-lo")
    assert "Đang làm thay mặt HTX Mẫu" in helper.reads()

    helper.follows("2604-02")
    helper.page.locator("summary", has_text="Việc khác").click()
    helper.page.locator("label:has(input[value=care])").click()
    helper.page.locator("#note").fill("Tưới nước buổi sáng")
    helper.presses("Ghi vào sổ")

    assert "Tưới nước buổi sáng" in helper.reads()
    producer.opens("/ban-hang/htx-mau/nhat-ky-viec")
    assert "thay mặt HTX Mẫu" in producer.reads()
    assert "Tổ công nghệ số cộng đồng" in producer.reads()


def test_the_street_is_the_same_on_postgresql(
    chromium: Browser, shop_on_postgresql: RunningShop
) -> None:
    with Window.open(chromium, shop_on_postgresql.address, PHONE) as window:
        buyer = Buyer(window)
        buyer.searches("nam huong kho")
        buyer.opens_card(MUSHROOMS)
        buyer.buys_now()
        buyer.writes_address()
        buyer.pays_by("bank_transfer")
        code = buyer.orders()
        to_pay = buyer.reads_what_to_pay()

        shown = vietqr.decode(buyer.scans(buyer.page.locator(".qr-tra img")))

    assert (shown.amount.dong, shown.memo) == (to_pay.amount, to_pay.memo)
    assert len(code) == 9
    shop_on_postgresql.flask("audit")
