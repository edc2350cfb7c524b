"""The one door to reportlab: pages for the printer, in a font that has every Vietnamese letter.

Lengths are millimetres from the top left corner, font sizes points. The font is part of the file,
so that any printer draws it and any reader finds the words again.
"""

import re
from functools import cache
from io import BytesIO
from typing import Any, Literal

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from core import qr
from core.settings import ROOT
from core.text import nfc

# Bytes as they are: written as letters, every page would be a quarter larger.
rl_config.useA85 = 0

mm = 72 / 25.4  # in points, the unit inside a PDF
A5 = (148.0, 210.0)
A6 = (105.0, 148.0)
FONTS = ROOT / "data" / "fonts"
PLAIN, BOLD = "Be Vietnam Pro", "Be Vietnam Pro SemiBold"
# Letters with two marks above, such as Ẳ, must not touch the line before.
LEADING = 1.36
MISSING = "?"
ELLIPSIS = "…"
# A no-break space keeps an amount and its đ together.
_SPACES = re.compile("[ \\t]+")
Align = Literal["left", "right", "centre"]


@cache
def _fonts() -> dict[str, Any]:
    """Load the fonts once for this process; return them by name."""
    files = {PLAIN: "BeVietnamPro-Regular.ttf", BOLD: "BeVietnamPro-SemiBold.ttf"}
    for name, file in files.items():
        pdfmetrics.registerFont(TTFont(name, FONTS / file))
    return {name: pdfmetrics.getFont(name) for name in files}


class Paper:
    """A PDF that is drawn page by page; `y` is how far down the pen stands on the page."""

    def __init__(self, size: tuple[float, float], *, title: str, margin: float = 8) -> None:
        _fonts()
        self.width, self.height = size
        self.margin = margin
        self.y = margin
        self.pages = 0
        self._file = BytesIO()
        self._canvas = Canvas(self._file, pagesize=(size[0] * mm, size[1] * mm), pageCompression=1)
        self._canvas.setTitle(title)
        self._canvas.setProducer("Chợ Phiên")

    @property
    def inner(self) -> float:
        """Return the width between the margins."""
        return self.width - 2 * self.margin

    @property
    def left_over(self) -> float:
        """Return how much of the page lies beneath the pen, without the margin."""
        return self.height - self.margin - self.y

    def begin_page(self, size: tuple[float, float] | None = None) -> None:
        """Go on to a fresh page with the pen at its top, of another `size` from here on if told."""
        if self.pages:
            self._canvas.showPage()
        if size is not None:
            self.width, self.height = size
        self._canvas.setPageSize((self.width * mm, self.height * mm))
        self.pages += 1
        self.y = self.margin

    def text(
        self,
        words: str,
        *,
        size: float = 9,
        bold: bool = False,
        x: float | None = None,
        width: float | None = None,
        align: Align = "left",
        most_lines: int | None = None,
    ) -> None:
        """Write `words` beneath the pen, wrapped to `width`, and move the pen below them.

        With `most_lines` the rest is left out, which an ellipsis tells.
        """
        x = self.margin if x is None else x
        width = self.width - self.margin - x if width is None else width
        for line in lines_of(words, size, bold=bold, width=width, most=most_lines):
            self._draw(line, size, bold=bold, x=x, width=width, align=align)
            self.y += line_height(size)

    def fitted(self, words: str, *, sizes: tuple[float, ...], most_lines: int, **how: Any) -> None:
        """Write `words` in the largest of `sizes` that needs no more than `most_lines`."""
        width = how.get("width") or self.width - self.margin - how.get("x", self.margin)
        bold = how.get("bold", False)
        size = next(
            (
                one
                for one in sizes
                if len(lines_of(words, one, bold=bold, width=width)) <= most_lines
            ),
            sizes[-1],
        )
        self.text(words, size=size, most_lines=most_lines, **how)

    def pair(
        self,
        left: str,
        right: str,
        *,
        size: float = 9,
        bold: bool = False,
        x: float | None = None,
    ) -> None:
        """Write `left` (wrapped) and `right` (at the right margin) on the same line."""
        top = self.y
        x = self.margin if x is None else x
        room = width_of(_known(right, bold=bold), size, bold=bold) + 3
        self._draw(right, size, bold=bold, x=self.margin, width=self.inner, align="right")
        self.text(left, size=size, bold=bold, x=x, width=self.width - self.margin - x - room)
        self.y = max(self.y, top + line_height(size))

    def rule(self, *, thick: bool = False) -> None:
        """Draw a line across the page beneath the pen."""
        self.y += 1
        self._canvas.setLineWidth(1.2 if thick else 0.4)
        height = self._up(self.y)
        self._canvas.line(self.margin * mm, height, (self.width - self.margin) * mm, height)
        self.y += 1.5

    def box(self, x: float, y: float, width: float, height: float, *, thickness: float = 1) -> None:
        """Draw a frame, its line so many points thick."""
        self._canvas.setLineWidth(thickness)
        self._canvas.rect(x * mm, self._up(y + height), width * mm, height * mm)

    def code(self, words: str, *, x: float, y: float, side: float) -> None:
        """Draw `words` as a QR code of `side` millimetres, its quiet zone included."""
        rows = qr.matrix(words)
        module = side / (len(rows) + 2 * qr.QUIET)
        self.modules(rows, x=x + qr.QUIET * module, y=y + qr.QUIET * module, module=module)

    def modules(self, rows: list[list[bool]], *, x: float, y: float, module: float) -> None:
        """Draw dark modules of so many millimetres as one filled shape, from its top left corner.

        In whole numbers of modules, so that ten thousand codes stay small and every edge is exact.
        """
        runs = " ".join(
            f"{across} {-down} {length} -1 re" for across, down, length in qr.dark_runs(rows)
        )
        scale = module * mm
        self._canvas.addLiteral(
            f"q {scale:.5f} 0 0 {scale:.5f} {x * mm:.4f} {self._up(y):.4f} cm {runs} f Q"
        )

    def line_at(
        self, words: str, *, x: float, baseline: float, size: float, bold: bool = False
    ) -> None:
        """Write one line that begins at `x` and stands on `baseline`; the pen stays."""
        self._canvas.setFont(BOLD if bold else PLAIN, size)
        self._canvas.drawString(x * mm, self._up(baseline), _known(words, bold=bold))

    def shape(self, corners: list[tuple[float, float]]) -> None:
        """Fill the shape between these corners."""
        drawn = self._canvas.beginPath()
        drawn.moveTo(corners[0][0] * mm, self._up(corners[0][1]))
        for x, y in corners[1:]:
            drawn.lineTo(x * mm, self._up(y))
        drawn.close()
        self._canvas.drawPath(drawn, stroke=0, fill=1)

    def finish(self) -> bytes:
        """Return the file; a paper without a page has one empty page."""
        self._canvas.save()
        return self._file.getvalue()

    def _draw(
        self, line: str, size: float, *, bold: bool, x: float, width: float, align: Align
    ) -> None:
        self._canvas.setFont(BOLD if bold else PLAIN, size)
        baseline = self._up(self.y) - size * 1.05
        line = _known(line, bold=bold)
        if align == "right":
            self._canvas.drawRightString((x + width) * mm, baseline, line)
        elif align == "centre":
            self._canvas.drawCentredString((x + width / 2) * mm, baseline, line)
        else:
            self._canvas.drawString(x * mm, baseline, line)

    def _up(self, y: float) -> float:
        return (self.height - y) * mm


