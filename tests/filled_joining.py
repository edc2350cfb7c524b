"""What joins and complains in the filled shop: a file, its person, a complaint."""

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from accounts.audit import SYSTEM
from accounts.users import LoginName, User
from catalog import identities
from catalog.joining import FoodPaper, JoinFile, JoinState
from catalog.producers import Producer
from shop import complaints
from shop.complaints import About
from shop.orders import Order
from tests.conftest import SECRET


def joins(
    session: Session, producer: Producer, order: Order, buyer: User, *, now: datetime, text: str
) -> dict[str, Any]:
    """Return what names them in addresses."""
    session.add(
        JoinFile(
            producer_id=producer.id,
            state=JoinState.SENT_BACK,
            food_paper=FoodPaper.COMMITMENT,
            food_number=f"CK-1{text}",
            begun_at=now,
            sent_at=now,
            answered_at=now,
            answered_by_name=f"Cán bộ{text}",
            why=f"Ảnh mờ{text}",
        )
    )
    identities.keep(
        session,
        producer,
        name=f"Hoa{text}"[:100],
        born=date(1985, 3, 8),
        number="001185012345",
        address=f"Thôn 3{text}"[:200],
        secrets=[SECRET],
        actor=SYSTEM,
        now=now,
    )
    complaint, _token = complaints.file(
        session,
        about=About.GOODS,
        words=f"Hũ nứt{text}",
        name=f"Chị Hoa{text}"[:100],
        contact=LoginName(phone="+84912345678"),
        order_code=order.code,
        producer_slug="",
        photo_keys=[],
        user_id=buyer.id,
        address="http://localhost/khieu-nai",
        now=now,
    )
    return {
        "staff_joining.slug": producer.slug,
        "complaints.code": complaint.code,
        "complaint_id": complaint.id,
    }
