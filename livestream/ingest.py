"""What happens to one comment: kept, read, and where the rules are sure, turned into a claim.

One transaction a comment: a killed process leaves the comment whole with its claims, or unseen.
"""

from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, record
from core.errors import Conflict, NotFound
from core.i18n import lazy as _
from livestream import claims, comments, shows
from livestream.claims import Bag, Claim, ClaimState
from livestream.comments import Arrival, Comment, Lane
from livestream.parsing import Item, Parsed, ShowCodes, parse
from livestream.shows import Show, ShowItem, ShowState

describe(
    {
        "comment.accept": _("reserved for a comment"),
        "comment.dismiss": _("skipped a comment"),
    }
)

SAME_WORDS = timedelta(seconds=60)
MOST_PER_LINE = 10


class HandledMeanwhile(Conflict):
    """Another operator was quicker with this comment."""


class UnknownComment(NotFound):
    """The show has no such comment."""


def codes_of(items: list[ShowItem]) -> ShowCodes:
    """Return what the parser must know of a show's items."""
    return ShowCodes.from_json(
        {
            "products": {
                item.code: {
                    "name": item.name,
                    "unit": item.unit,
                    "aliases": [alias for alias in item.aliases.split("|") if alias],
                    "variants": [option for option in item.options.split("|") if option],
                }
                for item in items
            }
        }
    )


def take_comment(
    session: Session, show: Show, items: list[ShowItem], codes: ShowCodes, arrival: Arrival
) -> Comment | None:
    """Keep a comment and act on it; None when it was already here (nothing happens twice)."""
    parsed = parse(
        arrival.text,
        codes,
        pinned=shows.on_screen(show, at=arrival.created_at),
        author=arrival.author,
    )
    lane = Lane(parsed.lane)
    outcome = _not_by_rule(show, arrival, parsed) if lane is Lane.AUTO else ""
    comment = comments.keep(
        session,
        show.id,
        arrival,
        intent=parsed.intent.value,
        lane=Lane.REVIEW if outcome else lane,
        parsed=parsed.to_json(),
        outcome=outcome,
    )
    if comment is None:
        return None
    if parsed.phone and comment.external_user:
        # A number typed alone belongs to the bag that is already there.
        claims.note_phone(session, show.id, comment, parsed.phone)
    if comment.lane is Lane.AUTO:
        _act(session, show, items, comment, parsed, now=arrival.received_at)
    return comment


def _not_by_rule(show: Show, arrival: Arrival, parsed: Parsed) -> str:
    """Return why a person must decide although the words are clear; empty when the rules may."""
    if show.state is not ShowState.LIVE:
        return "late"
    if arrival.external_user is None:
        return "nobody"
    if any((item.qty or 0) > MOST_PER_LINE for item in parsed.items):
        return "many"
    return ""


def _act(
    session: Session,
    show: Show,
    items: list[ShowItem],
    comment: Comment,
    parsed: Parsed,
    *,
    now: datetime,
) -> None:
    by_code = {item.code: item for item in items}
    bag = claims.bag_of(session, show, comment, phone=parsed.phone, now=now)
    if parsed.intent == "cancel":
        comment.outcome = _cancel(session, bag, by_code, parsed.items, now=now)
        return
    if _just_said(session, show, comment, now=now):
        comment.outcome = "already"
        return
    claims.lock(session, [by_code[item.code] for item in parsed.items])
    made = [
        one
        for item in parsed.items
        for one in claims.claim(
            session,
            by_code[item.code],
            bag,
            comment,
            quantity=item.qty or 1,
            note=item.note,
            now=now,
        )
    ]
    waits = any(one.state is ClaimState.WAITING for one in made)
    comment.outcome = "waiting" if waits else "held"


