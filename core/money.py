"""Whole đồng. There is no smaller coin, no float and no factor of one hundred in this house."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount of Vietnamese đồng, a whole number (may be negative in a ledger)."""

    dong: int

    def __post_init__(self) -> None:
        """Refuse anything but a true integer: a float here would be a wrong price later."""
        if type(self.dong) is not int:
            message = f"money is whole đồng, not {self.dong!r}"
            raise TypeError(message)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.dong + other.dong)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.dong - other.dong)

    def __mul__(self, count: int) -> "Money":
        return Money(self.dong * count)

    def __neg__(self) -> "Money":
        return Money(-self.dong)

    def __lt__(self, other: "Money") -> bool:
        return self.dong < other.dong

    def __bool__(self) -> bool:
        return self.dong != 0

    def __str__(self) -> str:
        """Write the amount as Vietnam does: 165.000 ₫ with a no-break space."""
        return f"{self.dong:,}".replace(",", ".") + "\u00a0₫"


ZERO = Money(0)


def total(amounts: Iterable[Money]) -> Money:
    """Return the sum of `amounts`, zero for none."""
    return Money(sum(amount.dong for amount in amounts))


_GROUPING = re.compile(r"[.,\s₫đĐ]|VND", re.IGNORECASE)
_WHOLE = re.compile(r"-?[0-9]{1,12}")


def read_money(text: str) -> Money | None:
    """Read an amount as people write it (165000, 165.000 ₫, -20 000 đ); None for anything else."""
    digits = _GROUPING.sub("", text[:40])
    return Money(int(digits)) if _WHOLE.fullmatch(digits) else None
