"""A code that no phone can read is not a code: every picture here is read back by a real reader."""

import re
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from core import qr

LINK = "https://chophien.vn/truy-xuat/M7K2QX9A4B"
SVG = "{http://www.w3.org/2000/svg}"


def read(picture: Image.Image) -> list[str]:
    codes = zxingcpp.read_barcodes(picture.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode)
    return [code.text for code in codes]


def drawn(svg: str, scale: int = 6) -> Image.Image:
    """The SVG as a picture, by a drawer that knows just the commands we use."""
    root = ET.fromstring(svg)  # noqa: S314 - our own text
    side = int(root.attrib["viewBox"].split()[2])
    picture = Image.new("L", (side * scale, side * scale), 255)
    pen = ImageDraw.Draw(picture)
    path = root.findall(f"{SVG}path")[1].attrib["d"]
    x, y = 0, 0
    for command, numbers in _commands(path):
        if command == "M":
            x, y = int(numbers[0]), int(numbers[1] - 0.5)
        elif command == "m":
            x, y = x + int(numbers[0]), y + int(numbers[1])
        else:
            run = int(numbers[0])
            pen.rectangle(
                (x * scale, y * scale, (x + run) * scale - 1, (y + 1) * scale - 1), fill=0
            )
            x += run
    return picture


def _commands(path: str) -> list[tuple[str, list[float]]]:
    return [
        (letter, [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", numbers)])
        for letter, numbers in re.findall(r"([Mmh])([^Mmh]*)", path)
    ]


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
@pytest.mark.parametrize("text", [LINK, "Xã Đan Phượng, Hà Nội", "1", "8938505974194" * 20])
def test_both_pictures_are_read_back(text: str, level: qr.Level) -> None:
    assert read(Image.open(BytesIO(qr.png(text, level=level, scale=4)))) == [text]
    assert read(drawn(qr.svg(text, level=level))) == [text]


@pytest.mark.parametrize("mask", range(8))
def test_any_fixed_mask_is_read_as_well(mask: int) -> None:
    assert read(Image.open(BytesIO(qr.png(LINK, mask=mask)))) == [LINK]


def test_the_quiet_zone_is_four_modules_wide() -> None:
    picture = Image.open(BytesIO(qr.png(LINK, scale=5))).convert("L")
    box = picture.point(lambda value: 255 - value).getbbox()

    assert box == (20, 20, picture.width - 20, picture.height - 20)


def test_the_svg_is_small_and_says_what_it_is() -> None:
    svg = qr.svg(LINK, label='Mã lô <LO-1> & "anh em"')

    root = ET.fromstring(svg)  # noqa: S314
    assert len(svg) < 2_500
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == 'Mã lô <LO-1> & "anh em"'
    assert root.findtext(f"{SVG}title") == 'Mã lô <LO-1> & "anh em"'


def test_a_code_without_a_label_is_silent() -> None:
    assert 'aria-hidden="true"' in qr.svg(LINK)


def test_too_much_text_is_refused() -> None:
    with pytest.raises(qr.TooMuchForACode):
        qr.svg("á" * 3_000)
