"""A comment cut into words, numbers, codes, phones and marks, glued ones taken apart."""

import enum
import itertools
import re
from collections.abc import Iterator

from livestream.parsing import lexicon
from livestream.parsing.codes import ShowCodes
from livestream.parsing.letters import Letters, Spelling, spelling, squeezed, telex_key, vni_key
from livestream.parsing.lexicon import Tag, longest, spelt_as
from livestream.parsing.parsed import Reason
from livestream.parsing.phones import as_mobile, find_phones, spoken_phone

_LONGEST_WORD = 24
_LONGEST_SPOKEN = 20
_LONGEST_CODE_HEAD = 3
_PARTS_OF_AN_AMOUNT = 3
_LETTER_AND_NUMBER = 2
_RUN = re.compile(r"[^\W_]+")
_PIECES = re.compile(r"[^\W\d_]+|\d+")
_SMILEY = re.compile(
    r"(?<![^\W_])(?:[:=;]['\-]?[()\[\]*|>]+|[:=;]['\-]?[dpv](?![^\W_])|<3+|\^+[._]?\^*|[=:][)(]+)"
)
_LINK = re.compile(r"(?:https?://|www\.)\S+|\b[a-z0-9\-]{2,40}\.(?:com|vn|net|shop|me|ly)\b\S*")
_GROUPED = re.compile(r"(?<![\w.,])\d{1,3}(?:[.,]\d{3})+(?!\d)")
_MARKS = frozenset("+-*x:=.,;/()[]?!&@#%~\"'|><")
_LAUGH = re.compile(r"(?:h[aeiou]|k){2,}h?|[hk]{2,}|a+h+|u+")


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
        self.spelling: Spelling = spelling(text) if len(text) <= _LONGEST_WORD else _UNREAD
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


def tokenize(read: Letters, show: ShowCodes) -> list[Token]:
    """Return the tokens of a comment, codes recognised, words mended and tagged."""
    tokens = [t for t in _raw(read, show) if t.kind is not Kind.MARK or t.text in _MARKS]
    for before, token in itertools.pairwise(tokens):
        token.glued = before.end == token.start
    for token in tokens:
        if token.kind is Kind.WORD:
            _mend(token, show)
            token.capital = read.cased[token.start : token.end].istitle()
    tokens = _join_split_codes(tokens, show)
    tokens = _name_products(tokens, show)
    return _tag(tokens)


def _raw(read: Letters, show: ShowCodes) -> Iterator[Token]:
    lower = read.lower
    taken = [
        *((p.start, p.end, Kind.PHONE, p.number) for p in find_phones(lower)),
        *((m.start(), m.end(), Kind.LINK, "") for m in _LINK.finditer(lower)),
        *((m.start(), m.end(), Kind.ASIDE, "price") for m in _GROUPED.finditer(lower)),
        *((m.start(), m.end(), Kind.BREAK, "smiley") for m in _SMILEY.finditer(lower)),
    ]
    taken.sort(key=lambda found: (found[0], -found[1]))
    at = 0
    for start, end, kind, told in taken:
        if start < at:
            continue
        yield from _cut(lower, at, start, show)
        if told != "smiley":
            token = Token(kind, lower[start:end], start, end)
            token.code = told or None
            yield token
        at = end
    yield from _cut(lower, at, len(lower), show)


def _cut(lower: str, at: int, until: int, show: ShowCodes) -> Iterator[Token]:
    while at < until:
        letter = lower[at]
        if letter == "\n":
            yield Token(Kind.BREAK, letter, at, at + 1)
        elif letter.isalnum():
            match = _RUN.match(lower, at, until)
            if match is not None:
                yield from _take_apart(match.group(), at, show)
                at = match.end()
                continue
        elif not letter.isspace():
            yield Token(Kind.MARK, letter, at, at + 1)
        at += 1


def _take_apart(run: str, at: int, show: ShowCodes) -> list[Token]:
    whole = Token(Kind.ODD, run, at, at + len(run))
    if run.isalpha():
        whole.kind = Kind.WORD
        return _size_and_letter(run, at, show) or [whole]
    if run.isdigit():
        return [_number(run, at)]
    code = _code(run, at, show)
    if code is not None:
        return [code]
    if len(run) > _LONGEST_WORD:
        return [whole]
    parts = _glued_phone(run, at, show) or _glued(run, at, show)
    if parts:
        return parts
    key = vni_key(run)
    if key is not None and key in lexicon.KEYS:
        whole.kind = Kind.WORD
        whole.spelling = Spelling(spelling(key.rstrip("12345")).fold, key, plain=False)
    return [whole]


def _size_and_letter(run: str, at: int, show: ShowCodes) -> list[Token] | None:
    for word in ("size", "sz"):
        rest = run.removeprefix(word)
        if 0 < len(rest) < len(run) and any(p.variant(rest) for p in show.products.values()):
            cut = at + len(word)
            size, letter = (
                Token(Kind.WORD, word, at, cut),
                Token(Kind.WORD, rest, cut, at + len(run)),
            )
            return [size, letter]
    return None


