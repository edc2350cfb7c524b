"""Producers: households, co-operatives and small firms that make and sell."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word


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
