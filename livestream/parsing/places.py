"""Addresses: codes and numbers inside them are set aside, their words count as read."""

from livestream.parsing.lexicon import Tag
from livestream.parsing.parsed import Reason
from livestream.parsing.tokens import Kind, Token

_TOWARDS = frozenset({"ve", "giao", "gui"})
_AT = frozenset({"ơ3", "tai5"})
_CLAUSE_MARKS = frozenset(",;.!?")
_IN_A_PLACE_NAME = frozenset({None, Tag.ASK_END, Tag.PRAISE, Tag.VERY, Tag.THING, Tag.A_COLOUR})


def set_places_aside(tokens: list[Token]) -> None:
    """Set aside 'nhà A1', and what follows 'đ/c' or 'ship về' up to a phone or a line end.

    A code at the head of a clause ends the address, and so does an ordering verb.
    """
    zone: Tag | None = None
    for n, token in enumerate(tokens):
        zone = _zone(tokens, n, zone)
        if token.kind is Kind.CODE:
            if _is_in_address(tokens, n, zone):
                token.kind, token.code = Kind.ASIDE, "place"
            else:
                zone = None
        elif token.kind is Kind.ODD and _is_in_address(tokens, n, zone):
            token.kind, token.code, token.doubt = Kind.ASIDE, "place", None
        elif token.kind is Kind.WORD and zone is not None and _may_name_a_place(token):
            token.tag = Tag.SOFT
        elif token.kind is Kind.QUANTITY and zone is Tag.ADDRESS and _is_house_number(tokens, n):
            token.kind, token.code, token.doubt = Kind.ASIDE, "place", None
        if token.tag is Tag.PLACE:
            _read_name_after(tokens, n)


def _zone(tokens: list[Token], n: int, zone: Tag | None) -> Tag | None:
    token = tokens[n]
    if token.tag in (Tag.ADDRESS, Tag.SEND):
        return token.tag
    if token.spelling.fold in _TOWARDS and _leads_to_a_place(tokens, n):
        return Tag.SEND
    if token.kind in (Kind.PHONE, Kind.BREAK) or token.tag in (Tag.BUY, Tag.MORE):
        return None
    if token.kind is Kind.MARK and token.text in (",", ";") and zone is Tag.SEND:
        return None
    return zone


def _leads_to_a_place(tokens: list[Token], n: int) -> bool:
    """Say whether 'về' or 'giao' is followed by a name or a house number: 'về 12 Tây Sơn'."""
    after = tokens[n + 1] if n + 1 < len(tokens) else None
    if after is None or tokens[n].kind is not Kind.WORD:
        return False
    named = after.kind is Kind.WORD and (after.tag is None or after.capital)
    return named or (after.kind is Kind.ASIDE and after.code == "place")


def _is_in_address(tokens: list[Token], n: int, zone: Tag | None) -> bool:
    token = tokens[n]
    before = tokens[n - 1] if n else None
    if before is None or token.by_name:
        return False
    numbered = before.kind is Kind.ASIDE and before.code == "place" and token.glued
    if before.tag in (Tag.PLACE, Tag.THING) or numbered:
        token.doubt = None
        return True
    heads_clause = before.kind is Kind.MARK and before.text in _CLAUSE_MARKS
    lives_there = before.tag is Tag.SEND and before.spelling.key in _AT
    if lives_there or (zone is Tag.ADDRESS and not heads_clause):
        after = tokens[n + 1] if n + 1 < len(tokens) else None
        named = after is not None and after.tag is None and after.capital
        token.doubt = None if named and lives_there else Reason.CODE_IN_ADDRESS
        return True
    return False


def _may_name_a_place(token: Token) -> bool:
    """Say whether a word can be part of a place's name: 'Hà Nội' can, 'hả' asks."""
    asks = token.tag is Tag.ASK_END and not token.capital and token.text != "hà"
    return token.tag in _IN_A_PLACE_NAME and not asks


def _is_house_number(tokens: list[Token], n: int) -> bool:
    before_code = n + 1 < len(tokens) and tokens[n + 1].kind is Kind.CODE
    return tokens[n].unit is None and not before_code


def _read_name_after(tokens: list[Token], n: int) -> None:
    after = tokens[n + 1] if n + 1 < len(tokens) else None
    if after is not None and after.kind is Kind.WORD and after.tag is None:
        after.tag = Tag.SOFT
