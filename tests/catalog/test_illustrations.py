"""The drawings: what each name is shown as, and that every drawing is printed in full."""

import re

import pytest
from PIL import Image

from catalog.illustrations import ANY_GOODS, MOTIFS, alt_text, motif_for
from catalog.products import OcopGroup
from core.settings import ROOT
from core.text import fold

DRAWINGS = ROOT / "data" / "illustrations"
PICTURES = ROOT / "static" / "tranh"
WIDTHS = (160, 320, 640, 960)
PAGE_DRAWINGS = ("trong", "khong-thay")


@pytest.mark.parametrize(
    ("name", "group", "motif"),
    [
        ("Nho hạ đen", "food", "nho"),
        ("Nấm sò nâu (nấm bào ngư nâu)", "food", "nam"),
        ("Bưởi tôm vàng Đan Phượng", "food", "buoi"),
        ("Khoai lang kén", "food", "cu"),
        ("Nem Phùng Thái Cam", "food", "nem"),
        ("Kẹo lạc Bảo Ngọc", "food", "banh-keo"),
        ("Rau cải", "food", "rau"),
        ("Rau bắp cải", "food", "bap-cai"),
        ("Giá đỗ", "food", "rau"),
        ("Chân gà (chế biến)", "food", "ga"),
        ("Mật hoa dừa", "food", "dua"),
        ("Mật ong rừng tự nhiên", "food", "mat-ong"),
        ("Nước mắm Thanh Quốc 43 độ đạm", "food", "nuoc-mam"),
        ("Mắm tép Vị Thanh", "food", "hai-san"),
        ("Mỳ gạo sạch sinh ra từ làng Hùng Lô", "food", "mien"),
        ("Miến dong Tài Hoan", "food", "mien"),
        ("Măng nứa khô nấu ngay", "food", "mang"),
        ("Trà tôm nõn hương quê", "food", "am-tra"),
        ("Chè móc câu", "food", "am-tra"),
        ("Phong Hải Danh Trà - Trà hoa nhài", "food", "tra"),
        ("Cà phê phin Cầu Đất", "food", "ca-phe"),
        ("Cà chua", "food", "ca-chua"),
        ("Cà rốt", "food", "cu"),
        ("Da cá basa sấy khô ăn liền", "food", "ca"),
        ("Giò đậu xanh Tám Lập", "food", "gio-cha"),
        ("Chả rong biển chiên giòn", "food", "gio-cha"),
        ("Trứng vịt biển Đồng Rui", "food", "trung"),
        ("Thịt lợn sinh học Thọ Lộc", "food", "lon"),
        ("Thịt lợn sấy Gia Phú", "food", "thit"),
        ("Gạo Nàng Hương Kim Thiên Lộc", "food", "gao"),
        ("Bánh chưng Tranh Khúc", "food", "banh-chung"),
        ("Bánh trung thu (nhân cốm)", "food", "banh-keo"),
        ("Bánh mứt truyền thống Xuân Tảo", "food", "o-mai"),
        ("Tương Cự Đà", "food", "tuong"),
        ("Bộ quà tặng socola cao cấp Hương sắc Tây Nguyên", "food", "banh-keo"),
        ("Sữa Phù Đổng", "food", "sua"),
        ("Thạch đen Su Hào", "food", "thach"),
        ("Tinh bột nghệ nếp đỏ Bắc Kạn", None, "bot"),
        ("Hương hồng hạc", None, "huong"),
        ("Trà Phúc", None, "tra"),
        ("Rượu nấm lim xanh Ba Chẽ", "beverage", "ruou"),
        ("Rượu đông trùng hạ thảo Vietcor", "beverage", "ruou"),
        ("Nước khoáng thiên nhiên Quang Hanh", "beverage", "nuoc"),
        ("Đông trùng hạ thảo sấy đông khô", "herbal", "dong-trung"),
        ("Viên tinh nghệ sữa ong chúa", "herbal", "vien"),
        ("Tinh dầu quế Nậm Đét", "herbal", "tinh-dau"),
        ("Kháu Vài Lèng", "herbal", "thao-duoc"),
        ("Tủ quần áo gỗ hương xám", "handicraft", "tu-go"),
        ("Tượng gỗ Voi mẹ con", "handicraft", "tuong-go"),
        ("Đàn tranh gỗ mun khảm trai", "handicraft", "dan"),
        ("Tranh thêu tay Chùa Một Cột", "handicraft", "theu"),
        ("Tranh đĩa sơn mài", "handicraft", "tranh"),
        ("Bình tỏi men Chu Đậu", "handicraft", "gom"),
        ("Bình hoa sen gỗ mít", "handicraft", "tuong-go"),
        ("Giỏ, túi đan cỏ bàng", "handicraft", "may-tre"),
        ("Đèn tre đan Vân Nhi", "handicraft", "den-long"),
        ("Khăn lụa tơ sen", "handicraft", "lua"),
        ("Nón làng Chuông", "handicraft", "non"),
        ("Ngọc trai Akoya", "handicraft", "trang-suc"),
        ("Đôi đèn Tứ Linh", "handicraft", "do-dong"),
        ("Hoa đào Nhật Tân", "ornamental", "hoa-dao"),
        ("Quất cảnh Tứ Liên", "ornamental", "cay-canh"),
        ("Du lịch homestay Bản Lác", "tourism", "nha-san"),
        ("Điểm du lịch Pha Đin Top", "tourism", "cong-lang"),
    ],
)
def test_a_village_product_is_shown_as_what_it_is(name: str, group: str | None, motif: str) -> None:
    shown = motif_for(name, group)

    assert shown == motif


