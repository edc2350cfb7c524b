"""Lots: what was made together, with its dates. A recalled or held lot is never sold."""

import enum
import re
from collections.abc import Iterable
from datetime import date, datetime
from itertools import count

from sqlalchemy import ForeignKey, UniqueConstraint, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from core.db import Base, in_batches, word
from core.errors import Conflict, Invalid
from core.i18n import lazy as _
from core.text import clean

describe(
    {
        "lot.hold": _("held a lot back"),
        "lot.recall": _("recalled a lot"),
    }
)

CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,19}")
LONGEST_REASON = 500
MOST_PIECES = 10_000_000


class LotState(enum.StrEnum):
    """Only an active lot that has not expired may be sold."""

    ACTIVE = "active"
    HELD = "held"
    RECALLED = "recalled"


class BadLotCode(Invalid):
    """The code cannot stand on a label: only A-Z, 0-9 and hyphens, at most 20."""


class LotCodeTaken(Conflict):
    """This variant already has a lot of that code."""


class BadLotDates(Invalid):
    """The dates of a lot contradict each other or the calendar."""


class BadLotSize(Invalid):
    """A lot holds at least one piece."""


class NoReason(Invalid):
    """A recall or a hold says why."""


class AlreadyRecalled(Conflict):
    """The lot is recalled; nothing milder can be said of it any more."""


class Lot(Base):
    """One lot of one variant; `code` is what stands on the label, [A-Z0-9-] only."""

    __tablename__ = "lot"
    __table_args__ = (UniqueConstraint("variant_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"), index=True)
    code: Mapped[str]
    state: Mapped[LotState] = mapped_column(word(LotState), default=LotState.ACTIVE)
    produced_on: Mapped[date | None]
    packed_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    quantity: Mapped[int | None]
    recall_reason: Mapped[str | None]
    recalled_at: Mapped[datetime | None]
    is_sample: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


def suggest_code(session: Session, variant_id: int, sku: str, *, made_on: date) -> str:
    """Return a code no lot of the variant has: letters of its SKU, year, month and a number."""
    letters = re.sub(r"[^A-Z0-9]", "", sku.upper())[:6] or "LO"
    stem = f"{letters}-{made_on:%y%m}-"
    taken = set(
        session.scalars(
            select(Lot.code).where(Lot.variant_id == variant_id, Lot.code.startswith(stem))
        )
    )
    return next(code for n in count(1) if (code := f"{stem}{n:02d}") not in taken)


def open_lot(
    session: Session,
    variant_id: int,
    *,
    code: str,
    produced_on: date | None,
    expires_on: date | None,
    quantity: int,
    now: datetime,
    packed_on: date | None = None,
    is_sample: bool = False,
) -> Lot:
    """Write a new active lot; nothing lies on a shelf yet.

    Raises BadLotCode, LotCodeTaken, BadLotDates or BadLotSize, each naming its field.
    """
    code = clean(code).upper()
    if not CODE.fullmatch(code):
        raise BadLotCode(_("Use only letters A-Z, digits and hyphens, at most 20."), field="code")
    if session.scalar(select(Lot.id).where(Lot.variant_id == variant_id, Lot.code == code)):
        raise _taken(code)
    if produced_on and expires_on and expires_on < produced_on:
        raise BadLotDates(_("The expiry date lies before the day of making."), field="expires_on")
    if not 0 < quantity <= MOST_PIECES:
        raise BadLotSize(_("Write how many there are, at least 1."), field="quantity")
    lot = Lot(
        variant_id=variant_id,
        code=code,
        produced_on=produced_on,
        packed_on=packed_on,
        expires_on=expires_on,
        quantity=quantity,
        is_sample=is_sample,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(lot)
    except IntegrityError as error:
        # Another wrote the same code since we looked.
        raise _taken(code) from error
    return lot


def _taken(code: str) -> LotCodeTaken:
    return LotCodeTaken(_("There is already a lot %(code)s.", code=code), field="code")


def hold(session: Session, lot: Lot, *, reason: str, actor: Actor, now: datetime) -> None:
    """Stop the sale of the lot while it is looked into; holding twice is harmless.

    Raises NoReason, or AlreadyRecalled: a hold never softens a recall.
    """
    if hold_all(session, [lot.id], reason=reason):
        _record(session, lot, "lot.hold", reason, actor=actor, now=now)
    elif lot.state is LotState.RECALLED:
        raise AlreadyRecalled(_("This lot is already recalled."))


def recall(session: Session, lot: Lot, *, reason: str, actor: Actor, now: datetime) -> None:
    """Recall the lot: not sold from this moment on, and its scan page says so with the reason.

    Recalling twice is harmless: the first reason and moment stay. Raises NoReason.
    """
    if recall_all(session, [lot.id], reason=reason, now=now):
        _record(session, lot, "lot.recall", reason, actor=actor, now=now)


def hold_all(session: Session, lot_ids: Iterable[int], *, reason: str) -> list[int]:
    """Hold back those of these lots that are sold; return them. Raises NoReason.

    Who stops or frees many lots writes down who did it, once for all of them.
    """
    checked_reason(reason)
    return _move_all(session, lot_ids, {LotState.ACTIVE}, LotState.HELD)


def recall_all(
    session: Session, lot_ids: Iterable[int], *, reason: str, now: datetime
) -> list[int]:
    """Recall those of these lots that are not yet recalled; return them. Raises NoReason."""
    words = checked_reason(reason)
    return _move_all(
        session,
        lot_ids,
        {LotState.ACTIVE, LotState.HELD},
        LotState.RECALLED,
        recall_reason=words,
        recalled_at=now,
    )


def release_all(session: Session, lot_ids: Iterable[int], *, still_held: bool = False) -> list[int]:
    """Let stopped lots be sold again, or only held if `still_held`; return those that changed.

    Who may decide so, and why, is the caller's to check and to write down.
    """
    stopped = {LotState.RECALLED} if still_held else {LotState.HELD, LotState.RECALLED}
    to = LotState.HELD if still_held else LotState.ACTIVE
    return _move_all(session, lot_ids, stopped, to, recall_reason=None, recalled_at=None)


def checked_reason(reason: str) -> str:
    """Return the words of a reason, tidied, or raise NoReason."""
    words = clean(reason)
    if not words or len(words) > LONGEST_REASON:
        raise NoReason(_("Say why, in at most 500 letters."), field="reason")
    return words


def _move_all(
    session: Session, lot_ids: Iterable[int], allowed: set[LotState], to: LotState, **facts: object
) -> list[int]:
    moved: list[int] = []
    for some in in_batches(lot_ids):
        changed = session.scalars(
            update(Lot)
            .where(Lot.id.in_(some), Lot.state.in_(allowed))
            .values(state=to, **facts)
            .returning(Lot.id)
            .execution_options(synchronize_session=False)
        )
        moved += sorted(changed)
        for lot_id in some:
            known = session.identity_map.get(session.identity_key(Lot, lot_id))
            if known is not None:
                session.expire(known)
    return moved


def _record(
    session: Session, lot: Lot, verb: str, reason: str, *, actor: Actor, now: datetime
) -> None:
    record(session, actor, verb, f"lot:{lot.id}", now=now, reason=checked_reason(reason))
