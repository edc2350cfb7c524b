"""Alcohol: not sold to anyone under 18, and strong drink is promoted nowhere.

Law on preventing the harm of alcohol 44/2019/QH14 (articles 5 and 12) and Law on advertising,
article 7: from 15 % on there is no advertising and no sales promotion, in whatever form.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, record
from catalog.products import Product
from core.errors import Conflict, Invalid
from core.i18n import lazy as _
from core.text import nfc

STRONG_TENTHS = 150
PURE_TENTHS = 1_000
ADULT_AGE = 18
MOTIF = "ruou"
# A Vietnamese name begins with what a thing is: «Rượu nếp cái hoa vàng», but «Cơm rượu».
NAMES = ("rượu ", "bia ")

describe({"product.alcohol": _("said how much alcohol goods have")})


class BadStrength(Invalid):
    """Alcohol by volume lies between 0 and 100 %."""


class NotToBePromoted(Conflict):
    """Strong drink, or drink of which nobody said how strong it is, is promoted nowhere."""


def is_alcohol(name: str, motif: str, abv_tenths: int | None) -> bool:
    """Say whether goods are alcohol: as was declared, else as their name and drawing say."""
    if abv_tenths is not None:
        return abv_tenths > 0
    return motif == MOTIF or f"{nfc(name).lower()} ".startswith(NAMES)


def alcoholic() -> ColumnElement[bool]:
    """Return the condition under which a product is alcohol, as `is_alcohol` says it."""
    named = or_(
        Product.motif == MOTIF,
        Product.name_lower.in_([name.strip() for name in NAMES]),
        *(Product.name_lower.startswith(name) for name in NAMES),
    )
    # Never unknown: what is neither true nor false would vanish where this is turned round.
    declared = and_(Product.abv_tenths.is_not(None), Product.abv_tenths > 0)
    return or_(declared, and_(Product.abv_tenths.is_(None), named))


def never_promoted() -> ColumnElement[bool]:
    """Return the condition under which a product is shown to whoever looks for it and no one else.

    Alcohol whose strength nobody declared counts as strong.
    """
    strong = or_(Product.abv_tenths.is_(None), Product.abv_tenths >= STRONG_TENTHS)
    return and_(alcoholic(), strong)


def alcohol_among(session: Session, product_ids: Collection[int]) -> set[int]:
    """Return which of these products are alcohol."""
    return _among(session, product_ids, alcoholic())


def never_promoted_among(session: Session, product_ids: Collection[int]) -> set[int]:
    """Return which of these products are promoted nowhere."""
    return _among(session, product_ids, never_promoted())


def _among(
    session: Session, product_ids: Collection[int], condition: ColumnElement[bool]
) -> set[int]:
    if not product_ids:
        return set()
    return set(
        session.scalars(select(Product.id).where(Product.id.in_(list(product_ids)), condition))
    )


def declare(
    session: Session, product: Product, abv_tenths: int | None, *, actor: Actor, now: datetime
) -> None:
    """Write down how strong a drink is, in tenths of a percent by volume (29,5 % is 295).

    0 says that it is no alcohol, whatever its name; None that nobody knows. Raises BadStrength.
    """
    if abv_tenths is not None and not 0 <= abv_tenths <= PURE_TENTHS:
        raise BadStrength(_("Alcohol by volume lies between 0 and 100 percent."), field="abv")
    if product.abv_tenths == abv_tenths:
        return
    product.abv_tenths, product.updated_at = abv_tenths, now
    session.flush()
    record(session, actor, "product.alcohol", f"product:{product.id}", now=now, tenths=abv_tenths)
