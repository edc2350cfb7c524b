"""Scanning with a phone: read at once, counted once, looked at again without network."""

from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, Request

from tests.browser.conftest import OpenWindow
from tests.browser.people import Buyer, Producer
from tests.browser.windows import NO_SCRIPT, PHONE

# A lot that no other test recalls or sells out.
LOT = "2607-01"
GOOD = "Mã hợp lệ, hàng đang lưu hành"
WITHOUT_NETWORK = "Không có mạng"
LARGEST_VIEW = 70_000


@pytest.fixture
def code(producer: Producer) -> str:
    """The public code of the lot."""
    producer.opens(f"{producer.desk}/so-lo")
    producer.follows(LOT)
    href = producer.page.get_by_role("link", name="Xem như người quét").get_attribute("href")
    assert href is not None
    return href.rpartition("/")[2]


def waits_until_kept(buyer: Buyer, address: str) -> None:
    """Wait until the phone has put the page on its shelf."""
    buyer.page.wait_for_function(
        "async path => !!(await (await caches.open('quet-1')).match(path))", arg=address
    )


def test_the_second_look_needs_no_network_and_says_so(open_window: OpenWindow, code: str) -> None:
    buyer = Buyer(open_window(PHONE))
    buyer.opens(f"/t/{code}?utm=1")
    page = urlsplit(buyer.page.url).path
    assert page == f"/truy-xuat/{code}"
    assert GOOD in buyer.reads()
    assert WITHOUT_NETWORK not in buyer.reads()
    waits_until_kept(buyer, page)
    waits_until_kept(buyer, f"/T/{code}")

    # For two seconds the browser itself holds the page to be as good as new.
    buyer.page.wait_for_timeout(2_500)
    buyer.window.context.set_offline(True)
    for address in (page, f"/t/{code.lower()}", f"{page}?utm=2"):
        buyer.opens(address)

        assert GOOD in buyer.reads()
        assert WITHOUT_NETWORK in buyer.reads()
        assert buyer.page.locator("#ngoai-mang time").inner_text().strip() not in {"", "…"}
        assert buyer.page.evaluate("() => document.fonts.check('16px Bitter')")
        assert buyer.page.evaluate("() => document.styleSheets.length") > 0
    with pytest.raises(Error):
        buyer.opens("/truy-xuat/7K3QX9M2PD7")
    # What is gone with the network is not said to be known: another number is another page.
    with pytest.raises(Error):
        buyer.opens(f"{page}?ma=SO-LA")

    buyer.window.context.set_offline(False)
    buyer.opens(page)
    assert WITHOUT_NETWORK not in buyer.reads()
    buyer.window.troubles.clear()


def test_a_view_is_counted_once_after_it_was_painted(open_window: OpenWindow, code: str) -> None:
    buyer = Buyer(open_window(PHONE))
    counted: list[tuple[str, bool]] = []

    def note(request: Request) -> None:
        if urlsplit(request.url).path == "/quet":
            painted = buyer.page.evaluate("() => performance.getEntriesByType('paint').length > 0")
            counted.append((request.post_data or "", painted))

    buyer.page.on("requestfinished", note)
    buyer.opens(f"/truy-xuat/{code}")
    buyer.page.wait_for_timeout(1_500)
    once = list(counted)
    buyer.page.evaluate("() => scrollTo(0, 9e9)")
    buyer.page.wait_for_timeout(500)

    assert once == counted == [(f"id={code}", True)]


def test_the_first_view_is_small_and_readable_without_script(
    open_window: OpenWindow, code: str
) -> None:
    buyer = Buyer(open_window(PHONE))
    buyer.opens(f"/truy-xuat/{code}")
    parts: list[dict[str, Any]] = buyer.page.evaluate(
        "() => ['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind))"
        ".map(one => ({ name: one.name, bytes: one.transferSize }))"
    )
    without = Buyer(open_window(NO_SCRIPT))
    without.opens(f"/truy-xuat/{code}")

    scripts = [one for one in parts if one["name"].endswith(".js")]
    assert sum(one["bytes"] for one in parts) <= LARGEST_VIEW, parts
    assert len(parts) <= 12, parts
    assert len(scripts) == 1
    assert GOOD in without.reads()
    assert "Báo hàng có vấn đề" in without.reads()
    assert without.page.locator("meta[property='og:title']").get_attribute("content") == GOOD


