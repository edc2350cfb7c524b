"""The main pages, how a person gets to each, and what each may weigh."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.browser.people import Buyer

# What a page may weigh on a first visit, in kilobytes, and how often it may ask.
SHELF, GOODS, SCAN, TILL, DESK, LIVE = (150, 20), (150, 18), (70, 12), (80, 14), (110, 18), (80, 14)


@dataclass(frozen=True)
class Place:
    """A page, how to get there, and what it may weigh."""

    name: str
    way: str | Callable[[Buyer], None]
    budget: tuple[int, int]
    role: str | None = None


def open_product(buyer: Buyer) -> None:
    """Find goods and open them."""
    buyer.searches("nam huong kho")
    buyer.opens_card("Nấm hương khô sấy lạnh")


def _lot(buyer: Buyer) -> None:
    open_product(buyer)
    buyer.follows("Xem đủ nhật ký và chứng cứ của lô")


def _evidence(buyer: Buyer) -> None:
    _lot(buyer)
    buyer.follows("Xem cách kiểm tra")


def _ten_items(buyer: Buyer) -> None:
    _lot(buyer)
    buyer.follows("Xem 10 mục")


def _report(buyer: Buyer) -> None:
    _lot(buyer)
    buyer.follows("Báo hàng có vấn đề")


def _labels(buyer: Buyer) -> None:
    buyer.opens("/ban-hang/htx-mau/so-lo")
    buyer.follows("2611-07")
    buyer.follows("Tem có số riêng")


def _editor(buyer: Buyer) -> None:
    buyer.opens("/ban-hang/htx-mau/hang")
    buyer.follows("Nấm hương khô")


def _preview(buyer: Buyer) -> None:
    _editor(buyer)
    buyer.follows("Xem trước")


def _store(buyer: Buyer) -> None:
    buyer.opens("/ban-hang/htx-mau/kho")
    buyer.follows("Nấm hương khô")


def _print_labels(buyer: Buyer) -> None:
    buyer.opens("/ban-hang/htx-mau/so-lo")
    buyer.follows("2611-07")
    buyer.follows("In tem", exact=True)


def _recalled(buyer: Buyer) -> None:
    buyer.searches("nem goi la sung")
    buyer.opens_card("Nem gói lá sung")
    buyer.follows("Xem đủ nhật ký và chứng cứ của lô")


def _cart(buyer: Buyer) -> None:
    open_product(buyer)
    buyer.presses("Thêm vào giỏ")


def _checkout(buyer: Buyer) -> None:
    open_product(buyer)
    buyer.buys_now()


def _mistyped(buyer: Buyer) -> None:
    _checkout(buyer)
    with buyer.page.expect_navigation():
        buyer.page.locator("main button.chinh").click()


def _pay(buyer: Buyer) -> None:
    _checkout(buyer)
    buyer.writes_address()
    buyer.pays_by("bank_transfer")
    buyer.orders()


def _confirmation(buyer: Buyer) -> None:
    _pay(buyer)
    buyer.follows("Giấy xác nhận để in")


def _put_by(buyer: Buyer) -> None:
    _cart(buyer)
    with buyer.page.expect_navigation():
        buyer.page.get_by_role("button", name="Để dành").first.click()


PLACES = (
    Place("home", "/", SHELF),
    Place("list", "/san-pham", SHELF),
    Place("nothing found", "/san-pham?q=xyzxyz", SHELF),
    Place("product", open_product, GOODS),
    Place("producer", "/nha-san-xuat/htx-mau", SHELF),
    Place("commune", "/xa/09784", SHELF),
    Place("ranking", "/cach-xep-thu-tu", TILL),
    Place("lot", _lot, SCAN),
    Place("evidence", _evidence, SCAN),
    Place("ten items", _ten_items, SCAN),
    Place("log", "/log", SCAN),
    Place("report of a problem", _report, SCAN),
    Place("unknown code", "/truy-xuat/7K3QX9M2PD7", SCAN),
    Place("typed code", "/truy-xuat", SCAN),
    Place("cart", _cart, TILL),
    Place("checkout", _checkout, TILL),
    Place("checkout with slips", _mistyped, TILL),
    Place("pay", _pay, TILL),
    Place("confirmation", _confirmation, TILL),
    Place("put by for later", _put_by, TILL),
    Place("look-up", "/tra-cuu", TILL),
    Place("log-in", "/tai-khoan/dang-nhap", TILL),
    Place("new account", "/tai-khoan/dang-ky", TILL),
    Place("complaint", "/khieu-nai", TILL),
    Place("not found", "/khong-co", TILL),
    Place("English", "/en/", SHELF),
    Place("desk", "/ban-hang/htx-mau", DESK, "producer"),
    Place("orders", "/ban-hang/htx-mau/don-hang", DESK, "producer"),
    Place("lots", "/ban-hang/htx-mau/so-lo", DESK, "producer"),
    Place("new lot", "/ban-hang/htx-mau/so-lo/moi", DESK, "producer"),
    Place("papers", "/ban-hang/htx-mau/giay-to", DESK, "producer"),
    Place("goods", "/ban-hang/htx-mau/hang", DESK, "producer"),
    Place("editor of goods", _editor, DESK, "producer"),
    Place("what others will see", _preview, DESK, "producer"),
    Place("store of one thing", _store, DESK, "producer"),
    Place("barcodes", "/ban-hang/htx-mau/giay-to/ma-vach", DESK, "producer"),
    Place("recalls", "/ban-hang/htx-mau/thu-hoi", DESK, "producer"),
    Place("recall", "/ban-hang/htx-mau/thu-hoi/1", DESK, "producer"),
    Place("recall, to be printed", "/ban-hang/htx-mau/thu-hoi/1/bao-cao", DESK, "producer"),
    Place("scans", "/ban-hang/htx-mau/luot-quet", DESK, "producer"),
    Place("reports", "/ban-hang/htx-mau/bao-loi", DESK, "producer"),
    Place("pages behind codes", "/ban-hang/htx-mau/trang-cua-ma", DESK, "producer"),
    Place("places and cartons", "/ban-hang/htx-mau/noi-va-thung", DESK, "producer"),
    Place("labels with numbers", _labels, DESK, "producer"),
    Place("labels to print", _print_labels, DESK, "producer"),
    Place("sheet of labels", "/ban-hang/htx-mau/tem/to-giay/moi", DESK, "producer"),
    Place("feeds", "/ban-hang/htx-mau/bang-hang", DESK, "producer"),
    Place("shows", "/ban-hang/htx-mau/live", DESK, "producer"),
    Place("new show", "/ban-hang/htx-mau/live/moi", DESK, "producer"),
    Place("selling file", "/ban-hang/htx-mau/ho-so-ban-hang", DESK, "producer"),
    Place("bank", "/ban-hang/htx-mau/tai-khoan-ngan-hang", DESK, "producer"),
    Place("console", "/live/phien-mau/dieu-khien", LIVE, "producer"),
    Place("show", "/live/phien-mau", SHELF),
    Place("account", "/tai-khoan", DESK, "buyer"),
    Place("my orders", "/tai-khoan/don-hang", TILL, "buyer"),
    Place("address book", "/tai-khoan/dia-chi", TILL, "buyer"),
    Place("new address", "/tai-khoan/dia-chi/moi", TILL, "buyer"),
    Place("name and e-mail", "/tai-khoan/ho-so", TILL, "buyer"),
    Place("staff", "/quan-tri", DESK, "staff"),
    Place("papers to check", "/quan-tri/giay-to", DESK, "staff"),
    Place("all recalls", "/quan-tri/thu-hoi", DESK, "staff"),
    Place("scans, for staff", "/quan-tri/quet", DESK, "staff"),
    Place("log, for staff", "/quan-tri/so-minh-bach", DESK, "staff"),
)
