"""How a producer's goods reach a buyer, and what that costs."""

import enum

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, word
from core.money import Money


class DeliveryKind(enum.StrEnum):
    """Who carries the goods."""

    POST = "post"
    SELF = "self"
    PICKUP = "pickup"


class DeliveryMethod(Base):
    """One way of one producer: a fee, free from an amount on."""

    __tablename__ = "delivery_method"
    __table_args__ = (CheckConstraint("fee >= 0", name="fee_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), index=True)
    kind: Mapped[DeliveryKind] = mapped_column(word(DeliveryKind))
    name: Mapped[str]
    fee: Mapped[Money]
    free_from: Mapped[Money | None]
    place: Mapped[str | None]
    position: Mapped[int] = mapped_column(default=0)
    is_sample: Mapped[bool] = mapped_column(default=False)
