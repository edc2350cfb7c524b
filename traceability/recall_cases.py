"""Recalls and holds as cases: a lot with everything made of it, ended only by two people.

A case covers its lots from the moment it is opened; what is found later to be made of them joins
it. A lot that several cases cover is sold again when the last of them has ended.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog.lots import Lot
from catalog.producers import Producer
from catalog.products import Product
from catalog.variants import Variant
from core.db import Base, in_batches, word
from core.errors import NotFound


class CaseKind(enum.StrEnum):
    """A hold stops the sale while something is looked into; a recall also calls goods back."""

    HOLD = "hold"
    RECALL = "recall"


class CaseState(enum.StrEnum):
    """A case ends when one has asked for it and another has agreed."""

    OPEN = "open"
    ASKED = "asked"
    LIFTED = "lifted"
    REPLACED = "replaced"


STANDING = (CaseState.OPEN, CaseState.ASKED)


class NoSuchCase(NotFound):
    """There is no such recall, or it is another producer's."""


class Case(Base):
    """One recall or hold: where it began, why, who opened it and which two ended it."""

    __tablename__ = "recall_case"
    __table_args__ = (
        CheckConstraint("lifted_by <> asked_by", name="two_people"),
        CheckConstraint("state <> 'lifted' OR lifted_by IS NOT NULL", name="lifted_by_someone"),
        Index("ix_recall_case_producer", "producer_id", "id"),
        Index("ix_recall_case_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[CaseKind] = mapped_column(word(CaseKind))
    state: Mapped[CaseState] = mapped_column(word(CaseState), default=CaseState.OPEN)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    producer_id: Mapped[int | None] = mapped_column(ForeignKey("producer.id"))
    reason: Mapped[str]
    opened_at: Mapped[datetime]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    opened_by_name: Mapped[str]
    on_behalf_of: Mapped[str | None]
    lift_reason: Mapped[str | None]
    asked_at: Mapped[datetime | None]
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    asked_by_name: Mapped[str | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    lifted_by_name: Mapped[str | None]

    @property
    def stands(self) -> bool:
        """Say whether the case still keeps its lots off the market."""
        return self.state in STANDING


class CaseLot(Base):
    """One lot of a case, so many steps away from where the case began."""

    __tablename__ = "recall_case_lot"

    case_id: Mapped[int] = mapped_column(ForeignKey("recall_case.id"), primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True, index=True)
    steps: Mapped[int]


@dataclass(frozen=True, slots=True)
class Listed:
    """A case as lists show it."""

    case: Case
    lot: Lot
    product: Product
    slug: str | None
    producer: str | None
    lots: int


def get_case(session: Session, case_id: int, producer_id: int | None = None) -> Case:
    """Return a case, of this producer if one is named, or raise NoSuchCase."""
    case = session.get(Case, case_id)
    if case is None or producer_id not in {None, case.producer_id}:
        raise NoSuchCase
    return case


def list_cases(
    session: Session,
    *,
    producer_id: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[Listed]:
    """Return cases, of one producer or of all, the newest first."""
    covered = (
        select(func.count()).where(CaseLot.case_id == Case.id).correlate(Case).scalar_subquery()
    )
    wanted = (
        select(Case, Lot, Product, Producer.slug, Producer.name, covered)
        .join(Lot, Lot.id == Case.lot_id)
        .join(Variant, Variant.id == Lot.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(Producer, Producer.id == Case.producer_id)
        .order_by(Case.id.desc())
        .limit(limit)
    )
    if producer_id is not None:
        wanted = wanted.where(Case.producer_id == producer_id)
    if before_id is not None:
        wanted = wanted.where(Case.id < before_id)
    return [Listed(*row) for row in session.execute(wanted)]


def count_asked(session: Session, producer_id: int | None = None) -> int:
    """Return how many cases wait for a second person to agree to their end."""
    wanted = select(func.count()).where(Case.state == CaseState.ASKED)
    if producer_id is not None:
        wanted = wanted.where(Case.producer_id == producer_id)
    return session.scalar(wanted) or 0


def find_standing(session: Session, lot_id: int) -> Case | None:
    """Return the gravest case that keeps this lot off the market, the newest if several."""
    return session.scalar(
        select(Case)
        .join(CaseLot, CaseLot.case_id == Case.id)
        .where(CaseLot.lot_id == lot_id, Case.state.in_(STANDING))
        .order_by(Case.kind.desc(), Case.id.desc())
        .limit(1)
    )


def lots_of(session: Session, case_id: int) -> dict[int, int]:
    """Return the lots of a case, each with its steps away from where the case began."""
    rows = session.execute(select(CaseLot.lot_id, CaseLot.steps).where(CaseLot.case_id == case_id))
    return {lot_id: steps for lot_id, steps in rows}  # noqa: C416 - dict() of rows is untyped


def list_begun_with(session: Session, lot_id: int) -> list[Case]:
    """Return the standing cases that began with this lot, as they are at this moment."""
    return list(
        session.scalars(
            select(Case)
            .where(Case.lot_id == lot_id, Case.state.in_(STANDING))
            .order_by(Case.id)
            .execution_options(populate_existing=True)
        )
    )


def covered_by(session: Session, lot_ids: Iterable[int], kind: CaseKind) -> set[int]:
    """Return which of these lots a standing case of this kind covers."""
    found: set[int] = set()
    for some in in_batches(lot_ids):
        found.update(
            session.scalars(
                select(CaseLot.lot_id)
                .join(Case, Case.id == CaseLot.case_id)
                .where(CaseLot.lot_id.in_(some), Case.state.in_(STANDING), Case.kind == kind)
            )
        )
    return found
