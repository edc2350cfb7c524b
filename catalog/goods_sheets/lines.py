"""One row of a sheet, read: what it says of one kind of goods, or what is wrong with it."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from catalog import typed_goods
from catalog.goods_sheets.columns import COLUMNS, key_of
from catalog.products import KeepsUnit, OcopGroup
from catalog.typed_goods import BadValues
from core import sheets
from core.i18n import lazy as _
from core.text import clean, fold

LONGEST_SKU = 40
LONGEST_KIND = 60
MOST_PIECES = 1_000_000
MOST_PICTURES = 12
_SKU_SIGNS = re.compile(r"[^A-Z0-9._/-]+")
_TAG = re.compile(r"<[^<>]{1,500}>")
_BREAK = re.compile(r"<\s*(?:br|/p|/div|/li)\b[^<>]*>", re.IGNORECASE)
_AMOUNT = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*(\w*)", re.ASCII)
_BROKEN = re.compile(r"#(?:REF|N/A|NAME|VALUE|DIV/0|NULL|NUM|SPILL|CALC)[!?]?")
_A_DAY = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?")
_TEXT = {"description", "ingredients", "storage_note", "usage_note"}
_GROUPS = {
    "food": OcopGroup.FOOD,
    "thuc pham": OcopGroup.FOOD,
    "beverage": OcopGroup.BEVERAGE,
    "drinks": OcopGroup.BEVERAGE,
    "do uong": OcopGroup.BEVERAGE,
    "herbal": OcopGroup.HERBAL,
    "duoc lieu": OcopGroup.HERBAL,
    "duoc lieu va san pham tu duoc lieu": OcopGroup.HERBAL,
    "thao duoc": OcopGroup.HERBAL,
    "handicraft": OcopGroup.HANDICRAFT,
    "thu cong my nghe": OcopGroup.HANDICRAFT,
    "hang thu cong my nghe": OcopGroup.HANDICRAFT,
    "ornamental": OcopGroup.ORNAMENTAL,
    "sinh vat canh": OcopGroup.ORNAMENTAL,
    "hoa cay canh": OcopGroup.ORNAMENTAL,
    "tourism": OcopGroup.TOURISM,
    "du lich": OcopGroup.TOURISM,
    "du lich cong dong": OcopGroup.TOURISM,
    "dich vu du lich cong dong du lich sinh thai va diem du lich": OcopGroup.TOURISM,
}
_GRAMS = {"": 1.0, "g": 1.0, "gr": 1.0, "gam": 1.0, "gram": 1.0, "kg": 1000.0, "ky": 1000.0,
          "ki": 1000.0, "lang": 100.0}  # fmt: skip
_KEEPS = {
    "": KeepsUnit.MONTH, "thang": KeepsUnit.MONTH, "month": KeepsUnit.MONTH,
    "months": KeepsUnit.MONTH, "ngay": KeepsUnit.DAY, "day": KeepsUnit.DAY,
    "days": KeepsUnit.DAY, "nam": KeepsUnit.YEAR, "year": KeepsUnit.YEAR,
    "years": KeepsUnit.YEAR,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one column; `keeps_out` problems keep the row from being taken."""

    column: str
    message: object
    keeps_out: bool = True