def _number(digits: str, at: int) -> Token:
    token = Token(Kind.NUMBER, digits, at, at + len(digits))
    token.value = int(digits[:_LONGEST_WORD])
    return token


def _code(run: str, at: int, show: ShowCodes) -> Token | None:
    """Read a whole run as a code; Telex makes Â1 of AA1, a VNI tone on the letter is doubtful."""
    found = show.find_code(run)
    doubt = None
    if found is None and not run.isascii():
        told = spelling(run)
        found = show.find_code(told.fold)
        if told.key[-1] in "12345" and len(told.key) > len(told.fold):
            doubt = Reason.UNCLEAR
    if found is None:
        return None
    token = Token(Kind.CODE, run, at, at + len(run))
    token.code = found
    token.doubt = doubt
    return token


def _glued_phone(run: str, at: int, show: ShowCodes) -> list[Token] | None:
    number = as_mobile(run[-10:])
    code = _code(run[:-10], at, show) if number else None
    if number is None or code is None:
        return None
    phone = Token(Kind.PHONE, run[-10:], at + len(run) - 10, at + len(run))
    phone.code = number
    code.doubt = Reason.BAD_PHONE
    return [code, phone]


def _glued(run: str, at: int, show: ShowCodes) -> list[Token] | None:
    """Take 'chot2a1', 'a1x2', '3chai', 'a3m' apart; None when a piece would mean nothing."""
    pieces = [(m.group(), at + m.start()) for m in _PIECES.finditer(run)]
    parts: list[Token] = []
    codes = 0
    n = 0
    while n < len(pieces):
        piece, start = pieces[n]
        if piece[0].isdigit():
            if re.match(r"0\d\d", piece):
                return None
            parts.append(_number(piece, start))
            n += 1
            continue
        following = pieces[n + 1][0] if n + 1 < len(pieces) else ""
        code, head = _code_at_end(piece, start, following, show)
        if code is not None:
            times = head == "x" and parts and parts[-1].kind is Kind.NUMBER
            if head and not times and not _is_word(head, show):
                return None
            if head:
                parts.append(Token(Kind.WORD, head, start, start + len(head)))
            parts.append(code)
            codes += 1
            n += 2
            continue
        if not (_is_word(piece, show) or _is_short(piece, parts, following, show)):
            return None
        parts.append(Token(Kind.WORD, piece, start, start + len(piece)))
        n += 1
    if codes == 0 and not _reads_without_code(parts):
        return None
    if codes > 1 and all(p.kind is Kind.CODE for p in parts):
        parts[0].doubt = Reason.UNCLEAR
    return parts


def _code_at_end(piece: str, start: int, digits: str, show: ShowCodes) -> tuple[Token | None, str]:
    if not digits:
        return None, ""
    for cut in range(len(piece)):
        code = _code(piece[cut:] + digits, start + cut, show)
        if code is not None:
            return code, piece[:cut]
    return None, ""


def _is_word(piece: str, show: ShowCodes) -> bool:
    if len(piece) == 1:
        return False
    folds = {spelling(piece).fold, spelling(squeezed(piece)).fold}
    return bool(folds & (lexicon.VOCABULARY | show.vocabulary))


def _is_short(piece: str, parts: list[Token], following: str, show: ShowCodes) -> bool:
    """Say whether one letter may stand glued: 'x' before a number, a unit or size after one."""
    if piece in ("x", "c") and (following.isdigit() or (parts and parts[-1].kind is Kind.NUMBER)):
        return True
    if parts and parts[-1].kind is Kind.NUMBER:
        return any(spelling(piece) in forms for forms in lexicon.AFTER_NUMBERS.values()) or any(
            unit.startswith(piece) for unit in show.units
        )
    if parts and parts[-1].kind is Kind.CODE:
        product = show.products.get(parts[-1].code or "")
        if product is not None and product.variant(piece) is not None:
            parts[-1].doubt = Reason.VARIANT
            return True
    return False


def _reads_without_code(parts: list[Token]) -> bool:
    if parts[0].kind is Kind.NUMBER:
        return len(parts) <= _PARTS_OF_AN_AMOUNT
    return parts[0].text == "x" or (
        len(parts) == _LETTER_AND_NUMBER and spelling(parts[0].text).fold in _NUMBERED_WORDS
    )


_NUMBERED_WORDS = frozenset(
    (
        *(
            "sl",
            "soluong",
            "slg",
            "qty",
            "so",
            "ma",
            "ms",
            "code",
            "size",
            "sz",
            "sp",
            "lay",
            "chot",
        ),
        *("mua", "dat", "cho", "xin", "them", "con", "goi", "hop", "chai", "cai"),
    )
)


def _mend(token: Token, show: ShowCodes) -> None:
    """Undo stretched letters and Telex strokes that were left standing, if a known word results."""
    known = token.spelling
    if not known.fold or known.fold in lexicon.VOCABULARY or known.fold in show.vocabulary:
        return
    short = squeezed(token.text)
    if short != token.text:
        tried = spelling(short)
        if tried.fold in lexicon.VOCABULARY or tried.fold in show.vocabulary:
            token.spelling = tried
            return
    if token.text.isascii():
        key = telex_key(token.text)
        if key is not None and key in lexicon.KEYS:
            token.spelling = Spelling(spelling(key.rstrip("12345")).fold, key, plain=False)


