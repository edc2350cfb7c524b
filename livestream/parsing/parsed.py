"""What a comment was read as: intent, items, phone, lane, and where in the text it stood."""

import enum
from dataclasses import dataclass


class Intent(enum.StrEnum):
    """What the writer wants."""

    ORDER = "order"
    CANCEL = "cancel"
    QUESTION = "question"
    OTHER = "other"


class Lane(enum.StrEnum):
    """Who acts: the machine, a person, or nobody."""

    AUTO = "auto"
    REVIEW = "review"
    IGNORE = "ignore"


class Reason(enum.StrEnum):
    """Why a comment was read as it was; all but the first group send it to a person."""

    HOST = "host"
    EMPTY = "empty"
    PHONE_ONLY = "phone_only"
    REMARK = "remark"
    PAST = "past"
    ASKED = "asked"
    ADVERT = "advert"
    KEPT = "kept"

    BAD_PHONE = "bad_phone"
    BULK = "bulk"
    CHANGE = "change"
    CODE_IN_ADDRESS = "code_in_address"
    CONDITION = "condition"
    CROWD = "crowd"
    FOREIGN_UNIT = "foreign_unit"
    HEDGED = "hedged"
    LOOKS_LIKE_CODE = "looks_like_code"
    MENTION = "mention"
    NAME_NOT_CODE = "name_not_code"
    NO_ACCENTS = "no_accents"
    NO_CODE = "no_code"
    ODD_QUANTITY = "odd_quantity"
    ONE_OF_SEVERAL = "one_of_several"
    PINNED_ONLY = "pinned_only"
    PRICE_NOT_QUANTITY = "price_not_quantity"
    RANK_OR_NUMBER = "rank_or_number"
    REPEATED = "repeated"
    RUNNING_TOTAL = "running_total"
    SPLIT_CODE = "split_code"
    TOO_LONG = "too_long"
    UNCLEAR = "unclear"
    UNKNOWN_CODE = "unknown_code"
    UNREAD_WORDS = "unread_words"
    VARIANT = "variant"
    WHOLE_ORDER = "whole_order"


@dataclass(frozen=True, slots=True)
class Item:
    """One code with its quantity; `qty` None on a cancel means all of it.

    `note` holds the variant words, colour before size, "" when none.
    """

    code: str
    qty: int | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece `text[start:end]` of the comment as it was sent, and what it was read as."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """The whole reading of one comment. Lane `ignore` never carries items.

    `phone` is set whatever the lane: a bare phone number belongs to the writer's open bag.
    """

    intent: Intent
    items: tuple[Item, ...] = ()
    phone: str | None = None
    unknown_codes: tuple[str, ...] = ()
    lane: Lane = Lane.IGNORE
    reasons: tuple[Reason, ...] = ()
    spans: tuple[Span, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the reading as `flask live parse` prints it, all but the id."""
        return {
            "intent": str(self.intent),
            "items": [{"code": i.code, "qty": i.qty, "note": i.note} for i in self.items],
            "phone": self.phone,
            "lane": str(self.lane),
            "reasons": [str(reason) for reason in self.reasons],
        }
