"""Text as machines of channels accept it: plain, one line, cut at a word."""

import html
import re
import unicodedata

_TAG = re.compile(r"<[^>]{0,2000}>")
_SPACES = re.compile(r"\s+")
_CONTACT = re.compile(
    r"https?://|www\.|[\w.]+@[\w.]+\.\w|\b0\d(?:[\s.]?\d){8}\b|zalo|facebook|shopee|lazada",
    re.IGNORECASE,
)
_PROMOTION = re.compile(
    r"giảm giá|khuyến mãi|khuyến mại|sale off|freeship|miễn phí ship|rẻ nhất|số 1|hot deal",
    re.IGNORECASE,
)
SHOUTING_FROM = 4


def plain(text: str, longest: int) -> str:
    """Return `text` without markup, entities or control characters, cut at a word (rule 2)."""
    text = html.unescape(_TAG.sub(" ", unicodedata.normalize("NFC", text)))
    text = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in {"Cc", "Cs"})
    text = _SPACES.sub(" ", text).strip()
    if len(text) <= longest:
        return text
    cut = text[: longest + 1].rsplit(" ", 1)[0] if " " in text[:longest] else text[:longest]
    return cut[:longest].rstrip(" ,;–-")


def is_shouting(text: str) -> bool:
    """Say whether every letter is a capital (channels refuse ALL CAPS)."""
    letters = [c for c in text if c.isalpha()]
    return len(letters) >= SHOUTING_FROM and all(c.isupper() for c in letters)


def has_contact(text: str) -> bool:
    """Say whether the text names a phone, a site, a mail or another platform (rule 4)."""
    return _CONTACT.search(text) is not None


def has_promotion(text: str) -> bool:
    """Say whether the text shouts a promotion (rule 4)."""
    return _PROMOTION.search(text) is not None
