"""Papers with dates. A star badge is computed from an OCOP certificate valid on the day."""

import calendar
import enum
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import (
    BindParameter,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    and_,
    bindparam,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from catalog.products import Product
from core.db import TODAY, Base, ask, word
from core.i18n import lazy as _

OCOP_MONTHS = 36
EXPIRING_DAYS = 90
BADGES = (3, 4, 5)


class PaperKind(enum.StrEnum):
    """What a paper proves."""

    OCOP = "ocop"
    FOOD_SAFETY = "food_safety"
    TEST_REPORT = "test_report"
    VIETGAP = "vietgap"
    ORGANIC = "organic"
    GTIN = "gtin"


class PaperState(enum.StrEnum):
    """Only a paper in force is shown to buyers and gives what it proves."""

    WAITING = "waiting"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"


PAPER_NAMES = {
    PaperKind.OCOP: _("OCOP certificate"),
    PaperKind.FOOD_SAFETY: _("Food safety certificate"),
    PaperKind.TEST_REPORT: _("Test report"),
    PaperKind.VIETGAP: _("VietGAP certificate"),
    PaperKind.ORGANIC: _("Organic certificate"),
    PaperKind.GTIN: _("Certificate of the barcode number (GS1)"),
}
# A badge, a mark of others or a number of GS1: staff see the paper before it counts.
CHECKED = frozenset({PaperKind.OCOP, PaperKind.VIETGAP, PaperKind.ORGANIC, PaperKind.GTIN})


class Certificate(Base):
    """One paper of one product. `expires_on` is the first day on which it no longer counts.

    `year_only`: the source names a year alone, counted from 1 January. `reminded` is how many days
    ahead of its end its producer was written to last. `answer` says why it was
    refused or withdrawn.
    """

    __tablename__ = "certificate"
    __table_args__ = (
        CheckConstraint("stars IS NULL OR stars BETWEEN 1 AND 5", name="stars"),
        Index("ix_certificate_valid", "product_id", "kind", "expires_on"),
        Index("ix_certificate_stars", "kind", "stars", "product_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    kind: Mapped[PaperKind] = mapped_column(word(PaperKind))
    stars: Mapped[int | None]
    number: Mapped[str | None]
    issuer: Mapped[str | None]
    issued_on: Mapped[date]
    expires_on: Mapped[date | None]
    year_only: Mapped[bool] = mapped_column(default=False)
    file_key: Mapped[str | None]
    state: Mapped[PaperState] = mapped_column(word(PaperState), default=PaperState.IN_FORCE)
    handed_in_at: Mapped[datetime | None]
    handed_in_by_name: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answered_by_name: Mapped[str | None]
    answer: Mapped[str | None]
    replaces: Mapped[int | None] = mapped_column(ForeignKey("certificate.id"))
    reminded: Mapped[int | None]
    is_sample: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str | None]

    @property
    def last_day(self) -> date | None:
        """The last day on which the paper counts; people read this, never `expires_on`."""
        return self.expires_on - timedelta(days=1) if self.expires_on else None

    def counts_on(self, today: date) -> bool:
        """Say whether the paper is in force and valid on `today`."""
        if self.state is not PaperState.IN_FORCE:
            return False
        return self.issued_on <= today and (self.expires_on is None or today < self.expires_on)


def stars_today(session: Session, product_ids: Iterable[int], today: date) -> dict[int, int]:
    """Return the stars of those products whose OCOP certificate is valid on `today`."""
    wanted = list(product_ids)
    if not wanted:
        return {}
    rows = ask(session, _STARS, {"products": wanted, "today": today})
    return {row.product_id: row.stars for row in rows}


def gives_badge(paper: type[Certificate]) -> ColumnElement[bool]:
    """Return the condition of an OCOP certificate that gives a badge on TODAY."""
    return paper.stars.in_(BADGES) & _counts(paper)


def is_best_badge(
    paper: type[Certificate], stars: BindParameter[int] | None = None
) -> ColumnElement[bool]:
    """Return the condition of the one certificate that a product's badge of TODAY shows.

    With `stars`, of those only that show so many.
    """
    better = aliased(Certificate)
    none_better = not_(
        select(better.id)
        .where(
            better.product_id == paper.product_id,
            gives_badge(better),
            or_(
                # A difference, so that nobody looks for it in the index of all stars.
                better.stars - paper.stars > 0,
                (better.stars == paper.stars) & (better.id > paper.id),
            ),
        )
        .correlate(paper)
        .exists()
    )
    # A range, not a set: only so is an index of stars walked in their order.
    shown = paper.stars >= BADGES[0] if stars is None else paper.stars == stars
    return and_(shown, _counts(paper), none_better)


def _counts(paper: type[Certificate]) -> ColumnElement[bool]:
    return and_(
        paper.kind == PaperKind.OCOP,
        paper.state == PaperState.IN_FORCE,
        paper.issued_on <= TODAY,
        or_(paper.expires_on.is_(None), paper.expires_on > TODAY),
    )


_STARS = (
    select(Certificate.product_id, func.max(Certificate.stars).label("stars"))
    .where(
        Certificate.product_id.in_(bindparam("products", expanding=True)), gives_badge(Certificate)
    )
    .group_by(Certificate.product_id)
)


def list_papers(session: Session, product_id: int) -> list[Certificate]:
    """Return every paper in force of a product, those that ran out too, newest first."""
    return list(session.scalars(_PAPERS_OF_ONE, {"product": product_id}))


_PAPERS_OF_ONE = (
    select(Certificate)
    .where(Certificate.product_id == bindparam("product"), Certificate.state == PaperState.IN_FORCE)
    .order_by(Certificate.issued_on.desc(), Certificate.id.desc())
)


def list_papers_of(session: Session, product_ids: Iterable[int]) -> dict[int, list[Certificate]]:
    """Return the papers in force of each product in one question: OCOP's first, then the newest."""
    papers: dict[int, list[Certificate]] = {product_id: [] for product_id in product_ids}
    for paper in session.scalars(_PAPERS, {"products": list(papers)}):
        papers[paper.product_id].append(paper)
    return papers


_PAPERS = (
    select(Certificate)
    .where(
        Certificate.product_id.in_(bindparam("products", expanding=True)),
        Certificate.state == PaperState.IN_FORCE,
    )
    .order_by(
        Certificate.kind != PaperKind.OCOP, Certificate.issued_on.desc(), Certificate.id.desc()
    )
)


def best_badge(papers: Iterable[Certificate], today: date) -> Certificate | None:
    """Return the paper that gives a product its badge on `today`, the highest if several."""
    valid = [
        paper
        for paper in papers
        if paper.kind is PaperKind.OCOP and paper.stars in BADGES and paper.counts_on(today)
    ]
    return max(valid, key=lambda paper: (paper.stars or 0, paper.issued_on), default=None)


def is_certified(session: Session, producer_id: int, today: date) -> bool:
    """Say whether the producer has shown a certificate for barcode numbers that is valid today."""
    found = session.scalar(
        select(Certificate.id)
        .join(Product, Product.id == Certificate.product_id)
        .where(
            Product.producer_id == producer_id,
            Certificate.kind == PaperKind.GTIN,
            Certificate.state == PaperState.IN_FORCE,
            Certificate.issued_on <= today,
            or_(Certificate.expires_on.is_(None), Certificate.expires_on > today),
        )
        .limit(1)
    )
    return found is not None


def add(
    session: Session,
    product_id: int,
    kind: PaperKind,
    *,
    issued_on: date,
    stars: int | None = None,
    number: str | None = None,
    issuer: str | None = None,
    expires_on: date | None = None,
    year_only: bool = False,
    is_sample: bool = False,
    source: str | None = None,
) -> Certificate:
    """Write down a paper. An OCOP certificate without an end is valid 36 months from its issue."""
    if kind is PaperKind.OCOP and expires_on is None:
        expires_on = months_after(issued_on, OCOP_MONTHS)
    paper = Certificate(
        product_id=product_id,
        kind=kind,
        stars=stars,
        number=number,
        issuer=issuer,
        issued_on=issued_on,
        expires_on=expires_on,
        year_only=year_only,
        is_sample=is_sample,
        source=source,
    )
    session.add(paper)
    session.flush()  # gives the paper its id
    return paper


def months_after(day: date, months: int) -> date:
    """Return the same day so many months later, the last of the month if it has none such."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
