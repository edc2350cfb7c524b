"""Splitting an amount over lines to the đồng: largest remainders get what rounding leaves over."""

from collections.abc import Mapping
from typing import Any, TypeVar

from core.money import ZERO, Money, total

K = TypeVar("K", bound=Any)


def split(amount: Money, over: Mapping[K, Money]) -> dict[K, Money]:
    """Return each one's share of `amount`, in proportion to what it costs.

    The shares add up to `amount` exactly, none is larger than its own cost, and they are the same
    in whatever order the lines are given: equal remainders go by key. Raises ValueError when there
    is more to split than all of it costs.
    """
    whole = total(over.values())
    if not ZERO <= amount <= whole or any(cost < ZERO for cost in over.values()):
        reason = f"{amount.dong} cannot be shared over {whole.dong}"
        raise ValueError(reason)
    if not amount:
        return dict.fromkeys(over, ZERO)
    parts = {key: divmod(amount.dong * cost.dong, whole.dong) for key, cost in over.items()}
    left = amount.dong - sum(floor for floor, _rest in parts.values())
    lucky = sorted(parts, key=lambda key: (-parts[key][1], key))[:left]
    return {key: Money(floor + (key in lucky)) for key, (floor, _rest) in parts.items()}


def part_of(share: Money, count: int, pieces: int) -> Money:
    """Return what `count` of so many pieces carry of their line's share, rounded down.

    All the pieces together carry all of it; what rounding leaves over goes with the last one.
    """
    return share if count == pieces else Money(share.dong * count // pieces)
