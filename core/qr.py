"""The one door to `qrcode`: codes as small SVG or PNG, with the quiet zone scanners need."""

from collections.abc import Iterator
from io import BytesIO
from itertools import groupby
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

import qrcode
from PIL import Image
from qrcode.constants import ERROR_CORRECT_H, ERROR_CORRECT_L, ERROR_CORRECT_M, ERROR_CORRECT_Q
from qrcode.exceptions import DataOverflowError

from core.errors import Invalid
from core.i18n import lazy

Level = Literal["L", "M", "Q", "H"]
LEVELS = {"L": ERROR_CORRECT_L, "M": ERROR_CORRECT_M, "Q": ERROR_CORRECT_Q, "H": ERROR_CORRECT_H}
QUIET = 4


class TooMuchForACode(Invalid):
    """No QR code holds this much text."""


def matrix(text: str, *, level: Level = "M", mask: int | None = None) -> list[list[bool]]:
    """Return the rows of dark (True) and light modules, without quiet zone.

    Trying all eight masks for the fairest one takes 6 ms; with a fixed `mask` (0…7) it is 0.8 ms,
    for runs of thousands, and every reader reads it as well.
    """
    code = qrcode.QRCode(error_correction=LEVELS[level], border=0, mask_pattern=mask)
    code.add_data(text.encode("utf-8"))
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError) as error:
        raise TooMuchForACode(lazy("This text is too long for one QR code.")) from error
    return [[bool(module) for module in row] for row in code.modules]


def svg(text: str, *, level: Level = "M", label: str | None = None, mask: int | None = None) -> str:
    """Return the code as an SVG picture of about 2 KB, black on white; `label` is read aloud."""
    rows = matrix(text, level=level, mask=mask)
    side = len(rows) + 2 * QUIET
    name = f' role="img" aria-label={quoteattr(label)}' if label else ' aria-hidden="true"'
    title = f"<title>{escape(label)}</title>" if label else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"{name}'
        f' shape-rendering="crispEdges">{title}<path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path stroke="#000" d="{path(rows)}"/></svg>'
    )


def png(text: str, *, scale: int = 8, level: Level = "M", mask: int | None = None) -> bytes:
    """Return the code as a PNG picture of `scale` pixels a module, black on white."""
    rows = matrix(text, level=level, mask=mask)
    picture = Image.new("1", (len(rows), len(rows)), 1)
    picture.putdata([0 if dark else 1 for row in rows for dark in row])
    side = (len(rows) + 2 * QUIET) * scale
    sheet = Image.new("1", (side, side), 1)
    sheet.paste(
        picture.resize((len(rows) * scale,) * 2, Image.Resampling.NEAREST),
        (QUIET * scale, QUIET * scale),
    )
    file = BytesIO()
    # Level 6 takes twice as long for a tenth less.
    sheet.save(file, "PNG", compress_level=3)
    return file.getvalue()


def dark_runs(rows: list[list[bool]]) -> Iterator[tuple[int, int, int]]:
    """Give every run of dark modules: across, down and how many."""
    for y, row in enumerate(rows):
        x = 0
        for dark, run in groupby(row):
            length = sum(1 for _ in run)
            if dark:
                yield x, y, length
            x += length


def path(rows: list[list[bool]], *, quiet: int = QUIET) -> str:
    """Return SVG path data of one stroke per run of dark modules, with so much quiet zone.

    One module is one unit wide; each start is told from the last end.
    """
    parts: list[str] = []
    last_x, last_y = 0, 0
    for x, y, length in dark_runs(rows):
        parts.append(
            f"m{x - last_x} {y - last_y}h{length}"
            if parts
            else f"M{x + quiet} {y + quiet}.5h{length}"
        )
        last_x, last_y = x + length, y
    return "".join(parts).replace(" -", "-")
