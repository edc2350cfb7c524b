"""Words that look like something else put right: mentions, mistyped codes, pronouns, variants."""

from livestream.parsing.codes import Product, ShowCodes
from livestream.parsing.lexicon import Tag
from livestream.parsing.parsed import Reason
from livestream.parsing.places import set_places_aside
from livestream.parsing.tokens import Kind, Token

_LOOK_ALIKE_DIGITS = str.maketrans("lio", "110")
_MISTYPED_LENGTHS = (2, 3)
_NAME_WORDS = 4
_PRONOUN_LETTERS = "abcemt"
_TASTES = frozenset({Tag.PRAISE, Tag.REMARK})
_BEFORE_A_VARIANT = frozenset(":,(/-")
_GOODS = frozenset({Kind.CODE, Kind.QUANTITY, Kind.VARIANT})


def settle_words(tokens: list[Token], show: ShowCodes) -> None:
    """Put right what the words around a token tell of it, in place."""
    set_places_aside(tokens)
    _set_mentions_aside(tokens)
    _find_mistyped_codes(tokens, show)
    _undo_pronoun_codes(tokens, show)
    _find_variants(tokens, show)
    _tell_good_from_or(tokens)
    _tell_sold_out(tokens)
    if tokens and tokens[0].tag is Tag.DONE:
        tokens[0].tag = Tag.SOFT


def _set_mentions_aside(tokens: list[Token]) -> None:
    """Read '@Lan Anh' as a call to a friend; '@shop' is none."""
    for n, token in enumerate(tokens):
        if token.kind is not Kind.MARK or token.text != "@":
            continue
        for place, word in enumerate(tokens[n + 1 : n + 1 + _NAME_WORDS]):
            if word.kind is not Kind.WORD or (place and word.tag is not None):
                break
            if word.tag is not Tag.SHOP:
                word.tag = Tag.CROWD
            if not word.capital:
                break


def _find_mistyped_codes(tokens: list[Token], show: ShowCodes) -> None:
    """Read 'al' as a doubtful A1, only where an order verb or a counted unit asks for a code."""
    for n, token in enumerate(tokens):
        if token.kind is not Kind.WORD or token.tag is not None:
            continue
        if len(token.text) not in _MISTYPED_LENGTHS:
            continue
        code = show.find_code(token.text[0] + token.text[1:].translate(_LOOK_ALIKE_DIGITS))
        before = tokens[n - 1].tag if n else None
        counted = n + 1 < len(tokens) and tokens[n + 1].kind is Kind.QUANTITY
        if code and (before in (Tag.BUY, Tag.CODEWORD, Tag.DROP) or counted):
            token.kind, token.code, token.doubt = Kind.CODE, code, Reason.LOOKS_LIKE_CODE


def _undo_pronoun_codes(tokens: list[Token], show: ShowCodes) -> None:
    """Read 'cho a2 chai mật ong' as anh wanting two jars of honey, in doubt."""
    for n in range(len(tokens) - 2):
        typed, unit, named = tokens[n : n + 3]
        if typed.kind is not Kind.CODE or typed.by_name or not named.by_name:
            continue
        own, meant = show.products.get(typed.code or ""), show.products.get(named.code or "")
        if own is None or meant is None or own is meant:
            continue
        digits = typed.text.lstrip(_PRONOUN_LETTERS)
        shortened = digits.isdigit() and len(digits) < len(typed.text)
        if shortened and unit.kind is Kind.WORD and meant.unit == unit.text != own.unit:
            typed.kind, typed.value, typed.unit = Kind.QUANTITY, int(digits), unit.text
            typed.doubt = Reason.NAME_NOT_CODE


def _find_variants(tokens: list[Token], show: ShowCodes) -> None:
    named = [show.products.get(t.code or "") for t in tokens if t.kind is Kind.CODE]
    dressed = [product for product in named if product is not None and product.variants]
    if not dressed:
        return
    product: Product = dressed[0]
    for n, token in enumerate(tokens):
        if token.kind is Kind.CODE:
            own = show.products.get(token.code or "")
            product = own if own is not None and own.variants else product
        elif token.kind is Kind.WORD and token.words == 1:
            variant = product.variant(token.text)
            if variant is not None and _may_be_variant(tokens, n):
                token.kind, token.code, token.tag = Kind.VARIANT, variant, None
            elif token.tag is Tag.A_COLOUR:
                token.doubt = Reason.VARIANT


def _may_be_variant(tokens: list[Token], n: int) -> bool:
    """Say whether a short or unmarked word stands where a size or colour would."""
    token = tokens[n]
    before = tokens[n - 1] if n else None
    after = tokens[n + 1] if n + 1 < len(tokens) else None
    if len(token.text) > 1 and not token.spelling.plain:
        return True
    if before is not None and (
        before.tag in (Tag.SIZE, Tag.COLOUR, Tag.AND)
        or before.kind in _GOODS
        or (before.kind is Kind.MARK and before.text in _BEFORE_A_VARIANT)
    ):
        return True
    follows = after is not None and (after.kind is Kind.CODE or after.tag is Tag.SIZE)
    return follows and (before is None or before.tag is not Tag.WANT)


def _tell_sold_out(tokens: list[Token]) -> None:
    """Read 'hết A1 rồi' as talk of the stock."""
    for n, token in enumerate(tokens[:-2]):
        done = tokens[n + 1].kind is Kind.CODE and tokens[n + 2].tag is Tag.DONE
        if token.text == "hết" and done:
            token.tag = Tag.REMARK


def _tell_good_from_or(tokens: list[Token]) -> None:
    """Read 'hay' as a choice between two goods, a question between two tastes, else as praise."""
    for n, token in enumerate(tokens):
        if token.tag is not Tag.OR or token.spelling.fold != "hay":
            continue
        left, right = tokens[max(0, n - 3) : n], tokens[n + 1 : n + 4]
        if left and right and left[-1].kind is right[0].kind is Kind.ASIDE:
            token.tag = Tag.ASK
        elif left and right and left[-1].tag in _TASTES:
            token.tag = Tag.ASK if right[0].tag in _TASTES else Tag.PRAISE
        elif not all(any(t.kind in _GOODS for t in side) for side in (left, right)):
            token.tag = Tag.PRAISE
