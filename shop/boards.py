"""Boards for the culture house, posters for a maker's gate and cards for a counter: codes on paper.

Always in Vietnamese. No price is printed: the code shows today's.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from catalog.cards import Card
from core.i18n import lazy as _
from core.i18n import show_day, speaking
from core.paper import A6, Paper

A3, A4 = (297.0, 420.0), (210.0, 297.0)
MARGIN = 14
CODE, SMALL_CODE, CARD_CODE = 70, 25, 80
COLUMNS, ROW = 2, 30
# What stands below the last row of goods.
FOOT = 10
_STEPS = (
    _("1. Open the phone’s camera and hold it over the code."),
    _("2. Touch the line that appears: goods, today’s price, the diary of each lot."),
    _(
        "3. Order on that page. Pay in cash on delivery, or by VietQR straight to the maker’s"
        " account."
    ),
)


class Size(enum.StrEnum):
    """Which paper the board is printed on; the values stand in addresses."""

    A3 = "a3"
    A4 = "a4"


_SHEETS = {Size.A3: A3, Size.A4: A4}


@dataclass(frozen=True, slots=True)
class Board:
    """What is printed: a place or a maker, its page, and its goods in the order of that page."""

    title: str
    place: str
    url: str
    goods: Sequence[Card]


def print_board(board: Board, size: Size, *, base: str, today: date) -> bytes:
    """Return one page with the code of the whole page and one code for as many goods as fit."""
    with speaking("vi"):
        sheet = _SHEETS[size]
        scale = sheet[0] / A4[0]
        paper = Paper(sheet, title=board.title, margin=MARGIN * scale)
        paper.begin_page()
        _head(paper, board, scale)
        _goods(paper, board.goods, base=base, scale=scale)
        paper.y = paper.height - paper.margin - 4 * scale
        paper.pair(board.url, str(_("Printed %(day)s", day=show_day(today))), size=8 * scale)
        return paper.finish()


def print_counter_card(board: Board) -> bytes:
    """Return a card of A6 with one code, to stand on a counter."""
    with speaking("vi"):
        paper = Paper(A6, title=board.title)
        paper.begin_page()
        paper.fitted(board.title, sizes=(20, 17, 14, 12), most_lines=3, bold=True, align="centre")
        if board.place:
            paper.text(board.place, size=9, align="centre", most_lines=2)
        paper.y += 2
        paper.code(board.url, x=(paper.width - CARD_CODE) / 2, y=paper.y, side=CARD_CODE)
        paper.y += CARD_CODE + 2
        paper.text(
            str(_("Scan to see the goods, order and pay")), size=12, bold=True, align="centre"
        )
        paper.text(board.url, size=7, align="centre", most_lines=2)
        return paper.finish()


def _head(paper: Paper, board: Board, scale: float) -> None:
    sizes = tuple(size * scale for size in (34, 28, 24, 20))
    paper.fitted(board.title, sizes=sizes, most_lines=2, bold=True)
    if board.place:
        paper.text(board.place, size=13 * scale, most_lines=2)
    paper.y += 3 * scale
    top, side = paper.y, CODE * scale
    paper.code(board.url, x=paper.margin - 4 * scale, y=top, side=side)
    paper.y += 8 * scale
    for step in _STEPS:
        paper.text(str(step), size=14 * scale, x=paper.margin + side)
        paper.y += 2 * scale
    paper.y = max(paper.y, top + side)
    paper.rule(thick=True)
    paper.y += 2 * scale


def _goods(paper: Paper, goods: Sequence[Card], *, base: str, scale: float) -> None:
    top, row, width = paper.y, ROW * scale, paper.inner / COLUMNS
    rows = int((paper.left_over - FOOT * scale) / row)
    side = SMALL_CODE * scale
    for number, card in enumerate(goods[: rows * COLUMNS]):
        x = paper.margin + (number % COLUMNS) * width
        y = top + (number // COLUMNS) * row
        paper.code(f"{base}/san-pham/{card.slug}", x=x - 2 * scale, y=y, side=side)
        paper.y = y + 2 * scale
        start, room = x + side, width - side - 2 * scale
        paper.text(card.name, size=11 * scale, bold=True, most_lines=2, x=start, width=room)
        told = [str(_("OCOP %(stars)s stars", stars=card.stars)) if card.stars else ""]
        told.append(str(_("sample")) if card.is_sample else "")
        for line in (card.producer or "", " · ".join(part for part in told if part)):
            if line:
                paper.text(line, size=9 * scale, most_lines=1, x=start, width=room)
