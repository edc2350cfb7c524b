"""OCOP goods in Google's taxonomy, which Meta reads too: the longest label that fits the name."""

import csv
from dataclasses import dataclass
from functools import lru_cache

from catalog.products import OcopGroup
from core.settings import ROOT
from core.text import words

SOURCE = ROOT / "data" / "google-categories.csv"
GROUPS = {
    "Thực phẩm": OcopGroup.FOOD,
    "Đồ uống": OcopGroup.BEVERAGE,
    "Dược liệu": OcopGroup.HERBAL,
    "Thủ công mỹ nghệ": OcopGroup.HANDICRAFT,
    "Sinh vật cảnh": OcopGroup.ORNAMENTAL,
}
# Where no label fits: the shallowest category that is still two levels deep.
BY_GROUP = {
    OcopGroup.FOOD: "422",
    OcopGroup.BEVERAGE: "413",
    OcopGroup.HERBAL: "525",
    OcopGroup.HANDICRAFT: "696",
    OcopGroup.ORNAMENTAL: "985",
}


@dataclass(frozen=True, slots=True)
class Category:
    """One Google category with the Vietnamese words that lead to it."""

    google_id: str
    path: str
    label: str
    group: OcopGroup
    phrases: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=1)
def all_categories() -> tuple[Category, ...]:
    """Return every category of the map."""
    with SOURCE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Category(
                row["google_product_category_id"],
                row["google_path_en"],
                row["label_vi"],
                GROUPS[row["ocop_group_vi"]],
                _phrases(row["label_vi"]),
            )
            for row in csv.DictReader(file)
        )


def _phrases(label: str) -> tuple[tuple[str, ...], ...]:
    inside = label.replace("(", ",").replace(")", ",").replace("/", ",")
    return tuple(tuple(found) for part in inside.split(",") if (found := words(part)))


def google_category(name: str, group: OcopGroup | None) -> str | None:
    """Return the Google id for a product's name, its group's own where no label fits."""
    spoken = words(name)
    best: tuple[int, int] = (0, 0)
    found = None
    for category in all_categories():
        for phrase in category.phrases:
            place = _place_of(phrase, spoken)
            # A longer label says more; of two as long, Vietnamese puts the noun first.
            if place is not None and (len(phrase), -place) > best:
                best = (len(phrase), -place)
                found = category.google_id
    if found:
        return found
    return BY_GROUP.get(group) if group else None


def _place_of(phrase: tuple[str, ...], spoken: list[str]) -> int | None:
    size = len(phrase)
    places = range(len(spoken) - size + 1)
    return next((i for i in places if tuple(spoken[i : i + size]) == phrase), None)
