"""Keeping the diary: a line is written, becomes an event and stands in the log, all at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
from core.text import clean
from traceability import addresses, diary, epcis, events, reach, trace_codes
from traceability.addresses import Named
from traceability.diary import Step, StepKind
from traceability.edges import LotEdge
from traceability.epcis import About, Goods
from traceability.events import EventKind, TraceEvent
from traceability.reach import Way

describe({"step.correct": _("corrected a line of the lot diary")})

# Who did what was written down, where that is not who wrote it: kept beside the event alone.
DOER = "done_by"
# Steps that make something out of something: their inputs are other lots.
LINKING = frozenset({StepKind.PROCESSING, StepKind.PACKING})


class NotAnInput(Invalid):
    """A lot cannot be made of itself or of something made from it; of a stranger's by its label."""


class WrittenOtherwise(Conflict):
    """A line of this uid is in the book already, and says something else."""


class AlreadyCorrected(Conflict):
    """This line was declared wrong before; correct the newer one."""


@dataclass(frozen=True, slots=True)
class Input:
    """So much of another lot that went in.

    `by_label`: the lot was named by what stands on it, so it may be another producer's.
    """

    lot_id: int
    quantity: Decimal | None = None
    unit: str | None = None
    by_label: bool = False


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
    done_by: str | None = None
    inputs: Sequence[Input] = field(default=())
    uid: str | None = None
    is_sample: bool = False


def keep(session: Session, lot: Lot, line: Line, *, base: str, actor: Actor, now: datetime) -> Step:
    """Write one line into the lot's diary with its event; the same `uid` again gives the first.

    `base` is the address that printed codes stand under. Raises what `diary.write_step` raises,
    NotAnInput, and WrittenOtherwise when the uid came before with other words.
    """
    before = _written(session, lot, line)
    if before is not None:
        return before
    inputs = [_measured(one) for one in line.inputs]
    _refuse_inputs(session, lot, line)
    doer = diary.another_name(line.done_by, actor.name)
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
        step, about(session, lot, base, now=now), inputs=_goods(session, inputs, base, now=now)
    )
    event = events.record(
        session,
        body,
        kind=EventKind.STEP,
        base=base,
        uid=line.uid or str(uuid4()),
        lot_id=lot.id,
        step_id=step.id,
        private=private_words(step) | ({DOER: doer} if doer else {}),
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
        for one in inputs
    )
    session.flush()
    if inputs:
        linked = LotsLinked(lot.id, tuple(one.lot_id for one in inputs), base, actor, now)
        news.publish(session, linked)
    return step


def _written(session: Session, lot: Lot, line: Line) -> Step | None:
    """Return the line that came before under the same uid, or None for a new one."""
    if line.uid is None:
        return None
    # Of two senders of one line, the second waits here for the first.
    session.execute(select(Lot.id).where(Lot.id == lot.id).with_for_update(key_share=True))
    event = events.find_by_uid(session, line.uid)
    if event is None:
        return None
    step = session.get(Step, event.step_id) if event.step_id is not None else None
    if step is None or step.lot_id != lot.id or not _says(step, line):
        message = _("This line was already written, with other words. Correct it in the diary.")
        raise WrittenOtherwise(message)
    return step


def _says(step: Step, line: Line) -> bool:
    """Say whether a line in the book tells what this one tells; a second tap has a later time."""
    amount = None if line.quantity is None else (line.quantity, clean(line.unit or "") or None)
    return (
        step.kind is line.kind
        and step.place == (clean(line.place or "") or None)
        and step.note == (clean(line.note or "") or None)
        and (None if step.quantity is None else (step.quantity, step.unit)) == amount
    )


def _measured(one: Input) -> Input:
    quantity, unit = diary.checked_amount(one.quantity, one.unit, field="inputs")
    return replace(one, quantity=quantity, unit=unit)


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
    if wanted & reach.closure(session, lot.id, Way.DOWN).keys():
        message = _("One of these lots was itself made from this one.")
        raise NotAnInput(message, field="inputs")
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
    strange = {one.lot_id for one in line.inputs if not one.by_label} - set(own)
    if strange:
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

    Nothing is edited: the wrong line stays in the book, struck through, and in the log. The same
    correction sent again gives the first. Raises what `keep` raises, and AlreadyCorrected.
    """
    again = _written(session, lot, line) if line else None
    if again is not None:
        return again
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


def inputs_of(session: Session, step: Step) -> list[Input]:
    """Return what a line says went in."""
    rows = session.scalars(
        select(LotEdge)
        .join(TraceEvent, TraceEvent.id == LotEdge.event_id)
        .where(TraceEvent.step_id == step.id)
        .order_by(LotEdge.input_lot_id)
    )
    return [Input(row.input_lot_id, row.quantity, row.unit, by_label=True) for row in rows]


def corrected_steps(session: Session, lot_id: int) -> set[int]:
    """Return the lines of a lot that were declared wrong."""
    declared = select(TraceEvent.corrects).where(
        TraceEvent.lot_id == lot_id, TraceEvent.kind == EventKind.DECLARATION
    )
    found = session.scalars(select(TraceEvent.step_id).where(TraceEvent.id.in_(declared)))
    return {step_id for step_id in found if step_id is not None}
