"""Products: what a page shows and a buyer chooses. Price, stock and stars live beside, not here."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word
from core.money import Money


class OcopGroup(enum.StrEnum):
    """The six groups of decision 148/QĐ-TTg (24/2/2023)."""

    FOOD = "food"
    BEVERAGE = "beverage"
    HERBAL = "herbal"
    HANDICRAFT = "handicraft"
    ORNAMENTAL = "ornamental"
    TOURISM = "tourism"


class ProductState(enum.StrEnum):
    """Only live products are seen by buyers; a withdrawn one's codes and orders live on."""

    DRAFT = "draft"
    REVIEW = "review"
    LIVE = "live"
    WITHDRAWN = "withdrawn"


class Product(Base):
    """One product of one commune; the village only where the source names it.

    `claimed_stars` is what a source once reported, kept as history: the badge is computed from a
    certificate valid today, never from here. `list_price` repeats the lowest variant price so
    that lists can sort by it; None means not for sale.
    """

    __tablename__ = "product"
    __table_args__ = (
        Index("ix_product_price", "state", "list_price", "id"),
        Index("ix_product_new", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_lower: Mapped[str]
    group: Mapped[OcopGroup | None] = mapped_column("ocop_group", word(OcopGroup), index=True)
    state: Mapped[ProductState] = mapped_column(word(ProductState))
    producer_id: Mapped[int | None] = mapped_column(ForeignKey("producer.id"), index=True)
    province_code: Mapped[str | None] = mapped_column(ForeignKey("admin_unit.code"), index=True)
    commune_code: Mapped[str | None] = mapped_column(ForeignKey("admin_unit.code"), index=True)
    village_id: Mapped[int | None] = mapped_column(ForeignKey("village.id"), index=True)
    place_text: Mapped[str | None]
    description: Mapped[str | None]
    ingredients: Mapped[str | None]
    storage_note: Mapped[str | None]
    usage_note: Mapped[str | None]
    motif: Mapped[str]
    season_months: Mapped[int] = mapped_column(default=0)
    claimed_stars: Mapped[int | None]
    claimed_year: Mapped[int | None]
    claimed_decision: Mapped[str | None]
    list_price: Mapped[Money | None]
    is_sample: Mapped[bool] = mapped_column(default=False)
    is_synthetic: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SlugChange(Base):
    """An address a page once had; it answers 301 for ever."""

    __tablename__ = "slug_change"

    kind: Mapped[str] = mapped_column(primary_key=True)
    old_slug: Mapped[str] = mapped_column(primary_key=True)
    new_slug: Mapped[str]
    changed_at: Mapped[datetime]


class ProductWord(Base):
    """The folded words of a product's search text: one prefix search, the same on every database."""

    __tablename__ = "product_word"

    word: Mapped[str] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(
        ForeignKey("product.id", ondelete="CASCADE"), primary_key=True, index=True
    )
