"""Lists go by cursor: `sau` is an opaque mark of the last row seen, so depth costs nothing."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64

Mark = list[int | str | None]


def write_cursor(mark: Mark) -> str:
    """Return the opaque text of the sort values of the last row shown."""
    return urlsafe_b64encode(json.dumps(mark, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(text: str | None, shape: tuple[type, ...]) -> Mark | None:
    """Return the mark, or None for anything that is not a cursor of this `shape` (first page)."""
    if not text or len(text) > 400:
        return None
    try:
        mark = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (NotBase64, ValueError):
        return None
    if not isinstance(mark, list) or len(mark) != len(shape):
        return None
    fits = all(
        value is None or (type(value) is kind and (kind is not int or abs(value) < 2**63))
        for value, kind in zip(mark, shape, strict=True)
    )
    return mark if fits else None
