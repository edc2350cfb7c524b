"""Give the places named by the sources today's official codes.

Run it again after a change: `python data/resolve_places.py`. It reads ocop-products.csv,
villages.csv and units/ and writes ocop-places.csv. The sources speak of the communes and districts
before July 2025. A commune code is given only where the tables leave no choice; where an old
commune was divided the answer stays empty and `how` names what it became.
"""

import csv
import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parent
sys.path.insert(0, str(DATA.parent))

from core.text import clean, words  # noqa: E402 - the house's own folding: Hoà equals Hòa

KINDS = (
    "thành phố",
    "thị trấn",
    "thị xã",
    "đặc khu",
    "phường",
    "huyện",
    "quận",
    "tỉnh",
    "xã",
    "tp",
)
PLACES = DATA / "ocop-places.csv"
COLUMNS = (
    "named_in",
    "village",
    "commune",
    "district_2022",
    "province",
    "province_code",
    "commune_code",
    "how",
)


@dataclass(frozen=True)
class Name:
    """A name as compared: its kind (xã, phường, …) where told, and its bare folded words."""

    kind: str
    bare: str

    def fits(self, other: "Name") -> bool:
        """Say whether both can be the same place; a kind that is not told fits every kind."""
        return self.bare == other.bare and self.kind in ("", other.kind)


@dataclass(frozen=True)
class OldCommune:
    """One row of the legacy map."""

    code: str
    title: str
    ward: Name
    district: Name
    province: Name
    new_code: str


class Tables:
    """Today's units and what they were called before."""

    def __init__(self) -> None:
        units = json.loads((DATA / "units" / "units-2026-07-25.json").read_text("utf-8"))
        self.titles: dict[str, str] = {}
        self.province_of: dict[str, str] = {}
        for province in units["provinces"]:
            for code, title in province["communes"]:
                self.titles[code] = title
                self.province_of[code] = province["code"]
        with (DATA / "units" / "legacy-map.csv").open(encoding="utf-8", newline="") as file:
            self.old = [
                OldCommune(
                    row["old_code"],
                    f"{row['ward']}, {row['district']}",
                    named(row["ward"]),
                    named(row["district"]),
                    named(row["province"]),
                    row["new_code"],
                )
                for row in csv.DictReader(file)
            ]
        with (DATA / "villages.csv").open(encoding="utf-8", newline="") as file:
            self.told = {
                (row["commune_before_2025"], row["district_2022"]): row["commune_after_2025"]
                for row in csv.DictReader(file)
            }

    def province_code(self, province: str) -> str:
        """Return the one province of today that took in the old `province`."""
        asked = named(province)
        [code] = {self.province_of[old.new_code] for old in self.old if asked.fits(old.province)}
        return code

    def commune_code(self, commune: str, district: str, province: str) -> tuple[str, str]:
        """Return today's commune code, or an empty one, and how that was found."""
        asked = named(province)
        here = [old for old in self.old if asked.fits(old.province)]
        if district:
            asked = named(district)
            here = [old for old in here if asked.fits(old.district)]
        if not commune:
            return self._whole_district(here) if district else ("", "no commune in the source")
        return self._former(commune, here) or self._today(commune, district, province)

    def _former(self, commune: str, here: list[OldCommune]) -> tuple[str, str] | None:
        """Go through the map; a kind that no longer fits (a town that grew) is dropped."""
        asked = named(commune)
        found = [old for old in here if asked.fits(old.ward)]
        found = found or [old for old in here if asked.bare == old.ward.bare]
        became: dict[str, set[str]] = defaultdict(set)
        for old in found:
            became[old.code].add(old.new_code)
        if not became:
            return None
        targets = set().union(*became.values())
        old_names = " / ".join(sorted({old.title for old in found}))
        new_names = " / ".join(self.titles[code] for code in sorted(targets))
        if len(targets) == 1:
            return targets.pop(), f"former commune: {old_names} → {new_names}"
        if len(became) > 1:
            return "", f"several communes of this name: {old_names}"
        return "", f"divided: {old_names} → {new_names}"

    def _today(self, commune: str, district: str, province: str) -> tuple[str, str]:
        """Try what villages.csv calls it today, or, where no district is told, its own name."""
        told = self.told.get((commune, district), "")
        asked = named(told or commune)
        inside = self.province_code(province)
        found = [
            code
            for code, name in self.titles.items()
            if self.province_of[code] == inside and asked.fits(named(name))
        ]
        if len(found) != 1 or (district and not told):
            return "", "not in the map (merged before July 2025, or named otherwise)"
        reason = "villages.csv says" if told else "today's name"
        return found[0], f"{reason}: {self.titles[found[0]]}"

    def _whole_district(self, here: list[OldCommune]) -> tuple[str, str]:
        targets = {old.new_code for old in here}
        if len(targets) != 1:
            return "", "no commune in the source"
        code = targets.pop()
        return code, f"the whole district became {self.titles[code]}"


def named(title: str) -> Name:
    """Split a title: 'Phùng (thị trấn)' and 'Thị trấn Phùng' are the same place."""
    bare, _, told = clean(title).lower().partition("(")
    kind = told.strip(" )") if told.strip(" )") in KINDS else ""
    # With its marks: Quan Sơn is a name, Quận Sơn would be a kind and a name.
    for candidate in KINDS:
        if not kind and bare.startswith(candidate + " "):
            kind, bare = candidate, bare.removeprefix(candidate + " ")
    return Name("thành phố" if kind == "tp" else kind, " ".join(words(bare)))


def places() -> list[tuple[str, str, str, str, str]]:
    """Return each place the sources name, once, products first, in a fixed order."""
    with (DATA / "ocop-products.csv").open(encoding="utf-8", newline="") as file:
        of_products = {
            ("products", "", row["commune"], row["district_2022"], row["province"])
            for row in csv.DictReader(file)
        }
    with (DATA / "villages.csv").open(encoding="utf-8", newline="") as file:
        of_villages = [
            (
                "villages",
                row["village"],
                row["commune_before_2025"],
                row["district_2022"],
                row["province"],
            )
            for row in csv.DictReader(file)
        ]
    return sorted(of_products, key=lambda place: place[::-1]) + of_villages


def main() -> None:
    """Write ocop-places.csv anew."""
    tables = Tables()
    with PLACES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for place in places():
            commune, district, province = place[2:]
            code, how = tables.commune_code(commune, district, province)
            writer.writerow([*place, tables.province_code(province), code, how])


if __name__ == "__main__":
    main()