def _just_said(session: Session, show: Show, comment: Comment, *, now: datetime) -> bool:
    """Say whether this buyer's same words claimed within the last minute: a nervous repeat."""
    earlier = select(Comment.id).where(
        Comment.show_id == show.id,
        Comment.platform == comment.platform,
        Comment.external_user == comment.external_user,
        Comment.text == comment.text,
        Comment.id < comment.id,
        Comment.received_at > now - SAME_WORDS,
        Comment.outcome.in_(("held", "waiting")),
    )
    return session.scalar(earlier.limit(1)) is not None


def _cancel(
    session: Session,
    bag: Bag,
    by_code: dict[str, ShowItem],
    items: tuple[Item, ...] | list[Item],
    *,
    now: datetime,
) -> str:
    """Let go what the buyer takes back; without a code, everything. Return what happened."""
    ended = 0
    touched = [(by_code[item.code], item.qty) for item in items]
    touched = touched or [(show_item, None) for show_item in by_code.values()]
    claims.lock(session, [show_item for show_item, _quantity in touched])
    for show_item, quantity in touched:
        mine = claims.open_claims(session, bag.id, item_id=show_item.id)
        ended += claims.take_back(session, mine, quantity)
        claims.serve_waiting(session, show_item, now=now)
    return "released" if ended else "nothing"


def accept(
    session: Session,
    show: Show,
    comment_id: int,
    *,
    code: str,
    quantity: int,
    actor: Actor,
    now: datetime,
) -> Comment:
    """Claim for a waiting comment what an operator read in it, once.

    An edited comment then holds that and no more: what its old words held counts towards it.
    """
    comment = session.get(Comment, comment_id)
    if comment is None or comment.show_id != show.id:
        raise UnknownComment(_("This comment is not in this show."))
    if not comments.take_in_hand(session, comment_id, show.id, now=now):
        raise HandledMeanwhile(_("Someone has already handled this comment."))
    item = session.scalar(
        select(ShowItem).where(ShowItem.show_id == show.id, ShowItem.code == code)
    )
    if item is None:
        raise shows.UnknownItem(_("This show has no item %(code)s.", code=code))
    if comment.external_user is None:
        # A nameless buyer is never merged with another: the comment itself is the person.
        comment.external_user = f"?{comment.external_id}"
    bag = claims.bag_of(session, show, comment, phone=None, now=now)
    _hold_as_read(session, item, bag, comment, quantity, now=now)
    mine = claims.open_claims(session, bag.id, comment_id=comment.id)
    waits = any(one.state is ClaimState.WAITING for one in mine)
    comment.outcome = "waiting" if waits else "held"
    record(
        session,
        actor,
        "comment.accept",
        f"show:{show.id}",
        now=now,
        comment=comment_id,
        code=code,
        quantity=quantity,
    )
    return comment


def _hold_as_read(
    session: Session, item: ShowItem, bag: Bag, comment: Comment, quantity: int, *, now: datetime
) -> None:
    claimed = select(Claim.item_id).where(Claim.comment_id == comment.id)
    items = session.scalars(
        select(ShowItem).where(or_(ShowItem.id == item.id, ShowItem.id.in_(claimed)))
    ).all()
    claims.lock(session, items)
    mine = claims.open_claims(session, bag.id, comment_id=comment.id)
    claims.let_go(session, [one for one in mine if one.item_id != item.id])
    same = [one for one in mine if one.item_id == item.id]
    more = quantity - sum(one.quantity for one in same)
    if more > 0:
        claims.claim(session, item, bag, comment, quantity=more, note="", now=now)
    else:
        claims.take_back(session, same, -more)
    for other in items:
        claims.serve_waiting(session, other, now=now)


def dismiss(session: Session, show: Show, comment_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a waiting comment off the list without a claim, once."""
    if not comments.take_in_hand(session, comment_id, show.id, now=now):
        raise HandledMeanwhile(_("Someone has already handled this comment."))
    record(session, actor, "comment.dismiss", f"show:{show.id}", now=now, comment=comment_id)
