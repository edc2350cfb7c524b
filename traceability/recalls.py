"""Stopping lots, letting it spread, and letting them be sold again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, record
from accounts.users import Role
from catalog import lots
from catalog.lots import AlreadyRecalled, Lot, LotState
from catalog.products import Product
from catalog.variants import Variant
from core import events as news
from core.db import in_batches
from core.errors import Conflict, Forbidden
from core.i18n import lazy as _
from traceability import log, reach, recall_cases, told_lots
from traceability.keeping import LotsLinked
from traceability.reach import Way
from traceability.recall_cases import STANDING, Case, CaseKind, CaseLot, CaseState
from traceability.told_lots import Happening

describe(
    {
        "recall.open": _("recalled lots with all that was made of them"),
        "hold.open": _("held lots back with all that was made of them"),
        "recall.spread": _("added lots to a recall"),
        "recall.ask_lift": _("asked to end a recall"),
        "recall.keep": _("kept a recall up"),
        "recall.lift": _("ended a recall"),
    }
)


class WrongCode(Conflict):
    """What was typed is not the code of the lot that would be stopped."""


class NotInThatState(Conflict):
    """Somebody else moved the case on meanwhile."""


class NeedsASecond(Forbidden):
    """A recall is ended by two people: who asked for it cannot agree to it as well."""


@dataclass(frozen=True, slots=True)
class LotsStopped:
    """Lots were taken off the market by a case, just now."""

    case_id: int
    kind: CaseKind
    lot_ids: tuple[int, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class LotsFreed:
    """Lots may be sold again, from now on."""

    case_id: int
    lot_ids: tuple[int, ...]
    now: datetime


def stop(
    session: Session,
    lot: Lot,
    kind: CaseKind,
    *,
    reason: str,
    base: str,
    actor: Actor,
    now: datetime,
) -> Case:
    """Take the lot and all that was made of it off the market, at once and everywhere.

    Afterwards nothing of them can be bought, in the shop, live or through a feed; a recall also
    stands on their scan pages and calls for its buyers to be told. The same again gives the case
    that stands; a recall takes the place of a hold of the same lot. `base` is the address printed
    codes stand under. Raises NoReason, or AlreadyRecalled: a hold never softens a recall.
    """
    words = lots.checked_reason(reason)
    # Before the log is held: who writes a line takes the codes first and the log last.
    told_lots.give_codes(session, reach.closure(session, lot.id, Way.DOWN), base=base, now=now)
    _let_nobody_link(session)
    standing = recall_cases.list_begun_with(session, lot.id)
    session.refresh(lot)
    if kind is CaseKind.HOLD and lot.state is LotState.RECALLED:
        raise AlreadyRecalled(_("This lot is already recalled."))
    for before in standing:
        if before.kind is kind:
            return before
    case = Case(
        kind=kind,
        state=CaseState.OPEN,
        lot_id=lot.id,
        producer_id=_producer_of(session, lot.id),
        reason=words,
        opened_at=now,
        opened_by=actor.user_id,
        opened_by_name=actor.name,
        on_behalf_of=actor.on_behalf_of,
    )
    session.add(case)
    session.flush()  # gives the case its id
    reached = reach.closure(session, lot.id, Way.DOWN)
    _cover(session, case, reached, base=base, actor=actor, now=now)
    for before in standing:
        before.state = CaseState.REPLACED
    record(
        session,
        actor,
        f"{kind.value}.open",
        f"lot:{lot.id}",
        now=now,
        lot=lot.code,
        lots=len(reached),
        reason=words,
    )
    return case


def spread(session: Session, linked: LotsLinked) -> None:
    """Let what is made of a stopped lot join its case, also when that is written down late."""
    cases = session.scalars(
        select(Case)
        .join(CaseLot, CaseLot.case_id == Case.id)
        .where(CaseLot.lot_id.in_(linked.input_ids), Case.state.in_(STANDING))
        .distinct()
        .order_by(Case.id)
    )
    for case in cases.all():
        known = recall_cases.lots_of(session, case.id)
        away = 1 + min(known[one] for one in linked.input_ids if one in known)
        reached = reach.closure(session, linked.lot_id, Way.DOWN)
        added = {one: away + steps for one, steps in reached.items() if one not in known}
        if not added:
            continue
        _cover(session, case, added, base=linked.base, actor=linked.actor, now=linked.now)
        record(
            session,
            linked.actor,
            "recall.spread",
            f"lot:{linked.lot_id}",
            now=linked.now,
            case=case.id,
            lots=len(added),
        )


def ask_to_lift(session: Session, case: Case, *, reason: str, actor: Actor, now: datetime) -> None:
    """Ask for the end of a case; nothing is sold again before another person agrees.

    Raises NoReason, or NotInThatState.
    """
    words = lots.checked_reason(reason)
    if actor.user_id is None:
        raise NeedsASecond(_("Only someone who is logged in can ask for this."))
    _move(
        session,
        case,
        CaseState.OPEN,
        CaseState.ASKED,
        lift_reason=words,
        asked_at=now,
        asked_by=actor.user_id,
        asked_by_name=actor.name,
    )
    record(session, actor, "recall.ask_lift", f"lot:{case.lot_id}", now=now, reason=words)


def keep_up(session: Session, case: Case, *, actor: Actor, now: datetime) -> None:
    """Let a case stand although its end was asked for. Raises NotInThatState."""
    _move(
        session,
        case,
        CaseState.ASKED,
        CaseState.OPEN,
        lift_reason=None,
        asked_at=None,
        asked_by=None,
        asked_by_name=None,
    )
    record(session, actor, "recall.keep", f"lot:{case.lot_id}", now=now)


def lift(
    session: Session, case: Case, *, role: Role, base: str, actor: Actor, now: datetime
) -> list[int]:
    """Agree to the end of a case: its lots are sold again unless another case covers them.

    Only staff or the producer's own people agree, and never who asked. Returns the lots that are
    sold again. Raises NeedsASecond or NotInThatState.
    """
    if not may_agree(case, role=role, actor=actor):
        raise NeedsASecond(
            _("Someone else must agree: one of the producer's own people, or the shop's staff.")
        )
    _let_nobody_link(session)
    reason = case.lift_reason or case.reason
    _move(
        session,
        case,
        CaseState.ASKED,
        CaseState.LIFTED,
        unlike=actor.user_id,
        lifted_at=now,
        lifted_by=actor.user_id,
        lifted_by_name=actor.name,
    )
    covered = recall_cases.lots_of(session, case.id)
    recalled = recall_cases.covered_by(session, covered, CaseKind.RECALL)
    held = recall_cases.covered_by(session, covered, CaseKind.HOLD) - recalled
    still = lots.release_all(session, held, still_held=True)
    told_lots.tell(session, still, Happening.BACK_TO_HOLD, base=base, actor=actor, now=now)
    free = lots.release_all(session, covered.keys() - recalled - held)
    ended = Happening.RECALL_ENDED if case.kind is CaseKind.RECALL else Happening.HOLD_ENDED
    nearest = sorted(free, key=lambda one: covered[one])
    told_lots.tell(session, nearest, ended, base=base, actor=actor, now=now)
    record(
        session,
        actor,
        "recall.lift",
        f"lot:{case.lot_id}",
        now=now,
        lots=len(free),
        asked_by=case.asked_by_name,
        reason=reason,
    )
    news.publish(session, LotsFreed(case.id, tuple(free), now))
    return free


def may_agree(case: Case, *, role: Role, actor: Actor) -> bool:
    """Say whether this person may be the second one: staff or of the producer, and another."""
    of_the_house = actor.on_behalf_of is None or role is Role.STAFF
    return of_the_house and actor.user_id is not None and actor.user_id != case.asked_by


def check_code(lot: Lot, typed: str) -> None:
    """Raise WrongCode unless `typed` is the lot's code: nobody stops a lot by a slip."""
    if typed.strip().upper() != lot.code:
        raise WrongCode(_("Type the lot's code %(code)s to be sure.", code=lot.code), field="code")


