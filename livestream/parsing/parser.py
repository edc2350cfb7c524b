"""One live comment read: pure, in linear time, for any text at all.

Rules, not guesses: a code of this show plus the shape of the line decides. What is doubtful goes
to a person; nothing doubtful is ever held by the machine.
"""

import re
from dataclasses import dataclass

from livestream.parsing.basket import Basket, Line, fill_basket
from livestream.parsing.clauses import (
    ORDERING,
    Clause,
    asks,
    buys_plainly,
    orders,
    speaks_for_self,
    split_clauses,
    tells_of_past,
    wishes,
)
from livestream.parsing.codes import ShowCodes
from livestream.parsing.letters import Letters, letters
from livestream.parsing.lexicon import Tag, unit_alike
from livestream.parsing.parsed import Intent, Item, Lane, Parsed, Reason, Span
from livestream.parsing.quantities import settle_numbers
from livestream.parsing.removal import Removal, read_removal
from livestream.parsing.settle import settle_words
from livestream.parsing.tokens import Kind, Token, tokenize

_LONGEST_READ = 500
_LONGEST_TAKEN = 300
_UNREAD_WITH_VERB = 8
_UNREAD_WITH_PHONE = 20
_UNREAD_WITH_COUNT = 3
_SHORT_COUNT = 12
_CODE_SHAPED = re.compile(r"[^\W\d_]{0,2}\d{1,3}[^\W\d_]?")


@dataclass(slots=True)
class _Line:
    """Everything known of a comment before its intent is decided."""

    tokens: list[Token]
    clauses: list[Clause]
    basket: Basket
    removal: Removal
    show: ShowCodes
    pinned: str | None
    phones: list[str]
    unknown: list[str]
    all_plain: bool

    def has(self, *tags: Tag) -> bool:
        return any(t.tag in tags for t in self.tokens)


@dataclass(slots=True)
class _Decision:
    intent: Intent
    lines: list[Line]
    reasons: list[Reason]
    review: bool = False


def parse(
    text: str, show: ShowCodes, *, pinned: str | None = None, author: str = "viewer"
) -> Parsed:
    """Read one comment of a show.

    `pinned` is the code on screen for over 30 seconds, or None; author `page` is the host, whose
    comments are never orders. Never raises, whatever the text; spans point into `text`.
    """
    if author == "page":
        return Parsed(Intent.OTHER, reasons=(Reason.HOST,))
    read = letters(text[:_LONGEST_READ])
    line = _read_line(read, show, pinned)
    decision = _decide(line)
    if len(text) > _LONGEST_TAKEN and decision.intent in (Intent.ORDER, Intent.CANCEL):
        decision.reasons.append(Reason.TOO_LONG)
        decision.review = True
    return _parsed(decision, line, read)


def _read_line(read: Letters, show: ShowCodes, pinned: str | None) -> _Line:
    tokens = settle_numbers(tokenize(read, show), show)
    settle_words(tokens, show)
    all_plain = all(t.spelling.plain for t in tokens if t.kind is Kind.WORD and t.words)
    clauses = split_clauses(tokens)
    phones = [t.code or "" for t in tokens if t.kind is Kind.PHONE]
    removal = read_removal(clauses, all_plain=all_plain, has_phone=bool(phones))
    return _Line(
        tokens=tokens,
        clauses=clauses,
        basket=fill_basket(tokens, show),
        removal=removal,
        show=show,
        pinned=pinned,
        phones=phones,
        unknown=[t.text.upper() for t in tokens if t.kind is Kind.ODD],
        all_plain=all_plain,
    )


def _decide(line: _Line) -> _Decision:
    if not any(t.kind not in (Kind.MARK, Kind.BREAK) for t in line.tokens):
        asked = any(c.question_mark for c in line.clauses)
        return _Decision(Intent.QUESTION if asked else Intent.OTHER, [], [Reason.EMPTY])
    for rule in (_cancel, _advert, _question, _story, _remark):
        decision = rule(line)
        if decision is not None:
            return decision
    if line.basket.lines or line.basket.either_or:
        return _order(line)
    return _without_code(line)


# --- taking back -----------------------------------------------------------------------------


