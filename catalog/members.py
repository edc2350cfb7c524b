"""Who belongs to a producer and may run its desk."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Member(Base):
    """One person of one producer."""

    __tablename__ = "producer_member"

    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        ForeignKey("user_account.id"), primary_key=True, index=True
    )
    since: Mapped[datetime]
