"""Runs of letters and digits taken apart: 'chot2a1', 'a1x2', '3chai', 'a3m'."""

import re

from livestream.parsing import lexicon
from livestream.parsing.codes import ShowCodes
from livestream.parsing.letters import Spelling, spelling, squeezed, vni_key
from livestream.parsing.parsed import Reason
from livestream.parsing.phones import as_mobile
from livestream.parsing.tokens import LONGEST_WORD, Kind, Token

_PARTS_OF_AN_AMOUNT = 3
_LETTER_AND_NUMBER = 2
_PIECES = re.compile(r"[^\W\d_]+|\d+")


def take_apart(run: str, at: int, show: ShowCodes) -> list[Token]:
    """Return the tokens of one run of letters and digits that starts at `at`."""
    whole = Token(Kind.ODD, run, at, at + len(run))
    if run.isalpha():
        whole.kind = Kind.WORD
        return _size_and_letter(run, at, show) or [whole]
    if run.isdigit():
        return [_number(run, at)]
    code = _code(run, at, show)
    if code is not None:
        return [code]
    if len(run) > LONGEST_WORD:
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
    token.value = int(digits[:LONGEST_WORD])
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
