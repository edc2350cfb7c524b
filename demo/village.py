"""Real villages, producers and products, facts only: what a source leaves empty stays empty."""

import csv
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import certificates, places, producers, products, stock, variants, villages
from catalog.certificates import PaperKind
from catalog.illustrations import motif_for
from catalog.producers import Producer, ProducerKind
from catalog.products import OcopGroup, Product
from catalog.villages import Village
from core.money import Money
from core.settings import ROOT
from core.text import clean, fold
from shop.delivery import DeliveryKind, DeliveryMethod

DATA = ROOT / "data"
# The account printed as the example in the VietQR standard; nobody's money arrives there.
EXAMPLE_BANK = ("970403", "0011012345678", "MINH HOA")
POST_FEE = Money(30_000)
POST_FREE_FROM = Money(500_000)
NO_UNIT = "sản phẩm"
_TITLE = re.compile(r"^(làng|thôn|xóm|bản)\s+", re.IGNORECASE)
_DATE = re.compile(r"\((\d{1,2})/(\d{1,2})/(\d{4})\)")
_WHOLE = re.compile(r"\d{4,12}")
# From–to of a plausible price in thousands of đồng, where no source gives one.
_PRICES = {
    OcopGroup.FOOD: (35, 250),
    OcopGroup.BEVERAGE: (60, 350),
    OcopGroup.HERBAL: (80, 450),
    OcopGroup.HANDICRAFT: (120, 1_500),
    OcopGroup.ORNAMENTAL: (60, 600),
    None: (50, 300),
}


class Place(NamedTuple):
    """Codes of today for a place named in a source; None where it names none."""

    province: str | None
    commune: str | None


@dataclass
class Known:
    """What was written down so far, for the rows that come after."""

    places: dict[tuple[str, ...], Place] = field(default_factory=dict)
    villages: dict[tuple[str, str], list[Village]] = field(
        default_factory=lambda: defaultdict(list)
    )
    producers: dict[str, Producer] = field(default_factory=dict)


def load(session: Session, *, now: datetime) -> None:
    """Write down every unit, village, producer and product of `data/`, once."""
    places.load_units(session, DATA / "units")
    known = Known(places=_places())
    for row in _rows("villages.csv"):
        _add_village(session, row, known)
    for row in _rows("ocop-products.csv"):
        _add_product(session, row, known, now=now)


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return [{key: clean(value) for key, value in row.items()} for row in csv.DictReader(file)]


def _places() -> dict[tuple[str, ...], Place]:
    columns = ("named_in", "village", "commune", "district_2022", "province")
    return {
        tuple(row[column] for column in columns): Place(
            row["province_code"] or None, row["commune_code"] or None
        )
        for row in _rows("ocop-places.csv")
    }


def _add_village(session: Session, row: dict[str, str], known: Known) -> None:
    place = known.places[
        "villages",
        row["village"],
        row["commune_before_2025"],
        row["district_2022"],
        row["province"],
    ]
    village = villages.add(
        session,
        row["village"] or row["commune_before_2025"],
        source=row["source_url"],
        commune_code=place.commune,
        former_commune=row["commune_before_2025"] or None,
        former_district=row["district_2022"] or None,
        craft=row["craft_or_specialty"] or None,
        landmark=row["landmark_or_tourism"] or None,
    )
    if row["village"]:
        known.villages[_bare(village.name), row["district_2022"]].append(village)


def _add_product(session: Session, row: dict[str, str], known: Known, *, now: datetime) -> None:
    place = known.places["products", "", row["commune"], row["district_2022"], row["province"]]
    village = _village_of(row, known)
    producer = _producer_of(session, row, place, village, known, now=now)
    group = OcopGroup(row["ocop_group"]) if row["ocop_group"] else None
    stars = int(row["ocop_stars"]) if row["ocop_stars"] else None
    product = products.add(
        session,
        row["product"],
        now=now,
        motif=motif_for(row["product"], group),
        group=group,
        producer=producer,
        province_code=place.province,
        commune_code=place.commune,
        village_id=village.id if village else None,
        place_text=_place_text(row),
        description=row["description_fact"] or None,
        claimed_stars=stars,
        claimed_year=int(row["cert_year"]) if stars and row["cert_year"] else None,
        claimed_decision=row["cert_decision"] or None,
        source=row["source_url"],
    )
    products.publish(session, product, now=now)
    if stars is not None:
        _add_certificate(session, product, stars, row)
    if producer is not None and group is not OcopGroup.TOURISM:
        _put_on_sale(session, product, row, now=now)


