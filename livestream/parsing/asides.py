"""Numbers that count nothing for sale: broken phones, dates, prices, ages, house numbers."""

import re

from livestream.parsing.lexicon import AFTER_NUMBERS, Tag
from livestream.parsing.parsed import Reason
from livestream.parsing.tokens import Kind, Token
from livestream.parsing.walk import (
    HALF,
    HEADS,
    Walk,
    is_foreign_unit,
    is_kind,
    is_unit,
    is_unread,
    is_word,
)

_WORTH, _CLOCK, _WEIGHT = (AFTER_NUMBERS[name] for name in ("worth", "clock", "weight"))
_FLUID_OR_FINE = frozenset({"ml", "g", "gr", "gram", "gam", "l"})
_DATED = frozenset({"thu", "ngay", "thang", "mung", "mong", "hom", "luc", "khoang"})
_WEEKDAY = re.compile(r"t[2-8]")
_DISTRICT = re.compile(r"[qp]\d{1,2}")
_GARBLED = re.compile(r"0\d\d|(?:\D*\d){7}")
_BODY_WEIGHT_FROM = 30
_LOOSE_THOUSANDS_FROM = 10
_HOURS = 24
_MINUTE_DIGITS = 2
_PHONE_LIKE = 7
_LONGEST_COUNT = 2
_COUNTED_BY = frozenset(
    {Tag.COUNT, Tag.BUY, Tag.WANT, Tag.MORE, Tag.EACH, Tag.ME, Tag.KIN, Tag.DROP, Tag.LESS, Tag.AND}
)


def set_number_aside(walk: Walk, token: Token) -> bool:
    """Set the number at hand aside when it counts nothing; say whether it was."""
    return (
        _broken_phone(walk, token)
        or _clock_or_date(walk, token)
        or _money(walk, token)
        or _by_what_follows(walk, token)
        or _by_what_leads(walk)
    )


def set_odd_aside(walk: Walk, token: Token) -> bool:
    """Set aside T7, Q1, a phone with letters in it; say whether it was."""
    if _WEEKDAY.fullmatch(token.text):
        return walk.set_aside("time")
    if _DISTRICT.fullmatch(token.text) or walk.tag_before() is Tag.PLACE:
        return walk.set_aside("place")
    if _GARBLED.match(token.text):
        return walk.set_aside("phone", doubt=Reason.BAD_PHONE)
    return False


def set_spoken_aside(walk: Walk, length: int) -> bool:
    """Set a spoken number of `length` words aside when it counts nothing; say whether it was."""
    after = walk.peek(length)
    before = walk.before()
    if after is not None and after.kind is Kind.WORD and len(after.text) > 1:
        if after.spelling in _CLOCK:
            return walk.set_aside("time", length + 1)
        heads = _heads(walk, length, after)
        if heads:
            return walk.set_aside("heads", length + heads)
        if after.spelling in _WORTH:
            return walk.set_aside("price", length + 1)
    if before is not None and before.tag is Tag.WHEN and before.spelling.fold in _DATED:
        return walk.set_aside("time", length)
    if before is not None and before.tag in (Tag.PLACE, Tag.THING):
        return walk.set_aside("place", length)
    return False


def _heads(walk: Walk, length: int, after: Token) -> int:
    return HEADS.length_at(walk.tokens, walk.at + length) or int(after.tag is Tag.CROWD)


def _broken_phone(walk: Walk, token: Token) -> bool:
    led_by_zero = token.text[0] == "0" and len(token.text) > _LONGEST_COUNT
    if len(token.text) < _PHONE_LIKE and not led_by_zero:
        return False
    before = walk.before()
    length = 1
    while True:
        mark = walk.peek(length)
        skip = 1 if mark is not None and mark.kind is Kind.MARK and mark.text in ".-" else 0
        group = walk.peek(length + skip)
        if group is None or group.kind is not Kind.NUMBER or len(group.text) == 1:
            break
        length += skip + 1
    if token.text[0] == "0" or (before is not None and before.tag is Tag.PHONE):
        return walk.set_aside("phone", length, Reason.BAD_PHONE)
    return walk.set_aside("phone", length, Reason.ODD_QUANTITY if before is not None else None)


def _clock_or_date(walk: Walk, token: Token) -> bool:
    mark, second = walk.peek(1), walk.peek(2)
    if mark is None or second is None or second.kind is not Kind.NUMBER:
        return False
    if not (mark.glued and second.glued):
        return False
    after_code = is_kind(walk.before(), Kind.CODE)
    if mark.text == ":" and len(second.text) == _MINUTE_DIGITS and (token.value or 0) <= _HOURS:
        return not (after_code and token.glued) and walk.set_aside("time", 3)
    if mark.text != "/":
        return False
    slash, year = walk.peek(3), walk.peek(4)
    has_year = slash is not None and slash.text == "/" and is_kind(year, Kind.NUMBER)
    doubt = Reason.ODD_QUANTITY if after_code else None
    return walk.set_aside("time", 5 if has_year else 3, doubt)


