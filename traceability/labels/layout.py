"""Where everything stands on one label, in millimetres from the label's top left corner.

The QR comes first: its module is never smaller than a till reads and its quiet zone stays white.
Words are set as large as there is room for; what makes way, does so in a fixed order.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import cos, floor, pi, sin

from core import paper
from core.errors import Invalid
from core.i18n import lazy as _
from core.qr import QUIET, Level
from traceability.labels.content import LOT, SAMPLE, Content
from traceability.labels.geometry import Sheet, said, smallest_module

# Points. At 5, small letters stand 0.9 mm high: the least that the law of labels allows.
SIZES = (10.0, 9.0, 8.0, 7.0, 6.5, 6.0, 5.5, 5.0)
COMFORTABLE, LEAST_SIZE = 6.5, 5.0
LARGEST_OF_OURS, LARGEST_IF_CUT, STEP = 0.66, 0.43, 0.033
LEAST_WORDS = 12.0
# A readable code alone may be set this much smaller, rather than refusing the label.
LEAST_SQUEEZE = 0.8
# A baseline lies so much of the size beneath the top of its line.
BASELINE = 1.05
GAP = 0.5
MARK = "OCOP"
# How many lines the goods' name and the producer's may take, from generous to frugal.
FRUGALITY = ((3, 2), (2, 2), (2, 1), (1, 1), (2, 0), (1, 0))


class Way(enum.Enum):
    """Where the words stand, and where the readable code does: below the QR if anyhow possible."""

    BESIDE = enum.auto()
    UNDER = enum.auto()
    ALL_BESIDE = enum.auto()


_BELOW = (Way.BESIDE, Way.UNDER)
_ANYHOW = (*_BELOW, Way.ALL_BESIDE)


@dataclass(frozen=True, slots=True)
class _Try:
    """What is tried: where, the least size, the goods' and the producer's lines (none: no words).

    Only when `cut` may a name end in an ellipsis; a small code then leaves most of it.
    """

    ways: tuple[Way, ...]
    least: float
    lines: tuple[int, int] | None
    cut: bool = False


_TRIES = (
    _Try(_BELOW, COMFORTABLE, FRUGALITY[0]),
    *(_Try(_BELOW, LEAST_SIZE, lines) for lines in FRUGALITY[:3]),
    *(_Try((Way.ALL_BESIDE,), LEAST_SIZE, lines) for lines in FRUGALITY[:3]),
    *(_Try(_ANYHOW, LEAST_SIZE, lines, cut=True) for lines in FRUGALITY),
    _Try((Way.UNDER, Way.ALL_BESIDE), LEAST_SIZE, None),
)


class CodeDoesNotFit(Invalid):
    """The QR would be too small to be read, or its quiet zone would not stay white."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of words: `baseline` is what it stands on, `width` what it may take."""

    words: str
    x: float
    baseline: float
    width: float
    size: float
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Star:
    """One star of the OCOP mark, by its middle."""

    x: float
    y: float
    radius: float

    @property
    def corners(self) -> list[tuple[float, float]]:
        """Return the ten corners, from the uppermost on."""
        radii = (self.radius, self.radius * 0.4)
        return [
            (
                self.x + radii[turn % 2] * sin(turn * pi / 5),
                self.y - radii[turn % 2] * cos(turn * pi / 5),
            )
            for turn in range(10)
        ]


@dataclass(frozen=True, slots=True)
class Layout:
    """One label without its QR: that begins at (`code_x`, `code_y`), quiet zone included.

    `below` are the lines of the readable code; each takes so many of its words.
    """

    modules: int
    module: float
    code_x: float
    code_y: float
    lines: tuple[Line, ...]
    stars: tuple[Star, ...]
    below: tuple[tuple[Line, int], ...]

    @property
    def side(self) -> float:
        """Return the side of the QR with its quiet zone."""
        return (self.modules + 2 * QUIET) * self.module

    def readable(self, pieces: Sequence[str]) -> tuple[Line, ...]:
        """Return the lines of one label's readable code, smaller if one of them is too wide."""
        every = " ".join(pieces).split(" ")
        start = 0
        squeeze = 1.0
        words: list[str] = []
        for line, count in self.below:
            words.append(" ".join(every[start : start + count]))
            start += count
            wide = paper.width_of(words[-1], line.size, bold=False)
            squeeze = min(squeeze, line.width / wide)
        return tuple(
            replace(line, words=said_so, size=line.size * squeeze)
            for (line, _count), said_so in zip(self.below, words, strict=True)
        )


