"""What a visitor reads: the home page, a village, a commune, a maker; and the sitemap.

Each page is one function with a fixed number of questions to the database, however many rows.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from catalog import cards, listing, places
from catalog.cards import Card
from catalog.listing import Filters
from catalog.places import AdminUnit
from catalog.producers import Producer, ProducerState
from catalog.products import (
    OcopGroup,
    Product,
    seen_by_buyers,
)
from catalog.villages import Village
from core.clock import VIETNAM
from core.db import ask

SHELF = 10
COMMUNES_AT_HOME = 8
VILLAGES_AT_HOME = 6
_province = aliased(AdminUnit)
MOST_GOODS_OF_A_PLACE = 48


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


class Season(NamedTuple):
    """When goods of a place are fresh: month 1 is bit 0 of `months`."""

    slug: str
    name: str
    months: int

    @property
    def numbers(self) -> list[int]:
        """Return the months, 1 to 12."""
        return [number for number in range(1, 13) if self.months >> (number - 1) & 1]


@dataclass(frozen=True, slots=True)
class PlacePage:
    """A village, commune or maker with its goods; `seasons` in the order of the year."""

    place: str
    makers: list[Producer]
    villages: list[Village]
    goods: list[Card]
    seasons: list[Season] = field(default_factory=list)
    month: int = 0

    @property
    def to_visit(self) -> list[Card]:
        """Return the tours, stays and workshops."""
        return [card for card in self.goods if card.group is OcopGroup.TOURISM]


def home(session: Session, *, now: datetime) -> HomePage:
    """Return the first page; six questions."""
    month = now.astimezone(VIETNAM).month
    season, _next = listing.find_page(
        session, Filters(month=month, promoted=True), after=None, now=now, limit=SHELF
    )
    newest, _next = listing.find_page(
        session, Filters(promoted=True), after=None, now=now, limit=2 * SHELF
    )
    shown = {row.id for row in season}
    fresh = [row for row in newest if row.id not in shown][:SHELF]
    by_id = {card.id: card for card in cards.cards_of(session, [*season, *fresh], now=now)}
    return HomePage(
        month=month,
        in_season=[by_id[row.id] for row in season],
        newest=[by_id[row.id] for row in fresh],
        communes=_communes(session),
        villages=list(session.scalars(_VILLAGES)),
    )


_makers_there = func.count(Producer.id).label("makers")
_COMMUNES = (
    select(
        AdminUnit.code,
        AdminUnit.name,
        _province.name.label("province"),
        _makers_there,
    )
    .join(Producer, Producer.commune_code == AdminUnit.code)
    .join(_province, _province.code == AdminUnit.parent_code)
    .where(Producer.state == ProducerState.APPROVED)
    .group_by(AdminUnit.code, AdminUnit.name, AdminUnit.sort_key, _province.name)
    .order_by(_makers_there.desc(), AdminUnit.sort_key)
    .limit(COMMUNES_AT_HOME)
)
_VILLAGES = (
    select(Village)
    .where(Village.craft.is_not(None), Village.commune_code.is_not(None))
    .order_by(Village.id)
    .limit(VILLAGES_AT_HOME)
)


def _communes(session: Session) -> list[CommuneEntry]:
    return [
        CommuneEntry(row.code, row.name, places.bare_name(row.province), row.makers)
        for row in ask(session, _COMMUNES, {})
    ]


def village(session: Session, found: Village, *, now: datetime) -> PlacePage:
    """Return a village's page: its makers and its goods."""
    names = places.place_names(session, [found.commune_code])
    return PlacePage(
        place=names.get(found.commune_code or "", ""),
        makers=_makers(session, Producer.village_id == found.id),
        villages=[],
        goods=_goods(session, Filters(village_id=found.id), now=now),
        seasons=_seasons(session, Product.village_id == found.id),
        month=now.astimezone(VIETNAM).month,
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
        seasons=_seasons(session, Product.commune_code == unit.code),
        month=now.astimezone(VIETNAM).month,
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


def _seasons(session: Session, where: ColumnElement[bool]) -> list[Season]:
    """Return what has a season here, the one that begins first in the year first."""
    rows = session.execute(
        select(Product.slug, Product.name, Product.season_months)
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .where(where, Product.season_months != 0, seen_by_buyers())
        .order_by(Product.name_lower, Product.id)
        .limit(MOST_GOODS_OF_A_PLACE)
    )
    found = [Season(*row) for row in rows]
    return sorted(found, key=lambda season: season.numbers[0])


def _goods(session: Session, filters: Filters, *, now: datetime) -> list[Card]:
    rows, _next = listing.find_page(session, filters, after=None, now=now, limit=listing.PER_PAGE)
    return cards.cards_of(session, rows, now=now)


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
    """Return the addresses of products with ids from `first_id` to before `end_id`.

    The places and makers come with the first ones.
    """
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
