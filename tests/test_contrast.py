"""Every pair of colours the pages print on each other is readable, by day and by night.

axe cannot judge text on texture and plates, so the table of ux.md §2.3 is computed from the sheet.
"""

import re

import pytest

from core.settings import ROOT

SHEET = (ROOT / "static" / "css" / "phien.css").read_text("utf-8")
TOKEN = re.compile(r"--([a-z0-9-]+):(#[0-9A-Fa-f]{3,6})\b")

# (text, ground, least ratio): 7 for running text, 4.5 for small words, 3 for control edges.
PAIRS = [
    ("than", "diep", 7), ("than", "card", 7), ("than-2", "diep", 7), ("than-2", "card", 7),
    ("than-3", "diep", 4.5), ("than-3", "card", 4.5), ("than-3", "sunk", 4.5),
    ("cham", "diep", 4.5), ("cham", "card", 4.5), ("cham", "cham-s", 4.5),
    ("on-strong", "cham", 4.5), ("on-strong", "rial", 4.5), ("on-strong", "son", 4.5),
    ("rial", "card", 4.5), ("rial", "rial-s", 4.5),
    ("son", "card", 4.5), ("son", "son-s", 4.5), ("son", "diep", 4.5),
    ("hoe-d", "hoe-s", 4.5), ("hoe-d", "card", 4.5), ("on-hoe", "hoe", 7),
    ("edge", "card", 3), ("edge", "diep", 3), ("edge", "sunk", 3),
    ("than", "rial-s", 7), ("than", "son-s", 7), ("than", "hoe-s", 7), ("than", "cham-s", 7),
]  # fmt: skip


def tokens(theme: str) -> dict[str, str]:
    """The colours of a theme as the sheet declares them, night laid over day."""
    day_block = SHEET[SHEET.index("color-scheme:light dark") : SHEET.index("@media (prefers-color")]
    colours = dict(TOKEN.findall(day_block))
    if theme == "night":
        start = SHEET.index("[data-theme=night]{")
        colours |= dict(TOKEN.findall(SHEET[start : SHEET.index("}", start)]))
    return colours


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["day", "night"])
@pytest.mark.parametrize(("text", "ground", "least"), PAIRS)
def test_words_stand_out_from_their_ground(
    theme: str, text: str, ground: str, least: float
) -> None:
    colours = tokens(theme)

    assert contrast(colours[text], colours[ground]) >= least


def test_both_night_blocks_agree() -> None:
    system = SHEET[SHEET.index("@media (prefers-color-scheme:dark)") :]
    chosen = SHEET[SHEET.index("[data-theme=night]{") :]

    assert dict(TOKEN.findall(system[: system.index("}}")])) == dict(
        TOKEN.findall(chosen[: chosen.index("}")])
    )
