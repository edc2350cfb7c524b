"""A person's own data: everything the shop holds of them, and how they vanish from it.

Each floor tells and forgets its own; the tables are in wsgi.py. Orders, payments and the lot books
stay, without a name: the law wants the first two kept, and proofs must go on holding.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from accounts import audit, consents, second_factors, sessions, tokens, users
from accounts.audit import Act, Actor
from accounts.second_factors import RecoveryCode, SecondFactor
from accounts.users import Role, User
from core.errors import Conflict
from core.i18n import lazy as _

GONE = "—"
ACTS_TOLD = 10_000

audit.describe({"user.erased": _("erased an account at its person's wish")})

# Gives what one floor holds of a person: heading → what stands there.
Teller = Callable[[Session, int], dict[str, Any]]
# Takes a person's name out of what one floor keeps; may refuse with StillNeeded.
Eraser = Callable[[Session, int, datetime], None]


class StillNeeded(Conflict):
    """Something is under way that needs this person's name; afterwards it can go."""


def tell_all(session: Session, user_id: int, tellers: Sequence[Teller]) -> dict[str, Any]:
    """Return everything the shop holds of a person, for them to keep."""
    told: dict[str, Any] = {}
    for tell in tellers:
        told.update(tell(session, user_id))
    return told


def tell(session: Session, user_id: int) -> dict[str, Any]:
    """Return the account, its log-ins, consents and acts."""
    user = users.get(session, user_id)
    acts = audit.list_acts(session, actor_id=user_id, limit=ACTS_TOLD)
    return {
        "account": {
            "name": user.name,
            "phone": user.phone,
            "email": user.email,
            "role": user.role.value,
            "opened": user.created_at.isoformat(),
            "log_in_code": second_factors.is_on(session, user_id),
        },
        "consents": [
            {
                "to": one.matter.value,
                "version": one.version,
                "given": one.given_at.isoformat(),
                "taken_back": one.taken_back_at.isoformat() if one.taken_back_at else None,
            }
            for one in consents.list_of(session, user_id)
        ],
        "acts": [
            {"at": act.at.isoformat(), "verb": act.verb, "subject": act.subject} for act in acts
        ],
    }


def erase_all(session: Session, user: User, erasers: Sequence[Eraser], *, now: datetime) -> None:
    """Take a person out of the shop at their own wish: log-ins end, names go, orders stay.

    Raises StillNeeded, and then nothing changed.
    """
    if user.role is Role.STAFF:
        raise StillNeeded(_("Staff leave first: another of the staff changes the role."))
    for erase in erasers:
        erase(session, user.id, now)
    subject = f"user:{user.id}"
    audit.record(session, Actor(user.id, GONE), "user.erased", subject, now=now)


def erase(session: Session, user_id: int, now: datetime) -> None:
    """Close the account, and take name, phone and e-mail from it and from the acts."""
    user = users.get(session, user_id)
    user.name, user.phone, user.password_hash = GONE, None, None
    # Someone must be named by a phone or an address; this one leads nowhere (RFC 6761).
    user.email = f"{user_id}@gone.invalid"
    user.phone_proved_at, user.disabled_at = None, now
    session.flush()
    sessions.end_all(session, user_id)
    tokens.end_all(session, user_id)
    session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    for matter in consents.Matter:
        consents.take_back(session, user, matter, now=now)
    session.execute(update(Act).where(Act.actor_id == user_id).values(actor_name=GONE))
    session.execute(update(Act).where(Act.subject == f"user:{user_id}").values(detail={}))
