"""Comments that order nothing, or do it in doubt: cancels, questions, tales, praise, adverts.

Each rule returns its decision, or None to leave the comment to the next one.
"""

import itertools

from livestream.parsing.basket import Line
from livestream.parsing.clauses import (
    MAYBE,
    ORDERING,
    SURE,
    Clause,
    asks,
    orders,
    speaks_for_self,
    tells_of_past,
    wishes,
)
from livestream.parsing.lexicon import Tag
from livestream.parsing.parsed import Intent, Reason
from livestream.parsing.reading import Decision, Reading
from livestream.parsing.tokens import Kind

# --- taking back -----------------------------------------------------------------------------


def read_cancel(line: Reading) -> Decision | None:
    """Read what is taken back or changed; a change is never done by the machine."""
    removal, lines = line.removal, line.basket.lines
    dropped = [entry for entry in lines if id(entry.token) in removal.dropped]
    wanted = [entry for entry in lines if id(entry.token) not in removal.dropped]
    if removal.swaps or (line.has(Tag.MISTAKE) and lines and not removal.drops):
        asked = any(asks(c)[0] == SURE for c in line.clauses)
        chosen = wanted or ([] if removal.swaps and not _counted(dropped) else dropped)
        if asked or not chosen:
            intent = Intent.QUESTION if asked else Intent.OTHER
            return Decision(intent, [], [Reason.CHANGE], review=True)
        return Decision(Intent.ORDER, chosen, [Reason.CHANGE], review=True)
    if removal.drops:
        if wanted and dropped:
            return Decision(Intent.ORDER, wanted, [Reason.CHANGE], review=True)
        reasons = list(dict.fromkeys(removal.doubts))
        reasons += [r for r in line.basket.doubts if r not in (Reason.VARIANT, Reason.BULK)]
        verbs = sum(t.tag in ORDERING for t in line.tokens)
        if verbs > removal.denials or (len(lines) > 1 and line.has(Tag.MISTAKE)):
            reasons.append(Reason.CHANGE)
        if not lines:
            reasons.append(Reason.UNKNOWN_CODE if line.unknown else Reason.WHOLE_ORDER)
        return Decision(Intent.CANCEL, lines, reasons, review=bool(reasons))
    if removal.kept:
        asked = any(asks(c)[0] for c in line.clauses) or line.tokens[0].text == "ai"
        return Decision(Intent.QUESTION if asked else Intent.OTHER, [], [Reason.KEPT])
    return None


def _counted(lines: list[Line]) -> bool:
    return any(entry.qty is not None for entry in lines)


# --- not for sale ----------------------------------------------------------------------------


def read_advert(line: Reading) -> Decision | None:
    """Read other people's adverts, links, jobs and loans."""
    link = any(t.kind is Kind.LINK for t in line.tokens)
    hawks = line.has(Tag.WHO) and (bool(line.phones) or line.has(Tag.CALL))
    hawks = hawks or (bool(line.phones) and line.has(Tag.CALL) and line.has(Tag.BARGAIN))
    hawks = hawks or _calls_away(line)
    if link or hawks or line.has(Tag.ADVERT):
        doubtful = bool(line.basket.lines) and not line.has(Tag.ADVERT)
        return Decision(Intent.OTHER, [], [Reason.ADVERT], review=doubtful)
    return None


def _calls_away(line: Reading) -> bool:
    """Say whether buyers are called to another seller: 'inbox mình mua mật ong rẻ hơn'."""
    cheaper = any(t.tag is Tag.BARGAIN and t.text == "rẻ" for t in line.tokens)
    pairs = itertools.pairwise(line.tokens)
    return cheaper and any(a.tag is Tag.CALL and b.tag is Tag.ME for a, b in pairs)