def arrange(
    content: Content, sheet: Sheet, *, modules: int, pieces: Sequence[str], level: Level = "M"
) -> Layout:
    """Return how a label of `sheet` carries a code of so many modules and these words.

    Raises CodeDoesNotFit, saying how much room the code needs.
    """
    for one in _TRIES:
        sizes = [size for size in SIZES if size >= one.least]
        wide = _modules_wide(sheet)
        if one.cut:
            wide = [module for module in wide if module <= LARGEST_IF_CUT] or wide[-1:]
        for module, size, way in product(wide, sizes, one.ways):
            draft = _Draft(content, sheet, modules, module, size, way, one.cut)
            found = draft.filled(pieces, one.lines)
            if found is not None:
                return found
    need = (modules + 2 * QUIET) * smallest_module(sheet)
    line = paper.line_height(LEAST_SIZE)
    raise CodeDoesNotFit(
        _(
            "The QR code needs %(side)s × %(side)s mm and a line of %(line)s mm below it; a label"
            " of %(width)s × %(height)s mm is too small.",
            side=said(need),
            line=said(line),
            width=said(sheet.label_width),
            height=said(sheet.label_height),
        ),
        field="preset" if level == "M" else "level",
    )


def _modules_wide(sheet: Sheet) -> list[float]:
    """Return the widths a module may have here, the widest first."""
    least = smallest_module(sheet)
    step = sheet.dot if sheet.is_roll else STEP
    more = floor((LARGEST_OF_OURS - least) / step + 1e-9)
    return [least + step * number for number in range(more, -1, -1)]


