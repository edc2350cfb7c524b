"""Vietnamese mobile numbers: typed in any way, stored as E.164, shown in threes."""

import re
import unicodedata

import phonenumbers

from core.errors import Invalid
from core.i18n import lazy as _

_TYPED = re.compile(r"[0-9+\s.()\-\u2010-\u2015]+")
# Ten digits only: numbers of machines (M2M) also begin with 01 and are longer.
_MOBILE = re.compile(r"\+84[35789][0-9]{8}")


class InvalidPhone(Invalid):
    """The text is not the number of a Vietnamese mobile telephone."""


def parse_phone(text: str, *, field: str = "phone") -> str:
    """Return the mobile number in `text` as E.164 (+84912345678), or raise InvalidPhone.

    Understood are 0912…, +84 912…, 84912…, 0084…, with spaces, dots, dashes and full-width digits.
    """
    typed = unicodedata.normalize("NFKC", text).strip()
    if _TYPED.fullmatch(typed):
        try:
            number = phonenumbers.parse(typed, "VN")
        except phonenumbers.NumberParseException:
            number = None
        if number is not None and phonenumbers.is_valid_number(number):
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            if _MOBILE.fullmatch(e164):
                return e164
    message = _("The telephone number has 10 digits and begins with 03, 05, 07, 08 or 09")
    raise InvalidPhone(message, field=field)


def show_phone(e164: str) -> str:
    """Write a stored number as people do: 0912 345 678. Anything else is shown as it is."""
    if not _MOBILE.fullmatch(e164):
        return e164
    local = "0" + e164.removeprefix("+84")
    return f"{local[:4]} {local[4:7]} {local[7:]}"


def last4(phone: str) -> str:
    """Return the last four digits, by which a buyer proves to know the number."""
    return re.sub("[^0-9]", "", phone)[-4:]
