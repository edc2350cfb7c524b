"""Codes, quantities and variants of a comment put together into lines: who counts what."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from livestream.parsing.codes import Product, ShowCodes, is_size
from livestream.parsing.lexicon import AFTER_NUMBERS, Tag, unit_alike
from livestream.parsing.letters import spelling
from livestream.parsing.parsed import Reason
from livestream.parsing.tokens import Kind, Token

_BINDERS = frozenset("+x*:=(-.")
_ENDS = frozenset(",;.!?&+/\n")
_TAKEN_WITHOUT_ASKING = 12
_TWO_DIGITS = 10
_JOINING_SOFT = frozenset({"voi", "vs", "zoi"})


@dataclass(slots=True)
class Line:
    """One code as wanted: `qty` None when no number was said."""

    code: str
    token: Token
    qty: int | None = None
    chosen: list[str] = field(default_factory=list)
    counted: Token | None = None


@dataclass(slots=True)
class Basket:
    """The lines of a comment and what is doubtful about them; `spare` counts nothing named."""

    lines: list[Line] = field(default_factory=list)
    doubts: list[Reason] = field(default_factory=list)
    spare: list[Token] = field(default_factory=list)
    either_or: bool = False


@dataclass(slots=True)
class _Clause:
    parts: list[Token] = field(default_factory=list)
    verb: bool = False

    def codes(self) -> list[Token]:
        return [t for t in self.parts if t.kind is Kind.CODE]


def fill_basket(tokens: list[Token], show: ShowCodes) -> Basket:
    """Return the lines of a comment. Quantities belong to the code they touch."""
    basket = Basket()
    bound = _bind(tokens, show, basket)
    share: Token | None = None
    waiting: list[Token] = []
    for clause in _clauses(bound, show, basket):
        parts, each = _without_share(clause.parts)
        share = share or each
        codes = [t for t in parts if t.kind is Kind.CODE]
        if not codes:
            _add_loose(basket, parts, clause.verb, waiting, show)
        elif len(codes) == 1:
            basket.lines += _one_code(codes[0], [*waiting, *parts], show, basket)
            waiting = []
        else:
            basket.lines += _many_codes([*waiting, *parts], show, basket)
            waiting = []
    basket.spare = waiting
    if share is not None and basket.lines:
        _share(basket, share)
    elif share is not None:
        basket.spare.append(share)
    basket.lines = _merged(basket, show)
    _check(basket, show)
    return basket


# --- clauses ---------------------------------------------------------------------------------


def _bind(tokens: list[Token], show: ShowCodes, basket: Basket) -> list[Token]:
    """Drop the marks that only tie a quantity to its code: 'A1 x2', 'A1: 2', 'A1 (2)'."""
    bound: list[Token] = []
    for n, token in enumerate(tokens):
        before = bound[-1] if bound else None
        after = tokens[n + 1] if n + 1 < len(tokens) else None
        last = tokens[n + 2] if n + 2 < len(tokens) else None
        ties = (token.kind is Kind.MARK and token.text in _BINDERS) or (
            token.kind is Kind.WORD and token.tag is Tag.COUNT
        )
        if ties and after is not None and after.kind is Kind.QUANTITY and before is not None:
            own = before.kind in (Kind.CODE, Kind.VARIANT)
            next_is_code = last is not None and last.kind is Kind.CODE
            if own and not (next_is_code and token.text in "+-."):
                after.glued = True
                after.tag = Tag.COUNT
                if token.text in "-." and after.unit is None and token.glued:
                    after.doubt = after.doubt or Reason.UNCLEAR
                continue
        if token.kind is Kind.WORD and token.tag is Tag.COUNT:
            if after is not None and after.kind is Kind.QUANTITY:
                after.tag = Tag.COUNT
            continue
        if token.kind is Kind.QUANTITY and _is_elided_code(tokens, n, bound, show):
            continue
        bound.append(token)
    del basket
    return bound


def _is_elided_code(tokens: list[Token], n: int, bound: list[Token], show: ShowCodes) -> bool:
    """Turn 'A1,2,3' into A1, A2, A3, in doubt."""
    token, comma = tokens[n], tokens[n - 1] if n else None
    code = tokens[n - 2] if n > 1 else None
    if comma is None or code is None or comma.text != "," or code.kind is not Kind.CODE:
        return False
    if not (comma.glued and token.glued) or token.unit is not None or code.by_name:
        return False
    found = show.find_code(code.text.rstrip("0123456789") + str(token.value))
    if found is None:
        return False
    token.kind, token.code, token.doubt = Kind.CODE, found, Reason.UNCLEAR
    token.text = code.text.rstrip("0123456789") + str(token.value)
    bound.append(token)
    return True


def _clauses(tokens: list[Token], show: ShowCodes, basket: Basket) -> Iterator[_Clause]:
    clause = _Clause()
    for n, token in enumerate(tokens):
        if token.kind in (Kind.CODE, Kind.QUANTITY, Kind.VARIANT) or token.tag is Tag.EACH:
            clause.parts.append(token)
        elif token.tag in (Tag.BUY, Tag.WANT, Tag.MORE):
            clause.verb = True
        elif _ends_clause(tokens, n):
            if token.tag is Tag.OR or (token.text == "/" and _between_codes(tokens, n)):
                basket.doubts.append(Reason.ONE_OF_SEVERAL)
                basket.either_or = basket.either_or or token.tag is Tag.OR
            yield from _named_once(clause, show, basket)
            clause = _Clause()
        elif token.text == "-" and _between_codes(tokens, n):
            basket.doubts.append(Reason.UNCLEAR)
    yield from _named_once(clause, show, basket)


def _ends_clause(tokens: list[Token], n: int) -> bool:
    token = tokens[n]
    if token.kind is Kind.BREAK or token.tag is Tag.AND:
        return True
    if token.kind is Kind.MARK:
        return token.text in _ENDS
    if token.tag is Tag.OR or token.spelling.fold in _JOINING_SOFT:
        return _between_codes(tokens, n)
    return False


def _between_codes(tokens: list[Token], n: int) -> bool:
    told = (Kind.CODE, Kind.QUANTITY, Kind.VARIANT)
    before = [t for t in tokens[max(0, n - 3) : n] if t.kind in told]
    after = [t for t in tokens[n + 1 : n + 4] if t.kind in told]
    return bool(before and after)


def _named_once(clause: _Clause, show: ShowCodes, basket: Basket) -> Iterator[_Clause]:
    """Let a typed code and the same product's name be one; a different name is doubtful."""
    typed = [t for t in clause.parts if t.kind is Kind.CODE and not t.by_name]
    kept: list[Token] = []
    for n, part in enumerate(clause.parts):
        if part.kind is Kind.CODE and part.by_name and typed:
            if any(t.code == part.code for t in typed):
                continue
            before = clause.parts[n - 1] if n else None
            if before is not None and before.kind is Kind.CODE:
                basket.doubts.append(Reason.NAME_NOT_CODE)
                continue
        kept.append(part)
    del show
    clause.parts = kept
    if kept:
        yield clause


