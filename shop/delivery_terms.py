"""What a producer says of its ways of delivery at its desk: typed, checked, told to its record."""

import re
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, record
from catalog import places
from catalog.producers import Producer
from core.errors import Conflict, Invalid
from core.i18n import lazy as _
from core.money import Money
from core.text import clean
from shop import carrier_fees, delivery
from shop.delivery import DeliveryBand, DeliveryKind, DeliveryMethod, DeliveryZone

MOST_METHODS = 12
MOST_ZONES = 200
MOST_BANDS = 12
LONGEST_NAME = 60
LONGEST_PLACE = 120
GREATEST_FEE = 2_000_000
GREATEST_FREE_FROM = 100_000_000
HEAVIEST_G = 1_000_000
_DONG = re.compile(r"[0-9]{1,3}(?:[.,  ][0-9]{3})+|[0-9]{1,9}")
_KILO = re.compile(r"([0-9]{1,4})(?:[.,]([0-9]{1,3}))?")

describe(
    {
        "delivery.add": _("added a way of delivery"),
        "delivery.change": _("changed a way of delivery"),
        "delivery.off": _("switched a way of delivery off"),
        "delivery.on": _("switched a way of delivery on"),
    }
)


class BadTerm(Invalid):
    """A name, fee, weight or place cannot be right; `field` says which."""


class TooManyTerms(Conflict):
    """More ways, places or steps than anybody reads."""


def add(
    session: Session, producer_id: int, typed: Mapping[str, str], *, actor: Actor, now: datetime
) -> DeliveryMethod:
    """Open a new way in the form `typed`, last of the list; raises BadTerm or TooManyTerms."""
    count = session.scalar(select(func.count()).where(DeliveryMethod.producer_id == producer_id))
    if (count or 0) >= MOST_METHODS:
        raise TooManyTerms(
            _("At most %(most)s ways fit here. Change one of them.", most=MOST_METHODS)
        )
    method = DeliveryMethod(producer_id=producer_id, position=count or 0, is_on=True)
    method.only_zones, method.is_sample = False, False
    _fill(method, typed, kind=_kind(typed.get("kind", "")))
    session.add(method)
    session.flush()  # gives the way its id
    _record(session, "delivery.add", method, actor=actor, now=now)
    return method


