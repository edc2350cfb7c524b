"""What a visitor reads: the home page, one product, a village, a commune, a maker.

Each page is one function with a fixed number of questions to the database, however many rows.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session, aliased

from catalog import certificates, listing, places
from catalog.certificates import Certificate
from catalog.listing import Card, Filters, Offer
from catalog.lots import Lot
from catalog.places import AdminUnit, join_place
from catalog.producers import Producer, ProducerState
from catalog.products import (
    NoSuchProduct,
    Product,
    ProductState,
    seen_by_buyers,
)
from catalog.stock import StockItem, sellable_rows
from catalog.variants import Variant
from catalog.villages import Village
from core.clock import VIETNAM, vietnam_day
from core.i18n import lazy as _
from core.text import fold
from shop.delivery import DeliveryMethod
from traceability.diary import Step
from traceability.trace_codes import CodeKind, TraceCode

SHELF = 8
RELATED = 4
STEPS = 3
COMMUNES_AT_HOME = 8
VILLAGES_AT_HOME = 6
MOST_GOODS_OF_A_PLACE = 48

_NOT_A_MEDICINE = _("This food is not a medicine and does not replace medicine.")
_ADULTS_ONLY = _("Alcohol: not sold to anyone under 18.")


class NoLongerSold(NoSuchProduct):
    """The product was here and has been withdrawn (410)."""


@dataclass(frozen=True, slots=True)
class CommuneEntry:
    """One commune with makers, for the walk from commune to commune."""

    code: str
    name: str
    province: str
    makers: int


@dataclass(frozen=True, slots=True)
class HomePage:
    """What stands on the first page."""

    month: int
    in_season: list[Card]
    newest: list[Card]
    communes: list[CommuneEntry]
    villages: list[Village]


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
        return join_place(self.commune, self.province) or self.product.place_text or ""

    @property
    def sold(self) -> list[Offer]:
        """Return the variants that have a price and a seller."""
        if self.producer is None:
            return []
        return [offer for offer in self.offers if offer.variant.price is not None]

    @property
    def warnings(self) -> list[object]:
        """Return what the law wants said beside goods of this kind."""
        named = fold(self.product.name)
        warned = (
            (self.product.motif == "ruou" or named.startswith("ruou "), _ADULTS_ONLY),
            ("bao ve suc khoe" in named, _NOT_A_MEDICINE),
        )
        return [warning for applies, warning in warned if applies]


@dataclass(frozen=True, slots=True)
class PlacePage:
    """A village, commune or maker with its goods."""

    place: str
    makers: list[Producer]
    villages: list[Village]
    goods: list[Card]


def home(session: Session, *, now: datetime) -> HomePage:
    """Return the first page; six questions."""
    month = now.astimezone(VIETNAM).month
    season, _next = listing.find_page(
        session, Filters(month=month), after=None, now=now, limit=SHELF
    )
    newest, _next = listing.find_page(session, Filters(), after=None, now=now, limit=2 * SHELF)
    shown = {row.id for row in season}
    fresh = [row for row in newest if row.id not in shown][:SHELF]
    cards = {card.id: card for card in listing.cards_of(session, [*season, *fresh], now=now)}
    return HomePage(
        month=month,
        in_season=[cards[row.id] for row in season],
        newest=[cards[row.id] for row in fresh],
        communes=_communes(session),
        villages=_villages(session),
    )


def _communes(session: Session) -> list[CommuneEntry]:
    province = aliased(AdminUnit)
    makers = func.count(Producer.id)
    rows = session.execute(
        select(AdminUnit.code, AdminUnit.name, province.name, makers)
        .join(Producer, Producer.commune_code == AdminUnit.code)
        .join(province, province.code == AdminUnit.parent_code)
        .where(Producer.state == ProducerState.APPROVED)
        .group_by(AdminUnit.code, AdminUnit.name, AdminUnit.sort_key, province.name)
        .order_by(makers.desc(), AdminUnit.sort_key)
        .limit(COMMUNES_AT_HOME)
    )
    return [CommuneEntry(code, name, places.bare_name(of), count) for code, name, of, count in rows]


def _villages(session: Session) -> list[Village]:
    return list(
        session.scalars(
            select(Village)
            .where(Village.craft.is_not(None), Village.commune_code.is_not(None))
            .order_by(Village.id)
            .limit(VILLAGES_AT_HOME)
        )
    )


def product(session: Session, slug: str, *, now: datetime) -> ProductPage:
    """Return one product's page in six questions.

    Raises NoSuchProduct, or NoLongerSold where the goods were withdrawn.
    """
    today = vietnam_day(now)
    row = _product_row(session, slug)
    if row is None:
        raise NoSuchProduct(_("There are no goods at this address."))
    thing: Product = row[0]
    if thing.state is ProductState.WITHDRAWN:
        raise NoLongerSold(_("These goods are no longer sold."))
    if not row.seen:
        raise NoSuchProduct(_("There are no goods at this address."))
    related, _next = listing.find_page(session, _beside(thing), after=None, now=now, limit=RELATED)
    ids = [thing.id, *(other.id for other in related)]
    offers = listing.offers_of(session, ids, now=now)
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
            listing.card_of(other, offers[other.id], badge.stars if badge else None)
            for other in related
            for badge in (badges[other.id],)
        ],
    )


def _product_row(session: Session, slug: str) -> Row[*tuple[Any, ...]] | None:
    commune, province, other = aliased(AdminUnit), aliased(AdminUnit), aliased(Product)
    makes = (
        select(func.count())
        .select_from(other)
        .where(other.producer_id == Product.producer_id, other.state == ProductState.LIVE)
        .scalar_subquery()
    )
    return session.execute(
        select(
            Product,
            Producer,
            Village,
            commune.name,
            province.name,
            makes.label("makes"),
            seen_by_buyers().label("seen"),
        )
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .outerjoin(Village, Village.id == Product.village_id)
        .outerjoin(commune, commune.code == Product.commune_code)
        .outerjoin(province, province.code == Product.province_code)
        .where(Product.slug == slug)
    ).one_or_none()


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
    return rows[0][0], rows[0][1], [row[2] for row in reversed(rows) if row[2] is not None]


def _cheapest_delivery(session: Session, producer_id: int | None) -> DeliveryMethod | None:
    if producer_id is None:
        return None
    return session.scalar(
        select(DeliveryMethod)
        .where(DeliveryMethod.producer_id == producer_id, DeliveryMethod.place.is_(None))
        .order_by(DeliveryMethod.fee, DeliveryMethod.position)
        .limit(1)
    )


def village(session: Session, found: Village, *, now: datetime) -> PlacePage:
    """Return a village's page: its makers and its goods."""
    names = places.place_names(session, [found.commune_code])
    return PlacePage(
        place=names.get(found.commune_code or "", ""),
        makers=_makers(session, Producer.village_id == found.id),
        villages=[],
        goods=_goods(session, Filters(village_id=found.id), now=now),
    )


