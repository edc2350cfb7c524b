"""Old addresses, buying again, printing, the address book: on a phone, with and without script."""

from typing import Any

import pytest

from tests.browser.conftest import OpenWindow
from tests.browser.looking import barriers, layout_troubles
from tests.browser.people import Buyer, BuyerWithoutScript
from tests.browser.windows import DESKTOP, NO_SCRIPT, PHONE

MUSHROOMS = "Nấm hương khô sấy lạnh"
OLD = "Thôn 3, xã Hạ Mỗ, Đan Phượng, Hà Nội"
KINDS = [
    pytest.param(PHONE, Buyer, id="phone"),
    pytest.param(NO_SCRIPT, BuyerWithoutScript, id="without script"),
]


def opens_checkout(buyer: Buyer) -> None:
    buyer.searches("nam huong kho")
    buyer.opens_card(MUSHROOMS)
    buyer.buys_now()
    buyer.page.wait_for_url("**/dat-hang")


def finds_the_new_commune(buyer: Buyer) -> None:
    buyer.page.locator("#dia-chi-cu > summary").click()
    buyer.page.get_by_label("Địa chỉ cũ, có phường xã và quận huyện").fill(OLD)
    buyer.presses("Tìm xã mới")
    buyer.presses("Xã Ô Diên, Hà Nội")


def looks_right(buyer: Buyer) -> None:
    assert layout_troubles(buyer.page) == []


@pytest.mark.parametrize(("kind", "person"), KINDS)
def test_an_old_address_leads_to_an_order_that_is_bought_again(
    open_window: OpenWindow, kind: dict[str, Any], person: type[Buyer]
) -> None:
    buyer = person(open_window(kind))
    opens_checkout(buyer)
    buyer.page.get_by_label("Số điện thoại").fill("0912 345 678")
    buyer.page.get_by_label("Họ và tên").fill("Nguyễn Thị Hoa")
    finds_the_new_commune(buyer)

    assert buyer.page.locator("[name=ward_code]").input_value() == "09817"
    assert buyer.page.get_by_label("Số nhà, đường, thôn").input_value() == "Thôn 3"
    assert buyer.page.get_by_label("Họ và tên").input_value() == "Nguyễn Thị Hoa"
    looks_right(buyer)

    buyer.orders()
    assert "Thôn 3, Xã Ô Diên, Hà Nội" in buyer.reads()
    assert "nơi bán gọi và xác nhận" in buyer.reads()
    looks_right(buyer)

    buyer.presses("Mua lại")
    assert MUSHROOMS in buyer.reads()
    with buyer.page.expect_navigation():
        buyer.page.get_by_role("button", name=f"Để dành {MUSHROOMS}").click()
    saved = buyer.page.locator("#de-danh")
    assert MUSHROOMS in saved.inner_text()
    looks_right(buyer)
    with buyer.page.expect_navigation():
        saved.get_by_role("button", name=f"Cho {MUSHROOMS}").click()
    assert buyer.page.locator("#de-danh").count() == 0


@pytest.mark.parametrize(("kind", "person"), KINDS)
def test_three_lists_lead_to_the_new_commune(
    open_window: OpenWindow, kind: dict[str, Any], person: type[Buyer]
) -> None:
    buyer = person(open_window(kind))
    opens_checkout(buyer)
    buyer.page.locator("#dia-chi-cu > summary").click()
    buyer.presses("Chọn từ danh sách")
    for name, choice in (
        ("old_province", "Thành phố Hà Nội"),
        ("old_district", "Huyện Đan Phượng"),
        ("old_ward", "Xã Hạ Mỗ"),
    ):
        if kind is NO_SCRIPT:
            buyer.page.locator(f"[name={name}]").select_option(choice)
            buyer.presses("Tiếp")
        else:
            with buyer.page.expect_navigation():
                buyer.page.locator(f"[name={name}]").select_option(choice)

    buyer.presses("Xã Ô Diên, Hà Nội")

    assert buyer.page.locator("[name=ward_code]").input_value() == "09817"


def test_the_confirmation_prints_without_the_shop_around_it(buyer: Buyer) -> None:
    opens_checkout(buyer)
    buyer.writes_address()
    buyer.orders()
    buyer.follows("Giấy xác nhận để in")
    assert "Người bán" in buyer.reads()
    looks_right(buyer)
    assert barriers(buyer.page) == []

    buyer.page.emulate_media(media="print")

    assert not buyer.page.locator("header.dau").is_visible()
    assert not buyer.page.get_by_role("button", name="In tờ này").is_visible()
    assert "không phải hoá đơn thuế" in buyer.reads()


@pytest.mark.parametrize("kind", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_address_book_is_kept_mended_and_used(
    open_window: OpenWindow, village: dict[str, Any], kind: dict[str, Any]
) -> None:
    buyer = Buyer(open_window(kind))
    buyer.logs_in_as(village, "buyer")
    buyer.opens("/tai-khoan")
    buyer.follows("Sổ địa chỉ")
    buyer.follows("Thêm địa chỉ")
    buyer.page.get_by_label("Số điện thoại").fill("0912 345 678")
    buyer.page.get_by_label("Họ và tên").fill("Nguyễn Thị Hoa")
    finds_the_new_commune(buyer)
    looks_right(buyer)
    assert barriers(buyer.page) == []
    buyer.presses("Lưu địa chỉ")

    assert "Thôn 3, Xã Ô Diên, Hà Nội" in buyer.reads()
    looks_right(buyer)
    assert barriers(buyer.page) == []
    opens_checkout(buyer)
    assert buyer.page.locator("[name=ward_code]").input_value() == "09817"

    buyer.opens("/tai-khoan/dia-chi")
    with buyer.page.expect_navigation():
        buyer.page.get_by_role("button", name="Xoá địa chỉ").first.click()
    assert "Đã xoá:" in buyer.reads()
    buyer.presses("Lấy lại")
    with buyer.page.expect_navigation():
        buyer.page.get_by_role("button", name="Xoá địa chỉ").first.click()

    buyer.opens("/tai-khoan/don-hang")
    looks_right(buyer)
    assert barriers(buyer.page) == []
    buyer.opens("/tai-khoan/ho-so")
    looks_right(buyer)
    assert barriers(buyer.page) == []
