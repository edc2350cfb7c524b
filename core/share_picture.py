"""Draws what a shared link shows in a chat: 1200 × 630, goods at the left, words right."""

import math
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont, ImageOps

from core.settings import ROOT
from core.text import nfc

WIDTH, HEIGHT = 1200, 630
PICTURE = 600
EDGE, GAP = 48, 18
FONTS = ROOT / "data" / "fonts"
PLAIN, BOLD = "BeVietnamPro-Regular.ttf", "BeVietnamPro-SemiBold.ttf"
PAPER, INK, SOFT, PRICE, STAR, STRIP = (
    "#FCFDF9", "#1C201B", "#454C43", "#B02E1C", "#F5B919", "#0B6651",
)  # fmt: skip
TITLE_SIZES = (60, 54, 48, 42, 38)
LINE_SIZE, PRICE_SIZE, NAME_SIZE = 30, 56, 32
LEADING = 1.28
ELLIPSIS = "…"
QUALITY = 84
NAME = "Chợ Phiên"


@dataclass(frozen=True, slots=True)
class ShareCard:
    """The words of one picture; `stars` 0 shows none, `price` None neither."""

    title: str
    lines: tuple[str, ...] = ()
    price: str | None = None
    stars: int = 0


def draw(card: ShareCard, picture: bytes) -> bytes:
    """Return the JPEG; `picture` is cut to a square in its middle."""
    sheet = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    with Image.open(BytesIO(picture)) as opened:
        # Decoded at no more than twice the size it is shown in.
        opened.draft("RGB", (PICTURE, PICTURE))
        goods = ImageOps.fit(opened.convert("RGB"), (PICTURE, HEIGHT), Image.Resampling.BILINEAR)
    sheet.paste(goods, (0, 0))
    pen = ImageDraw.Draw(sheet)
    room = WIDTH - PICTURE - 2 * EDGE
    left, y = PICTURE + EDGE, float(EDGE)
    if card.stars:
        pen.text((left, y), "OCOP", font=_font(BOLD, NAME_SIZE), fill=SOFT)
        start = left + pen.textlength("OCOP", font=_font(BOLD, NAME_SIZE)) + GAP + NAME_SIZE / 2
        for number in range(card.stars):
            middle = (start + number * NAME_SIZE * 1.15, y + NAME_SIZE * 0.68)
            pen.polygon(_star(middle, NAME_SIZE * 0.52), fill=STAR, outline=INK)
        y += NAME_SIZE * LEADING + GAP
    foot = HEIGHT - EDGE - NAME_SIZE
    font = _font(PLAIN, LINE_SIZE)
    told = [line for words in card.lines for line in _wrapped(pen, nfc(words), font, room)[:2]]
    below = len(told) * LINE_SIZE * LEADING + (PRICE_SIZE * LEADING if card.price else 0)
    size, lines = _fitted(pen, nfc(card.title), room, height=foot - y - below - 2 * GAP)
    for line in lines:
        pen.text((left, y), line, font=_font(BOLD, size), fill=INK)
        y += size * LEADING
    y += GAP
    for line in told:
        pen.text((left, y), line, font=font, fill=SOFT)
        y += LINE_SIZE * LEADING
    if card.price:
        pen.text((left, y), card.price, font=_font(BOLD, PRICE_SIZE), fill=PRICE)
    pen.rectangle((left, foot + 8, left + 6, foot + NAME_SIZE + 8), fill=STRIP)
    pen.text((left + GAP, foot), NAME, font=_font(BOLD, NAME_SIZE), fill=STRIP)
    file = BytesIO()
    sheet.save(file, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return file.getvalue()


@lru_cache(maxsize=32)
def _font(file: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / file), size)


def _fitted(
    pen: ImageDraw.ImageDraw, words: str, room: int, *, height: float
) -> tuple[int, list[str]]:
    """Return the largest size in which the title stands in this height, and its lines."""
    for size in TITLE_SIZES:
        lines = _wrapped(pen, words, _font(BOLD, size), room)
        if len(lines) * size * LEADING <= height:
            return size, lines
    most = max(1, int(height / (size * LEADING)))
    kept = lines[:most]
    while kept[-1] and pen.textlength(kept[-1] + ELLIPSIS, font=_font(BOLD, size)) > room:
        kept[-1] = kept[-1][:-1]
    return size, [*kept[:-1], kept[-1].rstrip() + ELLIPSIS]


def _wrapped(
    pen: ImageDraw.ImageDraw, words: str, font: ImageFont.FreeTypeFont, room: int
) -> list[str]:
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and pen.textlength(longer, font=font) <= room:
            lines[-1] = longer
        else:
            while len(word) > 1 and pen.textlength(word, font=font) > room:
                word = word[:-1]  # noqa: PLW2901 - no such word was ever written on purpose
            lines.append(word)
    return lines


def _star(middle: tuple[float, float], radius: float) -> list[tuple[float, float]]:
    """Return the ten corners of a star that stands upright."""
    return [
        (
            middle[0] + radius * (1 if corner % 2 == 0 else 0.4) * math.sin(math.pi * corner / 5),
            middle[1] - radius * (1 if corner % 2 == 0 else 0.4) * math.cos(math.pi * corner / 5),
        )
        for corner in range(10)
    ]
