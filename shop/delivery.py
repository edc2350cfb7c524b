"""How a producer's goods reach a buyer, and what that costs.

Every way has one plain fee. Zones say where it costs something else or does not go; steps of weight
add to it; from an amount on it may be free. Whatever weight is asked for has exactly one answer.
"""

import enum
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.db import Base, word
from core.errors import NotFound
from core.i18n import lazy as _
from core.money import ZERO, Money

# What a piece is taken to weigh whose producer has not weighed it.
ASSUMED_WEIGHT_G = 500


class DeliveryKind(enum.StrEnum):
    """Who carries the goods."""

    POST = "post"
    SELF = "self"
    PICKUP = "pickup"
    GHN = "ghn"


# Somebody else carries these parcels and collects the cash at the door.
CARRIED = frozenset({DeliveryKind.POST, DeliveryKind.GHN})


class NoSuchMethod(NotFound):
    """This producer has no such way of delivery."""


@dataclass(frozen=True, slots=True)
class Fee:
    """What a way costs; `amount` is None where it does not go.

    Not `exact`: the address is not known yet and this is the least. `said` tells why a carrier's
    own fee could not be had.
    """

    amount: Money | None
    exact: bool = True
    said: str | None = None


class DeliveryZone(Base):
    """A province, or one commune of it, where a way costs something else or does not go."""

    __tablename__ = "delivery_zone"
    __table_args__ = (
        UniqueConstraint("method_id", "province_code", "commune_code"),
        CheckConstraint("fee IS NULL OR fee >= 0", name="fee_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    method_id: Mapped[int] = mapped_column(ForeignKey("delivery_method.id"))
    province_code: Mapped[str]
    commune_code: Mapped[str] = mapped_column(default="")  # empty: the whole province
    is_served: Mapped[bool] = mapped_column(default=True)
    fee: Mapped[Money | None]  # None: the plain fee


class DeliveryBand(Base):
    """What a parcel heavier than `over_g` grams costs more; the highest step that fits counts."""

    __tablename__ = "delivery_band"
    __table_args__ = (
        UniqueConstraint("method_id", "over_g"),
        CheckConstraint("over_g > 0 AND extra >= 0", name="not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    method_id: Mapped[int] = mapped_column(ForeignKey("delivery_method.id"))
    over_g: Mapped[int]
    extra: Mapped[Money]


class DeliveryMethod(Base):
    """One way of one producer. It is switched off, never deleted: orders refer to it."""

    __tablename__ = "delivery_method"
    __table_args__ = (
        CheckConstraint("fee >= 0", name="fee_not_negative"),
        CheckConstraint("most_g IS NULL OR most_g > 0", name="some_weight"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), index=True)
    kind: Mapped[DeliveryKind] = mapped_column(word(DeliveryKind))
    name: Mapped[str]
    fee: Mapped[Money]
    free_from: Mapped[Money | None]
    place: Mapped[str | None]
    position: Mapped[int] = mapped_column(default=0)
    is_on: Mapped[bool] = mapped_column(default=True)
    only_zones: Mapped[bool] = mapped_column(default=False)
    most_g: Mapped[int | None]
    is_sample: Mapped[bool] = mapped_column(default=False)
    zones: Mapped[list[DeliveryZone]] = relationship(
        lazy="selectin", order_by=DeliveryZone.id, cascade="all, delete-orphan"
    )
    bands: Mapped[list[DeliveryBand]] = relationship(
        lazy="selectin", order_by=DeliveryBand.over_g, cascade="all, delete-orphan"
    )

    def fee_for(
        self,
        items_total: Money,
        weight_g: int = 0,
        province_code: str = "",
        commune_code: str = "",
    ) -> Money | None:
        """Return what carrying goods of this worth and weight there costs, None: not there.

        Without a commune it is the least that any place left open costs.
        """
        return self.quote(items_total, weight_g, province_code, commune_code).amount

    def quote(
        self, items_total: Money, weight_g: int, province_code: str = "", commune_code: str = ""
    ) -> Fee:
        """Return the fee with whether it is exact, as far as the address is known."""
        if self.most_g is not None and weight_g > self.most_g:
            return Fee(None)
        bases = self._bases(province_code, commune_code)
        served = [base for base in bases if base is not None]
        if not served:
            return Fee(None)
        if self.is_free(items_total):
            return Fee(ZERO, exact=len(served) == len(bases))
        extra = max((b.extra for b in self.bands if b.over_g < weight_g), default=ZERO)
        return Fee(min(served) + extra, exact=len(bases) == 1)

    def _bases(self, province_code: str, commune_code: str) -> set[Money | None]:
        """Return every fee, without weight, that the address may turn out to cost."""
        inside = [z for z in self.zones if z.province_code == province_code]
        whole = next((self._fee_in(z) for z in inside if not z.commune_code), self._elsewhere())
        if commune_code:
            own = (self._fee_in(z) for z in inside if z.commune_code == commune_code)
            return {next(own, whole)}
        if province_code:
            return {whole, *(self._fee_in(z) for z in inside)}
        return {self._elsewhere(), *(self._fee_in(z) for z in self.zones)}

    def _fee_in(self, zone: DeliveryZone) -> Money | None:
        if not zone.is_served:
            return None
        return self.fee if zone.fee is None else zone.fee

    def _elsewhere(self) -> Money | None:
        return None if self.only_zones else self.fee

    def is_free(self, items_total: Money) -> bool:
        """Say whether goods of this worth are carried for nothing."""
        return self.free_from is not None and items_total >= self.free_from

    def missing_to_free(self, items_total: Money) -> Money | None:
        """Return how much more would make it free, zero when it is, None when it never is."""
        if self.free_from is None:
            return None if self._costs() else ZERO
        return max(ZERO, self.free_from - items_total)

    def _costs(self) -> bool:
        amounts = (self.fee, *(z.fee for z in self.zones), *(b.extra for b in self.bands))
        return any(amounts)

    @property
    def full_name(self) -> str:
        """Name the way, and the place where goods are handed over."""
        return f"{self.name} – {self.place}" if self.place else self.name


def list_of_producers(
    session: Session, producer_ids: Collection[int]
) -> dict[int, list[DeliveryMethod]]:
    """Return each producer's open ways in its order; one who opened none lets goods be fetched."""
    methods: dict[int, list[DeliveryMethod]] = defaultdict(list)
    rows = session.scalars(
        select(DeliveryMethod)
        .where(DeliveryMethod.producer_id.in_(producer_ids), DeliveryMethod.is_on)
        .order_by(DeliveryMethod.position, DeliveryMethod.id)
    )
    for method in rows:
        methods[method.producer_id].append(method)
    for producer_id in producer_ids:
        if not methods[producer_id]:
            methods[producer_id].append(_collected(producer_id))
    return methods


def list_of(session: Session, producer_id: int) -> list[DeliveryMethod]:
    """Return every way a producer ever named, the open ones first."""
    return list(
        session.scalars(
            select(DeliveryMethod)
            .where(DeliveryMethod.producer_id == producer_id)
            .order_by(DeliveryMethod.is_on.desc(), DeliveryMethod.position, DeliveryMethod.id)
        )
    )


def get(session: Session, producer_id: int, method_id: int) -> DeliveryMethod:
    """Return this producer's way, on or off; another's does not exist here (NoSuchMethod)."""
    method = session.get(DeliveryMethod, method_id)
    if method is None or method.producer_id != producer_id:
        raise NoSuchMethod(_("There is no such way of delivery."))
    return method


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
        is_on=True,
        only_zones=False,
        most_g=None,
        is_sample=False,
    )