def commune(session: Session, unit: AdminUnit, *, now: datetime) -> PlacePage:
    """Return a commune's page: villages, makers, goods."""
    return PlacePage(
        place=places.place_name(session, unit.code, unit.parent_code),
        makers=_makers(session, Producer.commune_code == unit.code),
        villages=list(
            session.scalars(
                select(Village)
                .where(Village.commune_code == unit.code)
                .order_by(Village.name_folded, Village.id)
            )
        ),
        goods=_goods(session, Filters(commune=unit.code), now=now),
    )


def producer(session: Session, found: Producer, *, now: datetime) -> PlacePage:
    """Return a maker's page: where it is and what it makes."""
    return PlacePage(
        place=places.place_name(session, found.commune_code, found.province_code)
        or found.place_text
        or "",
        makers=[],
        villages=[],
        goods=_goods(session, Filters(producer_id=found.id), now=now),
    )


def _makers(session: Session, where: ColumnElement[bool]) -> list[Producer]:
    return list(
        session.scalars(
            select(Producer)
            .where(where, Producer.state == ProducerState.APPROVED)
            .order_by(Producer.name_folded, Producer.id)
            .limit(MOST_GOODS_OF_A_PLACE)
        )
    )


def _goods(session: Session, filters: Filters, *, now: datetime) -> list[Card]:
    rows, _next = listing.find_page(session, filters, after=None, now=now, limit=listing.PER_PAGE)
    return listing.cards_of(session, rows, now=now)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Slugs for the sitemap: products with the moment they changed, and where they come from."""

    products: list[tuple[str, datetime]]
    makers: list[str]
    villages: list[str]
    communes: list[str]


def highest_product_id(session: Session) -> int:
    """Return the highest id of any product, 0 when there is none."""
    return session.scalar(select(func.max(Product.id))) or 0


def list_addresses(session: Session, *, first_id: int, end_id: int) -> Addresses:
    """Return the addresses of products with ids in [first_id, end_id); places with the first ones."""
    rows = session.execute(
        select(Product.slug, Product.updated_at)
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .where(seen_by_buyers(), Product.id >= first_id, Product.id < end_id)
        .order_by(Product.id)
    )
    goods = [(slug, changed) for slug, changed in rows]
    if first_id > 0:
        return Addresses(goods, [], [], [])
    approved = Producer.state == ProducerState.APPROVED
    return Addresses(
        goods,
        makers=list(session.scalars(select(Producer.slug).where(approved).order_by(Producer.id))),
        villages=list(session.scalars(select(Village.slug).order_by(Village.id))),
        communes=list(
            session.scalars(
                select(Producer.commune_code)
                .where(approved, Producer.commune_code.is_not(None))
                .distinct()
                .order_by(Producer.commune_code)
            )
        ),
    )
