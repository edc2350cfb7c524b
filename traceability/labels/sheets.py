"""A producer's own sheets: typed from the packet once, moved until the printer hits the labels."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal, InvalidOperation

from sqlalchemy import ForeignKey, UniqueConstraint, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from core.db import Base
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _
from core.text import clean
from traceability.labels.geometry import A4, Sheet, refuse_wrong
from traceability.labels.presets import PRESETS, get_preset

describe(
    {
        "label_sheet.keep": _("kept a sheet of labels"),
        "label_sheet.remove": _("removed a sheet of labels"),
    }
)

MOST_SHEETS, MOST_DIGITS = 30, 9
LONGEST_NAME = 60
LARGEST = Decimal(300)
OWN = "rieng-"
# What people type: pieces, and millimetres with at most two decimals.
PIECES = ("columns", "rows")
LENGTHS = (
    "label_width", "label_height", "left", "top", "gap_x", "gap_y", "offset_x", "offset_y",
)  # fmt: skip


class NoSuchSheet(NotFound):
    """This producer has no such sheet."""


class BadMeasure(Invalid):
    """What stands in a field is no measure of a sheet."""


class BadSheetName(Invalid):
    """A sheet has a name to choose it by."""


class SheetNameTaken(Conflict):
    """The producer has a sheet of this name."""


class TooManySheets(Conflict):
    """More sheets than anybody chooses from."""


class LabelSheet(Base):
    """One sheet of A4 with labels, as its producer measured it; lengths in hundredths of a mm."""

    __tablename__ = "label_sheet"
    __table_args__ = (UniqueConstraint("producer_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"))
    name: Mapped[str]
    columns: Mapped[int]
    rows: Mapped[int]
    label_width: Mapped[int]
    label_height: Mapped[int]
    left: Mapped[int]
    top: Mapped[int]
    gap_x: Mapped[int]
    gap_y: Mapped[int]
    offset_x: Mapped[int] = mapped_column(default=0)
    offset_y: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    @property
    def key(self) -> str:
        """Return what forms call this sheet, beside the names of the presets."""
        return f"{OWN}{self.id}"

    @property
    def sheet(self) -> Sheet:
        """Return where its labels lie."""
        return _sheet(
            self.key,
            {name: getattr(self, name) for name in PIECES},
            {name: getattr(self, name) / 100 for name in LENGTHS},
        )


def _sheet(name: str, pieces: Mapping[str, int], lengths: Mapping[str, float]) -> Sheet:
    width, height = lengths["label_width"], lengths["label_height"]
    return Sheet(
        name,
        *A4,
        pieces["columns"],
        pieces["rows"],
        width,
        height,
        lengths["left"],
        lengths["top"],
        width + lengths["gap_x"],
        height + lengths["gap_y"],
        lengths["offset_x"],
        lengths["offset_y"],
    )


def list_sheets(session: Session, producer_id: int) -> list[LabelSheet]:
    """Return the producer's own sheets, by name."""
    own = select(LabelSheet).where(LabelSheet.producer_id == producer_id)
    return list(session.scalars(own.order_by(LabelSheet.name, LabelSheet.id)))


def get_own(session: Session, producer_id: int, sheet_id: int) -> LabelSheet:
    """Return one of the producer's own sheets, or raise NoSuchSheet."""
    own = session.get(LabelSheet, sheet_id)
    if own is None or own.producer_id != producer_id:
        raise NoSuchSheet(_("There is no such sheet."))
    return own


def get_sheet(session: Session, producer_id: int, key: str) -> Sheet:
    """Return the sheet a form names: a preset or one of the producer's own.

    Raises NoSuchSheet or NoSuchPreset.
    """
    number = key.removeprefix(OWN)
    if key.startswith(OWN) and number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS:
        return get_own(session, producer_id, int(number)).sheet
    return get_preset(key)


def choices(session: Session, producer_id: int) -> list[Sheet]:
    """Return every sheet the producer can print on, its own first."""
    own = [one.sheet for one in list_sheets(session, producer_id)]
    return [*own, *PRESETS.values()]


def typed_of(sheet: Sheet) -> dict[str, str]:
    """Return a sheet as the form shows it, for instance to begin from a preset."""
    typed = {
        one.name: _said(getattr(sheet, one.name))
        for one in fields(sheet)
        if one.name in {*PIECES, *LENGTHS}
    }
    typed["gap_x"] = _said(max(0.0, sheet.pitch_x - sheet.label_width))
    typed["gap_y"] = _said(max(0.0, sheet.pitch_y - sheet.label_height))
    return typed


def _said(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".").replace(".", ",")


def keep(
    session: Session,
    producer_id: int,
    typed: Mapping[str, str],
    *,
    actor: Actor,
    now: datetime,
    sheet_id: int | None = None,
) -> LabelSheet:
    """Keep a sheet as it was typed, a new one or in place of that of `sheet_id`.

    Raises BadSheetName, BadMeasure, WrongSheet, SheetNameTaken, TooManySheets or NoSuchSheet.
    """
    name = clean(typed.get("name", ""))
    if not name or len(name) > LONGEST_NAME:
        raise BadSheetName(_("Give the sheet a name of at most 60 letters."), field="name")
    pieces = {field: _pieces(typed, field) for field in PIECES}
    lengths = {field: _length(typed, field) for field in LENGTHS}
    refuse_wrong(_sheet(name, pieces, {field: mm / 100 for field, mm in lengths.items()}))
    values: dict[str, object] = {"name": name, **pieces, **lengths}
    try:
        with session.begin_nested():
            if sheet_id is None:
                _refuse_too_many(session, producer_id)
                own = LabelSheet(producer_id=producer_id, created_at=now, **values)
                session.add(own)
            else:
                own = get_own(session, producer_id, sheet_id)
                for field, value in values.items():
                    setattr(own, field, value)
    except IntegrityError as error:
        raise SheetNameTaken(
            _("There is already a sheet «%(name)s».", name=name), field="name"
        ) from error
    record(session, actor, "label_sheet.keep", f"label_sheet:{own.id}", now=now, name=name)
    return own


def remove(
    session: Session, producer_id: int, sheet_id: int, *, actor: Actor, now: datetime
) -> None:
    """Forget one of the producer's own sheets; prints made on it stay. Raises NoSuchSheet."""
    own = get_own(session, producer_id, sheet_id)
    session.delete(own)
    record(session, actor, "label_sheet.remove", f"label_sheet:{own.id}", now=now, name=own.name)


def _refuse_too_many(session: Session, producer_id: int) -> None:
    count = session.scalar(select(func.count()).where(LabelSheet.producer_id == producer_id))
    if count is not None and count >= MOST_SHEETS:
        raise TooManySheets(_("There are already 30 sheets: remove one first."), field="name")


def _pieces(typed: Mapping[str, str], field: str) -> int:
    text = typed.get(field, "").strip()
    if not (text.isascii() and text.isdigit() and 0 < int(text[:4]) <= LARGEST):
        raise BadMeasure(_("Write how many there are, as a whole number."), field=field)
    return int(text[:4])


def _length(typed: Mapping[str, str], field: str) -> int:
    """Return hundredths of a millimetre; 38,1 and 38.1 are the same."""
    text = typed.get(field, "").strip().replace(",", ".").replace("−", "-") or "0"
    try:
        length = Decimal(text)
    except InvalidOperation:
        length = Decimal("NaN")
    lowest = -LARGEST if field.startswith("offset") else Decimal(0)
    if not length.is_finite() or not lowest <= length <= LARGEST:
        raise BadMeasure(_("Write millimetres, such as 38,1."), field=field)
    return round(length * 100)
