"""Of age: alcohol is sold to whoever says to be 18, in so many words, and refused to who is not.

The year of birth is asked, judged and forgotten; the order keeps only that it was stated.
"""

import re
from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy.orm import Session

from catalog import alcohol
from catalog.alcohol import ADULT_AGE
from core.i18n import lazy as _
from core.text import clean

OLDEST = 120
FOUR_DIGITS = re.compile("[0-9]{4}")
YEAR, STATEMENT = "birth_year", "adult"


def asks(session: Session, product_ids: Collection[int]) -> bool:
    """Say whether these goods are sold to adults only."""
    return bool(alcohol.alcohol_among(session, product_ids))


def mistakes_in(typed: Mapping[str, str], *, today: date) -> list[tuple[str, str]]:
    """Return what keeps alcohol from whoever typed this; nothing for an adult who says so.

    Who turns 18 this year says by the statement that the birthday has been.
    """
    year = clean(typed.get(YEAR, ""))
    if not FOUR_DIGITS.fullmatch(year) or not 0 <= today.year - int(year) <= OLDEST:
        return [(YEAR, str(_("Write the year of birth with four digits, for example 1980.")))]
    if today.year - int(year) < ADULT_AGE:
        refusal = _(
            "Alcohol is not sold to anyone under 18. Take it out of the cart to order the rest."
        )
        return [(YEAR, str(refusal))]
    if typed.get(STATEMENT) != "1":
        return [(STATEMENT, str(_("Tick that the buyer and who receives it are 18 or older.")))]
    return []