def read_question(line: Reading) -> Decision | None:
    """Read questions; 'còn không cho em 2' is an order with a condition."""
    strongest = 0
    asking: Clause | None = None
    ordering = False
    for clause in line.clauses:
        strength, where = asks(clause)
        if strength > strongest:
            strongest, asking = strength, clause
        if strength == 0:
            by_count = clause.counts() and bool(line.basket.lines)
            ordering = ordering or ((orders(clause) or by_count) and not tells_of_past(clause))
        elif strength == SURE and where < len(clause.tokens):
            rest = Clause(clause.tokens[where + 1 :])
            ends = clause.tokens[where].tag in (Tag.NOT, Tag.YET)
            ordering = ordering or (ends and orders(rest) and not rest.has(Tag.ASK, Tag.AGAIN))
    lines = line.basket.lines
    if strongest == MAYBE and line.has(Tag.CROWD, Tag.URGE):
        return None
    if asking is None:
        weighing = line.basket.either_or and line.has(Tag.PRAISE, Tag.VERY)
        return Decision(Intent.QUESTION, [], [Reason.ASKED]) if weighing else None
    if ordering and lines:
        return Decision(Intent.ORDER, lines, [Reason.CONDITION, *line.basket.doubts], review=True)
    if strongest == MAYBE and lines and (orders(asking) or asking.counts()):
        return Decision(Intent.ORDER, lines, [Reason.ASKED, *line.basket.doubts], review=True)
    if line.unknown and not lines and line.has(Tag.THING):
        return Decision(Intent.OTHER, [], [Reason.NO_CODE])
    lead = bool(lines) and strongest == MAYBE
    lead = lead or (bool(lines) and asking.has(*ORDERING, Tag.BARGAIN) and asking.counts())
    lead = lead or (bool(lines) and bool(line.phones))
    return Decision(Intent.QUESTION, [], [Reason.ASKED], review=lead)


def read_story(line: Reading) -> Decision | None:
    """Tell apart an order from a tale of an earlier one, a wish, a call to friends."""
    told = [(c, tells_of_past(c)) for c in line.clauses]
    past = max((strength for _, strength in told), default=0)
    later = any(
        (orders(c) or (c.counts() and c.codes()))
        and not strength
        and (speaks_for_self(c) or not c.has(Tag.CROWD, Tag.URGE, Tag.WHO))
        and (c.counts() or not wishes(c))
        for c, strength in told
    )
    lines = line.basket.lines
    if past:
        if later and lines:
            return Decision(
                Intent.ORDER, lines, [Reason.RUNNING_TOTAL, *line.basket.doubts], review=True
            )
        return Decision(Intent.OTHER, [], [Reason.PAST], review=past == MAYBE and bool(lines))
    for told_so, reason in (
        (line.has(Tag.CROWD, Tag.URGE), Reason.CROWD),
        (any(wishes(c) for c in line.clauses), Reason.HEDGED),
        (line.has(Tag.WHO, Tag.LOOK), Reason.UNCLEAR),
    ):
        if told_so:
            if later and lines:
                return Decision(Intent.ORDER, lines, [reason, *line.basket.doubts], review=True)
            doubtful = bool(lines) and reason is not Reason.CROWD
            return Decision(Intent.OTHER, [], [reason], review=doubtful)
    return None


def read_remark(line: Reading) -> Decision | None:
    """Read praise and blame; 'ngon quá lấy 2' orders all the same."""
    lines = line.basket.lines
    if not line.has(Tag.PRAISE, Tag.REMARK, Tag.VERY):
        return None
    bought = False
    for clause in line.clauses:
        at = clause.first(Tag.PRAISE, Tag.REMARK, Tag.VERY)
        if at is None:
            bought = bought or orders(clause)
        else:
            gushing = clause.has(Tag.VERY, Tag.REMARK)
            bought = bought or orders(clause, at) or (orders(clause) and not gushing)
    denied = line.removal.denials > 0 and not bought
    if bought and lines and not denied:
        return None
    counted = line.counted or (bool(lines) and bool(line.phones))
    if counted and not denied and not line.has(Tag.REMARK):
        return Decision(Intent.ORDER, lines, [Reason.REMARK, *line.basket.doubts], review=True)
    if not lines and bought and not line.has(Tag.REMARK, Tag.VERY):
        return None
    doubtful = bool(lines) and any(orders(c) for c in line.clauses) and not denied
    return Decision(Intent.OTHER, [], [Reason.REMARK], review=doubtful)
