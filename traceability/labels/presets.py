"""Sheets and rolls that are sold ready-made, and how people ask for them.

Measures of the A4 sheets: the makers' templates as collected in glabels-data 3.4.1.
"""

from collections.abc import Mapping
from types import MappingProxyType

from core.errors import NotFound
from core.i18n import lazy as _
from traceability.labels.geometry import A4, Sheet


class NoSuchPreset(NotFound):
    """No sheet of this name is known."""


def _sheet(
    name: str,
    grid: tuple[int, int],
    label: tuple[float, float],
    corner: tuple[float, float],
    pitch: tuple[float, float],
) -> Sheet:
    return Sheet(name, *A4, *grid, *label, *corner, *pitch)


def _roll(name: str, label: tuple[float, float], dpi: int) -> Sheet:
    return Sheet(name, *label, 1, 1, *label, dpi=dpi)


_ALL = (
    _sheet("a4-65", (5, 13), (38.1, 21.2), (4.7, 10.9), (40.6, 21.2)),
    _sheet("a4-65-khit", (5, 13), (38.0, 21.2), (9.5, 10.5), (38.0, 21.2)),
    _sheet("a4-40", (4, 10), (45.7, 25.4), (10.0, 22.0), (48.5, 25.4)),
    _sheet("a4-24", (3, 8), (70.0, 37.0), (0.0, 0.5), (70.0, 37.0)),
    _sheet("a4-21", (3, 7), (63.5, 38.1), (6.75, 15.5), (66.5, 38.1)),
    _sheet("a4-21-l7160", (3, 7), (64.0, 38.1), (7.5, 15.5), (66.0, 38.1)),
    _sheet("a4-12", (3, 4), (63.5, 72.0), (7.35, 3.5), (66.0, 72.0)),
    _sheet("a4-8", (2, 4), (99.1, 67.7), (4.7, 13.0), (101.6, 67.7)),
    _roll("nhiet-40x30-203", (40.0, 30.0), 203),
    _roll("nhiet-40x30-300", (40.0, 30.0), 300),
    _roll("nhiet-50x30-203", (50.0, 30.0), 203),
    _roll("nhiet-50x30-300", (50.0, 30.0), 300),
)
PRESETS: Mapping[str, Sheet] = MappingProxyType({sheet.name: sheet for sheet in _ALL})

# What stands on the packet, or in another language.
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "l7651": "a4-65",
        "a4-65-l7651": "a4-65",
        "tomy-145": "a4-65-khit",
        "herma-4606": "a4-65-khit",
        "a4-65-nogap": "a4-65-khit",
        "herma-4103": "a4-21",
        "l7160": "a4-21-l7160",
        "l7164": "a4-12",
        "l7165": "a4-8",
        **{f"a4-{count}-up": f"a4-{count}" for count in (65, 40, 24, 21, 12, 8)},
        **{
            f"thermal-{size}{dpi}": f"nhiet-{size}{dpi or '-203'}"
            for size in ("40x30", "50x30")
            for dpi in ("", "-203", "-300")
        },
        "nhiet-40x30": "nhiet-40x30-203",
        "nhiet-50x30": "nhiet-50x30-203",
    }
)


def get_preset(name: str) -> Sheet:
    """Return the sheet of this name or alias, or raise NoSuchPreset with the names there are."""
    known = name.strip().lower().replace("_", "-")
    sheet = PRESETS.get(ALIASES.get(known, known))
    if sheet is None:
        raise NoSuchPreset(
            _("No sheet is called %(name)s. There are: %(all)s.", name=name, all=", ".join(PRESETS))
        )
    return sheet
