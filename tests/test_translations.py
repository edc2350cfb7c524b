"""Vietnamese is the first language: no sentence without it, none left over, no lost placeholder."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from core.i18n import SOURCES, merged_catalog
from core.settings import ROOT

METHODS = [
    ("core/**.py", "python"),
    ("accounts/**.py", "python"),
    ("catalog/**.py", "python"),
    ("traceability/**.py", "python"),
    ("shop/**.py", "python"),
    ("livestream/**.py", "python"),
    ("demo/**.py", "python"),
    ("wsgi.py", "python"),
    ("templates/**.html", "jinja2.ext:babel_extract"),
    ("templates/**.txt", "jinja2.ext:babel_extract"),
]
KEYWORDS = {
    "_": None,
    "gettext": None,
    "lazy": None,
    "lazy_gettext": None,
    "mark": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
Key = str | tuple[str, ...]


def written() -> dict[Key, str]:
    """Every sentence the code and templates say, with where."""
    found: dict[Key, str] = {}
    options = {"templates/**.html": {"trimmed": "true"}}
    for name, line, message, _comments, _context in extract_from_dir(
        str(ROOT), METHODS, options, KEYWORDS, directory_filter=_not_hidden
    ):
        key = tuple(message) if isinstance(message, tuple) else message
        found[key] = f"{name}:{line}"
    return found


def _not_hidden(folder: str) -> bool:
    name = Path(folder).name
    return not name.startswith(".") and name not in {"var", "node_modules"}


def translated() -> dict[Key, str | tuple[str, ...]]:
    """Every sentence of translations/vi."""
    catalog = merged_catalog(sorted(SOURCES.glob("*.po")))
    return {m.id if isinstance(m.id, str) else tuple(m.id): m.string for m in catalog if m.id}


def test_every_sentence_has_its_vietnamese() -> None:
    vietnamese = translated()

    missing = {
        where: text
        for text, where in written().items()
        if not vietnamese.get(text) or not all(_strings(vietnamese[text]))
    }

    assert missing == {}


def test_no_translation_is_left_over() -> None:
    said = written()

    assert [text for text in translated() if text not in said] == []


@pytest.mark.parametrize("form", ["NFC"])
def test_translations_keep_their_placeholders(form: str) -> None:
    import unicodedata  # noqa: PLC0415

    for text, vietnamese in translated().items():
        wanted = {name for part in _strings(text) for name in PLACEHOLDER.findall(part)}
        for part in _strings(vietnamese):
            assert set(PLACEHOLDER.findall(part)) <= wanted, text
            assert unicodedata.is_normalized(form, part), text
        if isinstance(text, str):
            assert {n for p in _strings(vietnamese) for n in PLACEHOLDER.findall(p)} == wanted, text


def _strings(value: str | tuple[str, ...] | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