def _money(walk: Walk, token: Token) -> bool:
    after = walk.peek(1)
    if after is not None and after.text == "%":
        return walk.set_aside("price", 2)
    if after is not None and is_word(after, _WORTH):
        loose_letter = len(after.text) == 1 and not after.glued
        thousands = after.text == "k" and (token.value or 0) >= _LOOSE_THOUSANDS_FROM
        if not loose_letter or thousands:
            length = 2 + _rest(walk, 2)
            slash, unit = walk.peek(length), walk.peek(length + 1)
            per_unit = slash is not None and slash.text == "/" and unit is not None
            return walk.set_aside("price", length + 2 if per_unit else length)
    if _is_price_range(walk):
        return walk.set_aside("price", 4)
    counts = is_unit(after, walk.show) or is_kind(after, Kind.CODE)
    return walk.tag_before() is Tag.PRICE and not counts and walk.set_aside("price")


def _rest(walk: Walk, ahead: int) -> int:
    """Return 1 when a glued number or 'rưỡi' belongs to the amount: 1tr2, 8h30, 8h rưỡi."""
    rest = walk.peek(ahead)
    glued = rest is not None and rest.kind is Kind.NUMBER and rest.glued
    return 1 if glued or is_word(rest, HALF) else 0


def _is_price_range(walk: Walk) -> bool:
    mark = walk.peek(1)
    marked = mark is not None and mark.kind is Kind.MARK and mark.text in "-.,"
    return marked and is_kind(walk.peek(2), Kind.NUMBER) and is_word(walk.peek(3), _WORTH)


def _by_what_follows(walk: Walk, token: Token) -> bool:
    after = walk.peek(1)
    if after is None or after.kind is not Kind.WORD:
        return False
    loose_letter = len(after.text) == 1 and not after.glued
    if after.spelling in _CLOCK and (not loose_letter or after.text == "h"):
        return walk.set_aside("time", 2 + _rest(walk, 2))
    heads = _heads(walk, 1, after)
    if heads and not loose_letter and after.text not in walk.show.units:
        told = "body" if after.text in ("m", "cm") else "heads"
        return walk.set_aside(told, 1 + heads + _rest(walk, 1 + heads))
    if after.spelling in _WEIGHT and after.text not in walk.show.units:
        return _by_weight(walk, token.value or 0, after)
    return False


def _by_weight(walk: Walk, value: int, after: Token) -> bool:
    products = walk.show.products.values()
    if after.text in _FLUID_OR_FINE:
        named = any(str(value) in product.name.split() for product in products)
        return named and walk.set_aside("size", 2)
    dressed = any(product.variants for product in products)
    return dressed and value >= _BODY_WEIGHT_FROM and walk.set_aside("body", 2)


def _by_what_leads(walk: Walk) -> bool:
    before, after = walk.before(), walk.peek(1)
    if before is None or before.kind is not Kind.WORD:
        after_phone = is_kind(before, Kind.PHONE) and _is_in_a_street(after)
        return after_phone and walk.set_aside("place")
    followed = is_kind(after, Kind.CODE) or is_unit(after, walk.show)
    numbered = before.tag is Tag.CODEWORD and before.spelling.fold == "so"
    if numbered and not walk.show.digits_only:
        return walk.set_aside("place", doubt=_doubt_house_number(walk))
    if _is_promotion(walk):
        return walk.set_aside("price", 3)
    told = _told_by(before, after, walk, followed=followed)
    return told is not None and walk.set_aside(told)


def _told_by(before: Token, after: Token | None, walk: Walk, *, followed: bool) -> str | None:
    fold = before.spelling.fold
    told = None
    if fold == "khoang" and followed:
        before.tag = Tag.HEDGE
    elif before.tag is Tag.WHEN and fold in _DATED and before.words == 1:
        told = "time"
    elif before.tag in (Tag.PLACE, Tag.ADDRESS, Tag.THING):
        told = "place"
    elif before.tag is Tag.MISTAKE and before.words > 1 and fold != "a":
        told = "wrong"
    elif before.tag is Tag.SIZE:
        told = "size"
    elif fold == "ca" and before.tag is Tag.AND and not is_unit(after, walk.show):
        told = "heads"
    elif not followed:
        told = _by_what_leads_alone(before, after)
    return told


def _doubt_house_number(walk: Walk) -> Reason | None:
    """Doubt 'A1 số 5', unless a street follows."""
    after = walk.peek(1)
    house = after is not None and after.tag is Tag.PLACE
    return Reason.ODD_QUANTITY if is_kind(walk.before(2), Kind.CODE) and not house else None


def _is_in_a_street(after: Token | None) -> bool:
    """Say whether a number after a phone is a house's: '12 ngõ 5', '25 Tây Sơn'."""
    return after is not None and (after.tag is Tag.PLACE or (is_unread(after) and after.capital))


def _by_what_leads_alone(before: Token, after: Token | None) -> str | None:
    """Read a number that touches neither a unit nor a code: 'về 12 Tây Sơn', 'còn 3'."""
    sent = before.spelling.fold in ("giao", "gui") or before.tag not in _COUNTED_BY
    before_place = after is not None and after.tag is Tag.PLACE
    if (
        before.tag is Tag.SEND
        or before_place
        or (sent and is_unread(after) and not is_foreign_unit(after))
    ):
        return "place"
    return "left" if before.spelling.key == "con2" else None


def _is_promotion(walk: Walk) -> bool:
    gift = walk.peek(1)
    return gift is not None and gift.spelling.fold == "tang" and is_kind(walk.peek(2), Kind.NUMBER)
