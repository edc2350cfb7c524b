"""Orders: of goods by code or name, of what is on screen, of codes that do not exist."""

import re

from livestream.parsing.basket import Line
from livestream.parsing.clauses import buys_plainly
from livestream.parsing.codes import ShowCodes
from livestream.parsing.lexicon import Tag, unit_alike
from livestream.parsing.parsed import Intent, Reason
from livestream.parsing.reading import Decision, Reading
from livestream.parsing.tokens import Kind, Token

_UNREAD_WITH_VERB = 8
_UNREAD_WITH_PHONE = 20
_UNREAD_WITH_COUNT = 3
_SHORT_COUNT = 12
_CODE_SHAPED = re.compile(r"[^\W\d_]{0,2}\d{1,3}[^\W\d_]?")
_BESIDE_GOODS = (Kind.ASIDE, Kind.WORD)
_STOCK_WORDS = ("còn", "hết", "het", "có", "co")
_STREETS = ("ngo", "ngach", "hem", "kiet", "duong", "pho")
_ASKERS = (Tag.ME, Tag.KIN, Tag.WANT)
_DOUBTFUL = {
    Tag.HEDGE: Reason.HEDGED,
    Tag.IF: Reason.CONDITION,
    Tag.ALL: Reason.UNCLEAR,
    Tag.MISTAKE: Reason.CHANGE,
    Tag.DROP_PLAIN: Reason.NO_ACCENTS,
    Tag.SWAP: Reason.CHANGE,
    Tag.NOT: Reason.UNCLEAR,
    Tag.YET: Reason.UNCLEAR,
    Tag.DONT: Reason.UNCLEAR,
    Tag.LESS: Reason.UNCLEAR,
    Tag.DONE: Reason.UNCLEAR,
    Tag.JUST: Reason.UNCLEAR,
}


def read_order(line: Reading) -> Decision:
    """Decide on a comment that names goods and does nothing else with them."""
    basket = line.basket
    if basket.either_or or (line.has(Tag.IF) and len(basket.lines) > 1):
        return Decision(Intent.ORDER, [], [Reason.ONE_OF_SEVERAL], review=True)
    evident = line.ordered or line.counted or bool(line.phones)
    if line.has(Tag.CALL) and not evident:
        return Decision(Intent.QUESTION, [], [Reason.ASKED], review=True)
    if line.has(Tag.NOT, Tag.YET, Tag.DONT) and not evident:
        return Decision(Intent.OTHER, [], [Reason.UNCLEAR], review=True)
    doubts = [*basket.doubts, *line.removal.doubts]
    doubts += [reason for tag, reason in _DOUBTFUL.items() if line.has(tag)]
    doubts += [t.doubt for t in line.tokens if t.doubt is not None and t.kind in _BESIDE_GOODS]
    doubts += [reason for reason, doubtful in _doubts_of_line(line) if doubtful]
    for n in range(len(line.tokens)):
        doubts += [reason for reason, doubtful in _doubts_at(line, n) if doubtful]
    return Decision(Intent.ORDER, basket.lines, doubts, review=bool(doubts))


def _doubts_of_line(line: Reading) -> list[tuple[Reason, bool]]:
    named_only = all(entry.token.by_name for entry in line.basket.lines)
    unsaid = not line.ordered and not line.counted
    chosen = any(entry.chosen for entry in line.basket.lines)
    opens_with_only = line.tokens[0].tag is Tag.ONLY
    return [
        (Reason.PRICE_NOT_QUANTITY, line.has_aside("price") and not line.counted),
        (Reason.VARIANT, line.has_aside("body") or _is_dressed_otherwise(line)),
        (Reason.UNCLEAR, line.has_aside("heads") and unsaid),
        (Reason.UNKNOWN_CODE, bool(line.unknown)),
        (Reason.UNCLEAR, line.removal.denials > 0),
        (Reason.UNCLEAR, line.has(Tag.CALL) and unsaid),
        (Reason.UNCLEAR, line.has(Tag.TRANSFER) and not line.ordered),
        (Reason.CHANGE, line.has(Tag.ONLY) and (line.counted or opens_with_only)),
        (Reason.ODD_QUANTITY, bool(line.basket.spare)),
        (Reason.NAME_NOT_CODE, named_only and unsaid and not chosen),
        (Reason.UNREAD_WORDS, _too_much_unread(line, named_only=named_only)),
    ]