def _cancel(line: _Line) -> _Decision | None:
    removal, lines = line.removal, line.basket.lines
    dropped = [entry for entry in lines if id(entry.token) in removal.dropped]
    wanted = [entry for entry in lines if id(entry.token) not in removal.dropped]
    if removal.swaps or (line.has(Tag.MISTAKE) and lines and not removal.drops):
        asked = any(asks(c)[0] == 2 for c in line.clauses)
        chosen = wanted or ([] if removal.swaps and not _counted(dropped) else dropped)
        if asked or not chosen:
            intent = Intent.QUESTION if asked else Intent.OTHER
            return _Decision(intent, [], [Reason.CHANGE], review=True)
        return _Decision(Intent.ORDER, chosen, [Reason.CHANGE], review=True)
    if removal.drops:
        if wanted and dropped:
            return _Decision(Intent.ORDER, wanted, [Reason.CHANGE], review=True)
        reasons = list(dict.fromkeys(removal.doubts))
        reasons += [r for r in line.basket.doubts if r not in (Reason.VARIANT, Reason.BULK)]
        if not lines:
            reasons.append(Reason.UNKNOWN_CODE if line.unknown else Reason.WHOLE_ORDER)
        return _Decision(Intent.CANCEL, lines, reasons, review=bool(reasons))
    if removal.kept:
        asked = any(asks(c)[0] for c in line.clauses)
        return _Decision(Intent.QUESTION if asked else Intent.OTHER, [], [Reason.KEPT])
    return None


def _counted(lines: list[Line]) -> bool:
    return any(entry.qty is not None for entry in lines)


# --- not for sale ----------------------------------------------------------------------------


def _advert(line: _Line) -> _Decision | None:
    link = any(t.kind is Kind.LINK for t in line.tokens)
    hawks = line.has(Tag.WHO) and (bool(line.phones) or line.has(Tag.CALL))
    hawks = hawks or (bool(line.phones) and line.has(Tag.CALL) and line.has(Tag.BARGAIN))
    if link or hawks or line.has(Tag.ADVERT):
        doubtful = bool(line.basket.lines) and not line.has(Tag.ADVERT)
        return _Decision(Intent.OTHER, [], [Reason.ADVERT], review=doubtful)
    return None


def _question(line: _Line) -> _Decision | None:
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
        elif strength == 2 and where < len(clause.tokens):
            rest = Clause(clause.tokens[where + 1 :])
            ends = clause.tokens[where].tag in (Tag.NOT, Tag.YET)
            ordering = ordering or (ends and orders(rest) and not rest.has(Tag.ASK, Tag.AGAIN))
    lines = line.basket.lines
    if strongest == 1 and line.has(Tag.CROWD, Tag.URGE):
        return None
    if asking is None:
        weighing = line.basket.either_or and line.has(Tag.PRAISE, Tag.VERY)
        return _Decision(Intent.QUESTION, [], [Reason.ASKED]) if weighing else None
    if ordering and lines:
        return _Decision(Intent.ORDER, lines, [Reason.CONDITION, *line.basket.doubts], review=True)
    if strongest == 1 and lines and (orders(asking) or asking.counts()):
        return _Decision(Intent.ORDER, lines, [Reason.ASKED, *line.basket.doubts], review=True)
    lead = bool(lines) and strongest == 1
    lead = lead or (bool(lines) and asking.has(*ORDERING, Tag.BARGAIN) and asking.counts())
    lead = lead or (bool(lines) and bool(line.phones))
    return _Decision(Intent.QUESTION, [], [Reason.ASKED], review=lead)


def _story(line: _Line) -> _Decision | None:
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
            return _Decision(
                Intent.ORDER, lines, [Reason.RUNNING_TOTAL, *line.basket.doubts], review=True
            )
        return _Decision(Intent.OTHER, [], [Reason.PAST], review=past == 1 and bool(lines))
    for told_so, reason in (
        (line.has(Tag.CROWD, Tag.URGE), Reason.CROWD),
        (any(wishes(c) for c in line.clauses), Reason.HEDGED),
        (line.has(Tag.WHO, Tag.LOOK), Reason.UNCLEAR),
    ):
        if told_so:
            if later and lines:
                return _Decision(Intent.ORDER, lines, [reason, *line.basket.doubts], review=True)
            doubtful = bool(lines) and reason is not Reason.CROWD
            return _Decision(Intent.OTHER, [], [reason], review=doubtful)
    return None


