"""Goods being edited in the shop that has one of everything."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from accounts.audit import SYSTEM
from catalog import editing, options, pictures
from catalog.pictures import PictureState
from catalog.producers import Producer
from catalog.products import Product, ProductState


def goods(
    session: Session, producer: Producer, product: Product, *, now: datetime, text: str = ""
) -> dict[str, Any]:
    """Write down goods in two kinds with a photo, for staff to look at; name them in addresses."""
    typed = {
        "name": f"Trà{text}"[:150],
        "group": "food",
        "unit": f"gói{text}"[:40],
        "price": "50000",
        "description": f"Thơm{text}",
        "english_name": f"Tea{text}"[:150],
    }
    tea = editing.add(session, producer, typed, actor=SYSTEM, now=now)
    options.set_options(session, tea, [(f"Cỡ{text}"[:20], "To, Nhỏ")], actor=SYSTEM, now=now)
    photo = pictures.add(
        session, tea, "private/anh/khong-co.jpeg", size=(800, 600), actor=SYSTEM, now=now
    )
    pictures.tell_what_it_shows(session, photo, f"Gói trà{text}"[:200], actor=SYSTEM, now=now)
    photo.state, photo.why = PictureState.BROKEN, pictures.BROKEN
    tea.state, tea.submitted_at = ProductState.REVIEW, now
    session.flush()
    blueprints = ("desk_goods", "desk_photos", "staff_goods", "desk_preview")
    return {
        **{f"{blueprint}.product_id": tea.id for blueprint in blueprints},
        "picture_id": photo.id,
    }