@pytest.mark.parametrize(
    ("name", "motif"),
    [("MAT ONG HOA NHAN", "mat-ong"), ("ruou nep cai", "ruou"), ("Nuoc mam Nam O", "nuoc-mam")],
)
def test_a_name_typed_without_marks_is_still_understood(name: str, motif: str) -> None:
    shown = motif_for(name, None)

    assert shown == motif


@pytest.mark.parametrize(("name", "motif"), [("Tương bần", "tuong"), ("Tượng Di Lặc", "tuong-go")])
def test_marks_tell_apart_words_that_look_alike_without_them(name: str, motif: str) -> None:
    shown = motif_for(name, None)

    assert shown == motif


def test_a_phrase_inside_a_longer_word_does_not_count() -> None:
    shown = motif_for("Trama", None)

    assert shown == ANY_GOODS


@pytest.mark.parametrize("group", list(OcopGroup))
def test_every_group_has_a_drawing_of_its_own(group: OcopGroup) -> None:
    shown = motif_for("Xyz", group)

    assert shown != ANY_GOODS
    assert MOTIFS[shown].group == group


@pytest.mark.parametrize("name", ["", "   ", "★", "Đặc sản Hòa Bình"])
def test_a_name_that_says_nothing_gets_the_common_drawing(name: str) -> None:
    shown = motif_for(name, None)

    assert shown == ANY_GOODS


def test_no_phrase_calls_for_two_drawings() -> None:
    phrases = [phrase for motif in MOTIFS.values() for phrase in motif.phrases]

    assert len(phrases) == len(set(phrases))


def test_every_phrase_calls_for_its_own_drawing() -> None:
    wrong = {
        phrase: motif.name
        for motif in MOTIFS.values()
        for phrase in motif.phrases
        if motif_for(" ".join(phrase), None) != motif.name
    }

    assert wrong == {}


def test_a_drawing_is_described_in_the_readers_language() -> None:
    assert alt_text("mat-ong", "vi") == "Tranh khắc: hũ mật ong"
    assert alt_text("mat-ong", "en") == "Woodcut print: a jar of honey"
    assert alt_text("no-such-motif", "vi") == alt_text(ANY_GOODS, "vi")


@pytest.mark.parametrize("motif", [*MOTIFS, *PAGE_DRAWINGS])
def test_every_drawing_is_printed_in_every_width(motif: str) -> None:
    sizes = {
        (width, kind): _look(f"{motif}-{width}.{kind}")[0]
        for width in WIDTHS
        for kind in ("webp", "avif")
    }

    assert sizes == {(width, kind): (width, width) for width, kind in sizes}


@pytest.mark.parametrize("motif", MOTIFS)
def test_every_motif_has_a_picture_channels_accept(motif: str) -> None:
    size, mode = _look(f"{motif}-1200.jpg")

    assert size == (1200, 1200)
    assert mode == "RGB"


@pytest.mark.parametrize("motif", [*MOTIFS, *PAGE_DRAWINGS])
def test_small_pictures_stay_light(motif: str) -> None:
    assert (PICTURES / f"{motif}-320.webp").stat().st_size <= 8 * 1024
    assert (PICTURES / f"{motif}-640.webp").stat().st_size <= 20 * 1024


def test_all_pictures_together_stay_under_8_megabytes() -> None:
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) <= 8_000_000


@pytest.mark.parametrize("motif", MOTIFS)
def test_a_drawing_says_in_its_title_what_its_text_alternative_says(motif: str) -> None:
    drawing = (DRAWINGS / f"{motif}.svg").read_text(encoding="utf-8")

    title = re.search(r"<title>(.*?)</title>", drawing)

    assert title is not None
    assert title[1] == MOTIFS[motif].alt_vi


def test_no_drawing_is_left_without_a_use() -> None:
    drawn = {path.stem for path in DRAWINGS.glob("*.svg")}

    assert drawn == {*MOTIFS, *PAGE_DRAWINGS, "lang"}


@pytest.mark.parametrize("motif", MOTIFS)
def test_motif_names_are_plain_addresses(motif: str) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", motif)
    assert fold(motif) == motif


def _look(picture: str) -> tuple[tuple[int, int], str]:
    with Image.open(PICTURES / picture) as opened:
        return opened.size, opened.mode
