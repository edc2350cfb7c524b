"""Asking to sell: a producer is written down, its file fills up, staff read it and answer.

The producer stands from the first step, waiting: its goods can be prepared, and nobody sees them
before staff have approved it. What is saved of the file is the draft; there is no other.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts import audit, tokens, users
from accounts.audit import Actor
from accounts.phones import parse_phone
from accounts.tokens import Purpose
from accounts.users import Role, User
from catalog import approval, grants, identities, members, places, producers, tax_numbers
from catalog.places import Level
from catalog.producers import Producer, ProducerKind, ProducerState
from core.clock import vietnam_day
from core.db import Base, word
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.i18n import lazy as _
from core.i18n import mark
from core.text import clean, fold

LONGEST_NAME = 120
LONGEST_LINE = 200
audit.describe(
    {
        "join.begun": _("asked to sell"),
        "join.changed": _("changed the selling file"),
        "join.sent": _("sent the selling file"),
        "join.sent_back": _("sent the selling file back"),
        "join.person_added": _("opened an account for a person of the producer"),
    }
)


class JoinState(enum.StrEnum):
    """Where the file of a producer stands."""

    DRAFT = "draft"
    SENT = "sent"
    SENT_BACK = "sent_back"
    APPROVED = "approved"


class FoodPaper(enum.StrEnum):
    """By what a producer shows that its food is safe (decree 15/2018/NĐ-CP, articles 11 and 12)."""

    CERTIFICATE = "certificate"
    COMMITMENT = "commitment"
    NO_FOOD = "no_food"


# What the file must hold, in the order it is asked for: name of the part → what is missing.
PARTS: dict[str, str] = {
    "base": mark("Name, kind and commune"),
    "tax": mark("Tax number"),
    "identity": mark("Who stands behind it"),
    "bank": mark("Bank account"),
    "food": mark("Food safety paper"),
}
OPEN = frozenset({JoinState.DRAFT, JoinState.SENT_BACK})


class NoSuchFile(NotFound):
    """This producer has no selling file, or the file has no such paper."""


class WrongAnswer(Invalid):
    """Something in the file cannot be right; `field` names it."""


class NotComplete(Conflict):
    """Something is missing yet; the list says what."""


class BeingRead(Conflict):
    """Staff are reading the file, or have answered it; it cannot be changed now."""


class NotYours(Forbidden):
    """Helpers ask for producers of the communes they were given."""


class JoinFile(Base):
    """What a producer hands in to sell here. `why` is what staff wrote when they sent it back."""

    __tablename__ = "join_file"
    __table_args__ = (Index("ix_join_file_queue", "state", "sent_at"),)

    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), primary_key=True)
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    state: Mapped[JoinState] = mapped_column(word(JoinState), default=JoinState.DRAFT)
    food_paper: Mapped[FoodPaper | None] = mapped_column(word(FoodPaper))
    food_number: Mapped[str | None]
    food_until: Mapped[date | None]
    food_key: Mapped[str | None]
    begun_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    answered_by_name: Mapped[str | None]
    why: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked first of a producer, as it was typed."""

    name: str
    kind: str
    commune_code: str
    place_text: str = ""
    phone: str = ""


def find(session: Session, producer_id: int) -> JoinFile | None:
    """Return the selling file of a producer; those that were here before have none."""
    return session.get(JoinFile, producer_id)


def find_open_of(session: Session, user_id: int) -> Producer | None:
    """Return the producer this person has asked for and that is not answered with yes yet."""
    return session.scalar(
        select(Producer)
        .join(JoinFile, JoinFile.producer_id == Producer.id)
        .where(JoinFile.asked_by == user_id, JoinFile.state != JoinState.APPROVED)
        .order_by(Producer.id)
        .limit(1)
    )


def list_sent(
    session: Session, *, after_id: int = 0, limit: int
) -> Sequence[tuple[JoinFile, Producer]]:
    """Return the files that wait for staff, by producer."""
    rows = session.execute(
        select(JoinFile, Producer)
        .join(Producer, Producer.id == JoinFile.producer_id)
        .where(JoinFile.state == JoinState.SENT, Producer.id > after_id)
        .order_by(Producer.id)
        .limit(limit)
    )
    return [(file, producer) for file, producer in rows]


def count_sent(session: Session) -> int:
    """Return how many files wait for staff."""
    found = select(func.count()).select_from(JoinFile).where(JoinFile.state == JoinState.SENT)
    return session.scalar(found) or 0


def list_missing(session: Session, producer: Producer) -> list[str]:
    """Return the parts of PARTS that this producer has not filled in yet."""
    file = find(session, producer.id)
    filled = {
        "base": bool(producer.kind and producer.commune_code),
        "tax": producer.tax_number is not None,
        "identity": identities.is_known(session, producer.id),
        "bank": producer.takes_transfers,
        "food": file is not None and file.food_paper is not None,
    }
    return [part for part in PARTS if not filled[part]]


