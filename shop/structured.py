"""What search engines read of a page: schema.org in JSON-LD, nothing the page does not say."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from catalog.producers import Producer
from catalog.villages import Village
from core.clock import vietnam_day
from shop.product_page import Named, ProductPage

CONTEXT = "https://schema.org"
PageAddress = Callable[[str], str]


def of_product(page: ProductPage, address: PageAddress, picture: str) -> dict[str, Any]:
    """Return the product, its offers and its path; no Offer for goods nobody sells."""
    product = page.product
    url = address(f"/san-pham/{product.slug}")
    thing: dict[str, Any] = {
        "@type": "Product",
        "@id": f"{url}#hang",
        "name": product.name,
        "image": [picture],
        "url": url,
        "description": product.description or product.name,
    }
    if page.producer is not None:
        thing["brand"] = {"@type": "Brand", "name": page.producer.name}
        thing["manufacturer"] = _organization(page.producer, page.place, address)
    if page.badge is not None:
        thing["award"] = f"OCOP {page.badge.stars} sao"
    offers = [
        {
            "@type": "Offer",
            "sku": offer.sku,
            "name": offer.name or offer.unit,
            "price": offer.price.dong,
            "priceCurrency": "VND",
            "availability": f"{CONTEXT}/{'InStock' if offer.free else 'OutOfStock'}",
            "url": f"{url}?loai={offer.sku}",
            # A machine that repeats the price repeats what it is, too.
            **({"description": "giá minh hoạ"} if offer.price_is_sample else {}),
            **({"priceValidUntil": _day(offer.until)} if offer.until else {}),
        }
        for offer in page.sold
        if offer.price is not None
    ]
    if offers:
        thing["offers"] = offers
    if page.said.opinion is not None:
        thing["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": page.said.opinion.mean,
            "reviewCount": page.said.opinion.number,
            "bestRating": 5,
            "worstRating": 1,
        }
    gtins = [offer.gtin for offer in page.sold if offer.gtin]
    if len(gtins) == 1:
        thing["gtin14"] = gtins[0]
    return {"@context": CONTEXT, "@graph": [thing, _path(page, address)]}


def of_producer(maker: Producer, place: str, address: PageAddress) -> dict[str, Any]:
    """Return the maker as an organization."""
    return {"@context": CONTEXT, **_organization(maker, place, address)}


def of_village(village: Village, place: str, address: PageAddress) -> dict[str, Any]:
    """Return the village as a place to visit."""
    url = address(f"/lang/{village.slug}")
    told = ". ".join(part for part in (village.craft, village.landmark) if part)
    return {
        "@context": CONTEXT,
        "@type": "TouristAttraction",
        "@id": f"{url}#noi",
        "name": village.name,
        "url": url,
        **({"description": told} if told else {}),
        **({"address": place} if place else {}),
    }


def _day(until: datetime) -> str:
    """Return the last day on which a price that ends at this moment counts, in Vietnam."""
    return vietnam_day(until - timedelta(seconds=1)).isoformat()


def _organization(maker: Producer | Named, place: str, address: PageAddress) -> dict[str, Any]:
    return {
        "@type": "Organization",
        "name": maker.name,
        "url": address(f"/nha-san-xuat/{maker.slug}"),
        **({"address": place} if place else {}),
    }


def _path(page: ProductPage, address: PageAddress) -> dict[str, Any]:
    product = page.product
    steps = [("Chợ Phiên", address("/"))]
    if product.commune_code and page.commune:
        steps.append((page.commune, address(f"/xa/{product.commune_code}")))
    if page.producer is not None:
        steps.append((page.producer.name, address(f"/nha-san-xuat/{page.producer.slug}")))
    steps.append((product.name, address(f"/san-pham/{product.slug}")))
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": number, "name": name, "item": item}
            for number, (name, item) in enumerate(steps, start=1)
        ],
    }
