"""Variants: one size or kind of a product, with its price. At most three options make one."""

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from core.money import Money


class Variant(Base):
    """What is put in a cart. `gtin` is 14 digits or nothing: the shop never invents one."""

    __tablename__ = "variant"
    __table_args__ = (CheckConstraint("price IS NULL OR price > 0", name="price_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    sku: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(default="")
    unit: Mapped[str]
    weight_g: Mapped[int | None]
    price: Mapped[Money | None]
    price_is_sample: Mapped[bool] = mapped_column(default=False)
    gtin: Mapped[str | None] = mapped_column(unique=True)
    position: Mapped[int] = mapped_column(default=0)