def _without_share(parts: list[Token]) -> tuple[list[Token], Token | None]:
    """Take 'mỗi thứ 2' out of a clause; 'mỗi A1 thôi' only means just A1."""
    for n, part in enumerate(parts):
        if part.tag is Tag.EACH:
            rest = parts[:n] + parts[n + 1 :]
            if n + 1 < len(parts) and parts[n + 1].kind is Kind.QUANTITY:
                return parts[:n] + parts[n + 2 :], parts[n + 1]
            if n + 1 < len(parts) and n == 0:
                return rest, None
            one = Token(Kind.QUANTITY, part.text, part.start, part.end)
            one.value = 1
            return rest, one
    return parts, None


def _share(basket: Basket, share: Token) -> None:
    for line in basket.lines:
        if line.qty is None:
            line.qty, line.counted = share.value, share


def _add_loose(
    basket: Basket, parts: list[Token], verb: bool, waiting: list[Token], show: ShowCodes
) -> None:
    """Give a clause without a code to the line before it, or keep it for the next code."""
    last = basket.lines[-1] if basket.lines else None
    product = show.products.get(last.code) if last is not None else None
    chosen = [t for t in parts if t.kind is Kind.VARIANT]
    if last is not None and product is not None and chosen:
        first = last.chosen
        fresh = _one_code(last.token, [last.token, *parts], show, basket)
        if not first and last.qty is None:
            basket.lines.pop()
        elif not first and last.qty == sum(line.qty or 1 for line in fresh):
            basket.lines.pop()
        elif len(fresh) == 1 and fresh[0].qty is None and _completes(first, fresh[0].chosen):
            last.chosen += fresh[0].chosen
            return
        basket.lines += fresh
        return
    counts = [t for t in parts if t.kind is Kind.QUANTITY]
    if not counts:
        return
    if last is None:
        waiting.extend(counts)
        return
    if last.qty is None and len(counts) == 1:
        last.qty, last.counted = counts[0].value, counts[0]
        if counts[0].unit is None and not verb:
            basket.doubts.append(Reason.ODD_QUANTITY)
        if len(basket.lines) > 1:
            basket.doubts.append(Reason.ODD_QUANTITY)
        return
    basket.doubts.append(Reason.ODD_QUANTITY)


