"""Every number of a comment settled: a quantity with its unit, a code of digits, or an aside."""

from livestream.parsing.asides import set_number_aside, set_odd_aside, set_spoken_aside
from livestream.parsing.codes import ShowCodes
from livestream.parsing.letters import spelling
from livestream.parsing.lexicon import AFTER_NUMBERS, Tag, unit_alike
from livestream.parsing.numbers import MARKED_MULTIPLES, MULTIPLES, Spoken, spoken_number
from livestream.parsing.parsed import Reason
from livestream.parsing.tokens import Kind, Token
from livestream.parsing.walk import HALF, Walk, is_foreign_unit, is_kind, is_unit, is_word

_TEN = 10
_HUNDREDS = frozenset({"trăm", "tram"})
_INITIALS_OF_OTHERS = frozenset({"g", "h", "l"})  # gram, giờ and lít as much as gói or hộp
_TIES = frozenset({"x", "*", "=", ":", "+", "("})
_AFTER_A_NAME = frozenset({Tag.BUY, Tag.WANT, Tag.MORE, Tag.SHOP})
_LEADS = frozenset(
    {
        Tag.COUNT,
        Tag.BUY,
        Tag.WANT,
        Tag.MORE,
        Tag.EACH,
        Tag.ME,
        Tag.KIN,
        Tag.SIZE,
        Tag.DROP,
        Tag.LESS,
    }
)
_ENDS = frozenset({Tag.SOFT, Tag.AGAIN, Tag.ONLY, Tag.SHOP, Tag.AND, Tag.ME, Tag.KIN})


def settle_numbers(tokens: list[Token], show: ShowCodes) -> list[Token]:
    """Return the tokens with every number turned into a quantity, a code or an aside."""
    walk = Walk(tokens, show)
    all_plain = all(t.spelling.plain for t in tokens if t.kind is Kind.WORD)
    while True:
        token = walk.peek()
        if token is None:
            return walk.out
        settled = False
        if token.kind is Kind.NUMBER:
            settled = _settle_digits(walk, token)
        elif token.kind is Kind.WORD:
            settled = _settle_word(walk, token, all_plain=all_plain)
        elif token.kind is Kind.ODD:
            settled = set_odd_aside(walk, token)
        if not settled:
            walk.keep()


# --- digits ----------------------------------------------------------------------------------


def _settle_digits(walk: Walk, token: Token) -> bool:
    if set_number_aside(walk, token):
        return True
    if _is_span(walk):
        return take_quantity(walk, token.value or 0, 3, Reason.ODD_QUANTITY)
    if walk.show.digits_only and not _counts_by_place(walk, token):
        return False
    doubt = None
    if (
        walk.show.digits_only
        and walk.show.find_code(token.text)
        and is_unit(walk.peek(1), walk.show)
    ):
        doubt = None if is_kind(walk.peek(2), Kind.NUMBER) else Reason.UNCLEAR
    return take_quantity(walk, token.value or 0, 1, doubt)


def _is_span(walk: Walk) -> bool:
    """Say whether two numbers are one amount: '2-3 chai', '1,5 kg'."""
    mark, second = walk.peek(1), walk.peek(2)
    if mark is None or not mark.glued or second is None or not second.glued:
        return False
    if second.kind is not Kind.NUMBER:
        return False
    return mark.text == "-" or (mark.text in (".", ",") and is_foreign_unit(walk.peek(3)))


def _counts_by_place(walk: Walk, token: Token) -> bool:
    """Say whether a number counts, in a show whose codes are numbers; else make it a code."""
    code = walk.show.find_code(token.text)
    before = walk.before()
    named = walk.tag_before() is Tag.CODEWORD
    if code is None:
        token.kind = Kind.ODD if named else token.kind
        return not named
    tied = before is not None and before.kind is Kind.MARK and before.text in _TIES - {"+", ":"}
    if not named and (is_unit(walk.peek(1), walk.show) or walk.tag_before() is Tag.COUNT or tied):
        return True
    token.kind, token.code, token.value = Kind.CODE, code, None
    if not named and is_kind(before, Kind.CODE):
        token.doubt = Reason.UNCLEAR
    return False


# --- words -----------------------------------------------------------------------------------


def _settle_word(walk: Walk, token: Token, *, all_plain: bool) -> bool:
    before = walk.before()
    if token.tag is Tag.SOME:
        asks = token.text == "mấy" and before is not None and before.spelling.key in ("con2", "co1")
        if asks:
            token.tag = Tag.ASK
            return False
        return take_quantity(walk, 1, 1, Reason.ODD_QUANTITY)
    if _multiple(walk, token) or _half_of_multiple(walk, token):
        return True
    if _spoken(walk, token, all_plain=all_plain):
        return True
    if token.tag is None and is_unit(token, walk.show):
        known = token.spelling in AFTER_NUMBERS["any"]
        known = known or any(unit_alike(token.text, unit) for unit in walk.show.units)
        token.tag = Tag.SOFT if known else None
        if not _is_counted_by(walk.peek(1), token.text, walk.show):
            token.doubt = Reason.UNCLEAR
    carton = token.tag is None and is_foreign_unit(token) and _counts(token, walk.show)
    if carton and is_kind(walk.peek(1), Kind.CODE):
        return take_quantity(walk, 1, 0, Reason.FOREIGN_UNIT)
    return False


def _is_counted_by(token: Token | None, unit: str, show: ShowCodes) -> bool:
    """Say whether no code follows, or one of goods counted so; 'gói A1' may ask to wrap it."""
    product = show.products.get(token.code or "") if token is not None else None
    alike = spelling(unit) in AFTER_NUMBERS["any"]
    return product is None or alike or unit_alike(unit, product.unit)