def test_from_the_scan_to_a_buyers_till(open_window: OpenWindow, code: str) -> None:
    buyer = Buyer(open_window(PHONE))
    buyer.opens(f"/t/{code}")

    with buyer.page.expect_navigation():
        buyer.page.locator("#mua button.chinh").click()

    assert urlsplit(buyer.page.url).path == "/dat-hang"
    assert LOT in buyer.reads() or "Trà sen" in buyer.reads()


def test_a_recall_is_seen_within_seconds_by_who_has_the_page_kept(
    open_window: OpenWindow, producer: Producer
) -> None:
    producer.opens(f"{producer.desk}/so-lo/moi")
    producer.page.locator("[name=code]").fill("QUET-THU")
    producer.page.locator("[name=quantity]").fill("5")
    with producer.page.expect_navigation():
        producer.page.locator("main form button.chinh").click()
    lot_page = producer.page.url
    page = producer.page.get_by_role("link", name="Xem như người quét").get_attribute("href")
    assert page is not None
    buyer = Buyer(open_window(PHONE))
    buyer.opens(page)
    assert GOOD in buyer.reads()
    waits_until_kept(buyer, page)

    producer.opens(lot_page)
    producer.follows("Thu hồi / tạm giữ")
    producer.page.locator("[name=kind][value=recall]").check()
    producer.page.get_by_label("Lý do", exact=True).fill("Kiểm nghiệm thấy nấm mốc")
    producer.page.get_by_label("Gõ số lô QUET-THU").fill("QUET-THU")
    producer.presses("Chặn ngay")
    recalled_at = monotonic()
    while "Dừng sử dụng" not in buyer.reads():
        assert monotonic() - recalled_at < 5, "the kept page hides the recall"
        buyer.page.wait_for_timeout(300)
        buyer.opens(page)

    waits_until_kept(buyer, page)
    buyer.window.context.set_offline(True)
    buyer.opens(page)
    assert "Dừng sử dụng" in buyer.reads()
    assert buyer.page.locator("#mua form").count() == 0
    buyer.window.troubles.clear()


def test_an_unknown_code_is_told_without_script_and_kept_nowhere(
    open_window: OpenWindow,
) -> None:
    buyer = Buyer(open_window(PHONE))
    buyer.opens("/t/7K3QX9M2PD7")

    assert "Mã lạ, chưa thấy trong sổ" in buyer.reads()
    assert buyer.page.locator("script").count() == 0
    assert buyer.page.evaluate("async () => (await caches.keys()).length") == 0


def test_a_problem_is_reported_from_the_page_with_a_province(
    open_window: OpenWindow, code: str, producer: Producer
) -> None:
    buyer = Buyer(open_window(NO_SCRIPT))
    buyer.opens(f"/truy-xuat/{code}")
    buyer.follows("Báo hàng có vấn đề")
    buyer.page.get_by_label("Bao bì").first.check()
    buyer.page.locator("[name=words]").fill("Nắp hở một bên")
    buyer.page.locator("[name=province_code]").select_option("01")
    with buyer.page.expect_navigation():
        buyer.page.locator("main form button.chinh").click()
    assert "Cảm ơn" in buyer.reads()

    producer.opens(f"{producer.desk}/bao-loi")
    assert "Nắp hở một bên" in producer.reads()


def test_english_is_one_tap_away(open_window: OpenWindow, code: str) -> None:
    buyer = Buyer(open_window(PHONE))
    buyer.opens(f"/truy-xuat/{code}")
    with buyer.page.expect_navigation():
        buyer.page.get_by_role("link", name="English").click()

    assert "Valid code, goods in circulation" in buyer.reads()
    assert "genuine" not in buyer.reads().lower()
