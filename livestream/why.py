"""Why a comment waits for a person, in the operator's words."""

from core.i18n import mark
from livestream.comments import Comment
from livestream.parsing import Reason

BY_RULE = {
    Reason.BAD_PHONE: mark("the phone number is not complete"),
    Reason.BULK: mark("a large quantity"),
    Reason.CHANGE: mark("changes an earlier order"),
    Reason.CODE_IN_ADDRESS: mark("the code may be part of an address"),
    Reason.CONDITION: mark("an order with a condition"),
    Reason.CROWD: mark("many codes in one line"),
    Reason.FOREIGN_UNIT: mark("another unit than the goods'"),
    Reason.HEDGED: mark("not sure yet"),
    Reason.LOOKS_LIKE_CODE: mark("looks like a code"),
    Reason.MENTION: mark("mentions someone"),
    Reason.NAME_NOT_CODE: mark("names the goods, not the code"),
    Reason.NO_ACCENTS: mark("no accents, could mean two things"),
    Reason.NO_CODE: mark("no code"),
    Reason.ODD_QUANTITY: mark("an odd quantity"),
    Reason.ONE_OF_SEVERAL: mark("one of several goods"),
    Reason.PINNED_ONLY: mark("means what is on screen"),
    Reason.PRICE_NOT_QUANTITY: mark("a price, not a quantity"),
    Reason.RANK_OR_NUMBER: mark("a number that may be a rank"),
    Reason.REPEATED: mark("the same code twice"),
    Reason.RUNNING_TOTAL: mark("a new total"),
    Reason.SPLIT_CODE: mark("the code is split"),
    Reason.TOO_LONG: mark("a long text"),
    Reason.UNCLEAR: mark("unclear"),
    Reason.UNKNOWN_CODE: mark("a code this show does not have"),
    Reason.UNREAD_WORDS: mark("words that were not read"),
    Reason.VARIANT: mark("size or colour missing"),
    Reason.WHOLE_ORDER: mark("cancels everything"),
}
BY_CASE = {
    "late": mark("came after the end"),
    "nobody": mark("the platform hides who wrote it"),
    "many": mark("more than 10 of one item"),
    "edited": mark("was edited"),
}


def why(comment: Comment) -> list[str]:
    """Return the msgids of what made this comment wait, the plainest first."""
    case = "edited" if comment.edited_at else comment.outcome
    told = [BY_CASE[case]] if case in BY_CASE else []
    reasons = (BY_RULE.get(Reason(word)) for word in comment.parsed.get("reasons", ()))
    return told + [reason for reason in reasons if reason]
