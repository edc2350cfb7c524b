"""Which column of a sheet is what: our own headings, and those of common seller tools."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from core.i18n import lazy as _
from core.text import fold

_BRACKETS = re.compile(r"\([^)]*\)|\[[^]]*\]")
_NO_WORD = re.compile(r"[^0-9a-z]+")


@dataclass(frozen=True, slots=True)
class Column:
    """One thing a sheet may say; `heading` stands in our own files, `example` in the pattern."""

    heading: str
    title: object
    others: str
    example: str = ""


# The order of our own files. `others`: headings in use elsewhere, without marks, between commas.
COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "sku": Column(
            "Mã hàng",
            _("Code of the goods (SKU)"),
            "ma sku, sku, ma sp, masp, ma san pham, ma hang hoa, seller sku, variant sku,"
            " ma phan loai hang, product code, item code, ma vach noi bo",
            "MO-500",
        ),
        "name": Column(
            "Tên hàng",
            _("Name of the goods"),
            "ten, ten san pham, ten sp, tensp, ten hang hoa, name, title, product, product name,"
            " item name, san pham",
            "Mật ong hoa nhãn",
        ),
        "kind": Column(
            "Phân loại",
            _("Kind or size"),
            "phan loai hang, ten phan loai, thuoc tinh, gia tri thuoc tinh 1, gia tri thuoc tinh,"
            " option1 value, variant, variation, variation name, variant name, quy cach",
            "500 ml",
        ),
        "group": Column(
            "Nhóm OCOP",
            _("OCOP group"),
            "nhom hang, nhom, nhom san pham, danh muc, loai hang, category, group, product type,"
            " ocop group, loai san pham, nganh hang",
            "Thực phẩm",
        ),
        "unit": Column("Đơn vị", _("Sold by"), "dvt, don vi tinh, unit, don vi ban, uom", "chai"),
        "price": Column(
            "Giá bán",
            _("Price in đồng"),
            "gia, gia le, gia ban le, don gia, price, variant price, price vnd, gia vnd, gia tien",
            "180000",
        ),
        "stock": Column(
            "Tồn đầu",
            _("Pieces there at first"),
            "ton kho, ton, so luong, so luong ton, stock, quantity, qty, inventory, kho hang,"
            " variant inventory qty, ton kho ban dau, available",
            "24",
        ),
        "weight_g": Column(
            "Khối lượng (g)",
            _("Weight in grams"),
            "khoi luong, trong luong, can nang, weight, weight g, variant grams, grams",
            "700",
        ),
        "length_cm": Column("Dài (cm)", _("Length in cm"), "dai, chieu dai, length, length cm"),
        "width_cm": Column("Rộng (cm)", _("Width in cm"), "rong, chieu rong, width, width cm"),
        "height_cm": Column("Cao (cm)", _("Height in cm"), "cao, chieu cao, height, height cm"),
        "description": Column(
            "Mô tả",
            _("What it is, how it is made"),
            "mo ta san pham, mo ta chi tiet, noi dung, description, body, body html, details,"
            " description fact, gioi thieu",
            "Quay mật giữa mùa hoa nhãn, để nguyên, không pha.",
        ),
        "ingredients": Column(
            "Thành phần", _("Ingredients"), "nguyen lieu, ingredients", "100 % mật ong"
        ),
        "storage_note": Column(
            "Bảo quản", _("How to keep"), "cach bao quan, storage", "Để nơi mát."
        ),
        "usage_note": Column(
            "Cách dùng", _("How to use"), "huong dan su dung, cach su dung, usage", "Pha nước ấm."
        ),
        "keeps": Column(
            "Hạn dùng",
            _("Keeps for"),
            "han su dung, hsd, thoi han su dung, thoi han, shelf life, keeps",
            "12 tháng",
        ),
        "abv": Column(
            "Độ cồn (%)", _("Alcohol, percent"), "do con, nong do, nong do con, abv, alcohol"
        ),
        "label_net": Column(
            "Định lượng",
            _("Net quantity"),
            "dinh luong, khoi luong tinh, the tich thuc, net",
            "500 ml",
        ),
        "label_warning": Column("Cảnh báo", _("Warnings"), "canh bao, warning, luu y"),
        "label_for_whom": Column("Đối tượng dùng", _("Who it is for"), "doi tuong su dung"),
        "label_material": Column("Chất liệu", _("Material"), "chat lieu, material"),
        "label_size": Column("Kích thước", _("Size"), "kich thuoc, kich co, size"),
        "label_care": Column("Chăm sóc", _("Care"), "cham soc, care"),
        "label_species": Column("Giống, loài", _("Species"), "giong loai, giong, loai, species"),
        "label_duration": Column("Thời lượng", _("How long"), "thoi luong, duration"),
        "label_includes": Column(
            "Gồm có", _("What the price includes"), "gom co, bao gom, includes"
        ),
        "pictures": Column(
            "Ảnh",
            _("Photos (file names in the zip, or addresses)"),
            "hinh anh, hinh, anh san pham, link anh, url anh, duong dan anh, image, images,"
            " image src, photo, photos, anh bia",
            "mo-500-1.jpg; mo-500-2.jpg",
        ),
        "english_name": Column(
            "Tên tiếng Anh",
            _("Name in English"),
            "ten tieng anh, english name, name en",
            "Longan honey",
        ),
        "english_description": Column(
            "Mô tả tiếng Anh",
            _("What it is, in English"),
            "mo ta tieng anh, english description, description en",
        ),
    }
)


def key_of(heading: str) -> str:
    """Return a heading as headings are compared: no marks, no brackets, no signs."""
    return _NO_WORD.sub(" ", fold(_BRACKETS.sub(" ", heading))).strip()


def _known() -> Mapping[str, str]:
    known: dict[str, str] = {}
    for name, column in COLUMNS.items():
        for heading in (column.heading, name, *column.others.split(",")):
            known.setdefault(key_of(heading), name)
    return MappingProxyType(known)


_KNOWN = _known()


def guess(headings: Sequence[str]) -> list[str | None]:
    """Return for each column what it seems to be, each thing at most once; None for the others."""
    found: list[str | None] = []
    for heading in headings:
        name = _KNOWN.get(key_of(heading))
        found.append(None if name in found else name)
    return found


def is_heading(cells: Sequence[str]) -> bool:
    """Say whether a row reads like headings: at least the name of the goods, or two known words."""
    names = [name for name in guess(cells) if name]
    return "name" in names or len(names) > 1