def _remark(line: _Line) -> _Decision | None:
    lines = line.basket.lines
    if not line.has(Tag.PRAISE, Tag.REMARK, Tag.VERY):
        return None
    bought = False
    for clause in line.clauses:
        at = clause.first(Tag.PRAISE, Tag.REMARK, Tag.VERY)
        if at is None:
            bought = bought or (orders(clause) and clause is not None)
        else:
            gushing = clause.has(Tag.VERY, Tag.REMARK)
            bought = bought or orders(clause, at) or (orders(clause) and not gushing)
    denied = line.removal.denies and not bought
    if bought and lines and not denied:
        return None
    counted = _counted(lines) or (bool(lines) and bool(line.phones))
    if counted and not denied and not line.has(Tag.REMARK):
        return _Decision(Intent.ORDER, lines, [Reason.REMARK, *line.basket.doubts], review=True)
    if not lines and bought and not line.has(Tag.REMARK, Tag.VERY):
        return None
    doubtful = bool(lines) and any(orders(c) for c in line.clauses) and not denied
    return _Decision(Intent.OTHER, [], [Reason.REMARK], review=doubtful)


# --- ordering --------------------------------------------------------------------------------


def _order(line: _Line) -> _Decision:
    basket = line.basket
    doubts = list(basket.doubts)
    if basket.either_or or (line.has(Tag.IF) and len(basket.lines) > 1):
        return _Decision(Intent.ORDER, [], [Reason.ONE_OF_SEVERAL], review=True)
    ordered = any(orders(c) for c in line.clauses)
    counted = _counted(basket.lines)
    evident = ordered or counted or bool(line.phones)
    if line.has(Tag.CALL) and not evident:
        return _Decision(Intent.QUESTION, [], [Reason.ASKED], review=True)
    if line.has(Tag.NOT, Tag.YET, Tag.DONT) and not evident:
        return _Decision(Intent.OTHER, [], [Reason.UNCLEAR], review=True)
    doubts += _doubtful_words(line, ordered=ordered, counted=counted)
    doubts += [
        t.doubt for t in line.tokens if t.doubt is not None and t.kind in (Kind.ASIDE, Kind.WORD)
    ]
    if any(t.kind is Kind.ASIDE and t.code == "price" for t in line.tokens) and not counted:
        doubts.append(Reason.PRICE_NOT_QUANTITY)
    if any(t.kind is Kind.ASIDE and t.code == "body" for t in line.tokens):
        doubts.append(Reason.VARIANT)
    if line.unknown:
        doubts.append(Reason.UNKNOWN_CODE)
    if line.removal.denies:
        doubts.append(Reason.UNCLEAR)
    doubts += line.removal.doubts
    if basket.spare:
        doubts.append(Reason.ODD_QUANTITY)
    named_only = all(entry.token.by_name for entry in basket.lines)
    if named_only and not ordered and not counted:
        doubts.append(Reason.NAME_NOT_CODE)
    if _too_much_unread(line, ordered=ordered, counted=counted, named_only=named_only):
        doubts.append(Reason.UNREAD_WORDS)
    return _Decision(Intent.ORDER, basket.lines, doubts, review=bool(doubts))


