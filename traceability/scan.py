"""What a scan may say: only what the book says of this product, lot or package, never «genuine».

A QR can be copied, so a matching code proves that the book knows it and nothing more.
"""

import enum
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, String, bindparam, func, or_, select
from sqlalchemy.orm import Session, aliased

from catalog.certificates import Certificate, best_badge, list_papers
from catalog.lots import Lot, LotState
from catalog.places import AdminUnit, join_place
from catalog.producers import Producer, ProducerState
from catalog.products import Product, ProductState
from catalog.stock import StockItem
from catalog.variants import Variant, price_at
from core.clock import vietnam_day
from core.money import Money
from traceability import evidence
from traceability.diary import Step
from traceability.evidence import Record
from traceability.serials import Serial, SerialState
from traceability.trace_codes import TraceCode

LOTS_SHOWN = 12
# What may be shown back to a visitor: GS1's letters, no spaces, so that no sentence fits in.
_TYPED = re.compile(r"[A-Za-z0-9!\"%&'()*+,./:;<=>?_-]{1,28}")


class Verdict(enum.StrEnum):
    """The first line of a scan page."""

    RECALLED = "recalled"
    EXPIRED = "expired"
    HELD = "held"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    NOT_ACTIVATED = "not_activated"
    PRODUCT = "product"
    CIRCULATING = "circulating"


def verdict(
    lot_state: LotState | None,
    expires_on: date | None,
    *,
    today: date,
    matched: bool = True,
    activated: bool = True,
    blocked: bool = False,
) -> Verdict:
    """Return the gravest thing that is true; `lot_state` None when the code names no lot.

    A lot may be used up to and on `expires_on`. `matched`: all that was scanned is in the book.
    `blocked`: a person said that this label must not be relied on.
    """
    gravest_first = (
        (lot_state is LotState.RECALLED, Verdict.RECALLED),
        (blocked, Verdict.BLOCKED),
        (expires_on is not None and expires_on < today, Verdict.EXPIRED),
        (lot_state is LotState.HELD, Verdict.HELD),
        (not matched, Verdict.UNKNOWN),
        (not activated, Verdict.NOT_ACTIVATED),
        (lot_state is None, Verdict.PRODUCT),
    )
    return next((said for is_so, said in gravest_first if is_so), Verdict.CIRCULATING)


@dataclass(frozen=True, slots=True)
class Scan:
    """Everything one scan page shows. `typed`: the part of the scanned code nobody knows."""

    code: str
    verdict: Verdict
    today: date
    product: Product
    producer: Producer | None
    place: str
    variant: Variant | None = None
    lot: Lot | None = None
    serial: Serial | None = None
    typed: str | None = None
    price: Money | None = None
    free: int = 0
    papers: list[Certificate] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    corrected: frozenset[int] = frozenset()
    record: Record = evidence.NOTHING
    lots: list[Lot] = field(default_factory=list)

    @property
    def star(self) -> Certificate | None:
        """Return the certificate of the badge: valid today, and nothing against the lot."""
        if self.verdict not in {Verdict.CIRCULATING, Verdict.PRODUCT}:
            return None
        return best_badge(self.papers, self.today)

    @property
    def on_sale(self) -> bool:
        """Say whether the product has a page on which it is sold."""
        return (
            self.product.state is ProductState.LIVE
            and self.producer is not None
            and self.producer.state is ProducerState.APPROVED
        )

    @property
    def sellable(self) -> bool:
        """Say whether this very lot can be bought here and now."""
        return (
            self.verdict is Verdict.CIRCULATING
            and self.on_sale
            and self.variant is not None
            and self.price is not None
            and self.lot is not None
            and (self.lot.expires_on is None or self.lot.expires_on > self.today)
            and self.free > 0
        )

    @property
    def is_sample(self) -> bool:
        """Say whether what is shown is made up to show the page."""
        return self.product.is_sample or (self.lot is not None and self.lot.is_sample)

    @property
    def days_over(self) -> int:
        """Return how many days ago the lot expired, 0 if it has not."""
        expires_on = self.lot.expires_on if self.lot else None
        return max(0, (self.today - expires_on).days) if expires_on else 0

    @property
    def recalled_lots(self) -> list[Lot]:
        """Return the product's recalled lots among those shown."""
        return [lot for lot in self.lots if lot.state is LotState.RECALLED]


