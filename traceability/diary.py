"""The diary of a lot: what was done, when, where, how much, a photo, by whom.

Lines are added, never changed: what a buyer has read stays true.
"""

import enum
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, Numeric, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from catalog.lots import Lot
from core.db import Base, word
from core.errors import Invalid
from core.i18n import lazy as _
from core.text import clean

describe(
    {
        "step.write": _("wrote in the lot diary"),
    }
)

LONGEST_PLACE = 120
LONGEST_UNIT = 20
LONGEST_NOTE = 500
LONGEST_NAME = 80
# Nobody's diary goes back further; a phone that forgot the year says 1970.
FIRST_YEAR = 2000
MOST = Decimal("99999999999.999")
# A phone's clock may run ahead of ours.
FAST_CLOCK = timedelta(minutes=10)
_THOUSANDS = re.compile(r"\d{1,3}(\.\d{3})+(,\d+)?", re.ASCII)
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,6})?", re.ASCII)
_NOT_A_NUMBER = _("Write a number above zero, such as 42 or 0,5.")


class StepKind(enum.StrEnum):
    """What a line of the diary tells."""

    SOWING = "sowing"
    CARE = "care"
    HARVEST = "harvest"
    INTAKE = "intake"
    PROCESSING = "processing"
    TESTING = "testing"
    PACKING = "packing"
    DISPATCH = "dispatch"


KIND_NAMES = {
    StepKind.SOWING: _("Sowing, planting"),
    StepKind.CARE: _("Tending"),
    StepKind.HARVEST: _("Harvest"),
    StepKind.INTAKE: _("Taking in materials"),
    StepKind.PROCESSING: _("Making"),
    StepKind.TESTING: _("Testing"),
    StepKind.PACKING: _("Packing, labelling"),
    StepKind.DISPATCH: _("Sending off"),
}


class BadStepTime(Invalid):
    """A diary tells what has happened, not what will."""


class BadStepQuantity(Invalid):
    """A quantity is a positive number with its unit."""


class StepTooLong(Invalid):
    """A line of the diary is a line, not a chapter."""


