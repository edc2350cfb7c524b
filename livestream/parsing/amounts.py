"""Every number of a comment settled: a quantity, or an aside (price, time, age, place, phone)."""

import re

from livestream.parsing.codes import ShowCodes
from livestream.parsing.lexicon import AFTER_NUMBERS, Tag, unit_alike
from livestream.parsing.numbers import (
    MARKED_MULTIPLES,
    MULTIPLES,
    Spoken,
    spoken_number,
)
from livestream.parsing.parsed import Reason
from livestream.parsing.tokens import Kind, Token

_WORTH, _CLOCK, _HEADS = (AFTER_NUMBERS[name] for name in ("worth", "clock", "heads"))
_HALF, _CARTON, _WEIGHT = (AFTER_NUMBERS[name] for name in ("half", "carton", "weight"))
_ANY, _UNIT = AFTER_NUMBERS["any"], AFTER_NUMBERS["unit"]
_FLUID_OR_FINE = frozenset("ml g gr gram gam l".split())
_DATED = frozenset("thu ngay thang mung mong hom luc khoang".split())
_WEEKDAY = re.compile(r"t[2-8]")
_DISTRICT = re.compile(r"[qp]\d{1,2}")
_CODE_SHAPED = re.compile(r"[^\W\d_]{1,3}\d{1,3}[^\W\d_]{0,2}")
_BODY_WEIGHT_FROM = 30
_FIRST_LOOSE_THOUSANDS = 10
_PHONE_LIKE = 7
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


def settle_numbers(tokens: list[Token], show: ShowCodes) -> list[Token]:
    """Return the tokens with every number turned into a quantity or an aside."""
    return _Settler(tokens, show).run()


def is_unit(token: Token, show: ShowCodes) -> bool:
    """Say whether a word counts goods: cái, chai, or a unit that this show uses."""
    return (
        token.kind is Kind.WORD
        and token.words == 1
        and (token.spelling in _ANY or token.spelling in _UNIT or token.text in show.units)
    )


def is_counted(token: Token | None, show: ShowCodes) -> bool:
    """Say whether a word after a number is a unit of goods."""
    return token is not None and is_unit(token, show)


def is_unread(token: Token | None) -> bool:
    """Say whether a word means nothing here: a name, most often."""
    return token is not None and token.kind is Kind.WORD and token.tag is None