def _doubtful_words(line: _Line, *, ordered: bool, counted: bool) -> list[Reason]:
    doubts = []
    for tag, reason in (
        (Tag.HEDGE, Reason.HEDGED),
        (Tag.IF, Reason.CONDITION),
        (Tag.ALL, Reason.UNCLEAR),
        (Tag.MISTAKE, Reason.CHANGE),
        (Tag.DROP_PLAIN, Reason.NO_ACCENTS),
        (Tag.SWAP, Reason.CHANGE),
    ):
        if line.has(tag):
            doubts.append(reason)
    if line.has(Tag.CALL, Tag.TRANSFER) and not ordered and not counted:
        doubts.append(Reason.UNCLEAR)
    if line.has(Tag.TRANSFER) and not ordered:
        doubts.append(Reason.UNCLEAR)
    if line.has(Tag.NOT, Tag.YET, Tag.DONT, Tag.LESS, Tag.DONE, Tag.JUST):
        doubts.append(Reason.UNCLEAR)
    if line.has(Tag.ONLY):
        at = next(n for n, t in enumerate(line.tokens) if t.tag is Tag.ONLY)
        if counted or at == 0:
            doubts.append(Reason.CHANGE)
    for n, token in enumerate(line.tokens):
        before = line.tokens[n - 1] if n else None
        if before is not None and not ordered and not counted:
            called = token.kind is Kind.CODE and before.text == "tên"
            if called or (before.kind is Kind.CODE and token.text in ("đi", "di")):
                doubts.append(Reason.UNCLEAR)
        if token.tag is Tag.EXPENSIVE_PLAIN:
            followed = line.tokens[n + 1 : n + 2]
            asker = before is not None and before.tag in (Tag.ME, Tag.KIN, Tag.WANT)
            sure = buys_plainly(line.tokens, n) and bool(followed) and (counted or asker)
            if not sure:
                doubts.append(Reason.NO_ACCENTS)
        if line.all_plain and token.text in ("a", "ha") and n and not counted and not ordered:
            doubts.append(Reason.NO_ACCENTS)
        if (
            line.all_plain
            and token.tag is Tag.WANT
            and token.words == 1
            and token.text in ("xin", "can")
            and not counted
            and (n == 0 or line.tokens[n - 1].tag not in (Tag.ME, Tag.KIN))
        ):
            doubts.append(Reason.NO_ACCENTS)
    return doubts


def _too_much_unread(line: _Line, *, ordered: bool, counted: bool, named_only: bool) -> bool:
    unread = sum(1 for t in line.tokens if _is_unread(t, line.show))
    if line.phones:
        return unread > _UNREAD_WITH_PHONE
    if named_only:
        return unread > 0
    if ordered:
        return unread > _UNREAD_WITH_VERB
    if counted:
        return unread > _UNREAD_WITH_COUNT
    return unread > 0


def _is_unread(token: Token, show: ShowCodes) -> bool:
    if token.kind is Kind.WORD:
        if token.tag is None or token.tag in (Tag.PLACE, Tag.THING):
            return True
        return token.tag is Tag.A_COLOUR and not any(p.variants for p in show.products.values())
    return token.kind is Kind.MARK and token.text == "@"


# --- no code named ---------------------------------------------------------------------------


_PLAIN_ORDER = frozenset(
    {
        Tag.BUY,
        Tag.WANT,
        Tag.MORE,
        Tag.AGAIN,
        Tag.ONLY,
        Tag.ME,
        Tag.KIN,
        Tag.SHOP,
        Tag.SOFT,
        Tag.COUNT,
        Tag.CODEWORD,
        Tag.PHONE,
        Tag.TRANSFER,
        Tag.SEND,
        Tag.ADDRESS,
        Tag.PLACE,
        Tag.WHEN,
        Tag.EXPENSIVE_PLAIN,
        Tag.SIZE,
        Tag.COLOUR,
    }
)


def _without_code(line: _Line) -> _Decision:
    ordered = any(orders(c) for c in line.clauses)
    spare = line.basket.spare
    if line.unknown:
        odd = [t for t in line.tokens if t.kind is Kind.ODD]
        shaped = [t for t in odd if _is_family(t, line.show)]
        if ordered and any(_CODE_SHAPED.fullmatch(t.text) for t in odd):
            return _Decision(Intent.ORDER, [], [Reason.UNKNOWN_CODE], review=True)
        review = bool(shaped)
        return _Decision(Intent.OTHER, [], [Reason.UNKNOWN_CODE], review=review)
    if _is_plain_order(line, ordered):
        return _order_on_screen(line, spare)
    if line.phones:
        return _Decision(Intent.OTHER, [], [Reason.PHONE_ONLY])
    doubtful = ordered and bool(spare)
    return _Decision(Intent.OTHER, [], [Reason.NO_CODE], review=doubtful)


def _is_family(token: Token, show: ShowCodes) -> bool:
    head = token.spelling.fold.rstrip("0123456789")
    return (
        token.text.isdigit()
        or head in show.letters
        or any(key in token.text for key in show.by_key if len(key) > 1)
    )