def _completes(first: list[str], more: list[str]) -> bool:
    return {is_size(v) for v in first}.isdisjoint({is_size(v) for v in more})


# --- one code --------------------------------------------------------------------------------


@dataclass(slots=True)
class _Group:
    chosen: list[str] = field(default_factory=list)
    counted: Token | None = None

    @property
    def kinds(self) -> set[bool]:
        return {is_size(v) for v in self.chosen}


def _one_code(code: Token, parts: list[Token], show: ShowCodes, basket: Basket) -> list[Line]:
    at = parts.index(code)
    ahead = [t for t in parts[:at] if t.kind is Kind.QUANTITY]
    behind = [t for t in parts[at + 1 :] if t.kind is Kind.QUANTITY]
    groups = _groups(parts)
    if len(groups) < 2:
        line = Line(code.code or "", code, chosen=groups[0].chosen if groups else [])
        _count(line, ahead, behind, basket)
        return [line]
    total = ahead[0].value if ahead and behind else None
    split = groups if not behind else _groups(parts[at + 1 :])
    before = _groups(parts[:at])
    if len(split) < len(groups) and before:
        split = groups
    lines = [
        Line(code.code or "", code, g.counted.value if g.counted else None, g.chosen, g.counted)
        for g in split
    ]
    if all(line.qty is None for line in lines):
        basket.doubts.append(Reason.VARIANT)
    if total is not None and total != sum(line.qty or 1 for line in lines):
        basket.doubts.append(Reason.ODD_QUANTITY)
    del show
    return lines


def _groups(parts: list[Token]) -> list[_Group]:
    """Group variants with their quantities: 'L 2 M 1', '1 đỏ 1 trắng', 'đỏ M'."""
    told = [t for t in parts if t.kind in (Kind.VARIANT, Kind.QUANTITY)]
    if not any(t.kind is Kind.VARIANT for t in told):
        return []
    counts_first = told[0].kind is Kind.QUANTITY
    groups: list[_Group] = []
    fresh = True
    held: Token | None = None
    for token in told:
        if token.kind is Kind.QUANTITY:
            if counts_first:
                held = token
            elif groups and groups[-1].counted is None:
                groups[-1].counted = token
            fresh = True
            continue
        variant = token.code or ""
        if fresh or not groups or is_size(variant) in groups[-1].kinds:
            groups.append(_Group([], held))
            held = None
        groups[-1].chosen.append(variant)
        fresh = False
    if len(groups) == 2 and groups[0].kinds.isdisjoint(groups[1].kinds):
        first, second = groups
        if first.counted is None or second.counted is None:
            return [_Group(first.chosen + second.chosen, first.counted or second.counted)]
    return groups


def _count(line: Line, ahead: list[Token], behind: list[Token], basket: Basket) -> None:
    counts = ahead + behind
    if not counts:
        return
    tied = [t for t in counts if t.glued]
    values = {t.value for t in counts}
    chosen = counts[0]
    if len(counts) > 1 and len(values) > 1:
        chosen = tied[0] if len(tied) == 1 else (behind or ahead)[0]
        basket.doubts.append(Reason.ODD_QUANTITY)
    line.qty, line.counted = chosen.value, chosen


# --- several codes ---------------------------------------------------------------------------