def line_height(size: float) -> float:
    """Return how far one line lies beneath the other, in millimetres."""
    return size * LEADING / mm


def lines_of(
    words: str, size: float, *, bold: bool, width: float, most: int | None = None
) -> list[str]:
    """Return `words` as lines no wider than `width`; a word that is too long is broken."""
    lines: list[str] = []
    for paragraph in _known(words, bold=bold).splitlines():
        line = ""
        for word in _SPACES.split(paragraph.strip(" \t")):
            longer = f"{line} {word}" if line else word
            if width_of(longer, size, bold=bold) <= width:
                line = longer
                continue
            if line:
                lines.append(line)
            line = word
            while width_of(line, size, bold=bold) > width and len(line) > 1:
                fits = next(
                    n
                    for n in range(len(line) - 1, 0, -1)
                    if n == 1 or width_of(line[:n], size, bold=bold) <= width
                )
                lines.append(line[:fits])
                line = line[fits:]
        lines.append(line)
    if most is None or len(lines) <= most:
        return lines
    last = lines[most - 1]
    while last and width_of(last + ELLIPSIS, size, bold=bold) > width:
        last = last[:-1]
    return [*lines[: most - 1], last.rstrip() + ELLIPSIS]


def width_of(words: str, size: float, *, bold: bool) -> float:
    """Return how many millimetres `words` take in a size of so many points."""
    _fonts()
    return float(pdfmetrics.stringWidth(words, BOLD if bold else PLAIN, size)) / mm


def _known(words: str, *, bold: bool) -> str:
    """Return `words` with a question mark for every letter that the font does not have."""
    glyphs = _fonts()[BOLD if bold else PLAIN].face.charToGlyph
    return "".join(
        letter if letter == "\n" or ord(letter) in glyphs else MISSING for letter in nfc(words)
    )
