"""What the shop keeps of a sale: a rate for each producer, from a day on; nothing by default.

Rates are only added. The rate of the moment is frozen on every order line, so a later one changes
no past order.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts import audit
from accounts.audit import Actor
from catalog.producers import Producer
from core.db import Base
from core.errors import Invalid
from core.i18n import lazy as _

MOST_BP = 3_000
_PERCENT = re.compile(r"([0-9]{1,2})(?:[.,]([0-9]{1,2}))?")

audit.describe({"commission.set": _("set a commission rate")})


class BadRate(Invalid):
    """The rate must be a percentage with at most two decimals, 30 at the most."""


class CommissionRate(Base):
    """From `valid_from` on the shop keeps `rate_bp` basis points of this producer's sales."""

    __tablename__ = "commission_rate"
    __table_args__ = (
        CheckConstraint("rate_bp BETWEEN 0 AND 3000", name="rate_within"),
        Index("ix_commission_rate_of", "producer_id", "valid_from", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"))
    rate_bp: Mapped[int]
    valid_from: Mapped[datetime]
    set_at: Mapped[datetime]
    set_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


def rates_at(session: Session, producer_ids: Iterable[int], *, now: datetime) -> dict[int, int]:
    """Return the rate of each producer at this moment, in basis points; 0 where none was set."""
    rates = dict.fromkeys(producer_ids, 0)
    rows = session.execute(
        select(CommissionRate.producer_id, CommissionRate.rate_bp)
        .where(CommissionRate.producer_id.in_(list(rates)), CommissionRate.valid_from <= now)
        .order_by(CommissionRate.valid_from, CommissionRate.id)
    )
    rates.update((producer_id, rate) for producer_id, rate in rows)
    return rates


def list_rates(session: Session, producer_id: int, *, limit: int) -> Sequence[CommissionRate]:
    """Return the rates of a producer, the one that counts last first."""
    return session.scalars(
        select(CommissionRate)
        .where(CommissionRate.producer_id == producer_id)
        .order_by(CommissionRate.valid_from.desc(), CommissionRate.id.desc())
        .limit(limit)
    ).all()


def parse_percent(text: str) -> int:
    """Read «2,5» or «2.5 %» as 250 basis points, or raise BadRate."""
    found = _PERCENT.fullmatch(text.strip().removesuffix("%").strip())
    rate = int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0")) if found else MOST_BP + 1
    if rate > MOST_BP:
        raise BadRate(_("Write a percentage from 0 to 30, for example 2,5."), field="rate")
    return rate


def set_rate(
    session: Session,
    producer: Producer,
    rate_bp: int,
    *,
    valid_from: datetime | None,
    actor: Actor,
    now: datetime,
) -> CommissionRate:
    """Keep so many basis points of this producer's orders placed from `valid_from` (None: now) on.

    Never from a moment that is past: what was sold was sold at the rate of its day.
    """
    if not 0 <= rate_bp <= MOST_BP:
        raise BadRate(_("Write a percentage from 0 to 30, for example 2,5."), field="rate")
    rate = CommissionRate(
        producer_id=producer.id,
        rate_bp=rate_bp,
        valid_from=max(valid_from or now, now),
        set_at=now,
        set_by=actor.user_id,
    )
    session.add(rate)
    session.flush()  # gives the rate its id
    audit.record(
        session,
        actor,
        "commission.set",
        f"producer:{producer.slug}",
        now=now,
        rate_bp=rate_bp,
        valid_from=rate.valid_from.isoformat(),
    )
    return rate
