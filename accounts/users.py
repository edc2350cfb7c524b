"""People with an account: buyers, producers, helpers of the community digital team, staff."""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.phones import parse_phone
from core.db import Base, word
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _
from core.text import clean

LONGEST_NAME = 100
LONGEST_EMAIL = 254
_EMAIL = re.compile(r"[^@\s\"<>,;:()\[\]\\]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", re.ASCII)


class Role(enum.StrEnum):
    """What an account is for. For whom a producer or helper may act is the catalogue's to say."""

    BUYER = "buyer"
    PRODUCER = "producer"
    HELPER = "helper"
    STAFF = "staff"


class NoSuchUser(NotFound):
    """There is no such account."""


class BadLoginName(Invalid):
    """Neither a phone number nor an e-mail address."""


class BadName(Invalid):
    """A person's name is missing or too long."""


class LoginNameTaken(Conflict):
    """Somebody has an account under this phone or e-mail."""


class User(Base):
    """One person. Phone (E.164) or e-mail is the log-in name; at least one is known.

    `phone_proved_at` is when somebody made sure that the number is really this person's.
    """

    __tablename__ = "user_account"
    __table_args__ = (CheckConstraint("phone IS NOT NULL OR email IS NOT NULL", name="reachable"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    phone: Mapped[str | None] = mapped_column(unique=True)
    email: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    role: Mapped[Role] = mapped_column(word(Role), default=Role.BUYER)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    phone_proved_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class LoginName:
    """A phone in E.164 or an e-mail in lower case: the one spelling that is stored and compared."""

    phone: str | None = None
    email: str | None = None

    def __str__(self) -> str:
        return self.phone or self.email or ""


def parse_login(text: str) -> LoginName:
    """Return the log-in name that was typed. Raises BadLoginName for field "login"."""
    typed = clean(text)
    if "@" in typed:
        email = typed.lower()
        if len(email) > LONGEST_EMAIL or not _EMAIL.fullmatch(email):
            raise BadLoginName(
                _("This e-mail address is not complete, for example lan@vidu.vn."), field="login"
            )
        return LoginName(email=email)
    try:
        return LoginName(phone=parse_phone(typed))
    except Invalid as refusal:
        raise BadLoginName(refusal.message, field="login") from refusal


def get(session: Session, user_id: int) -> User:
    """Return the account. Raises NoSuchUser."""
    user = session.get(User, user_id)
    if user is None:
        raise NoSuchUser
    return user


def find_by_login(session: Session, login: str) -> User | None:
    """Return whose phone or e-mail this is, however it was spelled; None for anything else."""
    try:
        return find(session, parse_login(login))
    except BadLoginName:
        return None


def find(session: Session, login: LoginName) -> User | None:
    """Return whose log-in name this is."""
    column, value = (User.phone, login.phone) if login.phone else (User.email, login.email)
    return session.scalar(select(User).where(column == value))


def search(session: Session, text: str, *, after_id: int, limit: int) -> Sequence[User]:
    """Return accounts by id whose name or log-in name holds `text`; all of them for ""."""
    found = select(User).where(User.id > after_id).order_by(User.id).limit(limit)
    wanted = clean(text)
    if wanted:
        digits = re.sub(r"\D", "", wanted).removeprefix("0")
        ways = [
            func.lower(User.name).contains(wanted.lower(), autoescape=True),
            User.email.contains(wanted.lower(), autoescape=True),
        ]
        if digits:
            ways.append(User.phone.contains(digits, autoescape=True))
        found = found.where(or_(*ways))
    return session.scalars(found).all()


def count_by_role(session: Session) -> dict[Role, int]:
    """Return how many open accounts there are of each role."""
    rows = session.execute(
        select(User.role, func.count()).where(User.disabled_at.is_(None)).group_by(User.role)
    )
    return dict(rows.all())


def register(
    session: Session,
    login: LoginName,
    *,
    name: str,
    password_hash: str | None,
    now: datetime,
    role: Role = Role.BUYER,
) -> User:
    """Open an account; raises LoginNameTaken or BadName. A phone is taken at its word, unproved."""
    known_as = clean_name(name)
    user = User(
        name=known_as,
        phone=login.phone,
        email=login.email,
        password_hash=password_hash,
        role=role,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise LoginNameTaken from error
    return user


def clean_name(name: str) -> str:
    """Return a person's name as it is kept. Raises BadName for field "name"."""
    known_as = clean(name).replace("\n", " ")
    if not 0 < len(known_as) <= LONGEST_NAME:
        raise BadName(
            _("Write a name of 1 to %(longest)s letters.", longest=LONGEST_NAME), field="name"
        )
    return known_as
