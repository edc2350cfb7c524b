"""Languages: English msgids, Vietnamese by default; money, days and moments as people write them.

Each floor keeps its Vietnamese in `translations/vi/<floor>.po`; they are merged into one catalogue.
"""

from contextlib import AbstractContextManager
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask_babel import LazyString, force_locale, get_locale
from flask_babel import gettext as look_up
from markupsafe import escape

from core.clock import VIETNAM
from core.money import Money
from core.settings import ROOT

SOURCES = ROOT / "translations" / "vi"
COMPILED = ROOT / "translations" / "vi" / "LC_MESSAGES" / "messages.mo"


class Lazy(LazyString):  # type: ignore[misc]
    """A sentence in the language of whoever reads it.

    The library's own calls itself safe HTML, though it may repeat what somebody typed.
    """

    def __html__(self) -> str:
        """Return the sentence as HTML that shows it, whatever is in it."""
        return str(escape(str(self)))


def lazy(msgid: str, **values: Any) -> Lazy:
    """Return `msgid` to be translated when it is shown, not when it is raised."""
    return Lazy(gettext, msgid, **values)


def gettext(msgid: str, **values: Any) -> str:
    """Return `msgid` in the language of this page, as flask_babel says it, looked up once."""
    locale = get_locale()
    said = remembered(locale.language if locale is not None else None, msgid)
    return said % values if values else said


@lru_cache(maxsize=8_192)
def remembered(tongue: str | None, msgid: str) -> str:  # noqa: ARG001 - the tongue is the key
    """Return `msgid` in `tongue`, which must be the language of this page."""
    return str(look_up(msgid))


def speaking(tongue: str) -> AbstractContextManager[None]:
    """Write in `tongue` inside the block, whoever's page or work this is; needs an app's context.

    For letters: they are written in their reader's language.
    """
    spoken: AbstractContextManager[None] = force_locale(tongue)
    return spoken


def mark(msgid: str) -> str:
    """Return `msgid` as it is: marked for translation here, translated where it is shown."""
    return msgid


def compile_translations(sources: Path = SOURCES, target: Path = COMPILED) -> None:
    """Merge every floor's .po into one .mo, if any source is newer than it."""
    files = sorted(sources.glob("*.po"))
    if target.exists() and all(f.stat().st_mtime <= target.stat().st_mtime for f in files):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and moved: two processes starting at once never read half a catalogue.
    draft = target.with_suffix(f".{id(files)}.tmp")
    merged = merged_catalog(files)
    with draft.open("wb") as file:
        write_mo(file, merged)
    draft.replace(target)


def merged_catalog(files: list[Path]) -> Catalog:
    """Return one catalogue of all `files`; a msgid with two different translations is refused."""
    merged = Catalog(locale="vi")
    for path in files:
        with path.open("rb") as file:
            for message in read_po(file, locale="vi"):
                if not message.id:
                    continue
                before = merged.get(message.id, message.context)
                if before is not None and before.string != message.string:
                    reason = f"{path.name}: {message.id!r} is already translated otherwise"
                    raise ValueError(reason)
                if before is None:
                    merged.add(message.id, message.string, context=message.context)
    return merged


def language() -> str:
    """Return the language of this page: vi or en."""
    locale = get_locale()
    return locale.language if locale is not None else "vi"


def show_money(amount: Money) -> str:
    """Write an amount: 165.000 ₫ in Vietnamese, ₫165,000 in English."""
    if language() == "en":
        return f"₫{amount.dong:,}"
    return str(amount)


def show_day(day: date) -> str:
    """Write a day: 20/11/2026, or 20 Nov 2026 in English."""
    if language() == "en":
        return format_date(day, "d MMM y", locale="en")
    return f"{day:%d/%m/%Y}"


def show_moment(moment: datetime) -> str:
    """Write a moment as a clock in Vietnam shows it: 20:31 · 20/11/2026."""
    local = moment.astimezone(VIETNAM)
    return f"{local:%H:%M} · {show_day(local.date())}"
