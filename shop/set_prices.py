"""What gift sets take off a cart: for every whole set in it, shared over its parts to the đồng.

Pure sums: which pieces of which lines make a set, and what each of them gives to its lower price.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.money import ZERO, Money, total
from shop.shares import split

Key = tuple[int, int]


class Piece(Protocol):
    """A line of a cart, as far as sets are about it."""

    @property
    def variant_id(self) -> int:
        """Return which goods these are."""

    @property
    def lot_id(self) -> int | None:
        """Return the lot that was chosen, if one was."""

    @property
    def quantity(self) -> int:
        """Return how many lie in the cart."""

    @property
    def price(self) -> Money | None:
        """Return what one costs today; None when it is not for sale."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A gift set somebody put into the cart so many times: variant → pieces, and its own price.

    `price` None means the parts together; `lowered` False that it may not be lowered (any more).
    """

    set_id: int
    slug: str
    name: str
    count: int
    items: Mapping[int, int]
    price: Money | None
    lowered: bool = True


@dataclass(frozen=True, slots=True)
class SetDeal:
    """What became of a set in the cart: how many are whole, what they take off, line by line."""

    set_id: int
    slug: str
    name: str
    count: int
    whole: int
    amount: Money
    shares: Mapping[Key, Money]
    keys: frozenset[Key]
    touched: bool

    @property
    def is_broken(self) -> bool:
        """Say whether parts are missing of a set that was put in, so that its price ended."""
        return self.whole < self.count and self.touched


def key_of(line: Piece) -> Key:
    """Return what tells a line from every other one of its cart."""
    return line.variant_id, line.lot_id or 0


def deals(recipes: Sequence[Recipe], lines: Sequence[Piece]) -> list[SetDeal]:
    """Return what each set takes off these lines; a piece counts for one set only.

    A set is never dearer than its parts, and the shares add up to what it takes off.
    """
    left = Counter({key_of(line): line.quantity for line in lines if line.price is not None})
    prices = {key_of(line): line.price for line in lines if line.price is not None}
    return [_deal(recipe, left, prices) for recipe in recipes]


def _deal(recipe: Recipe, left: Counter[Key], prices: Mapping[Key, Money]) -> SetDeal:
    have: Counter[int] = Counter()
    for (variant_id, _lot), pieces in left.items():
        have[variant_id] += pieces
    whole = min(
        recipe.count, *(have[variant_id] // wanted for variant_id, wanted in recipe.items.items())
    )
    used = _take(recipe, left, whole)
    costs = {key: prices[key] * pieces for key, pieces in used.items()}
    amount = ZERO
    if whole and recipe.price is not None and recipe.lowered:
        amount = max(ZERO, total(costs.values()) - recipe.price * whole)
    return SetDeal(
        set_id=recipe.set_id,
        slug=recipe.slug,
        name=recipe.name,
        count=recipe.count,
        whole=whole,
        amount=amount,
        shares=split(amount, costs) if amount else {},
        keys=frozenset(used),
        touched=any(have[variant_id] for variant_id in recipe.items),
    )


def _take(recipe: Recipe, left: Counter[Key], whole: int) -> Counter[Key]:
    """Take the pieces of so many whole sets out of what is left, line by line."""
    used: Counter[Key] = Counter()
    for variant_id, wanted in recipe.items.items():
        missing = wanted * whole
        for key in sorted(key for key in left if key[0] == variant_id):
            pieces = min(missing, left[key])
            if pieces:
                used[key] += pieces
                left[key] -= pieces
                missing -= pieces
    return used
