"""The digital passport of goods: the least that decree 37/2026/NĐ-CP, article 32, asks for.

Names are those of circular 02/2024, without accents, so that a national portal finds them. Bank
accounts, names of people and personal numbers are never in it: a household that is taxed under its
owner's personal number keeps it to itself.
"""

from typing import Any

from catalog import tax_numbers
from catalog.certificates import PaperKind
from traceability import addresses, tt02
from traceability.addresses import Named
from traceability.scan import Scan

FORM = "cho-phien/ho-chieu-so@v1"
_KINDS = {
    PaperKind.OCOP: "chung_nhan_ocop",
    PaperKind.FOOD_SAFETY: "an_toan_thuc_pham",
    PaperKind.TEST_REPORT: "ket_qua_kiem_nghiem",
}


def passport(scan: Scan, *, base: str) -> dict[str, Any]:
    """Return the passport of what was scanned.

    What the book does not know is null and named in `con_thieu`, what it keeps to itself in
    `khong_cong_khai`.
    """
    items = {item.key: item for item in tt02.ten_items(scan, base=base)}
    lot, variant, product = scan.lot, scan.variant, scan.product
    gtin = variant.gtin if variant else None
    page = f"{base}/truy-xuat/{scan.code}"
    number = scan.producer.tax_number if scan.producer else None
    is_public = number is not None and len(number) != tax_numbers.PERSON
    said: dict[str, Any] = {
        "dinh_dang": FORM,
        "ma_truy_xuat": scan.code,
        "dia_chi": page,
        "ma_in_tren_tem": addresses.printed(
            base, Named(scan.code, gtin, lot.code if lot else None, _serial(scan))
        ),
        "minh_hoa": scan.is_sample,
        "tinh_trang": scan.verdict.value,
        "ten_san_pham": items["ten_san_pham"].values[0],
        "gtin": gtin,
        "hinh_anh": list(items["hinh_anh"].values),
        "ten_don_vi": scan.producer.name if scan.producer else None,
        "dia_chi_don_vi": scan.place or None,
        "ma_so_don_vi": number if is_public else None,
        "xuat_xu": scan.place or None,
        "so_lo": lot.code if lot else None,
        "thuong_hieu_ky_hieu_so_seri": list(items["thuong_hieu_ky_hieu_so_seri"].values),
        "ngay_san_xuat": _day(lot.produced_on if lot else None),
        "ngay_dong_goi": _day(lot.packed_on if lot else None),
        "han_su_dung": _day(lot.expires_on if lot else None),
        "chung_nhan": [_paper(one, scan) for one in scan.papers],
        "canh_bao_an_toan": _warnings(scan),
        "truy_xuat": {
            "so_su_kien": len(scan.record.witnesses),
            "epcis": f"{page}/epcis.jsonld",
            "thu_hoi": f"{page}/thu-hoi.json",
            "muoi_muc_tt02": f"{page}/muoi-muc.csv",
            "so_minh_bach": f"{base}/log/checkpoint",
        },
    }
    needed = (
        "gtin", "ten_don_vi", "dia_chi_don_vi", "ma_so_don_vi", "xuat_xu", "ngay_san_xuat",
        "han_su_dung", "chung_nhan",
    )  # fmt: skip
    optional = set() if product.group in tt02.PERISHABLE else {"han_su_dung"}
    kept_back = ["ma_so_don_vi"] if number and not is_public else []
    said["con_thieu"] = [
        name for name in needed if not said[name] and name not in (*optional, *kept_back)
    ]
    return {**said, "khong_cong_khai": kept_back}


def _serial(scan: Scan) -> str | None:
    return scan.serial.serial if scan.serial else None


def _day(day: Any) -> str | None:
    return day.isoformat() if day else None


def _paper(paper: Any, scan: Scan) -> dict[str, Any]:
    return {
        "loai": _KINDS.get(paper.kind, paper.kind.value),
        "so_sao": paper.stars,
        "so": paper.number,
        "noi_cap": paper.issuer,
        "ngay_cap": _day(paper.issued_on),
        "hieu_luc_den": _day(paper.last_day),
        "con_hieu_luc": paper.counts_on(scan.today),
        "minh_hoa": paper.is_sample,
    }


def _warnings(scan: Scan) -> list[str]:
    """Return what a user must mind: a recall first, then storage and use."""
    lot, product = scan.lot, scan.product
    recall = lot.recall_reason if lot and lot.recalled_at else None
    return [one for one in (recall, product.storage_note, product.usage_note) if one]
