"""Codes, quantities and variants gathered into groups that belong together."""

from dataclasses import dataclass, field

from livestream.parsing.codes import ShowCodes
from livestream.parsing.lexicon import Tag
from livestream.parsing.parsed import Reason
from livestream.parsing.tokens import Kind, Token

_TIES = frozenset("+x*:=(-.")
_ALSO_JOINING = frozenset("+-.")
_DOUBTFUL_TIES = frozenset("-.")
_ENDS = frozenset(",;.!?&+/")
_JOINING_WORDS = frozenset({"voi", "vs", "zoi"})
_DIGITS = "0123456789"
GOODS = frozenset({Kind.CODE, Kind.QUANTITY, Kind.VARIANT})


@dataclass(slots=True)
class Group:
    """What stands between two commas, 'và' or line ends; `verb` when it says 'lấy' or 'cho'."""

    parts: list[Token] = field(default_factory=list)
    verb: bool = False


@dataclass(slots=True)
class Groups:
    """All groups, the quantity that 'mỗi thứ 2' gives to each code, and what is doubtful."""

    groups: list[Group] = field(default_factory=list)
    share: Token | None = None
    doubts: list[Reason] = field(default_factory=list)
    either_or: bool = False


def gather(tokens: list[Token], show: ShowCodes) -> Groups:
    """Return the groups of a comment."""
    told = Groups()
    group = Group()
    bound = _bound(tokens, show)
    for n, token in enumerate(bound):
        if token.kind in GOODS or token.tag is Tag.EACH:
            group.parts.append(token)
        elif token.tag in (Tag.BUY, Tag.WANT, Tag.MORE):
            if token.tag is Tag.MORE and group.parts and _leads_to_a_code(bound, n):
                _close(group, told)
                group = Group()
            group.verb = True
        elif _ends_group(bound, n):
            if token.tag is Tag.OR or (token.text == "/" and _between_goods(bound, n)):
                told.doubts.append(Reason.ONE_OF_SEVERAL)
                told.either_or = told.either_or or token.tag is Tag.OR
            _close(group, told)
            group = Group()
        elif token.text in ("-", "~") and _between_goods(bound, n) and not _is_arrow(bound, n):
            told.doubts.append(Reason.UNCLEAR)
    _close(group, told)
    return told


# --- ties ------------------------------------------------------------------------------------


def _bound(tokens: list[Token], show: ShowCodes) -> list[Token]:
    """Drop what only ties a quantity to its code, 'A1 x2', 'A1: 2'; see 'A1,2,3' as codes."""
    bound: list[Token] = []
    for n, token in enumerate(tokens):
        after = tokens[n + 1] if n + 1 < len(tokens) else None
        if _may_be_minus(tokens, n):
            tokens[n + 1].doubt = tokens[n + 1].doubt or Reason.UNCLEAR
        counts = token.kind is Kind.WORD and token.tag is Tag.COUNT
        ties = counts or (token.kind is Kind.MARK and token.text in _TIES)
        if ties and after is not None and after.kind is Kind.QUANTITY:
            if _ties(tokens, n, bound):
                after.glued, after.tag = True, Tag.COUNT
                if token.text in _DOUBTFUL_TIES and token.glued and after.unit is None:
                    after.doubt = after.doubt or Reason.UNCLEAR
                continue
            if counts:
                after.tag = Tag.COUNT
        if counts:
            continue
        if token.kind is Kind.QUANTITY:
            _read_elided_code(tokens, n, show)
        bound.append(token)
    return bound


def _may_be_minus(tokens: list[Token], n: int) -> bool:
    """Say whether a dash leans on its number alone: 'A1 -1' may take one away."""
    token, after = tokens[n], tokens[n + 1] if n + 1 < len(tokens) else None
    if token.kind is not Kind.MARK or token.text != "-" or after is None:
        return False
    return after.kind is Kind.QUANTITY and after.glued and not token.glued


def _ties(tokens: list[Token], n: int, bound: list[Token]) -> bool:
    if not bound or bound[-1].kind not in (Kind.CODE, Kind.VARIANT):
        return False
    last = tokens[n + 2] if n + 2 < len(tokens) else None
    joins = last is not None and last.kind is Kind.CODE and tokens[n].text in _ALSO_JOINING
    return not joins


