"""The shop's policies: texts in `data/policies`, one file a version and language, named by its day.

A version is never edited once people have agreed to it: a new rule is a new file. The newest whose
day has come is in force; all stay readable.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from core.errors import NotFound
from core.i18n import lazy as _
from core.settings import ROOT

FOLDER = ROOT / "data" / "policies"
TERMS, PRIVACY = "dieu-khoan", "rieng-tu"
TITLES: Mapping[str, object] = {
    TERMS: _("Terms of use"),
    PRIVACY: _("Privacy policy"),
    "thanh-toan": _("Payment policy"),
    "giao-hang": _("Delivery policy"),
    "doi-tra": _("Return and refund policy"),
    "khieu-nai": _("Complaint policy"),
}
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})\.vi\.md")


class NoSuchPolicy(NotFound):
    """There is no such policy, or no such version of it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph or a list: `kind` is h2, p or ul."""

    kind: str
    lines: tuple[str, ...]


def list_versions(slug: str) -> list[date]:
    """Return the days of all versions of a policy, the newest first. Raises NoSuchPolicy."""
    if slug not in TITLES:
        raise NoSuchPolicy
    return list(_versions(slug))


def current(slug: str, today: date) -> date:
    """Return the version in force on `today`. Raises NoSuchPolicy."""
    found = next((day for day in list_versions(slug) if day <= today), None)
    if found is None:
        raise NoSuchPolicy
    return found


@lru_cache(maxsize=64)
def read(slug: str, version: date, tongue: str) -> tuple[Block, ...]:
    """Return a version of a policy in a language, block by block. Raises NoSuchPolicy."""
    path = FOLDER / slug / f"{version.isoformat()}.{tongue}.md"
    if version not in list_versions(slug) or not path.is_file():
        raise NoSuchPolicy
    return tuple(_blocks(path.read_text("utf-8").splitlines()))


@lru_cache(maxsize=16)
def _versions(slug: str) -> tuple[date, ...]:
    names = (_NAME.fullmatch(path.name) for path in (FOLDER / slug).iterdir())
    return tuple(sorted((date.fromisoformat(n.group(1)) for n in names if n), reverse=True))


def _blocks(lines: list[str]) -> list[Block]:
    blocks: list[Block] = []
    for line in filter(None, map(str.strip, lines)):
        if line.startswith("## "):
            blocks.append(Block("h2", (line[3:],)))
        elif line.startswith("- "):
            before = blocks.pop().lines if blocks and blocks[-1].kind == "ul" else ()
            blocks.append(Block("ul", (*before, line[2:])))
        else:
            blocks.append(Block("p", (line,)))
    return blocks
