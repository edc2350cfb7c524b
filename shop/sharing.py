"""What people pass on: words for the village's chat group, and the card that a link shows there."""

import hashlib
from dataclasses import dataclass

from catalog.producers import Producer
from catalog.villages import Village
from core.i18n import lazy as _
from core.i18n import show_money
from core.settings import ROOT
from core.share_picture import ShareCard
from core.sizes import CHANNEL, key_of
from core.storage import Storage
from shop.product_page import ProductPage

PICTURES = ROOT / "static" / "tranh"
GATE = "cong-lang"


@dataclass(frozen=True, slots=True)
class Shared:
    """One page as it is passed on: `words` hold its address; `look` names the card's picture."""

    words: str
    card: ShareCard
    look: str

    @property
    def version(self) -> str:
        """Return what changes with anything that the card shows."""
        card = self.card
        told = "\n".join((card.title, *card.lines, card.price or "", str(card.stars), self.look))
        return hashlib.sha256(told.encode()).hexdigest()[:10]

    def picture(self, storage: Storage) -> bytes:
        """Return what stands beside the words: the goods' own photo, else a drawing."""
        if "/" in self.look:
            return storage.read(key_of(self.look, CHANNEL, "jpg"))
        return (PICTURES / f"{self.look}-1200.jpg").read_bytes()


def of_product(page: ProductPage, *, url: str) -> Shared:
    """Return a product as it is passed on, at today's lowest price."""
    product = page.product
    sold = [offer for offer in page.sold if offer.price is not None]
    lowest = min(sold, key=lambda offer: offer.price.dong if offer.price else 0, default=None)
    maker = page.producer.name if page.producer else ""
    price = show_money(lowest.price) if lowest and lowest.price else None
    stars = page.badge.stars if page.badge and page.badge.stars else 0
    sample = str(_("sample price")) if lowest and lowest.price_is_sample else ""
    told = [
        _joined(product.name, maker, page.place),
        str(_("OCOP %(stars)s stars", stars=stars)) if stars else "",
        _priced(price, lowest.unit, sample) if price and lowest else "",
        str(_("See and order: %(url)s", url=url)),
    ]
    card = ShareCard(
        title=product.name,
        lines=tuple(one for one in (maker, page.place, sample) if one),
        price=price,
        stars=stars,
    )
    return Shared("\n".join(one for one in told if one), card, product.picture or product.motif)


def of_producer(maker: Producer, place: str, *, url: str) -> Shared:
    """Return a maker as it is passed on."""
    words = [
        _joined(maker.name, place),
        str(_("All goods, with price and lot diary: %(url)s", url=url)),
    ]
    return Shared("\n".join(words), ShareCard(maker.name, (place,) if place else ()), GATE)


def of_village(village: Village, place: str, *, url: str) -> Shared:
    """Return a village as it is passed on."""
    told = [
        _joined(village.name, place),
        village.craft or "",
        str(_("Goods and makers of the village: %(url)s", url=url)),
    ]
    lines = tuple(one for one in (village.craft or "", place) if one)
    return Shared("\n".join(one for one in told if one), ShareCard(village.name, lines), GATE)


def of_commune(place: str, *, url: str) -> Shared:
    """Return a commune as it is passed on."""
    words = [place, str(_("Goods, makers and villages: %(url)s", url=url))]
    return Shared("\n".join(words), ShareCard(place), GATE)


def _joined(*parts: str) -> str:
    return " – ".join(part for part in parts if part)


def _priced(price: str, unit: str, sample: str) -> str:
    words = str(_("Price %(price)s / %(unit)s", price=price, unit=unit))
    return f"{words} ({sample})" if sample else words
