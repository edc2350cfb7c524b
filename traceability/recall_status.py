"""What machines may know of a recall: the state of a lot, or of every stopped lot of a product."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.lots import Lot, LotState
from catalog.producers import Producer
from catalog.products import Product
from catalog.variants import Variant
from traceability import addresses
from traceability.addresses import Named
from traceability.events import EventKind, TraceEvent
from traceability.serials import Serial
from traceability.trace_codes import TraceCode

MOST_LOTS = 500
WORDS = {LotState.ACTIVE: "none", LotState.HELD: "held", LotState.RECALLED: "recalled"}


def status_of(session: Session, code: str, *, base: str, now: datetime) -> dict[str, Any] | None:
    """Return the recall status of a public code or serial, or None if nobody ever had it.

    `status` is the gravest of its lots: recalled, held or none; a product names its stopped lots
    only. Why a lot is recalled is public, why it is held is not.
    """
    product_id, lot_id = _meant(session, code)
    if product_id is None:
        return None
    product, producer = session.execute(
        select(Product, Producer.name)
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .where(Product.id == product_id)
    ).one()
    wanted = (
        select(Lot, Variant.gtin, TraceCode.code)
        .join(Variant, Variant.id == Lot.variant_id)
        .outerjoin(TraceCode, TraceCode.lot_id == Lot.id)
        .where(Variant.product_id == product_id)
        .order_by(Lot.recalled_at.desc(), Lot.id.desc())
        .limit(MOST_LOTS)
    )
    if lot_id is not None:
        wanted = wanted.where(Lot.id == lot_id)
    else:
        wanted = wanted.where(Lot.state != LotState.ACTIVE)
    rows = session.execute(wanted).all()
    said = _last_said(session, [row[0].id for row in rows])
    states = {lot.state for lot, _gtin, _code in rows}
    gravest = next(
        (state for state in (LotState.RECALLED, LotState.HELD) if state in states), LotState.ACTIVE
    )
    return {
        "code": code,
        "product": product.name,
        "producer": producer,
        "status": WORDS[gravest],
        "lots": [
            _lot(lot, addresses.printed(base, Named(own or code, gtin, lot.code)), said.get(lot.id))
            for lot, gtin, own in rows
        ],
        "asOf": now.isoformat(timespec="seconds"),
    }


def _meant(session: Session, code: str) -> tuple[int | None, int | None]:
    named = session.execute(
        select(TraceCode.product_id, TraceCode.lot_id).where(TraceCode.code == code)
    ).one_or_none()
    if named is None:
        named = session.execute(
            select(Variant.product_id, Lot.id)
            .join(Lot, Lot.variant_id == Variant.id)
            .join(Serial, Serial.lot_id == Lot.id)
            .where(Serial.serial == code)
        ).one_or_none()
    return (named[0], named[1]) if named is not None else (None, None)


def _lot(lot: Lot, address: str, event: TraceEvent | None) -> dict[str, Any]:
    said: dict[str, Any] = {"lot": lot.code, "address": address, "status": WORDS[lot.state]}
    if lot.state is LotState.RECALLED:
        said["reason"] = lot.recall_reason
        if lot.recalled_at is not None:
            said["since"] = lot.recalled_at.isoformat(timespec="seconds")
    if event is not None:
        said["event"] = event.event_hash
        said["eventTime"] = event.event["eventTime"]
    return said


def _last_said(session: Session, lot_ids: Sequence[int]) -> dict[int, TraceEvent]:
    rows = session.scalars(
        select(TraceEvent)
        .where(TraceEvent.lot_id.in_(lot_ids), TraceEvent.kind == EventKind.RECALL)
        .order_by(TraceEvent.id)
    )
    return {row.lot_id: row for row in rows if row.lot_id is not None}
