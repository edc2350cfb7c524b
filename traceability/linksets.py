"""Linksets (RFC 9264) of what a link leads to: one object for each level, in GS1's vocabulary."""

from collections.abc import Iterable
from dataclasses import dataclass

VOCABULARY = "https://gs1.org/voc/"
# The same vocabulary under the names it also goes by.
_OTHER_NAMES = (
    "gs1:",
    "https://www.gs1.org/voc/",
    "https://ref.gs1.org/voc/",
    "http://gs1.org/voc/",
)
MEDIA_TYPE = "application/linkset+json"
CONTEXT_LINK = (
    "<https://ref.gs1.org/standards/resolver/linkset-context>;"
    ' rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
)
DEFAULT = "defaultLink"


@dataclass(frozen=True, slots=True)
class Link:
    """One page: its type in GS1's vocabulary, absolute address, title and language."""

    kind: str
    href: str
    title: str
    language: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """One level: its own link, what it is, where it leads by default and what else there is."""

    address: str
    description: str
    default: str
    links: tuple[Link, ...]


def document(anchors: Iterable[Anchor]) -> dict[str, list[dict[str, object]]]:
    """Return the linkset as JSON says it, from the product to the finest level."""
    return {"linkset": [_object(anchor) for anchor in anchors]}


def _object(anchor: Anchor) -> dict[str, object]:
    described: dict[str, list[dict[str, object]]] = {}
    for link in anchor.links:
        described.setdefault(VOCABULARY + link.kind, []).append(
            {
                "href": link.href,
                "title": link.title,
                "type": "text/html",
                "hreflang": [link.language],
            }
        )
    return {
        "anchor": anchor.address,
        "itemDescription": anchor.description,
        VOCABULARY + DEFAULT: [{"href": anchor.default, "title": anchor.description}],
        **described,
    }


def find_link(anchors: list[Anchor], kind: str, *, languages: list[str]) -> str | None:
    """Return the address of the finest link of this type in the best language, or None.

    `kind` may be written short (gs1:pip) or as an address; languages go from the best down.
    """
    name = _name(kind)
    for anchor in reversed(anchors):
        if name == DEFAULT:
            return anchor.default
        found = {link.language: link.href for link in anchor.links if link.kind == name}
        if found:
            return next((found[tongue] for tongue in languages if tongue in found), None) or next(
                iter(found.values())
            )
    return None


def _name(kind: str) -> str:
    for prefix in (VOCABULARY, *_OTHER_NAMES):
        if kind.startswith(prefix):
            return kind.removeprefix(prefix)
    return kind
