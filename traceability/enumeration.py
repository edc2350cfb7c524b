"""Trying out codes: told to staff as a number an hour, without a word of who it was."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base

SHOWN = 100


class EnumerationAlert(Base):
    """In this hour so many networks tried more unknown codes a minute than anyone mistypes."""

    __tablename__ = "enumeration_alert"

    hour: Mapped[datetime] = mapped_column(primary_key=True)
    times: Mapped[int]


def tell(session: Session, *, now: datetime) -> None:
    """Add one network in one minute to this hour's alert."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(
        insert(EnumerationAlert)
        .values(hour=now.replace(minute=0, second=0, microsecond=0), times=1)
        .on_conflict_do_update(
            index_elements=[EnumerationAlert.hour], set_={"times": EnumerationAlert.times + 1}
        )
    )


def list_alerts(session: Session) -> list[EnumerationAlert]:
    """Return the newest alerts."""
    return list(
        session.scalars(
            select(EnumerationAlert).order_by(EnumerationAlert.hour.desc()).limit(SHOWN)
        )
    )
