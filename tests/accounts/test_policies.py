"""Policies: in force by their day, readable in both languages, and true to the shop's own rules."""

import json
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from accounts import policies
from accounts.audit import SYSTEM, Act
from accounts.policies import TITLES, NoSuchPolicy
from accounts.users import Role, User
from catalog import members
from core.db import Database
from shop import carts, complaints, completion, personal, returns
from shop.complaints import Complaint, ComplaintState
from shop.order_states import OrderState
from shop.orders import Order
from shop.payments import asking, receipts
from shop.payments.payments import PaymentMethod
from tests.conftest import NOON
from tests.factories import a_user
from tests.filled_shop import fill
from tests.visits import browser_of, send
from traceability import proving
from traceability.diary import Step

TODAY = date(2026, 11, 25)
OWN = "/tai-khoan/du-lieu"


def text_of(slug: str, tongue: str) -> str:
    blocks = policies.read(slug, policies.current(slug, TODAY), tongue)
    return "\n".join(line for block in blocks for line in block.lines)


def hours(span: timedelta) -> int:
    return int(span.total_seconds() // 3600)


@pytest.mark.parametrize(
    ("slug", "number", "vi", "en"),
    [
        ("thanh-toan", hours(asking.HOLDS[PaymentMethod.BANK_TRANSFER]), "giữ {} giờ", "for {} h"),
        ("giao-hang", hours(receipts.TIME_TO_CONFIRM), "trong {} giờ", "within {} hours"),
        ("doi-tra", hours(completion.FRESH), "trong {} giờ sau khi nhận", "within {} hours after"),
        ("doi-tra", completion.DRY.days, "trong {} ngày", "within {} days"),
        ("doi-tra", hours(returns.TIME_TO_ANSWER), "trả lời trong {} giờ", "answers within {} h"),
        ("khieu-nai", hours(complaints.TIME_TO_ANSWER), "trong {} giờ", "within {} hours"),
        ("khieu-nai", complaints.WORKING_DAYS_TO_SETTLE, "{} ngày làm việc", "{} working days"),
    ],
)
def test_policies_say_what_the_shop_does(slug: str, number: int, vi: str, en: str) -> None:
    assert vi.format(number) in text_of(slug, "vi")
    assert en.format(number) in text_of(slug, "en")


def test_every_policy_is_complete_in_both_languages() -> None:
    for slug in TITLES:
        for version in policies.list_versions(slug):
            shapes = [[b.kind for b in policies.read(slug, version, t)] for t in ("vi", "en")]
            assert shapes[0] == shapes[1], (slug, version)
    with pytest.raises(NoSuchPolicy):
        policies.current("rieng-tu", date(2020, 1, 1))
    with pytest.raises(NoSuchPolicy):
        policies.read("../banks", TODAY, "vi")


def test_the_pages_show_versions_owner_and_how_long_things_are_kept(visitor: FlaskClient) -> None:
    page = visitor.get("/chinh-sach/rieng-tu")

    assert "Bản ngày 25/11/2026" in page.text
    assert f"{personal.ORDERS_KEPT.days} ngày" in page.text
    assert "Set-Cookie" not in page.headers
    assert "Version of 25 Nov 2026" in visitor.get("/en/chinh-sach/rieng-tu?ban=2026-11-25").text
    assert "Trụ sở" in visitor.get("/chinh-sach").text
    wrong = ["/chinh-sach/x", "/chinh-sach/rieng-tu?ban=x", "/chinh-sach/rieng-tu?ban=2020-01-01"]
    assert [visitor.get(address).status_code for address in wrong] == [404] * 3


def test_a_person_takes_everything_along_and_goes(app: Flask, database: Database) -> None:
    shop = fill(app, now=NOON)
    buyer, maker, staff = (shop.people[role] for role in ("buyer", "producer", "staff"))
    with database.transaction() as session:
        order = session.scalars(select(Order)).first()
        assert order is not None
        order.user_id, code = buyer.id, order.code
        old = carts.open_new(session, user_id=None, now=NOON)[0]
        values = {c.key: getattr(order, c.key) for c in Order.__table__.columns if c.key != "id"}
        aged = {"code": "CU", "cart_id": old.id, "user_id": None, "state": OrderState.CLOSED}
        session.add(Order(**values | aged))
    personal.forget_old(database, NOON + personal.ORDERS_KEPT - timedelta(days=1))
    with database.reading() as session:
        still = session.scalars(select(Order.buyer_name).where(Order.code == "CU")).one()
    personal.forget_old(database, NOON + personal.ORDERS_KEPT + timedelta(days=1))
    with database.reading() as session:
        late = session.scalars(select(Order.buyer_name).where(Order.code == "CU")).one()
    assert (still, late) == ("Chị Hoa", "—")
    browser, desk, office = (browser_of(app, database, one) for one in (buyer, maker, staff))

    told = json.loads(browser.get(f"{OWN}/tai-ve").text)
    unsure = send(browser, f"{OWN}/xoa", page=OWN)
    under_way = send(browser, f"{OWN}/xoa", page=OWN, sure="1")
    with database.transaction() as session:
        session.get_one(Order, order.id).state = OrderState.CLOSED
        session.scalars(select(Complaint)).one().state = ComplaintState.CLOSED
    gone = send(browser, f"{OWN}/xoa", page=OWN, sure="1")
    alone = send(desk, f"{OWN}/xoa", page=OWN, sure="1")
    of_staff = send(office, f"{OWN}/xoa", page=OWN, sure="1")

    assert told["account"]["phone"] == buyer.phone
    assert told["orders"][0]["code"] == code
    assert told["complaints"][0]["words"] == ["Hũ nứt"]
    assert [one.status_code for one in (unsure, under_way, gone)] == [422, 422, 200]
    assert [one.status_code for one in (alone, of_staff)] == [422, 422]
    assert browser.get("/tai-khoan").status_code == 303
    with database.transaction() as session:
        kept = session.get_one(Order, order.id)
        assert (kept.buyer_name, kept.buyer_phone, kept.user_id) == ("—", "", None)
        assert kept.total.dong > 0
        assert "Thôn 3" not in kept.address_text
        left = session.get_one(User, buyer.id)
        assert (left.phone, left.name) == (None, "—")
        assert session.scalars(select(Complaint)).one().phone is None
        assert session.scalars(select(Act.actor_name).where(Act.actor_id == buyer.id)).all() == [
            "—"
        ]
        heir = a_user(session, role=Role.PRODUCER)
        members.add(session, shop.producer, heir, actor=SYSTEM, now=NOON)

    assert send(desk, f"{OWN}/xoa", page=OWN, sure="1").status_code == 200
    with database.reading() as session:
        assert set(session.scalars(select(Step.entered_by_name))) == {""}
        assert proving.find_faults(session) == []
