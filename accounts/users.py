"""People with an account: buyers, producers, helpers of the community digital team, staff."""

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word


class Role(enum.StrEnum):
    """What an account is for. For whom a producer or helper may act is the catalogue's to say."""

    BUYER = "buyer"
    PRODUCER = "producer"
    HELPER = "helper"
    STAFF = "staff"


class User(Base):
    """One person. Phone (E.164) or e-mail is the log-in name; at least one is known."""

    __tablename__ = "user_account"
    __table_args__ = (
        CheckConstraint("phone IS NOT NULL OR email IS NOT NULL", name="reachable"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    phone: Mapped[str | None] = mapped_column(unique=True)
    email: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    role: Mapped[Role] = mapped_column(word(Role), default=Role.BUYER)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
