"""Walking along the tokens of a comment, merging them on the way; and the words that count."""

from livestream.parsing.codes import ShowCodes
from livestream.parsing.lexicon import AFTER_NUMBERS, Forms, Tag
from livestream.parsing.parsed import Reason
from livestream.parsing.phones import SPOKEN_DIGITS
from livestream.parsing.tokens import Kind, Token

HALF = AFTER_NUMBERS["half"]
HEADS = AFTER_NUMBERS["heads"]
_ANY, _UNIT = AFTER_NUMBERS["any"], AFTER_NUMBERS["unit"]
_FOREIGN = (AFTER_NUMBERS["carton"], AFTER_NUMBERS["weight"])
_MULTIPLES = frozenset({"chục", "chuc", "tá", "ta", "cặp", "cap", "đôi", "doi"})


class Walk:
    """A position in the tokens, and what has been made of those before it."""

    def __init__(self, tokens: list[Token], show: ShowCodes) -> None:
        self.tokens = tokens
        self.show = show
        self.at = 0
        self.out: list[Token] = []

    def peek(self, ahead: int = 0) -> Token | None:
        """Return the token `ahead` of the present one."""
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else None

    def before(self, back: int = 1) -> Token | None:
        """Return what was last made, or the one `back` before."""
        return self.out[-back] if len(self.out) >= back else None

    def tag_before(self) -> Tag | None:
        """Return what the last word said."""
        before = self.before()
        return before.tag if before is not None else None

    def keep(self) -> None:
        """Leave the present token as it is and step on."""
        self.out.append(self.tokens[self.at])
        self.at += 1

    def set_aside(self, told: str, length: int = 1, doubt: Reason | None = None) -> bool:
        """Merge `length` tokens into an aside of the kind `told`; always True."""
        token = self.merge(Kind.ASIDE, length)
        token.code, token.doubt = told, doubt
        return True

    def merge(self, kind: Kind, length: int) -> Token:
        """Merge `length` tokens into one and step past them."""
        first, last = self.tokens[self.at], self.tokens[self.at + length - 1]
        token = Token(kind, first.text, first.start, last.end)
        token.glued = first.glued
        self.out.append(token)
        self.at += length
        return token


def is_word(token: Token | None, forms: Forms) -> bool:
    """Say whether a token is a word of these."""
    return token is not None and token.kind is Kind.WORD and token.spelling in forms


def is_kind(token: Token | None, *kinds: Kind) -> bool:
    """Say whether there is a token and it is one of these kinds."""
    return token is not None and token.kind in kinds


def is_unit(token: Token | None, show: ShowCodes) -> bool:
    """Say whether a word counts goods: cái, chai, or a unit that this show uses."""
    if token is None or token.kind is not Kind.WORD or token.words > 1:
        return False
    return token.spelling in _ANY or token.spelling in _UNIT or token.text in show.units


def is_foreign_unit(token: Token | None) -> bool:
    """Say whether a word counts by the carton or the kilo."""
    return any(is_word(token, forms) for forms in _FOREIGN)


def is_unread(token: Token | None) -> bool:
    """Say whether a word means nothing here: a name, most often."""
    if token is None or token.kind is not Kind.WORD or token.tag is not None:
        return False
    counts = any(token.spelling in forms for forms in AFTER_NUMBERS.values())
    counts = counts or token.text in _MULTIPLES
    return not counts and (token.capital or token.text not in SPOKEN_DIGITS)
