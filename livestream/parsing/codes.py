"""The codes of one show as the parser knows them: names, units, other names, variants."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import Invalid
from core.text import clean
from livestream.parsing.letters import Spelling, spelling

_SIZES = frozenset(("xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl", "2xl", "3xl", "freesize"))
_MEASURE = re.compile(r"\s*\b\d+(?:[.,]\d+)?\s*(?:ml|l|lít|g|gr|gram|kg)\b.*", re.IGNORECASE)
_NOT_ALNUM = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Product:
    """One coded good of a show; `unit` is the word it is counted by."""

    code: str
    name: str = ""
    unit: str = ""
    aliases: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()

    def variant(self, word: str) -> str | None:
        """Return the variant that `word` (lower case, with its marks) names, if any."""
        told = spelling(word)
        for variant in self.variants:
            own = spelling(clean(variant).lower())
            if own.fold == told.fold and (own.key == told.key or told.plain):
                return variant
        return None

    def note(self, chosen: list[str]) -> str:
        """Return the chosen variants as one note: colour first, then size."""
        return " ".join(sorted(dict.fromkeys(chosen), key=is_size))


@dataclass(frozen=True, slots=True)
class Name:
    """One way of naming a product in words."""

    words: tuple[Spelling, ...]
    code: str


@dataclass(frozen=True)
class ShowCodes:
    """Everything that one show's comments may name."""

    products: Mapping[str, Product]
    by_key: Mapping[str, str] = field(init=False)
    names: Mapping[str, tuple[Name, ...]] = field(init=False)
    letters: frozenset[str] = field(init=False)
    digits_only: bool = field(init=False)
    units: frozenset[str] = field(init=False)
    vocabulary: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Build the look-up tables once for the whole show."""
        by_key = {_code_key(code): code for code in self.products}
        named = [name for product in self.products.values() for name in _names(product)]
        named.sort(key=lambda name: -len(name.words))
        names: dict[str, list[Name]] = {}
        for name in named:
            names.setdefault(name.words[0].fold, []).append(name)
        variants = [v for p in self.products.values() for v in p.variants]
        heads = (re.match(r"[^\W\d_]+", key) for key in by_key)
        put = object.__setattr__
        put(self, "by_key", {k: c for k, c in by_key.items() if not k.isalpha()})
        put(self, "names", {head: tuple(rest) for head, rest in names.items()})
        put(self, "letters", frozenset(head.group() for head in heads if head))
        put(self, "digits_only", any(key.isdigit() for key in by_key))
        put(self, "units", frozenset(clean(p.unit).lower() for p in self.products.values()))
        put(
            self,
            "vocabulary",
            frozenset(w.fold for n in named for w in n.words)
            | frozenset(spelling(clean(v).lower()).fold for v in variants),
        )

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "ShowCodes":
        """Build from `{"products": {code: {name, unit, aliases, variants}}}`.

        Raises Invalid when the entry has another shape.
        """
        products = entry.get("products")
        if not isinstance(products, Mapping):
            raise Invalid("a session needs an object 'products'")
        read: dict[str, Product] = {}
        for code, about in products.items():
            if not isinstance(about, Mapping) or not _code_key(str(code)):
                raise Invalid(f"product {code!r} is not an object with a readable code")
            read[str(code)] = Product(
                code=str(code),
                name=str(about.get("name") or ""),
                unit=str(about.get("unit") or ""),
                aliases=tuple(str(a) for a in about.get("aliases") or ()),
                variants=tuple(str(v) for v in about.get("variants") or ()),
            )
        return cls(read)

    def find_code(self, typed: str) -> str | None:
        """Return the code that a whole token names: 'a1' and 'a01' are A1, 'a12' is not."""
        found = self.by_key.get(typed)
        if found is None:
            found = self.by_key.get(_LEADING_ZERO.sub(r"\1\2", typed))
        return found

    def find_pinned(self, code: str | None) -> Product | None:
        """Return the product on screen, if `code` is one of this show's."""
        return self.products.get(code) if code else None


_LEADING_ZERO = re.compile(r"^([^\W\d_]+)0+(\d+)$")


def is_size(variant: str) -> bool:
    """Say whether a variant is a size (it is noted after the colour)."""
    word = variant.lower()
    return word in _SIZES or word.isdigit()


def _code_key(code: str) -> str:
    return _NOT_ALNUM.sub("", clean(code)).lower()


def _names(product: Product) -> list[Name]:
    full = clean(product.name).lower()
    told = {clean(alias).lower() for alias in product.aliases} | {full, _MEASURE.sub("", full)}
    if _code_key(product.code).isalpha():
        told.add(_code_key(product.code))
    split = {tuple(_NOT_ALNUM.sub(" ", name).split()) for name in told}
    return [
        Name(tuple(spelling(word) for word in words), product.code)
        for words in sorted(split)
        if words
    ]
