"""What a scanner types, or a person reads off a label: which lot it means."""

from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from core.codes import is_well_formed, normalise
from core.text import clean
from traceability import addresses, gs1
from traceability.codes import TRACE_CODE
from traceability.gs1 import NotADigitalLink


def lot_code_of(session: Session, typed: str) -> str:
    """Return the lot's code that `typed` means: an address from a QR, a public code, or the code.

    What nobody knows comes back as it was typed, in capitals: the caller looks it up anyway.
    """
    text = clean(typed)
    path = urlsplit(text).path if "/" in text else ""
    try:
        linked = gs1.parse(path).lot if path else None
    except NotADigitalLink:
        linked = None
    if linked:
        return linked
    code = normalise(TRACE_CODE, path.rstrip("/").rpartition("/")[2] or text)
    if is_well_formed(TRACE_CODE, code):
        named = addresses.find_named(session, code)
        if named is not None and named.lot:
            return named.lot
    return text.upper()
