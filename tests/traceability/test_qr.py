"""A printed QR, read by a scanner, ends at the page of what it is stuck on."""

from io import BytesIO
from urllib.parse import urlsplit

import pytest
import zxingcpp
from flask.testing import FlaskClient
from PIL import Image

from core.codes import new_code
from core.db import Database
from tests.conftest import NOON
from tests.factories import a_lot, a_variant
from traceability import serials, trace_codes
from traceability.codes import TRACE_CODE

GTIN = "09520123456788"


def printed_codes(database: Database, gtin: str | None) -> tuple[str, str]:
    """The code of a lot LO-7 and of one of its packages."""
    with database.transaction() as session:
        lot = a_lot(session, a_variant(session, gtin=gtin), code="LO-7")
        (serial,) = serials.make(session, lot, 1, now=NOON, activated=True)
        return trace_codes.ensure_lot_code(session, lot, now=NOON), serial


def read_png(data: bytes) -> str:
    return str(zxingcpp.read_barcodes(Image.open(BytesIO(data)))[0].text)


def read_svg(drawing: str) -> str:
    """Draw the runs of the SVG as pixels, then read them."""
    side = int(drawing.split('viewBox="0 0 ')[1].split(" ", maxsplit=1)[0])
    path = drawing.split('stroke="#000" d="')[1].split('"', maxsplit=1)[0]
    picture = Image.new("1", (side, side), 1)
    x = y = 0
    for move in path.replace("M", "m").split("m")[1:]:
        place, run = move.split("h")
        dx, _, dy = place.replace("-", " -").strip().partition(" ")
        if (x, y) == (0, 0):
            x, y = int(dx), int(float(dy))
        else:
            x, y = x + int(dx), y + int(dy or 0)
        for pixel in range(int(run)):
            picture.putpixel((x + pixel, y), 0)
        x += int(run)
    return str(zxingcpp.read_barcodes(picture.resize((side * 8, side * 8)).convert("L"))[0].text)


@pytest.mark.parametrize("gtin", [GTIN, None])
def test_what_is_printed_is_what_is_read_and_leads_to_the_page(
    database: Database, visitor: FlaskClient, gtin: str | None
) -> None:
    lot, serial = printed_codes(database, gtin)
    expected = {
        lot: f"/01/{GTIN}/10/LO-7" if gtin else f"/t/{lot}",
        serial: f"/01/{GTIN}/10/LO-7/21/{serial}" if gtin else f"/t/{serial}",
    }

    for code, path in expected.items():
        png = visitor.get(f"/truy-xuat/{code}/qr.png")
        svg = visitor.get(f"/truy-xuat/{code}/qr.svg")

        address = read_png(png.data)
        assert address == "http://localhost" + path
        assert read_svg(svg.text) == address
        assert svg.mimetype == "image/svg+xml"
        assert "public" in png.headers["Cache-Control"]
        page = visitor.get(urlsplit(address).path, follow_redirects=True)
        assert page.status_code == 200
        assert page.request.path == f"/truy-xuat/{code}"


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_there_is_no_qr_of_what_nobody_printed(visitor: FlaskClient, kind: str) -> None:
    assert visitor.get(f"/truy-xuat/{new_code(TRACE_CODE)}/qr.{kind}").status_code == 404
    assert visitor.get(f"/truy-xuat/abc/qr.{kind}").status_code == 404