def _join_split_codes(tokens: list[Token], show: ShowCodes) -> list[Token]:
    """Join 'A.1', 'A-1', 'mã A 1'; a lone 'A 1' is joined in doubt, 'cho a 2 chai' is a pronoun."""
    joined: list[Token] = []
    n = 0
    while n < len(tokens):
        token = tokens[n]
        size = _split_code_size(tokens, n)
        if size:
            last = tokens[n + size - 1]
            found = show.find_code(token.spelling.fold + last.text)
            doubt = None
            if found and size == _LETTER_AND_NUMBER:
                doubt, found = _doubt_split(tokens, n, found)
            if found:
                code = Token(Kind.CODE, token.text + last.text, token.start, last.end)
                code.code, code.doubt, code.glued = found, doubt, token.glued
                joined.append(code)
                n += size
                continue
        joined.append(token)
        n += 1
    return joined


def _split_code_size(tokens: list[Token], n: int) -> int:
    token = tokens[n]
    if (
        token.kind is not Kind.WORD
        or len(token.text) > _LONGEST_CODE_HEAD
        or (n and token.glued and _solid(tokens[n - 1]))
    ):
        return 0
    if n + 2 < len(tokens) and tokens[n + 1].text in (".", "-", "/", "#"):
        mark, number = tokens[n + 1], tokens[n + 2]
        if number.kind is Kind.NUMBER and mark.glued and number.glued:
            return 3
    if n + 1 < len(tokens) and tokens[n + 1].kind is Kind.NUMBER:
        return _LETTER_AND_NUMBER
    return 0


def _solid(token: Token) -> bool:
    return token.kind in (Kind.WORD, Kind.NUMBER, Kind.CODE, Kind.ODD)


def _doubt_split(tokens: list[Token], n: int, code: str) -> tuple[Reason | None, str | None]:
    before = tokens[n - 1] if n else None
    if before is not None and before.kind is Kind.WORD:
        match = longest([before], 0)
        if match is not None and match.tag is Tag.CODEWORD:
            return None, code
        if before.spelling.fold in ("cho", "gui", "ship", "ban", "de", "giup"):
            return None, None
    after = tokens[n + 2] if n + 2 < len(tokens) else None
    if after is not None and after.kind in (Kind.WORD, Kind.NUMBER, Kind.CODE):
        tag = longest(tokens, n + 2)
        polite = tag is not None and tag.tag in (Tag.SOFT, Tag.SHOP, Tag.ME)
        if not polite:
            return None, None
    return Reason.SPLIT_CODE, code


def _name_products(tokens: list[Token], show: ShowCodes) -> list[Token]:
    """Put a code where a product is called by its name; longest name first."""
    named: list[Token] = []
    n = 0
    while n < len(tokens):
        token = tokens[n]
        found = None
        if token.kind is Kind.WORD:
            for name in show.names.get(token.spelling.fold, ()):
                some = tokens[n : n + len(name.words)]
                if len(some) == len(name.words) and all(
                    t.kind is Kind.WORD and t.spelling.fold == own.fold
                    for t, own in zip(some, name.words, strict=True)
                ):
                    found = _named(some, name.words, name.code)
                    if found is not None:
                        break
        if found is None:
            named.append(token)
            n += 1
        else:
            named.append(found)
            n += found.words
    return named


def _named(some: list[Token], words: tuple[Spelling, ...], code: str) -> Token | None:
    exact = all(t.spelling.key == own.key for t, own in zip(some, words, strict=True))
    close = all(spelt_as(t.spelling, own) for t, own in zip(some, words, strict=True))
    if not close and len(words) == 1:
        return None
    token = Token(Kind.CODE, some[0].text, some[0].start, some[-1].end)
    token.code, token.by_name, token.glued, token.words = code, True, some[0].glued, len(words)
    if not close:
        token.doubt = Reason.NAME_NOT_CODE
    elif not exact and len(words) == 1:
        token.doubt = Reason.NO_ACCENTS
    return token


def _tag(tokens: list[Token]) -> list[Token]:
    """Tag every phrase, its words joined into one token."""
    tagged: list[Token] = []
    n = 0
    while n < len(tokens):
        token = tokens[n]
        length = 1
        phone = spoken_phone(t.text for t in tokens[n : n + _LONGEST_SPOKEN])
        if phone is not None:
            token.code, length = phone
            token.kind, token.end = Kind.PHONE, tokens[n + length - 1].end
        elif token.kind is Kind.WORD:
            match = longest(tokens, n)
            if match is not None:
                token.tag, length = match
                token.words = length
                token.end = tokens[n + length - 1].end
            elif _LAUGH.fullmatch(token.text):
                token.tag = Tag.SOFT
        tagged.append(token)
        n += length
    return tagged
