"""Runs: prints that take longer than a page may, drawn in the background and kept as a file.

Whatever happens on the way, a run has the serials it was given once: its key made them.
"""

import enum
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from catalog.lots import Lot
from core import tasks
from core.codes import new_code
from core.db import Base, word
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _
from core.i18n import speaking
from core.qr import Level
from traceability import serials
from traceability.codes import TRACE_CODE
from traceability.labels import files
from traceability.labels.content import content_of
from traceability.labels.geometry import Sheet
from traceability.labels.printing import Form, Print, plan
from traceability.serials import Serial

describe(
    {
        "labels.print": _("printed labels"),
        "labels.stop": _("stopped a print of labels"),
    }
)

DRAW = "labels.draw"
SHOWN = 10
LONGEST_KEY = 100


class RunState(enum.StrEnum):
    """Where a run stands."""

    WAITING = "waiting"
    DRAWING = "drawing"
    DONE = "done"
    REFUSED = "refused"


class NoSuchRun(NotFound):
    """This producer has no such run."""


class NotDrawn(Conflict):
    """The file is not there yet."""


class MarkChanged(Conflict):
    """The stars on these labels are not the product's stars of today."""


class WrongKey(Invalid):
    """The form carries no key of its own."""


class LabelRun(Base):
    """One print: what was asked for, how far it is, where its file lies.

    `sheet` is the sheet as it was then; `stars` are those that stand on the labels.
    """

    __tablename__ = "label_run"
    __table_args__ = (Index("ix_label_run_producer", "producer_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    serial_run_id: Mapped[int | None] = mapped_column(ForeignKey("serial_run.id"))
    sheet: Mapped[dict[str, Any]] = mapped_column(JSON)
    form: Mapped[Form] = mapped_column(word(Form))
    level: Mapped[str]
    count: Mapped[int]
    first: Mapped[int]
    state: Mapped[RunState] = mapped_column(word(RunState), default=RunState.WAITING)
    pages: Mapped[int]
    pages_done: Mapped[int] = mapped_column(default=0)
    stars: Mapped[int | None]
    file_key: Mapped[str | None]
    why: Mapped[str | None]
    made_by_name: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    @property
    def ended(self) -> bool:
        """Say whether nothing more happens by itself."""
        return self.state in {RunState.DONE, RunState.REFUSED}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be printed; with `with_serials` every label has a number of its own.

    `serial_run_id` prints the serials of a run that was made before.
    """

    sheet: Sheet
    form: Form
    count: int
    level: Level = "M"
    first: int = 0
    with_serials: bool = False
    serial_run_id: int | None = None


def get_run(session: Session, producer_id: int, run_id: int) -> LabelRun:
    """Return one of the producer's runs, or raise NoSuchRun."""
    run = session.get(LabelRun, run_id)
    if run is None or run.producer_id != producer_id:
        raise NoSuchRun(_("There is no such print."))
    return run


def list_runs(session: Session, producer_id: int) -> list[tuple[LabelRun, str]]:
    """Return the producer's last runs, newest first, each with the code of its lot."""
    last = (
        select(LabelRun, Lot.code)
        .join(Lot, Lot.id == LabelRun.lot_id)
        .where(LabelRun.producer_id == producer_id)
        .order_by(LabelRun.id.desc())
        .limit(SHOWN)
    )
    return [(run, code) for run, code in session.execute(last)]


def check(
    session: Session,
    lot_id: int,
    wish: Wish,
    *,
    base: str,
    now: datetime,
    others: Sequence[Sheet] = (),
) -> Print:
    """Return the print that this wish would be, nothing made yet: its serials are stand-ins.

    Raises whatever `plan` does, OnlyRolls, LotRecalled or NoSuchLotToLabel.
    """
    files.refuse_wrong_form(wish.form, wish.sheet)
    content = content_of(session, lot_id, now=now)
    count = wish.count
    if wish.serial_run_id is not None:
        count = serials.get_run(session, lot_id, wish.serial_run_id).count
    alike = not wish.with_serials and wish.serial_run_id is None
    stand_ins = None if alike else [new_code(TRACE_CODE)]
    return plan(
        content,
        wish.sheet,
        base=base,
        count=count,
        level=wish.level,
        first=wish.first,
        serials=stand_ins,
        others=others,
    )


def open_run(
    session: Session,
    producer_id: int,
    lot: Lot,
    wish: Wish,
    *,
    key: str,
    base: str,
    actor: Actor,
    now: datetime,
    others: Sequence[Sheet] = (),
) -> LabelRun:
    """Return the run of this key: the second time the same, with the same serials.

    New serials are made and the drawing is left to the background. Raises what `check` does,
    WrongKey or TooManySerials; nothing is kept then.
    """
    if not key or len(key) > LONGEST_KEY:
        raise WrongKey(_("Open this page again and press the button once."))
    key = f"{producer_id}:{key}"
    known = _find(session, key)
    if known is not None:
        return known
    job = check(session, lot.id, wish, base=base, now=now, others=others)
    run = LabelRun(
        key=key,
        producer_id=producer_id,
        lot_id=lot.id,
        serial_run_id=wish.serial_run_id,
        sheet=asdict(wish.sheet),
        form=wish.form,
        level=wish.level,
        count=job.count,
        first=wish.first,
        pages=job.pages,
        made_by_name=actor.name,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(run)
    except IntegrityError:
        # Another process took the same form a moment earlier.
        found = _find(session, key)
        if found is None:
            raise
        return found
    if wish.with_serials and wish.serial_run_id is None:
        made = serials.make(
            session, lot, wish.count, now=now, actor=actor, is_sample=job.content.is_sample
        )
        run.serial_run_id = session.get_one(Serial, made[0]).run_id
    tasks.enqueue(session, DRAW, {"run_id": run.id}, now=now, key=f"{DRAW}:{run.id}")
    record(session, actor, "labels.print", f"lot:{lot.id}", now=now, lot=lot.code, count=run.count)
    return run


def _find(session: Session, key: str) -> LabelRun | None:
    return session.scalar(select(LabelRun).where(LabelRun.key == key))


def draw_again(session: Session, run: LabelRun, *, now: datetime) -> None:
    """Draw an ended run anew with the same serials; harmless while it is still being drawn."""
    begun = session.scalar(
        update(LabelRun)
        .where(LabelRun.id == run.id, LabelRun.state.in_([RunState.DONE, RunState.REFUSED]))
        .values(state=RunState.WAITING, pages_done=0, why=None, finished_at=None)
        .returning(LabelRun.id)
        .execution_options(synchronize_session=False)
    )
    session.expire(run)
    if begun is not None:
        key = f"{DRAW}:{run.id}:{now.timestamp():.6f}"
        tasks.enqueue(session, DRAW, {"run_id": run.id}, now=now, key=key)


def stop(session: Session, run: LabelRun, *, actor: Actor, now: datetime) -> None:
    """Stop a run that has not ended, saying who did; its serials stay, to be printed later."""
    with speaking("vi"):
        why = str(_("Stopped by %(name)s.", name=actor.name))
    stopped = session.scalar(
        update(LabelRun)
        .where(LabelRun.id == run.id, LabelRun.state.in_([RunState.WAITING, RunState.DRAWING]))
        .values(state=RunState.REFUSED, why=why, finished_at=now)
        .returning(LabelRun.id)
        .execution_options(synchronize_session=False)
    )
    session.expire(run)
    if stopped is not None:
        record(session, actor, "labels.stop", f"lot:{run.lot_id}", now=now, run=run.id)


def advance(session: Session, run_id: int, **values: Any) -> bool:
    """Write down how far a run is that is being drawn; False if it was stopped meanwhile."""
    moved = session.scalar(
        update(LabelRun)
        .where(LabelRun.id == run_id, LabelRun.state == RunState.DRAWING)
        .values(**values)
        .returning(LabelRun.id)
        .execution_options(synchronize_session=False)
    )
    return moved is not None


def file_of(session: Session, run: LabelRun, *, now: datetime) -> str:
    """Return the key of the run's file, as long as what it says is true.

    Raises NotDrawn, MarkChanged or LotRecalled.
    """
    if run.state is not RunState.DONE or run.file_key is None:
        raise NotDrawn(_("These labels are not drawn yet."))
    if content_of(session, run.lot_id, now=now).stars != run.stars:
        raise MarkChanged(
            _("The OCOP stars of this product are not those on these labels: draw them again.")
        )
    return run.file_key