def _doubts_at(line: Reading, n: int) -> list[tuple[Reason, bool]]:
    """Doubt words that mean two things: 'dat', 'a', 'xin' without marks, 'A1 đi'."""
    token, before = line.tokens[n], line.tokens[n - 1] if n else None
    if before is not None and token.kind is Kind.CODE:
        called = before.text == "tên" and not line.ordered and not line.counted
        return [(Reason.UNCLEAR, called)]
    if token.kind is not Kind.WORD:
        return []
    asker = before is not None and before.tag in _ASKERS
    after_code = before is not None and before.kind is Kind.CODE
    unsaid = not line.ordered and not line.counted
    plain_count = line.all_plain and token.text in ("sau", "tam") and token.words == 1
    house = before is not None and before.kind is Kind.QUANTITY and before.unit is None
    if_any = token.text == "thì" and any(t.text == "còn" for t in line.tokens[max(0, n - 3) : n])
    called = before is not None and before.capital and before.tag in (None, Tag.SOFT)
    sure_dat = buys_plainly(line.tokens, n) and (line.counted or asker)
    asks_plainly = line.all_plain and token.text in ("xin", "can") and token.words == 1
    return [
        (Reason.UNCLEAR, after_code and token.text in ("đi", "di") and unsaid),
        (Reason.UNCLEAR, token.text in _STOCK_WORDS and unsaid),
        (Reason.NO_ACCENTS, token.tag is Tag.EXPENSIVE_PLAIN and not sure_dat),
        (Reason.NO_ACCENTS, line.all_plain and n > 0 and token.text in ("a", "ha") and unsaid),
        (Reason.NO_ACCENTS, after_code and plain_count and unsaid),
        (Reason.CONDITION, after_code and if_any),
        (Reason.MENTION, called and token.text == "ơi" and unsaid),
        (Reason.ODD_QUANTITY, house and token.spelling.fold in _STREETS),
        (Reason.NO_ACCENTS, asks_plainly and not line.counted and not asker),
    ]


def _too_much_unread(line: Reading, *, named_only: bool) -> bool:
    unread = sum(1 for t in line.tokens if _is_unread(t, line.show))
    allowed = 0
    if line.phones:
        allowed = _UNREAD_WITH_PHONE
    elif (line.ordered or _is_addressed(line)) and not named_only:
        allowed = _UNREAD_WITH_VERB
    elif line.counted and not named_only:
        allowed = _UNREAD_WITH_COUNT
    return unread > allowed


def _is_dressed_otherwise(line: Reading) -> bool:
    """Say whether a size is told that is none of the good's: 'size 38', 'cho bé 5 tuổi'."""
    undressed = any(
        line.show.products[entry.code].variants and not entry.chosen for entry in line.basket.lines
    )
    return undressed and (line.has_aside("size") or line.has_aside("heads"))


def _is_addressed(line: Reading) -> bool:
    """Say whether the comment opens with its code and goes on with a numbered address."""
    opening = line.tokens[0].kind is Kind.CODE and line.has_aside("place")
    return opening and line.has(Tag.PLACE, Tag.ADDRESS, Tag.SEND)


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


def read_without_code(line: Reading) -> Decision:
    """Decide on a comment without a code of this show: an order of what is on screen, or none."""
    spare = line.basket.spare
    if line.unknown:
        odd = [t for t in line.tokens if t.kind is Kind.ODD]
        shaped = [t for t in odd if _is_family(t, line.show)]
        if line.ordered and any(_CODE_SHAPED.fullmatch(t.text) for t in odd):
            return Decision(Intent.ORDER, [], [Reason.UNKNOWN_CODE], review=True)
        return Decision(Intent.OTHER, [], [Reason.UNKNOWN_CODE], review=bool(shaped))
    if _is_plain_order(line):
        return _order_on_screen(line, spare)
    if line.phones:
        return Decision(Intent.OTHER, [], [Reason.PHONE_ONLY])
    doubtful = bool(spare) and (line.ordered or spare[0].unit is not None)
    return Decision(Intent.OTHER, [], [Reason.NO_CODE], review=doubtful)


def _is_family(token: Token, show: ShowCodes) -> bool:
    head = token.spelling.fold.rstrip("0123456789")
    return (
        token.text.isdigit()
        or head in show.letters
        or any(key in token.text for key in show.by_key if len(key) > 1)
    )


def _is_plain_order(line: Reading) -> bool:
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
        return line.has(Tag.BUY) and line.ordered
    count = spare[0]
    if not 0 < (count.value or 0) <= _SHORT_COUNT and count.unit is None:
        return False
    plus = any(t.kind is Kind.MARK and t.text == "+" for t in line.tokens)
    return (
        line.ordered or count.unit is not None or (line.pinned is not None and (plus or not unread))
    )


def _order_on_screen(line: Reading, spare: list[Token]) -> Decision:
    product = line.show.find_pinned(line.pinned)
    misread = any(t.spelling.key in ("a1", "a3", "a4") for t in line.tokens if t.kind is Kind.WORD)
    if product is None or misread:
        return Decision(Intent.ORDER, [], [Reason.NO_CODE], review=True)
    count = spare[0] if spare else None
    token = Token(Kind.CODE, "", 0, 0)
    token.code = product.code
    entry = Line(product.code, token, (count.value or None) if count is not None else None)
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
    return Decision(Intent.ORDER, [entry], reasons, review=not sure)
