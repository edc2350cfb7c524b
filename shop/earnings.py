"""What a producer earns by a completed part, and what a refund takes of it: sums, no database.

A part earns its goods as the buyer paid them, its carriage, and what the shop itself gave on them,
less the shop's commission. Commission is counted line by line, rounded down, on the goods less
what the producer gave on them. A refund takes its whole amount, gives back the commission on the
goods it is for, and takes back what the shop gave on them; many refunds take what one would.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from core.money import ZERO, Money, total

BASIS = 10_000


@dataclass(frozen=True, slots=True)
class Sold:
    """One line as it was sent: what it cost, what was taken off, by whom, at which rate."""

    amount: Money
    discount: Money
    by_platform: bool
    commission_bp: int

    @property
    def paid(self) -> Money:
        """Return what the buyer paid for it."""
        return self.amount - self.discount

    @property
    def given_by_platform(self) -> Money:
        """Return what the shop gave on it."""
        return self.discount if self.by_platform else ZERO

    def commission_left(self, paid: Money) -> Money:
        """Return the commission on the line when `paid` of what the buyer paid has stayed."""
        base = self.amount if self.by_platform else self.paid
        stayed = base.dong if paid == self.paid else base.dong * paid.dong // self.paid.dong
        return Money(stayed * self.commission_bp // BASIS)

    def given_left(self, paid: Money) -> Money:
        """Return what the shop still gives on it when so much of what was paid has stayed."""
        given = self.given_by_platform
        return given if paid == self.paid else Money(given.dong * paid.dong // self.paid.dong)


@dataclass(frozen=True, slots=True)
class Earned:
    """What one part, or one refund, adds to the producer's account, kind by kind; signed."""

    goods: Money
    shipping: Money
    given_by_platform: Money
    commission: Money

    @property
    def whole(self) -> Money:
        """Return all of it together."""
        return self.goods + self.shipping + self.given_by_platform + self.commission


def of_part(lines: Collection[Sold], shipping: Money) -> Earned:
    """Return what a completed part earns its producer."""
    return Earned(
        goods=total(line.paid for line in lines),
        shipping=shipping,
        given_by_platform=total(line.given_by_platform for line in lines),
        commission=-total(line.commission_left(line.paid) for line in lines),
    )


def of_refund(
    amount: Money,
    lines: Mapping[int, Sold],
    before: Mapping[int, Money],
    now: Mapping[int, Money],
) -> Earned:
    """Return what a refund of `amount` changes: it is for `now` of each line, after `before`.

    More than was paid for a line counts as all of it.
    """
    commission = given = ZERO
    for line_id, back in now.items():
        line = lines.get(line_id)
        if line is None or not line.paid:
            continue
        gone = before.get(line_id, ZERO)
        stayed = max(ZERO, line.paid - gone)
        stays = max(ZERO, stayed - back)
        commission += line.commission_left(stayed) - line.commission_left(stays)
        given += line.given_left(stays) - line.given_left(stayed)
    return Earned(goods=-amount, shipping=ZERO, given_by_platform=given, commission=commission)
