"""Producers: households, co-operatives and small firms that make and sell."""

import enum
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog.slugs import free_slug, remember_change
from core.db import Base, word
from core.errors import NotFound
from core.i18n import lazy as _
from core.text import clean, fold, slugify


class ProducerKind(enum.StrEnum):
    """The legal shape of a producer."""

    COOPERATIVE = "cooperative"
    COMPANY = "company"
    HOUSEHOLD = "household"
    GROUP = "group"


class ProducerState(enum.StrEnum):
    """Only an approved producer's goods are shown for sale."""

    PENDING = "pending"
    APPROVED = "approved"
    SUSPENDED = "suspended"


class NoSuchProducer(NotFound):
    """No approved producer has this address."""


class Producer(Base):
    """One seller. Its bank account is where its buyers' transfers go, never through the shop."""

    __tablename__ = "producer"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_folded: Mapped[str]
    kind: Mapped[ProducerKind | None] = mapped_column(word(ProducerKind))
    state: Mapped[ProducerState] = mapped_column(word(ProducerState))
    province_code: Mapped[str | None] = mapped_column(ForeignKey("admin_unit.code"))
    commune_code: Mapped[str | None] = mapped_column(ForeignKey("admin_unit.code"), index=True)
    village_id: Mapped[int | None] = mapped_column(ForeignKey("village.id"), index=True)
    place_text: Mapped[str | None]
    story: Mapped[str | None]
    phone: Mapped[str | None]
    tax_number: Mapped[str | None]
    bank_bin: Mapped[str | None]
    bank_account: Mapped[str | None]
    bank_holder: Mapped[str | None]
    is_demo: Mapped[bool] = mapped_column(default=False)
    is_sample: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str | None]
    created_at: Mapped[datetime]

    @property
    def takes_transfers(self) -> bool:
        """Say whether buyers can pay this producer by bank transfer."""
        return bool(self.bank_bin and self.bank_account and self.bank_holder)


def find_by_slug(session: Session, slug: str) -> Producer | None:
    """Return the producer at this address, in whatever state."""
    return session.scalar(select(Producer).where(Producer.slug == slug))


def get_by_slug(session: Session, slug: str) -> Producer:
    """Return the producer at this address in whatever state, or raise NoSuchProducer."""
    producer = find_by_slug(session, slug)
    if producer is None:
        raise NoSuchProducer(_("There is no producer at this address."))
    return producer


def get_approved(session: Session, slug: str) -> Producer:
    """Return the approved producer at this address, or raise NoSuchProducer."""
    producer = get_by_slug(session, slug)
    if producer.state is not ProducerState.APPROVED:
        raise NoSuchProducer(_("There is no producer at this address."))
    return producer


def list_of_commune(session: Session, commune_code: str) -> list[Producer]:
    """Return the approved producers of a commune, by name."""
    return _approved(session, Producer.commune_code == commune_code)


def list_of_village(session: Session, village_id: int) -> list[Producer]:
    """Return the approved producers of a village, by name."""
    return _approved(session, Producer.village_id == village_id)


def _approved(session: Session, where: ColumnElement[bool]) -> list[Producer]:
    return list(
        session.scalars(
            select(Producer)
            .where(where, Producer.state == ProducerState.APPROVED)
            .order_by(Producer.name_folded, Producer.id)
        )
    )


def add(
    session: Session,
    name: str,
    *,
    now: datetime,
    kind: ProducerKind | None = None,
    province_code: str | None = None,
    commune_code: str | None = None,
    village_id: int | None = None,
    place_text: str | None = None,
    source: str | None = None,
) -> Producer:
    """Write down a producer who waits for approval; its address is made from its name."""
    name = clean(name)
    producer = Producer(
        slug=free_slug(session, "producer", Producer.slug, name, hints=[place_text or ""]),
        name=name,
        name_folded=fold(name),
        kind=kind,
        state=ProducerState.PENDING,
        province_code=province_code,
        commune_code=commune_code,
        village_id=village_id,
        place_text=place_text,
        source=source,
        created_at=now,
    )
    session.add(producer)
    session.flush()  # gives the producer its id
    return producer


def approve(session: Session, producer: Producer) -> None:
    """Let the producer sell; approving an approved one changes nothing."""
    _move(session, producer, ProducerState.APPROVED)


def suspend(session: Session, producer: Producer) -> None:
    """Take the producer and its goods off the market; its orders and codes live on."""
    _move(session, producer, ProducerState.SUSPENDED)


def _move(session: Session, producer: Producer, state: ProducerState) -> None:
    session.execute(update(Producer).where(Producer.id == producer.id).values(state=state))
    session.refresh(producer, ["state"])


def rename(session: Session, producer: Producer, name: str, *, now: datetime) -> None:
    """Give the producer a new name and address; the old address leads to it for ever."""
    name = clean(name)
    old = producer.slug
    producer.name, producer.name_folded = name, fold(name)
    if slugify(name) != old:
        producer.slug = free_slug(session, "producer", Producer.slug, name)
        remember_change(session, "producer", old, producer.slug, now=now)
    session.flush()
