"""What the words of live selling say: phrases matched longest first, with respect for marks."""

import enum
import functools
import tomllib
from collections.abc import Sequence
from importlib import resources
from typing import NamedTuple, Protocol

from livestream.parsing.letters import Spelling, spelling


class Tag(enum.StrEnum):
    """What a phrase says; the words themselves are in words.toml."""

    BUY = "buy"
    WANT = "want"
    MORE = "more"
    AGAIN = "again"
    ONLY = "only"
    DROP = "drop"
    DROP_PLAIN = "drop_plain"
    LESS = "less"
    SWAP = "swap"
    BECOMES = "becomes"
    MISTAKE = "mistake"
    NOT = "not"
    DONT = "dont"
    YET = "yet"
    ASK = "ask"
    ASK_END = "ask_end"
    SHOW_ME = "show_me"
    BARGAIN = "bargain"
    LOST = "lost"
    CALL = "call"
    TRANSFER = "transfer"
    PRAISE = "praise"
    REMARK = "remark"
    EXPENSIVE_PLAIN = "expensive_plain"
    VERY = "very"
    BEFORE = "before"
    JUST = "just"
    DONE = "done"
    WISH = "wish"
    HEDGE = "hedge"
    IF = "if"
    CROWD = "crowd"
    URGE = "urge"
    ADVERT = "advert"
    WHO = "who"
    LOOK = "look"
    ME = "me"
    KIN = "kin"
    SHOP = "shop"
    SOFT = "soft"
    OR = "or"
    AND = "and"
    EACH = "each"
    ALL = "all"
    SOME = "some"
    COUNT = "count"
    CODEWORD = "codeword"
    SIZE = "size"
    COLOUR = "colour"
    A_COLOUR = "a_colour"
    PRICE = "price"
    PHONE = "phone"
    SEND = "send"
    ADDRESS = "address"
    PLACE = "place"
    WHEN = "when"
    THING = "thing"


class Word(Protocol):
    """Anything that stands in a line and is spelt."""

    @property
    def spelling(self) -> Spelling:
        """The word's three spellings."""


class Match(NamedTuple):
    """A phrase found: what it says, how many words it took."""

    tag: Tag
    length: int


class _Phrase(NamedTuple):
    words: tuple[tuple[Spelling, str], ...]
    tag: Tag


class Forms:
    """A set of words or word pairs that are recognised with their marks or with none."""

    def __init__(self, written: str) -> None:
        phrases = _split(written)
        spelt = {p: tuple(map(spelling, p.lstrip("!").split())) for p in phrases}
        self.keys = frozenset(tuple(w.key for w in words) for words in spelt.values())
        self.folds = frozenset(
            tuple(w.fold for w in words) for p, words in spelt.items() if p[0] != "!"
        )

    def __contains__(self, word: Spelling) -> bool:
        return (word.key,) in self.keys or (word.plain and (word.fold,) in self.folds)

    def length_at(self, words: Sequence[Word], at: int) -> int:
        """Return how many words from `at` on are one of these: 2, 1 or 0."""
        for length in (2, 1):
            some = [w.spelling for w in words[at : at + length]]
            if len(some) == length and (
                tuple(s.key for s in some) in self.keys
                or (all(s.plain for s in some) and tuple(s.fold for s in some) in self.folds)
            ):
                return length
        return 0


def _split(written: str) -> list[str]:
    return [phrase.strip() for phrase in written.split(",") if phrase.strip()]


_DATA = tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text("utf-8"))
AFTER_NUMBERS = {name: Forms(written) for name, written in _DATA["after_numbers"].items()}
UNITS_ALIKE = tuple(Forms(written) for written in _DATA["units_alike"].values())


def _index() -> dict[str, tuple[_Phrase, ...]]:
    index: dict[str, list[_Phrase]] = {}
    seen: set[tuple[str, ...]] = set()
    for name, written in _DATA["phrases"].items():
        for phrase in _split(written):
            words = tuple(
                (spelling(w.lstrip("!~")), w[0] if w[0] in "!~" else "") for w in phrase.split()
            )
            keys = tuple(word.key for word, _ in words)
            if keys not in seen:
                seen.add(keys)
                index.setdefault(words[0][0].fold, []).append(_Phrase(words, Tag(name)))
    return {
        head: tuple(sorted(phrases, key=lambda p: -len(p.words))) for head, phrases in index.items()
    }


_INDEX = _index()
_ALL_WORDS = frozenset(word for some in _INDEX.values() for p in some for word, _ in p.words)
VOCABULARY = frozenset(word.fold for word in _ALL_WORDS) | frozenset(
    fold for forms in AFTER_NUMBERS.values() for folds in forms.folds for fold in folds
)
KEYS = frozenset(word.key for word in _ALL_WORDS) | frozenset(
    key for forms in AFTER_NUMBERS.values() for keys in forms.keys for key in keys
)


def spelt_as(word: Spelling, own: Spelling, mode: str = "") -> bool:
    """Say whether a typed word is `own`: same marks, or none unless `!`, or any with `~`."""
    if word.fold != own.fold:
        return False
    return word.key == own.key or mode == "~" or (mode == "" and word.plain)


def longest(words: Sequence[Word], at: int) -> Match | None:
    """Return the longest phrase that starts at `words[at]`; exact marks win over none."""
    best: Match | None = None
    for phrase in _INDEX.get(words[at].spelling.fold, ()):
        length = len(phrase.words)
        if best is not None and length < best.length:
            break
        if length > len(words) - at:
            continue
        exact = True
        for n, (own, mode) in enumerate(phrase.words):
            typed = words[at + n].spelling
            if not spelt_as(typed, own, mode):
                break
            exact = exact and typed.key == own.key
        else:
            if exact:
                return Match(phrase.tag, length)
            best = best or Match(phrase.tag, length)
    return best


@functools.lru_cache(maxsize=4096)
def unit_alike(typed: str, own: str) -> bool:
    """Say whether two counting words mean the same kind of container: lọ for chai, trái for quả."""
    one, other = spelling(typed), spelling(own.lower())
    if one.fold == other.fold:
        return True
    return any(one in forms and other in forms for forms in UNITS_ALIKE)
