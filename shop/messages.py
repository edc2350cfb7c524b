"""Letters about orders: asked for with the move they tell of, written and sent after it is kept.

One letter for each (order, template, key). A move that is rolled back asks for none; a letter that
cannot be written or sent is tried again and never touches the order.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from accounts.users import User
from catalog import members
from catalog.producers import Producer
from core import tasks
from core.db import Database
from core.i18n import lazy as _
from core.i18n import speaking
from core.mail import queue_mail
from core.money import ZERO, Money, total
from core.tasks import Work
from shop import letters, links, orders
from shop.letters import TO_PRODUCER, Facts, Template
from shop.moves import PartMoved
from shop.order_states import SellerOrderState, Verb
from shop.orders import Order, OrderEvent, SellerOrder
from shop.payments import refunds
from shop.payments.refunds import Refund, RefundState

KIND = "order.message"
AT_ONCE = 500
# How long before the answer's deadline the producer is reminded: 4 and 20 hours after the order.
REMINDERS = (timedelta(hours=20), timedelta(hours=4))
SHIP_SOON_AFTER = timedelta(hours=48)
SHIP_REMINDED = 3
NEWS: dict[Verb, tuple[Template, ...]] = {
    Verb.PAY: (Template.PAID, Template.NEW_ORDER),
    Verb.REVIVE: (Template.PAID, Template.NEW_ORDER),
    Verb.ACCEPT: (Template.ACCEPTED,),
    Verb.SHIP: (Template.SHIPPED,),
    Verb.DELIVER: (Template.DELIVERED,),
    Verb.DECLINE: (Template.CANCELLED,),
    Verb.CANCEL: (Template.CANCELLED,),
    Verb.EXPIRE: (Template.CANCELLED,),
    Verb.TIME_OUT: (Template.CANCELLED,),
    Verb.PAY_BACK: (Template.REFUNDED,),
}
_S = SellerOrderState
# What a producer may want to tell a buyer by hand, by where the order stands.
BY_HAND: dict[SellerOrderState, tuple[Template, ...]] = {
    _S.PREPARING: (Template.ACCEPTED,),
    _S.READY: (Template.ACCEPTED,),
    _S.SHIPPED: (Template.SHIPPED,),
    _S.DELIVERED: (Template.DELIVERED,),
    _S.COMPLETED: (Template.DELIVERED,),
    _S.CANCELLED: (Template.CANCELLED,),
}


@dataclass(frozen=True, slots=True)
class Copyable:
    """Words to be pasted into Zalo, with what they are for."""

    name: str
    label: object
    text: str


def on_move(session: Session, news: PartMoved) -> None:
    """Ask for the letters that tell this move, in the transaction of the move itself."""
    templates = NEWS.get(news.verb, ())
    placed = news.verb in (Verb.PLACE, Verb.CHANGE_METHOD) and news.before is not news.after
    if placed and news.after is SellerOrderState.TO_CONFIRM:
        templates = (Template.NEW_ORDER,)
    for template in templates:
        key, more = news.verb.value, {}
        if template is Template.REFUNDED:
            refund = _last_settled(session, news.part_id)
            if refund is None:
                continue
            key, more = f"refund:{refund}", {"refund": refund}
        ask(session, news.part_id, template, key=key, now=news.now, **more)


def ask(
    session: Session, part_id: int, template: Template, *, key: str, now: datetime, **more: Any
) -> None:
    """Leave the work of writing one letter; asking twice for the same one is harmless."""
    payload = {"part_id": part_id, "template": template.value, "key": key, **more}
    tasks.enqueue(session, KIND, payload, now=now, key=f"message:{part_id}:{template.value}:{key}")


def send(work: Work) -> None:
    """Write the letter in its reader's language and put it into the outbox."""
    given = work.payload
    template = Template(given["template"])
    now = work.clock()
    with work.finishing() as session:
        part = session.get_one(SellerOrder, given["part_id"])
        order = session.get_one(Order, part.order_id)
        readers = (
            _people_of(session, part.producer_id)
            if template in TO_PRODUCER
            else {"buyer": order.buyer_email}
        )
        addresses = {who: address for who, address in readers.items() if address}
        if not addresses:
            return
        with speaking("vi" if template in TO_PRODUCER else order.language):
            letter = letters.write(template, _facts(session, work, template, order, part))
        for who, address in addresses.items():
            queue_mail(
                session,
                to=address,
                subject=letter.subject,
                body=letter.body,
                key=f"order:{order.id}:{template.value}:{part.id}:{given['key']}:{who}",
                now=now,
            )


