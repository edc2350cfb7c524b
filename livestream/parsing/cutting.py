"""A comment cut into tokens: glued ones taken apart, words mended, named and tagged."""

import itertools
import re
from collections.abc import Iterator

from livestream.parsing import lexicon
from livestream.parsing.codes import ShowCodes
from livestream.parsing.glued import take_apart
from livestream.parsing.letters import Letters, Spelling, spelling, squeezed, telex_key
from livestream.parsing.lexicon import Tag, longest, spelt_as
from livestream.parsing.parsed import Reason
from livestream.parsing.phones import find_phones, spoken_phone
from livestream.parsing.tokens import Kind, Token

_LONGEST_SPOKEN = 20
_LONGEST_CODE_HEAD = 3
_LETTER_AND_NUMBER = 2
_RUN = re.compile(r"[^\W_]+")
_SMILEY = re.compile(
    r"(?<![^\W_])(?:[:=;]['\-]?[()\[\]*|>]+|[:=;]['\-]?[dpv](?![^\W_])|<3+|\^+[._]?\^*|[=:][)(]+)"
)
_LINK = re.compile(r"(?:https?://|www\.)\S+|\b[a-z0-9\-]{2,40}\.(?:com|vn|net|shop|me|ly)\b\S*")
_GROUPED = re.compile(r"(?<![\w.,])\d{1,3}(?:[.,]\d{3})+(?!\d)")
_MARKS = frozenset("+-*x:=.,;/()[]?!&@#%~\"'|><")
_LAUGH = re.compile(r"(?:h[aeiou]|k){2,}h?|[hk]{2,}|a+h+|u+")


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
                yield from take_apart(match.group(), at, show)
                at = match.end()
                continue
        elif not letter.isspace():
            yield Token(Kind.MARK, letter, at, at + 1)
        at += 1


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
            token.text = short if len(short) > 1 else token.text
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