def ask(session: Session, person: User, base: Asked, *, actor: Actor, now: datetime) -> Producer:
    """Write down a producer that waits, with `person` as the first of its people.

    A helper asks on behalf of a producer of a commune given to them, and is not one of its people.
    Whoever has asked already gets the same producer again. Raises WrongAnswer or NotYours.
    """
    before = find_open_of(session, person.id)
    if before is not None and person.role is not Role.HELPER:
        return before
    typed = _read(session, base)
    if person.role is Role.HELPER:
        given = grants.list_active(session, helper_id=person.id, commune_code=base.commune_code)
        if not given:
            raise NotYours(_("This commune was not given to you to help in."))
    producer = producers.add(session, typed["name"], now=now)
    for name, value in typed.items():
        setattr(producer, name, value)
    session.add(JoinFile(producer_id=producer.id, asked_by=person.id, begun_at=now))
    session.flush()
    who = _at(actor, producer, on_behalf=person.role is Role.HELPER)
    if person.role is not Role.HELPER:
        members.add(session, producer, person, actor=who, now=now)
    _record(session, who, "join.begun", producer, now=now)
    return producer


def _at(actor: Actor, producer: Producer, *, on_behalf: bool) -> Actor:
    return Actor(
        actor.user_id,
        actor.name,
        on_behalf_of=producer.name if on_behalf else None,
        scope=f"producer:{producer.id}",
    )


def add_person(
    session: Session, producer: Producer, *, name: str, login: str, actor: Actor, now: datetime
) -> str:
    """Open an account for one more person of the producer; return the secret of its first link.

    Whoever acts on its behalf may do so only while it has nobody. Raises NotYours, BadLoginName,
    BadName or LoginNameTaken.
    """
    if actor.on_behalf_of is not None and members.list_of_producer(session, producer.id):
        raise NotYours(_("This producer has its own people: they open accounts for others."))
    user = users.register(
        session,
        users.parse_login(login),
        name=name,
        password_hash=None,
        now=now,
        role=Role.PRODUCER,
    )
    members.add(session, producer, user, actor=actor, now=now)
    _record(session, actor, "join.person_added", producer, now=now, name=user.name)
    return tokens.issue(session, user, Purpose.SET_PASSWORD, now=now)


def change_base(
    session: Session, producer: Producer, base: Asked, *, actor: Actor, now: datetime
) -> None:
    """Change what the file says first, while it is open. Raises WrongAnswer or BeingRead."""
    _open(session, producer)
    typed = _read(session, base)
    name = typed.pop("name")
    if name != producer.name:
        producers.rename(session, producer, name, now=now)
    for column, value in typed.items():
        setattr(producer, column, value)
    session.flush()
    _record(session, actor, "join.changed", producer, now=now, part="base")


def write_tax_number(
    session: Session, producer: Producer, text: str, *, actor: Actor, now: datetime
) -> None:
    """Give the producer its tax number. Raises WrongTaxNumber, WrongPersonalNumber or BeingRead."""
    _refuse_while_read(session, producer)
    number = tax_numbers.parse(text, kind=producer.kind)
    if number == producer.tax_number:
        return
    producer.tax_number = number
    session.flush()
    _record(session, actor, "join.changed", producer, now=now, part="tax")


def keep_identity(
    session: Session,
    producer: Producer,
    form: dict[str, str],
    *,
    secrets: Sequence[str],
    actor: Actor,
    now: datetime,
) -> None:
    """Keep who stands behind the producer, sealed. Raises as `identities.keep`, or BeingRead."""
    _refuse_while_read(session, producer)
    born = _day(form.get("born", ""), "born")
    if born is None:
        raise WrongAnswer(_("Write the day of birth."), field="born")
    identities.keep(
        session,
        producer,
        name=form.get("holder", ""),
        born=born,
        number=form.get("number", ""),
        address=form.get("home_address", ""),
        secrets=secrets,
        actor=actor,
        now=now,
    )


