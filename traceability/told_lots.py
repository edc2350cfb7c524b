"""What happens to many lots at once, told in the book of each and in the log: one event a lot."""

import enum
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog.lots import Lot
from catalog.producers import Producer
from catalog.products import Product
from catalog.variants import Variant
from core.db import in_batches
from traceability import addresses, epcis, events, trace_codes
from traceability.addresses import Named
from traceability.epcis import About
from traceability.events import EventKind, Told
from traceability.trace_codes import TraceCode


class Happening(enum.Enum):
    """What is told."""

    HELD = "held"
    RECALLED = "recalled"
    HOLD_ENDED = "hold_ended"
    RECALL_ENDED = "recall_ended"


def tell(
    session: Session,
    lot_ids: Iterable[int],
    happening: Happening,
    *,
    base: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Write one event for each of these lots, in this transaction."""
    for some in in_batches(lot_ids):
        told = [
            Told(_body(about, happening, now=now), str(uuid4()), lot_id)
            for lot_id, about in about_lots(session, some, base, now=now).items()
        ]
        events.record_all(session, told, kind=EventKind.RECALL, base=base, actor=actor, now=now)


def about_lots(
    session: Session, lot_ids: Sequence[int], base: str, *, now: datetime
) -> dict[int, About]:
    """Return what events of these lots are about, in few questions; missing codes are given."""
    rows = _with_codes(session, lot_ids)
    missing = {row.Lot.id: row.Variant.product_id for row in rows if row.code is None}
    if missing:
        trace_codes.ensure_lot_codes(session, missing, now=now)
        rows = _with_codes(session, lot_ids)
    return {
        row.Lot.id: About(
            lot=addresses.printed(base, Named(row.code, row.Variant.gtin, row.Lot.code)),
            place=f"{base}/nha-san-xuat/{row.slug}"
            if row.slug
            else f"{base}/san-pham/{row.Product.slug}",
            name=f"{row.Product.name} {row.Variant.name}".strip(),
            produced_on=row.Lot.produced_on,
            expires_on=row.Lot.expires_on,
        )
        for row in rows
    }


def _with_codes(session: Session, lot_ids: Sequence[int]) -> Sequence[Any]:
    return session.execute(
        select(Lot, Variant, Product, Producer.slug, TraceCode.code)
        .join(Variant, Variant.id == Lot.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .outerjoin(TraceCode, TraceCode.lot_id == Lot.id)
        .where(Lot.id.in_(lot_ids))
        .order_by(Lot.id)
    ).all()


def _body(about: About, happening: Happening, *, now: datetime) -> dict[str, object]:
    if happening is Happening.RECALLED:
        return epcis.recall_of(about, now=now)
    if happening is Happening.HELD:
        return epcis.hold_of(about, now=now)
    ended = happening is Happening.RECALL_ENDED
    return epcis.release_of(about, now=now, was_recalled=ended)