def _is_plain_order(line: _Line, ordered: bool) -> bool:
    """Say whether every word is part of an order for something that is not named."""
    unread = 0
    for token in line.tokens:
        if token.kind is Kind.WORD and token.tag is None:
            unread += 1
        elif (token.kind is Kind.WORD and token.tag not in _PLAIN_ORDER) or token.kind in (
            Kind.ODD,
            Kind.LINK,
        ):
            return False
    if unread > (_UNREAD_WITH_VERB if line.phones else 0):
        return False
    spare = line.basket.spare
    if len(spare) > 1:
        return False
    if not spare:
        return line.has(Tag.BUY) and ordered
    count = spare[0]
    if not 0 < (count.value or 0) <= _SHORT_COUNT and count.unit is None:
        return False
    plus = any(t.kind is Kind.MARK and t.text == "+" for t in line.tokens)
    return ordered or count.unit is not None or (line.pinned is not None and (plus or not unread))


def _order_on_screen(line: _Line, spare: list[Token]) -> _Decision:
    product = line.show.find_pinned(line.pinned)
    misread = any(t.spelling.key in ("a1", "a3", "a4") for t in line.tokens if t.kind is Kind.WORD)
    if product is None or misread:
        return _Decision(Intent.ORDER, [], [Reason.NO_CODE], review=True)
    count = spare[0] if spare else None
    token = Token(Kind.CODE, "", 0, 0)
    token.code = product.code
    entry = Line(product.code, token, count.value if count is not None else None)
    sure = (
        count is not None
        and count.doubt is None
        and count.unit is not None
        and unit_alike(count.unit, product.unit)
        and (count.value or 0) <= _SHORT_COUNT
        and not product.variants
        and not line.has(Tag.ONLY, Tag.EXPENSIVE_PLAIN)
        and not line.show.digits_only
        and bool(count.value)
    )
    reasons = [] if sure else [Reason.PINNED_ONLY]
    return _Decision(Intent.ORDER, [entry], reasons, review=not sure)


# --- the answer ------------------------------------------------------------------------------


def _parsed(decision: _Decision, line: _Line, read: Letters) -> Parsed:
    items: tuple[Item, ...] = ()
    if decision.intent in (Intent.ORDER, Intent.CANCEL):
        items = tuple(_item(entry, decision.intent, line.show) for entry in decision.lines)
    lane = Lane.IGNORE
    if decision.review:
        lane = Lane.REVIEW
    elif decision.intent in (Intent.ORDER, Intent.CANCEL):
        lane = Lane.AUTO if items else Lane.REVIEW
    return Parsed(
        intent=decision.intent,
        items=items,
        phone=line.phones[0] if line.phones else None,
        unknown_codes=tuple(dict.fromkeys(line.unknown)),
        lane=lane,
        reasons=tuple(dict.fromkeys(decision.reasons)),
        spans=tuple(_spans(line, read)),
    )


def _item(entry: Line, intent: Intent, show: ShowCodes) -> Item:
    qty = entry.qty
    if qty is None and intent is Intent.ORDER:
        qty = 1
    return Item(entry.code, qty, show.products[entry.code].note(entry.chosen))


_SPAN_KINDS = {
    Kind.CODE: "code",
    Kind.QUANTITY: "qty",
    Kind.PHONE: "phone",
    Kind.VARIANT: "variant",
    Kind.ODD: "unknown",
}
_SPAN_TAGS = {
    Tag.BUY: "order",
    Tag.MORE: "order",
    Tag.DROP: "cancel",
    Tag.LESS: "cancel",
    Tag.ASK: "question",
    Tag.SHOW_ME: "question",
    Tag.BARGAIN: "question",
}


def _spans(line: _Line, read: Letters) -> list[Span]:
    spans = []
    for token in line.tokens:
        kind = _SPAN_KINDS.get(token.kind)
        if kind is None and token.kind is Kind.WORD and token.tag is not None:
            kind = _SPAN_TAGS.get(token.tag)
        if kind is None and token.kind is Kind.ASIDE:
            kind = token.code
        if kind is not None:
            spans.append(Span(read.starts[token.start], read.ends[token.end - 1], kind))
    return spans
