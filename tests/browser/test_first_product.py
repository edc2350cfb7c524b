"""First goods from logging in to the shelf, on a phone of 360 px; and a draft without network."""

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from tests.browser.conftest import OpenWindow
from tests.browser.looking import barriers, layout_troubles
from tests.browser.people import Person, Producer
from tests.browser.windows import PHONE
from tests.core.test_intake import phone_exif

NAME = "Mật ong hoa vải Đan Phượng"


def two_photos(folder: Path) -> list[str]:
    """A HEIC of twelve megapixels, and a JPEG that lies on its side, each with its place in it."""
    heic, jpeg = folder / "IMG_1.heic", folder / "IMG_2.jpg"
    picture = Image.effect_noise((500, 375), 50).convert("RGB").resize((4000, 3000))
    fast = {"preset": "ultrafast"}
    picture.save(heic, "HEIF", quality=50, exif=phone_exif(), enc_params=fast)
    picture.resize((1600, 1200)).save(jpeg, exif=phone_exif(orientation=6))
    return [str(heic), str(jpeg)]


def begins_goods(producer: Producer) -> None:
    producer.opens(f"{producer.desk}/hang")
    producer.presses("Thêm hàng")
    producer.page.wait_for_url("**/hang/*")


def is_saved(producer: Producer) -> None:
    producer.page.locator("[data-status]", has_text="Đã lưu").wait_for()


def test_first_goods_are_on_the_shelf_within_minutes(
    open_window: OpenWindow, producer: Producer, village: dict[str, Any], tmp_path: Path
) -> None:
    page = producer.page
    begins_goods(producer)
    page.locator("#chon-anh").set_input_files(two_photos(tmp_path))
    page.locator("#name").fill(NAME)
    page.locator(".anh-hang li:nth-child(2) img").wait_for()
    is_saved(producer)
    with page.expect_navigation():
        page.locator("#group").select_option("food")
    page.locator("#price").fill("165000")
    page.locator("#unit").fill("hũ")
    page.locator("#chi-tiet > summary").click()
    page.locator("#ingredients").fill("Mật ong nguyên chất")
    page.locator("#storage_note").fill("Nơi khô mát")
    page.locator("#keeps_for").fill("24")
    page.locator("#keeps_unit").select_option("month")
    page.locator("[data-missing] a").first.wait_for(state="detached")
    assert layout_troubles(page) == []
    assert barriers(page) == []

    second = page.locator(".anh-hang li:nth-child(2)")
    moved = second.get_attribute("data-id")
    second.get_by_role("button", name="lên trước").click()
    page.locator(f".anh-hang li:first-child[data-id='{moved}']").wait_for()
    producer.presses("Đăng bán")
    assert "Đã gửi duyệt" in producer.reads()
    editor = page.url.partition("?")[0]
    producer.opens(f"{editor}/xem-truoc")
    assert layout_troubles(page) == []
    assert barriers(page) == []

    staff = Person(open_window(PHONE))
    staff.logs_in_as(village, "staff")
    staff.opens("/quan-tri/duyet-hang")
    assert layout_troubles(staff.page) == []
    staff.presses("Cho người mua thấy", within=staff.page.locator("li", has_text=NAME))

    producer.opens("/san-pham/mat-ong-hoa-vai-dan-phuong")
    photo = page.locator("figure.chinh img")
    assert photo.evaluate("img => img.decode().then(() => [img.naturalWidth > 0, img.width])")[0]
    assert "165.000" in producer.reads()
    zoomed = page.request.get(page.locator("figure.chinh a").get_attribute("href") or "")
    # Turned upright: higher than wide, although the file lies on its side; its place is gone.
    upright = Image.open(BytesIO(zoomed.body()))
    assert upright.height > upright.width
    assert not dict(upright.getexif())


def test_what_is_typed_without_network_is_kept_and_sent_later(
    producer: Producer, tmp_path: Path
) -> None:
    page = producer.page
    begins_goods(producer)
    page.locator("#name").fill("Trà sen")
    is_saved(producer)
    address = page.url

    page.context.set_offline(True)
    page.locator("#name").fill("Trà sen Tây Hồ")
    page.locator("[data-status]", has_text="Mất mạng").wait_for()
    Image.new("RGB", (640, 480), "green").save(tmp_path / "a.jpg")
    page.locator("#chon-anh").set_input_files(str(tmp_path / "a.jpg"))
    page.locator("[data-sending]", has_text="Mất mạng").wait_for()
    # A closing page is let go by the tool first, so it is online again and sends with its last
    # breath, as it should. Here it dies without network.
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('no network')) }")
    context = page.context
    page.close()
    context.set_offline(False)
    producer.page = page = context.new_page()
    page.goto(address)

    offer = page.locator("#nhap-cu")
    offer.wait_for()
    assert "Tên" in offer.inner_text()
    assert page.locator("#name").input_value() == "Trà sen"
    offer.get_by_role("button", name="Điền lại").click()
    is_saved(producer)
    page.locator(".anh-hang li img").wait_for()
    producer.opens(address)
    assert page.locator("#name").input_value() == "Trà sen Tây Hồ"
    assert not page.locator("#nhap-cu").is_visible()
