"""«I only know the old address»: the part of a form that leads from an old place to today's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from catalog import former_places
from catalog.former_places import LONGEST_TEXT, OldPlace
from core.text import clean

FIND, NEXT, TAKE = "old_find", "old_next", "old_take"
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class OldAddress:
    """What was typed or chosen of the old address, what may come next, and what was found."""

    text: str = ""
    province: str = ""
    district: str = ""
    ward: str = ""
    provinces: list[str] = field(default_factory=list)
    districts: list[str] = field(default_factory=list)
    wards: list[str] = field(default_factory=list)
    found: list[OldPlace] = field(default_factory=list)
    asked: bool = False

    @property
    def is_open(self) -> bool:
        """Say whether the person is at it."""
        return self.asked or bool(self.provinces)


def pressed(typed: Mapping[str, str]) -> bool:
    """Say whether one of this part's own buttons sent the form."""
    return any(button in typed for button in (FIND, NEXT, TAKE))


def read(session: Session, typed: Mapping[str, str]) -> OldAddress:
    """Return this part of the form as it is to be shown next.

    An old address that was typed is looked up, by its button or because no commune was chosen.
    """
    if TAKE in typed:
        return OldAddress()
    text = clean(typed.get("old_text", ""))[:LONGEST_TEXT]
    if NEXT in typed or (typed.get("old_province") and FIND not in typed):
        return _from_lists(session, typed, text)
    asked = FIND in typed or bool(text and not typed.get("ward_code"))
    found = former_places.find(session, text) if asked else []
    return OldAddress(text=text, found=found, asked=asked)


def taken(session: Session, typed: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that follow from the commune that was chosen; nothing for a wrong one.

    The street comes from the old text, unless one is typed already.
    """
    code = typed.get(TAKE, "")
    choice = former_places.find_today(session, code)
    if choice is None:
        return {}
    street = typed.get("street", "")
    if not clean(street):
        found = former_places.find(session, typed.get("old_text", ""))
        street = found[0].street if found else ""
    return {"province_code": choice.province_code, "ward_code": choice.code, "street": street}


def _from_lists(session: Session, typed: Mapping[str, str], text: str) -> OldAddress:
    provinces = former_places.list_provinces(session)
    province = _chosen(typed, "old_province", provinces)
    districts = former_places.list_districts(session, province) if province else []
    district = _chosen(typed, "old_district", districts)
    wards = former_places.list_wards(session, province, district) if district else []
    ward = _chosen(typed, "old_ward", wards)
    found = former_places.choose(session, province, district, ward) if ward else []
    return OldAddress(
        text, province, district, ward, provinces, districts, wards, found, asked=bool(ward)
    )


def _chosen(typed: Mapping[str, str], name: str, offered: list[str]) -> str:
    """Return what was chosen if it is on offer: a list may belong to another province by now."""
    chosen = typed.get(name, "")[:LONGEST_NAME]
    return chosen if chosen in offered else ""
