"""What the operator's console shows, in a fixed number of queries."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.stock import free_of_variants
from livestream import claims, comments, shows
from livestream.claims import Bag, Claim, ClaimState
from livestream.comments import Comment
from livestream.goods import for_sale
from livestream.shows import Show, ShowItem

RECENT = 20
SHOWN_WAITING = 12
# Rivals read over the shoulder: no screen of a show spells out a buyer's number.
_NUMBER = re.compile(r"(?<!\d)(?:\+?84|0)(?:[\s.\-]?\d){7,}")


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item; `left` is what both the show's cap and the shop's shelf can still give.

    `sold` says whether the shop sells it at all now.
    """

    item: ShowItem
    left: int
    waiting: int
    sold: bool


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One fresh claim: bag number and words, never a name or a phone."""

    bag_no: int
    code: str
    quantity: int
    note: str
    state: ClaimState
    text: str


@dataclass(frozen=True, slots=True)
class Console:
    """Everything on the console at one moment."""

    show: Show
    items: list[ItemLine]
    waiting: list[Comment]
    waiting_count: int
    recent: list[ClaimLine]


def read_console(session: Session, show: Show, *, now: datetime) -> Console:
    """Return the console of a show: seven queries, however many people typed."""
    return Console(
        show,
        list_lines(session, show.id, now=now),
        comments.list_waiting(session, show.id, limit=SHOWN_WAITING),
        comments.count_waiting(session, show.id),
        _recent(session, show.id),
    )


def list_lines(session: Session, show_id: int, *, now: datetime) -> list[ItemLine]:
    """Return the items of a show with what is left: a jar that the shop sold is not left here."""
    items = shows.list_items(session, show_id)
    units = claims.units_by_state(session, show_id)
    wanted = [item.variant_id for item in items]
    free = free_of_variants(session, wanted, now=now)
    sold = for_sale(session, wanted)
    return [
        ItemLine(
            item,
            min(item.cap - item.held, free[item.variant_id]) if item.variant_id in sold else 0,
            units.get((item.id, ClaimState.WAITING), 0),
            item.variant_id in sold,
        )
        for item in items
    ]


def without_numbers(text: str) -> str:
    """Return a comment's words with every long number cut down to its last three digits."""
    return _NUMBER.sub(lambda found: "•••" + found.group()[-3:], text)


def _recent(session: Session, show_id: int) -> list[ClaimLine]:
    rows = session.execute(
        select(Bag.bag_no, ShowItem.code, Claim.quantity, Claim.note, Claim.state, Comment.text)
        .join(Bag, Bag.id == Claim.bag_id)
        .join(ShowItem, ShowItem.id == Claim.item_id)
        .join(Comment, Comment.id == Claim.comment_id)
        .where(Claim.show_id == show_id)
        .order_by(Claim.id.desc())
        .limit(RECENT)
    )
    return [ClaimLine(*row) for row in rows]