def _village_of(row: dict[str, str], known: Known) -> Village | None:
    """Return the village a source names, if it is one of ours and the name is not ambiguous."""
    found = known.villages.get((_bare(row["village"]), row["district_2022"]), [])
    return found[0] if row["village"] and len(found) == 1 else None


def _bare(name: str) -> str:
    return fold(_TITLE.sub("", name))


def _place_text(row: dict[str, str]) -> str | None:
    named = (row[part] for part in ("village", "commune", "district_2022", "province"))
    return ", ".join(part for part in named if part) or None


def _producer_of(
    session: Session,
    row: dict[str, str],
    place: Place,
    village: Village | None,
    known: Known,
    *,
    now: datetime,
) -> Producer | None:
    if not row["producer"]:
        return None
    key = fold(row["producer"])
    if key not in known.producers:
        producer = producers.add(
            session,
            row["producer"],
            now=now,
            kind=ProducerKind(row["producer_kind"]) if row["producer_kind"] else None,
            province_code=place.province,
            commune_code=place.commune,
            village_id=village.id if village else None,
            place_text=_place_text(row),
            source=row["source_url"],
        )
        open_for_business(session, producer)
        known.producers[key] = producer
    producer = known.producers[key]
    producer.commune_code = producer.commune_code or place.commune
    producer.province_code = producer.province_code or place.province
    return producer


def open_for_business(session: Session, producer: Producer) -> None:
    """Approve a demo producer, paid on the example account, with the sample delivery fees."""
    producer.is_demo = True
    producer.bank_bin, producer.bank_account, producer.bank_holder = EXAMPLE_BANK
    producers.approve(session, producer)
    session.add_all(
        [
            DeliveryMethod(
                producer_id=producer.id,
                kind=DeliveryKind.POST,
                name="Gửi bưu điện",
                fee=POST_FEE,
                free_from=POST_FREE_FROM,
                position=0,
                is_sample=True,
            ),
            DeliveryMethod(
                producer_id=producer.id,
                kind=DeliveryKind.PICKUP,
                name="Nhận tại nơi làm",
                fee=Money(0),
                place=producer.place_text,
                position=1,
                is_sample=True,
            ),
        ]
    )


def _add_certificate(session: Session, product: Product, stars: int, row: dict[str, str]) -> None:
    """Write the paper down only where the source dates it; a year alone counts from 1 January."""
    dated = _DATE.search(row["cert_decision"])
    if dated:
        day, month, year = map(int, dated.groups())
        issued = date(year, month, day)
    elif row["cert_year"]:
        issued = date(int(row["cert_year"]), 1, 1)
    else:
        return
    certificates.add(
        session,
        product.id,
        PaperKind.OCOP,
        stars=stars,
        number=_DATE.sub("", row["cert_decision"]).strip() or None,
        issued_on=issued,
        year_only=dated is None,
        source=row["source_url"],
    )


def _put_on_sale(session: Session, product: Product, row: dict[str, str], *, now: datetime) -> None:
    """Give the product its price (the source's, else a sample) and a sample stock."""
    given = row["price_vnd"] if _WHOLE.fullmatch(row["price_vnd"]) else None
    luck = sha256(product.slug.encode()).digest()
    variant = variants.add(
        session,
        product,
        sku=f"OCOP-{product.id:05d}",
        unit=row["unit"] or NO_UNIT,
        price=Money(int(given)) if given else sample_price(product.group, luck),
        now=now,
        price_is_sample=given is None,
    )
    item = stock.item_for(session, variant.id, None)
    stock.move(
        session,
        item,
        5 + luck[8] % 36,
        why=stock.Why.RECEIVED,
        now=now,
        actor_id=None,
        note="minh hoạ",
        is_sample=True,
    )


def sample_price(group: OcopGroup | None, luck: bytes) -> Money:
    """Return a plausible price of the group, always the same for the same `luck`."""
    low, high = _PRICES.get(group) or _PRICES[None]
    return Money((low + int.from_bytes(luck[:4]) % (high - low)) // 5 * 5_000)


def is_loaded(session: Session) -> bool:
    """Say whether the real goods are here already."""
    return session.scalar(select(Producer.id).where(Producer.is_demo).limit(1)) is not None
