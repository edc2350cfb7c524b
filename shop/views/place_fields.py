"""Province, commune and street in a form, with the way from an old address: same on every page."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from catalog import places
from shop import old_addresses

CHOOSE_PROVINCE = "choose_province"


def pressed(form: Mapping[str, str]) -> bool:
    """Say whether a button was pressed that only fills in the form further."""
    return CHOOSE_PROVINCE in form or old_addresses.pressed(form)


def values(session: Session, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return what `shop/_place_fields.html` shows; `typed` grows by a commune just chosen."""
    known = {**typed}
    if old_addresses.TAKE in typed:
        known |= old_addresses.taken(session, typed)
    return {
        "typed": known,
        "old": old_addresses.read(session, typed),
        "provinces": places.list_provinces(session),
        "communes": places.list_communes(session, known.get("province_code", "")[:2]),
    }
