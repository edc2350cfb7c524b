"""What the buyer sees of an order: every part with its lines, its money and its history."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import banks
from catalog.producers import Producer
from core.money import Money, total
from shop import orders
from shop.cancellations import OPEN_TO_BUYER
from shop.order_states import SellerOrderState, Verb
from shop.orders import Order, OrderEvent, OrderLine, SellerOrder
from shop.payments import payments, refunds
from shop.payments.bank_transfer import COUNTDOWN
from shop.payments.payments import (
    THROUGH_PROVIDER,
    UNPAID,
    Payment,
    PaymentMethod,
    PaymentState,
)
from shop.payments.refunds import Refund, RefundState

UNSHOWN = (Verb.SETTLE,)


@dataclass(frozen=True, slots=True)
class Tracked:
    """One producer's part as the buyer follows it."""

    part: SellerOrder
    producer: Producer
    payment: Payment
    lines: list[OrderLine]
    events: list[OrderEvent]
    refunds: list[Refund]

    @property
    def awaits_money(self) -> bool:
        """Say whether a transfer, or the rest of one, is still awaited."""
        return self.payment.method is PaymentMethod.BANK_TRANSFER and self.payment.state in (
            PaymentState.AWAITING,
            PaymentState.PARTIAL,
        )

    @property
    def pays_online(self) -> bool:
        """Say whether a gateway's page waits to be paid on, or is being checked."""
        waits = self.payment.state in UNPAID or self.payment.state is PaymentState.EXPIRED
        pending = self.part.state is SellerOrderState.PENDING
        return self.payment.method in THROUGH_PROVIDER and waits and pending

    @property
    def refund_due(self) -> Money:
        """Return what is still to be sent back to the buyer."""
        return total(one.amount for one in self.refunds if one.state is not RefundState.SUCCEEDED)

    @property
    def paid_back(self) -> list[Refund]:
        """Return the refunds that were sent."""
        return [one for one in self.refunds if one.state is RefundState.SUCCEEDED]

    @property
    def pay_until(self) -> datetime:
        """Return the end of the countdown; the goods are held longer than that."""
        return self.payment.created_at + COUNTDOWN

    @property
    def bank_name(self) -> str:
        """Return the bank's short name, or its number when we do not know it."""
        bank = banks.find_bank(self.payment.bank_bin or "")
        return bank.short_name if bank else self.payment.bank_bin or ""

    @property
    def may_cancel(self) -> bool:
        """Say whether the buyer may still call it off."""
        return self.part.state in OPEN_TO_BUYER

    @property
    def cheaper(self) -> list[tuple[str, Money, Money]]:
        """Return what became cheaper between cart and order: name, before, now."""
        placed = next((event for event in self.events if event.verb == Verb.PLACE), None)
        told = placed.detail.get("cheaper", []) if placed else []
        return [(one["name"], Money(one["before"]), Money(one["now"])) for one in told]


@dataclass(frozen=True, slots=True)
class Tracking:
    """A whole order as its buyer sees it."""

    order: Order
    parts: list[Tracked]

    @property
    def awaits_money(self) -> bool:
        """Say whether any transfer is still awaited."""
        return any(part.awaits_money for part in self.parts)

    @property
    def to_pay(self) -> Money:
        """Return what is still to be transferred; parts paid together count once."""
        awaited = {part.payment.id: part.payment for part in self.parts if part.awaits_money}
        return total(payment.missing for payment in awaited.values())

    @property
    def owed(self) -> Money:
        """Return what the parts that go on cost now."""
        return total(
            one.part.total for one in self.parts if one.part.state is not SellerOrderState.CANCELLED
        )

    @property
    def online_together(self) -> Tracked | None:
        """Return a part that stands for all, when one page takes the money of the whole order."""
        return next(
            (one for one in self.parts if one.pays_online and not one.payment.seller_order_id),
            None,
        )

    @property
    def together(self) -> Tracked | None:
        """Return a part that stands for all, when one transfer pays the whole order."""
        return next(
            (one for one in self.parts if one.awaits_money and not one.payment.seller_order_id),
            None,
        )

    @property
    def may_cancel(self) -> bool:
        """Say whether the buyer may still call off any part."""
        return any(part.may_cancel for part in self.parts)

    @property
    def mark(self) -> str:
        """Return a word that changes whenever the page would."""
        return "-".join(
            f"{part.part.state}.{part.payment.state}.{part.payment.captured.dong}"
            for part in self.parts
        )


def track(session: Session, order: Order) -> Tracking:
    """Return the order with everything its page shows."""
    parts = orders.list_parts(session, order.id)
    part_ids = [part.id for part in parts]
    paid = payments.list_of_parts(session, part_ids)
    sent_back = refunds.of_parts(session, part_ids)
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    for line in orders.list_lines(session, part_ids):
        lines[line.seller_order_id].append(line)
    events: dict[int | None, list[OrderEvent]] = defaultdict(list)
    for event in session.scalars(
        select(OrderEvent)
        .where(OrderEvent.order_id == order.id, OrderEvent.verb.not_in(UNSHOWN))
        .order_by(OrderEvent.id)
    ):
        events[event.seller_order_id].append(event)
    producers = {
        producer.id: producer
        for producer in session.scalars(
            select(Producer).where(Producer.id.in_([part.producer_id for part in parts]))
        )
    }
    return Tracking(
        order,
        [
            Tracked(
                part,
                producers[part.producer_id],
                paid[part.id],
                lines[part.id],
                events[part.id],
                sent_back[part.id],
            )
            for part in parts
        ],
    )
