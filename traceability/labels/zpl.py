"""Labels as ZPL, which label printers speak.

Printers' own fonts have no Đ or ợ, and their own QR chooses its size by itself: words and code are
burnt as dots, so that what was measured is what comes out.
"""

from functools import lru_cache
from itertools import groupby

from PIL import Image

from core.qr import QUIET
from traceability.labels.layout import Line, Star
from traceability.labels.printing import Print
from traceability.labels.raster import INK, WHITE, code_picture, draw_words

_MOST_ALIKE = 9_999
# For every grey: whether the printer burns it.
_INKED = [255 if grey < INK else 0 for grey in range(256)]
# How often the next letter is meant: G to Y for 1 to 19, g to z for 20 to 400 in twenties.
_ONES = "GHIJKLMNOPQRSTUVWXY"
_TWENTIES = "ghijklmnopqrstuvwxyz"


def draw(job: Print, pages: range) -> str:
    """Return these labels for the printer; labels that are all alike are one with a number."""
    if job.serials is not None:
        return "".join(_label(job, page, copies=1) for page in pages)
    whole, rest = divmod(len(pages), _MOST_ALIKE)
    counts = [_MOST_ALIKE] * whole + ([rest] if rest else [])
    return "".join(_label(job, pages.start, copies=count) for count in counts)


def _label(job: Print, number: int, *, copies: int) -> str:
    sheet, layout = job.sheet, job.layout
    dots_a_mm = 1 / sheet.dot
    size = (round(sheet.label_width * dots_a_mm), round(sheet.label_height * dots_a_mm))
    moved = (round(sheet.offset_x * dots_a_mm), round(sheet.offset_y * dots_a_mm))
    label = job.label(number)
    module = round(layout.module * dots_a_mm)
    start = [
        round(place * dots_a_mm) + QUIET * module + more
        for place, more in zip((layout.code_x, layout.code_y), moved, strict=True)
    ]
    fields = (
        _field(code_picture(label.rows, module), start[0], start[1]),
        _words(size, moved, layout.lines, layout.stars, dots_a_mm),
        _words(size, moved, label.readable, (), dots_a_mm),
    )
    return f"^XA^CI28^PW{size[0]}^LL{size[1]}^LH0,0\n{''.join(fields)}^PQ{copies}\n^XZ\n"


@lru_cache(maxsize=4)
def _words(
    size: tuple[int, int],
    moved: tuple[int, int],
    lines: tuple[Line, ...],
    stars: tuple[Star, ...],
    dots_a_mm: float,
) -> str:
    picture = Image.new("L", size, WHITE)
    draw_words(picture, lines, stars, dots_a_mm)
    box = picture.point(_INKED).getbbox()
    if box is None:
        return ""
    return _field(picture.crop(box), box[0] + moved[0], box[1] + moved[1])


def _field(picture: Image.Image, x: int, y: int) -> str:
    """Return a picture at a place, its dots in ZPL's short way of writing."""
    width, height = picture.size
    dots = picture.point(_INKED, mode="1").tobytes()
    a_row = (width + 7) // 8
    rows = [dots[start : start + a_row] for start in range(0, len(dots), a_row)]
    total = a_row * height
    return f"^FO{max(0, x)},{max(0, y)}^GFA,{total},{total},{a_row},{_short(rows)}^FS\n"


def _short(rows: list[bytes]) -> str:
    """Return the rows as hexadecimal digits with counts; `:` repeats a row, `,` ends it white."""
    parts: list[str] = []
    before: bytes | None = None
    for row in rows:
        parts.append(":" if row == before else _short_row(row.hex().upper()))
        before = row
    return "".join(parts)


def _short_row(digits: str) -> str:
    inked = digits.rstrip("0")
    end = "," if len(inked) < len(digits) else ""
    return "".join(_counted(digit, len(list(run))) for digit, run in groupby(inked)) + end


def _counted(digit: str, times: int) -> str:
    if times == 1:
        return digit
    whole, rest = divmod(times, 20)
    most = "z" * (whole // 20)
    twenties = _TWENTIES[whole % 20 - 1] if whole % 20 else ""
    return f"{most}{twenties}{_ONES[rest - 1] if rest else ''}{digit}"