class _Settler:
    def __init__(self, tokens: list[Token], show: ShowCodes) -> None:
        self.tokens = tokens
        self.show = show
        self.at = 0
        self.out: list[Token] = []
        self.all_plain = all(t.spelling.plain for t in tokens if t.kind is Kind.WORD)

    def run(self) -> list[Token]:
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind is Kind.NUMBER:
                self._number(token)
            elif token.kind is Kind.WORD:
                self._word(token)
            elif token.kind is Kind.ODD:
                self._odd(token)
            else:
                self._keep(token)
        return self.out

    # --- small steps ------------------------------------------------------------------------

    def _peek(self, ahead: int = 0) -> Token | None:
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else None

    def _keep(self, token: Token) -> None:
        self.out.append(token)
        self.at += 1

    def _take(self, kind: Kind, length: int, told: str) -> Token:
        first, last = self.tokens[self.at], self.tokens[self.at + length - 1]
        token = Token(kind, first.text, first.start, last.end)
        token.glued = first.glued
        token.code = told
        self.out.append(token)
        self.at += length
        return token

    def _before(self, back: int = 1) -> Token | None:
        return self.out[-back] if len(self.out) >= back else None

    def _tag_before(self) -> Tag | None:
        before = self._before()
        return before.tag if before is not None else None

    # --- codes that are none ----------------------------------------------------------------

    def _odd(self, token: Token) -> None:
        if _WEEKDAY.fullmatch(token.text):
            self._take(Kind.ASIDE, 1, "time")
        elif _DISTRICT.fullmatch(token.text) or self._tag_before() is Tag.PLACE:
            self._take(Kind.ASIDE, 1, "place")
        elif len(re.sub(r"\D", "", token.text)) >= _PHONE_LIKE or re.match(r"0\d\d", token.text):
            self._take(Kind.ASIDE, 1, "phone").doubt = Reason.BAD_PHONE
        else:
            if not _CODE_SHAPED.fullmatch(token.text):
                token.value = None
            self._keep(token)

    # --- digits -----------------------------------------------------------------------------

    def _number(self, token: Token) -> None:
        value = token.value or 0
        if self._broken_phone(token) or self._date_or_clock(token) or self._money(value):
            return
        if self._by_what_follows(value) or self._by_what_leads():
            return
        if self.show.digits_only and self._digit_code(token):
            return
        self._quantity(value, 1, None)

    def _broken_phone(self, token: Token) -> bool:
        if not (len(token.text) >= _PHONE_LIKE or (token.text[0] == "0" and len(token.text) > 2)):
            return False
        length = 1
        while True:
            n = length
            mark = self._peek(n)
            if mark is not None and mark.kind is Kind.MARK and mark.text in ".-":
                n += 1
            group = self._peek(n)
            if group is None or group.kind is not Kind.NUMBER or len(group.text) < 2:
                break
            length = n + 1
        taken = self._take(Kind.ASIDE, length, "phone")
        if taken.text[0] == "0" or self._tag_two_back() is Tag.PHONE:
            taken.doubt = Reason.BAD_PHONE
        elif self._before(2) is not None:
            taken.doubt = Reason.ODD_QUANTITY
        return True

    def _tag_two_back(self) -> Tag | None:
        before = self._before(2)
        return before.tag if before is not None else None

    def _date_or_clock(self, token: Token) -> bool:
        mark, second = self._peek(1), self._peek(2)
        if mark is None or second is None or second.kind is not Kind.NUMBER:
            return False
        if not (mark.glued and second.glued and mark.kind is Kind.MARK):
            return False
        before = self._before()
        after_code = before is not None and before.kind is Kind.CODE
        if mark.text == ":" and len(second.text) == 2 and (token.value or 0) < 25:
            if after_code and token.glued:
                return False
            self._take(Kind.ASIDE, 3, "time")
            return True
        if mark.text == "/":
            length = 3
            slash, year = self._peek(3), self._peek(4)
            if slash is not None and slash.text == "/" and year and year.kind is Kind.NUMBER:
                length = 5
            taken = self._take(Kind.ASIDE, length, "time")
            if after_code:
                taken.doubt = Reason.ODD_QUANTITY
            return True
        if mark.text == "-":
            after = self._peek(3)
            if after is not None and after.kind is Kind.WORD and after.spelling in _WORTH:
                self._take(Kind.ASIDE, 4, "price")
            else:
                self._quantity(token.value or 0, 3, Reason.ODD_QUANTITY)
            return True
        if mark.text in ".,":
            unit = self._peek(3)
            if unit is None or unit.kind is not Kind.WORD or unit.words > 1:
                return False
            if unit.spelling in _WORTH:
                self._take(Kind.ASIDE, 4, "price")
                return True
            if unit.spelling in _WEIGHT or unit.spelling in _CARTON:
                self._quantity(token.value or 0, 3, Reason.FOREIGN_UNIT)
                return True
        return False

    def _money(self, value: int) -> bool:
        after = self._peek(1)
        if after is not None and after.text == "%":
            self._take(Kind.ASIDE, 2, "price")
            return True
        if after is not None and after.kind is Kind.WORD and after.spelling in _WORTH:
            loose_letter = len(after.text) == 1 and not after.glued
            if not loose_letter or (after.text == "k" and value >= _FIRST_LOOSE_THOUSANDS):
                length = 2
                change = self._peek(2)
                if change is not None and (
                    (change.kind is Kind.NUMBER and change.glued)
                    or (change.kind is Kind.WORD and change.spelling in _HALF)
                ):
                    length = 3
                slash, unit = self._peek(length), self._peek(length + 1)
                if slash is not None and slash.text == "/" and unit is not None:
                    length += 2
                self._take(Kind.ASIDE, length, "price")
                return True
        if self._tag_before() is Tag.PRICE and not (
            after is not None and is_unit(after, self.show)
        ):
            self._take(Kind.ASIDE, 1, "price")
            return True
        return False

    def _by_what_follows(self, value: int) -> bool:
        after = self._peek(1)
        if after is None or after.kind is not Kind.WORD:
            return False
        single = len(after.text) == 1
        if after.spelling in _CLOCK and (after.glued or not single or after.text == "h"):
            length = 2
            minutes = self._peek(2)
            if minutes is not None and (
                (minutes.kind is Kind.NUMBER and minutes.glued)
                or (minutes.kind is Kind.WORD and minutes.spelling in _HALF)
            ):
                length = 3
            self._take(Kind.ASIDE, length, "time")
            return True
        heads = _HEADS.length_at(self.tokens, self.at + 1) or int(after.tag is Tag.CROWD)
        if heads and not (single and not after.glued) and after.text not in self.show.units:
            length = 1 + heads
            rest = self._peek(length)
            if rest is not None and rest.kind is Kind.NUMBER and rest.glued:
                length += 1
            taken = self._take(Kind.ASIDE, length, "body" if after.text in ("m", "cm") else "heads")
            del taken
            return True
        if after.spelling in _WEIGHT:
            if (
                after.text in _FLUID_OR_FINE
                and after.text not in self.show.units
                and self._is_size(value)
            ):
                self._take(Kind.ASIDE, 2, "size")
                return True
            dressed = any(p.variants for p in self.show.products.values())
            if dressed and value >= _BODY_WEIGHT_FROM and after.text not in _FLUID_OR_FINE:
                self._take(Kind.ASIDE, 2, "body")
                return True
        return False

    def _is_size(self, value: int) -> bool:
        return any(str(value) in product.name.split() for product in self.show.products.values())

    def _by_what_leads(self) -> bool:
        before = self._before()
        after = self._peek(1)
        if before is None or before.kind is not Kind.WORD:
            return False
        followed = after is not None and (after.kind is Kind.CODE or is_unit(after, self.show))
        fold = before.spelling.fold
        if before.tag is Tag.WHEN and fold in _DATED and before.words == 1:
            told = "time"
        elif before.tag in (Tag.PLACE, Tag.ADDRESS, Tag.THING):
            told = "place"
        elif before.tag is Tag.SEND and not followed:
            told = "place"
        elif before.tag is Tag.CODEWORD and fold == "so" and not self.show.digits_only:
            earlier = self._before(2)
            self._take(Kind.ASIDE, 1, "place")
            if earlier is not None and earlier.kind is Kind.CODE:
                self.out[-1].doubt = Reason.ODD_QUANTITY
            return True
        elif before.tag is Tag.MISTAKE and "ph" in before.text + self._written(before):
            told = "wrong"
        elif before.tag is Tag.AND and fold == "ca" and not is_counted(after, self.show):
            told = "heads"
        elif before.tag is Tag.WANT and fold in ("giao", "gui") and is_unread(after):
            told = "place"
        elif before.spelling.key == "con2" and not followed:
            told = "left"
        elif before.tag is Tag.SIZE:
            told = "size"
        elif self._promotion():
            self._take(Kind.ASIDE, 3, "price")
            return True
        else:
            return False
        self._take(Kind.ASIDE, 1, told)
        return True

    def _written(self, token: Token) -> str:
        return " ph" if token.words > 1 and token.spelling.fold != "a" else ""

    def _promotion(self) -> bool:
        gift, number = self._peek(1), self._peek(2)
        return (
            gift is not None
            and number is not None
            and gift.spelling.fold == "tang"
            and number.kind is Kind.NUMBER
        )

    def _digit_code(self, token: Token) -> bool:
        """In a show of bare numbers, read a number as a code unless it counts something."""
        code = self.show.find_code(token.text)
        before, after = self._before(), self._peek(1)
        named = self._tag_before() is Tag.CODEWORD
        if code is None:
            if named:
                token.kind = Kind.ODD
                self._keep(token)
            return named
        if not named:
            if after is not None and is_unit(after, self.show):
                last = self._peek(2)
                ends = last is None or last.kind is not Kind.NUMBER
                self._quantity(token.value or 0, 1, Reason.UNCLEAR if ends else None)
                return True
            if self._tag_before() is Tag.COUNT or (
                before is not None and before.kind is Kind.MARK and before.text in "x*="
            ):
                return False
        token.kind = Kind.CODE
        token.code = code
        token.value = None
        if before is not None and before.kind is Kind.CODE and not named:
            token.doubt = Reason.UNCLEAR
        self._keep(token)
        return True

    # --- words ------------------------------------------------------------------------------

    def _word(self, token: Token) -> None:
        before = self._before()
        if token.tag is Tag.SOME and token.text == "mấy" and before is not None:
            if before.spelling.key in ("con2", "co1"):
                token.tag = Tag.ASK
        if token.tag is Tag.SOME:
            self._quantity(1, 1, Reason.ODD_QUANTITY)
            return
        if self._multiple(token, 1, 0) or self._spoken(token):
            return
        if token.spelling.fold == "nua" and token.words == 1:
            after = self._peek(1)
            if after is not None and self._multiple(after, 0, 1):
                return
        if token.tag is None and is_unit(token, self.show):
            known = token.spelling in _ANY or any(
                unit_alike(token.text, u) for u in self.show.units
            )
            token.tag = Tag.SOFT if known else None
        if token.tag is None and (token.spelling in _CARTON or token.spelling in _WEIGHT):
            following = self._peek(1)
            if following is not None and following.kind is Kind.CODE:
                self._quantity(1, 0, Reason.FOREIGN_UNIT)
                return
        self._keep(token)

    def _multiple(self, token: Token, times: int, skip: int) -> bool:
        """Read 'chục', 'tá', 'cặp', 'đôi' without a number before; times 0 is half of it."""
        if token.text not in MARKED_MULTIPLES:
            return False
        before, after = self._before(), self._peek(skip + 1)
        led = before is not None and (before.kind is Kind.CODE or before.tag in _LEADS)
        counts = after is not None and (after.kind is Kind.CODE or is_unit(after, self.show))
        if not (led or counts or skip):
            return False
        size = MULTIPLES[token.text]
        self._quantity(size * times if times else size // 2, skip + 1, None)
        return True

    def _spoken(self, token: Token) -> bool:
        spoken = spoken_number(self.tokens, self.at)
        three = token.tag is Tag.KIN and token.text == "ba"
        if spoken is None or not (token.tag in (None, Tag.SOFT) or three):
            return False
        after = self._peek(spoken.length)
        counts = after is not None and (
            after.kind is Kind.CODE
            or is_unit(after, self.show)
            or after.text in MULTIPLES
            or (
                after.kind is Kind.WORD and (after.spelling in _CARTON or after.spelling in _WEIGHT)
            )
        )
        if token.tag is Tag.SOFT and not (counts and self.all_plain):
            return False
        if self._is_aside_word(spoken):
            return True
        before = self._before()
        ranked = before is not None and before.tag is Tag.KIN
        named = not self.out and after is not None and after.tag in _AFTER_A_NAME
        if token.capital and (ranked or named):
            self._take(Kind.ASIDE, spoken.length, "name").doubt = Reason.RANK_OR_NUMBER
            return True
        if not counts and (spoken.needs_unit or not self._stands_alone(after)):
            return False
        unit_follows = counts and after is not None and after.kind is not Kind.CODE
        ranked = ranked or (token.capital and not self.out)
        fathers = three and before is not None and before.tag in (Tag.WANT, Tag.SOFT)
        doubt = Reason.RANK_OR_NUMBER if (ranked or fathers) and not unit_follows else None
        if not unit_follows and spoken.unsure:
            marked = not token.spelling.plain
            if marked:
                doubt = doubt or Reason.ODD_QUANTITY
            elif self.all_plain:
                doubt = doubt or Reason.NO_ACCENTS
        self._quantity(spoken.value, spoken.length, doubt)
        return True

    def _is_aside_word(self, spoken: Spoken) -> bool:
        after = self._peek(spoken.length)
        before = self._before()
        if after is not None and after.kind is Kind.WORD:
            if after.spelling in _CLOCK and len(after.text) > 1:
                self._take(Kind.ASIDE, spoken.length + 1, "time")
                return True
            heads = _HEADS.length_at(self.tokens, self.at + spoken.length)
            heads = heads or int(after.tag is Tag.CROWD)
            if heads and len(after.text) > 1:
                self._take(Kind.ASIDE, spoken.length + heads, "heads")
                return True
            if after.spelling in _WORTH and len(after.text) > 1:
                self._take(Kind.ASIDE, spoken.length + 1, "price")
                return True
            if after.text in ("trăm", "tram"):
                self._quantity(spoken.value * 100, spoken.length + 1, Reason.BULK)
                return True
        if before is not None and before.tag is Tag.WHEN and before.spelling.fold in _DATED:
            self._take(Kind.ASIDE, spoken.length, "time")
            return True
        if before is not None and before.tag in (Tag.PLACE, Tag.THING):
            self._take(Kind.ASIDE, spoken.length, "place")
            return True
        return False

    def _stands_alone(self, after: Token | None) -> bool:
        """Say whether a number word without a unit is placed where a quantity would be."""
        before = self._before()
        placed = before is not None and (
            before.kind in (Kind.CODE, Kind.QUANTITY)
            or before.text in ("x", "*", "=", ":", "+", "(")
            or before.tag in _LEADS
        )
        ends = (
            after is None
            or after.kind in (Kind.BREAK, Kind.MARK, Kind.PHONE)
            or after.tag in (Tag.SOFT, Tag.AGAIN, Tag.ONLY, Tag.SHOP, Tag.AND, Tag.ME, Tag.KIN)
        )
        return placed and ends

    # --- a quantity -------------------------------------------------------------------------

    def _quantity(self, value: int, length: int, doubt: Reason | None) -> None:
        """Take `length` number tokens, and the multiple, half and unit that follow them."""
        start = self.at
        end = start + length
        unit: str | None = None
        token = self.tokens[end] if end < len(self.tokens) else None
        if token is not None and token.kind is Kind.WORD and token.text in MULTIPLES and length:
            if token.text in MARKED_MULTIPLES or token.words == 1:
                value *= MULTIPLES[token.text]
                end += 1
        elif token is not None and token.text in ("trăm", "tram") and length:
            value, doubt = value * 100, doubt or Reason.BULK
            end += 1
        end, value, doubt = self._half(end, value, doubt)
        token = self.tokens[end] if end < len(self.tokens) else None
        if token is not None and token.kind is Kind.WORD and token.words == 1:
            kind = self._unit_kind(token)
            if kind is not None:
                unit = token.text
                doubt = doubt or kind[0]
                end += 1
                end, value, doubt = self._half(end, value, doubt)
        first = self.tokens[start]
        taken = Token(
            Kind.QUANTITY, first.text, first.start, self.tokens[max(end, start + 1) - 1].end
        )
        taken.value, taken.unit, taken.doubt, taken.glued = value, unit, doubt, first.glued
        self.out.append(taken)
        self.at = max(end, start)

    def _half(self, end: int, value: int, doubt: Reason | None) -> tuple[int, int, Reason | None]:
        token = self.tokens[end] if end < len(self.tokens) else None
        if token is None or token.kind is not Kind.WORD or token.spelling not in _HALF:
            return end, value, doubt
        if value % 10 == 0 and value:
            return end + 1, value + value // 2 if value == 10 else value + 5, doubt
        return end + 1, value, doubt or Reason.ODD_QUANTITY

    def _unit_kind(self, token: Token) -> tuple[Reason | None] | None:
        """Return what a unit word makes doubtful, or None when the word is no unit."""
        if not token.glued and any(p.variant(token.text) for p in self.show.products.values()):
            return None
        if token.text in self.show.units or is_unit(token, self.show):
            return (None,)
        if token.spelling in _WEIGHT or token.spelling in _CARTON:
            if token.text in ("g", "h", "l") and any(
                u.startswith(token.text) for u in self.show.units
            ):
                return (Reason.ODD_QUANTITY,)
            return (Reason.FOREIGN_UNIT,)
        if (
            token.glued
            and len(token.text) == 1
            and any(unit.startswith(token.text) for unit in self.show.units)
        ):
            return (None if token.text not in "gh" else Reason.ODD_QUANTITY,)
        return None
