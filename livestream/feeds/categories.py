"""OCOP goods in Google's taxonomy, which Meta reads too: the longest label that fits the name."""

import csv
from collections import defaultdict
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


@lru_cache(maxsize=20_000)
def google_category(name: str, group: OcopGroup | None) -> str | None:
    """Return the Google id for a product's name, its group's own where no label fits."""
    spoken = words(name)
    best: tuple[int, int] = (0, 0)
    found = None
    by_first_word = _by_first_word()
    for place, word in enumerate(spoken):
        for phrase, google_id in by_first_word.get(word, ()):
            # A longer label says more; of two as long, Vietnamese puts the noun first.
            says = tuple(spoken[place : place + len(phrase)]) == phrase
            if says and (len(phrase), -place) > best:
                best = (len(phrase), -place)
                found = google_id
    if found:
        return found
    return BY_GROUP.get(group) if group else None


@lru_cache(maxsize=1)
def _by_first_word() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    found: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    for category in all_categories():
        for phrase in category.phrases:
            found[phrase[0]].append((phrase, category.google_id))
    return dict(found)
