"""A recall on the desk: seconds later the scan page is red and the goods cannot be bought."""

from time import monotonic

from tests.browser.conftest import OpenWindow
from tests.browser.people import BuyerWithoutScript, Producer
from tests.browser.windows import NO_SCRIPT

# Sold out until a lot is opened here; and sold out again once that lot is recalled.
SWEETS = "Kẹo lạc giòn"
CODE = "KEO-THU"
SECONDS = 5.0


def test_a_recall_is_on_the_scan_page_in_seconds_and_ends_the_sale(
    producer: Producer, open_window: OpenWindow
) -> None:
    producer.opens(f"{producer.desk}/so-lo/moi")
    goods = producer.page.locator("[name=variant_id]")
    goods.select_option(label=goods.locator("option").filter(has_text=SWEETS).inner_text())
    producer.page.locator("[name=code]").fill(CODE)
    producer.page.locator("[name=quantity]").fill("5")
    with producer.page.expect_navigation():
        producer.page.locator("main form button.chinh").click()
    lot_page = producer.page.url
    scan_page = producer.page.get_by_role("link", name="Xem như người quét").get_attribute("href")
    assert scan_page is not None
    buyer = BuyerWithoutScript(open_window(NO_SCRIPT))
    buyer.opens(scan_page)
    assert "Mã hợp lệ, hàng đang lưu hành" in buyer.reads()
    assert buyer.page.locator("form[action$='/gio-hang/them']").count() == 1

    producer.opens(lot_page)
    producer.follows("Thu hồi / tạm giữ")
    assert "Chưa làm gì cả" in producer.reads()
    producer.page.locator("[name=kind][value=recall]").check()
    producer.page.get_by_label("Lý do", exact=True).fill("Kiểm nghiệm thấy nấm mốc")
    producer.page.get_by_label(f"Gõ số lô {CODE}").fill(CODE.lower())
    producer.presses("Chặn ngay")
    recalled_at = monotonic()
    assert "không chỗ nào trong chợ bán" in producer.page.locator("body").inner_text()

    while "Dừng sử dụng" not in buyer.reads():
        assert monotonic() - recalled_at < SECONDS, "the scan page is not red yet"
        buyer.page.wait_for_timeout(500)
        buyer.opens(scan_page)
    assert "Kiểm nghiệm thấy nấm mốc" in buyer.reads()
    assert buyer.page.locator("form[action$='/gio-hang/them']").count() == 0
    buyer.searches("keo lac gion")
    buyer.opens_card(SWEETS)
    assert buyer.page.get_by_role("button", name="Mua ngay").count() == 0