def change(
    session: Session,
    method: DeliveryMethod,
    typed: Mapping[str, str],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Change name, fee and limits; orders placed before keep theirs. Raises BadTerm."""
    _fill(method, typed, kind=method.kind)
    method.is_sample = False
    _record(session, "delivery.change", method, actor=actor, now=now)


def switch(
    session: Session, method: DeliveryMethod, *, on: bool, actor: Actor, now: datetime
) -> None:
    """Offer the way to buyers, or no longer; twice is harmless."""
    if method.is_on is not on:
        method.is_on = on
        _record(session, "delivery.on" if on else "delivery.off", method, actor=actor, now=now)


def _fill(method: DeliveryMethod, typed: Mapping[str, str], *, kind: DeliveryKind) -> None:
    name, place = clean(typed.get("name", "")), clean(typed.get("place", ""))
    if not name or len(name) > LONGEST_NAME:
        raise BadTerm(_("Name the way, in at most 60 letters."), field="name")
    if kind is DeliveryKind.PICKUP and not place:
        raise BadTerm(_("Write where the goods are handed over."), field="place")
    if len(place) > LONGEST_PLACE:
        raise BadTerm(_("At most %(most)s characters fit here.", most=LONGEST_PLACE), field="place")
    fee = read_money(typed.get("fee", ""), field="fee", most=GREATEST_FEE)
    if fee is None:
        raise BadTerm(_("Write the fee; 0 when it costs nothing."), field="fee")
    free_from = read_money(typed.get("free_from", ""), field="free_from", most=GREATEST_FREE_FROM)
    method.kind, method.name, method.fee = kind, name, fee
    method.free_from = free_from or None
    method.place = place or None
    method.most_g = read_weight(typed.get("most_kg", ""), field="most_kg")


def _kind(text: str) -> DeliveryKind:
    try:
        return DeliveryKind(text)
    except ValueError:
        raise BadTerm(_("Choose who carries the goods."), field="kind") from None


def read_money(text: str, *, field: str, most: int) -> Money | None:
    """Return whole đồng as people write them (20.000, 20000, 20 000 đ), None for nothing."""
    bare = clean(text).rstrip("đ₫Đ ").strip()
    if not bare:
        return None
    if not _DONG.fullmatch(bare):
        raise BadTerm(_("Write the amount in đồng, for example 20.000."), field=field)
    amount = int(re.sub(r"[^0-9]", "", bare))
    if amount > most:
        raise BadTerm(_("At most %(most)s.", most=Money(most)), field=field)
    return Money(amount)


def read_weight(text: str, *, field: str) -> int | None:
    """Return grams of a weight in kilograms as people write it (1,5), None for nothing."""
    bare = clean(text).lower().removesuffix("kg").strip()
    if not bare:
        return None
    found = _KILO.fullmatch(bare)
    if found is None:
        raise BadTerm(_("Write the weight in kilograms, for example 1,5."), field=field)
    grams = int(found[1]) * 1000 + int((found[2] or "0").ljust(3, "0"))
    if not 0 < grams <= HEAVIEST_G:
        raise BadTerm(_("Write the weight in kilograms, for example 1,5."), field=field)
    return grams


def set_zone(
    session: Session,
    method: DeliveryMethod,
    typed: Mapping[str, str],
    *,
    actor: Actor,
    now: datetime,
) -> DeliveryZone:
    """Say what a province, or one commune of it, costs; a place named before is overwritten."""
    province, commune = typed.get("province_code", ""), typed.get("ward_code", "")
    _refuse_unknown_place(session, province, commune)
    fee = read_money(typed.get("zone_fee", ""), field="zone_fee", most=GREATEST_FEE)
    served = typed.get("served", "yes") != "no"
    here = (province, commune)
    zone = next((z for z in method.zones if (z.province_code, z.commune_code) == here), None)
    if zone is None:
        if len(method.zones) >= MOST_ZONES:
            raise TooManyTerms(_("At most %(most)s places fit here.", most=MOST_ZONES))
        zone = DeliveryZone(province_code=province, commune_code=commune)
        method.zones.append(zone)
    zone.is_served, zone.fee = served, fee if served else None
    session.flush()  # gives the zone its id
    _record(session, "delivery.change", method, actor=actor, now=now)
    return zone


def _refuse_unknown_place(session: Session, province: str, commune: str) -> None:
    unit = places.find_unit(session, province)
    if unit is None or unit.parent_code is not None:
        raise BadTerm(_("Choose a province or city."), field="province_code")
    if commune:
        ward = places.find_unit(session, commune)
        if ward is None or ward.parent_code != province:
            raise BadTerm(_("Choose a commune or ward of this province."), field="ward_code")


def drop_zone(
    session: Session, method: DeliveryMethod, zone_id: int, *, actor: Actor, now: datetime
) -> None:
    """Forget what a place costs: the plain fee counts there again; twice is harmless.

    A way that goes only to named places goes everywhere again when the last one is dropped.
    """
    kept = [zone for zone in method.zones if zone.id != zone_id]
    if len(kept) < len(method.zones):
        method.zones = kept
        method.only_zones = method.only_zones and any(zone.is_served for zone in kept)
        _record(session, "delivery.change", method, actor=actor, now=now)


def go_only_to_zones(
    session: Session, method: DeliveryMethod, *, only: bool, actor: Actor, now: datetime
) -> None:
    """Go nowhere but to the named places, or everywhere again; raises BadTerm with none named."""
    if only and not any(zone.is_served for zone in method.zones):
        raise BadTerm(_("First name a place this way goes to."), field="province_code")
    if method.only_zones is not only:
        method.only_zones = only
        _record(session, "delivery.change", method, actor=actor, now=now)


def set_band(
    session: Session,
    method: DeliveryMethod,
    typed: Mapping[str, str],
    *,
    actor: Actor,
    now: datetime,
) -> DeliveryBand:
    """Say what a heavier parcel costs more; the same weight named before is overwritten."""
    over_g = read_weight(typed.get("over_kg", ""), field="over_kg")
    if over_g is None:
        raise BadTerm(_("Write the weight in kilograms, for example 1,5."), field="over_kg")
    extra = read_money(typed.get("extra", ""), field="extra", most=GREATEST_FEE)
    if extra is None:
        raise BadTerm(_("Write what it costs more."), field="extra")
    band = next((b for b in method.bands if b.over_g == over_g), None)
    if band is None:
        if len(method.bands) >= MOST_BANDS:
            raise TooManyTerms(_("At most %(most)s steps fit here.", most=MOST_BANDS))
        band = DeliveryBand(over_g=over_g)
        method.bands.append(band)
    band.extra = extra
    session.flush()  # gives the step its id
    _record(session, "delivery.change", method, actor=actor, now=now)
    return band


def drop_band(
    session: Session, method: DeliveryMethod, band_id: int, *, actor: Actor, now: datetime
) -> None:
    """Forget a step of weight; twice is harmless."""
    kept = [band for band in method.bands if band.id != band_id]
    if len(kept) < len(method.bands):
        method.bands = kept
        _record(session, "delivery.change", method, actor=actor, now=now)


def get_method(session: Session, producer_id: int, method_id: int) -> DeliveryMethod:
    """Return this producer's way for changing: two people at one desk change it in turn."""
    session.execute(
        select(DeliveryMethod.id).where(DeliveryMethod.id == method_id).with_for_update()
    )
    return delivery.get(session, producer_id, method_id)


def _record(
    session: Session, verb: str, method: DeliveryMethod, *, actor: Actor, now: datetime
) -> None:
    session.flush()
    carrier_fees.forget(session, method)
    slug = session.scalar(select(Producer.slug).where(Producer.id == method.producer_id))
    record(
        session,
        actor,
        verb,
        f"producer:{slug}",
        now=now,
        way=method.name,
        fee=method.fee.dong,
    )
