"""The sample show: HTX Mẫu's goods under the codes of the recorded stream in data/live."""

import json
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.producers import Producer
from catalog.products import Product
from catalog.variants import Variant
from core.money import Money
from core.settings import ROOT
from livestream import shows

SLUG = "phien-mau"
SESSIONS = ROOT / "data" / "live" / "sessions.json"
# The stock that the recording announces at its start.
CAPS = {"A1": 20, "A2": 40, "A3": 10, "B1": 60, "B2": 50, "C5": 8, "M5": 30}
# Code → sample product and, where it has several, the variant.
GOODS = {
    "A1": ("Mật ong hoa nhãn", "500 ml"),
    "A2": ("Trà sen ướp hương", ""),
    "A3": ("Áo lụa tơ tằm", ""),
    "B1": ("Nem gói lá sung", ""),
    "B2": ("Bưởi tôm vàng vườn mẫu", ""),
    "C5": ("Cơm rượu nếp cái hoa vàng", ""),
    "M5": ("Miến dong phơi nắng", ""),
}


def load(session: Session, producer: Producer, *, now: datetime) -> None:
    """Plan the sample show; its recording of twelve minutes ends before now, not in the future."""
    spoken = json.loads(SESSIONS.read_text("utf-8"))["S1"]["products"]
    show = shows.plan(
        session,
        title="Phiên mẫu: hàng HTX Mẫu (minh hoạ)",
        producer_id=producer.id,
        starts_at=now - timedelta(minutes=15),
        slug=SLUG,
    )
    show.is_sample = True
    for code, (name, option) in GOODS.items():
        variant = _variant(session, producer, name, option)
        shows.add_item(
            session,
            show,
            code=code,
            variant_id=variant.id,
            name=f"{name} {option}".strip(),
            unit=spoken[code]["unit"],
            live_price=cast("Money", variant.price),
            cap=CAPS[code],
            aliases=tuple(spoken[code]["aliases"]),
            options=tuple(spoken[code]["variants"]),
        )


def _variant(session: Session, producer: Producer, name: str, option: str) -> Variant:
    query = (
        select(Variant)
        .join(Product, Product.id == Variant.product_id)
        .where(Product.producer_id == producer.id, Product.name == name, Variant.name == option)
    )
    return session.scalars(query).one()
