"""What the JSON API says of goods and lots: the shop's pages as data, nothing they do not say."""

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from catalog import cards, listing
from catalog.cards import Offer
from catalog.certificates import BADGES, Certificate, PaperKind, stars_today
from catalog.listing import Filters, Found
from catalog.places import known_place
from catalog.products import OcopGroup
from core.clock import vietnam_day
from core.errors import NotFound
from core.i18n import lazy as _
from shop import browsing, product_page
from shop.product_page import ProductPage
from traceability import scan
from traceability.scan import Verdict

MOST_PER_PAGE = 100
# As many digits as a price in an address may have.
MOST_MONEY = 10**13 - 1
_SLUG = r"^[0-9a-z-]{0,100}$"
_CODE = r"^[0-9]{0,10}$"
_CURSOR = r"^[0-9A-Za-z_-]{0,400}$"
# What no page receives is no question either (core/text.py).
_READABLE = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F\uFFFD]*$"


class NoSuchLot(NotFound):
    """No lot or serial of this shop has this code."""


class NothingOfThisName(NotFound):
    """A filter names a place or maker that is not here."""


class ProductQuery(BaseModel):
    """Which products are asked for; what is left out is left open."""

    model_config = ConfigDict(extra="ignore")

    q: str = Field(
        "",
        max_length=browsing.LONGEST_QUERY,
        pattern=_READABLE,
        description="Words, accents optional",
    )
    province: str = Field("", pattern=_CODE, description="Code of a province of today")
    commune: str = Field("", pattern=_CODE, description="Code of a commune of today")
    village: str = Field("", pattern=_SLUG, description="Slug of a craft village")
    producer: str = Field("", pattern=_SLUG, description="Slug of a producer")
    group: OcopGroup | None = Field(None, description="Group of decision 148/QĐ-TTg")
    stars: int | None = Field(None, ge=min(BADGES), le=max(BADGES), description="Valid today")
    price_from: int | None = Field(None, ge=0, le=MOST_MONEY, description="Whole đồng")
    price_to: int | None = Field(None, ge=0, le=MOST_MONEY, description="Whole đồng")
    in_stock: bool = Field(default=False, description="Only what can be ordered now")
    limit: int = Field(24, ge=1, le=MOST_PER_PAGE)
    cursor: str = Field("", pattern=_CURSOR, description="`next` of the page before")


class OfferData(BaseModel):
    """One variant at today's price. Money is whole đồng."""

    sku: str
    name: str
    unit: str
    price: int | None = Field(description="Whole đồng; null while nobody sells it")
    list_price: int | None = Field(description="Struck-through price beside a sale price")
    sale_ends_at: datetime | None
    currency: str = "VND"
    available: int = Field(description="What can be ordered now, holds taken off")
    gtin: str | None
    price_is_sample: bool = Field(description="An illustration, not an offer")


class ProductData(BaseModel):
    """One product as lists show it."""

    slug: str
    name: str
    group: OcopGroup | None
    producer: str | None
    place: str
    stars: int | None = Field(description="OCOP stars by a certificate valid today")
    offers: list[OfferData]
    url: str
    is_sample: bool = Field(description="Shown to illustrate; not for sale")


class ProductPageData(BaseModel):
    """One page of products; `next` is the cursor of the next one, null on the last."""

    products: list[ProductData]
    next: str | None


class CertificateData(BaseModel):
    """One paper. `counts` says whether it counts today."""

    kind: PaperKind
    number: str | None
    issuer: str | None
    stars: int | None
    issued_on: date | None
    expires_on: date | None
    counts: bool
    is_sample: bool


class MakerData(BaseModel):
    """A producer with a page of its own."""

    slug: str
    name: str
    url: str


class ProductDetailData(ProductData):
    """One product with everything its page says."""

    description: str | None
    ingredients: str | None
    storage: str | None
    usage: str | None
    maker: MakerData | None
    certificates: list[CertificateData]
    lot: str | None = Field(description="Public code of the lot that is sold next")


class LotLinks(BaseModel):
    """Where the evidence stands."""

    page: str
    passport: str
    epcis: str
    recall: str


class LotData(BaseModel):
    """One lot as its scan page tells it; `verdict` is the page's first line."""

    id: str
    verdict: Verdict
    lot_number: str
    product: str
    product_name: str
    producer: str | None
    place: str
    gtin: str | None
    produced_on: date | None
    packed_on: date | None
    expires_on: date | None
    recall_reason: str | None
    events: int = Field(description="Events of its diary in the transparency log")
    certificates: list[CertificateData]
    links: LotLinks
    is_sample: bool


def list_products(
    session: Session, query: ProductQuery, *, base: str, now: datetime
) -> ProductPageData:
    """Return one page of what buyers see, in four questions at most.

    Raises NothingOfThisName, naming the filter, for a place or maker that is not here.
    """
    filters = _filters(session, query)
    found, after = listing.find_page(
        session, filters, after=query.cursor or None, now=now, limit=query.limit
    )
    ids = [row.id for row in found]
    offers = cards.offers_of(session, ids, now=now)
    stars = stars_today(session, ids, vietnam_day(now))
    products = [_listed(row, offers[row.id], stars.get(row.id), base) for row in found]
    return ProductPageData(products=products, next=after)