def hand_in_food_paper(
    session: Session,
    producer: Producer,
    form: dict[str, str],
    *,
    file_key: str | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Say by what the food is safe. A paper needs its file, once. Raises WrongAnswer, BeingRead."""
    _refuse_while_read(session, producer)
    file = find(session, producer.id)
    if file is None:
        # It was here before there were files: what it hands in now is all it has to.
        file = JoinFile(producer_id=producer.id, state=JoinState.APPROVED, begun_at=now)
        session.add(file)
    if form.get("food_paper") not in set(FoodPaper):
        raise WrongAnswer(_("Choose one of the three."), field="food_paper")
    kind = FoodPaper(form["food_paper"])
    number = _line(form.get("food_number", ""), "food_number", least=0) or None
    until = _day(form.get("food_until", ""), "food_until")
    if kind is FoodPaper.NO_FOOD:
        number, until, file_key = None, None, None
    elif file_key is None:
        file_key = file.food_key if file.food_paper is kind else None
        if file_key is None:
            raise WrongAnswer(_("Add a photo or PDF of the paper."), field="file")
    if until is not None and until <= vietnam_day(now):
        raise WrongAnswer(_("This paper has run out already."), field="food_until")
    file.food_paper, file.food_number, file.food_until = kind, number, until
    file.food_key = file_key
    session.flush()
    _record(session, actor, "join.changed", producer, now=now, part="food")


def send(session: Session, producer: Producer, *, actor: Actor, now: datetime) -> None:
    """Hand the file to staff. Raises NotComplete or BeingRead."""
    if list_missing(session, producer):
        raise NotComplete(_("Something is missing yet: the list above says what."))
    _move(session, producer, OPEN, JoinState.SENT, sent_at=now, why=None)
    _record(session, actor, "join.sent", producer, now=now)


def send_back(
    session: Session, producer: Producer, *, reason: str, actor: Actor, now: datetime
) -> None:
    """Give the file back with what is to be mended; its people are written to.

    Raises approval.NoReason or BeingRead.
    """
    words = approval.clean_reason(reason)
    answered = {"answered_at": now, "answered_by_name": actor.name, "why": words}
    _move(session, producer, {JoinState.SENT}, JoinState.SENT_BACK, **answered)
    _record(session, actor, "join.sent_back", producer, now=now, reason=words)
    approval.write_to(
        session,
        producer,
        subject=_("Something to mend before %(producer)s can sell", producer=producer.name),
        body=_(
            "The staff have read the file of %(producer)s and ask to mend this:\n\n%(reason)s\n\n"
            "Open the desk, mend it and send the file again.",
            producer=producer.name,
            reason=words,
        ),
        now=now,
    )


def approve(session: Session, producer: Producer, *, actor: Actor, now: datetime) -> None:
    """Let a waiting producer sell; one with a file only after it was sent.

    Raises BeingRead or approval.AlreadySo.
    """
    if producer.state is ProducerState.PENDING and find(session, producer.id) is not None:
        answered = {"answered_at": now, "answered_by_name": actor.name, "why": None}
        _move(session, producer, {JoinState.SENT}, JoinState.APPROVED, **answered)
    approval.approve(session, producer, actor=actor, now=now)


def _move(
    session: Session,
    producer: Producer,
    before: frozenset[JoinState] | set[JoinState],
    after: JoinState,
    **values: Any,
) -> None:
    moved = session.scalar(
        update(JoinFile)
        .where(JoinFile.producer_id == producer.id, JoinFile.state.in_(before))
        .values(state=after, **values)
        .returning(JoinFile.producer_id)
        .execution_options(synchronize_session=False)
    )
    file = find(session, producer.id)
    if file is not None:
        session.refresh(file)
    if moved is None:
        raise BeingRead(_("The file stands elsewhere by now. Look at it again."))


def _open(session: Session, producer: Producer) -> None:
    if _get(session, producer).state not in OPEN:
        raise BeingRead(
            _("The file is with the staff or approved: name and place stay as they are.")
        )


def _refuse_while_read(session: Session, producer: Producer) -> None:
    file = find(session, producer.id)
    if file is not None and file.state is JoinState.SENT:
        raise BeingRead(_("Staff are reading the file. It can be changed after their answer."))


def _get(session: Session, producer: Producer) -> JoinFile:
    file = find(session, producer.id)
    if file is None:
        raise NoSuchFile
    return file


def _read(session: Session, base: Asked) -> dict[str, Any]:
    name = _line(base.name, "name", longest=LONGEST_NAME)
    if base.kind not in set(ProducerKind):
        raise WrongAnswer(_("Choose what kind of producer it is."), field="kind")
    commune = places.find_unit(session, base.commune_code)
    if commune is None or commune.level is not Level.COMMUNE or commune.valid_to is not None:
        raise WrongAnswer(_("Choose the commune from the list."), field="ward_code")
    return {
        "name": name,
        "name_folded": fold(name),
        "kind": ProducerKind(base.kind),
        "commune_code": commune.code,
        "province_code": commune.parent_code,
        "place_text": _line(base.place_text, "place_text", least=0) or None,
        "phone": parse_phone(base.phone) if base.phone.strip() else None,
    }


def _line(text: str, field: str, *, least: int = 1, longest: int = LONGEST_LINE) -> str:
    line = clean(text).replace("\n", " ")
    if not least <= len(line) <= longest:
        raise WrongAnswer(_("Write 1 to %(longest)s letters here.", longest=longest), field=field)
    return line


def _day(text: str, field: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise WrongAnswer(_("Write the day as day/month/year."), field=field) from error


def _record(
    session: Session, actor: Actor, verb: str, producer: Producer, *, now: datetime, **detail: str
) -> None:
    audit.record(session, actor, verb, f"producer:{producer.slug}", now=now, **detail)
