"""What the catalogue holds of a person: the producers they belong to, the communes they help in."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from accounts.own_data import StillNeeded
from catalog import grants, members
from catalog.grants import Grant, Refused
from catalog.identities import SellerIdentity
from catalog.joining import JoinFile, JoinState
from catalog.members import Member
from catalog.producers import Producer, ProducerState
from core.db import Database
from core.i18n import lazy as _

# A file that nobody sent for a year is not going to be sent.
DRAFTS_KEPT = timedelta(days=365)


def tell(session: Session, user_id: int) -> dict[str, Any]:
    """Return the producers and grants of a person."""
    return {
        "producers": [
            {
                "name": one.name,
                "state": one.state.value,
                "tax_number": one.tax_number,
                "bank_account": one.bank_account,
            }
            for one in members.list_own_producers(session, user_id)
        ],
        "helps_in": [
            {"commune": commune.name, "since": grant.given_at.isoformat()}
            for grant, _helper, commune in grants.list_active(session, helper_id=user_id)
        ],
    }


def erase(session: Session, user_id: int, now: datetime) -> None:
    """Take a person from producers and grants. Raises StillNeeded for the last of a seller."""
    for place in members.list_own_producers(session, user_id):
        alone = len(members.list_of_producer(session, place.id)) == 1
        if alone and place.state is ProducerState.APPROVED:
            raise StillNeeded(
                _("%(producer)s still sells under this account alone. Ask the staff to end "
                  "its selling first.", producer=place.name)
            )  # fmt: skip
    session.execute(delete(Member).where(Member.user_id == user_id))
    session.execute(delete(Refused).where(Refused.helper_id == user_id))
    session.execute(
        update(Grant)
        .where(Grant.helper_id == user_id, Grant.ended_at.is_(None))
        .values(ended_at=now, ended_by=user_id)
    )
    _forget_drafts(session, JoinFile.asked_by == user_id)


def forget_old(database: Database, now: datetime) -> None:
    """Forget who stood behind files that were begun long ago and never approved."""
    with database.transaction() as session:
        _forget_drafts(session, JoinFile.begun_at < now - DRAFTS_KEPT)


def _forget_drafts(session: Session, which: ColumnElement[bool]) -> None:
    drafts = session.scalars(
        select(JoinFile.producer_id)
        .join(Producer, Producer.id == JoinFile.producer_id)
        .where(which, Producer.state == ProducerState.PENDING, JoinFile.state != JoinState.SENT)
    ).all()
    session.execute(delete(SellerIdentity).where(SellerIdentity.producer_id.in_(drafts)))
    gone = {"phone": None, "bank_account": None, "bank_holder": None, "tax_number": None}
    session.execute(
        update(Producer)
        .where(Producer.id.in_(drafts))
        .values(**gone)
        .execution_options(synchronize_session=False)
    )
