"""Pages elsewhere that a producer hangs on a printed code: recipe, video, homepage.

They are only ever shown and redirected to, never fetched by us.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from catalog.products import Product
from core.db import Base
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _
from core.text import clean

MOST_LINKS = 40
LONGEST_HREF = 500
LONGEST_TITLE = 120
LONGEST_HOST = 253
# Link types of GS1's vocabulary that somebody outside may be the best to tell about.
LINK_TYPES = {
    "pip": _("About the goods"),
    "instructions": _("How to use it"),
    "recipeInfo": _("Recipe"),
    "relatedVideo": _("Video"),
    "homepage": _("Homepage"),
    "socialMedia": _("Page on a social network"),
    "ingredientsInfo": _("Ingredients"),
    "nutritionalInfo": _("Nutrition"),
    "certificationInfo": _("Certificates"),
    "hasRetailers": _("Where to buy"),
    "leaveReview": _("Reviews"),
    "sustainabilityInfo": _("Environment"),
}
LANGUAGES = ("vi", "en", "fr", "ja", "ko", "zh")
MEDIA = ("text/html", "application/pdf", "video/mp4", "image/jpeg", "application/json")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_PLAIN = re.compile(r"[!-~]+")
_CONTEXT = re.compile(r"[A-Za-z0-9-]{0,20}")

describe({"link.add": _("added a link to a code"), "link.drop": _("took a link off a code")})


class WrongLink(Invalid):
    """The link cannot be hung on a code; `field` names what is wrong."""


class TooManyLinks(Conflict):
    """One product has as many links as anybody reads."""


class NoSuchLink(NotFound):
    """This producer has no such link."""


class LinkTarget(Base):
    """One page elsewhere about one product, found under all its codes."""

    __tablename__ = "link_target"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    kind: Mapped[str]
    href: Mapped[str]
    title: Mapped[str]
    language: Mapped[str | None]
    media: Mapped[str | None]
    context: Mapped[str | None]
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Typed:
    """A link as it stands in the form."""

    kind: str
    href: str
    title: str
    language: str = ""
    media: str = ""
    context: str = ""


def list_of_product(session: Session, product_id: int) -> list[LinkTarget]:
    """Return the links of a product in the order they were written."""
    return list(
        session.scalars(
            select(LinkTarget).where(LinkTarget.product_id == product_id).order_by(LinkTarget.id)
        )
    )


def list_of_producer(session: Session, producer_id: int) -> list[tuple[LinkTarget, Product]]:
    """Return every link of a producer's goods with its product."""
    rows = session.execute(
        select(LinkTarget, Product)
        .join(Product, Product.id == LinkTarget.product_id)
        .where(Product.producer_id == producer_id)
        .order_by(Product.name, Product.id, LinkTarget.id)
    )
    return [(link, product) for link, product in rows]


def add(
    session: Session,
    producer_id: int,
    product_id: int | None,
    typed: Typed,
    *,
    actor: Actor,
    now: datetime,
) -> LinkTarget:
    """Hang a page on the codes of one of this producer's products.

    Raises WrongLink naming its field, or TooManyLinks.
    """
    product = session.get(Product, product_id) if product_id else None
    if product is None or product.producer_id != producer_id:
        raise WrongLink(_("Choose one of your goods."), field="product_id")
    if typed.kind not in LINK_TYPES:
        raise WrongLink(_("Choose what the page is about."), field="kind")
    for field, value, allowed in (
        ("language", typed.language, LANGUAGES),
        ("media", typed.media, MEDIA),
    ):
        if value and value not in allowed:
            raise WrongLink(_("Choose from the list."), field=field)
    if not _CONTEXT.fullmatch(typed.context):
        raise WrongLink(_("Use at most 20 letters, digits and hyphens."), field="context")
    title = clean(typed.title)
    if not title or len(title) > LONGEST_TITLE:
        raise WrongLink(_("Write what the page is called, in at most 120 letters."), field="title")
    count = select(func.count()).where(LinkTarget.product_id == product.id)
    if (session.scalar(count) or 0) >= MOST_LINKS:
        raise TooManyLinks(_("These goods have enough links."), field="href")
    link = LinkTarget(
        product_id=product.id,
        kind=typed.kind,
        href=plain_address(typed.href),
        title=title,
        language=typed.language or None,
        media=typed.media or None,
        context=typed.context or None,
        created_at=now,
    )
    session.add(link)
    session.flush()  # gives the link its id
    record(session, actor, "link.add", f"product:{product.id}", now=now, href=link.href)
    return link


def plain_address(text: str) -> str:
    """Return a web address of a named site as it may be redirected to; raises WrongLink.

    Only https to a named host without a log-in or a port of its own, in plain ASCII.
    """
    wrong = WrongLink(_("Write the whole address of a page, beginning with https://"), field="href")
    text = text.strip()
    if len(text) > LONGEST_HREF or not _PLAIN.fullmatch(text) or "\\" in text:
        raise wrong
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise wrong from None
    host = (parts.hostname or "").lower()
    if parts.scheme != "https" or "@" in parts.netloc or port not in (None, 443):
        raise wrong
    if len(host) > LONGEST_HOST or not _HOST.fullmatch(host) or _is_number(host):
        raise wrong
    if any(letter in text for letter in "<>\"'`{}|^"):
        raise wrong
    return text


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def drop(session: Session, producer_id: int, link_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a link off; the code goes on leading to our own page. Raises NoSuchLink."""
    link = session.scalar(
        select(LinkTarget)
        .join(Product, Product.id == LinkTarget.product_id)
        .where(LinkTarget.id == link_id, Product.producer_id == producer_id)
    )
    if link is None:
        raise NoSuchLink(_("There is no such link."))
    session.delete(link)
    record(session, actor, "link.drop", f"product:{link.product_id}", now=now, href=link.href)
