"""What stands on a label of a lot: always in Vietnamese, as the law of labels wants it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from catalog import certificates
from catalog.lots import Lot, LotState
from catalog.producers import Producer
from catalog.products import Product
from catalog.variants import Variant
from core.clock import vietnam_day
from core.codes import is_well_formed, normalise
from core.errors import Conflict, NotFound
from core.i18n import lazy as _
from traceability import addresses, trace_codes
from traceability.addresses import Named
from traceability.codes import TRACE_CODE
from traceability.trace_codes import TraceCode

MOST_DIGITS = 9
MADE, USE_BY, LOT, SAMPLE = "NSX", "HSD", "Lô", "«minh hoạ»"


# An amount and its unit stay on one line.
_UNIT = re.compile(r"(\d) (kg|g|ml|lít|l|cm|m)\b")


class NoSuchLotToLabel(NotFound):
    """No lot has this number or code."""


class LotRecalled(Conflict):
    """A recalled lot gets no more labels."""


@dataclass(frozen=True, slots=True)
class Content:
    """All that a label may say; `code` is the lot's public code."""

    lot_id: int
    lot: str
    code: str
    goods: str
    producer: str
    gtin: str | None = None
    made_on: date | None = None
    use_by: date | None = None
    stars: int | None = None
    is_sample: bool = False

    def named(self, serial: str | None) -> Named:
        """Return what the code names: the lot, or one package of it."""
        return Named(serial or self.code, self.gtin, self.lot, serial)

    def address(self, base: str, serial: str | None) -> str:
        """Return what the QR says."""
        return addresses.printed(base, self.named(serial))

    def readable(self, serial: str | None) -> list[str]:
        """Return the line below the QR in pieces that stay together: GS1's, or our own code."""
        if self.gtin is None:
            return [" ".join(in_groups(serial or self.code))]
        pieces = [f"(01) {self.gtin.zfill(14)}", f"(10) {self.lot}"]
        return [*pieces, f"(21) {serial}"] if serial else pieces

    @property
    def dates(self) -> list[str]:
        """Return the lines of the days."""
        named = ((MADE, self.made_on), (USE_BY, self.use_by))
        return [f"{name} {day:%d/%m/%Y}" for name, day in named if day]


def in_groups(code: str) -> list[str]:
    """Return a public code in the groups people read it in: four, four and the rest."""
    return [code[:4], code[4:8], code[8:]]


def content_of(session: Session, lot_id: int, *, now: datetime) -> Content:
    """Return what a label of this lot says today; stars stand there while a certificate counts.

    The lot gets its public code if it has none. Raises NoSuchLotToLabel or LotRecalled.
    """
    row = session.execute(
        select(Lot, Variant, Product, Producer.name)
        .join(Variant, Variant.id == Lot.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .where(Lot.id == lot_id)
    ).one_or_none()
    if row is None:
        raise NoSuchLotToLabel(_("There is no such lot."))
    lot, variant, product, producer = row
    if lot.state is LotState.RECALLED:
        raise LotRecalled(_("Lot %(code)s is recalled: no more labels of it.", code=lot.code))
    badge = certificates.best_badge(certificates.list_papers(session, product.id), vietnam_day(now))
    return Content(
        lot_id=lot.id,
        lot=lot.code,
        code=trace_codes.ensure_lot_code(session, lot, now=now),
        goods=_UNIT.sub("\\1\u00a0\\2", f"{product.name} {variant.name}".strip()),
        producer=producer or "",
        gtin=variant.gtin,
        made_on=lot.produced_on or lot.packed_on,
        use_by=lot.expires_on,
        stars=badge.stars if badge else None,
        is_sample=lot.is_sample or product.is_sample or bool(badge and badge.is_sample),
    )


def find_lots(session: Session, typed: str) -> Sequence[int]:
    """Return the lots that `typed` names: a number, a public code or the code on the label."""
    code = normalise(TRACE_CODE, typed)
    if is_well_formed(TRACE_CODE, code):
        named = select(TraceCode.lot_id).where(TraceCode.code == code)
        return [lot_id for lot_id in session.scalars(named) if lot_id is not None]
    digits = typed.isascii() and typed.isdigit() and len(typed) <= MOST_DIGITS
    number = int(typed) if digits else None
    wanted = select(Lot.id).where(or_(Lot.id == number, Lot.code == typed.upper()))
    return session.scalars(wanted.order_by(Lot.id != number, Lot.id).limit(2)).all()