@dataclass(frozen=True, slots=True)
class _Draft:
    """One try: this module and this size, words beside the code or below it."""

    content: Content
    sheet: Sheet
    modules: int
    module: float
    size: float
    way: Way
    cut: bool

    def filled(self, pieces: Sequence[str], lines: tuple[int, int] | None) -> Layout | None:
        """Return the label if everything fits; without `lines` it is the code alone."""
        sheet, quiet = self.sheet, QUIET * self.module
        side = (self.modules + 2 * QUIET) * self.module
        # The quiet zone is white: it may lie where a printer cannot print.
        x, y = max(0.0, sheet.inset_x - quiet), max(0.0, sheet.inset_y - quiet)
        low = sheet.label_height - sheet.inset_y
        if x + side > sheet.label_width - x + 1e-9:
            return None
        if y + side > min(sheet.label_height, low + quiet) + 1e-9:
            return None
        middle = (sheet.label_width - side) / 2
        left = sheet.inset_x if self.way is Way.UNDER else x + side
        over = self.way is Way.ALL_BESIDE
        below = self._below(pieces, low, left=left if over else sheet.inset_x)
        # Beside the code its lines may begin at the label's top, below it they begin where it ends.
        free = sheet.inset_y if over else y + side
        if below is None or free > self._top_of(below) + 1e-9:
            return None
        if lines is None:
            return self._layout(x if over else middle, y, [], below)
        top = y + side if self.way is Way.UNDER else sheet.inset_y
        room = sheet.label_width - sheet.inset_x - left
        rows = self._rows(room, lines) if room >= LEAST_WORDS else []
        if not rows or top + len(rows) * self._high > self._top_of(below) + 1e-9:
            return None
        placed = [
            (words, bold, left, top + number * self._high)
            for number, (words, bold) in enumerate(rows)
        ]
        return self._layout(middle if self.way is Way.UNDER else x, y, placed, below)

    @property
    def _high(self) -> float:
        return paper.line_height(self.size)

    def _top_of(self, below: tuple[tuple[Line, int], ...]) -> float:
        first = below[0][0]
        return first.baseline - first.size * BASELINE / paper.mm

    def _below(
        self, pieces: Sequence[str], low: float, *, left: float
    ) -> tuple[tuple[Line, int], ...] | None:
        """Return the lines of the readable code, which begin at `left` and end at `low`.

        A piece wider than its room is set as its words, one below the other.
        """
        size = min(self.size, COMFORTABLE)
        width = self.sheet.label_width - self.sheet.inset_x - left
        units: list[str] = []
        for piece in pieces:
            units += [piece] if _wide(piece, size) * LEAST_SQUEEZE <= width else piece.split(" ")
        counts: list[int] = []
        words = ""
        for unit in units:
            longer = f"{words} {unit}" if words else unit
            if counts and _wide(longer, size) <= width:
                counts[-1] += len(unit.split(" "))
                words = longer
            elif _wide(unit, size) * LEAST_SQUEEZE <= width:
                counts.append(len(unit.split(" ")))
                words = unit
            else:
                return None
        high = paper.line_height(size)
        top = low - len(counts) * high
        return tuple(
            (
                Line(
                    "",
                    left,
                    top + number * high + size * BASELINE / paper.mm,
                    width,
                    size,
                ),
                count,
            )
            for number, count in enumerate(counts)
        )

    def _rows(self, room: float, lines: tuple[int, int]) -> list[tuple[str, bool]]:
        """Return the rows of words, or none if one of them cannot stand in so little room."""
        content, (of_name, of_producer) = self.content, lines
        short = [*content.dates]
        if content.gtin is None:
            short.append(f"{LOT} {content.lot}")
        if content.is_sample:
            short.append(SAMPLE)
        if content.stars:
            short.append(_mark(content.stars))
        if any(paper.width_of(words, self.size, bold=False) > room for words in short):
            return []
        name = self._wrapped(content.goods, room, of_name, bold=True)
        by = self._wrapped(content.producer, room, of_producer, bold=False)
        if (content.goods and not name) or (content.producer and of_producer and not by):
            return []
        return [
            *((words, True) for words in name),
            *((words, False) for words in by),
            *((words, False) for words in short),
        ]

    def _wrapped(self, words: str, room: float, most: int, *, bold: bool) -> list[str]:
        if not words or not most:
            return []
        lines = paper.lines_of(words, self.size, bold=bold, width=room)
        if len(lines) <= most:
            return lines
        return (
            paper.lines_of(words, self.size, bold=bold, width=room, most=most) if self.cut else []
        )

    def _layout(
        self,
        x: float,
        y: float,
        rows: list[tuple[str, bool, float, float]],
        below: tuple[tuple[Line, int], ...],
    ) -> Layout:
        room = self.sheet.label_width - self.sheet.inset_x
        lines, stars = [], []
        mark = _mark(self.content.stars or 0)
        for words, bold, left, top in rows:
            baseline = top + self.size * BASELINE / paper.mm
            shown = MARK if words == mark and not bold else words
            lines.append(Line(shown, left, baseline, room - left, self.size, bold))
            if shown != words:
                stars = self._stars(left, baseline)
        return Layout(self.modules, self.module, x, y, tuple(lines), tuple(stars), below)

    def _stars(self, left: float, baseline: float) -> list[Star]:
        radius = self.size * 0.42 / paper.mm
        start = left + paper.width_of(MARK, self.size, bold=False) + GAP + radius
        middle = baseline - self.size * 0.37 / paper.mm
        return [
            Star(start + number * 2.1 * radius, middle, radius)
            for number in range(self.content.stars or 0)
        ]


def _wide(words: str, size: float) -> float:
    return paper.width_of(words, size, bold=False)


def _mark(stars: int) -> str:
    """Return words as wide as the mark with its stars, which no goods are called."""
    return f"{MARK} {'W' * stars}"
