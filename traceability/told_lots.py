"""What happens to many lots at once, told in the book of each and in the log: one event a lot.

The sale of ten thousand lots ends in one short transaction; what it says of them is a queue that
the background writes into the log in parts, in its order, so that nobody waits behind it.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import uuid4

from sqlalchemy import ForeignKey, delete, func, insert, literal, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import SYSTEM, Actor
from catalog.lots import Lot
from catalog.producers import Producer
from catalog.products import Product
from catalog.variants import Variant
from core import tasks
from core.db import Base, in_batches, word
from core.tasks import Work
from traceability import addresses, epcis, events, log, trace_codes
from traceability.addresses import Named
from traceability.epcis import About
from traceability.events import EventKind, Told
from traceability.trace_codes import TraceCode

KIND = "lots.tell"
# So many are told at once: by whom the sale is stopped, and in each part of the background.
AT_ONCE = 200


class Happening(enum.StrEnum):
    """What is told."""

    HELD = "held"
    RECALLED = "recalled"
    BACK_TO_HOLD = "back_to_hold"
    HOLD_ENDED = "hold_ended"
    RECALL_ENDED = "recall_ended"


class LotToTell(Base):
    """Something happened to a lot that is not in its book yet; the row goes when it is."""

    __tablename__ = "lot_to_tell"

    id: Mapped[int] = mapped_column(primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    happening: Mapped[Happening] = mapped_column(word(Happening))
    happened_at: Mapped[datetime]
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


def tell(
    session: Session,
    lot_ids: Sequence[int],
    happening: Happening,
    *,
    base: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Write one event for each of these lots: at once for the first, soon for the rest.

    The caller has the turn at the log. What waits for a lot is never overtaken by what happened
    to it later.
    """
    first = lot_ids[:AT_ONCE]
    if count_waiting(session, first):
        first = []
    if first:
        _write(session, first, happening, base=base, actor=actor, happened_at=now, now=now)
    rest = lot_ids[len(first) :]
    facts = (
        literal(happening, LotToTell.happening.type),
        literal(now, LotToTell.happened_at.type),
        literal(actor.user_id, LotToTell.entered_by.type),
    )
    for some in in_batches(rest):
        session.execute(
            insert(LotToTell).from_select(
                ["lot_id", "happening", "happened_at", "entered_by"],
                select(Lot.id, *facts).where(Lot.id.in_(some)).order_by(Lot.id),
            )
        )
    if rest:
        tasks.enqueue(session, KIND, {}, now=now)


def give_codes(session: Session, steps: Mapping[int, int], *, base: str, now: datetime) -> None:
    """Give public codes to those of these lots (lot → steps away) that `tell` would tell first."""
    nearest = sorted(steps, key=lambda one: (steps[one], one))[:AT_ONCE]
    about_lots(session, nearest, base, now=now)


def count_waiting(session: Session, lot_ids: Iterable[int]) -> int:
    """Return how many events of these lots still wait to be written."""
    counted = select(func.count()).select_from(LotToTell)
    return sum(
        session.scalar(counted.where(LotToTell.lot_id.in_(some))) or 0
        for some in in_batches(lot_ids)
    )


def run(work: Work) -> None:
    """Write down in the background what waits, a part after the other until none is left."""
    base = work.settings.PUBLIC_URL
    while True:
        with work.database.transaction() as session:
            waiting = _next_part(session)
            # Before the log is held: who writes a line takes the code first and the log last.
            about_lots(session, [one.lot_id for one in waiting], base, now=work.clock())
        if not waiting:
            return
        with work.database.transaction() as session:
            log.wait_for_turn(session)
            write_part(session, base=base, now=work.clock())


def write_part(session: Session, *, base: str, now: datetime) -> None:
    """Write the longest waiting events into the log. The caller has the turn at the log."""
    waiting = _next_part(session)
    session.execute(delete(LotToTell).where(LotToTell.id.in_([one.id for one in waiting])))

    def alike(one: LotToTell) -> tuple[Happening, datetime, int | None]:
        return one.happening, one.happened_at, one.entered_by

    for (happening, happened_at, entered_by), ones in groupby(waiting, key=alike):
        _write(
            session,
            [one.lot_id for one in ones],
            happening,
            base=base,
            actor=Actor(entered_by, SYSTEM.name),
            happened_at=happened_at,
            now=now,
        )


def _next_part(session: Session) -> list[LotToTell]:
    return list(session.scalars(select(LotToTell).order_by(LotToTell.id).limit(AT_ONCE)))


def _write(
    session: Session,
    lot_ids: Sequence[int],
    happening: Happening,
    *,
    base: str,
    actor: Actor,
    happened_at: datetime,
    now: datetime,
) -> None:
    about = about_lots(session, lot_ids, base, now=now)
    told = [
        Told(_body(about[lot_id], happening, now=happened_at), str(uuid4()), lot_id)
        for lot_id in lot_ids
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
    if happening in {Happening.HELD, Happening.BACK_TO_HOLD}:
        return epcis.hold_of(about, now=now, was_recalled=happening is Happening.BACK_TO_HOLD)
    ended = happening is Happening.RECALL_ENDED
    return epcis.release_of(about, now=now, was_recalled=ended)
