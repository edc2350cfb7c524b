"""Sheets of labels and rolls: where every label lies, in millimetres from the top left corner."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

from core.errors import Invalid
from core.i18n import lazy as _

A4 = (210.0, 297.0)
INCH = 25.4
# GS1's smallest and largest module of a code that a till reads.
SMALLEST_MODULE, LARGEST_MODULE = 0.396, 0.990
# Home printers leave the outermost millimetres of a sheet white.
UNPRINTABLE = 4.5
LEAST_INSET = 1.0
# A tenth of what any printer's feed errs by: more than a sum of decimals does.
SLACK = 0.05
MOST_LABELS = 400
SMALLEST_LABEL, LARGEST_OFFSET = 10.0, 10.0


class WrongSheet(Invalid):
    """The labels do not lie on the sheet, or on each other."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Labels in rows and columns on a page. On a roll the page is one label, `dpi` its printer's.

    `pitch_x` and `pitch_y` lead from one label to the next; the offset moves all of them, for a
    printer that feeds askew.
    """

    name: str
    page_width: float
    page_height: float
    columns: int
    rows: int
    label_width: float
    label_height: float
    left: float = 0.0
    top: float = 0.0
    pitch_x: float = 0.0
    pitch_y: float = 0.0
    offset_x: float = 0.0
    offset_y: float = 0.0
    dpi: int | None = None

    @property
    def per_page(self) -> int:
        """Return how many labels one page holds."""
        return self.rows * self.columns

    @property
    def is_roll(self) -> bool:
        """Say whether labels come one by one, from a roll."""
        return self.dpi is not None

    @property
    def dot(self) -> float:
        """Return the width of a roll printer's dot."""
        return INCH / (self.dpi or 600)

    @property
    def inset_x(self) -> float:
        """Return how far words stay from a label's left and right edge, so that all are printed."""
        right = self.page_width - self.left - (self.columns - 1) * self.pitch_x - self.label_width
        return self._inset(min(self.left, right))

    @property
    def inset_y(self) -> float:
        """Return how far words stay from a label's upper and lower edge."""
        below = self.page_height - self.top - (self.rows - 1) * self.pitch_y - self.label_height
        return self._inset(min(self.top, below))

    def _inset(self, margin: float) -> float:
        return LEAST_INSET if self.is_roll else max(LEAST_INSET, UNPRINTABLE - margin)

    def place(self, cell: int) -> tuple[float, float]:
        """Return the top left corner of label `cell` of a page, counted by rows from 0."""
        row, column = divmod(cell, self.columns)
        return (
            self.left + column * self.pitch_x + self.offset_x,
            self.top + row * self.pitch_y + self.offset_y,
        )

    def pages_for(self, count: int, *, first: int = 0) -> int:
        """Return how many pages so many labels take, when printing begins at cell `first`."""
        return ceil((first + count) / self.per_page)

    def cells_of(self, page: int, count: int, *, first: int = 0) -> Iterator[tuple[int, int]]:
        """Give (cell, number of the label) of page `page`, both counted from 0."""
        start = page * self.per_page
        for cell in range(self.per_page):
            number = start + cell - first
            if 0 <= number < count:
                yield cell, number

    def moved(self, x: float, y: float) -> "Sheet":
        """Return the same sheet for a printer that errs by so much."""
        return replace(self, offset_x=x, offset_y=y)


def smallest_module(sheet: Sheet) -> float:
    """Return the smallest module that may be printed here: GS1's, in whole dots on a roll."""
    if sheet.dpi is None:
        return SMALLEST_MODULE
    return ceil(SMALLEST_MODULE / sheet.dot - 1e-9) * sheet.dot


def refuse_wrong(sheet: Sheet) -> None:
    """Raise WrongSheet, naming the field, unless every label lies whole on the page and alone."""
    if sheet.rows < 1 or sheet.columns < 1 or sheet.per_page > MOST_LABELS:
        raise WrongSheet(
            _("A sheet has at least one row and one column, and at most 400 labels."), field="rows"
        )
    if min(sheet.label_width, sheet.label_height) < SMALLEST_LABEL:
        raise WrongSheet(_("A label is at least 10 × 10 mm."), field="label_width")
    if max(abs(sheet.offset_x), abs(sheet.offset_y)) > LARGEST_OFFSET:
        raise WrongSheet(_("Move the print by at most 10 mm."), field="offset_x")
    _refuse_line(
        sheet.left, sheet.pitch_x, sheet.columns, sheet.label_width, sheet.page_width, field="left"
    )
    _refuse_line(
        sheet.top, sheet.pitch_y, sheet.rows, sheet.label_height, sheet.page_height, field="top"
    )


def _refuse_line(
    begin: float, pitch: float, count: int, label: float, page: float, *, field: str
) -> None:
    if count > 1 and pitch < label - SLACK:
        raise WrongSheet(
            _("The labels would lie on each other: the gap is too small."), field=field
        )
    end = begin + (count - 1) * pitch + label
    if begin < 0 or end > page + SLACK:
        raise WrongSheet(
            _(
                "The labels do not fit on the sheet: they need %(need)s mm of %(there)s mm.",
                need=said(end),
                there=said(page),
            ),
            field=field,
        )


def said(length: float) -> str:
    """Return millimetres as a Vietnamese reader writes them."""
    return f"{length:.2f}".rstrip("0").rstrip(".").replace(".", ",")
