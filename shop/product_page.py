"""Everything one product's page says, in a fixed number of questions to the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased

from catalog import alcohol, cards, certificates, listing, pictures
from catalog.cards import Card, Offer
from catalog.certificates import Certificate
from catalog.listing import Filters
from catalog.lots import Lot
from catalog.pictures import ProductPicture
from catalog.places import AdminUnit, known_place
from catalog.producers import Producer
from catalog.products import (
    KeepsUnit,
    NoSuchProduct,
    OcopGroup,
    Product,
    ProductState,
    seen_by_buyers,
)
from catalog.stock import StockItem, sellable_rows
from catalog.variants import Variant
from catalog.villages import Village
from core.clock import vietnam_day
from core.db import TODAY, ask
from core.i18n import lazy as _
from core.money import Money
from core.text import fold
from shop import reviews
from shop.delivery import DeliveryMethod
from shop.reviews import ProductReviews
from traceability.diary import Step, StepKind
from traceability.trace_codes import CodeKind, TraceCode

RELATED = 4
STEPS = 3
_NOT_A_MEDICINE = _("This food is not a medicine and does not replace medicine.")
_ADULTS_ONLY = _("Alcohol: not sold to anyone under 18.")
_AGE_IS_ASKED = _("18 or older? The year of birth is asked when ordering.")
_HARMFUL = _("Alcohol harms health. Do not drive after drinking.")


class NoLongerSold(NoSuchProduct):
    """The product was here and has been withdrawn (410)."""


class Goods(NamedTuple):
    """What the page reads of the product itself."""

    id: int
    slug: str
    name: str
    group: OcopGroup | None
    state: ProductState
    producer_id: int | None
    commune_code: str | None
    place_text: str | None
    description: str | None
    ingredients: str | None
    storage_note: str | None
    usage_note: str | None
    motif: str
    picture: str | None
    keeps_for: int | None
    keeps_unit: KeepsUnit | None
    label: dict[str, str]
    english: dict[str, str]
    is_health_food: bool
    ad_certificate: str | None
    abv_tenths: int | None
    claimed_stars: int | None
    claimed_year: int | None
    is_sample: bool
    is_synthetic: bool

    def in_english(self) -> "Goods":
        """Return the goods with the texts that somebody wrote in English in place of theirs."""
        texts: dict[str, Any] = {name: text for name, text in self.english.items() if text}
        return self._replace(**texts)


class Named(NamedTuple):
    """A maker or village with a page of its own."""

    slug: str
    name: str


class Delivery(NamedTuple):
    """The cheapest way there, wherever it goes."""

    fee: Money
    free_from: Money | None
    is_sample: bool


class LotOnSale(NamedTuple):
    """The lot that is sold next."""

    code: str
    expires_on: date | None


class DiaryLine(NamedTuple):
    """One line of its diary."""

    kind: StepKind
    happened_at: datetime
    note: str | None
    place: str | None


@dataclass(frozen=True, slots=True)
class ProductPage:
    """Everything one product's page says."""

    product: Goods
    producer: Named | None
    village: Named | None
    commune: str | None
    province: str | None
    makes: int
    offers: list[Offer]
    papers: list[Certificate]
    badge: Certificate | None
    lot: LotOnSale | None
    lot_code: str | None
    steps: list[DiaryLine]
    delivery: Delivery | None
    related: list[Card]
    said: ProductReviews
    photos: Sequence[ProductPicture]

    @property
    def place(self) -> str:
        """Return commune and province of today, else the source's own words."""
        return known_place(self.commune, self.province, self.product.place_text)

    @property
    def sold(self) -> list[Offer]:
        """Return the variants that have a price and a seller."""
        if self.producer is None:
            return []
        return [offer for offer in self.offers if offer.price is not None]

    @property
    def is_alcohol(self) -> bool:
        """Say whether the goods are sold to adults only."""
        thing = self.product
        return alcohol.is_alcohol(thing.name, thing.motif, thing.abv_tenths)

    @property
    def warnings(self) -> list[object]:
        """Return what the law wants said beside goods of this kind."""
        named = fold(self.product.name)
        warned = (
            (self.is_alcohol, _ADULTS_ONLY),
            (self.is_alcohol, _AGE_IS_ASKED),
            (self.is_alcohol, _HARMFUL),
            (self.product.is_health_food or "bao ve suc khoe" in named, _NOT_A_MEDICINE),
        )
        return [warning for applies, warning in warned if applies]


