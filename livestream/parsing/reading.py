"""Everything known of a comment before its intent is decided, and what a decision is."""

from dataclasses import dataclass, field

from livestream.parsing.basket import Basket, Line, fill_basket
from livestream.parsing.clauses import Clause, orders, split_clauses
from livestream.parsing.codes import ShowCodes
from livestream.parsing.cutting import tokenize
from livestream.parsing.letters import Letters
from livestream.parsing.lexicon import Tag
from livestream.parsing.parsed import Intent, Reason
from livestream.parsing.quantities import settle_numbers
from livestream.parsing.removal import Removal, read_removal
from livestream.parsing.settle import settle_words
from livestream.parsing.tokens import Kind, Token


@dataclass(slots=True)
class Reading:
    """One comment taken apart. `ordered` when it asks for goods in words, `counted` in numbers."""

    tokens: list[Token]
    clauses: list[Clause]
    basket: Basket
    removal: Removal
    show: ShowCodes
    pinned: str | None
    phones: list[str]
    unknown: list[str]
    all_plain: bool
    ordered: bool
    counted: bool

    def has(self, *tags: Tag) -> bool:
        """Say whether any of these is said anywhere."""
        return any(t.tag in tags for t in self.tokens)

    def has_aside(self, told: str) -> bool:
        """Say whether an aside of this kind stands anywhere."""
        return any(t.kind is Kind.ASIDE and t.code == told for t in self.tokens)


@dataclass(slots=True)
class Decision:
    """What a comment wants; `review` when a person has to look."""

    intent: Intent
    lines: list[Line] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    review: bool = False


def read_comment(read: Letters, show: ShowCodes, pinned: str | None) -> Reading:
    """Take a comment apart: tokens, clauses, goods, what is taken back."""
    tokens = settle_numbers(tokenize(read, show), show)
    settle_words(tokens, show)
    all_plain = all(t.spelling.plain for t in tokens if t.kind is Kind.WORD)
    clauses = split_clauses(tokens)
    phones = [t.code or "" for t in tokens if t.kind is Kind.PHONE]
    removal = read_removal(clauses, all_plain=all_plain, has_phone=bool(phones))
    basket = fill_basket(tokens, show)
    return Reading(
        tokens=tokens,
        clauses=clauses,
        basket=basket,
        removal=removal,
        show=show,
        pinned=pinned,
        phones=phones,
        unknown=[t.text.upper() for t in tokens if t.kind is Kind.ODD],
        all_plain=all_plain,
        ordered=any(orders(c) for c in clauses),
        counted=any(line.qty is not None for line in basket.lines),
    )
