"""Text as this house stores and searches it: NFC, no control characters, one fold()."""

import re
import unicodedata

_SPACES = re.compile(r"[^\S\n]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NON_WORD = re.compile(r"[^0-9a-z]+")


def nfc(text: str) -> str:
    """Return `text` in NFC, the only form that is stored or compared."""
    return unicodedata.normalize("NFC", text)


def clean(text: str) -> str:
    """Return one line or paragraph as people meant it: NFC, single spaces, trimmed ends."""
    return _SPACES.sub(" ", nfc(text)).strip()


def fold(text: str) -> str:
    """Return `text` lower-cased without any Vietnamese mark: 'Đường Ổi' → 'duong oi'.

    The only folding in the house: index and query both pass through it. đ is not a
    combining letter, so it is mapped by hand (SQLite and most libraries leave it alone).
    """
    lowered = unicodedata.normalize("NFD", text).lower().replace("đ", "d")
    return "".join(c for c in lowered if not unicodedata.category(c).startswith("M"))


def words(text: str) -> list[str]:
    """Return the folded words of `text`, letters and digits only, in order."""
    return [word for word in _NON_WORD.split(fold(text)) if word]


def slugify(text: str) -> str:
    """Return an address part for `text`: 'Mật ong Đan Phượng' → 'mat-ong-dan-phuong'."""
    return "-".join(words(text))[:80].strip("-")


def has_control_characters(text: str) -> bool:
    """Say whether `text` holds what no database or page may receive: U+0000 and friends.

    Tab, line feed and carriage return are ordinary in text areas and allowed; lone
    surrogates are not text at all.
    """
    return _CONTROL.search(text) is not None
