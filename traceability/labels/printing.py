"""One print of labels: which code stands on which label, and the pages that carry them."""

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from core import qr
from core.errors import Invalid
from core.i18n import lazy as _
from core.qr import Level
from traceability.labels.content import Content
from traceability.labels.geometry import Sheet, said
from traceability.labels.layout import CodeDoesNotFit, Layout, Line, arrange

MOST = 10_000
# One mask for all codes of a run: trying all eight takes seven times as long and reads no better.
MASK = 2
LEVELS: tuple[Level, ...] = ("M", "Q")
Rows = list[list[bool]]


class Form(enum.StrEnum):
    """What kind of file comes out; the values are the ends of its name."""

    PDF = "pdf"
    SVG = "svg"
    ZPL = "zpl"


class TooManyLabels(Invalid):
    """More labels than one print makes, or none."""


class NoSuchCell(Invalid):
    """Printing begins at a label of the first sheet."""


class OnlyRolls(Invalid):
    """ZPL speaks to label printers: they print rolls, not sheets."""


class BadLevel(Invalid):
    """Labels have error level M, or Q for rough packs."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label, ready to be drawn: `readable` is the code for people."""

    address: str
    rows: Rows
    readable: tuple[Line, ...]


@dataclass(frozen=True)
class Print:
    """A print of `count` labels, the first at cell `first`; without serials all are alike."""

    content: Content
    sheet: Sheet
    layout: Layout
    base: str
    level: Level
    count: int
    first: int = 0
    serials: Sequence[str] | None = field(default=None, repr=False)

    @property
    def pages(self) -> int:
        """Return how many pages this print has."""
        return self.sheet.pages_for(self.count, first=self.first)

    def label(self, number: int) -> Label:
        """Return label `number`, counted from 0."""
        if self.serials is None:
            return self._only
        return self._label(self.serials[number])

    @cached_property
    def _only(self) -> Label:
        return self._label(None)

    def _label(self, serial: str | None) -> Label:
        address = self.content.address(self.base, serial)
        rows = matrix(address, self.level)
        if len(rows) != self.layout.modules:
            message = f"the code of {address} is larger than that of the first label"
            raise AssertionError(message)
        readable = self.layout.readable(self.content.readable(serial))
        return Label(address, rows, readable)

    def on_page(self, page: int) -> Iterator[tuple[tuple[float, float], Label]]:
        """Give the place of every label of a page, and the label."""
        for cell, number in self.sheet.cells_of(page, self.count, first=self.first):
            yield self.sheet.place(cell), self.label(number)


def matrix(address: str, level: Level) -> Rows:
    """Return the modules of the code that says `address`."""
    return qr.matrix(address, level=level, mask=MASK)


def plan(
    content: Content,
    sheet: Sheet,
    *,
    base: str,
    count: int,
    level: Level = "M",
    first: int = 0,
    serials: Sequence[str] | None = None,
    others: Iterable[Sheet] = (),
) -> Print:
    """Return the print of so many labels of a lot, each saying an address below `base`.

    Raises TooManyLabels, NoSuchCell, BadLevel or CodeDoesNotFit, which names those of `others`
    that the code would fit.
    """
    if not 0 < count <= MOST:
        raise TooManyLabels(
            _("Print between 1 and %(most)s labels at once.", most="10.000"), field="count"
        )
    if not 0 <= first < sheet.per_page:
        raise NoSuchCell(
            _("The first label is one of 1 to %(most)s.", most=sheet.per_page), field="first"
        )
    if level not in LEVELS:
        raise BadLevel(_("The error level is M, or Q for rough packs."), field="level")
    serial = serials[0] if serials else None
    modules = len(matrix(content.address(base, serial), level))
    pieces = content.readable(serial)
    try:
        layout = arrange(content, sheet, modules=modules, pieces=pieces, level=level)
    except CodeDoesNotFit as refusal:
        raise _with_advice(refusal, content, modules, pieces, others) from refusal
    return Print(content, sheet, layout, base, level, count, first, serials)


def _with_advice(
    refusal: CodeDoesNotFit,
    content: Content,
    modules: int,
    pieces: Sequence[str],
    others: Iterable[Sheet],
) -> CodeDoesNotFit:
    fitting = [str(title(one)) for one in others if _fits(content, one, modules, pieces)]
    if not fitting:
        return refusal
    advice = _("%(why)s What fits: %(all)s.", why=refusal.message, all="; ".join(fitting))
    return CodeDoesNotFit(advice, field=refusal.field)


def _fits(content: Content, sheet: Sheet, modules: int, pieces: Sequence[str]) -> bool:
    try:
        arrange(content, sheet, modules=modules, pieces=pieces)
    except CodeDoesNotFit:
        return False
    return True


def title(sheet: Sheet) -> object:
    """Return how people call a sheet: its labels and their size."""
    width, height = said(sheet.label_width), said(sheet.label_height)
    if sheet.is_roll:
        return _(
            "Roll %(width)s × %(height)s mm, %(dpi)s dpi", width=width, height=height, dpi=sheet.dpi
        )
    return _(
        "A4, %(count)s labels of %(width)s × %(height)s mm",
        count=sheet.per_page,
        width=width,
        height=height,
    )
