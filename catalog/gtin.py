"""GTIN: the number under a barcode. It says who issued the number, never where goods come from."""

import re

from core.errors import Invalid
from core.i18n import lazy as _

INSIDE_ONE_SHOP: object = _(
    "This number is for use inside one shop only and cannot be printed on goods"
)
NEEDS_CERTIFICATE: object = _(
    "A number that begins with 893 needs the number of its GS1 Vietnam certificate"
)

_GTIN = re.compile(r"[0-9]{8}|[0-9]{12,14}")
_DIGITS = re.compile(r"[0-9]+")
_VIETNAM = "893"
_EXAMPLES = "952"
# For use inside one shop, and for coupons: such a number means something else next door.
_INSIDE_A_SHOP = re.compile("02|04|2")
_INSIDE_A_SHOP_SHORT = re.compile("0|2")
_COUPONS = re.compile("05|98[1-4]|99")


class InvalidGtin(Invalid):
    """The number is not a GTIN, or not one that goods may be sold under."""


def check_digit(body: str) -> str:
    """Return the digit that completes `body`: weights 3, 1 from the right, as for GLN and SSCC."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def has_check_digit(number: str) -> bool:
    """Say whether the last digit of `number` is the right one; only ASCII digits count."""
    return bool(_DIGITS.fullmatch(number)) and check_digit(number[:-1]) == number[-1]


def is_valid_gtin(text: str) -> bool:
    """Say whether `text` is a GTIN of 8, 12, 13 or 14 digits with a right check digit."""
    return bool(_GTIN.fullmatch(text)) and text.strip("0") != "" and has_check_digit(text)


def to_gtin14(text: str) -> str:
    """Return the GTIN in its 14 digits, zeros in front; InvalidGtin when it is none."""
    if not is_valid_gtin(text):
        message = _("A barcode number has 8, 12, 13 or 14 digits and a right check digit")
        raise InvalidGtin(message, field="gtin")
    return text.zfill(14)


def refuse_reason(text: str, *, certified: bool) -> object | None:
    """Return why goods may not be sold under this GTIN, or None when they may.

    `certified` says that the seller showed the certificate of the number (its own, or the maker's
    when it resells): a number of GS1 Vietnam without one is unlawful.
    """
    try:
        gtin = to_gtin14(text)
    except InvalidGtin as refusal:
        return refusal.message
    if _is_restricted(gtin):
        return INSIDE_ONE_SHOP
    if gtin[1:].startswith(_VIETNAM) and not certified:
        return NEEDS_CERTIFICATE
    return None


def _is_restricted(gtin14: str) -> bool:
    if gtin14.startswith("000000"):
        return bool(_INSIDE_A_SHOP_SHORT.match(gtin14[6:]))
    return bool(_INSIDE_A_SHOP.match(gtin14[1:]) or _COUPONS.match(gtin14[1:]))


def is_example(text: str) -> bool:
    """Say whether this GTIN is of the range GS1 keeps for examples: for samples, never sold."""
    return is_valid_gtin(text) and text.zfill(14)[1:].startswith(_EXAMPLES)
