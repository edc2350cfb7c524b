"""What a comment is cut into: words, numbers, codes, phones and marks."""

import enum

from livestream.parsing.letters import Spelling, spelling
from livestream.parsing.lexicon import Tag
from livestream.parsing.parsed import Reason

LONGEST_WORD = 24


class Kind(enum.Enum):
    """What a token is."""

    WORD = enum.auto()
    NUMBER = enum.auto()
    CODE = enum.auto()
    ODD = enum.auto()
    PHONE = enum.auto()
    LINK = enum.auto()
    MARK = enum.auto()
    BREAK = enum.auto()
    QUANTITY = enum.auto()
    VARIANT = enum.auto()
    ASIDE = enum.auto()


class Token:
    """One piece of a comment, standing at `[start:end]` of the read letters.

    `glued` says that nothing parts it from the piece before; `doubt` is why a person should look.
    """

    __slots__ = (
        "by_name",
        "capital",
        "code",
        "doubt",
        "end",
        "glued",
        "kind",
        "spelling",
        "start",
        "tag",
        "text",
        "unit",
        "value",
        "words",
    )

    def __init__(self, kind: Kind, text: str, start: int, end: int) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end
        self.spelling: Spelling = spelling(text) if len(text) <= LONGEST_WORD else _UNREAD
        self.tag: Tag | None = None
        self.value: int | None = None
        self.code: str | None = None
        self.by_name = False
        self.unit: str | None = None
        self.glued = False
        self.capital = False
        self.doubt: Reason | None = None
        self.words = 1

    def __repr__(self) -> str:
        told = self.tag or self.code or self.value
        return f"<{self.kind.name} {self.text!r} {told}>"


_UNREAD = Spelling("", "", plain=False)
