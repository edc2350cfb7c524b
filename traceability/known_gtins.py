"""Every GTIN that was ever printed or scanned here, and the goods it named then.

Goods may lose their number or get another one; what was printed goes on naming them.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, exists, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog.barcodes import NumberReplaced
from catalog.products import Product
from catalog.variants import Variant
from core.db import Base


class KnownGtin(Base):
    """One number and the goods that had it when it was first printed or scanned."""

    __tablename__ = "known_gtin"

    gtin: Mapped[str] = mapped_column(primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"), index=True)
    since: Mapped[datetime]


def find_goods(session: Session, gtin: str) -> tuple[int, Product] | None:
    """Return the variant's id and the product that have this number, or once had it, or None."""
    row = session.execute(
        select(Variant.id, Product)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.gtin == gtin)
    ).one_or_none()
    row = (
        row
        or session.execute(
            select(Variant.id, Product)
            .join(KnownGtin, KnownGtin.variant_id == Variant.id)
            .join(Product, Product.id == Variant.product_id)
            .where(KnownGtin.gtin == gtin)
        ).one_or_none()
    )
    return (row[0], row[1]) if row else None


def remember(session: Session, product_id: int, *, now: datetime) -> None:
    """Keep the numbers a product's goods have now; those kept before go on naming what they did."""
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    new = select(Variant.gtin, Variant.id, literal(now, KnownGtin.since.type)).where(
        Variant.product_id == product_id,
        Variant.gtin.is_not(None),
        ~exists().where(KnownGtin.gtin == Variant.gtin),
    )
    if on_sqlite:
        session.execute(insert(KnownGtin).from_select(["gtin", "variant_id", "since"], new))
        return
    # Two that remember at once: the one who comes second finds it done.
    session.execute(
        postgresql.insert(KnownGtin)
        .from_select(["gtin", "variant_id", "since"], new)
        .on_conflict_do_nothing()
    )


def on_replaced(session: Session, news: NumberReplaced) -> None:
    """Let a number that goods had until now go on naming them, whoever it named before."""
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    insert_one = (sqlite if on_sqlite else postgresql).insert(KnownGtin)
    session.execute(
        insert_one.values(
            gtin=news.gtin, variant_id=news.variant_id, since=news.now
        ).on_conflict_do_update(
            index_elements=[KnownGtin.gtin], set_={"variant_id": news.variant_id}
        )
    )