class Step(Base):
    """One line of a lot's diary. Times are UTC with the writer's zone kept beside them.

    `note` is what the step is called in its trade, or more to say.
    """

    __tablename__ = "step"
    __table_args__ = (Index("ix_step_lot", "lot_id", "happened_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    kind: Mapped[StepKind] = mapped_column(word(StepKind))
    happened_at: Mapped[datetime]
    zone_offset: Mapped[str] = mapped_column(default="+07:00")
    place: Mapped[str | None]
    quantity: Mapped[Decimal | None] = mapped_column(Numeric(14, 3))
    unit: Mapped[str | None]
    note: Mapped[str | None]
    photo_key: Mapped[str | None]
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    entered_by_name: Mapped[str]
    on_behalf_of: Mapped[str | None]
    entered_at: Mapped[datetime]
    is_sample: Mapped[bool] = mapped_column(default=False)


def list_steps(session: Session, lot_id: int) -> list[Step]:
    """Return the lot's diary in the order things happened."""
    return list(session.scalars(_STEPS, {"lot": lot_id}))


_STEPS = select(Step).where(Step.lot_id == bindparam("lot")).order_by(Step.happened_at, Step.id)


def steps_of_lots(session: Session, lot_ids: Iterable[int]) -> dict[int, list[Step]]:
    """Return the diaries of many lots in one query; an empty list for a lot without lines."""
    wanted = list(lot_ids)
    diaries: dict[int, list[Step]] = defaultdict(list)
    for step in session.scalars(
        select(Step).where(Step.lot_id.in_(wanted)).order_by(Step.happened_at, Step.id)
    ):
        diaries[step.lot_id].append(step)
    return {lot_id: diaries[lot_id] for lot_id in wanted}


def find_last_step(session: Session, lot_id: int) -> Step | None:
    """Return the line written last, which the next one often repeats."""
    return session.scalar(
        select(Step).where(Step.lot_id == lot_id).order_by(Step.id.desc()).limit(1)
    )


def last_standing(steps: Sequence[Step], wrong: Collection[int]) -> Step | None:
    """Return the line written last of those that were not declared wrong."""
    return max((one for one in steps if one.id not in wrong), key=lambda one: one.id, default=None)


def read_quantity(typed: str, *, field: str = "quantity") -> Decimal | None:
    """Return the number someone wrote as Vietnam does («1.200», «0,5»), None for nothing.

    A point before exactly three digits parts thousands; any other point is a comma. Raises
    BadStepQuantity.
    """
    text = clean(typed).replace(" ", "")
    if not text:
        return None
    if _THOUSANDS.fullmatch(text):
        text = text.replace(".", "")
    text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        raise BadStepQuantity(_NOT_A_NUMBER, field=field)
    return Decimal(text)


def write_step(
    session: Session,
    lot: Lot,
    *,
    kind: StepKind,
    happened_at: datetime,
    place: str | None,
    quantity: Decimal | None,
    unit: str | None,
    note: str | None,
    photo_key: str | None = None,
    actor: Actor,
    now: datetime,
    is_sample: bool = False,
) -> Step:
    """Add one line to the lot's diary, to the millisecond, with the zone `happened_at` came in.

    Text is kept in NFC. Raises BadStepTime, BadStepQuantity or StepTooLong, naming the field.
    """
    moment = happened_at.replace(microsecond=happened_at.microsecond // 1000 * 1000)
    if moment > now + FAST_CLOCK:
        raise BadStepTime(_("This time has not come yet."), field="happened_at")
    if moment.year < FIRST_YEAR:
        raise BadStepTime(_("This day is too long ago. Look at the date."), field="happened_at")
    amount, measure = checked_amount(quantity, unit)
    step = Step(
        lot_id=lot.id,
        kind=kind,
        happened_at=moment,
        zone_offset=_zone(happened_at),
        place=_line(place, LONGEST_PLACE, "place"),
        quantity=amount,
        unit=measure,
        note=_line(note, LONGEST_NOTE, "note"),
        photo_key=photo_key,
        entered_by=actor.user_id,
        entered_by_name=actor.name,
        on_behalf_of=actor.on_behalf_of,
        entered_at=now,
        is_sample=is_sample,
    )
    session.add(step)
    session.flush()  # gives the line its id
    record(session, actor, "step.write", f"lot:{lot.id}", now=now, lot=lot.code)
    return step


def another_name(name: str | None, writer: str) -> str | None:
    """Return who did it as a line keeps it: nothing where the writer did. Raises StepTooLong."""
    words = _line(name, LONGEST_NAME, "done_by")
    return None if words == clean(writer) else words


def _zone(moment: datetime) -> str:
    offset = f"{moment:%z}"
    return f"{offset[:3]}:{offset[3:5]}"


def checked_amount(
    quantity: Decimal | None, unit: str | None, *, field: str | None = None
) -> tuple[Decimal | None, str | None]:
    """Return a number with its unit as a line keeps them, or raise BadStepQuantity.

    `field` names where both were typed; by default the number is at «quantity», the unit at «unit».
    """
    if quantity is None:
        return None, None
    if not quantity.is_finite() or not 0 < quantity <= MOST:
        raise BadStepQuantity(_NOT_A_NUMBER, field=field or "quantity")
    exact = quantity.quantize(Decimal("0.001"))
    if exact != quantity:
        raise BadStepQuantity(_("At most three digits after the comma."), field=field or "quantity")
    measure = _line(unit, LONGEST_UNIT, field or "unit")
    if measure is None:
        message = _("Write the unit beside the number: kg, gói, lít…")
        raise BadStepQuantity(message, field=field or "unit")
    return exact, measure


def _line(text: str | None, longest: int, field: str) -> str | None:
    words = clean(text or "")
    if len(words) > longest:
        raise StepTooLong(_("At most %(longest)s letters.", longest=longest), field=field)
    return words or None
