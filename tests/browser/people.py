"""What people do in the shop, in their words. Only what a person could do or see belongs here."""

from dataclasses import dataclass
from io import BytesIO
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, Page

from tests.browser.windows import Window

_phones = count(100)


def read_qr(picture: bytes) -> str:
    """Read the one QR code in a picture, as a phone's camera would."""
    found = zxingcpp.read_barcodes(Image.open(BytesIO(picture)).convert("RGB"))
    assert len(found) == 1, f"{len(found)} codes in the picture"
    return str(found[0].text)


class Person:
    """Someone in front of a window of the shop."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.page: Page = window.page

    def opens(self, address: str) -> None:
        """Open an address of the shop."""
        self.page.goto(address)

    def reads(self) -> str:
        """Read the main part of the page."""
        return self.page.locator("main").inner_text().replace("\u00a0", " ")

    def presses(self, name: str, *, within: Locator | None = None) -> None:
        """Press the button of this name, and wait for the page that follows."""
        with self.page.expect_navigation():
            (within or self.page).get_by_role("button", name=name, exact=True).click()

    def follows(self, name: str, *, exact: bool = False) -> None:
        """Follow the link of this name, and wait for the page behind it."""
        with self.page.expect_navigation():
            self.page.locator("main").get_by_role("link", name=name, exact=exact).first.click()

    def scans(self, code: Locator) -> str:
        """Point a phone at a code shown on a screen; return what it says."""
        return read_qr(code.screenshot())

    def logs_in_as(self, village: dict[str, Any], role: str) -> None:
        """Log in with the demo's account of this role."""
        login = next(one for one in village["logins"] if one["role"] == role)
        self.opens("/tai-khoan/dang-nhap")
        self.page.get_by_label("Số điện thoại hoặc e-mail").fill(login["user"])
        self.page.get_by_label("Mật khẩu", exact=True).fill(login["password"])
        self.presses("Đăng nhập")


@dataclass(frozen=True)
class ToPay:
    """What the pay page asks for, as the buyer reads it."""

    amount: int
    memo: str
    account: str


class Buyer(Person):
    """Someone who looks for goods, scans packs and orders."""

    def searches(self, words: str) -> None:
        """Type words into the search field of the list and press Enter."""
        self.opens("/san-pham")
        self.page.get_by_role("searchbox").fill(words)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def filters(self, **choices: str) -> None:
        """Open the filters, choose, and send them."""
        self.page.locator("details.gap > summary").first.click()
        for label, choice in choices.items():
            self.page.locator(f"select[name={label}]").select_option(choice)
        with self.page.expect_navigation():
            self.page.locator("details.gap button").click()

    def cards(self) -> list[str]:
        """Read the cards on the page."""
        return [text.replace("\u00a0", " ") for text in self.page.locator(".san").all_inner_texts()]

    def opens_card(self, name: str) -> None:
        """Open the goods of this name."""
        with self.page.expect_navigation():
            self.page.locator("a.san").filter(has_text=name).first.click()

    def buys_now(self) -> None:
        """Take one straight to the checkout."""
        self.presses("Mua ngay")

    def writes_address(self) -> None:
        """Fill in who receives the goods and where."""
        # One phone may order ten times an hour; everybody here has one of their own.
        self.page.get_by_label("Số điện thoại").fill(f"0912 {next(_phones)} 678")
        self.page.get_by_label("Họ và tên").fill("Nguyễn Thị Hoa")
        self.page.locator("[name=province_code]").select_option("01")
        commune = self.page.locator("[name=ward_code]")
        if commune.locator("option[value='09784']").count() == 0:
            self._asks_for_communes()
        commune.select_option("09784")
        self.page.get_by_label("Số nhà, đường, thôn").fill("Thôn 3")

    def _asks_for_communes(self) -> None:
        """Wait for the list of communes; without script, ask for it by its button."""
        self.page.locator("[name=ward_code] option[value='09784']").wait_for(state="attached")

    def pays_by(self, way: str) -> None:
        """Choose how to pay: cod or bank_transfer."""
        self.page.locator(f"[name=payment_method][value={way}]").check()

    def orders(self) -> str:
        """Send the order and return its code."""
        with self.page.expect_navigation(url="**/don-hang/**"):
            self.page.locator("main button.chinh").click()
        return urlsplit(self.page.url).path.rpartition("/")[2]

    def reads_what_to_pay(self) -> ToPay:
        """Read amount, account and message from the pay page."""
        rows = [row.inner_text().splitlines() for row in self.page.locator("main .the .chep").all()]
        read = {row[0]: row[1] for row in rows}
        amount = "".join(letter for letter in read["Số tiền"] if letter.isdigit())
        account = next(value for label, value in read.items() if label.startswith("Số tài khoản"))
        return ToPay(int(amount), read["Nội dung chuyển khoản"], account)


class BuyerWithoutScript(Buyer):
    """The same buyer with JavaScript switched off."""

    def _asks_for_communes(self) -> None:
        self.presses("Chọn tỉnh")


class Producer(Person):
    """Someone at the desk of HTX Mẫu."""

    desk = "/ban-hang/htx-mau"

    def opens_order(self, code: str) -> None:
        """Open an order at the desk."""
        self.opens(f"{self.desk}/don-hang/{code}")

    def confirms_the_money(self, evidence: str) -> None:
        """Write down that the transfer of the open order has arrived."""
        self.page.locator("[name=evidence]").fill(evidence)
        self.presses("Tiền đã về")

    def accepts(self) -> None:
        """Promise the goods of the open order."""
        self.presses("Nhận đơn")

    def shows_the_code_of_lot(self, code: str) -> Locator:
        """Open the printable page of a lot and show its QR code."""
        self.opens(f"{self.desk}/so-lo")
        self.follows(code)
        address = self.page.locator("a[href$='/ma']").first.get_attribute("href")
        self.opens(address or "")
        return self.page.locator("main img").first


class Host(Producer):
    """Someone who runs a live show from its console."""

    def opens_console(self, show: str) -> None:
        """Open the console of a show."""
        self.opens(f"/live/{show}/dieu-khien")

    def claims(self) -> list[str]:
        """Read what was just reserved."""
        return self.page.locator("[aria-labelledby=h-vua] li").all_inner_texts()

    def left_of(self, code: str) -> str:
        """Read the line of an item."""
        return self.page.locator("[aria-labelledby=h-hang] li").filter(has_text=code).inner_text()
