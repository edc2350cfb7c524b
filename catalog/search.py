"""Search that forgives missing accents: an index of words, one prefix match for each typed word.

Every word of a product stands in the index twice where it carries a mark: folded («bun») and as
it is written («bún»). The folded one finds, the written one ranks. The same rows and the same
comparison work on every database, because the words are compared byte by byte.
"""

import re
from collections.abc import Iterable

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    SelectBase,
    String,
    bindparam,
    delete,
    insert,
    intersect,
    select,
    text,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from core.db import Base
from core.text import nfc, words

LONGEST_WORD = 40
MOST_WORDS = 8
_RUN = re.compile(r"[^\W_]+")
# PostgreSQL would otherwise sort words as a dictionary does, and a range would miss some.
_Bytes = String(LONGEST_WORD).with_variant(String(LONGEST_WORD, collation="C"), "postgresql")


class ProductWord(Base):
    """One word of a product's search text, and whether its name says it."""

    __tablename__ = "product_word"
    __table_args__ = (
        Index(
            "ix_product_word_named",
            "word",
            "product_id",
            sqlite_where=text("in_name IS 1"),
            postgresql_where=text("in_name IS true"),
        ),
    )

    word: Mapped[str] = mapped_column(_Bytes, primary_key=True)
    product_id: Mapped[int] = mapped_column(
        ForeignKey("product.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    in_name: Mapped[bool]


def word_rows(product_id: int, name: str, more: Iterable[str | None]) -> list[dict[str, object]]:
    """Return the index rows of one product: words of its name, then of everything else."""
    named = _forms(name)
    others = set().union(*(_forms(text) for text in more if text)) - named
    return [
        {"word": word, "product_id": product_id, "in_name": in_name}
        for group, in_name in ((named, True), (others, False))
        for word in sorted(group)
    ]


def index(session: Session, product_id: int, name: str, more: Iterable[str | None]) -> None:
    """Replace the words under which a product is found."""
    session.execute(delete(ProductWord).where(ProductWord.product_id == product_id))
    rows = word_rows(product_id, name, more)
    if rows:
        session.execute(insert(ProductWord), rows)


def typed_words(query: str) -> list[tuple[str, str]]:
    """Return (folded, as typed) for each word of a query; none when it holds no letter or digit."""
    pairs = [pair for run in _RUN.findall(nfc(query).lower()) for pair in _pairs(run)]
    return list(dict.fromkeys(pairs))[:MOST_WORDS]


def matches(column: InstrumentedAttribute[int], words: int) -> ColumnElement[bool]:
    """Return the condition that every typed word begins a word of the product, marks or not.

    It compares with the first `words` of `compared()`.
    """
    return column.in_(
        _all_of([_products().where(_begins_with("folded", number)) for number in range(words)])
    )


def matches_as_written(column: InstrumentedAttribute[int], words: int) -> ColumnElement[bool]:
    """Return the condition that the product's name has the words just as they were typed.

    The last one may still be growing; those before it are whole.
    """
    named = _products().where(ProductWord.in_name.is_(True))
    whole = [
        named.where(ProductWord.word == bindparam(f"written_{number}", type_=_Bytes))
        for number in range(words - 1)
    ]
    return column.in_(_all_of([*whole, named.where(_begins_with("written", words - 1))]))


def compared(typed: list[tuple[str, str]]) -> dict[str, str]:
    """Return what the conditions compare with: each word and the first one after its prefix."""
    values: dict[str, str] = {}
    for number, pair in enumerate(typed):
        for kind, prefix in zip(("folded", "written"), pair, strict=True):
            values[f"{kind}_{number}"] = prefix
            values[f"{kind}_{number}_end"] = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return values


def _products() -> Select[int]:
    return select(ProductWord.product_id)


def _all_of(sets: list[Select[int]]) -> SelectBase:
    # One set instead of many joins: planning those took PostgreSQL longer than running them.
    return sets[0] if len(sets) == 1 else intersect(*sets)


def _begins_with(kind: str, number: int) -> ColumnElement[bool]:
    prefix, end = (
        bindparam(name, type_=_Bytes) for name in (f"{kind}_{number}", f"{kind}_{number}_end")
    )
    return (ProductWord.word >= prefix) & (ProductWord.word < end)


def _forms(text: str) -> set[str]:
    return {
        form for run in _RUN.findall(nfc(text).lower()) for pair in _pairs(run) for form in pair
    }


def _pairs(run: str) -> list[tuple[str, str]]:
    folded = words(run)
    if len(folded) == 1:
        return [(folded[0][:LONGEST_WORD], run[:LONGEST_WORD])]
    return [(word[:LONGEST_WORD], word[:LONGEST_WORD]) for word in folded]
