"""Labels as dots: what a thermal printer burns and what a preview shows."""

from functools import cache

from PIL import Image, ImageDraw, ImageFont

from core import paper
from core.qr import QUIET
from traceability.labels.layout import Line, Star
from traceability.labels.printing import Label, Print, Rows

FILES = {False: "BeVietnamPro-Regular.ttf", True: "BeVietnamPro-SemiBold.ttf"}
WHITE, BLACK = 255, 0
# Above this a dot stays white: thin strokes of small letters must not break.
INK = 150


def label_picture(job: Print, label: Label, *, dots_a_mm: float) -> Image.Image:
    """Return one label in grey, as large as so many dots a millimetre make it."""
    sheet, layout = job.sheet, job.layout
    size = (round(sheet.label_width * dots_a_mm), round(sheet.label_height * dots_a_mm))
    picture = Image.new("L", size, WHITE)
    module = max(1, round(layout.module * dots_a_mm))
    code = code_picture(label.rows, module)
    side = layout.side * dots_a_mm
    if code.width + 2 * QUIET * module != round(side):
        wanted = round(side - 2 * QUIET * layout.module * dots_a_mm)
        code = code.resize((wanted, wanted), Image.Resampling.BOX)
    quiet = QUIET * layout.module * dots_a_mm
    corner = (
        round(layout.code_x * dots_a_mm + quiet),
        round(layout.code_y * dots_a_mm + quiet),
    )
    picture.paste(code, corner)
    draw_words(picture, (*layout.lines, *label.readable), layout.stars, dots_a_mm)
    return picture


def code_picture(rows: Rows, dots: int) -> Image.Image:
    """Return the modules alone, each so many dots wide."""
    small = Image.new("L", (len(rows), len(rows)), WHITE)
    small.putdata([BLACK if dark else WHITE for row in rows for dark in row])
    return small.resize((len(rows) * dots,) * 2, Image.Resampling.NEAREST)


def draw_words(
    picture: Image.Image, lines: tuple[Line, ...], stars: tuple[Star, ...], dots_a_mm: float
) -> None:
    """Draw lines and stars where they stand on the label."""
    pen = ImageDraw.Draw(picture)
    for line in lines:
        font = _font(round(line.size / paper.mm * dots_a_mm, 2), bold=line.bold)
        place = (line.x * dots_a_mm, line.baseline * dots_a_mm)
        pen.text(place, line.words, font=font, fill=BLACK, anchor="ls")
    for star in stars:
        pen.polygon([(x * dots_a_mm, y * dots_a_mm) for x, y in star.corners], fill=BLACK)


@cache
def _font(size: float, *, bold: bool) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(paper.FONTS / FILES[bold], size)
