"""Codes, quantities and variants of a comment put together into lines: who counts what."""

from dataclasses import dataclass, field

from livestream.parsing.codes import Product, ShowCodes, is_size
from livestream.parsing.groups import Group, gather
from livestream.parsing.letters import spelling
from livestream.parsing.lexicon import AFTER_NUMBERS, Tag, unit_alike
from livestream.parsing.parsed import Reason
from livestream.parsing.tokens import Kind, Token

_TAKEN_WITHOUT_ASKING = 12
_TWO_DIGITS = 10


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


def fill_basket(tokens: list[Token], show: ShowCodes) -> Basket:
    """Return the lines of a comment. Quantities belong to the code they touch."""
    told = gather(tokens, show)
    basket = Basket(doubts=told.doubts, either_or=told.either_or)
    waiting: list[Token] = []
    for group in told.groups:
        codes = [t for t in group.parts if t.kind is Kind.CODE]
        if not codes:
            _add_loose(basket, group, waiting, show)
        elif len(codes) == 1:
            basket.lines += _one_code(codes[0], [*waiting, *group.parts], basket)
            waiting = []
        else:
            basket.lines += _many_codes([*waiting, *group.parts], show, basket)
            waiting = []
    basket.spare = waiting
    if told.share is not None and basket.lines:
        _share(basket, told.share)
    elif told.share is not None:
        basket.spare.append(told.share)
    _spread(basket)
    basket.lines = _merged(basket, show)
    _check(basket, show)
    return basket


def _share(basket: Basket, share: Token) -> None:
    for line in basket.lines:
        if line.qty is None:
            line.qty, line.counted = share.value, share
    basket.doubts = [doubt for doubt in basket.doubts if doubt is not Reason.VARIANT]


def _spread(basket: Basket) -> None:
    """Give each variant one where a count before the code is of all: '2 A3: M và L'."""
    by_code: dict[int, list[Line]] = {}
    for line in basket.lines:
        by_code.setdefault(id(line.token), []).append(line)
    for first, *others in by_code.values():
        counted = first.counted
        if not others or counted is None or counted.start > first.token.start:
            continue
        if any(line.qty is not None for line in others) or first.qty == 1:
            continue
        if first.qty == 1 + len(others):
            first.qty = 1
        else:
            basket.doubts.append(Reason.ODD_QUANTITY)


def _add_loose(basket: Basket, group: Group, waiting: list[Token], show: ShowCodes) -> None:
    """Give a group without a code to the line before it, or keep it for the next code."""
    last = basket.lines[-1] if basket.lines else None
    counts = [t for t in group.parts if t.kind is Kind.QUANTITY]
    if last is None:
        waiting.extend(counts)
    elif any(t.kind is Kind.VARIANT for t in group.parts) and show.products[last.code].variants:
        _add_variants(basket, last, group)
    elif counts and last.qty is None and len(counts) == 1:
        last.qty, last.counted = counts[0].value, counts[0]
        bare = counts[0].unit is None and not group.verb
        if bare or len(basket.lines) > 1:
            basket.doubts.append(Reason.ODD_QUANTITY)
    elif counts:
        basket.doubts.append(Reason.ODD_QUANTITY)


def _add_variants(basket: Basket, last: Line, group: Group) -> None:
    fresh = _one_code(last.token, [last.token, *group.parts], basket)
    whole = last.qty is None or last.qty == sum(line.qty or 1 for line in fresh)
    if not last.chosen and whole:
        basket.lines.pop()
    elif len(fresh) == 1 and fresh[0].qty is None and _completes(last.chosen, fresh[0].chosen):
        last.chosen += fresh[0].chosen
        return
    basket.lines += fresh


def _completes(first: list[str], more: list[str]) -> bool:
    return {is_size(v) for v in first}.isdisjoint({is_size(v) for v in more})


# --- one code --------------------------------------------------------------------------------


