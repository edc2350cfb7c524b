"""The ten items of Circular 02/2024/TT-BKHCN that a traced lot tells, and which are missing.

Computed from the book each time it is asked; nobody can tick a lot complete.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.certificates import Certificate, PaperKind
from catalog.products import OcopGroup
from core.i18n import lazy as _
from core.i18n import show_day, show_moment
from traceability.diary import KIND_NAMES, StepKind
from traceability.evidence import Witness
from traceability.scan import Scan

ITEMS = 10
# What is eaten, drunk or taken as medicine always has a day until which it may be used.
PERISHABLE = frozenset({OcopGroup.FOOD, OcopGroup.BEVERAGE, OcopGroup.HERBAL})
# The items as the circular names them, and the short names they bear in JSON and CSV.
NAMES: dict[int, tuple[str, Any]] = {
    1: ("ten_san_pham", _("Name of the goods")),
    2: ("hinh_anh", _("Picture of the goods")),
    3: ("ten_don_vi", _("Name of the maker")),
    4: ("dia_chi_don_vi", _("Address of the maker")),
    5: ("cong_doan", _("Stages: code of the goods, code of the place, time")),
    6: ("thoi_gian_san_xuat_kinh_doanh", _("Time of making and trading")),
    7: ("ma_truy_xuat", _("Trace code")),
    8: ("thuong_hieu_ky_hieu_so_seri", _("Brand, mark or serial number (if any)")),
    9: ("han_su_dung", _("Use-by date (if any)")),
    10: ("tieu_chuan_quy_chuan", _("Standards and regulations applied")),
}
PAPER_NAMES = {
    PaperKind.FOOD_SAFETY: _("Food safety certificate"),
    PaperKind.TEST_REPORT: _("Test report"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One of the ten: its number, short name, words for people, and what the book says of it."""

    number: int
    key: str
    name: Any
    values: Sequence[str]
    wanted: bool = True

    @property
    def missing(self) -> bool:
        """Say whether the book lacks what the circular asks for."""
        return self.wanted and not self.values


def ten_items(scan: Scan, *, base: str) -> list[Item]:
    """Return the ten items of what was scanned, in their order; addresses stand below `base`.

    The drawing of the goods is no picture of them: only a photo of the diary counts.
    """
    lot, product, producer = scan.lot, scan.product, scan.producer
    name = f"{product.name} {scan.variant.name if scan.variant else ''}".strip()
    made = [lot.produced_on, lot.packed_on] if lot else []
    values: dict[int, Iterable[str | None]] = {
        1: [name],
        2: [f"{base}/media/{photo}" for photo in _photos(scan)],
        3: [producer.name if producer else None],
        4: [scan.place],
        5: [_stage(one) for one in _told(scan)],
        6: [show_day(day) for day in made if day is not None],
        7: [f"{base}/truy-xuat/{scan.code}"],
        8: [lot.code if lot else None, scan.serial.serial if scan.serial else None],
        9: [show_day(lot.expires_on) if lot and lot.expires_on else None],
        10: [_standard(one) for one in scan.papers if _is_standard(one, scan)],
    }
    wanted = {8: False, 9: product.group in PERISHABLE}
    return [
        Item(number, key, words, [one for one in values[number] if one], wanted.get(number, True))
        for number, (key, words) in NAMES.items()
    ]


def completeness(items: Iterable[Item]) -> list[int]:
    """Return the numbers of the items that are missing; none means that all ten are there."""
    return [item.number for item in items if item.missing]


def write_table(rows: Any, items: Iterable[Item]) -> None:
    """Write the items with a `csv.writer`: a head, then one line each; no cell is a formula."""
    rows.writerow(
        [_("Item no."), _("Short name"), _("What it is"), _("What the book says"), _("State")]
    )
    for item in items:
        state = _("missing") if item.missing else _("in the book") if item.values else _("none")
        values = " | ".join(_harmless(value) for value in item.values)
        rows.writerow([item.number, item.key, item.name, values, state])


def _harmless(value: str) -> str:
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _photos(scan: Scan) -> list[str]:
    """Return the photos of lines that stand, those of packing first."""
    standing = [one for one in scan.steps if one.photo_key and one.id not in scan.corrected]
    standing.sort(key=lambda step: step.kind is not StepKind.PACKING)
    return [step.photo_key for step in standing if step.photo_key]


def _told(scan: Scan) -> list[Witness]:
    return [
        one
        for one in scan.record.witnesses
        if one.step is not None and one.step.id not in scan.corrected
    ]


def _stage(one: Witness) -> str:
    step, event = one.step, one.event
    goods = (event.get("outputQuantityList") or event.get("quantityList") or [{}])[0]
    place = event.get("bizLocation", {}).get("id", "")
    if step is None:
        return ""
    parts = (
        str(KIND_NAMES[step.kind]),
        show_moment(step.happened_at),
        goods.get("epcClass", ""),
        place,
    )
    return " · ".join(parts)


def _is_standard(paper: Certificate, scan: Scan) -> bool:
    return paper.kind is not PaperKind.OCOP and paper.counts_on(scan.today)


def _standard(paper: Certificate) -> str:
    until = show_day(paper.last_day) if paper.last_day else None
    name = str(PAPER_NAMES.get(paper.kind, paper.kind.value))
    return " · ".join(part for part in (name, paper.number, paper.issuer, until) if part)
