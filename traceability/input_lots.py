"""Which lots may have gone into a lot: those of its own maker, and any whose label is at hand."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.lots import Lot
from catalog.products import Product
from catalog.variants import Variant
from core.codes import is_well_formed, normalise
from core.errors import Invalid
from core.i18n import lazy as _
from traceability import gs1, resolving, trace_codes
from traceability.codes import TRACE_CODE
from traceability.serials import Serial

SHOWN = 12
_GTIN_LINK = re.compile(r"/01/\d{14}/.*", re.ASCII)


class NoLotOfThatCode(Invalid):
    """No lot bears the code that was typed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A lot that may have gone in, with its goods."""

    lot: Lot
    product: Product
    variant: Variant


def list_choices(
    session: Session, lot: Lot, producer_id: int, *, also: Sequence[int] = ()
) -> list[Choice]:
    """Return the maker's newest other lots, and those of `also` whosever they are."""
    wanted = (
        select(Lot, Product, Variant)
        .join(Variant, Variant.id == Lot.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(Lot.id != lot.id)
    )
    named = (
        [Choice(*row) for row in session.execute(wanted.where(Lot.id.in_(also)))] if also else []
    )
    newest = session.execute(
        wanted.where(Product.producer_id == producer_id, Lot.id.not_in(also))
        .order_by(Lot.id.desc())
        .limit(SHOWN)
    )
    return [*named, *(Choice(*row) for row in newest)]


def find_by_label(session: Session, typed: str) -> Lot:
    """Return the lot that a label names: its code, a label's number, or the address in its QR.

    Raises NoLotOfThatCode.
    """
    text = typed.strip()
    path = (urlsplit(text).path if "://" in text else text).rstrip("/")
    link = _GTIN_LINK.search(path)
    lot = _by_link(session, link.group()) if link else _by_code(session, path)
    if lot is None:
        message = _("No lot bears this code. Type the 11 letters and digits below the QR.")
        raise NoLotOfThatCode(message, field="inputs")
    return lot


def _by_code(session: Session, path: str) -> Lot | None:
    code = normalise(TRACE_CODE, path.rpartition("/")[2])
    if not is_well_formed(TRACE_CODE, code):
        return None
    named = trace_codes.find_code(session, code)
    serial = session.get(Serial, code) if named is None else None
    lot_id = named.lot_id if named else serial.lot_id if serial else None
    return session.get_one(Lot, lot_id) if lot_id is not None else None


def _by_link(session: Session, path: str) -> Lot | None:
    try:
        link = gs1.parse(path)
    except gs1.NotADigitalLink:
        return None
    found = resolving.resolve(session, link.key, lot=link.lot, serial=link.serial)
    return found.lot if found is not None and found.typed is None else None
