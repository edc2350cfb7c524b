"""Keeping the diary: a line is written, becomes an event and stands in the log, all at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, record
from catalog.lots import Lot
from catalog.producers import Producer
from catalog.products import Product
from catalog.variants import Variant
from core import events as news
from core.errors import Conflict, Invalid
from core.i18n import lazy as _
from traceability import addresses, diary, epcis, events, trace_codes
from traceability.addresses import Named
from traceability.diary import Step, StepKind
from traceability.edges import LotEdge
from traceability.epcis import About, Goods
from traceability.events import EventKind, TraceEvent

describe({"step.correct": _("corrected a line of the lot diary")})

# Steps that make something out of something: their inputs are other lots.
LINKING = frozenset({StepKind.PROCESSING, StepKind.PACKING})


class NotAnInput(Invalid):
    """A lot cannot be made of itself, of something made from it, or of another producer's lot."""


class AlreadyCorrected(Conflict):
    """This line was declared wrong before; correct the newer one."""


@dataclass(frozen=True, slots=True)
class Input:
    """So much of another lot that went in."""

    lot_id: int
    quantity: Decimal | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class LotsLinked:
    """A line told that some lots went into another: what was said of them holds for it too."""

    lot_id: int
    input_ids: tuple[int, ...]
    base: str
    actor: Actor
    now: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is told: at most six things. `uid` is the phone's own name for it."""

    kind: StepKind
    happened_at: datetime
    place: str | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    note: str | None = None
    photo_key: str | None = None
    inputs: Sequence[Input] = field(default=())
    uid: str | None = None
    is_sample: bool = False


def keep(session: Session, lot: Lot, line: Line, *, base: str, actor: Actor, now: datetime) -> Step:
    """Write one line into the lot's diary with its event; the same `uid` again gives the first.

    `base` is the address that printed codes stand under. Raises what `diary.write_step` raises,
    and NotAnInput.
    """
    if line.uid is not None:
        before = events.find_by_uid(session, line.uid)
        if before is not None and before.step_id is not None:
            return session.get_one(Step, before.step_id)
    _refuse_inputs(session, lot, line)
    step = diary.write_step(
        session,
        lot,
        kind=line.kind,
        happened_at=line.happened_at,
        place=line.place,
        quantity=line.quantity,
        unit=line.unit,
        note=line.note,
        photo_key=line.photo_key,
        actor=actor,
        now=now,
        is_sample=line.is_sample,
    )
    body = epcis.event_of(
        step, about(session, lot, base, now=now), inputs=_goods(session, line.inputs, base, now=now)
    )
    event = events.record(
        session,
        body,
        kind=EventKind.STEP,
        base=base,
        uid=line.uid or str(uuid4()),
        lot_id=lot.id,
        step_id=step.id,
        private=private_words(step),
        actor=actor,
        now=now,
    )
    session.add_all(
        LotEdge(
            input_lot_id=one.lot_id,
            output_lot_id=lot.id,
            event_id=event.id,
            quantity=one.quantity,
            unit=one.unit,
        )
        for one in line.inputs
    )
    session.flush()
    if line.inputs:
        linked = LotsLinked(lot.id, tuple(one.lot_id for one in line.inputs), base, actor, now)
        news.publish(session, linked)
    return step


def private_words(step: Step) -> dict[str, str]:
    """Return what a line says that may be about a person: committed to, never in the event."""
    said = {
        "entered_by": step.entered_by_name,
        "on_behalf_of": step.on_behalf_of,
        "place": step.place,
        "note": step.note,
        "photo": step.photo_key,
    }
    return {name: words for name, words in said.items() if words}


def about(session: Session, lot: Lot, base: str, *, now: datetime) -> About:
    """Return what events of this lot are about: its address, its place and its master data."""
    variant, product, producer = session.execute(
        select(Variant, Product, Producer)
        .join(Product, Product.id == Variant.product_id)
        .join(Producer, Producer.id == Product.producer_id)
        .where(Variant.id == lot.variant_id)
    ).one()
    return About(
        lot=_address(session, lot, variant.gtin, base, now=now),
        place=f"{base}/nha-san-xuat/{producer.slug}",
        name=f"{product.name} {variant.name}".strip(),
        produced_on=lot.produced_on,
        expires_on=lot.expires_on,
    )


def _address(session: Session, lot: Lot, gtin: str | None, base: str, *, now: datetime) -> str:
    code = trace_codes.ensure_lot_code(session, lot, now=now)
    return addresses.printed(base, Named(code, gtin, lot.code))


def _goods(session: Session, inputs: Sequence[Input], base: str, *, now: datetime) -> list[Goods]:
    found = {
        lot.id: (lot, gtin)
        for lot, gtin in session.execute(
            select(Lot, Variant.gtin)
            .join(Variant, Variant.id == Lot.variant_id)
            .where(Lot.id.in_([one.lot_id for one in inputs]))
        )
    }
    return [
        Goods(_address(session, *found[one.lot_id], base, now=now), one.quantity, one.unit)
        for one in inputs
    ]


def _refuse_inputs(session: Session, lot: Lot, line: Line) -> None:
    if not line.inputs:
        return
    wanted = {one.lot_id for one in line.inputs}
    if line.kind not in LINKING or lot.id in wanted or len(wanted) != len(line.inputs):
        raise NotAnInput(_("Choose other lots that went into this one."), field="inputs")
    owner = (
        select(Product.producer_id)
        .join(Variant, Variant.product_id == Product.id)
        .where(Variant.id == lot.variant_id)
        .scalar_subquery()
    )
    own = session.scalars(
        select(Lot.id)
        .join(Variant, Variant.id == Lot.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(Lot.id.in_(wanted), Product.producer_id == owner)
    )
    if set(own) != wanted:
        raise NotAnInput(_("One of these lots is not in this book."), field="inputs")


def correct(
    session: Session,
    lot: Lot,
    wrong: Step,
    line: Line | None,
    *,
    base: str,
    actor: Actor,
    now: datetime,
) -> Step | None:
    """Declare a line wrong and, unless it never happened (`line` None), write the right one.

    Nothing is edited: the wrong line stays in the book, struck through, and in the log.
    """
    event = events.of_steps(session, [wrong.id]).get(wrong.id)
    if event is None or _is_corrected(session, event):
        raise AlreadyCorrected(_("This line was already corrected."))
    right = keep(session, lot, line, base=base, actor=actor, now=now) if line else None
    corrective = [events.of_steps(session, [right.id])[right.id].event_hash] if right else []
    declared = epcis.declared_wrong(
        event.event,
        reason="incorrect_data" if line else "did_not_occur",
        corrective=corrective,
        now=now,
    )
    declared.pop("eventID")
    events.record(
        session,
        declared,
        kind=EventKind.DECLARATION,
        base=event.base,
        uid=f"declared:{event.uid}",
        lot_id=lot.id,
        corrects=event,
        actor=actor,
        now=now,
    )
    record(session, actor, "step.correct", f"lot:{lot.id}", now=now, lot=lot.code, step=wrong.id)
    return right


def _is_corrected(session: Session, event: TraceEvent) -> bool:
    return session.scalar(select(TraceEvent.id).where(TraceEvent.corrects == event.id)) is not None


def corrected_steps(session: Session, lot_id: int) -> set[int]:
    """Return the lines of a lot that were declared wrong."""
    declared = select(TraceEvent.corrects).where(
        TraceEvent.lot_id == lot_id, TraceEvent.kind == EventKind.DECLARATION
    )
    found = session.scalars(select(TraceEvent.step_id).where(TraceEvent.id.in_(declared)))
    return {step_id for step_id in found if step_id is not None}
