"""What the demo offers to whoever tries it: addresses to scan, feeds to fetch, log-ins."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.lots import Lot
from catalog.products import Product
from catalog.variants import Variant
from demo.people import LOGINS
from livestream.feeds import feeds
from livestream.feeds.feeds import Channel
from traceability.serials import Serial
from traceability.trace_codes import TraceCode


def describe(session: Session, public_url: str) -> dict[str, Any]:
    """Return the addresses of the sample goods, in small letters, and the demo's log-ins."""
    return {
        "digital_links": _digital_links(session, public_url),
        "trace_links": _trace_links(session, public_url),
        "feeds": _feeds(session, public_url),
        "logins": [
            {"role": login.role.value, "user": login.user, "password": login.password}
            for login in LOGINS
        ],
    }


def _digital_links(session: Session, public_url: str) -> list[str]:
    links: dict[str, None] = {}
    rows = session.execute(
        select(Variant.gtin, Lot.code, Serial.serial)
        .outerjoin(Lot, Lot.variant_id == Variant.id)
        .outerjoin(Serial, Serial.lot_id == Lot.id)
        .where(Variant.gtin.is_not(None))
        .order_by(Variant.gtin, Lot.code, Serial.serial)
    )
    for gtin, lot, serial in rows:
        item = f"{public_url}/01/{gtin}"
        links[item] = None
        if lot:
            links[f"{item}/10/{lot}"] = None
        if lot and serial and serial.isdigit():
            links[f"{item}/10/{lot}/21/{serial}"] = None
    return [link for link in links if link == link.lower()]


def _trace_links(session: Session, public_url: str) -> list[str]:
    codes = session.scalars(
        select(TraceCode.code)
        .join(Product, Product.id == TraceCode.product_id)
        .where(Product.is_sample, Product.is_synthetic.is_(False))
        .order_by(TraceCode.product_id, TraceCode.kind.desc(), TraceCode.lot_id)
    ).all()
    serials = session.scalars(
        select(Serial.serial)
        .where(Serial.is_sample)
        .order_by(Serial.lot_id, Serial.serial)
        .limit(3)
    ).all()
    return [f"{public_url}/t/{code}".lower() for code in (*codes, *serials)]


def _feeds(session: Session, public_url: str) -> dict[str, str]:
    addresses = {}
    for channel in Channel:
        feed = feeds.find_feed(session, channel, None)
        if feed is not None:
            addresses[channel.value] = f"{public_url}/feeds/{feed.token}/{channel.value}.csv"
    return addresses
