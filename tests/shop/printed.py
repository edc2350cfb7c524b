"""Reads what was printed: words with their marks, and QR codes as a scanner sees them."""

from io import BytesIO
from typing import Any

import zxingcpp
from PIL import Image, ImageDraw
from pypdf import PdfReader
from pypdf.generic import ContentStream

SCALE = 8


def pages_of(data: bytes) -> list[Any]:
    """The pages of a PDF."""
    return list(PdfReader(BytesIO(data)).pages)


def words_on(page: Any) -> str:
    """The words of one page, line breaks and no-break spaces read as spaces."""
    return " ".join(page.extract_text().split())


def codes_on(page: Any) -> list[str]:
    """What a scanner reads on the page: only its dark, filled rectangles are drawn."""
    width, height = (int(float(side) * SCALE) for side in page.mediabox[2:])
    sheet = Image.new("L", (width, height), 255)
    pen = ImageDraw.Draw(sheet)
    waiting: list[list[float]] = []
    kept: list[tuple[float, float, float, float]] = []
    across, up, right, above = 1.0, 1.0, 0.0, 0.0
    for operands, operator in ContentStream(page.get_contents(), page.pdf).operations:
        if operator == b"q":
            kept.append((across, up, right, above))
        elif operator == b"Q":
            across, up, right, above = kept.pop()
        elif operator == b"cm":
            a, _b, _c, d, e, f = (float(one) for one in operands)
            right, above = right + across * e, above + up * f
            across, up = across * a, up * d
        elif operator == b"re":
            x, y, w, h = (float(one) for one in operands)
            low, high = sorted((above + up * y, above + up * (y + h)))
            there = (right + across * x, low, across * w, high - low)
            waiting.append([one * SCALE for one in there])
        elif operator in {b"f", b"f*"}:
            for x, y, w, h in waiting:
                pen.rectangle((x, height - y - h, x + w - 1, height - y - 1), fill=0)
            waiting = []
        elif operator in {b"S", b"n", b"s"}:
            waiting = []
    return [found.text for found in zxingcpp.read_barcodes(sheet)]
