"""Reports of problems from the scan page: what is wrong, perhaps a photo, nothing of the person."""

import enum
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, ForeignKey, Index, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from catalog.duties import Duty
from catalog.lots import Lot
from catalog.places import AdminUnit
from catalog.producers import Producer
from catalog.products import Product
from catalog.variants import Variant
from core.db import Base, word
from core.errors import Invalid, NotFound
from core.i18n import lazy as _
from core.i18n import mark
from core.text import clean
from traceability.serials import Serial
from traceability.trace_codes import TraceCode

LONGEST_WORDS = 1_000
A_PAGE = 50

describe({"problem.settle": _("settled a report of a problem")})


class ProblemKind(enum.StrEnum):
    """What is wrong, as somebody with the package in the hand sees it."""

    SPOILT = "spoilt"
    BROKEN = "broken"
    DIFFERENT = "different"
    FALSE = "false"
    OTHER = "other"


PROBLEM_NAMES = {
    ProblemKind.SPOILT: _("Spoilt, or smells strange"),
    ProblemKind.BROKEN: _("Package opened or broken"),
    ProblemKind.DIFFERENT: _("Not what this page says"),
    ProblemKind.FALSE: _("The label looks false"),
    ProblemKind.OTHER: _("Something else"),
}


class NoProblem(Invalid):
    """A report says what is wrong."""


class ProblemTooLong(Invalid):
    """A report is a few sentences."""


class NoSuchReport(NotFound):
    """There is no such report at this desk."""


class ProblemReport(Base):
    """One report about one code. `photo_key` is a private file."""

    __tablename__ = "problem_report"
    __table_args__ = (Index("ix_problem_report_open", "product_id", "settled_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    kind: Mapped[ProblemKind] = mapped_column(word(ProblemKind))
    words: Mapped[str]
    photo_key: Mapped[str | None]
    province_code: Mapped[str | None] = mapped_column(ForeignKey("admin_unit.code"))
    sent_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by_name: Mapped[str | None]
    outcome: Mapped[str | None]


def send(
    session: Session,
    code: str,
    *,
    kind: str,
    words: str,
    photo_key: str | None,
    province_code: str | None,
    now: datetime,
) -> ProblemReport:
    """Put a report on the producer's desk and before staff. Raises NoProblem or ProblemTooLong.

    The caller has made sure that the code is known and the province exists.
    """
    try:
        what = ProblemKind(kind)
    except ValueError:
        raise NoProblem(_("Choose what is wrong."), field="kind") from None
    said = clean(words)
    if what is ProblemKind.OTHER and not said:
        raise NoProblem(_("Write what is wrong."), field="words")
    if len(said) > LONGEST_WORDS:
        raise ProblemTooLong(
            _("At most %(longest)s letters.", longest=LONGEST_WORDS), field="words"
        )
    product_id, lot_id = _subject(session, code)
    report = ProblemReport(
        code=code,
        product_id=product_id,
        lot_id=lot_id,
        kind=what,
        words=said,
        photo_key=photo_key,
        province_code=province_code,
        sent_at=now,
    )
    session.add(report)
    session.flush()  # gives the report its id
    return report


def _subject(session: Session, code: str) -> tuple[int, int | None]:
    named = session.get(TraceCode, code)
    if named is not None:
        return named.product_id, named.lot_id
    lot_id, product_id = session.execute(
        select(Serial.lot_id, Variant.product_id)
        .join(Lot, Lot.id == Serial.lot_id)
        .join(Variant, Variant.id == Lot.variant_id)
        .where(Serial.serial == code)
    ).one()
    return product_id, lot_id


def list_reports(
    session: Session, producer_id: int | None = None, *, before_id: int | None = None
) -> list[tuple[ProblemReport, Product, Lot | None, str | None, str | None]]:
    """Return reports with goods, lot, maker's slug and province, open ones first, then newest."""
    wanted = (
        select(ProblemReport, Product, Lot, Producer.slug, AdminUnit.name)
        .join(Product, Product.id == ProblemReport.product_id)
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .outerjoin(Lot, Lot.id == ProblemReport.lot_id)
        .outerjoin(AdminUnit, AdminUnit.code == ProblemReport.province_code)
        .order_by(ProblemReport.settled_at.is_not(None), ProblemReport.id.desc())
        .limit(A_PAGE)
    )
    if producer_id is not None:
        wanted = wanted.where(Product.producer_id == producer_id)
    if before_id is not None:
        wanted = wanted.where(ProblemReport.id < before_id)
    return [(row[0], row[1], row[2], row[3], row[4]) for row in session.execute(wanted)]


def get(session: Session, report_id: int, producer_id: int | None = None) -> ProblemReport:
    """Return a report, of this producer's goods if one is named. Raises NoSuchReport."""
    wanted = (
        select(ProblemReport)
        .join(Product, Product.id == ProblemReport.product_id)
        .where(ProblemReport.id == report_id)
    )
    if producer_id is not None:
        wanted = wanted.where(Product.producer_id == producer_id)
    report = session.scalar(wanted)
    if report is None:
        raise NoSuchReport(_("There is no such report."))
    return report


def settle(
    session: Session, report: ProblemReport, outcome: str, *, actor: Actor, now: datetime
) -> None:
    """Note what was done about a report; the first word stays. Raises NoProblem."""
    said = clean(outcome)[:LONGEST_WORDS]
    if not said:
        raise NoProblem(_("Write what was found or done."), field="outcome")
    done = session.execute(
        update(ProblemReport)
        .where(ProblemReport.id == report.id, ProblemReport.settled_at.is_(None))
        .values(settled_at=now, settled_by_name=actor.name, outcome=said)
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", done).rowcount:
        record(session, actor, "problem.settle", f"problem:{report.id}", now=now, code=report.code)


def count_open(session: Session, producer_id: int | None = None) -> int:
    """Return how many reports wait, at one desk or everywhere."""
    wanted = (
        select(func.count())
        .select_from(ProblemReport)
        .join(Product, Product.id == ProblemReport.product_id)
        .where(ProblemReport.settled_at.is_(None))
    )
    if producer_id is not None:
        wanted = wanted.where(Product.producer_id == producer_id)
    return session.scalar(wanted) or 0


def tell_duties(session: Session, producer_id: int) -> list[Duty]:
    """Return that reports of problems wait for the producer, if any do."""
    count = count_open(session, producer_id)
    if not count:
        return []
    sentence = mark("%(count)s reports of problems to read")
    return [Duty("desk_scans.reports", (), "co", sentence, count)]
