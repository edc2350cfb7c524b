"""A wish to visit reaches its maker, is answered once, and is forgotten in time."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from accounts.audit import SYSTEM
from accounts.users import Role, User
from catalog import members
from catalog.products import OcopGroup
from core.clock import utc_now, vietnam_day
from core.db import Database
from core.tasks import Task
from shop import visits
from shop.visits import AlreadyAnswered, NoSuchVisit, VisitRequest, VisitState
from tests.conftest import NOON
from tests.factories import a_listed_product, a_producer, a_user
from tests.visits import browser_of, csrf

SLUG = "mot-buoi-nan-gom"
FORM = f"/san-pham/{SLUG}/hen-den"
TYPED = {
    "people": "4",
    "name": "Chị Lan",
    "phone": "0912 345 678",
    "email": "lan@example.org",
    "note": "Có hai cháu nhỏ",
}


@pytest.fixture
def owner(database: Database) -> User:
    """Whoever keeps the desk of a pottery that takes visitors, beside one that sends honey."""
    with database.transaction() as session:
        maker = a_producer(session, name="Xưởng gốm", slug="xuong-gom")
        a_listed_product(
            session, "Một buổi nặn gốm", price=150_000, producer=maker,
            group=OcopGroup.TOURISM,
        )  # fmt: skip
        a_listed_product(session, "Mật ong", price=90_000, producer=maker)
        user = a_user(session, role=Role.PRODUCER, name="Anh Bảy")
        members.add(session, maker, user, actor=SYSTEM, now=NOON)
    return user


def send(visitor: FlaskClient, **changed: str) -> tuple[int, str]:
    day = (vietnam_day(utc_now()) + timedelta(days=9)).isoformat()
    form = {"csrf_token": csrf(visitor, FORM), "day": day, **TYPED, **changed}
    answer = visitor.post(FORM, data=form)
    return answer.status_code, answer.text


def test_a_wish_is_left_answered_and_mailed_once(
    app: Flask, database: Database, visitor: FlaskClient, owner: User
) -> None:
    assert FORM in visitor.get(f"/san-pham/{SLUG}").text
    assert send(visitor)[0] == 303
    desk = browser_of(app, database, owner)
    home = desk.get("/ban-hang/xuong-gom").text
    page = desk.get("/ban-hang/xuong-gom/khach-hen").text

    answer = desk.post(
        "/ban-hang/xuong-gom/khach-hen/1",
        data={
            "csrf_token": csrf(desk, "/ban-hang/xuong-gom/khach-hen"),
            "answer": "yes",
            "words": "Mặc áo cũ.",
        },
    )

    assert "1 lời hẹn chờ trả lời" in home
    assert "Có hai cháu nhỏ" in page
    assert "0912 345 678" in page
    assert answer.status_code == 303
    with database.reading() as session:
        kept = session.scalars(select(VisitRequest)).one()
        mail = session.scalars(select(Task).where(Task.kind == "mail.send")).one()
    assert (kept.state, kept.people, kept.answered_by) == (VisitState.ACCEPTED, 4, "Anh Bảy")
    assert mail.payload["to"] == "lan@example.org"
    assert "nhận đón 4 người" in mail.payload["body"]
    assert "Mặc áo cũ." in mail.payload["body"]
    assert "nhận đón 4 người" in desk.get("/ban-hang/xuong-gom/khach-hen").text
    with database.transaction() as session, pytest.raises(AlreadyAnswered):
        visits.answer(
            session, kept.id, kept.producer_id, accepts=False, words="", actor=SYSTEM, now=NOON
        )
    with database.transaction() as session, pytest.raises(NoSuchVisit):
        visits.answer(
            session, kept.id, kept.producer_id + 1, accepts=False, words="", actor=SYSTEM, now=NOON
        )


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("day", "2001-01-01"),
        ("day", "mai"),
        ("people", "0"),
        ("people", "١"),
        ("people", "9999999"),
        ("name", "  "),
        ("phone", "123"),
        ("email", "khong phai"),
    ],
)
def test_what_cannot_be_right_is_told_at_its_field_and_nothing_is_lost(
    visitor: FlaskClient, owner: User, field: str, typed: str
) -> None:
    status, page = send(visitor, **{field: typed})

    assert status == 422
    assert f'id="{field}-loi"' in page
    assert "Có hai cháu nhỏ" in page


def test_goods_that_are_sent_take_no_visitors(visitor: FlaskClient, owner: User) -> None:
    assert "/hen-den" not in visitor.get("/san-pham/mat-ong").text
    assert visitor.get("/san-pham/mat-ong/hen-den").status_code == 404


def test_who_came_is_forgotten_half_a_year_later(
    database: Database, visitor: FlaskClient, owner: User
) -> None:
    send(visitor)

    for days, left in ((150, 1), (200, 0)):
        visits.forget_old(database, utc_now() + timedelta(days=days))

        with database.reading() as session:
            assert len(session.scalars(select(VisitRequest)).all()) == left
