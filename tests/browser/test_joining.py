"""A household asks to sell with a phone, and the staff let it."""

from collections.abc import Callable
from typing import Any

from tests.browser.people import Person
from tests.browser.windows import Window

NAME = "Hộ Nguyễn Thị Lành"
LONG = "trau cay ruong sau nha"


class Household(Person):
    """Someone who wants to sell for the first time."""

    def opens_an_account(self, phone: str, password: str) -> None:
        """Open an account with the two ticks it needs, and log in."""
        self.opens("/tai-khoan/dang-ky")
        self.writes({"Họ và tên": "Nguyễn Thị Lành", "Số điện thoại hoặc e-mail": phone})
        self.page.get_by_label("Mật khẩu", exact=True).fill(password)
        for box in ("terms", "privacy"):
            self.page.locator(f"#{box}").check()
        self.presses("Mở tài khoản")
        self.page.get_by_label("Mật khẩu", exact=True).fill(password)
        self.presses("Đăng nhập")

    def writes(self, answers: dict[str, str]) -> None:
        """Fill in fields by what stands over them."""
        for label, answer in answers.items():
            self.page.get_by_label(label).first.fill(answer)

    def asks_to_sell(self) -> None:
        """Write down the household and where it is."""
        self.opens("/ban-hang-cung-cho")
        self.follows("Bắt đầu")
        self.writes({"Tên cơ sở": NAME})
        self.page.locator("#kind").select_option("household")
        self.page.locator("#province_code").select_option("01")
        self.page.locator("[name=ward_code] option[value='09784']").wait_for(state="attached")
        self.page.locator("#ward_code").select_option("09784")
        self.page.locator("#password").fill(LONG)
        self.presses("Mở bàn bán hàng")

    def fills_the_file(self) -> None:
        """Fill in what the list says is missing."""
        file = self.page.url
        self.page.locator("#tax_number").fill("001185012345")
        self.presses("Lưu mã số thuế")
        self.writes({"Họ tên trên thẻ": "Nguyễn Thị Lành", "Ngày sinh": "1985-03-08"})
        self.writes({"Số trên thẻ": "001185012345", "Địa chỉ trên thẻ": "Thôn 3"})
        self.presses("Cất kín")
        self.page.locator("#food_paper").select_option("no_food")
        self.presses("Lưu giấy")
        self.follows("Tài khoản ngân hàng")
        self.page.locator("#bank_bin").select_option("970436")
        self.writes({"Số tài khoản": "0123456789", "Chủ tài khoản": "Nguyễn Thị Lành"})
        self.presses("Lưu tài khoản")
        self.opens(file)


def test_a_household_joins_on_a_phone_and_staff_let_it_sell(
    open_window: Callable[..., Window], village: dict[str, Any]
) -> None:
    household, staff = Household(open_window()), Person(open_window())
    household.opens_an_account("0912 555 666", "cho que ven song")

    household.asks_to_sell()
    assert "Còn thiếu 4 phần" in household.reads()
    household.fills_the_file()
    household.presses("Gửi hồ sơ cho nhân viên")

    assert "Nhân viên nhận hồ sơ" in household.reads()
    width = household.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
    staff.logs_in_as(village, "staff")
    staff.opens("/quan-tri/xin-ban")
    staff.follows(NAME)
    staff.presses("Duyệt")
    staff.opens("/nha-san-xuat/ho-nguyen-thi-lanh")
    assert NAME in staff.reads()
