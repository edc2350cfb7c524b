"""How a producer's goods reach a buyer, and what that costs."""

import enum
from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import CheckConstraint, ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, word
from core.i18n import lazy as _
from core.money import ZERO, Money


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

    def fee_for(self, items_total: Money) -> Money:
        """Return what carrying goods of this worth costs."""
        return ZERO if self.missing_to_free(items_total) == ZERO else self.fee

    def missing_to_free(self, items_total: Money) -> Money | None:
        """Return how much more would make it free, zero when it is, None when it never is."""
        if self.free_from is None:
            return ZERO if self.fee == ZERO else None
        return max(ZERO, self.free_from - items_total)

    @property
    def full_name(self) -> str:
        """Name the way, and the place where goods are handed over."""
        return f"{self.name} – {self.place}" if self.place else self.name


def list_of_producers(
    session: Session, producer_ids: Collection[int]
) -> dict[int, list[DeliveryMethod]]:
    """Return each producer's ways in its own order; one who named none lets goods be collected."""
    methods: dict[int, list[DeliveryMethod]] = defaultdict(list)
    rows = session.scalars(
        select(DeliveryMethod)
        .where(DeliveryMethod.producer_id.in_(producer_ids))
        .order_by(DeliveryMethod.position, DeliveryMethod.id)
    )
    for method in rows:
        methods[method.producer_id].append(method)
    for producer_id in producer_ids:
        if not methods[producer_id]:
            methods[producer_id].append(_collected(producer_id))
    return methods


def _collected(producer_id: int) -> DeliveryMethod:
    """Say the only thing that is certain of a producer who has named no way and no fee."""
    return DeliveryMethod(
        id=0,
        producer_id=producer_id,
        kind=DeliveryKind.PICKUP,
        name=str(_("Pick up at the producer's")),
        fee=ZERO,
        free_from=None,
        place=None,
        position=0,
        is_sample=False,
    )
