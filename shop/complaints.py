"""Complaints: anybody may file one; it is answered within a day and settled in seven working days.

Words are added, never changed. Whoever filed reads the answers under a link that nobody else has,
or in their account. The producer of the order answers too; only staff close.
"""

import enum
import hmac
import secrets as random
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts import audit, users
from accounts.audit import Actor
from accounts.users import LoginName
from catalog import approval
from catalog.duties import Duty
from catalog.producers import Producer
from core import mail
from core.clock import VIETNAM
from core.codes import CodeSpec, new_code, normalise
from core.db import Base, word
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _
from core.i18n import mark
from core.text import clean
from shop import orders
from shop.codes import ALPHABET, ORDER_CODE
from shop.orders import SellerOrder

COMPLAINT_CODE = CodeSpec(ALPHABET, length=7, prefix="KN")
TIME_TO_ANSWER = timedelta(hours=24)
# What the consumer law gives a trader to come to terms; Saturdays and Sundays do not count.
WORKING_DAYS_TO_SETTLE = 7
SATURDAY = 5
MOST_PHOTOS = 3
LONGEST_WORDS = 2_000
PAGE = 30

audit.describe(
    {
        "complaint.answered": _("answered a complaint"),
        "complaint.closed": _("closed a complaint"),
    }
)


class ComplaintState(enum.StrEnum):
    """Whose turn it is; a closed one is over."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class About(enum.StrEnum):
    """What a complaint is about."""

    GOODS = "goods"
    DELIVERY = "delivery"
    MONEY = "money"
    SELLER = "seller"
    LIVE = "live"
    PERSONAL_DATA = "personal_data"
    OTHER = "other"


class Side(enum.StrEnum):
    """Who speaks in a complaint."""

    ASKER = "asker"
    PRODUCER = "producer"
    STAFF = "staff"


ABOUT_NAMES: dict[About, object] = {
    About.GOODS: _("Goods: quality, origin, not as shown"),
    About.DELIVERY: _("Delivery"),
    About.MONEY: _("Money"),
    About.SELLER: _("How a seller behaves"),
    About.LIVE: _("Something in a live show"),
    About.PERSONAL_DATA: _("Personal data"),
    About.OTHER: _("Something else"),
}


class NoSuchComplaint(NotFound):
    """There is no such complaint, or it is not this person's to see: the same answer for both."""


class WrongComplaint(Invalid):
    """Something in the form cannot be right; `field` names it."""


class ComplaintClosed(Conflict):
    """The complaint is over; a new one can be filed."""


class Complaint(Base):
    """One complaint. `token_hash` belongs to the link of whoever filed it."""

    __tablename__ = "complaint"
    __table_args__ = (Index("ix_complaint_queue", "state", "settle_by"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    token_hash: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("customer_order.id"), index=True)
    producer_id: Mapped[int | None] = mapped_column(ForeignKey("producer.id"), index=True)
    about: Mapped[About] = mapped_column(word(About))
    state: Mapped[ComplaintState] = mapped_column(word(ComplaintState))
    name: Mapped[str]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    photo_keys: Mapped[list[str]] = mapped_column(JSON)
    filed_at: Mapped[datetime]
    answer_by: Mapped[datetime]
    settle_by: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class ComplaintWord(Base):
    """What one side said, and when."""

    __tablename__ = "complaint_word"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), index=True)
    at: Mapped[datetime]
    side: Mapped[Side] = mapped_column(word(Side))
    name: Mapped[str]
    words: Mapped[str]


def settle_by(filed_at: datetime) -> datetime:
    """Return the end of the seventh working day after `filed_at`, in Vietnam."""
    day, left = filed_at.astimezone(VIETNAM), WORKING_DAYS_TO_SETTLE
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < SATURDAY
    return day.replace(hour=23, minute=59, second=59, microsecond=0)


def get(session: Session, complaint_id: int) -> Complaint:
    """Return the complaint, for staff. Raises NoSuchComplaint."""
    found = session.get(Complaint, complaint_id)
    if found is None:
        raise NoSuchComplaint
    return found