_commune, _province, _other = aliased(AdminUnit), aliased(AdminUnit), aliased(Product)
_makes = (
    select(func.count())
    .select_from(_other)
    .where(_other.producer_id == Product.producer_id, _other.state == ProductState.LIVE)
    .scalar_subquery()
)
_ways = aliased(DeliveryMethod)
_cheapest = (
    select(_ways.id)
    .where(_ways.producer_id == Product.producer_id, _ways.place.is_(None), _ways.is_on)
    .order_by(_ways.fee, _ways.position)
    .limit(1)
    .correlate(Product)
    .scalar_subquery()
)
_GOODS = tuple(getattr(Product, name) for name in Goods._fields)
_PRODUCT = (
    select(
        *_GOODS,
        Producer.slug.label("maker_slug"),
        Producer.name.label("maker_name"),
        Village.slug.label("village_slug"),
        Village.name.label("village_name"),
        _commune.name.label("commune"),
        _province.name.label("province"),
        _makes.label("makes"),
        seen_by_buyers().label("seen"),
        DeliveryMethod.fee,
        DeliveryMethod.free_from,
        DeliveryMethod.is_sample.label("fee_is_sample"),
    )
    .outerjoin(Producer, Producer.id == Product.producer_id)
    .outerjoin(Village, Village.id == Product.village_id)
    .outerjoin(_commune, _commune.code == Product.commune_code)
    .outerjoin(_province, _province.code == Product.province_code)
    .outerjoin(DeliveryMethod, DeliveryMethod.id == _cheapest)
    .where(Product.slug == bindparam("slug"))
)


def read(session: Session, slug: str, *, now: datetime) -> ProductPage:
    """Return one product's page in six questions, seven where it has photos.

    Raises NoSuchProduct, or NoLongerSold where the goods were withdrawn.
    """
    today = vietnam_day(now)
    rows = ask(session, _PRODUCT, {"slug": slug})
    if not rows:
        raise NoSuchProduct(_("There are no goods at this address."))
    row = rows[0]
    thing = Goods._make(row[: len(_GOODS)])
    if thing.state is ProductState.WITHDRAWN:
        raise NoLongerSold(_("These goods are no longer sold."))
    if not row.seen:
        raise NoSuchProduct(_("There are no goods at this address."))
    related, _next = listing.find_page(session, _beside(thing), after=None, now=now, limit=RELATED)
    ids = [thing.id, *(other.id for other in related)]
    offers = cards.offers_of(session, ids, now=now)
    papers = certificates.list_papers_of(session, ids)
    lot, lot_code, steps = _current_lot(session, thing.id, today)
    badges = {i: certificates.best_badge(papers[i], today) for i in ids}
    return ProductPage(
        product=thing,
        producer=Named(row.maker_slug, row.maker_name) if row.maker_slug else None,
        village=Named(row.village_slug, row.village_name) if row.village_slug else None,
        commune=row.commune,
        province=row.province,
        makes=row.makes,
        offers=offers[thing.id],
        papers=papers[thing.id],
        badge=badges[thing.id],
        lot=lot,
        lot_code=lot_code,
        steps=steps,
        delivery=None if row.fee is None else Delivery(row.fee, row.free_from, row.fee_is_sample),
        related=[
            cards.card_of(other, offers[other.id], badge.stars if badge else None)
            for other in related
            for badge in (badges[other.id],)
        ],
        said=reviews.of_product(session, thing.id),
        photos=pictures.list_shown(session, thing.id) if thing.picture else (),
    )


def _beside(thing: Goods) -> Filters:
    """Return what is shown beside a product: its commune's goods, else its maker's or group's."""
    if thing.commune_code:
        return Filters(commune=thing.commune_code, but_not=thing.id, promoted=True)
    if thing.producer_id:
        return Filters(producer_id=thing.producer_id, but_not=thing.id, promoted=True)
    return Filters(group=thing.group, but_not=thing.id, promoted=True)


_current = (
    select(Lot.id)
    .join(Variant, Variant.id == Lot.variant_id)
    .join(StockItem, StockItem.lot_id == Lot.id)
    .where(
        Variant.product_id == bindparam("product"),
        StockItem.on_hand > StockItem.reserved,
        sellable_rows(TODAY),
    )
    .order_by(Lot.expires_on.is_(None), Lot.expires_on, Lot.id)
    .limit(1)
    .scalar_subquery()
)
_LOT = (
    select(
        Lot.code,
        Lot.expires_on,
        TraceCode.code.label("public_code"),
        Step.kind,
        Step.happened_at,
        Step.note,
        Step.place,
    )
    .outerjoin(TraceCode, (TraceCode.lot_id == Lot.id) & (TraceCode.kind == CodeKind.LOT))
    .outerjoin(Step, Step.lot_id == Lot.id)
    .where(Lot.id == _current)
    .order_by(Step.happened_at.desc(), Step.id.desc())
    .limit(STEPS)
)


def _current_lot(
    session: Session, product_id: int, today: date
) -> tuple[LotOnSale | None, str | None, list[DiaryLine]]:
    """Return the lot that is sold next, its public code and the last lines of its diary."""
    rows = ask(session, _LOT, {"product": product_id, "today": today})
    if not rows:
        return None, None, []
    first = rows[0]
    lines = [DiaryLine._make(row[3:]) for row in reversed(rows) if row.kind is not None]
    return LotOnSale(first.code, first.expires_on), first.public_code, lines
