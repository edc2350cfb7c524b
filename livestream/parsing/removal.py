"""Taking back and changing: which codes a comment drops, which it keeps, which it swaps to."""

from dataclasses import dataclass, field

from livestream.parsing.clauses import ORDERING, Clause, asks, denied_order
from livestream.parsing.lexicon import Tag
from livestream.parsing.parsed import Reason
from livestream.parsing.tokens import Kind, Token


@dataclass(slots=True)
class Removal:
    """What a comment takes back. `dropped` holds the ids of code tokens under a dropping verb."""

    drops: bool = False
    kept: bool = False
    swaps: bool = False
    denies: bool = False
    dropped: set[int] = field(default_factory=set)
    doubts: list[Reason] = field(default_factory=list)


def read_removal(clauses: list[Clause], *, all_plain: bool, has_phone: bool) -> Removal:
    """Return what is taken back, clause by clause; a verb rules the codes after it."""
    told = Removal()
    ruling: str | None = None
    remarked = any(c.has(Tag.PRAISE, Tag.REMARK) for c in clauses)
    for clause in clauses:
        denied = denied_order(clause)
        if denied is not None:
            told.denies = True
        pending: list[Token] = []
        verb_here = False
        for n, token in enumerate(clause.tokens):
            move = _move(clause, n, token, denied, remarked, told, all_plain, has_phone)
            if move == "want":
                ruling = "buy" if ruling == "drop" and told.dropped else ruling
            elif move is not None:
                ruling = move
                if not verb_here and move in ("drop", "buy") and n:
                    _rule(pending, move, told)
                verb_here = True
            if token.kind is Kind.CODE:
                pending.append(token)
                if ruling == "drop":
                    told.dropped.add(id(token))
    return told


def _rule(pending: list[Token], move: str, told: Removal) -> None:
    """Let the first verb of a clause rule the codes before it too: 'A1 hủy giúp em'."""
    for token in pending:
        if move == "drop":
            told.dropped.add(id(token))


def _move(
    clause: Clause,
    n: int,
    token: Token,
    denied: int | None,
    remarked: bool,
    told: Removal,
    all_plain: bool,
    has_phone: bool,
) -> str | None:
    """Return which rule a token starts: 'drop', 'buy', 'swap', 'want', or none."""
    if denied == n:
        return _deny(clause, n, remarked, told)
    match token.tag:
        case Tag.DROP:
            return _drop(clause, n, told)
        case Tag.MISTAKE if token.words > 1 and token.text != "à":
            return "drop" if _denies_a_code(clause, n) else None
        case Tag.LESS:
            return _lessen(clause, n, token, told)
        case Tag.DROP_PLAIN:
            return _drop_plainly(clause, n, token, told, all_plain, has_phone)
        case Tag.SWAP:
            return _swap(clause, token, told)
        case Tag.BECOMES:
            return "buy" if told.swaps or told.drops else None
        case Tag.WANT:
            return "want"
        case tag if tag in ORDERING:
            return "buy"
        case _:
            return None


def _drop(clause: Clause, n: int, told: Removal) -> str | None:
    for token in clause.tokens[max(0, n - 2) : n]:
        if token.tag in (Tag.NOT, Tag.DONT, Tag.YET):
            told.kept = True
            return None
    if any(t.tag in (Tag.ASK, Tag.WHO) for t in clause.tokens[:n]):
        told.kept = True
        return None
    if any(t.text in ("vào", "vao") for t in clause.tokens[n + 1 :]):
        told.doubts.append(Reason.UNCLEAR)
        return "buy"
    told.drops = True
    if n and clause.tokens[n - 1].text == "shop" and not clause.has(Tag.ME):
        told.doubts.append(Reason.UNCLEAR)
    if asks(clause)[0] or clause.has(Tag.DONE, Tag.HEDGE, Tag.IF):
        told.doubts.append(Reason.UNCLEAR)
    return "drop"


def _lessen(clause: Clause, n: int, token: Token, told: Removal) -> str | None:
    fold = token.spelling.fold
    if not clause.goods() or asks(clause)[0]:
        return None
    if fold in ("giam", "tru") and token.words == 1 and not _counted_after(clause, n):
        return None
    told.drops = True
    return "drop"


def _denies_a_code(clause: Clause, n: int) -> bool:
    """Say whether 'không phải A1' sets a code aside; 'ý em là A1' names the right one."""
    following = clause.tokens[n + 1 : n + 2]
    denial = clause.tokens[n].tag is Tag.MISTAKE and clause.tokens[n].text != "ý"
    return denial and bool(following) and following[0].kind is Kind.CODE and n > 0


def _counted_after(clause: Clause, n: int) -> bool:
    return any(t.kind is Kind.QUANTITY for t in clause.tokens[n + 1 : n + 3])


def _drop_plainly(
    clause: Clause, n: int, token: Token, told: Removal, all_plain: bool, has_phone: bool
) -> str | None:
    """Read an unmarked 'huy' or 'bo': a name, a set, or taking back — always in doubt."""
    following = [t for t in clause.tokens[n + 1 : n + 4] if t.tag not in (Tag.SOFT, Tag.ME)]
    rules = bool(following) and following[0].kind in (Kind.CODE, Kind.QUANTITY)
    alone = token.spelling.fold == "huy" and n > 0 and all_plain
    if token.spelling.fold == "huy" and token.capital and (has_phone or not all_plain):
        token.tag = Tag.SOFT
        if rules:
            told.doubts.append(Reason.NO_ACCENTS)
        return None
    if not (rules or alone):
        return None
    told.drops = True
    told.doubts.append(Reason.NO_ACCENTS)
    return "drop"


def _swap(clause: Clause, token: Token, told: Removal) -> str | None:
    if token.spelling.plain and token.words == 1 and not clause.has(Tag.BECOMES, *ORDERING):
        return None
    told.swaps = True
    return "swap" if token.words > 1 and not clause.has(Tag.BECOMES) else "drop"


def _deny(clause: Clause, n: int, remarked: bool, told: Removal) -> str | None:
    if clause.has(Tag.YET) or asks(clause)[0] or any(t.tag is Tag.LOST for t in clause.tokens):
        return None
    sure = clause.has(Tag.AGAIN, Tag.ONLY, Tag.DONT)
    if not sure and remarked:
        return None
    if clause.tokens[n].tag is Tag.WANT and not sure:
        return None
    told.drops = True
    if not sure:
        told.doubts.append(Reason.UNCLEAR)
    return "drop"
