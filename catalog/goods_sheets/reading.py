"""A sheet as it was sent: its headings found, its rows read as lines of goods."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.goods_sheets import columns, lines
from catalog.goods_sheets.lines import GoodsLine
from catalog.goods_sheets.runs import LIMITS
from core import sheets
from core.i18n import lazy as _
from core.sheets import BadSheet, Row

# Titles and notes that people write above their headings.
LOOKED_AT_FOR_HEADINGS = 10
SAMPLES = 3


@dataclass(frozen=True, slots=True)
class ReadSheet:
    """The rows of a sheet with its headings apart; `columns` says what each seems to be."""

    headings: tuple[str, ...]
    headings_at: int
    rows: list[Row]
    columns: list[str | None]

    def samples(self, column: int) -> list[str]:
        """Return what stands in a column of the first rows."""
        said = [row.cells[column] for row in self.rows if column < len(row.cells)]
        return [text for text in said if text][:SAMPLES]


def read(data: bytes) -> ReadSheet:
    """Return the sheet, or raise BadSheet with a sentence for whoever chose the file.

    Its headings are the first row, of the first ten, that reads like some.
    """
    rows = sheets.read(data, limits=LIMITS)
    at = next(
        (
            position
            for position, row in enumerate(rows[:LOOKED_AT_FOR_HEADINGS])
            if columns.is_heading(row.cells)
        ),
        0,
    )
    headings = rows[at].cells
    goods = rows[at + 1 :]
    if not goods:
        raise BadSheet(_("Below the headings there is no row."), field="file")
    return ReadSheet(headings, rows[at].number, goods, columns.guess(headings))


def goods_lines(sheet: ReadSheet, chosen: Sequence[str | None]) -> list[GoodsLine]:
    """Return every row as a line of goods, those that say the same goods twice marked."""
    found = [lines.read_line(row.number, row.cells, chosen) for row in sheet.rows]
    lines.same_twice(found)
    return found
