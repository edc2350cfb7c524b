"""The post office around the corner: it speaks to nobody, people write its waybill down."""

import re

from core.errors import Invalid
from core.i18n import lazy as _
from core.text import clean

CARRIER = "manual"
LONGEST_NAME = 120
_WAYBILL = re.compile(r"[A-Z0-9][A-Z0-9./-]{3,39}")


class BadWaybill(Invalid):
    """No carrier prints such a number."""


def read_waybill(text: str) -> str | None:
    """Return a waybill as its carrier prints it, capitals without spaces; None for nothing."""
    waybill = clean(text).upper().replace(" ", "")
    if not waybill:
        return None
    if not _WAYBILL.fullmatch(waybill):
        raise BadWaybill(
            _("A waybill has 4 to 40 letters and digits, as printed on the slip."), field="waybill"
        )
    return waybill


def read_carrier_name(text: str) -> str:
    """Return the name of the post or bus line as people wrote it, at most 120 letters."""
    name = clean(text)
    if len(name) > LONGEST_NAME:
        raise BadWaybill(
            _("At most %(most)s characters fit here.", most=LONGEST_NAME), field="carrier_name"
        )
    return name