def get_of_producer(session: Session, producer_id: int, complaint_id: int) -> Complaint:
    """Return a complaint that concerns this producer. Raises NoSuchComplaint."""
    found = session.scalar(
        select(Complaint).where(Complaint.id == complaint_id, _concerns(producer_id))
    )
    if found is None:
        raise NoSuchComplaint
    return found


def open_by_link(session: Session, code: str, token: str, user_id: int | None) -> Complaint:
    """Return the complaint to the holder of its link or its account. Raises NoSuchComplaint."""
    wanted = normalise(COMPLAINT_CODE, code[:40])
    found = session.scalar(select(Complaint).where(Complaint.code == wanted))
    if found is None:
        raise NoSuchComplaint
    own = user_id is not None and found.user_id == user_id
    if not own and not hmac.compare_digest(found.token_hash, _hash(token)):
        raise NoSuchComplaint
    return found


def list_words(session: Session, complaint_id: int) -> Sequence[ComplaintWord]:
    """Return what was said, in its order."""
    return session.scalars(
        select(ComplaintWord)
        .where(ComplaintWord.complaint_id == complaint_id)
        .order_by(ComplaintWord.id)
    ).all()


def list_of_user(session: Session, user_id: int) -> Sequence[Complaint]:
    """Return the complaints this account filed, the newest first."""
    return session.scalars(
        select(Complaint).where(Complaint.user_id == user_id).order_by(Complaint.id.desc())
    ).all()


def list_for_staff(
    session: Session, *, closed: bool = False, after_id: int = 0, limit: int = PAGE
) -> Sequence[Complaint]:
    """Return the complaints that are not closed, the oldest first; or those that are."""
    state = Complaint.state == ComplaintState.CLOSED
    return session.scalars(
        select(Complaint)
        .where(state if closed else ~state, Complaint.id > after_id)
        .order_by(Complaint.id)
        .limit(limit)
    ).all()


def list_of_producer(session: Session, producer_id: int, *, limit: int) -> Sequence[Complaint]:
    """Return the complaints that concern a producer, the newest first."""
    return session.scalars(
        select(Complaint).where(_concerns(producer_id)).order_by(Complaint.id.desc()).limit(limit)
    ).all()


def count_waiting(session: Session) -> int:
    """Return how many complaints wait for an answer."""
    found = select(func.count()).where(Complaint.state == ComplaintState.OPEN)
    return session.scalar(found) or 0


def tell_duties(session: Session, producer_id: int) -> list[Duty]:
    """Return the complaints that wait for this producer's words."""
    found = select(func.count()).where(
        _concerns(producer_id), Complaint.state == ComplaintState.OPEN
    )
    count = session.scalar(found) or 0
    sentence = mark("%(count)s complaints wait for an answer")
    return [Duty("desk_complaints.index", (), "chuong", sentence, count)] if count else []


def _concerns(producer_id: int) -> ColumnElement[bool]:
    parts = select(SellerOrder.order_id).where(SellerOrder.producer_id == producer_id)
    return or_(Complaint.producer_id == producer_id, Complaint.order_id.in_(parts))


def file(
    session: Session,
    *,
    about: About,
    words: str,
    name: str,
    contact: LoginName,
    order_code: str,
    producer_slug: str,
    photo_keys: Sequence[str],
    user_id: int | None,
    address: str,
    now: datetime,
) -> tuple[Complaint, str]:
    """File a complaint; return it with the secret of its link. Clocks start now.

    An order code that there is not is refused, none is fine. `address` is where complaints are
    read; whoever left an e-mail address gets the link. Raises WrongComplaint.
    """
    said = _said(words)
    if len(photo_keys) > MOST_PHOTOS:
        raise WrongComplaint(_("At most 3 photos."), field="photos")
    order = None
    if order_code.strip():
        order = orders.find_by_code(session, normalise(ORDER_CODE, order_code[:40]))
        if order is None:
            raise WrongComplaint(_("There is no order with this code."), field="order_code")
    producer = None
    if producer_slug:
        producer = session.scalar(select(Producer).where(Producer.slug == producer_slug))
    token = random.token_urlsafe(16)
    complaint = Complaint(
        code=new_code(COMPLAINT_CODE),
        token_hash=_hash(token),
        user_id=user_id,
        order_id=order.id if order else None,
        producer_id=producer.id if producer else None,
        about=about,
        state=ComplaintState.OPEN,
        name=users.clean_name(name),
        phone=contact.phone,
        email=contact.email,
        photo_keys=list(photo_keys),
        filed_at=now,
        answer_by=now + TIME_TO_ANSWER,
        settle_by=settle_by(now),
    )
    session.add(complaint)
    session.flush()
    _add(session, complaint, Side.ASKER, complaint.name, said, now=now)
    _write_to_asker(
        session,
        complaint,
        subject=_("Complaint %(code)s has been received", code=complaint.code),
        body=_(
            "The complaint is with us. The first answer comes within 24 hours, the matter is "
            "settled within seven working days.\n\nRead the answers here:\n%(link)s",
            link=f"{address}/{complaint.code}?t={token}",
        ),
        now=now,
    )
    _write_to_producers(session, complaint, now=now)
    return complaint, token


