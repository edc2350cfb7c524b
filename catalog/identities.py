"""Who stands behind a producer: kept sealed, seen by its own people and by staff, who leave a line.

The e-commerce law asks a platform to know its sellers (122/2025/QH15, article 17): name, day of
birth, personal number, address. Nobody else needs them, so nothing else reads them.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts import audit
from accounts.audit import Actor
from catalog import tax_numbers
from catalog.producers import Producer
from core import sealing
from core.clock import vietnam_day
from core.db import Base
from core.errors import Invalid
from core.i18n import lazy as _
from core.text import clean

LONGEST_NAME = 100
LONGEST_ADDRESS = 200
OF_AGE = 18
OLDEST = 120

audit.describe(
    {
        "identity.kept": _("wrote down who stands behind the producer"),
        "identity.seen": _("looked at who stands behind the producer"),
    }
)


class WrongIdentity(Invalid):
    """Something about the person cannot be right; `field` names it."""


class SellerIdentity(Base):
    """The person who answers for a producer, sealed under the shop's key."""

    __tablename__ = "seller_identity"

    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), primary_key=True)
    sealed: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by_name: Mapped[str]


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as the citizen's card has it; `born` is an ISO day."""

    name: str
    born: str
    number: str
    address: str

    @property
    def ending(self) -> str:
        """Return the last three digits, enough to recognise one's own number."""
        return self.number[-3:]


def is_known(session: Session, producer_id: int) -> bool:
    """Say whether it is written down who stands behind this producer."""
    return session.get(SellerIdentity, producer_id) is not None


def find(session: Session, producer_id: int, *, secrets: Sequence[str]) -> Identity | None:
    """Return who stands behind a producer, for its own people alone."""
    row = session.get(SellerIdentity, producer_id)
    return Identity(**json.loads(sealing.unseal(row.sealed, secrets))) if row else None


def look_at(
    session: Session, producer: Producer, *, secrets: Sequence[str], actor: Actor, now: datetime
) -> Identity | None:
    """Return who stands behind a producer, and write down that `actor` has seen it."""
    found = find(session, producer.id, secrets=secrets)
    audit.record(session, actor, "identity.seen", f"producer:{producer.slug}", now=now)
    return found


def keep(
    session: Session,
    producer: Producer,
    *,
    name: str,
    born: date,
    number: str,
    address: str,
    secrets: Sequence[str],
    actor: Actor,
    now: datetime,
) -> None:
    """Keep who stands behind a producer in place of what was kept before.

    Raises WrongIdentity or WrongPersonalNumber.
    """
    age = vietnam_day(now).year - born.year
    if not OF_AGE <= age <= OLDEST:
        raise WrongIdentity(_("Look at the day of birth again."), field="born")
    kept = Identity(
        name=_line(name, LONGEST_NAME, "holder"),
        born=born.isoformat(),
        number=tax_numbers.parse_person(number, born=born),
        address=_line(address, LONGEST_ADDRESS, "home_address"),
    )
    row = session.get(SellerIdentity, producer.id)
    if row is None:
        row = SellerIdentity(producer_id=producer.id)
        session.add(row)
    row.sealed = sealing.seal(json.dumps(asdict(kept), ensure_ascii=False), secrets)
    row.changed_at, row.changed_by_name = now, actor.name
    session.flush()
    audit.record(session, actor, "identity.kept", f"producer:{producer.slug}", now=now)


def _line(text: str, longest: int, field: str) -> str:
    line = clean(text).replace("\n", " ")
    if not 0 < len(line) <= longest:
        raise WrongIdentity(_("Write 1 to %(longest)s letters here.", longest=longest), field=field)
    return line
