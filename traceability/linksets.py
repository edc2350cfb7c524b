"""Linksets (RFC 9264) of what a link leads to: one object for each level, in GS1's vocabulary."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

VOCABULARY = "https://gs1.org/voc/"
# The same vocabulary under the names it also goes by.
_OTHER_NAMES = (
    "gs1:",
    "https://www.gs1.org/voc/",
    "https://ref.gs1.org/voc/",
    "http://gs1.org/voc/",
    "http://www.gs1.org/voc/",
)
MEDIA_TYPE = "application/linkset+json"
# Programs that ask for JSON of another name mean the same.
LD_JSON = "application/ld+json"
ALSO_ASKED_AS = ("application/json", LD_JSON)
CONTEXT = "https://ref.gs1.org/standards/resolver/linkset-context"
CONTEXT_LINK = (
    f'<{CONTEXT}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
)
DEFAULT = "defaultLink"


@dataclass(frozen=True, slots=True)
class Link:
    """One page: its type in GS1's vocabulary, absolute address, title, and for whom it is."""

    kind: str
    href: str
    title: str
    language: str | None = None
    media: str | None = "text/html"
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """One level: its own link, what it is, where it leads by default and what else there is."""

    address: str
    description: str
    default: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request says of the link it wants.

    `languages` go from the best down, `quality` rates a media type from 0 to 1.
    """

    kind: str
    languages: Sequence[str] = ()
    quality: Callable[[str], float] = lambda _media: 1.0
    context: str | None = None


def document(anchors: Iterable[Anchor]) -> dict[str, list[dict[str, object]]]:
    """Return the linkset as JSON says it, from the product to the finest level."""
    return {"linkset": [_object(anchor) for anchor in anchors]}


def _object(anchor: Anchor) -> dict[str, object]:
    described: dict[str, list[dict[str, object]]] = {}
    for link in anchor.links:
        described.setdefault(VOCABULARY + link.kind, []).append(_described(link))
    return {
        "anchor": anchor.address,
        "itemDescription": anchor.description,
        VOCABULARY + DEFAULT: [{"href": anchor.default, "title": anchor.description}],
        **described,
    }


def _described(link: Link) -> dict[str, object]:
    said: dict[str, object] = {"href": link.href, "title": link.title}
    if link.media:
        said["type"] = link.media
    if link.language:
        said["hreflang"] = [link.language]
    if link.context:
        said["context"] = [link.context]
    return said


def choose(anchors: Sequence[Anchor], wanted: Wanted) -> list[Link]:
    """Return the finest links of the wanted type that fit best: none, one, or several alike.

    First the language decides, then the media type, then the context. The type may be written
    short (gs1:pip) or as an address.
    """
    name = plain_name(wanted.kind)
    for anchor in reversed(anchors):
        if name == DEFAULT:
            return [Link(DEFAULT, anchor.default, anchor.description)]
        found = [link for link in anchor.links if link.kind == name]
        if found:
            return _best(found, wanted)
    return []


def _best(links: list[Link], wanted: Wanted) -> list[Link]:
    if len(links) > 1:
        links = _of_language(links, wanted.languages)
    if len(links) > 1:
        best = max(wanted.quality(link.media or "text/html") for link in links)
        links = [link for link in links if wanted.quality(link.media or "text/html") == best]
    if len(links) > 1:
        links = [link for link in links if link.context == wanted.context] or [
            link for link in links if link.context is None
        ] or links  # fmt: skip
    return links


def _of_language(links: list[Link], languages: Sequence[str]) -> list[Link]:
    for tongue in (*languages, None, "vi"):
        spoken = [link for link in links if link.language == tongue]
        if spoken:
            return spoken
    return links


def plain_name(kind: str) -> str:
    """Return a link type without the vocabulary's name in front."""
    for prefix in (VOCABULARY, *_OTHER_NAMES):
        if kind.startswith(prefix):
            return kind.removeprefix(prefix)
    return kind
