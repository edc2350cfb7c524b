"""The same act on many orders at once: each is judged by itself, none drags another along."""

import enum
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Actor
from core.db import Database
from core.errors import Refusal
from core.i18n import lazy as _
from shop import fulfilment, orders, slips
from shop.orders import Order, SellerOrder
from shop.slips import PRINTABLE, Form

MOST = 200


class Act(enum.StrEnum):
    """What may be done to many orders; the values stand in forms."""

    ACCEPT = "nhan-don"
    PACK = "dong-goi"
    SHIP = "gui"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one order: done, or why not."""

    code: str
    done: bool
    why: str = ""


def do(
    database: Database,
    producer_id: int,
    codes: Sequence[str],
    act: Act,
    *,
    called_buyer: bool,
    actor: Actor,
    now: datetime,
) -> list[Outcome]:
    """Do `act` to every order of the producer in a transaction of its own; tell what became of it.

    An order that stood further already is told so and left alone. Of more than MOST orders the
    rest is not touched.
    """
    work = _work(act, called_buyer=called_buyer, actor=actor, now=now)
    outcomes = []
    for code in list(dict.fromkeys(codes))[:MOST]:
        try:
            with database.transaction() as session:
                order, part = orders.get_part(session, code, producer_id)
                done = work(session, order, part)
        except Refusal as refusal:
            outcomes.append(Outcome(code, done=False, why=str(refusal.message or refusal)))
        else:
            why = "" if done else str(_("Had been done before."))
            outcomes.append(Outcome(code, done=done, why=why))
    return outcomes


def _work(
    act: Act, *, called_buyer: bool, actor: Actor, now: datetime
) -> Callable[[Session, Order, SellerOrder], bool]:
    if act is Act.ACCEPT:
        return lambda session, order, part: fulfilment.accept(
            session, order, part, called_buyer=called_buyer, actor=actor, now=now
        )
    verb = fulfilment.pack if act is Act.PACK else fulfilment.ship
    return lambda session, order, part: verb(session, order, part, actor=actor, now=now)


def print_many(
    session: Session,
    producer_id: int,
    codes: Sequence[str],
    forms: Collection[Form],
    *,
    now: datetime,
) -> bytes:
    """Return one PDF of the producer's orders under these codes, at most MOST of them.

    What does not go out, or is not the producer's, is left out; the last page then says so.
    """
    wanted = list(dict.fromkeys(codes))[:MOST]
    rows = session.execute(
        select(Order.code, SellerOrder.id)
        .join(SellerOrder, SellerOrder.order_id == Order.id)
        .where(
            Order.code.in_(wanted),
            SellerOrder.producer_id == producer_id,
            SellerOrder.state.in_(PRINTABLE),
        )
    )
    part_of = {code: part_id for code, part_id in rows}  # noqa: C416 - dict() of rows is untyped
    part_ids = [part_of[code] for code in wanted if code in part_of]
    left_out = [code for code in wanted if code not in part_of]
    return slips.print_parts(session, part_ids, forms, left_out=left_out, now=now)