@dataclass(slots=True)
class GoodsLine:
    """What one row says. `values` are texts by field, as `catalog.editing` reads them."""

    number: int
    sku: str = ""
    kind: str = ""
    stock: int | None = None
    values: dict[str, str] = field(default_factory=dict)
    pictures: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return the name of the goods."""
        return self.values.get("name", "")

    @property
    def can_be_taken(self) -> bool:
        """Say whether nothing keeps the row out."""
        return not any(problem.keeps_out for problem in self.problems)

    @property
    def key(self) -> tuple[str, ...]:
        """Return what tells two rows apart: the code, else name and kind."""
        return (self.sku,) if self.sku else (fold(self.name), fold(self.kind))

    def wrong(self, column: str, message: object, *, keeps_out: bool = True) -> None:
        """Note what is wrong in one column."""
        self.problems.append(Problem(column, message, keeps_out))


def normal_sku(text: str) -> str:
    """Return a code as it is kept: capitals and figures without marks, a dash for other signs.

    The same for every way of typing it, and the same again of itself.
    """
    return _SKU_SIGNS.sub("-", fold(text).upper()).strip("-")[:LONGEST_SKU].strip("-")


def read_line(number: int, cells: Sequence[str], columns: Sequence[str | None]) -> GoodsLine:
    """Return what the row says, every problem with it noted; never raises."""
    line = GoodsLine(number)
    said: dict[str, str] = {}
    for column, cell in zip(columns, cells, strict=False):
        if column is None or not cell.strip():
            continue
        if _BROKEN.fullmatch(cell.strip()):
            line.wrong(column, _("The formula in this cell is broken. Write the value itself."))
        else:
            said[column] = sheets.as_typed(cell)
    line.sku = normal_sku(said.pop("sku", ""))
    _read_kind(line, said.pop("kind", ""))
    _read_stock(line, said.pop("stock", ""))
    _read_group(line, said)
    _read_weight(line, said)
    _read_keeps(line, said)
    pictures = [one.strip() for one in re.split(r"[;\n|]|,(?=\s*http)", said.pop("pictures", ""))]
    line.pictures = [one for one in pictures if one]
    if len(line.pictures) > MOST_PICTURES:
        line.wrong("pictures", _("Goods have %(most)s photos at most.", most=MOST_PICTURES))
    for column, text in said.items():
        line.values[column] = _plain(text) if column in _TEXT else text
    if not clean(line.name):
        line.wrong("name", _("Write the name of the goods."))
    for column in ("price", "unit"):
        if _A_DAY.fullmatch(line.values.get(column, "")):
            line.wrong(column, _("The spreadsheet made a day of this. Format the cell as text."))
            del line.values[column]
    _check(line)
    return line


def _check(line: GoodsLine) -> None:
    """Let the fields of the editor read the texts, and note what they refuse."""
    known = {name: text for name, text in line.values.items() if name in typed_goods.FIELDS}
    try:
        typed_goods.read(known)
    except BadValues as refusal:
        for name, message in refusal.problems.items():
            line.wrong(name if name in COLUMNS else "keeps", message)


def _read_kind(line: GoodsLine, text: str) -> None:
    line.kind = clean(text.replace("\n", " "))
    if len(line.kind) > LONGEST_KIND:
        line.wrong("kind", _("Write at most %(most)s letters.", most=LONGEST_KIND))


def _read_stock(line: GoodsLine, text: str) -> None:
    digits = text.strip().replace(".", "").replace(",", "").replace(" ", "")
    if not digits:
        return
    if not (digits.isascii() and digits.isdigit() and int(digits[:8]) <= MOST_PIECES):
        line.wrong("stock", _("Write how many pieces as a number, for example 20."))
        return
    line.stock = int(digits)


def _read_group(line: GoodsLine, said: dict[str, str]) -> None:
    text = said.pop("group", "")
    if not text:
        return
    group = _GROUPS.get(key_of(text))
    if group is None:
        # Other tools have groups of their own: the row is still good without ours.
        line.wrong(
            "group", _("This is none of the six OCOP groups; choose one later."), keeps_out=False
        )
        return
    line.values["group"] = group.value


def _read_weight(line: GoodsLine, said: dict[str, str]) -> None:
    text = said.pop("weight_g", "")
    if not text:
        return
    found = _AMOUNT.fullmatch(fold(text).strip())
    factor = _GRAMS.get(found.group(2)) if found else None
    if found is None or factor is None:
        line.wrong("weight_g", _("Write the weight in grams, for example 500."))
        return
    # 1.500 is one and a half thousand in Vietnam, 1,5 one and a half.
    digits = found.group(1)
    whole = re.fullmatch(r"[0-9]{1,3}[.,][0-9]{3}", digits) and factor == 1.0
    amount = float(digits.replace(".", "").replace(",", "") if whole else digits.replace(",", "."))
    line.values["weight_g"] = str(round(amount * factor))


def _read_keeps(line: GoodsLine, said: dict[str, str]) -> None:
    text = said.pop("keeps", "")
    if not text:
        return
    said_text = fold(text).strip()
    found = _AMOUNT.match(said_text)
    unit = _KEEPS.get(found.group(2)) if found else None
    # A bare number counts months; one with something behind it is a date.
    is_bare = found is not None and not found.group(2)
    if (
        found is None
        or unit is None
        or not found.group(1).isdigit()
        or (is_bare and found.end() < len(said_text))
    ):
        line.wrong(
            "keeps",
            _("Write how long it keeps, for example 12 months or 3 days; not a date."),
        )
        return
    line.values["keeps_for"], line.values["keeps_unit"] = found.group(1), unit.value


def _plain(text: str) -> str:
    """Return a text of another shop without its tags."""
    if "<" not in text and "&" not in text:
        return text
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", text)))


def same_twice(lines: Sequence[GoodsLine]) -> None:
    """Note at every row that says the same goods as an earlier one which row that is."""
    first: dict[tuple[str, ...], int] = {}
    for line in lines:
        if not line.sku and not line.name:
            continue
        known = first.setdefault(line.key, line.number)
        if known != line.number:
            message = _("These goods stand in row %(row)s already.", row=known)
            line.wrong("sku" if line.sku else "name", message)
