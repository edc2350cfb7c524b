"""Lists go by cursor: `sau` is an opaque mark of the last row seen, so depth costs nothing."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64

from core.text import has_control_characters

Mark = list[int | str | None]
LONGEST = 400
LARGEST_NUMBER = 2**63


def write_cursor(mark: Mark) -> str:
    """Return the opaque text of the sort values of the last row shown."""
    return urlsafe_b64encode(json.dumps(mark, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(text: str | None, shape: tuple[type, ...]) -> Mark | None:
    """Return the mark, or None for anything that is not a cursor of this `shape` (first page)."""
    if not text or len(text) > LONGEST:
        return None
    try:
        mark = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (NotBase64, ValueError):
        return None
    if not isinstance(mark, list) or len(mark) != len(shape):
        return None
    fits = all(_fits(value, kind) for value, kind in zip(mark, shape, strict=True))
    return mark if fits else None


def read_id(text: str | None) -> int | None:
    """Return the id in the cursor of a list that goes by id alone; None for the first page."""
    mark = read_cursor(text, (int,))
    return mark[0] if mark and isinstance(mark[0], int) else None


def _fits(value: object, kind: type) -> bool:
    if value is None:
        return True
    if isinstance(value, int):
        return type(value) is kind and abs(value) < LARGEST_NUMBER
    return type(value) is kind and not (isinstance(value, str) and has_control_characters(value))
