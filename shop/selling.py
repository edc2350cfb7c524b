"""Who sells and whose account is paid: one operator, or each producer by itself."""

import enum
from dataclasses import dataclass

from core.settings import BadSetting, Settings


class SellingMode(enum.StrEnum):
    """`SELLING_MODE`: as an intermediary the operator never holds producers' money."""

    INTERMEDIARY = "intermediary"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class Account:
    """A bank account money is asked to: BIN, number and holder, as the holder registered them."""

    bin: str
    number: str
    holder: str


@dataclass(frozen=True, slots=True)
class Selling:
    """How this shop sells. `account` is the operator's, in direct mode, if it named one.

    `cards` says that the operator takes cards through Stripe; nobody else can.
    """

    mode: SellingMode
    account: Account | None = None
    cards: bool = False

    @property
    def is_direct(self) -> bool:
        """Say whether one operator sells and is paid for the whole order."""
        return self.mode is SellingMode.DIRECT


INTERMEDIARY = Selling(SellingMode.INTERMEDIARY)


def selling_of(settings: Settings) -> Selling:
    """Return how the settings say this shop sells; half an account stops the start."""
    mode = SellingMode(settings.SELLING_MODE)
    named = (
        settings.OPERATOR_BANK_BIN,
        settings.OPERATOR_BANK_ACCOUNT,
        settings.OPERATOR_BANK_HOLDER,
    )
    if any(named) and not all(named):
        raise BadSetting(
            "OPERATOR_BANK_BIN, OPERATOR_BANK_ACCOUNT and OPERATOR_BANK_HOLDER belong together: "
            "give all three or none"
        )
    if mode is SellingMode.INTERMEDIARY:
        return INTERMEDIARY
    cards = bool(settings.STRIPE_SECRET_KEY and settings.STRIPE_WEBHOOK_SECRET)
    return Selling(mode, account=Account(*named) if all(named) else None, cards=cards)