def _many_codes(parts: list[Token], show: ShowCodes, basket: Basket) -> list[Line]:
    lines = [Line(t.code or "", t) for t in parts if t.kind is Kind.CODE]
    by_token = {id(line.token): line for line in lines}
    counts = [t for t in parts if t.kind is Kind.QUANTITY]
    if counts and counts[0].value == len(lines) and counts[0].unit in ("mã", "loại", "món", "thứ"):
        counts = counts[1:]
    before: Line | None = None
    first_is_count = parts[0].kind is Kind.QUANTITY
    for n, part in enumerate(parts):
        if part.kind is Kind.CODE:
            before = by_token[id(part)]
        elif part.kind is Kind.VARIANT:
            _choose(part, before, parts[n + 1 :], by_token, show)
        elif part in counts:
            after = next((by_token[id(t)] for t in parts[n + 1 :] if t.kind is Kind.CODE), None)
            touching = n + 1 < len(parts) and parts[n + 1].kind is Kind.CODE
            owner = _owner(part, before, after if touching else None, first_is_count, show)
            if owner is None:
                basket.doubts.append(Reason.ODD_QUANTITY)
            else:
                owner.qty, owner.counted = part.value, part
    uneven = 0 < len([line for line in lines if line.qty is not None]) < len(lines)
    loose = [t for t in counts if t.tag is not Tag.COUNT]
    if uneven and loose:
        basket.doubts.append(Reason.UNCLEAR)
    return lines


def _choose(
    part: Token, before: Line | None, rest: list[Token], by_token: dict[int, Line], show: ShowCodes
) -> None:
    after = next((by_token[id(t)] for t in rest if t.kind is Kind.CODE), None)
    for line in (before, after):
        product = show.products.get(line.code) if line is not None else None
        if line is not None and product is not None and part.code in product.variants:
            line.chosen.append(part.code or "")
            return


def _owner(
    part: Token, before: Line | None, after: Line | None, counts_lead: bool, show: ShowCodes
) -> Line | None:
    free_before = before if before is not None and before.qty is None else None
    free_after = after if after is not None and after.qty is None else None
    if part.tag is Tag.COUNT and free_before is not None:
        return free_before
    if free_after is not None and free_after.token.glued and free_after.token.start == part.end:
        return free_after
    if free_before is not None and free_after is not None and part.unit is not None:
        fits_before = unit_fits(part.unit, show.products.get(free_before.code))
        fits_after = unit_fits(part.unit, show.products.get(free_after.code))
        if fits_before != fits_after:
            return free_before if fits_before else free_after
    if counts_lead:
        return free_after or free_before
    return free_before or free_after


# --- the whole -------------------------------------------------------------------------------


def _merged(basket: Basket, show: ShowCodes) -> list[Line]:
    merged: dict[tuple[str, str], Line] = {}
    for line in basket.lines:
        product = show.products[line.code]
        key = (line.code, product.note(line.chosen))
        twin = merged.get(key)
        if twin is None:
            merged[key] = line
            continue
        if twin.qty is None and line.qty is not None:
            twin.qty, twin.counted = line.qty, line.counted
        elif line.qty is not None and line.qty != twin.qty:
            basket.doubts.append(Reason.ODD_QUANTITY)
        if not (twin.token.by_name or line.token.by_name):
            basket.doubts.append(Reason.REPEATED)
    return list(merged.values())


def _check(basket: Basket, show: ShowCodes) -> None:
    for line in basket.lines:
        product = show.products[line.code]
        if line.token.doubt is not None:
            basket.doubts.append(line.token.doubt)
        if product.variants and not line.chosen:
            basket.doubts.append(Reason.VARIANT)
        counted = line.counted
        if counted is None:
            continue
        if counted.doubt is not None:
            basket.doubts.append(counted.doubt)
        if not unit_fits(counted.unit, product):
            basket.doubts.append(Reason.FOREIGN_UNIT)
        if not line.qty:
            line.qty = None
            basket.doubts.append(Reason.ODD_QUANTITY)
        elif line.qty > _TAKEN_WITHOUT_ASKING:
            basket.doubts.append(Reason.BULK)
        elif line.qty >= _TWO_DIGITS and counted.unit is None and counted.tag is not Tag.COUNT:
            head = line.token.text.rstrip("0123456789")
            if show.find_code(head + str(line.qty)):
                basket.doubts.append(Reason.UNCLEAR)


def unit_fits(unit: str | None, product: Product | None) -> bool:
    """Say whether goods counted by `unit` can be this product: its own unit, a like one, 'cái'."""
    if unit is None or product is None:
        return True
    if spelling(unit) in AFTER_NUMBERS["any"]:
        return True
    if len(unit) == 1:
        return product.unit.lower().startswith(unit)
    return unit_alike(unit, product.unit)
