"""What the law wants said of goods, group by group, beside name, maker and origin.

Decree 37/2026/NĐ-CP on labels (for what decree 43/2017 with 111/2021 said before): an online page
says what the label says; the dates of one package may stay on the package. Food safety decree
15/2018, article 27: what health food must say.
"""

from dataclasses import dataclass

from catalog.alcohol import is_alcohol
from catalog.products import OcopGroup, Product
from core.i18n import lazy as _

LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class LabelField:
    """One thing a label says; `needed` goods cannot be shown to buyers without."""

    name: str
    title: object
    hint: object = ""
    needed: bool = False


WARNING = LabelField(
    "warning",
    _("Warnings"),
    _("For example: contains peanuts; not for children under one year."),
)
_NET = LabelField("net", _("Net quantity"), _("As on the label, for example 500 ml."))
# What every product has in a column of its own is asked for in `publishing`; here is the rest.
BY_GROUP: dict[OcopGroup, tuple[LabelField, ...]] = {
    OcopGroup.FOOD: (_NET, WARNING),
    OcopGroup.BEVERAGE: (_NET, WARNING),
    OcopGroup.HERBAL: (
        _NET,
        LabelField("for_whom", _("Who it is for"), _("And who should not use it.")),
        LabelField(WARNING.name, WARNING.title, WARNING.hint, needed=True),
    ),
    OcopGroup.HANDICRAFT: (
        LabelField("material", _("Material"), _("What it is made of."), needed=True),
        LabelField("size", _("Size"), _("For example: 30 × 20 cm, 0.4 kg.")),
        LabelField("care", _("Care"), _("How to clean and keep it.")),
    ),
    OcopGroup.ORNAMENTAL: (
        LabelField("species", _("Species"), _("Name of the plant or animal."), needed=True),
        LabelField("size", _("Size"), _("For example: 60 cm high, pot of 20 cm.")),
        LabelField("care", _("Care"), _("Light, water, feed."), needed=True),
    ),
    OcopGroup.TOURISM: (
        LabelField("duration", _("How long"), _("For example: half a day."), needed=True),
        LabelField("includes", _("What the price includes"), needed=True),
        LabelField("group_size", _("Group size"), _("For example: 2 to 15 people.")),
    ),
}
ALL_NAMES = frozenset(one.name for fields in BY_GROUP.values() for one in fields)
EATEN = frozenset({OcopGroup.FOOD, OcopGroup.BEVERAGE, OcopGroup.HERBAL})


def fields_of(group: OcopGroup | None) -> tuple[LabelField, ...]:
    """Return what a label of this group says beyond what every product says."""
    return BY_GROUP.get(group, ()) if group else ()


def missing(product: Product) -> list[tuple[str, object]]:
    """Return (field, sentence) for everything the law wants and nobody has written yet."""
    told: list[tuple[str, object]] = []
    if product.group in EATEN:
        if not product.ingredients:
            told.append(("ingredients", _("Write the ingredients: the law wants them.")))
        if not product.storage_note:
            told.append(("storage_note", _("Write how to keep it.")))
        if not product.keeps_for:
            told.append(("keeps_for", _("Write how long it keeps from the day of making.")))
    told += [
        (f"label_{one.name}", _("Fill in: %(title)s.", title=one.title))
        for one in fields_of(product.group)
        if one.needed and not product.label.get(one.name)
    ]
    if product.abv_tenths is None and is_alcohol(product.name, product.motif, None):
        told.append(("abv", _("Write how much alcohol it has, in percent.")))
    if product.is_health_food and not product.ad_certificate:
        told.append(
            ("ad_certificate", _("Write the number of the advertising certificate of health food."))
        )
    return told


def shown(product_group: OcopGroup | None, label: dict[str, str]) -> list[tuple[object, str]]:
    """Return (title, text) of what the label says, for the page of the goods."""
    return [(one.title, label[one.name]) for one in fields_of(product_group) if label.get(one.name)]