def _read_elided_code(tokens: list[Token], n: int, show: ShowCodes) -> None:
    """Turn 'A1,2,3' into A1, A2, A3, in doubt."""
    code, comma = (tokens[n - 2], tokens[n - 1]) if n > 1 else (None, None)
    token = tokens[n]
    if code is None or comma is None or comma.text != "," or code.kind is not Kind.CODE:
        return
    if not (comma.glued and token.glued) or token.unit is not None or code.by_name:
        return
    typed = code.text.rstrip(_DIGITS) + str(token.value)
    found = show.find_code(typed)
    if found is not None:
        token.kind, token.code, token.doubt, token.text = Kind.CODE, found, Reason.UNCLEAR, typed


# --- groups ----------------------------------------------------------------------------------


def _ends_group(tokens: list[Token], n: int) -> bool:
    token = tokens[n]
    if token.kind is Kind.BREAK or token.tag is Tag.AND:
        return True
    if token.kind is Kind.MARK:
        return token.text in _ENDS and not _counts_on(tokens, n)
    joins = token.tag is Tag.OR or token.spelling.fold in _JOINING_WORDS
    return joins and _between_goods(tokens, n)


def _between_goods(tokens: list[Token], n: int) -> bool:
    before, after = tokens[max(0, n - 3) : n], tokens[n + 1 : n + 4]
    return any(t.kind in GOODS for t in before) and any(t.kind in GOODS for t in after)


def _leads_to_a_code(tokens: list[Token], n: int) -> bool:
    """Say whether 'thêm' starts another good: 'A1 thêm 1 B1 nữa'."""
    return any(t.kind is Kind.CODE for t in tokens[n + 1 : n + 3])


def _counts_on(tokens: list[Token], n: int) -> bool:
    """Say whether a comma stands among variants that are counted first: '1 đỏ, 1 trắng'."""
    kinds = [t.kind for t in (*tokens[max(0, n - 2) : n], *tokens[n + 1 : n + 3])]
    return tokens[n].text == "," and kinds == [Kind.QUANTITY, Kind.VARIANT] * 2


def _is_arrow(tokens: list[Token], n: int) -> bool:
    """Say whether a dash points, 'A1 -> 2 chai', names a variant, 'A3-L', or parts 'A1 2 - B1'."""
    before, after = tokens[n - 1], tokens[n + 1]
    if before.kind is Kind.QUANTITY and after.kind is Kind.CODE:
        return not (tokens[n].glued or after.glued)
    return after.text == ">" or after.kind is Kind.VARIANT


def _close(group: Group, told: Groups) -> None:
    """Let a typed code and the same product's name be one; a different name is doubtful."""
    parts, share = _without_share(group.parts)
    told.share = told.share or share
    typed = {t.code for t in parts if t.kind is Kind.CODE and not t.by_name}
    kept: list[Token] = []
    for n, part in enumerate(parts):
        if part.kind is Kind.CODE and part.by_name and typed:
            beside = n > 0 and parts[n - 1].kind is Kind.CODE
            if part.code not in typed and beside:
                told.doubts.append(Reason.NAME_NOT_CODE)
            if part.code in typed or beside:
                continue
        kept.append(part)
    group.parts = kept
    if kept:
        told.groups.append(group)


def _without_share(parts: list[Token]) -> tuple[list[Token], Token | None]:
    """Take 'mỗi thứ 2' out of a group; 'mỗi A1 thôi' only means just A1."""
    n = next((n for n, part in enumerate(parts) if part.tag is Tag.EACH), None)
    if n is None:
        return parts, None
    each, rest = parts[n], parts[:n] + parts[n + 1 :]
    if n < len(rest) and rest[n].kind is Kind.QUANTITY:
        return rest[:n] + rest[n + 1 :], rest[n]
    if n == 0 and rest:
        return rest, None
    one = Token(Kind.QUANTITY, each.text, each.start, each.end)
    one.value = 1
    return rest, one
