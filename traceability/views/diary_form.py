"""What a diary form says, read alike for the plain form, a phone without network, corrections."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session

from core import intake
from core.clock import VIETNAM
from core.errors import Invalid
from core.i18n import lazy as _
from core.web.media import storage
from traceability import diary, input_lots, keeping
from traceability.diary import BadStepTime, Step, StepKind
from traceability.diary_templates import Suggestion, read_choice
from traceability.keeping import LINKING, Input, Line

NOON = time(12, 0)
# Lots that are named by their label: so many fields stand on the form.
LABELS = ("label_1", "label_2")
_TICKED = re.compile(r"input_([1-9]\d{0,8})", re.ASCII)


class BadDay(Invalid):
    """What stands in a day's field is no day."""


class NothingChosen(Invalid):
    """A line tells what was done."""


def read_line(
    session: Session, *, photo_key: str | None, wrong: Step | None = None, now: datetime
) -> Line:
    """Return the line that was sent; each refusal names its field.

    `wrong` is the line it stands in for: its moment, where nobody changed it, and its lots.
    """
    form = request.form
    kind, name = _kind(form.get("kind", ""))
    allowed = {one.lot_id for one in keeping.inputs_of(session, wrong)} if wrong else set()
    return Line(
        kind=kind,
        happened_at=_same_moment(wrong) or _moment(now),
        place=form.get("place"),
        quantity=diary.read_quantity(form.get("quantity", "")),
        unit=form.get("unit"),
        note=name or form.get("note"),
        photo_key=photo_key,
        done_by=form.get("done_by"),
        inputs=_inputs(session, allowed) if kind in LINKING else (),
        uid=_uid(form.get("uid", "")),
    )


def take_photo() -> str | None:
    """Store the photo that came along, if any, and return its key."""
    photo = request.files.get("photo")
    if photo is None or not photo.filename:
        return None
    return intake.take_picture(storage(), photo.read(), folder="so-lo", field="photo").key


def read_day(field: str) -> date | None:
    """Return the day typed in this field, None for nothing, or raise BadDay."""
    text = request.form.get(field, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadDay(_("This day is not in the calendar."), field=field) from None


def typed_of(
    step: Step, inputs: Sequence[Input], suggestions: Sequence[Suggestion]
) -> dict[str, str]:
    """Return what a form would have to say to write this line again, a day ago or now."""
    values = {one.value for one in suggestions}
    value = f"{step.kind.value}|{step.note or ''}"
    local = step.happened_at.astimezone(VIETNAM)
    typed = {
        "kind": value if value in values else step.kind.value,
        "note": "" if value in values else step.note or "",
        "when": "day",
        "day": local.date().isoformat(),
        "clock": f"{local:%H:%M}",
        "place": step.place or "",
        "quantity": written(step.quantity),
        "unit": step.unit or "",
    }
    for one in inputs:
        typed |= {
            f"input_{one.lot_id}": "1",
            f"input_{one.lot_id}_quantity": written(one.quantity),
            f"input_{one.lot_id}_unit": one.unit or "",
        }
    return typed


def written(number: Decimal | None) -> str:
    """Return a number as it is typed: a comma, no zeros behind it, no points between."""
    if number is None:
        return ""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", ",")


def chosen_inputs(form: Mapping[str, str]) -> list[int]:
    """Return the lots that were ticked."""
    marked = (_TICKED.fullmatch(name) for name in form)
    return [int(found[1]) for found in marked if found]


def _kind(value: str) -> tuple[StepKind, str]:
    try:
        return read_choice(value)
    except ValueError:
        raise NothingChosen(_("Choose what was done."), field="kind") from None


def _uid(text: str) -> str | None:
    """Return the sender's own name for the line; what is no UUID names nothing."""
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _inputs(session: Session, allowed: set[int]) -> list[Input]:
    form = request.form
    found = [
        _input(number, f"input_{number}", by_label=number in allowed)
        for number in chosen_inputs(form)
    ]
    for field in LABELS:
        typed = form.get(field, "").strip()
        if typed:
            lot = input_lots.find_by_label(session, typed)
            found.append(_input(lot.id, field, by_label=True))
    return found


def _input(lot_id: int, field: str, *, by_label: bool) -> Input:
    form = request.form
    quantity = diary.read_quantity(form.get(f"{field}_quantity", ""), field="inputs")
    return Input(lot_id, quantity, form.get(f"{field}_unit"), by_label=by_label)


def _same_moment(wrong: Step | None) -> datetime | None:
    """Return when the wrong line says it happened, to the millisecond, unless it was changed."""
    if wrong is None:
        return None
    shown = typed_of(wrong, [], [])
    if any(request.form.get(field) != shown[field] for field in ("when", "day", "clock")):
        return None
    return wrong.happened_at.astimezone(datetime.strptime(wrong.zone_offset, "%z").tzinfo)


def _moment(now: datetime) -> datetime:
    """Return when it happened: as the phone's clock said, now, a day ago, or on the day typed."""
    told = request.form.get("happened_at", "")
    if told:
        return _told_moment(told)
    chosen = request.form.get("when", "today")
    local = now.astimezone(VIETNAM)
    if chosen == "today":
        return local
    if chosen == "yesterday":
        return local - timedelta(days=1)
    day = read_day("day")
    if day is None:
        raise BadStepTime(_("Choose the day."), field="day")
    return datetime.combine(day, _clock(), VIETNAM)


def _told_moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadDay(_("This day is not in the calendar."), field="happened_at") from None
    offset = moment.utcoffset()
    if offset is None or offset % timedelta(minutes=1) or moment.year < diary.FIRST_YEAR:
        raise BadDay(_("This day is not in the calendar."), field="happened_at")
    return moment


def _clock() -> time:
    text = request.form.get("clock", "").strip()
    if not text:
        return NOON
    try:
        return time.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise BadDay(_("This time is not on the clock."), field="day") from None