def add_words(session: Session, complaint: Complaint, words: str, *, now: datetime) -> None:
    """Let whoever filed say more: it waits for an answer again. Raises ComplaintClosed."""
    said = _said(words)
    _move(session, complaint, ComplaintState.OPEN)
    _add(session, complaint, Side.ASKER, complaint.name, said, now=now)


def answer(
    session: Session,
    complaint: Complaint,
    words: str,
    *,
    side: Side,
    actor: Actor,
    now: datetime,
    close: bool = False,
) -> None:
    """Answer as producer or staff; staff may close with it. Raises WrongComplaint, ComplaintClosed.

    The first answer stops the first clock, closing the second.
    """
    said = _said(words)
    done = close and side is Side.STAFF
    values: dict[str, Any] = {"answered_at": complaint.answered_at or now}
    if done:
        values["closed_at"] = now
    _move(session, complaint, ComplaintState.CLOSED if done else ComplaintState.ANSWERED, **values)
    _add(session, complaint, side, actor.on_behalf_of or actor.name, said, now=now)
    subject = f"complaint:{complaint.code}"
    if done:
        audit.record(session, actor, "complaint.closed", subject, now=now)
    else:
        audit.record(session, actor, "complaint.answered", subject, now=now)
    _write_to_asker(
        session,
        complaint,
        subject=_("Answer to complaint %(code)s", code=complaint.code),
        body=_("%(name)s answers:\n\n%(words)s", name=actor.name, words=said),
        now=now,
    )


def _move(session: Session, complaint: Complaint, after: ComplaintState, **values: Any) -> None:
    moved = session.scalar(
        update(Complaint)
        .where(Complaint.id == complaint.id, Complaint.state != ComplaintState.CLOSED)
        .values(state=after, **values)
        .returning(Complaint.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(complaint)
    if moved is None:
        raise ComplaintClosed(_("This complaint is closed. A new one can be filed."))


def _add(
    session: Session, complaint: Complaint, side: Side, name: str, words: str, *, now: datetime
) -> None:
    session.add(ComplaintWord(complaint_id=complaint.id, at=now, side=side, name=name, words=words))
    session.flush()


def _said(words: str) -> str:
    said = clean(words)
    if not 0 < len(said) <= LONGEST_WORDS:
        raise WrongComplaint(_("Say in a few words what is wrong."), field="words")
    return said


def _write_to_asker(
    session: Session, complaint: Complaint, *, subject: object, body: object, now: datetime
) -> None:
    if complaint.email:
        mail.queue_mail(session, to=complaint.email, subject=str(subject), body=str(body), now=now)


def _write_to_producers(session: Session, complaint: Complaint, *, now: datetime) -> None:
    concerned = [complaint.producer_id] if complaint.producer_id else []
    if complaint.order_id:
        parts = orders.list_parts(session, complaint.order_id)
        concerned += [part.producer_id for part in parts]
    for producer_id in dict.fromkeys(concerned):
        approval.write_to(
            session,
            session.get_one(Producer, producer_id),
            subject=_("A complaint concerns the goods: %(code)s", code=complaint.code),
            body=_("Open the desk, read it under «Complaints» and answer within 24 hours."),
            now=now,
        )


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