def readable(typed: str | None) -> str | None:
    """Return what was typed if it can be shown back, else None."""
    return typed if typed and _TYPED.fullmatch(typed) else None


def find_scan(session: Session, code: str, *, typed: str | None, now: datetime) -> Scan | None:
    """Return the page of a public code or serial, or None if nobody ever printed it.

    At most four queries. `typed` is what a resolver could not find beneath this code; if the book
    does know it, it is not called unknown, whoever wrote it into the address.
    """
    today = vietnam_day(now)
    found = session.execute(_BY_CODE, {"code": code}).one_or_none()
    if found is None:
        return None
    serial: Serial | None = found.Serial
    lot: Lot | None = found.Lot
    lots = [] if lot else _newest_lots(session, found.Product.id)
    if typed is not None and _is_known(session, typed, found.Product.id, lot):
        typed = None
    said = verdict(
        lot.state if lot else None,
        lot.expires_on if lot else None,
        today=today,
        matched=typed is None,
        activated=serial is None or serial.activated_at is not None,
        blocked=serial is not None and serial.state is SerialState.BLOCKED,
    )
    record = evidence.read(session, lot.id) if lot else evidence.NOTHING
    return Scan(
        code=code,
        verdict=said,
        today=today,
        product=found.Product,
        producer=found.Producer,
        place=_place(found),
        variant=found.Variant,
        price=price_at(found.Variant, now) if found.Variant else None,
        lot=lot,
        serial=serial,
        typed=typed,
        free=int(found.free or 0),
        papers=list_papers(session, found.Product.id),
        steps=record.steps,
        corrected=record.corrected,
        record=record,
        lots=lots,
    )


_Commune = aliased(AdminUnit)
_Province = aliased(AdminUnit)


def _with_context(found: Select[TraceCode, Serial]) -> Select[Any]:
    free = (
        select(func.sum(StockItem.on_hand - StockItem.reserved))
        .where(StockItem.lot_id == Lot.id)
        .correlate(Lot)
        .scalar_subquery()
    )
    return (
        found.add_columns(
            Lot,
            Variant,
            Product,
            Producer,
            free.label("free"),
            _Commune.name.label("commune"),
            _Province.name.label("province"),
        )
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .outerjoin(_Commune, _Commune.code == Producer.commune_code)
        .outerjoin(_Province, _Province.code == Producer.province_code)
    )


_typed = select(bindparam("code", type_=String).label("code")).subquery()
_BY_CODE = _with_context(
    select(TraceCode, Serial)
    .select_from(_typed)
    .outerjoin(TraceCode, TraceCode.code == _typed.c.code)
    .outerjoin(Serial, Serial.serial == _typed.c.code)
    .outerjoin(Lot, Lot.id == func.coalesce(TraceCode.lot_id, Serial.lot_id))
    .outerjoin(Variant, Variant.id == Lot.variant_id)
    .join(Product, Product.id == func.coalesce(TraceCode.product_id, Variant.product_id))
)


def _place(found: Row[Any]) -> str:
    named = join_place(found.commune, found.province)
    return named or (found.Producer.place_text if found.Producer else None) or ""


def _newest_lots(session: Session, product_id: int) -> list[Lot]:
    """Return the newest lots of a product, every recalled one before the others."""
    return list(
        session.scalars(
            select(Lot)
            .join(Variant, Variant.id == Lot.variant_id)
            .where(Variant.product_id == product_id)
            .order_by((Lot.state == LotState.RECALLED).desc(), Lot.id.desc())
            .limit(LOTS_SHOWN)
        )
    )


def _is_known(session: Session, typed: str, product_id: int, lot: Lot | None) -> bool:
    """Say whether the book has `typed` beneath this code: a lot of it, or a serial of one."""
    wanted = (
        select(Lot.id)
        .join(Variant, Variant.id == Lot.variant_id)
        .outerjoin(Serial, (Serial.lot_id == Lot.id) & (Serial.serial == typed))
        .where(
            Variant.product_id == product_id,
            or_(Lot.code == typed, Serial.serial.is_not(None)),
        )
        .limit(1)
    )
    if lot is not None:
        wanted = wanted.where(Lot.id == lot.id)
    return session.scalar(wanted) is not None
