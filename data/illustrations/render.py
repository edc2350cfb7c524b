"""Print every woodblock drawing of this folder as the pictures the shop serves.

Run by hand after drawing or changing an SVG, never by the shop itself; the results are
committed. Needs Playwright, Pillow and a Chromium:

    python data/illustrations/render.py [--chromium /usr/bin/chromium] [motif ...]

Each square drawing becomes static/tranh/<motif>-{160,320,640,960}.{webp,avif} on plain
paper, and <motif>-1200.jpg with a wider margin for sales channels, which refuse
transparency and cropped goods. The village strip is wide and keeps its proportions:
lang-{360,720,1440}.{webp,avif}.
"""

import argparse
import io
import re
from pathlib import Path

from PIL import Image, ImageColor
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent
PICTURES = FOLDER.parent.parent / "static" / "tranh"

PAPER = "#FBFBF4"
INK = "#1C201B"
SQUARE_WIDTHS = (160, 320, 640, 960)
STRIP_WIDTHS = (360, 720, 1440)
CHANNEL_WIDTH = 1200
CHANNEL_DRAWING_WIDTH = 1040
STRIP = "lang"
# Shown inside pages only; no channel ever receives them.
PAGE_STATES = ("trong", "khong-thay")

# Fine lines blur first in small pictures; large ones can be pressed harder.
AVIF_QUALITY = {160: 58, 320: 54, 360: 54, 640: 46, 720: 46, 960: 42, 1440: 42}
JPEG_QUALITY = 76

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def main() -> None:
    """Print the drawings named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("motifs", nargs="*", help="drawings to print; all when none is named")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="path of the browser")
    arguments = parser.parse_args()
    motifs = arguments.motifs or sorted(path.stem for path in FOLDER.glob("*.svg"))

    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=arguments.chromium, args=CHROMIUM_ARGUMENTS
        )
        page = browser.new_page()
        for motif in motifs:
            print_motif(page, motif)
        browser.close()


def print_motif(page: Page, motif: str) -> None:
    """Write every picture of one drawing."""
    for width in STRIP_WIDTHS if motif == STRIP else SQUARE_WIDTHS:
        picture = rasterise(page, motif, width)
        target = PICTURES / f"{motif}-{width}"
        picture.save(target.with_suffix(".avif"), quality=AVIF_QUALITY[width], speed=4)
        with_few_colours(picture, colours_of(motif)).save(
            target.with_suffix(".webp"), lossless=True, quality=100, method=6
        )
    if motif != STRIP and motif not in PAGE_STATES:
        for_channels(page, motif).save(
            PICTURES / f"{motif}-{CHANNEL_WIDTH}.jpg",
            quality=JPEG_QUALITY,
            optimize=True,
            progressive=True,
        )


def rasterise(page: Page, motif: str, width: int) -> Image.Image:
    """Return the drawing on paper, `width` pixels wide."""
    drawing = (FOLDER / f"{motif}.svg").read_text(encoding="utf-8")
    height = width * 200 // 720 if motif == STRIP else width
    page.set_viewport_size({"width": width, "height": height})
    page.set_content(
        f"<style>body{{margin:0;background:{PAPER}}}"
        f"svg{{display:block;width:{width}px;height:{height}px}}</style>{drawing}"
    )
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def colours_of(motif: str) -> list[tuple[int, int, int]]:
    """Return the colours the drawing is printed in, and the paper's."""
    drawing = (FOLDER / f"{motif}.svg").read_text(encoding="utf-8")
    names = {PAPER, *re.findall(r"#[0-9A-Fa-f]{6}", drawing)}
    return [ImageColor.getrgb(name)[:3] for name in sorted(names)]


def with_few_colours(picture: Image.Image, colours: list[tuple[int, int, int]]) -> Image.Image:
    """Return the picture in exactly its own colours, with one step towards ink and paper.

    Flat colour with hard edges: so few colours, kept without loss, weigh less than what a
    photographic coder makes of them, and no plate ever changes its tint.
    """
    ends = (ImageColor.getrgb(INK), ImageColor.getrgb(PAPER))
    steps = {
        tuple((a + b) // 2 for a, b in zip(c, end, strict=True)) for c in colours for end in ends
    }
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in [*colours, *sorted(steps)] for part in colour])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")


def for_channels(page: Page, motif: str) -> Image.Image:
    """Return the square picture for sales channels: margin all round, no transparency."""
    sheet = Image.new("RGB", (CHANNEL_WIDTH, CHANNEL_WIDTH), PAPER)
    margin = (CHANNEL_WIDTH - CHANNEL_DRAWING_WIDTH) // 2
    sheet.paste(rasterise(page, motif, CHANNEL_DRAWING_WIDTH), (margin, margin))
    return sheet


if __name__ == "__main__":
    main()