def to_copy(session: Session, order: Order, part: SellerOrder, *, link: str) -> list[Copyable]:
    """Return what can be sent to the buyer by hand now, also to one without an e-mail address."""
    facts = Facts(
        order=order,
        part=part,
        lines=orders.list_lines(session, [part.id]),
        link=link,
        amount=_owed_back(session, [part.id]),
    )
    if part.state is SellerOrderState.TO_CONFIRM:
        return [Copyable("hoi", _("To ask whether the order is right"), letters.asking(facts))]
    return [
        Copyable(template.value, _("To tell the buyer where the order stands"),
                 letters.short(template, facts))
        for template in BY_HAND.get(part.state, ())
    ]  # fmt: skip


def remind_due(database: Database, now: datetime) -> None:
    """Remind producers whose answer or parcel is awaited; twice, late or beside it is safe."""
    for number, before in enumerate(REMINDERS):
        due = (
            (SellerOrder.state == SellerOrderState.TO_CONFIRM)
            & (SellerOrder.confirm_by <= now + before)
            & (SellerOrder.confirm_by > now)
        )
        _remind(database, due, number + 1, Template.ANSWER_SOON, now=now)
    accepted = (
        select(OrderEvent.seller_order_id)
        .where(OrderEvent.verb == Verb.ACCEPT)
        .group_by(OrderEvent.seller_order_id)
        .having(func.max(OrderEvent.at) <= now - SHIP_SOON_AFTER)
    )
    waits = SellerOrder.state.in_([SellerOrderState.PREPARING, SellerOrderState.READY])
    _remind(
        database, waits & SellerOrder.id.in_(accepted), SHIP_REMINDED, Template.SHIP_SOON, now=now
    )


def _remind(
    database: Database, due: Any, number: int, template: Template, *, now: datetime
) -> None:
    with database.reading() as session:
        waiting = list(
            session.scalars(
                select(SellerOrder.id)
                .where(due, SellerOrder.reminders < number)
                .order_by(SellerOrder.id)
                .limit(AT_ONCE)
            )
        )
    for part_id in waiting:
        with database.transaction() as session:
            counted = session.scalar(
                update(SellerOrder)
                .where(SellerOrder.id == part_id, due, SellerOrder.reminders < number)
                .values(reminders=number)
                .returning(SellerOrder.id)
                .execution_options(synchronize_session=False)
            )
            if counted is not None:
                ask(session, part_id, template, key=str(number), now=now)


def _facts(
    session: Session, work: Work, template: Template, order: Order, part: SellerOrder
) -> Facts:
    given, base = work.payload, work.settings.PUBLIC_URL
    if template in TO_PRODUCER:
        producer = session.get_one(Producer, part.producer_id)
        link = f"{base}/ban-hang/{producer.slug}/don-hang/{order.code}"
    else:
        mark = links.order_mark(work.settings.SECRET_KEY, order.cart_id)
        english = "/en" if order.language == "en" else ""
        link = f"{base}{english}/don-hang/{order.code}?t={mark}"
    amount, words = _owed_back(session, [part.id]), given.get("words")
    if template is Template.REFUNDED:
        refund = session.get_one(Refund, given["refund"])
        amount, words = refund.amount, refund.reference
    return Facts(
        order=order,
        part=part,
        lines=orders.list_lines(session, [part.id]),
        link=link,
        amount=amount,
        words=words,
        agreed=bool(given.get("agreed")),
    )


def _people_of(session: Session, producer_id: int) -> dict[str, str | None]:
    people: Collection[User] = members.list_of_producer(session, producer_id)
    return {str(person.id): person.email for person in people if person.disabled_at is None}


def _owed_back(session: Session, part_ids: Collection[int]) -> Money:
    owed = refunds.of_parts(session, part_ids)
    return total(refund.amount for found in owed.values() for refund in found) or ZERO


def _last_settled(session: Session, part_id: int) -> int | None:
    return session.scalar(
        select(Refund.id)
        .where(Refund.seller_order_id == part_id, Refund.state == RefundState.SUCCEEDED)
        .order_by(Refund.settled_at.desc(), Refund.id.desc())
        .limit(1)
    )
