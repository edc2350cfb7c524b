"""Counters of tries, kept in the database: safety never depends on Redis.

Count in a transaction of its own: what is raised later would take the count back with it.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from sqlalchemy import case, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base
from core.errors import Throttled
from core.i18n import lazy as _

WINDOW = timedelta(minutes=5)
FREE_TRIES = 5
LONGEST_WAIT = timedelta(minutes=15)
NETWORK_TRIES = 10
EVERYONE_TRIES = 1_000
ACCOUNT_TRIES = 100
FOR_EVER = timedelta(days=3650)
EVERYONE = "login:everyone"
LONGEST_COUNT_IN_SECONDS = 120


class TooManyTries(Throttled):
    """The number of tries for this while is used up."""


class AccountLocked(Throttled):
    """A hundred wrong passwords in a row: only a new password opens this account again."""


class TryCounter(Base):
    """How often something was tried under one key in the current window."""

    __tablename__ = "try_counter"

    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    window_ends_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class LoginTry:
    """Where one try to log in is counted; names and addresses are in it as keyed hashes only.

    A device that has logged in to this account before counts by itself, so that a stranger who
    guesses cannot lock the owner out.
    """

    account: str
    network: str
    known_device: str | None = None

    @property
    def own_key(self) -> str:
        """Return the key of this account as tried from here."""
        return f"login:{self.account}:{self.known_device or self.network}"

    @property
    def network_key(self) -> str:
        """Return the key of everything tried from this network."""
        return f"login:net:{self.network}"

    @property
    def account_key(self) -> str:
        """Return the key of everything tried on this account by strangers."""
        return f"login:account:{self.account}"


def hashed(secret: str, purpose: str, value: str) -> str:
    """Return a keyed hash of `value` for use in a key; the value cannot be found from it."""
    text = f"{purpose}:{value}".encode("utf-8", "replace")
    return hmac.new(secret.encode(), b"throttle:" + text, sha256).hexdigest()[:32]


def network_of(secret: str, address: str | None) -> str:
    """Return the keyed hash of the network of an IP address: its /24, or its /56 in IPv6."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address or "")
    except ValueError:
        return hashed(secret, "net", "unknown")
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    length = 24 if parsed.version == 4 else 56  # noqa: PLR2004 - the version of the protocol
    return hashed(secret, "net", str(ip_network(f"{parsed}/{length}", strict=False)))


def allow(session: Session, key: str, *, limit: int, seconds: int, now: datetime) -> None:
    """Count one try under `key`; raises TooManyTries for the one after `limit` in `seconds`."""
    counter = _count(session, key, timedelta(seconds=seconds), now)
    if counter.count > limit:
        raise _refusal(counter.window_ends_at - now)


def begin_login(session: Session, attempt: LoginTry, *, now: datetime) -> None:
    """Count one try to log in before its password is looked at, or refuse to look at it.

    Counted first, because a thousand tries at once must not all pass before the first has failed.
    Raises TooManyTries or AccountLocked.
    """
    if attempt.known_device is None:
        _count_strangers(session, attempt, now)
    own = _count(session, attempt.own_key, WINDOW, now)
    if own.blocked_until is not None and own.blocked_until > now:
        raise _refusal(own.blocked_until - now)
    if own.count >= FREE_TRIES:
        exponent = min(own.count - FREE_TRIES + 1, 10)
        wait = min(timedelta(seconds=2**exponent), LONGEST_WAIT)
        session.execute(
            update(TryCounter)
            .where(TryCounter.key == attempt.own_key)
            .values(blocked_until=now + wait, window_ends_at=now + wait + WINDOW)
        )


def _count_strangers(session: Session, attempt: LoginTry, now: datetime) -> None:
    # Always in this order: two tries at once must not wait for each other.
    everyone = _count(session, EVERYONE, WINDOW, now)
    network = _count(session, attempt.network_key, WINDOW, now)
    account = _count(session, attempt.account_key, FOR_EVER, now)
    if account.count > ACCOUNT_TRIES:
        raise AccountLocked(
            _("Too many wrong passwords. Set a new password by a link, then log in with it."),
            retry_after=int(LONGEST_WAIT.total_seconds()),
        )
    for counter, limit in ((network, NETWORK_TRIES), (everyone, EVERYONE_TRIES)):
        if counter.count > limit:
            raise _refusal(counter.window_ends_at - now)


def forgive_login(session: Session, attempt: LoginTry) -> None:
    """Take back what `begin_login` counted: the password was right."""
    shared = [EVERYONE, attempt.network_key] if attempt.known_device is None else []
    for key in shared:
        session.execute(
            update(TryCounter)
            .where(TryCounter.key == key, TryCounter.count > 0)
            .values(count=TryCounter.count - 1)
        )
    own = [attempt.own_key] + ([attempt.account_key] if attempt.known_device is None else [])
    session.execute(delete(TryCounter).where(TryCounter.key.in_(own)))


def unlock_account(session: Session, account: str) -> None:
    """Forget the wrong tries on an account, because it has a new password."""
    session.execute(delete(TryCounter).where(TryCounter.key == LoginTry(account, "").account_key))


def forget_old(session: Session, *, now: datetime) -> None:
    """Delete counters whose window is over."""
    session.execute(delete(TryCounter).where(TryCounter.window_ends_at <= now))


def _count(session: Session, key: str, window: timedelta, now: datetime) -> TryCounter:
    """Add one to a counter, or start it again if its window is over, in one statement.

    A counter that is blocked stays as it is. The row is locked until the transaction ends.
    """
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    over = TryCounter.window_ends_at <= now
    blocked = TryCounter.blocked_until > now
    statement = (
        insert(TryCounter)
        .values(key=key, count=1, window_ends_at=now + window)
        .on_conflict_do_update(
            index_elements=[TryCounter.key],
            set_={
                "count": case((blocked, TryCounter.count), (over, 1), else_=TryCounter.count + 1),
                "window_ends_at": case((over, now + window), else_=TryCounter.window_ends_at),
                "blocked_until": case((over, None), else_=TryCounter.blocked_until),
            },
        )
        .returning(TryCounter)
    )
    return session.scalars(statement, execution_options={"populate_existing": True}).one()


def _refusal(wait: timedelta) -> TooManyTries:
    seconds = max(1, -(-wait // timedelta(seconds=1)))
    if seconds < LONGEST_COUNT_IN_SECONDS:
        message = _("Too many tries. Try again in %(seconds)s seconds.", seconds=seconds)
    else:
        minutes = -(-seconds // 60)
        message = _("Too many tries. Try again in %(minutes)s minutes.", minutes=minutes)
    return TooManyTries(message, retry_after=seconds)