def _multiple(walk: Walk, token: Token) -> bool:
    """Read 'chục', 'tá', 'cặp', 'đôi' without a number before."""
    if token.text not in MARKED_MULTIPLES:
        return False
    before, after = walk.before(), walk.peek(1)
    led = before is not None and (before.kind is Kind.CODE or before.tag in _LEADS)
    counts = is_kind(after, Kind.CODE) or is_unit(after, walk.show) or is_word(after, HALF)
    if not (led or counts):
        return False
    return take_quantity(walk, MULTIPLES[token.text], 1, None)


def _half_of_multiple(walk: Walk, token: Token) -> bool:
    after = walk.peek(1)
    if token.spelling.fold != "nua" or token.words > 1 or after is None:
        return False
    if after.text not in MARKED_MULTIPLES:
        return False
    return take_quantity(walk, MULTIPLES[after.text] // 2, 2, None)


def _spoken(walk: Walk, token: Token, *, all_plain: bool) -> bool:
    spoken = spoken_number(walk.tokens, walk.at)
    three = token.tag is Tag.KIN and token.text == "ba"
    if spoken is None or not (token.tag in (None, Tag.SOFT) or three):
        return False
    after = walk.peek(spoken.length)
    unit_follows = is_unit(after, walk.show) or is_foreign_unit(after) or _is_multiple(after)
    counts = unit_follows or is_kind(after, Kind.CODE)
    if token.tag is Tag.SOFT and not (counts and all_plain):
        return False
    if set_spoken_aside(walk, spoken.length):
        return True
    if _is_name(walk, token, after):
        return walk.set_aside("name", spoken.length, Reason.RANK_OR_NUMBER)
    if not counts and (spoken.needs_unit or not _stands_alone(walk, after)):
        return False
    doubt = None
    if not unit_follows:
        doubt = _doubt_alone(walk, token, spoken, all_plain=all_plain)
    return take_quantity(walk, spoken.value, spoken.length, doubt)


def _is_multiple(token: Token | None) -> bool:
    return token is not None and token.kind is Kind.WORD and token.text in MULTIPLES


def _is_name(walk: Walk, token: Token, after: Token | None) -> bool:
    """Say whether a number word is someone's name or rank: 'chị Năm', 'Sáu lấy A1'."""
    if not token.capital:
        return False
    opens = not walk.out and after is not None and after.tag in _AFTER_A_NAME
    return opens or walk.tag_before() is Tag.KIN


def _doubt_alone(walk: Walk, token: Token, spoken: Spoken, *, all_plain: bool) -> Reason | None:
    father = token.tag is Tag.KIN and walk.tag_before() in (Tag.WANT, Tag.SOFT)
    if father or walk.tag_before() is Tag.KIN or (token.capital and not walk.out):
        return Reason.RANK_OR_NUMBER
    if spoken.unsure and not token.spelling.plain:
        return Reason.ODD_QUANTITY
    return Reason.NO_ACCENTS if spoken.unsure and all_plain else None


def _stands_alone(walk: Walk, after: Token | None) -> bool:
    """Say whether a number word without a unit is placed where a quantity would be."""
    before = walk.before()
    placed = before is not None and (
        before.kind in (Kind.CODE, Kind.QUANTITY) or before.text in _TIES or before.tag in _LEADS
    )
    ends = after is None or after.tag in _ENDS
    return placed and (ends or is_kind(after, Kind.BREAK, Kind.MARK, Kind.PHONE))


# --- a quantity ------------------------------------------------------------------------------


def take_quantity(walk: Walk, value: int, length: int, doubt: Reason | None) -> bool:
    """Take `length` number tokens with the multiple, half and unit that follow; always True."""
    token = walk.peek(length)
    if length and token is not None and _is_multiple(token):
        value *= MULTIPLES[token.text]
        length += 1
    elif length and token is not None and token.text in _HUNDREDS:
        value, doubt = value * _TEN * _TEN, doubt or Reason.BULK
        length += 1
    half = is_word(walk.peek(length), HALF)
    length += half
    unit = walk.peek(length)
    named: str | None = None
    if unit is not None and unit.kind is Kind.WORD and unit.words == 1 and _counts(unit, walk.show):
        named, doubt = unit.text, doubt or _doubt_unit(unit, walk.show)
        length += 1
        if is_word(walk.peek(length), HALF):
            half = True
            length += 1
    if half and value and value % _TEN == 0:
        value += _TEN // 2
    elif half:
        doubt = doubt or Reason.ODD_QUANTITY
    taken = walk.merge(Kind.QUANTITY, length)
    taken.value, taken.unit, taken.doubt = value, named, doubt
    return True


def _counts(unit: Token, show: ShowCodes) -> bool:
    if not unit.glued and any(p.variant(unit.text) for p in show.products.values()):
        return False
    return is_unit(unit, show) or is_foreign_unit(unit) or _is_initial(unit, show)


def _is_initial(unit: Token, show: ShowCodes) -> bool:
    single = unit.glued and len(unit.text) == 1
    return single and any(own.startswith(unit.text) for own in show.units)


def _doubt_unit(unit: Token, show: ShowCodes) -> Reason | None:
    if is_unit(unit, show):
        return None
    if unit.text in _INITIALS_OF_OTHERS and any(u.startswith(unit.text) for u in show.units):
        return Reason.ODD_QUANTITY
    return Reason.FOREIGN_UNIT if is_foreign_unit(unit) else None
