"""Asking to visit: a homestay, a tour, an afternoon at the kiln. A request, not a booking.

The maker answers; nothing is paid here. Who asked is forgotten some time after the day.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from accounts.phones import parse_phone
from catalog.duties import Duty
from catalog.producers import Producer, ProducerState
from catalog.products import NoSuchProduct, OcopGroup, Product, ProductState
from core.clock import vietnam_day
from core.db import Base, Database, word
from core.errors import Conflict, Invalid, NotFound, Refusal
from core.i18n import lazy as _
from core.i18n import mark, show_day, speaking
from core.mail import checked_address, queue_mail
from core.text import clean

describe(
    {
        "visit.accepted": _("said yes to a visit"),
        "visit.declined": _("said no to a visit"),
    }
)

_Read = TypeVar("_Read")
MOST_PEOPLE = 200
FURTHEST = timedelta(days=365)
KEPT = timedelta(days=180)
PAGE = 30
LONGEST_NAME, LONGEST_WORDS = 100, 1_000


class VisitState(enum.StrEnum):
    """asked → accepted | declined."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class WrongVisit(Invalid):
    """A field of the request cannot be right."""


class NotToVisit(NotFound):
    """These goods are no tour, stay or workshop that takes visitors."""


class NoSuchVisit(NotFound):
    """This producer was not asked for such a visit."""


class AlreadyAnswered(Conflict):
    """Somebody at the desk answered this request before."""


