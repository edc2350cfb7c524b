"""A helper's grant: the community digital team acts for a commune's producers, in the open."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Grant(Base):
    """A helper may act for the producers of one commune, from `given_at` until `ended_at`."""

    __tablename__ = "helper_grant"

    id: Mapped[int] = mapped_column(primary_key=True)
    helper_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    commune_code: Mapped[str] = mapped_column(ForeignKey("admin_unit.code"), index=True)
    given_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    given_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


class Refused(Base):
    """A producer that ended a helper's acting for it; the rest of the grant stands."""

    __tablename__ = "helper_refused"

    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), primary_key=True)
    helper_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    at: Mapped[datetime]