@dataclass(slots=True)
class _Choice:
    chosen: list[str] = field(default_factory=list)
    counted: Token | None = None

    @property
    def kinds(self) -> set[bool]:
        return {is_size(v) for v in self.chosen}


def _one_code(code: Token, parts: list[Token], basket: Basket) -> list[Line]:
    at = parts.index(code)
    ahead = [t for t in parts[:at] if t.kind is Kind.QUANTITY]
    behind = [t for t in parts[at + 1 :] if t.kind is Kind.QUANTITY]
    groups = _choices(parts)
    if len(groups) <= 1:
        line = Line(code.code or "", code, chosen=groups[0].chosen if groups else [])
        _count(line, ahead, behind, basket)
        return [line]
    total = ahead[0].value if ahead and behind else None
    split = groups if not behind else _choices(parts[at + 1 :])
    before = _choices(parts[:at])
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
    return lines


def _choices(parts: list[Token]) -> list[_Choice]:
    """Group variants with their quantities: 'L 2 M 1', '1 đỏ 1 trắng', 'đỏ M'."""
    told = [t for t in parts if t.kind in (Kind.VARIANT, Kind.QUANTITY)]
    if not any(t.kind is Kind.VARIANT for t in told):
        return []
    counts_first = told[0].kind is Kind.QUANTITY
    groups: list[_Choice] = []
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
            groups.append(_Choice([], held))
            held = None
        groups[-1].chosen.append(variant)
        fresh = False
    if len(groups) == len(("colour", "size")) and groups[0].kinds.isdisjoint(groups[1].kinds):
        first, second = groups
        if first.counted is None or second.counted is None:
            return [_Choice(first.chosen + second.chosen, first.counted or second.counted)]
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
            orders = (before, after if touching else None)
            owner = _owner(part, *orders, show, counts_lead=first_is_count)
            if owner is None:
                basket.doubts.append(Reason.ODD_QUANTITY)
            else:
                owner.qty, owner.counted = part.value, part
    told = [line for line in lines if line.qty is not None]
    uneven = bool(told) and any(line.qty is None and not line.chosen for line in lines)
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
    part: Token, before: Line | None, after: Line | None, show: ShowCodes, *, counts_lead: bool
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
        doubts = [line.token.doubt]
        if line.token.doubt is Reason.NO_ACCENTS and _counted_in_its_unit(line, product):
            doubts = []
        if line.counted is not None:
            doubts.append(line.counted.doubt)
            doubts.append(_doubt_quantity(line, line.counted, show))
            if not unit_fits(line.counted.unit, product):
                doubts.append(Reason.FOREIGN_UNIT)
            line.qty = line.qty or None
        basket.doubts += [doubt for doubt in doubts if doubt is not None]


def _doubt_quantity(line: Line, counted: Token, show: ShowCodes) -> Reason | None:
    if not line.qty:
        return Reason.ODD_QUANTITY
    if line.qty > _TAKEN_WITHOUT_ASKING:
        return Reason.BULK
    untied = counted.unit is None and counted.tag is not Tag.COUNT
    if line.qty >= _TWO_DIGITS and untied:
        glued_code = line.token.text.rstrip("0123456789") + str(line.qty)
        other = show.find_code(glued_code)
        return Reason.UNCLEAR if other not in (None, line.code) else None
    return None


def _counted_in_its_unit(line: Line, product: Product) -> bool:
    """Say whether the unit tells what an unmarked name means: '3 qua buoi'."""
    unit = line.counted.unit if line.counted is not None else None
    return unit is not None and unit_fits(unit, product)


def unit_fits(unit: str | None, product: Product | None) -> bool:
    """Say whether goods counted by `unit` can be this product: its own unit, a like one, 'cái'."""
    if unit is None or product is None:
        return True
    if spelling(unit) in AFTER_NUMBERS["any"]:
        return True
    if len(unit) == 1:
        return product.unit.lower().startswith(unit)
    return unit_alike(unit, product.unit)
