"""Everything one product's page says, in a fixed number of questions to the database."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased

from catalog import cards, certificates, listing
from catalog.cards import Card, Offer
from catalog.certificates import Certificate
from catalog.listing import Filters
from catalog.lots import Lot
from catalog.places import AdminUnit, known_place
from catalog.producers import Producer
from catalog.products import NoSuchProduct, Product, ProductState, seen_by_buyers
from catalog.stock import StockItem, sellable_rows
from catalog.variants import Variant
from catalog.villages import Village
from core.clock import vietnam_day
from core.i18n import lazy as _
from core.text import fold
from shop.delivery import DeliveryMethod
from traceability.diary import Step
from traceability.trace_codes import CodeKind, TraceCode

RELATED = 4
STEPS = 3
_NOT_A_MEDICINE = _("This food is not a medicine and does not replace medicine.")
_ADULTS_ONLY = _("Alcohol: not sold to anyone under 18.")


class NoLongerSold(NoSuchProduct):
    """The product was here and has been withdrawn (410)."""


@dataclass(frozen=True, slots=True)
class ProductPage:
    """Everything one product's page says."""

    product: Product
    producer: Producer | None
    village: Village | None
    commune: str | None
    province: str | None
    makes: int
    offers: list[Offer]
    papers: list[Certificate]
    badge: Certificate | None
    lot: Lot | None
    lot_code: str | None
    steps: list[Step]
    delivery: DeliveryMethod | None
    related: list[Card]

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
    def warnings(self) -> list[object]:
        """Return what the law wants said beside goods of this kind."""
        named = fold(self.product.name)
        warned = (
            (self.product.motif == "ruou" or named.startswith("ruou "), _ADULTS_ONLY),
            ("bao ve suc khoe" in named, _NOT_A_MEDICINE),
        )
        return [warning for applies, warning in warned if applies]


_commune, _province, _other = aliased(AdminUnit), aliased(AdminUnit), aliased(Product)
_makes = (
    select(func.count())
    .select_from(_other)
    .where(_other.producer_id == Product.producer_id, _other.state == ProductState.LIVE)
    .scalar_subquery()
)
_PRODUCT = (
    select(
        Product,
        Producer,
        Village,
        _commune.name,
        _province.name,
        _makes.label("makes"),
        seen_by_buyers().label("seen"),
    )
    .outerjoin(Producer, Producer.id == Product.producer_id)
    .outerjoin(Village, Village.id == Product.village_id)
    .outerjoin(_commune, _commune.code == Product.commune_code)
    .outerjoin(_province, _province.code == Product.province_code)
    .where(Product.slug == bindparam("slug"))
)


def read(session: Session, slug: str, *, now: datetime) -> ProductPage:
    """Return one product's page in six questions.

    Raises NoSuchProduct, or NoLongerSold where the goods were withdrawn.
    """
    today = vietnam_day(now)
    row = session.execute(_PRODUCT, {"slug": slug}).one_or_none()
    if row is None:
        raise NoSuchProduct(_("There are no goods at this address."))
    thing: Product = row[0]
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
        producer=row[1],
        village=row[2],
        commune=row[3],
        province=row[4],
        makes=row.makes,
        offers=offers[thing.id],
        papers=papers[thing.id],
        badge=badges[thing.id],
        lot=lot,
        lot_code=lot_code,
        steps=steps,
        delivery=_cheapest_delivery(session, thing.producer_id),
        related=[
            cards.card_of(other, offers[other.id], badge.stars if badge else None)
            for other in related
            for badge in (badges[other.id],)
        ],
    )


def _beside(thing: Product) -> Filters:
    """Return what is shown beside a product: its commune's goods, else its maker's or group's."""
    if thing.commune_code:
        return Filters(commune=thing.commune_code, but_not=thing.id)
    if thing.producer_id:
        return Filters(producer_id=thing.producer_id, but_not=thing.id)
    return Filters(group=thing.group, but_not=thing.id)


def _current_lot(
    session: Session, product_id: int, today: date
) -> tuple[Lot | None, str | None, list[Step]]:
    """Return the lot that is sold next, its public code and the last lines of its diary."""
    current = (
        select(Lot.id)
        .join(Variant, Variant.id == Lot.variant_id)
        .join(StockItem, StockItem.lot_id == Lot.id)
        .where(
            Variant.product_id == product_id,
            StockItem.on_hand > StockItem.reserved,
            sellable_rows(today),
        )
        .order_by(Lot.expires_on.is_(None), Lot.expires_on, Lot.id)
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Lot, TraceCode.code, Step)
        .outerjoin(TraceCode, (TraceCode.lot_id == Lot.id) & (TraceCode.kind == CodeKind.LOT))
        .outerjoin(Step, Step.lot_id == Lot.id)
        .where(Lot.id == current)
        .order_by(Step.happened_at.desc(), Step.id.desc())
        .limit(STEPS)
    ).all()
    if not rows:
        return None, None, []
    lot, code, _last = rows[0]
    steps: list[Step | None] = [step for _lot, _code, step in reversed(rows)]
    return lot, code, [step for step in steps if step is not None]


def _cheapest_delivery(session: Session, producer_id: int | None) -> DeliveryMethod | None:
    if producer_id is None:
        return None
    return session.scalar(
        select(DeliveryMethod)
        .where(DeliveryMethod.producer_id == producer_id, DeliveryMethod.place.is_(None))
        .order_by(DeliveryMethod.fee, DeliveryMethod.position)
        .limit(1)
    )
