"""What happens to many lots at once, told in the book of each and in the log: one event a lot."""

import enum
from collections.abc import Iterable
from datetime import datetime
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
    session: Session, lot_ids: Iterable[int], base: str, *, now: datetime
) -> dict[int, About]:
    """Return what events of these lots are about, in one question; codes are given if missing."""
    rows = session.execute(
        select(Lot, Variant, Product, Producer.slug, TraceCode.code)
        .join(Variant, Variant.id == Lot.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .outerjoin(TraceCode, TraceCode.lot_id == Lot.id)
        .where(Lot.id.in_(list(lot_ids)))
        .order_by(Lot.id)
    ).all()
    found = {}
    for lot, variant, product, slug, known in rows:
        code = known or trace_codes.ensure_lot_code(session, lot, now=now)
        found[lot.id] = About(
            lot=addresses.printed(base, Named(code, variant.gtin, lot.code)),
            place=f"{base}/nha-san-xuat/{slug}" if slug else f"{base}/san-pham/{product.slug}",
            name=f"{product.name} {variant.name}".strip(),
            produced_on=lot.produced_on,
            expires_on=lot.expires_on,
        )
    return found


def _body(about: About, happening: Happening, *, now: datetime) -> dict[str, object]:
    if happening is Happening.RECALLED:
        return epcis.recall_of(about, now=now)
    if happening is Happening.HELD:
        return epcis.hold_of(about, now=now)
    ended = happening is Happening.RECALL_ENDED
    return epcis.release_of(about, now=now, was_recalled=ended)