def get_product(session: Session, slug: str, *, base: str, now: datetime) -> ProductDetailData:
    """Return one product; raises NoSuchProduct, NoLongerSold where the goods were withdrawn."""
    page = product_page.read(session, slug, now=now)
    thing, today = page.product, vietnam_day(now)
    return ProductDetailData(
        slug=thing.slug,
        name=thing.name,
        group=thing.group,
        producer=page.producer.name if page.producer else None,
        place=page.place,
        stars=page.badge.stars if page.badge else None,
        offers=[_offer(offer, sold=page.producer is not None) for offer in page.offers],
        url=f"{base}/san-pham/{thing.slug}",
        is_sample=thing.is_sample,
        description=thing.description,
        ingredients=thing.ingredients,
        storage=thing.storage_note,
        usage=thing.usage_note,
        maker=_maker(page, base),
        certificates=[_certificate(paper, today) for paper in page.papers],
        lot=page.lot_code,
    )


def get_lot(session: Session, code: str, *, base: str, now: datetime) -> LotData:
    """Return the lot of a public code, or the lot of a serial; raises NoSuchLot."""
    found = scan.find_scan(session, code, typed=None, now=now)
    if found is None or found.lot is None:
        raise NoSuchLot(_("No lot has this code."))
    lot, page = found.lot, f"{base}/truy-xuat/{found.code}"
    return LotData(
        id=found.code,
        verdict=found.verdict,
        lot_number=lot.code,
        product=found.product.slug,
        product_name=found.product.name,
        producer=found.producer.name if found.producer else None,
        place=found.place,
        gtin=found.variant.gtin if found.variant else None,
        produced_on=lot.produced_on,
        packed_on=lot.packed_on,
        expires_on=lot.expires_on,
        recall_reason=lot.recall_reason if lot.recalled_at else None,
        events=len(found.record.witnesses),
        certificates=[_certificate(paper, found.today) for paper in found.papers],
        links=LotLinks(
            page=page,
            passport=f"{page}/ho-chieu.json",
            epcis=f"{page}/epcis.jsonld",
            recall=f"{page}/thu-hoi.json",
        ),
        is_sample=found.is_sample,
    )


def _filters(session: Session, query: ProductQuery) -> Filters:
    asked: Mapping[str, str] = {
        "q": query.q,
        "tinh": query.province,
        "xa": query.commune,
        "lang": query.village,
        "nha-san-xuat": query.producer,
        "nhom": query.group.value if query.group else "",
        "sao": str(query.stars or ""),
        "gia-tu": "" if query.price_from is None else str(query.price_from),
        "gia-den": "" if query.price_to is None else str(query.price_to),
        "con-hang": "1" if query.in_stock else "",
    }
    filters = browsing.read(session, asked).filters
    known = {
        "province": filters.province,
        "commune": filters.commune,
        "village": filters.village_id,
        "producer": filters.producer_id,
    }
    for name, value in known.items():
        if getattr(query, name) and value is None:
            raise NothingOfThisName(
                _("Nothing is known under %(value)s.", value=getattr(query, name)), field=name
            )
    return filters


def _listed(row: Found, offers: list[Offer], stars: int | None, base: str) -> ProductData:
    return ProductData(
        slug=row.slug,
        name=row.name,
        group=row.group,
        producer=row.producer,
        place=known_place(row.commune, row.province, row.place_text),
        stars=stars,
        offers=[_offer(offer, sold=row.producer is not None) for offer in offers],
        url=f"{base}/san-pham/{row.slug}",
        is_sample=row.is_sample,
    )


def _offer(offer: Offer, *, sold: bool) -> OfferData:
    return OfferData(
        sku=offer.sku,
        name=offer.name,
        unit=offer.unit,
        price=offer.price.dong if sold and offer.price is not None else None,
        list_price=offer.was.dong if sold and offer.was is not None else None,
        sale_ends_at=offer.until,
        available=offer.free if sold and offer.price is not None else 0,
        gtin=offer.gtin,
        price_is_sample=offer.price_is_sample,
    )


def _maker(page: ProductPage, base: str) -> MakerData | None:
    if page.producer is None:
        return None
    slug = page.producer.slug
    return MakerData(slug=slug, name=page.producer.name, url=f"{base}/nha-san-xuat/{slug}")


def _certificate(paper: Certificate, today: date) -> CertificateData:
    return CertificateData(
        kind=paper.kind,
        number=paper.number,
        issuer=paper.issuer,
        stars=paper.stars,
        issued_on=paper.issued_on,
        expires_on=paper.last_day,
        counts=paper.counts_on(today),
        is_sample=paper.is_sample,
    )