def _let_nobody_link(session: Session) -> None:
    """Wait until nobody is writing lots into lots: every such line passes the head of the log."""
    log.wait_for_turn(session)


def _producer_of(session: Session, lot_id: int) -> int | None:
    return session.scalar(
        select(Product.producer_id)
        .join(Variant, Variant.product_id == Product.id)
        .join(Lot, Lot.variant_id == Variant.id)
        .where(Lot.id == lot_id)
    )


def _cover(
    session: Session,
    case: Case,
    reached: dict[int, int],
    *,
    base: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Put lots under a case, stop those that are not stopped yet, and have it written down."""
    for some in in_batches(reached):
        session.execute(
            insert(CaseLot),
            [{"case_id": case.id, "lot_id": one, "steps": reached[one]} for one in some],
        )
    if case.kind is CaseKind.RECALL:
        stopped = lots.recall_all(session, reached, reason=case.reason, now=now)
        happening = Happening.RECALLED
    else:
        stopped = lots.hold_all(session, reached, reason=case.reason)
        happening = Happening.HELD
    nearest = sorted(stopped, key=lambda one: reached[one])
    told_lots.tell(session, nearest, happening, base=base, actor=actor, now=now)
    news.publish(session, LotsStopped(case.id, case.kind, tuple(reached), now))


def _move(
    session: Session,
    case: Case,
    before: CaseState,
    after: CaseState,
    *,
    unlike: int | None = None,
    **facts: object,
) -> None:
    wanted = update(Case).where(Case.id == case.id, Case.state == before)
    if unlike is not None:
        wanted = wanted.where(Case.asked_by != unlike)
    moved = session.scalar(
        wanted.values(state=after, **facts)
        .returning(Case.id)
        .execution_options(synchronize_session=False)
    )
    session.expire(case)
    if moved is None:
        raise NotInThatState(_("Somebody moved this on meanwhile. Look at it again."))
