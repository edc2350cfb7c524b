"""Labels as SVG: one drawing a page, in millimetres, with the font inside."""

from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from xml.sax.saxutils import escape

from core import paper, qr
from core.settings import ROOT
from traceability.labels.layout import Line, Star
from traceability.labels.printing import Print

FAMILY = "Be Vietnam Pro"
FONTS = {400: "be-vietnam-pro-400.woff2", 600: "be-vietnam-pro-600.woff2"}


def draw(job: Print, page: int) -> str:
    """Return one page of a print."""
    sheet, layout = job.sheet, job.layout
    width, height = f"{sheet.page_width:g}", f"{sheet.page_height:g}"
    size = f'width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f"<title>{escape(f'Tem {job.content.lot}')}</title>",
        f"<style>{_faces()}text{{font-family:'{FAMILY}',sans-serif}}</style>",
        f'<path fill="#fff" d="M0 0h{width}v{height}H0z"/>',
        f'<defs><g id="chu">{"".join(_words(layout.lines))}{_stars(layout.stars)}</g></defs>',
    ]
    for (x, y), label in job.on_page(page):
        parts.append(
            f'<g transform="translate({x:g} {y:g})"><use href="#chu"/>'
            f'<path transform="translate({layout.code_x:.4f} {layout.code_y:.4f})'
            f' scale({layout.module:.6f})" stroke="#000" shape-rendering="crispEdges"'
            f' d="{qr.path(label.rows)}"/>{"".join(_words(label.readable))}</g>'
        )
    parts.append("</svg>\n")
    return "\n".join(parts)


def _words(lines: tuple[Line, ...]) -> Iterator[str]:
    """Give each line; its length is told, so that another font cannot run over the code."""
    for line in lines:
        wide = paper.width_of(line.words, line.size, bold=line.bold)
        weight = ' font-weight="600"' if line.bold else ""
        yield (
            f'<text x="{line.x:.3f}" y="{line.baseline:.3f}"{weight}'
            f' font-size="{line.size / paper.mm:.4f}" textLength="{wide:.3f}"'
            f' lengthAdjust="spacingAndGlyphs">{escape(line.words)}</text>'
        )


def _stars(stars: tuple[Star, ...]) -> str:
    drawn = ("M" + "L".join(f"{x:.3f} {y:.3f}" for x, y in star.corners) + "z" for star in stars)
    path = "".join(drawn)
    return f'<path d="{path}"/>' if path else ""


@cache
def _faces() -> str:
    """Return the rules that bring the font along."""
    return "".join(
        f"@font-face{{font-family:'{FAMILY}';font-weight:{weight};src:url(data:font/woff2;base64,"
        f"{b64encode((ROOT / 'static' / 'fonts' / file).read_bytes()).decode()})}}"
        for weight, file in FONTS.items()
    )
