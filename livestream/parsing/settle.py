"""Words that look like something else put right: places, things, variants, mistyped codes."""

from livestream.parsing.codes import Product, ShowCodes
from livestream.parsing.lexicon import Tag
from livestream.parsing.parsed import Reason
from livestream.parsing.tokens import Kind, Token

_LOOK_ALIKE_DIGITS = str.maketrans("lio", "110")
_CLAUSE_MARKS = frozenset(",;.!?")
_NAME_WORDS = 4
_IN_A_PLACE_NAME = frozenset({None, Tag.ASK_END, Tag.PRAISE, Tag.VERY, Tag.THING, Tag.A_COLOUR})


def settle_words(tokens: list[Token], show: ShowCodes) -> list[Token]:
    """Return the tokens with codes in addresses set aside and variants recognised."""
    _set_places_aside(tokens)
    _set_mentions_aside(tokens)
    _find_mistyped_codes(tokens, show)
    tokens = _undo_pronoun_codes(tokens, show)
    _find_variants(tokens, show)
    _tell_good_from_or(tokens)
    return tokens


def _tell_good_from_or(tokens: list[Token]) -> None:
    """Read 'hay' as a choice between two goods, otherwise as praise: 'A1 hay quá'."""
    goods = (Kind.CODE, Kind.QUANTITY, Kind.VARIANT)
    for n, token in enumerate(tokens):
        if token.tag is Tag.OR and token.spelling.fold == "hay":
            tastes = (Tag.PRAISE, Tag.REMARK)
            if n and n + 1 < len(tokens) and tokens[n - 1].tag in tastes:
                token.tag = Tag.ASK if tokens[n + 1].tag in tastes else Tag.PRAISE
                continue
            near = tokens[max(0, n - 3) : n], tokens[n + 1 : n + 4]
            if not all(any(t.kind in goods for t in side) for side in near):
                token.tag = Tag.PRAISE


def _set_places_aside(tokens: list[Token]) -> None:
    """Set aside 'nhà A1', and whatever follows 'đ/c' or 'ship về' up to the next clause or phone."""
    zone: Tag | None = None
    for n, token in enumerate(tokens):
        before = tokens[n - 1] if n else None
        if token.tag in (Tag.ADDRESS, Tag.SEND):
            zone = token.tag
        elif token.kind in (Kind.PHONE, Kind.BREAK) or token.tag in (Tag.BUY, Tag.MORE):
            zone = None
        elif token.kind is Kind.CODE and not token.by_name and before is not None:
            numbered = before.kind is Kind.ASIDE and before.code == "place" and token.glued
            if before.tag in (Tag.PLACE, Tag.THING) or numbered:
                _set_aside(token, "place")
            elif before.tag is Tag.SEND and before.spelling.key in ("ơ3", "tai5"):
                _set_aside(token, "place")
                token.doubt = Reason.CODE_IN_ADDRESS
            elif zone is Tag.ADDRESS and not (
                before.kind is Kind.MARK and before.text in _CLAUSE_MARKS
            ):
                _set_aside(token, "place")
                token.doubt = Reason.CODE_IN_ADDRESS
            else:
                zone = None
        elif token.kind is Kind.MARK and token.text in ",;" and zone is Tag.SEND:
            zone = None
        elif token.kind is Kind.WORD and token.tag in _IN_A_PLACE_NAME and zone is not None:
            token.tag = Tag.SOFT
        elif token.kind is Kind.QUANTITY and zone is Tag.ADDRESS and token.unit is None:
            following = tokens[n + 1] if n + 1 < len(tokens) else None
            if following is None or following.kind is not Kind.CODE:
                _set_aside(token, "place")
        if token.tag is Tag.PLACE and n + 1 < len(tokens) and tokens[n + 1].tag is None:
            _explain(tokens[n + 1])


def _set_aside(token: Token, told: str) -> None:
    token.kind = Kind.ASIDE
    token.code = told
    token.doubt = None


def _explain(token: Token) -> None:
    if token.kind is Kind.WORD:
        token.tag = Tag.SOFT


def _set_mentions_aside(tokens: list[Token]) -> None:
    for n, token in enumerate(tokens):
        if token.kind is Kind.MARK and token.text == "@":
            for word in tokens[n + 1 : n + 1 + _NAME_WORDS]:
                if word.kind is not Kind.WORD or not (word.tag is None or word is tokens[n + 1]):
                    break
                if word.tag is not Tag.SHOP:
                    word.tag = Tag.CROWD
                if not word.capital:
                    break


def _find_mistyped_codes(tokens: list[Token], show: ShowCodes) -> None:
    """Read 'al' as a doubtful A1, but only where an order verb or a counted unit asks for a code."""
    for n, token in enumerate(tokens):
        if token.kind is not Kind.WORD or token.tag is not None or not 2 <= len(token.text) <= 3:
            continue
        code = show.find_code(token.text[0] + token.text[1:].translate(_LOOK_ALIKE_DIGITS))
        if code is None:
            continue
        before = tokens[n - 1].tag if n else None
        counted = n + 1 < len(tokens) and tokens[n + 1].kind is Kind.QUANTITY
        if before in (Tag.BUY, Tag.CODEWORD, Tag.DROP) or counted:
            token.kind, token.code, token.doubt = Kind.CODE, code, Reason.LOOKS_LIKE_CODE


def _undo_pronoun_codes(tokens: list[Token], show: ShowCodes) -> list[Token]:
    """Read 'cho a2 chai mật ong' as anh wanting two jars of honey, in doubt."""
    for n in range(len(tokens) - 2):
        typed, unit, named = tokens[n : n + 3]
        if (
            typed.kind is Kind.CODE
            and not typed.by_name
            and named.kind is Kind.CODE
            and named.by_name
            and named.code != typed.code
            and unit.kind is Kind.WORD
            and unit.text == show.products[named.code or ""].unit
            and unit.text != show.products[typed.code or ""].unit
        ):
            digits = typed.text.lstrip("abcemt")
            if digits.isdigit() and len(digits) < len(typed.text):
                typed.kind, typed.value, typed.unit = Kind.QUANTITY, int(digits), unit.text
                typed.doubt = Reason.NAME_NOT_CODE
    return tokens


def _find_variants(tokens: list[Token], show: ShowCodes) -> None:
    dressed = [
        show.products[t.code]
        for t in tokens
        if t.kind is Kind.CODE and t.code in show.products and show.products[t.code].variants
    ]
    if not dressed:
        return
    product: Product = dressed[0]
    for n, token in enumerate(tokens):
        if token.kind is Kind.CODE and token.code in show.products:
            own = show.products[token.code]
            product = own if own.variants else product
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
    if before is not None and before.tag in (Tag.SIZE, Tag.COLOUR):
        return True
    if len(token.text) > 1 and not token.spelling.plain:
        return True
    if before is not None and before.kind in (Kind.CODE, Kind.VARIANT, Kind.QUANTITY):
        return True
    if before is not None and before.kind is Kind.MARK and before.text in ":,(/-":
        return True
    if before is not None and before.tag is Tag.AND:
        return True
    follows = after is not None and (after.kind is Kind.CODE or after.tag is Tag.SIZE)
    return follows and (before is None or before.tag is not Tag.WANT)
