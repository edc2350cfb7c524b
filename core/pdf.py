"""Looks into a PDF without opening it: whether it only shows something, or also does something."""

import enum
import re
import zlib
from collections.abc import Iterator

MAGIC = b"%PDF-"
# Names in a PDF that stand for an act, a program or a file inside.
ACTS = (
    b"/JavaScript",
    b"/Launch",
    b"/EmbeddedFile",
    b"/EmbeddedFiles",
    b"/RichMedia",
    b"/SubmitForm",
    b"/ImportData",
    b"/GoToR",
    b"/GoToE",
)
# What happens on opening: an array only says which page is shown, and office programs write one.
_ON_OPENING = re.compile(rb"/OpenAction(?![A-Za-z])(?!\s*\[)")
LARGEST_INSIDE = 8 * 1024 * 1024
MOST_STREAMS = 20_000
LONGEST_HEAD = 8 * 1024
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")


class Problem(enum.Enum):
    """Why a PDF is not taken."""

    BROKEN = "broken"
    LOCKED = "locked"
    ACTIVE = "active"


def problem_of(data: bytes) -> Problem | None:
    """Return what is wrong with the PDF, or None if it only shows something."""
    if not data.startswith(MAGIC) or b"%%EOF" not in data[-2048:]:
        return Problem.BROKEN
    if _names(data, (b"/Encrypt",)):
        return Problem.LOCKED
    if _acts(data):
        return Problem.ACTIVE
    try:
        hidden = any(_acts(part) for part in _object_streams(data))
    except (zlib.error, OverflowError):
        # What we cannot look into is not taken.
        return Problem.BROKEN
    return Problem.ACTIVE if hidden else None


def _acts(data: bytes) -> bool:
    return _names(data, ACTS) or _ON_OPENING.search(_plain(data)) is not None


def _names(data: bytes, names: tuple[bytes, ...]) -> bool:
    plain = _plain(data)
    return any(re.search(re.escape(name) + rb"(?![A-Za-z])", plain) for name in names)


def _plain(data: bytes) -> bytes:
    # A name may be written with its letters as #4A: read it as a PDF reader would.
    return _ESCAPED.sub(lambda code: bytes([int(code.group(1), 16)]), data)


def _object_streams(data: bytes) -> Iterator[bytes]:
    """Give the unpacked content of every stream that holds objects rather than text or pictures.

    Raises OverflowError for what no program writes: limits that keep the look itself short.
    """
    count, begin, at = 0, 0, data.find(b"stream")
    while at != -1:
        start = data.find(b"\n", at, at + 16) + 1
        if start and data[at - 3 : at] != b"end":
            begin = max(begin, data.rfind(b"obj", begin, at))
            count += 1
            if count > MOST_STREAMS or at - begin > LONGEST_HEAD:
                raise OverflowError
            if _names(data[begin:at], (b"/ObjStm",)):
                yield _unpacked(data[start:])
        at = data.find(b"stream", at + 6)


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(packed, LARGEST_INSIDE)
    if not unpacker.eof:
        raise OverflowError
    return content
