"""A comment letter by letter: one spelling for every way of typing, and the way back to the text.

Comments come decomposed, full-width, in mathematical bold, with keycaps and invisible joiners.
They are read in NFKC, and every letter remembers which piece of the sent text it came from.
"""

import functools
import re
import unicodedata
from dataclasses import dataclass

from core.text import fold

_MARKS_KEPT = 4  # no letter has more; a longer pile is an attack on normalisation
_TONES = {"\u0300": "2", "\u0301": "1", "\u0303": "4", "\u0309": "3", "\u0323": "5"}
_SYMBOLS_KEPT = frozenset("+=<>^|~$`×")
_LOOK_ALIKES = dict(
    zip(
        "АВСЕНІКМОРТХаеорсхÐ‐‑‒–—−_✕✖❌⁄，。、；：＋×",
        "ABCEHIKMOPTXaeopcxĐ-------xxx/,.,;:+x",
        strict=True,
    )
)
_EMOJI_LETTERS = (
    {chr(0x1F150 + i): chr(65 + i) for i in range(26)}
    | {chr(0x1F170 + i): chr(65 + i) for i in range(26)}
    | {chr(0x2776 + i): str(i + 1) for i in range(10)}
    | {chr(0x278A + i): str(i + 1) for i in range(10)}
    | {chr(0x24F5 + i): str(i + 1) for i in range(10)}
    | {"🔟": "10", "➕": "+"}
)


@dataclass(frozen=True, slots=True)
class Letters:
    """`lower` is what is read; `cased` the same length; letter i is text[starts[i]:ends[i]]."""

    lower: str
    cased: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Spelling:
    """A word three ways: without marks, with the tone moved to the end, and whether unmarked.

    The moved tone makes 'hủy' and 'huỷ' one word while 'đặt' and 'đắt' stay two.
    """

    fold: str
    key: str
    plain: bool


def letters(text: str) -> Letters:
    """Return `text` as it is read; never fails, whatever the text is."""
    lower: list[str] = []
    cased: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at, size = 0, len(text)
    while at < size:
        until = at + 1
        while until < size and text[until] >= "\u0300" and _is_mark(text[until]):
            until += 1
        for letter in _read(text[at : min(until, at + 1 + _MARKS_KEPT)]):
            cased.append(letter)
            lower.append(letter.lower()[:1])
            starts.append(at)
            ends.append(until)
        at = until
    return Letters("".join(lower), "".join(cased), tuple(starts), tuple(ends))


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter) in ("Mn", "Me")


@functools.lru_cache(maxsize=4096)
def _read(cluster: str) -> str:
    if cluster[0] in "\r\n\u2028\u2029\u0085":
        return "\n"
    first = _EMOJI_LETTERS.get(cluster[0])
    if first is not None:
        return first
    return "".join(_keep(c) for c in unicodedata.normalize("NFKC", cluster))


def _keep(letter: str) -> str:
    letter = _LOOK_ALIKES.get(letter, letter)
    kind = unicodedata.category(letter)
    if kind in ("Cf", "Mn", "Me"):
        return ""
    if kind == "Nd":
        return str(unicodedata.decimal(letter))
    if kind[0] in "LNP" or letter in _SYMBOLS_KEPT:
        return letter
    return " "


@functools.lru_cache(maxsize=8192)
def spelling(word: str) -> Spelling:
    """Return the three spellings of a lower-case word in NFC."""
    bare: list[str] = []
    tone = ""
    for letter in unicodedata.normalize("NFD", word):
        if letter in _TONES:
            tone = _TONES[letter]
        else:
            bare.append(letter)
    folded = fold(word)
    return Spelling(folded, unicodedata.normalize("NFC", "".join(bare)) + tone, folded == word)


def squeezed(word: str) -> str:
    """Return `word` with stretched letters let go: 'nháaaa' → 'nhá', 'chott' → 'chot'."""
    kept: list[str] = []
    last = ""
    for letter in word:
        plain = fold(letter)
        if plain != last:
            kept.append(letter)
        last = plain
    return "".join(kept)


_TELEX_MARKS = re.compile(r"dd|uow|aa|ee|oo|aw|ow|uw|w")
_TELEX_LETTERS = {
    "dd": "đ",
    "uow": "ươ",
    "aa": "â",
    "ee": "ê",
    "oo": "ô",
    "aw": "ă",
    "ow": "ơ",
    "uw": "ư",
    "w": "ư",
}
_TELEX_TONES = {"s": "1", "f": "2", "r": "3", "x": "4", "j": "5"}
_VNI_MARKS = {
    "6": {"a": "â", "e": "ê", "o": "ô"},
    "7": {"o": "ơ", "u": "ư"},
    "8": {"a": "ă"},
    "9": {"d": "đ"},
}


def telex_key(word: str) -> str | None:
    """Return the key of a word whose Telex strokes were left standing: 'choots' → chốt."""
    marked = _TELEX_MARKS.sub(lambda m: _TELEX_LETTERS[m.group()], word)
    found = re.search(r"[aeiouyâêôăơư]", marked)
    if found is None:
        return None
    head, tail = marked[: found.end()], marked[found.end() :]
    for at in range(len(tail) - 1, -1, -1):
        if tail[at] in _TELEX_TONES:
            return head + tail[:at] + tail[at + 1 :] + _TELEX_TONES[tail[at]]
    return marked if marked != word else None


def vni_key(word: str) -> str | None:
    """Return the key of a word whose VNI strokes were left standing: 'cho61t' → chốt."""
    bare: list[str] = []
    tone = ""
    for stroke in word:
        if stroke in "12345":
            tone = stroke
        elif stroke in _VNI_MARKS:
            marks = _VNI_MARKS[stroke]
            spot = next((i for i in range(len(bare) - 1, -1, -1) if bare[i] in marks), None)
            if spot is None:
                return None
            bare[spot] = marks[bare[spot]]
        elif stroke.isdigit():
            return None
        else:
            bare.append(stroke)
    return "".join(bare) + tone if len(bare) > 1 else None
