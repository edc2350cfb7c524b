"""What the lot books hold of a person: the lines they wrote, and the name that can go from them."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM
from traceability import erasing
from traceability.diary import Step
from traceability.erasing import NobodyOfThatName


def tell(session: Session, user_id: int) -> dict[str, Any]:
    """Return the diary lines a person wrote."""
    lines = session.scalars(select(Step).where(Step.entered_by == user_id).order_by(Step.id))
    return {
        "diary_lines": [
            {"lot": line.lot_id, "at": line.happened_at.isoformat(), "kind": line.kind.value}
            for line in lines
        ]
    }


def erase(session: Session, user_id: int, now: datetime) -> None:
    """Take a person's name from the books; lines and proofs stay."""
    with suppress(NobodyOfThatName):
        erasing.erase_name(session, user_id, actor=SYSTEM, now=now)
