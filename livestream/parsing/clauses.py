"""What each clause of a comment does: asks, takes back, tells of the past, praises, orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from livestream.parsing.lexicon import Tag
from livestream.parsing.tokens import Kind, Token

_ENDS = frozenset(",;.!?")
_POLITE = frozenset(
    {Tag.SOFT, Tag.SHOP, Tag.ME, Tag.KIN, Tag.ASK_END, Tag.DONE, Tag.VERY, Tag.CROWD}
)
_SURE_BEFORE_NOT = frozenset(["co", "con", "duoc", "dc", "hang", "phai", "dung"])
_NOTHING = frozenset(["gi", "j", "dau", "nao", "ai"])
_EMPTY_WORDS = frozenset({Tag.SOFT, Tag.SHOP, Tag.ME, Tag.KIN, Tag.NOT})
SURE = 2
MAYBE = 1
_GOODS = (Kind.CODE, Kind.QUANTITY)
ORDERING = frozenset({Tag.BUY, Tag.MORE})


@dataclass(slots=True)
class Clause:
    """A stretch of tokens between commas, stops and line ends."""

    tokens: list[Token]
    question_mark: bool = False

    def has(self, *tags: Tag) -> bool:
        """Say whether any of these is said here."""
        return any(t.tag in tags for t in self.tokens)

    def first(self, *tags: Tag) -> int | None:
        """Return where the first of these is said."""
        return next((n for n, t in enumerate(self.tokens) if t.tag in tags), None)

    def goods(self) -> bool:
        """Say whether a code or a quantity stands here."""
        return any(t.kind in _GOODS for t in self.tokens)

    def codes(self) -> bool:
        """Say whether a code stands here."""
        return any(t.kind is Kind.CODE for t in self.tokens)

    def counts(self) -> bool:
        """Say whether a quantity stands here."""
        return any(t.kind is Kind.QUANTITY for t in self.tokens)


def split_clauses(tokens: Sequence[Token]) -> list[Clause]:
    """Return the clauses of a comment, empty ones left out."""
    clauses = [Clause([])]
    for token in tokens:
        ends = token.kind is Kind.BREAK or (token.kind is Kind.MARK and token.text in _ENDS)
        if ends:
            if token.text == "?":
                target = clauses[-1] if clauses[-1].tokens or len(clauses) == 1 else clauses[-2]
                target.question_mark = True
            clauses.append(Clause([]))
        elif token.kind is not Kind.MARK or token.text == "@":
            clauses[-1].tokens.append(token)
    return [c for c in clauses if c.tokens or c.question_mark]


def asks(clause: Clause) -> tuple[int, int]:
    """Return how surely a clause asks (SURE, MAYBE or 0) and where it does."""
    tokens = clause.tokens
    strength, where = 0, len(tokens)
    edges = _Edges(
        said=next((n for n, t in enumerate(tokens) if _says_something(t)), len(tokens)),
        polite=_polite_end(tokens),
    )
    for n, token in enumerate(tokens):
        told = _asks_at(clause, n, token, edges)
        if told > strength:
            strength, where = told, n
    if clause.question_mark and strength < SURE:
        polite = clause.has(*ORDERING) and clause.goods()
        strength = max(strength, MAYBE if polite else SURE)
    if strength == 0 and _asks_for_price(clause):
        strength = SURE
    return strength, where


class _Edges(NamedTuple):
    """Where a clause first says something, and from where on only particles follow."""

    said: int
    polite: int


def _says_something(token: Token) -> bool:
    return (
        token.kind is not Kind.WORD
        or token.tag not in _EMPTY_WORDS
        or token.spelling.fold in _SURE_BEFORE_NOT
    )


def _polite_end(tokens: Sequence[Token]) -> int:
    at = len(tokens)
    while at and (tokens[at - 1].tag in _POLITE or tokens[at - 1].kind is Kind.MARK):
        at -= 1
    return at


def _asks_for_price(clause: Clause) -> bool:
    if not clause.has(Tag.PRICE) or clause.has(*ORDERING, Tag.WANT):
        return False
    priced = any(t.kind is Kind.ASIDE and t.code == "price" for t in clause.tokens)
    return not priced and not clause.has(Tag.PRAISE, Tag.REMARK, Tag.VERY)


def _asks_at(clause: Clause, n: int, token: Token, edges: _Edges) -> int:
    before = clause.tokens[n - 1] if n else None
    ends = n + 1 >= edges.polite
    fold = token.spelling.fold
    told = 0
    match token.tag:
        case Tag.SHOW_ME if token.words == 1 and fold in ("xem", "coi"):
            told = SURE if clause.codes() else 0
        case Tag.SHOW_ME | Tag.BARGAIN | Tag.LOST:
            told = SURE
        case Tag.ASK:
            told = _asks_with_word(clause, n, token, ends=ends)
        case Tag.ASK_END if n and ends and not token.capital:
            told = MAYBE if token.spelling.plain and fold in ("ta", "ah") else SURE
        case Tag.NOT if before is not None and edges.said < n:
            told = SURE if ends or before.spelling.fold in _SURE_BEFORE_NOT else 0
        case Tag.YET if edges.said < n and ends:
            told = SURE
        case Tag.SOFT if token.spelling.key == "a1" and before is not None and ends:
            told = MAYBE if before.kind is Kind.CODE else 0
    return told


def _asks_with_word(clause: Clause, n: int, token: Token, *, ends: bool) -> int:
    tokens = clause.tokens
    before = tokens[n - 1] if n else None
    after = tokens[n + 1] if n + 1 < len(tokens) else None
    fold = token.spelling.fold if token.words == 1 else ""
    is_person = (after is not None and after.tag is Tag.SHOP) or (
        before is not None and before.tag is Tag.WANT
    )
    to_people = after is not None and after.tag in (Tag.KIN, Tag.ME)
    reach = 0 if fold == "dau" or token.words > 1 else max(0, n - 3)
    denied = any(t.tag in (Tag.NOT, Tag.YET) for t in tokens[reach:n])
    anyhow = after is not None and after.text == "cũng"
    if (
        anyhow
        or (fold == "bn" and is_person)
        or (denied and (fold in _NOTHING or token.text == "bao"))
        or (fold == "may" and to_people)
    ):
        return 0
    if fold == "nao" and (n == 0 or (ends and before is not None and before.kind in _GOODS)):
        return MAYBE
    return SURE


def speaks_for_self(clause: Clause) -> bool:
    """Say whether the writer is who buys: 'mình chốt A1 nha mọi người'."""
    verb = clause.first(*ORDERING)
    return verb is not None and any(t.tag is Tag.ME for t in clause.tokens[:verb])


def orders(clause: Clause, start: int = 0) -> bool:
    """Say whether a clause asks for goods in words: 'lấy', 'thêm', 'cho em 2', 'em xin A1'."""
    tokens = clause.tokens
    for n in range(start, len(tokens)):
        token = tokens[n]
        if token.tag in ORDERING:
            if not _negated(tokens, n):
                return True
        elif token.tag is Tag.WANT and not _negated(tokens, n):
            following = tokens[n + 1 : n + 5]
            for t in following:
                if t.kind in _GOODS or t.tag is Tag.ME:
                    return True
                if t.tag not in (Tag.ME, Tag.KIN, Tag.SOFT, Tag.WANT, Tag.CODEWORD, Tag.EACH):
                    break
        elif token.tag is Tag.EXPENSIVE_PLAIN and buys_plainly(tokens, n):
            return True
    return False


def buys_plainly(tokens: Sequence[Token], n: int) -> bool:
    """Say whether an unmarked 'dat' stands where đặt would: before what is ordered."""
    for token in tokens[n + 1 : n + 4]:
        if token.kind in _GOODS or token.kind is Kind.ODD:
            return True
        if token.tag not in (Tag.ME, Tag.KIN, Tag.SOFT, Tag.WANT, Tag.CODEWORD):
            return False
    return False


def _negated(tokens: Sequence[Token], n: int) -> bool:
    """Say whether the verb at `n` is denied: 'không lấy', 'đừng có chốt', 'chưa muốn mua'."""
    for back in (1, 2):
        if n - back < 0:
            return False
        token = tokens[n - back]
        if token.tag in (Tag.NOT, Tag.DONT, Tag.YET):
            return True
        if token.tag not in (Tag.ME, Tag.WANT) and token.spelling.fold not in ("co", "duoc"):
            return False
    return False


def wishes(clause: Clause) -> bool:
    """Say whether a clause puts buying off: 'hóng A1', 'mai em lấy A1'."""
    if clause.has(Tag.WISH):
        return True
    for n, token in enumerate(clause.tokens):
        if token.tag is Tag.WHEN and not token.capital:
            for t in clause.tokens[n + 1 : n + 3]:
                if t.tag in ORDERING:
                    return True
                if t.tag not in (Tag.ME, Tag.KIN, Tag.SOFT):
                    break
    return False


def denied_order(clause: Clause) -> int | None:
    """Return where an ordering verb is denied, 'không lấy A1 nữa', or None."""
    for n, token in enumerate(clause.tokens):
        if (token.tag in ORDERING or token.tag in (Tag.WANT, Tag.SEND)) and _negated(
            clause.tokens, n
        ):
            return n
    return None


def tells_of_past(clause: Clause) -> int:
    """Return 2 when a clause tells what was bought before, 1 when it may, 0 when not."""
    if clause.has(Tag.BEFORE):
        return 2
    tokens = clause.tokens
    for n, token in enumerate(tokens):
        following = tokens[n + 1 : n + 3]
        if token.tag is Tag.JUST or token.spelling.key == "đa4":
            if any(t.tag in ORDERING for t in following):
                return 1
            if "nay" in token.spelling.fold or (token.words > 1 and token.tag is Tag.JUST):
                return 1
        if token.tag is Tag.DONE:
            if any(t.text == "nhận" and not _negated(tokens, i) for i, t in enumerate(tokens[:n])):
                return 2
            verb = any(t.tag in (*ORDERING, Tag.TRANSFER, Tag.CALL, Tag.DROP) for t in tokens[:n])
            again = any(t.tag in ORDERING for t in tokens[n + 1 :])
            if verb and not again:
                return 1
    return 0
