"""Taking back and changing: which codes a comment drops, which it keeps, which it swaps to."""

from dataclasses import dataclass, field

from livestream.parsing.clauses import ORDERING, Clause, asks, denied_order
from livestream.parsing.lexicon import Tag
from livestream.parsing.parsed import Reason
from livestream.parsing.tokens import Kind, Token

_HALF_MEANT = (Tag.DONE, Tag.HEDGE, Tag.IF, Tag.WISH)
_DROPPING = (Tag.DROP, Tag.DROP_PLAIN, Tag.LESS, Tag.SWAP)
_WEAK_LESS = frozenset({"giam", "tru"})


@dataclass(slots=True)
class Removal:
    """What a comment takes back. `dropped` holds the ids of code tokens under a dropping verb."""

    drops: bool = False
    kept: bool = False
    swaps: bool = False
    denials: int = 0
    dropped: set[int] = field(default_factory=set)
    doubts: list[Reason] = field(default_factory=list)


def read_removal(clauses: list[Clause], *, all_plain: bool, has_phone: bool) -> Removal:
    """Return what is taken back, clause by clause; a verb rules the codes after it."""
    told = Removal()
    ruling: str | None = None
    remarked = any(c.has(Tag.PRAISE, Tag.REMARK) for c in clauses)
    for clause in clauses:
        verbs = _Verbs(clause, told, all_plain, has_phone, remarked)
        told.denials += verbs.denied is not None
        if ruling == "drop" and verbs.only_orders():
            ruling = "buy"
        earlier: list[int] = []
        ruled = False
        for n, token in enumerate(clause.tokens):
            move = verbs.move(n, token)
            if move == "want":
                ruling = "buy" if ruling == "drop" and told.dropped else ruling
            elif move is not None:
                ruling = move
                # 'A1 hủy giúp em', 'A1 chuyển sang B1': the first verb rules both ways
                if move in ("drop", "swap") and not ruled:
                    told.dropped.update(earlier)
                ruled = True
            if token.kind is Kind.CODE:
                earlier.append(id(token))
                if ruling == "drop":
                    told.dropped.add(id(token))
    return told


class _Verbs:
    """The verbs of one clause: each starts to 'drop', 'buy', 'swap', 'want', or nothing."""

    def __init__(
        self,
        clause: Clause,
        told: Removal,
        all_plain: bool,  # noqa: FBT001 - facts of the line, not switches
        has_phone: bool,  # noqa: FBT001
        remarked: bool,  # noqa: FBT001
    ) -> None:
        self.clause = clause
        self.told = told
        self.all_plain = all_plain
        self.has_phone = has_phone
        self.remarked = remarked
        self.denied = denied_order(clause)
        self.asked = asks(clause)[0]
        self.first_question = clause.first(Tag.ASK, Tag.WHO)
        self.puts_in = max(
            (n for n, t in enumerate(clause.tokens) if t.text in ("vào", "vao")), default=-1
        )

    def only_orders(self) -> bool:
        """Say whether the clause orders and takes nothing back."""
        return (
            self.denied is None and self.clause.has(*ORDERING) and not self.clause.has(*_DROPPING)
        )

    def move(self, n: int, token: Token) -> str | None:
        """Return what the token at `n` starts."""
        if self.denied == n:
            return self._deny(n, token)
        told: str | None = None
        match token.tag:
            case Tag.BUY | Tag.MORE:
                told = "buy"
            case Tag.WANT:
                told = "want"
            case Tag.BECOMES if self.told.swaps or self.told.drops:
                told = "buy"
            case Tag.DROP:
                told = self._drop(n)
            case Tag.MISTAKE if self._denies_a_code(n, token):
                told = "drop"
            case Tag.LESS:
                told = self._lessen(n, token)
            case Tag.DROP_PLAIN:
                told = self._drop_plainly(n, token)
            case Tag.SWAP:
                told = self._swap(token)
        return told

    def _drop(self, n: int) -> str | None:
        tokens = self.clause.tokens
        denied = any(t.tag in (Tag.NOT, Tag.DONT, Tag.YET) for t in tokens[max(0, n - 2) : n])
        wondered = bool(self.asked) and n > 0 and tokens[n - 1].spelling.key == "co1"
        asked_how = self.first_question is not None and (
            self.first_question < n or not self.clause.goods()
        )
        by_others = n > 0 and tokens[n - 1].text == "bị"
        if denied or wondered or asked_how or by_others:
            self.told.kept = True
            return None
        if self.puts_in > n:
            self.told.doubts.append(Reason.UNCLEAR)
            return "buy"
        self.told.drops = True
        by_shop = n > 0 and tokens[n - 1].text == "shop" and not self.clause.has(Tag.ME)
        if by_shop or self.asked or self.clause.has(*_HALF_MEANT):
            self.told.doubts.append(Reason.UNCLEAR)
        return "drop"

    def _lessen(self, n: int, token: Token) -> str | None:
        if not self.clause.goods() or self.asked:
            return None
        following = self.clause.tokens[n + 1 : n + 3]
        counted = any(t.kind is Kind.QUANTITY for t in following)
        if token.spelling.fold in _WEAK_LESS and token.words == 1 and not counted:
            return None
        if any(t.spelling.key == "con2" for t in self.clause.tokens[n + 1 : n + 4]):
            self.told.swaps = True
            return "swap"
        self.told.drops = True
        return "drop"

    def _denies_a_code(self, n: int, token: Token) -> bool:
        """Say whether 'không phải A1' sets a code aside; 'ý em là A1' names the right one."""
        following = self.clause.tokens[n + 1 : n + 2]
        names = token.words == 1 or token.text in ("à", "ý")
        return not names and bool(following) and following[0].kind is Kind.CODE

    def _drop_plainly(self, n: int, token: Token) -> str | None:
        """Read an unmarked 'huy' or 'bo': a name, a set, or taking back — always in doubt."""
        some = self.clause.tokens[n + 1 : n + 4]
        following = [t for t in some if t.tag not in (Tag.SOFT, Tag.ME)]
        rules = bool(following) and following[0].kind in (Kind.CODE, Kind.QUANTITY)
        is_huy = token.spelling.fold == "huy"
        if is_huy and token.capital and (self.has_phone or not self.all_plain):
            token.tag = Tag.SOFT
            self.told.doubts += [Reason.NO_ACCENTS] if rules else []
            return None
        if not (rules or (is_huy and n > 0 and self.all_plain)):
            return None
        self.told.drops = True
        self.told.doubts.append(Reason.NO_ACCENTS)
        return "drop"

    def _swap(self, token: Token) -> str | None:
        to_other = self.clause.has(Tag.BECOMES)
        plain = token.spelling.plain and token.words == 1
        if plain and not to_other and not self.clause.has(*ORDERING):
            return None
        self.told.swaps = True
        return "swap" if token.words > 1 and not to_other else "drop"

    def _deny(self, n: int, token: Token) -> str | None:
        following = self.clause.tokens[n + 1 : n + 2]
        cannot = bool(following) and following[0].spelling.fold in ("duoc", "dc")
        if cannot or self.asked or self.clause.has(Tag.YET, Tag.LOST):
            return None
        sure = self.clause.has(Tag.AGAIN, Tag.ONLY, Tag.DONT)
        if not sure and (self.remarked or token.tag is Tag.WANT):
            return None
        self.told.drops = True
        self.told.doubts += [] if sure else [Reason.UNCLEAR]
        return "drop"
