"""From an address to filters: every parameter that makes sense counts, every other is ignored."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import (
    BindParameter,
    Select,
    String,
    bindparam,
    literal,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from catalog import search
from catalog.certificates import BADGES
from catalog.listing import Filters, Order
from catalog.places import AdminUnit
from catalog.producers import Producer, ProducerState
from catalog.products import OcopGroup, Product
from catalog.villages import Village
from core.db import ask
from core.text import clean

LONGEST_QUERY = 100
ORDERS = (Order.NEW, Order.CHEAP_FIRST, Order.DEAR_FIRST, Order.STARS)
_PRICE = re.compile(r"\d{1,13}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be chosen in a filter: what the address says, what people read."""

    value: str
    name: str


@dataclass(slots=True)
class Browse:
    """What the visitor asked for, and what else could be asked."""

    filters: Filters
    provinces: list[Choice] = field(default_factory=list)
    communes: list[Choice] = field(default_factory=list)
    village: Choice | None = None
    producer: Choice | None = None

    @property
    def kept(self) -> dict[str, str]:
        """Return the parameters that counted, as an address writes them."""
        filters = self.filters
        values = {
            "q": filters.query,
            "tinh": filters.province,
            "xa": filters.commune,
            "lang": self.village.value if self.village else None,
            "nha-san-xuat": self.producer.value if self.producer else None,
            "nhom": filters.group.value if filters.group else None,
            "sao": filters.stars,
            "gia-tu": filters.price_from,
            "gia-den": filters.price_to,
            "con-hang": 1 if filters.in_stock else None,
            "mua": filters.month,
            "sap-xep": self.asked_order,
        }
        return {name: str(value) for name, value in values.items() if value not in {None, ""}}

    @property
    def asked_order(self) -> str | None:
        """Return the order as the address writes it, None where it goes without saying."""
        usual = Order.RELEVANT if self.filters.query else Order.NEW
        return None if self.filters.order is usual else self.filters.order.value


def read(session: Session, args: Mapping[str, str]) -> Browse:
    """Return what `args` ask for; unknown and nonsense values are left out. One question."""
    browse = Browse(_plain(args))
    wanted = {
        name: clean(args.get(name, ""))[:100] for name in ("tinh", "xa", "lang", "nha-san-xuat")
    }
    for kind, value, name, number in ask(session, _NAMED, wanted):
        if kind == "lang":
            browse.village = Choice(value, name)
            browse.filters = replace(browse.filters, village_id=number)
        elif kind == "nha":
            browse.producer = Choice(value, name)
            browse.filters = replace(browse.filters, producer_id=number)
        elif kind == "tinh":
            browse.provinces.append(Choice(value, name))
        else:
            browse.communes.append(Choice(value, name))
    if any(choice.value == wanted["tinh"] for choice in browse.provinces):
        browse.filters = replace(browse.filters, province=wanted["tinh"])
    if any(choice.value == wanted["xa"] for choice in browse.communes):
        browse.filters = replace(browse.filters, commune=wanted["xa"])
    return browse


def _plain(args: Mapping[str, str]) -> Filters:
    """Return what can be told from the text alone."""
    query = clean(args.get("q", "")[:LONGEST_QUERY]).replace("\n", " ")
    query = query if search.typed_words(query) else ""
    order = args.get("sap-xep", "")
    usual = Order.RELEVANT if query else Order.NEW
    group = args.get("nhom", "")
    return Filters(
        query=query,
        group=OcopGroup(group) if group in set(OcopGroup) else None,
        stars=_number(args.get("sao", ""), BADGES),
        price_from=_price(args.get("gia-tu", "")),
        price_to=_price(args.get("gia-den", "")),
        in_stock=args.get("con-hang") == "1",
        month=_number(args.get("mua", ""), range(1, 13)),
        order=Order(order) if order in {o.value for o in ORDERS} else usual,
    )


def _number(text: str, allowed: Iterable[int]) -> int | None:
    return next((number for number in allowed if text in {str(number), f"{number:02d}"}), None)


def _price(text: str) -> int | None:
    """Read an amount as people write it: 165000, 165.000, 165 000 ₫."""
    digits = re.sub(r"[.,\s₫đ]", "", text[:30])
    return int(digits) if _PRICE.fullmatch(digits) and digits.isascii() else None


def _named() -> Select[str, str, str, int]:
    """Return the one query that names places and makers: those asked for, those to choose from.

    Provinces with makers always, communes with makers once a province is known; a place that is
    asked for by its code is there with or without makers.
    """
    tinh, xa, village, maker = (
        bindparam(name, type_=String) for name in ("tinh", "xa", "lang", "nha-san-xuat")
    )
    here = aliased(AdminUnit)
    province_of_commune = select(here.parent_code).where(here.code == xa).scalar_subquery()
    provinces = _units("tinh", tinh, Producer.province_code, Product.province_code).where(
        AdminUnit.parent_code.is_(None)
    )
    communes = _units("xa", xa, Producer.commune_code, Product.commune_code).where(
        AdminUnit.parent_code.in_([tinh, province_of_commune])
    )
    villages = select(
        literal("lang"), Village.slug, Village.name, Village.id, Village.name_folded
    ).where(Village.slug == village)
    makers = select(
        literal("nha"), Producer.slug, Producer.name, Producer.id, Producer.name_folded
    ).where(Producer.slug == maker, Producer.state == ProducerState.APPROVED)
    named = union_all(provinces, communes, villages, makers).subquery("named")
    kind, value, name, number, sort_key = named.c
    return select(kind, value, name, number).order_by(kind, sort_key)


def _units(
    kind: str,
    asked: BindParameter[str],
    of_maker: InstrumentedAttribute[str | None],
    of_product: InstrumentedAttribute[str | None],
) -> Select[str, str, str, int, str]:
    # Makers stand for their goods: there are far fewer of them to look through.
    busy = union(
        select(of_maker).where(Producer.state == ProducerState.APPROVED),
        select(of_product).where(Product.producer_id.is_(None)),
    )
    return select(
        literal(kind).label("kind"),
        AdminUnit.code.label("value"),
        AdminUnit.name.label("name"),
        literal(0).label("number"),
        AdminUnit.sort_key.label("sort_key"),
    ).where(or_(AdminUnit.code == asked, AdminUnit.code.in_(busy)))


_NAMED = _named()
