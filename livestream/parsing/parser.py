"""One live comment read: pure, in linear time, for any text at all.

Rules, not guesses: a code of this show plus the shape of the line decides. What is doubtful goes
to a person; nothing doubtful is ever held by the machine.
"""

from livestream.parsing.basket import Line
from livestream.parsing.codes import ShowCodes
from livestream.parsing.letters import Letters, letters
from livestream.parsing.lexicon import Tag
from livestream.parsing.ordering import read_order, read_without_code
from livestream.parsing.parsed import Intent, Item, Lane, Parsed, Reason, Span
from livestream.parsing.reading import Decision, Reading, read_comment
from livestream.parsing.telling import (
    read_advert,
    read_cancel,
    read_question,
    read_remark,
    read_story,
)
from livestream.parsing.tokens import Kind

_LONGEST_READ = 500
_HEAD_OF_A_LONGER_ONE = 240  # nothing of it is acted on; a person reads the rest
_LONGEST_TAKEN = 300
_RULES = (read_cancel, read_advert, read_question, read_story, read_remark)


def parse(
    text: str, show: ShowCodes, *, pinned: str | None = None, author: str = "viewer"
) -> Parsed:
    """Read one comment of a show.

    `pinned` is the code on screen for over 30 seconds, or None; author `page` is the host, whose
    comments are never orders. Never raises, whatever the text; spans point into `text`.
    """
    if author == "page":
        return Parsed(Intent.OTHER, reasons=(Reason.HOST,))
    whole = len(text) <= _LONGEST_READ
    read = letters(text if whole else text[:_HEAD_OF_A_LONGER_ONE])
    line = read_comment(read, show, pinned)
    decision = _decide(line)
    if len(text) > _LONGEST_TAKEN and decision.intent in (Intent.ORDER, Intent.CANCEL):
        decision.reasons.append(Reason.TOO_LONG)
        decision.review = True
    return _parsed(decision, line, read)


def _decide(line: Reading) -> Decision:
    if not any(t.kind not in (Kind.MARK, Kind.BREAK) for t in line.tokens):
        asked = any(c.question_mark for c in line.clauses)
        return Decision(Intent.QUESTION if asked else Intent.OTHER, [], [Reason.EMPTY])
    for rule in _RULES:
        decision = rule(line)
        if decision is not None:
            return decision
    if line.basket.lines or line.basket.either_or:
        return read_order(line)
    return read_without_code(line)


# --- the answer ------------------------------------------------------------------------------


def _parsed(decision: Decision, line: Reading, read: Letters) -> Parsed:
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


def _spans(line: Reading, read: Letters) -> list[Span]:
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
