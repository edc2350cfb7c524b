"""Barcode numbers of goods: typed in by the producer, never invented, never without a right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from accounts import audit
from accounts.audit import Actor
from catalog import certificates, gtin
from catalog.gtin import InvalidGtin
from catalog.products import Product
from catalog.variants import NoSuchVariant, Variant
from core import events
from core.clock import vietnam_day
from core.errors import Conflict
from core.i18n import lazy as _
from core.text import clean

audit.describe({"barcode.set": _("changed the barcode number of goods")})


@dataclass(frozen=True, slots=True)
class NumberReplaced:
    """News: these goods had this number until now; what was printed with it is still about them."""

    variant_id: int
    gtin: str
    now: datetime


class NumberTaken(Conflict):
    """Other goods have this number; one number names one thing."""


def list_goods(session: Session, producer_id: int) -> Sequence[tuple[Variant, Product]]:
    """Return the producer's goods with the numbers they have, by name."""
    rows = session.execute(
        select(Variant, Product)
        .join(Product, Product.id == Variant.product_id)
        .where(Product.producer_id == producer_id)
        .order_by(Product.name_lower, Variant.position, Variant.id)
    )
    return [(variant, product) for variant, product in rows]


def give(
    session: Session,
    producer_id: int,
    variant_id: int,
    typed: str,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Let goods bear this number from now on, or none if nothing was typed.

    A number of GS1 Vietnam (893) needs a certificate that staff have seen and that counts today.
    What was printed before goes on leading to the goods. Raises NoSuchVariant, InvalidGtin or
    NumberTaken.
    """
    row = session.execute(
        select(Variant, Product)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.id == variant_id, Product.producer_id == producer_id)
    ).one_or_none()
    if row is None:
        raise NoSuchVariant
    variant, product = row
    number = _checked(session, producer_id, product, typed, now=now) if clean(typed) else None
    if number == variant.gtin:
        return
    before = variant.gtin
    taken = NumberTaken(_("Other goods have this number already."), field="gtin")
    if number is not None and session.scalar(select(Variant.id).where(Variant.gtin == number)):
        raise taken
    try:
        with session.begin_nested():
            variant.gtin = number
    except IntegrityError as error:
        raise taken from error
    if before is not None:
        events.publish(session, NumberReplaced(variant.id, before, now))
    audit.record(
        session,
        actor,
        "barcode.set",
        f"product:{product.slug}",
        now=now,
        product=product.name,
        before=before,
        after=number,
    )


def _checked(
    session: Session, producer_id: int, product: Product, typed: str, *, now: datetime
) -> str:
    number = "".join(clean(typed).split())
    certified = certificates.is_certified(session, producer_id, vietnam_day(now))
    reason = gtin.refuse_reason(number, certified=certified)
    if reason is not None:
        raise InvalidGtin(reason, field="gtin")
    if gtin.is_example(number) and not product.is_sample:
        raise InvalidGtin(
            _("This number is of the range for examples and cannot be sold under."), field="gtin"
        )
    return gtin.to_gtin14(number)
