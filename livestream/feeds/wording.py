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
_STARS = r"(?:\b[1-5][\s-]*(?:sao|stars?)\b|[★⭐]+)"
_SAYS_STARS = re.compile(_STARS, re.IGNORECASE)
_STAR_WORDS = re.compile(
    rf"\s*[-–,(]?\s*(?:\bđạt\s+)?(?:\bOCOP\s+)?(?:\bhạng\s+)?{_STARS}(?:\s+OCOP\b)?\s*\)?",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?;])\s+")
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


def without_star_words(title: str, stars: int | None) -> str:
    """Return a name without stars it claims that no certificate gives today."""
    return title if _may_say(title, stars) else _STAR_WORDS.sub("", title).strip(" ,;–-")


def without_star_sentences(text: str, stars: int | None) -> str:
    """Return a text without the sentences that claim stars no certificate gives today."""
    return " ".join(one for one in _SENTENCES.split(text) if _may_say(one, stars))


def _may_say(text: str, stars: int | None) -> bool:
    claimed = (int(said[0]) if said[0].isdigit() else len(said) for said in _stars_said(text))
    return all(one == stars for one in claimed)


def _stars_said(text: str) -> list[str]:
    return [said.group() for said in _SAYS_STARS.finditer(text)]


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
