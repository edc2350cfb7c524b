"""Public codes of products and lots: what a QR of ours says, for as long as it is stuck on."""

import enum
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog.lots import Lot
from catalog.variants import Variant
from core.codes import new_code
from core.db import Base, word
from traceability import known_gtins
from traceability.codes import TRACE_CODE

TRIES = 5


class CodeKind(enum.StrEnum):
    """What a public code names."""

    PRODUCT = "product"
    LOT = "lot"


def _one_each(column: str, kind: CodeKind) -> Index:
    only = text(f"kind = '{kind.value}'")
    return Index(
        f"uq_trace_code_{kind.value}", column, unique=True, sqlite_where=only, postgresql_where=only
    )


class TraceCode(Base):
    """One public code (10 characters and a check); a printed one is never reused or removed."""

    __tablename__ = "trace_code"
    __table_args__ = (
        CheckConstraint("(kind = 'lot') = (lot_id IS NOT NULL)", name="lot_named"),
        _one_each("product_id", CodeKind.PRODUCT),
        _one_each("lot_id", CodeKind.LOT),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[CodeKind] = mapped_column(word(CodeKind))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"), index=True)
    created_at: Mapped[datetime]


def find_code(session: Session, code: str) -> TraceCode | None:
    """Return what the public code of a product or lot names; a serial is not among these."""
    return session.get(TraceCode, code)


def find_product_code(session: Session, product_id: int) -> str | None:
    """Return the product's public code, if it was ever given one."""
    return session.scalar(
        select(TraceCode.code).where(
            TraceCode.kind == CodeKind.PRODUCT, TraceCode.product_id == product_id
        )
    )


def find_lot_code(session: Session, lot_id: int) -> str | None:
    """Return the lot's public code, if it was ever given one."""
    return session.scalar(
        select(TraceCode.code).where(TraceCode.kind == CodeKind.LOT, TraceCode.lot_id == lot_id)
    )


def ensure_product_code(session: Session, product_id: int, *, now: datetime) -> str:
    """Return the product's public code, giving it one the first time."""
    known_gtins.remember(session, product_id, now=now)
    return _ensure(
        session,
        lambda: find_product_code(session, product_id),
        lambda code: TraceCode(
            code=code, kind=CodeKind.PRODUCT, product_id=product_id, created_at=now
        ),
    )


def ensure_lot_code(session: Session, lot: Lot, *, now: datetime) -> str:
    """Return the lot's public code, giving it one the first time."""
    product_id = session.scalars(
        select(Variant.product_id).where(Variant.id == lot.variant_id)
    ).one()
    known_gtins.remember(session, product_id, now=now)
    return _ensure(
        session,
        lambda: find_lot_code(session, lot.id),
        lambda code: TraceCode(
            code=code, kind=CodeKind.LOT, product_id=product_id, lot_id=lot.id, created_at=now
        ),
    )


def ensure_lot_codes(session: Session, products: Mapping[int, int], *, now: datetime) -> None:
    """Give many lots (lot → its product) their public codes at once; a code there is stays."""
    for product_id in sorted(set(products.values())):
        known_gtins.remember(session, product_id, now=now)
    rows = [
        {
            "code": new_code(TRACE_CODE),
            "kind": CodeKind.LOT,
            "product_id": product_id,
            "lot_id": lot_id,
            "created_at": now,
        }
        for lot_id, product_id in sorted(products.items())
    ]
    if rows:
        insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        session.execute(insert(TraceCode).on_conflict_do_nothing(), rows)


def _ensure(
    session: Session, find: Callable[[], str | None], make: Callable[[str], TraceCode]
) -> str:
    """Find, else make; of two that make at once, one writes and both return the same code."""
    for _try in range(TRIES):
        code = find()
        if code is not None:
            return code
        try:
            with session.begin_nested():
                session.add(made := make(new_code(TRACE_CODE)))
        except IntegrityError:
            continue
        return made.code
    message = "a public code could not be written"
    raise RuntimeError(message)
