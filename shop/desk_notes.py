"""What a desk writes down for itself about an order; it is never printed and no buyer reads it."""

from datetime import datetime

from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, record
from core.errors import Invalid
from core.i18n import lazy as _
from core.text import clean
from shop import moves
from shop.orders import Order, SellerOrder

describe({"order.note": _("wrote a note on an order")})

LONGEST = 500


class NoteTooLong(Invalid):
    """A note is read at a glance."""


def write(
    session: Session, order: Order, part: SellerOrder, text: str, *, actor: Actor, now: datetime
) -> bool:
    """Let the part carry this note, or none for an empty text; False if it did already."""
    note = clean(text) or None
    if note is not None and len(note) > LONGEST:
        raise NoteTooLong(_("At most %(most)s letters.", most=LONGEST), field="internal_note")
    moves.lock(session, order.id)
    if part.internal_note == note:
        return False
    part.internal_note = note
    session.flush()
    record(session, actor, "order.note", f"order:{order.code}", now=now, order=order.code)
    return True
