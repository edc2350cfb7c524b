"""Labels as a scanner meets them: every file is drawn as dots, then read by two decoders."""

import re
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

import pypdfium2
import zxingcpp
from PIL import Image, ImageDraw
from pyzbar import pyzbar
from pyzbar.pyzbar import ZBarSymbol

from core.qr import QUIET
from traceability.labels.content import Content
from traceability.labels.printing import Print

BASE = "https://chophien.vn"
GTIN = "09520123456788"
INCH = 25.4
SVG = "{http://www.w3.org/2000/svg}"


def a_content(**given: Any) -> Content:
    """Honey of a real name's length, with a GTIN and four stars."""
    values: dict[str, Any] = {
        "lot_id": 1,
        "lot": "LO-2611-01",
        "code": "7K3QX9M2PDX",
        "goods": "Mật ong hoa nhãn Đan Phượng hũ 500\u00a0g",
        "producer": "HTX Nông nghiệp sạch Đan Phượng",
        "gtin": GTIN,
        "made_on": date(2026, 11, 20),
        "use_by": date(2027, 11, 20),
        "stars": 4,
    }
    return Content(**{**values, **given})


def read(picture: Image.Image) -> list[str]:
    """What both decoders read, and only if they agree."""
    grey = picture.convert("L")
    by_zxing = sorted(found.text for found in zxingcpp.read_barcodes(grey))
    by_zbar = sorted(
        found.data.decode() for found in pyzbar.decode(grey, symbols=[ZBarSymbol.QRCODE])
    )
    assert by_zxing == by_zbar
    return by_zxing


def pdf_pages(data: bytes, dpi: int) -> list[Image.Image]:
    """The pages of a PDF, drawn as a printer of so many dots an inch does."""
    drawn = pypdfium2.PdfDocument(data)
    return [page.render(scale=dpi / 72).to_pil().convert("L") for page in drawn]


def labels_on(page: Image.Image, job: Print, number: int, dpi: int) -> Iterator[Image.Image]:
    """Every label of a page, cut out as scissors would."""
    scale = dpi / INCH
    for (x, y), _label in job.on_page(number):
        right, low = x + job.sheet.label_width, y + job.sheet.label_height
        yield page.crop(tuple(round(edge * scale) for edge in (x, y, right, low)))


def svg_page(data: bytes, dpi: int) -> Image.Image:
    """The codes of a drawing as dots: only what stands in paths of strokes."""
    root = ET.fromstring(data)  # noqa: S314 - drawn by us
    width, height = (float(root.attrib[side].removesuffix("mm")) for side in ("width", "height"))
    scale = dpi / INCH
    page = Image.new("L", (round(width * scale), round(height * scale)), 255)
    pen = ImageDraw.Draw(page)
    for label in root.findall(f"{SVG}g"):
        x, y = numbers(label.attrib["transform"])
        for path in label.findall(f"{SVG}path"):
            left, top, module = numbers(path.attrib["transform"])
            for across, down, length in runs_of(path.attrib["d"]):
                corner = (x + left + across * module, y + top + (down - 0.5) * module)
                end = (corner[0] + length * module, corner[1] + module)
                edges = [round(edge * scale) for edge in (*corner, *end)]
                pen.rectangle((edges[0], edges[1], edges[2] - 1, edges[3] - 1), fill=0)
    return page


def numbers(words: str) -> list[float]:
    """The numbers in a transform."""
    return [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", words)]


def runs_of(path: str) -> Iterator[tuple[float, float, float]]:
    """Every stroke of a path: where it begins and how long it is."""
    x = y = 0.0
    for step in re.findall(r"[Mm][^Mm]+", path):
        place, length = step[1:].split("h")
        dx, dy = numbers(place)
        x, y = (dx, dy) if step[0] == "M" else (x + dx, y + dy)
        yield x, y, float(length)
        x += float(length)


def zpl_labels(data: str) -> Iterator[tuple[Image.Image, int]]:
    """Every label of a ZPL file as the printer burns it, and how often: its few commands only."""
    for label in re.findall(r"\^XA(.*?)\^XZ", data, re.DOTALL):
        commands = [(one[:2], one[2:].strip()) for one in label.split("^")[1:]]
        known = {"CI", "PW", "LL", "LH", "FO", "GF", "FS", "PQ"}
        assert {name for name, _given in commands} <= known
        said = dict(commands)
        paper = Image.new("1", (int(said["PW"]), int(said["LL"])), 1)
        place = (0, 0)
        for name, given in commands:
            if name == "FO":
                x, y = given.split(",")
                place = (int(x), int(y))
            elif name == "GF":
                burn(paper, place, given)
        yield paper.convert("L"), int(said["PQ"])


def burn(paper: Image.Image, place: tuple[int, int], given: str) -> None:
    """Burn one picture of dots."""
    kind, total, same, a_row, dots = given.split(",", 4)
    assert (kind, total) == ("A", same)
    width = int(a_row)
    rows = spelled_out(dots, width)
    assert len(rows) * width == int(total)
    ink = Image.frombytes("1", (width * 8, len(rows)), b"".join(rows))
    paper.paste(0, place, ink)


def spelled_out(dots: str, width: int) -> list[bytes]:
    """The rows behind ZPL's counted digits."""
    rows: list[str] = []
    row, times = "", 0
    for letter in dots:
        if letter == ":":
            assert not row
            rows.append(rows[-1])
        elif letter == ",":
            row = row.ljust(2 * width, "0")
        elif "G" <= letter <= "Y":
            times += ord(letter) - ord("F")
        elif "g" <= letter <= "z":
            times += 20 * (ord(letter) - ord("f"))
        else:
            row += letter * (times or 1)
            times = 0
        if len(row) == 2 * width:
            rows.append(row)
            row = ""
    assert not row
    assert not times
    return [bytes.fromhex(one) for one in rows]


def measured(label: Image.Image, dpi: int) -> tuple[float, float]:
    """The side of the dark part of the code in millimetres, and the least white around it."""
    (found,) = zxingcpp.read_barcodes(label)
    corners = (found.position.top_left, found.position.bottom_right)
    (left, top), (right, low) = ((corner.x, corner.y) for corner in corners)
    dark = label.point([255 if grey < 128 else 0 for grey in range(256)])
    box = dark.crop((left - 3, top - 3, right + 4, low + 4)).getbbox()
    assert box is not None
    left, top, right, low = left - 3 + box[0], top - 3 + box[1], left - 3 + box[2], top - 3 + box[3]
    white = 0
    while True:
        reach = white + 1
        frame = (left - reach, top - reach, right + reach, low + reach)
        if frame[0] < 0 or frame[1] < 0 or frame[2] > label.width or frame[3] > label.height:
            break
        ring = dark.crop(frame)
        ring.paste(0, (reach, reach, ring.width - reach, ring.height - reach))
        if ring.getbbox():
            break
        white = reach
    return (right - left) / dpi * INCH, white / dpi * INCH


def quiet(job: Print) -> float:
    """How wide the white around a code has to be."""
    return QUIET * job.layout.module


def png(data: bytes) -> Image.Image:
    """A picture as it was sent."""
    return Image.open(BytesIO(data)).convert("L")
