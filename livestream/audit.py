"""Proof that live shows and the shelf agree: what is held for a bag is held once, and by somebody.

Asked by `flask audit` after the shop's own rules; each check gives the rows that break its rule.
"""

from collections.abc import Callable, Iterator

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from catalog.stock import OPEN, Reservation
from livestream.claims import Claim, ClaimHold, ClaimState
from livestream.shows import ShowItem
from shop.audit import Finding
from shop.orders import LineHold


def find_faults(session: Session) -> list[Finding]:
    """Return every fault of the live shows; none means that claims and stock agree."""
    return [Finding(rule, what) for rule, check in CHECKS.items() for what in check(session)]


def _caps_count_the_claims(session: Session) -> Iterator[str]:
    claimed = (
        select(Claim.item_id, func.sum(Claim.quantity).label("held"))
        .where(Claim.state == ClaimState.HELD)
        .group_by(Claim.item_id)
        .subquery()
    )
    total = func.coalesce(claimed.c.held, 0)
    rows = session.execute(
        select(ShowItem.id, ShowItem.held, total)
        .outerjoin(claimed, claimed.c.item_id == ShowItem.id)
        .where(ShowItem.held != total)
    )
    for item_id, held, sum_of_claims in rows:
        yield f"item {item_id}: {held} held, but its claims hold {sum_of_claims}"


def _claims_hold_what_they_say(session: Session) -> Iterator[str]:
    held = (
        select(ClaimHold.claim_id, func.sum(Reservation.quantity).label("held"))
        .join(Reservation, Reservation.id == ClaimHold.reservation_id)
        .where(Reservation.state.in_(OPEN))
        .group_by(ClaimHold.claim_id)
        .subquery()
    )
    total = func.coalesce(held.c.held, 0)
    wanted = case((Claim.state == ClaimState.HELD, Claim.quantity), else_=0)
    rows = session.execute(
        select(Claim.id, wanted, total)
        .outerjoin(held, held.c.claim_id == Claim.id)
        .where(total != wanted)
    )
    for claim_id, quantity, on_shelf in rows:
        yield f"claim {claim_id}: should hold {quantity}, but {on_shelf} are set aside for it"


def _every_hold_has_one_owner(session: Session) -> Iterator[str]:
    of_line, of_claim = LineHold.reservation_id, ClaimHold.reservation_id
    rows = session.scalars(
        select(Reservation.id)
        .outerjoin(LineHold, of_line == Reservation.id)
        .outerjoin(ClaimHold, of_claim == Reservation.id)
        .where(
            Reservation.state.in_(OPEN),
            or_(
                of_line.is_(None) & of_claim.is_(None),
                of_line.is_not(None) & of_claim.is_not(None),
            ),
        )
    )
    for reservation_id in rows:
        yield f"reservation {reservation_id}: open, but not of exactly one order line or claim"


CHECKS: dict[str, Callable[[Session], Iterator[str]]] = {
    "what a show holds is the sum of its claims": _caps_count_the_claims,
    "a claim holds what it says": _claims_hold_what_they_say,
    "every hold has one owner": _every_hold_has_one_owner,
}
