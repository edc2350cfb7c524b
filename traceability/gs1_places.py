"""GLN: numbers GS1 gave a producer for its places, with the producer's own parts of a place."""

import re
from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from catalog.gtin import has_check_digit
from catalog.producers import Producer
from core.db import Base
from core.errors import Conflict, Invalid
from core.i18n import lazy as _
from core.text import clean
from traceability.gs1 import is_house_code

GLN_DIGITS = 13
LONGEST_NAME = 120
WHOLE_PLACE = ""

describe({"gln.add": _("wrote down a GLN")})


class WrongGln(Invalid):
    """The number is no GLN, or its part or name cannot be written down."""


class GlnTaken(Conflict):
    """This number is another producer's, or stands in the book already."""


class Gs1Place(Base):
    """One place under its GLN; `extension` names a part of it, '' the whole."""

    __tablename__ = "gs1_place"
    __table_args__ = (UniqueConstraint("gln", "extension"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    gln: Mapped[str]
    extension: Mapped[str] = mapped_column(default=WHOLE_PLACE)
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), index=True)
    name: Mapped[str]
    created_at: Mapped[datetime]


def find(
    session: Session, gln: str, extension: str | None
) -> tuple[list[Gs1Place], Producer] | None:
    """Return the place, and the part of it where the book has that, with its producer; or None.

    An unknown part is walked up to its place.
    """
    rows = session.execute(
        select(Gs1Place, Producer)
        .join(Producer, Producer.id == Gs1Place.producer_id)
        .where(Gs1Place.gln == gln, Gs1Place.extension.in_({WHOLE_PLACE, extension or WHOLE_PLACE}))
        .order_by(Gs1Place.extension)
    ).all()
    return ([place for place, _producer in rows], rows[0][1]) if rows else None


def list_of_producer(session: Session, producer_id: int) -> list[Gs1Place]:
    """Return a producer's places, each followed by its parts."""
    return list(
        session.scalars(
            select(Gs1Place)
            .where(Gs1Place.producer_id == producer_id)
            .order_by(Gs1Place.gln, Gs1Place.extension)
        )
    )


def add(
    session: Session,
    producer_id: int,
    *,
    gln: str,
    extension: str,
    name: str,
    actor: Actor,
    now: datetime,
) -> Gs1Place:
    """Write down a number GS1 gave this producer; a part needs its place first.

    Raises WrongGln or GlnTaken.
    """
    number = re.sub(r"\s", "", gln)
    if len(number) != GLN_DIGITS or not has_check_digit(number) or not number.strip("0"):
        raise WrongGln(_("A GLN has 13 digits and a right check digit."), field="gln")
    part = clean(extension).upper()
    if part and not is_house_code(part):
        raise WrongGln(
            _("Use only letters A-Z, digits and hyphens, at most 20."), field="extension"
        )
    title = clean(name)
    if not title or len(title) > LONGEST_NAME:
        raise WrongGln(_("Write what the place is called, in at most 120 letters."), field="name")
    whole = session.scalar(
        select(Gs1Place).where(Gs1Place.gln == number, Gs1Place.extension == WHOLE_PLACE)
    )
    if part and whole is None:
        raise WrongGln(_("Write down the place itself first, without a part."), field="extension")
    if whole is not None and (not part or whole.producer_id != producer_id):
        raise GlnTaken(_("This number stands in the book already."), field="gln")
    place = Gs1Place(
        gln=number, extension=part, producer_id=producer_id, name=title, created_at=now
    )
    try:
        with session.begin_nested():
            session.add(place)
    except IntegrityError as error:
        raise GlnTaken(_("This number stands in the book already."), field="gln") from error
    record(session, actor, "gln.add", f"producer:{producer_id}", now=now, gln=number, part=part)
    return place