class VisitRequest(Base):
    """One wish to come: the day, how many, and how to reach who asks."""

    __tablename__ = "visit_request"
    __table_args__ = (
        Index("ix_visit_request_desk", "producer_id", "id"),
        CheckConstraint("people > 0", name="people"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    day: Mapped[date]
    people: Mapped[int]
    name: Mapped[str]
    phone: Mapped[str]
    email: Mapped[str | None]
    note: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="vi")
    state: Mapped[VisitState] = mapped_column(word(VisitState), default=VisitState.ASKED)
    answer: Mapped[str | None]
    answered_by: Mapped[str | None]
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, read: nothing in it can be wrong any more."""

    day: date
    people: int
    name: str
    phone: str
    email: str | None
    note: str | None


def read_form(form: Mapping[str, str], *, now: datetime) -> tuple[Asked | None, dict[str, str]]:
    """Return what the form asks, or None with what is wrong at each field."""
    wrong: dict[str, str] = {}

    def kept(field: str, read: Callable[[str], _Read]) -> _Read | None:
        try:
            return read(form.get(field, "").strip())
        except Refusal as refusal:
            wrong[field] = str(refusal.message)
            return None

    today = vietnam_day(now)
    day = kept("day", lambda text: _day(text, today))
    people = kept("people", _people)
    name = kept("name", _name)
    phone = kept("phone", parse_phone)
    email = kept("email", lambda text: checked_address(text, field="email") if text else None)
    if wrong or day is None or people is None or name is None or phone is None:
        return None, wrong
    note = clean(form.get("note", ""))[:LONGEST_WORDS] or None
    return Asked(day, people, name, phone, email, note), {}


def get_product(session: Session, slug: str) -> tuple[Product, Producer]:
    """Return what can be visited and its maker.

    Raises NoSuchProduct, or NotToVisit for goods that are sent rather than visited.
    """
    row = session.execute(
        select(Product, Producer)
        .join(Producer, Producer.id == Product.producer_id)
        .where(
            Product.slug == slug,
            Product.state == ProductState.LIVE,
            Producer.state == ProducerState.APPROVED,
        )
    ).one_or_none()
    if row is None:
        raise NoSuchProduct(_("There are no goods at this address."))
    product, producer = row
    if product.group is not OcopGroup.TOURISM:
        raise NotToVisit(_("These goods are sent, not visited."))
    return product, producer


def ask(
    session: Session, product: Product, asked: Asked, *, language: str, now: datetime
) -> VisitRequest:
    """Leave the request on the maker's desk."""
    request = VisitRequest(
        producer_id=product.producer_id,
        product_id=product.id,
        day=asked.day,
        people=asked.people,
        name=asked.name,
        phone=asked.phone,
        email=asked.email,
        note=asked.note,
        language=language,
        asked_at=now,
    )
    session.add(request)
    session.flush()
    return request


def list_of_producer(
    session: Session, producer_id: int, *, before: int | None
) -> tuple[list[tuple[VisitRequest, Product]], int | None]:
    """Return one page of requests, the newest first, and the id the next page begins below."""
    rows = session.execute(
        select(VisitRequest, Product)
        .join(Product, Product.id == VisitRequest.product_id)
        .where(
            VisitRequest.producer_id == producer_id,
            VisitRequest.id < before if before else VisitRequest.id.is_not(None),
        )
        .order_by(VisitRequest.id.desc())
        .limit(PAGE + 1)
    ).all()
    page = [(request, product) for request, product in rows[:PAGE]]
    return page, page[-1][0].id if len(rows) > PAGE else None


def answer(
    session: Session,
    request_id: int,
    producer_id: int,
    *,
    accepts: bool,
    words: str,
    actor: Actor,
    now: datetime,
) -> VisitRequest:
    """Say yes or no, once; who left an e-mail address is written to.

    Raises NoSuchVisit, AlreadyAnswered.
    """
    state = VisitState.ACCEPTED if accepts else VisitState.DECLINED
    said = clean(words)[:LONGEST_WORDS] or None
    moved = session.execute(
        update(VisitRequest)
        .where(
            VisitRequest.id == request_id,
            VisitRequest.producer_id == producer_id,
            VisitRequest.state == VisitState.ASKED,
        )
        .values(state=state, answer=said, answered_at=now, answered_by=actor.name)
        .returning(VisitRequest.id)
    ).scalar_one_or_none()
    request = session.scalar(
        select(VisitRequest).where(
            VisitRequest.id == request_id, VisitRequest.producer_id == producer_id
        ),
        execution_options={"populate_existing": True},
    )
    if request is None:
        raise NoSuchVisit(_("There is no such request on this desk."))
    if moved is None:
        raise AlreadyAnswered(_("This request was answered before."))
    record(session, actor, f"visit.{state.value}", f"visit:{request.id}", now=now)
    if request.email:
        product = session.get_one(Product, request.product_id)
        producer = session.get_one(Producer, request.producer_id)
        with speaking(request.language):
            queue_mail(
                session,
                to=request.email,
                subject=str(_("Your visit on %(day)s", day=show_day(request.day))),
                body=words_for_guest(request, product, producer),
                key=f"visit:{request.id}",
                now=now,
            )
    return request


def words_for_guest(request: VisitRequest, product: Product, producer: Producer) -> str:
    """Return the answer as it is mailed, or copied into Zalo."""
    facts = {
        "name": product.name,
        "day": show_day(request.day),
        "people": request.people,
        "producer": producer.name,
    }
    if request.state is VisitState.ACCEPTED:
        said = _("%(producer)s expects %(people)s people on %(day)s: %(name)s.", **facts)
    else:
        said = _("%(producer)s cannot take visitors on %(day)s: %(name)s.", **facts)
    phone = str(_("Phone: %(phone)s", phone=producer.phone)) if producer.phone else ""
    return "\n".join(part for part in (str(said), request.answer or "", phone) if part)


def tell_duties(session: Session, producer_id: int) -> list[Duty]:
    """Return the requests that wait for an answer."""
    waiting = session.scalar(
        select(func.count()).where(
            VisitRequest.producer_id == producer_id, VisitRequest.state == VisitState.ASKED
        )
    )
    sentence = mark("%(count)s visits to answer")
    return [Duty("desk_visits.index", (), "lich", sentence, waiting)] if waiting else []


def forget_old(database: Database, now: datetime) -> None:
    """Delete requests half a year after their day: nobody needs the guest's phone any more."""
    with database.transaction() as session:
        session.execute(delete(VisitRequest).where(VisitRequest.day < vietnam_day(now) - KEPT))


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise WrongVisit(_("Choose the day to come."), field="day") from None
    if not today <= day <= today + FURTHEST:
        raise WrongVisit(_("Choose a day from today to a year from now."), field="day")
    return day


def _people(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= MOST_PEOPLE):
        raise WrongVisit(
            _("How many people, in figures: 1 to %(most)s.", most=MOST_PEOPLE), field="people"
        )
    return int(text)


def _name(text: str) -> str:
    name = clean(text)[:LONGEST_NAME]
    if not name:
        raise WrongVisit(_("Write the name to ask for."), field="name")
    return name
